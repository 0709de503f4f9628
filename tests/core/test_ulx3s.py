"""examples/ulx3s: the core and its memory run a job that came over the serial line, to the golden model's bits."""
import re
import subprocess

import numpy
import pytest

from conftest import ROOT

EXAMPLE = ROOT / "examples/ulx3s"
REGISTERS = 1 << 31
A_AT, B_AT, C_AT = 0x100, 0x200, 0x408


@pytest.fixture
def core(emit):
    return emit("safe2", "--rows", 2, "--cols", 2, "--core", "on", "--bus-bits", 64, "--block-k", 8)


def verilog(core):
    files = [*sorted(EXAMPLE.glob("*.v")), *(core / name for name in (core / "daa.f").read_text().split())]
    return [str(file) for file in files]


def test_it_is_clean(core, run):
    done = run("verilator", "--lint-only", "-Wall", "-Wno-PINCONNECTEMPTY", "-Wno-DECLFILENAME", "--top-module", "ulx3s", *verilog(core))
    assert done.returncode == 0 and not done.stderr, done.stderr
    done = run("iverilog", "-g2005", "-Wall", "-t", "null", "-s", "ulx3s", *verilog(core))
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_every_port_has_a_pin():
    head = (EXAMPLE / "ulx3s.v").read_text().split(");")[0]
    ports = [f"{name}[{bit}]" if highest else name for highest, name in re.findall(r"^ +(?:in|out)put +wire +(?:\[(\d+):0\])? *(\w+)", head, re.M)
             for bit in range(int(highest or 0) + 1)]
    pins = (EXAMPLE / "ulx3s.lpf").read_text()
    assert len(ports) == 12 and sorted(ports) == sorted(re.findall(r'LOCATE COMP "(.*?)"', pins)) == sorted(re.findall(r'IOBUF PORT "(.*?)"', pins))
    assert len(set(re.findall(r'SITE "(.*?)"', pins))) == len(ports)


def test_a_job_over_the_serial_line(core, daagemm, run, seed, tmp_path):
    random = numpy.random.default_rng(seed)
    m, n, k = 3, 5, 4
    a, b = random.standard_normal((m, k), "f4"), random.standard_normal((k, n), "f4")
    numpy.save(tmp_path / "a.npy", a)
    numpy.save(tmp_path / "b.npy", b)
    done = run(daagemm, "--config", core / "daa.json", "--a", tmp_path / "a.npy", "--b", tmp_path / "b.npy", "-o", tmp_path / "c.npy")
    assert done.returncode == 0, done.stderr
    want = numpy.load(tmp_path / "c.npy").astype("f4").view("u4")

    number = {name: int(value, 0) for name, value in re.findall(r"#define DAA_(\w+) +(0x[0-9a-f]+|\d+)u?\b", (core / "daa_registers.h").read_text())}
    at = {name.removeprefix("REG_"): REGISTERS + value for name, value in number.items() if name.startswith("REG_")}
    flags = number["FLAGS_A_ALONG_K_MASK"] | number["FLAGS_A_FLOAT32_MASK"] | number["FLAGS_B_FLOAT32_MASK"]
    job = {"A_LO": A_AT, "B_LO": B_AT, "C_LO": C_AT, "M": m, "N": n, "K": k, "LDA": 4 * k, "LDB": 4 * n, "LDC": 4 * n, "BATCH": 1,
           "FLAGS": flags, "CONTROL": number["CONTROL_IRQ_DONE_MASK"], "START": 1}
    commands = [("W", place + 4 * i, word) for place, matrix in ((A_AT, a), (B_AT, b)) for i, word in enumerate(matrix.view("u4").ravel())]
    commands += [("R", at["ID"], 0), ("R", A_AT + 4, 0), *(("W", at[name], value) for name, value in job.items()),
                 ("P", at["IRQ"], number["IRQ_DONE_MASK"]), ("R", at["CODES"], 0)]
    commands += [("R", C_AT + 4 * i, 0) for i in range(m * n)]
    (tmp_path / "commands").write_text("".join(f"{letter} {address:08x} {word:08x}\n" for letter, address, word in commands))
    bench = tmp_path / "bench"
    done = run("iverilog", "-g2005", "-s", "bench", "-o", bench, ROOT / "tests/core/ulx3s.v", *verilog(core))
    assert done.returncode == 0, done.stderr
    said = subprocess.run(["vvp", "-n", bench, f"+commands={tmp_path / 'commands'}"], capture_output=True, text=True, timeout=300).stdout
    *words, end = said.split("\n")[:-1]
    assert end == "END irq 1" and len(words) == 3 + m * n, said
    assert int(words[0], 16) == number["ID"] and int(words[1], 16) == a.view("u4")[0, 1] and int(words[2], 16) == 0
    assert [int(word, 16) for word in words[3:]] == want.ravel().tolist()
