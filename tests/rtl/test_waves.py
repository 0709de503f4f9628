"""What the waves of an array show: no X after the reset, and nothing moving behind R1 in a step of zero products."""
import collections
import json
import re

import numpy
import pytest

import arrays

ONE = 0x3F80  # bf16


class Waves:
    """A VCD file: for each signal its path and its changes, (time, value) in order; the first is where it starts."""

    def __init__(self, path):
        self.changes = collections.defaultdict(list)
        self.paths = collections.defaultdict(list)  # code -> paths; one code may stand for several signals
        scope, time = [], 0
        for line in path.read_text().splitlines():
            words = line.split()
            if not words:
                continue
            if words[0] == "$scope":
                scope.append(words[2])
            elif words[0] == "$upscope":
                scope.pop()
            elif words[0] == "$var" and words[1] != "parameter":
                self.paths[words[3]].append(".".join(scope + [words[4]]))
            elif line[0] == "#":
                time = int(line[1:])
            elif line[0] in "01xz":
                self.changes[line[1:]].append((time, line[0]))
            elif line[0] == "b":
                self.changes[words[1]].append((time, words[0][1:]))

    def signals(self, pattern):
        """path -> changes, where the path has PATTERN."""
        return {path: self.changes[code] for code, paths in self.paths.items() for path in paths
                if re.search(pattern, path)}


def header(array):
    text = (array / "daa_config.h").read_text()
    return dict(re.findall(r'^#define DAA_(\w+) "?([^"\n]*)"?$', text, re.MULTILINE))


def dump(array, steps, *defines):
    """The waves of STEPS: (valid, last, A, B), the operands as lists of raw bits; None is an idle cycle, of unknown ones."""
    values = header(array)
    lines = []
    for step in steps:
        if step is None:
            lines.append("0 0 x x")
            continue
        valid, last, a, b = step
        words = [sum(bits << (i * int(values[f"{side}_WIDTH"])) for i, bits in enumerate(numbers))
                 for side, numbers in (("A", a), ("B", b))]
        lines.append(f"{valid} {int(last)} {words[0]:x} {words[1]:x}")
    (array / "steps.txt").write_text("\n".join(lines) + "\n")
    files = [array / line for line in (array / "daa.f").read_text().split()]
    arrays.run("iverilog", "-g2005", *defines, f"-I{array}", "-s", "waves", "-o", array / "waves.vvp", arrays.HERE / "waves.v", *files)
    arrays.run("vvp", "-n", array / "waves.vvp", f"+steps={array / 'steps.txt'}", f"+waves={array / 'waves.vcd'}")
    return Waves(array / "waves.vcd")


X_CASES = ["tiny", "one", "one-stream", "quad", "rotate", "fp8", "low4", "high4", "plain", "eight", "out-bf16", "deep", "e2m1", "gated", "gated-anchored"]
GATES = "-DDAA_CLOCK_GATES"  # with it an emitted array really stops its clocks


@pytest.mark.parametrize("name, defines", [(name, ()) for name in X_CASES] + [("gated", (GATES,)), ("gated-anchored", (GATES,))])
def test_no_x_after_reset(name, defines, tmp_path, rng):
    """Not one signal is X once the sweep is over, though nothing has been offered yet; nor when steps come. The buffers
    and what they show alone may be, until something has been written, and what decoders see where nothing is offered."""
    array = arrays.emit(tmp_path / "array", *arrays.configs()[name][2])
    values = {key: int(value) for key, value in header(array).items() if value.isdigit()}
    numbers = {side: values[lines] * values["STREAMS"] for side, lines in (("A", "ROWS"), ("B", "COLS"))}
    steps = [(1, t % 3 == 2, *([rng.getrandbits(values[f"{side}_WIDTH"]) for _ in range(numbers[side])] for side in "AB"))
             for t in range(9)]
    waves = dump(array, [None] * 20 + steps + [None] * 40, *defines)
    buffers = r"u_(c0|result)_buffer|c_data_o|c0_word|u_head\.(data_i|exponent|nan|some|value|size|special)$"
    offered = r"\.[ab]_data_i$|g_[ab]\[\d+\]\.(u_skew\.|raw$)|u_decode\.(?!(zero_q|fields_q|op_o|some|go_i|from_i|fill_i|clear_i)$)"
    signals = {path: changes for path, changes in waves.signals("").items()
               if not re.search(f"{buffers}|{offered}", path)}
    assert any("u_decode.fields_q" in path for path in signals)
    assert len(signals) > 50
    unknown = sorted(path for path, changes in signals.items() if any(set(value) & set("xz") for _, value in changes))
    assert unknown == []


def moved(waves, pattern, start, end):
    """The signals that change with START < time <= END."""
    return sorted(path for path, changes in waves.signals(pattern).items()
                  if any(start < time <= end for time, _ in changes[1:]))


STILL = [(config, pipeline) for config in ("tiny", "quad", "baseline", "low2", "high2") for pipeline in (1, 2, 3)]
STILL += [("quad", 4), *((config, pipeline) for config in ("safe2", "safe4") for pipeline in (2, 3, 4)), ("safe4", 5)]


@pytest.mark.parametrize("config, pipeline", STILL)
def test_a_step_of_zeros_moves_nothing(config, pipeline, tmp_path, rng):
    array = arrays.emit(tmp_path / "array", "--config", config, "--format", "bf16", "--rows", 1, "--cols", 1, "--pipeline", pipeline)
    streams = json.loads((array / "daa.json").read_text())["options"]["streams"]

    def some():
        return [rng.randrange(ONE, ONE + 0x200) | rng.getrandbits(1) << 15 for _ in range(streams)]

    def step(zeros):
        """With zeros every product has a zero operand, of either side and either sign, beside any other one."""
        a, b = some(), some()
        for s in range(streams if zeros else 0):
            rng.choice([a, b])[s] = rng.choice([0, 0x8000])
        return (1, 0, a, b)

    busy, still = 8, 12
    waves = dump(array, [step(False) for _ in range(busy)] + [step(True) for _ in range(still)] +
                 [step(False) for _ in range(busy)] + [None] * 8)
    behind = r"\.u_pe\.(.*\.u_mul\.|.*\.u_align\.|u_sum\.(?!.*clk)|u_addend\.|u_acc\.(?!.*clk)|.*u_r[123]_(?!marks).*\.q|u_steer\..*\.u_r0\..*\.q)"
    begin = min(time for changes in waves.signals("clk_i$").values() for time, _ in changes)
    cycle = 10
    # Two edge registers, R1, and the registers up to the accumulator: then the last busy step is through.
    drained = begin + cycle * (busy + 3 + pipeline)
    again = begin + cycle * (busy + still + 2)
    assert moved(waves, behind, begin, drained), "the pattern names nothing that ever moves"
    assert moved(waves, behind, drained, again) == []
    assert moved(waves, behind, again, again + 8 * cycle)


@pytest.mark.parametrize("config", ["tiny", "quad", "baseline"])
def test_a_step_of_zeros_between_others_moves_no_multiplier(config, tmp_path):
    """The same operands before and after zeros: the multipliers and the sum never see the zeros."""
    array = arrays.emit(tmp_path / "array", "--config", config, "--rows", 1, "--cols", 1)
    streams = json.loads((array / "daa.json").read_text())["options"]["streams"]
    full = (1, 0, [ONE + 0x35] * streams, [ONE + 0x123] * streams)
    none = (1, 0, [ONE + 0x35] * streams, [0] * streams)
    waves = dump(array, [full, none] * 8)
    begin = min(time for changes in waves.signals("clk_i$").values() for time, _ in changes)
    behind = r"\.u_pe\.(.*\.u_mul|.*\.u_align|u_sum)\.(?!.*(clk_i|load_i)$).*"
    assert moved(waves, behind, begin, begin + 50)
    assert moved(waves, behind, begin + 50, begin + 160) == []


@pytest.mark.parametrize("small", [0, 0x3000], ids=["zero", "dropped"])
@pytest.mark.parametrize("config", ["tiny", "quad", "safe4"])
def test_a_product_that_takes_no_part_moves_no_multiplier(config, small, tmp_path, rng):
    """Beside a product in stream 0, the others are zero, or far below the window; their other operands change."""
    array = arrays.emit(tmp_path / "array", "--config", config, "--format", "bf16", "--rows", 1, "--cols", 1)
    others = json.loads((array / "daa.json").read_text())["options"]["streams"] - 1

    def some():
        return rng.randrange(ONE, ONE + 0x80)

    waves = dump(array, [(1, 0, [some()] + [some() for _ in range(others)], [some()] + [small] * others) for _ in range(16)])
    begin = min(time for changes in waves.signals("clk_i$").values() for time, _ in changes)
    assert moved(waves, r"\.g_high\[0\]\.u_term\.u_mul\.", begin + 20, begin + 160)
    assert waves.signals(r"\.g_low\[0\]\.u_term\.u_mul\.")
    assert moved(waves, r"\.(g_low\[\d\]|g_high\[[1-9]\])\.u_term\.u_mul\.", begin, begin + 160) == []



GATED_CLOCKS = r"\.u_pe\.(?!.*u_gate\.)(r[13]_clk|(.*\.)?(take|state|step|m|fields)_clk)$"


@pytest.mark.parametrize("name", ["gated", "gated-anchored"])
def test_gated_clocks_stand_still(name, tmp_path, rng):
    """In steps of zeros no gated clock moves, beside a single product those of low multipliers do not; in others each does, and only
    where the clock does."""
    array = arrays.emit(tmp_path / "array", *arrays.configs()[name][2], "--rows", 1, "--cols", 1)
    values = {key: int(value) for key, value in header(array).items() if value.isdigit()}
    count, width = values["STREAMS"], values["A_WIDTH"]
    busy = [(1, 0, *([rng.randrange(ONE >> (16 - width), (ONE >> (16 - width)) + 4) for _ in range(count)] for _ in "AB")) for _ in range(12)]
    lone = [(1, 0, a, b[:1] + [0] * (count - 1)) for _, _, a, b in busy + busy]
    waves = dump(array, busy + [(1, 0, [0] * count, [0] * count)] * 30 + busy + lone, GATES)
    begin = min(time for changes in waves.signals("clk_i$").values() for time, _ in changes)
    clocks = waves.signals(GATED_CLOCKS)
    assert len(clocks) >= 2 * count + 4
    rises = {time for changes in waves.signals(r"u_dut\.clk_i$|\.u_ctrl\.clk_i$").values() for time, value in changes if value == "1"}
    assert rises and all({time for time, value in changes[1:] if value == "1"} <= rises for changes in clocks.values())
    assert all(any(value == "1" and time > begin + 60 for time, value in changes) for changes in clocks.values())
    assert moved(waves, GATED_CLOCKS, begin + 10 * (12 + 12), begin + 10 * (12 + 30)) == []
    low, since = r"\.g_low\[\d\]\.u_term\.take_clk$", begin + 10 * (12 + 30 + 12 + 6)
    assert waves.signals(low) and moved(waves, low, since, since + 10 * 16) == []
    assert moved(waves, r"\.g_high\[0\]\.u_term\.take_clk$", since, since + 10 * 16)


@pytest.mark.parametrize("name", ["gated", "gated-fixed", "gated-anchored"])
def test_stopped_clocks_give_the_golden_bits(name, tmp_path):
    """The emitted bench, with the clocks really stopped, in both simulators."""
    array = arrays.emit(tmp_path / "array", *arrays.configs()[name][2])
    files = [array / line for line in (array / "daa.f").read_text().split()] + [array / "tb/daa_tb.v"]
    arrays.run("iverilog", "-g2005", GATES, "-o", array / "tb.vvp", *files)
    assert "PASS" in arrays.run("vvp", "-n", array / "tb.vvp").stdout
    arrays.run("verilator", "--binary", "--timing", "-Wno-fatal", *arrays.SOON, GATES, "--top-module", "daa_tb", "--Mdir",
               array / "verilated", "-o", "tb", *files)
    assert "PASS" in arrays.run(array / "verilated/tb").stdout


@pytest.mark.parametrize("policy, groups, still, moves", [
    ("exponent", 1, r"g_node\[4\]", r"g_node\[5\]"), ("exponent", 2, r"g_node\[4\]", r"g_node\[5\]"),
    ("low", 1, r"g_r0\[[01]\]", r"g_r0\[[23]\]")])
def test_zero_products_move_no_key(policy, groups, still, moves, tmp_path, rng):
    """Of four streams the first two are zero, though their exponents change: R0 keeps what it has of them."""
    array = arrays.emit(tmp_path / "array", "--config", "safe4", "--format", "bf16", "--policy", policy, "--groups", groups,
                        "--rows", 1, "--cols", 1)

    def some():
        return rng.randrange(ONE, ONE + 0x800)

    waves = dump(array, [(1, 0, [some() for _ in range(4)], [0, 0, some(), some()]) for _ in range(16)])
    begin = min(time for changes in waves.signals("clk_i$").values() for time, _ in changes)
    assert moved(waves, rf"\.u_steer\.{moves}\..*u_r0\..*\.q", begin, begin + 160)
    assert moved(waves, rf"\.u_steer\.{still}\..*u_r0\..*\.q", begin, begin + 160) == []
