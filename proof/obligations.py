"""What is proved of a configuration: which part of its netlist, driven how, against which specification, in which cases."""
import itertools
import json
import pathlib
import re

from command import Failed
from netlist import split

HERE = pathlib.Path(__file__).resolve().parent
ALIAS = {"bf16": (8, 7, 0), "tf32": (8, 10, 0), "fp16": (5, 10, 0), "e5m2": (5, 2, 0), "e4m3": (4, 3, 1), "e3m2": (3, 2, 2),
         "e2m3": (2, 3, 2), "e2m1": (2, 1, 2), "fp32": (8, 23, 0)}


class Format:
    """Contract, section 1."""

    def __init__(self, name):
        match = re.fullmatch(r"e(\d+)m(\d+)", name)
        self.exp, self.frac, self.encoding = ALIAS[name] if name in ALIAS else (int(match[1]), int(match[2]), 0)
        self.keep = int(self.exp < 8)
        self.bias = 2 ** (self.exp - 1) - 1
        self.least = 1 - self.bias - self.keep * self.frac
        self.most = 2**self.exp - 1 - self.bias - (self.encoding == 0)


class Emitted:
    """An emitted array of one element, elaborated: its modules by role, the widths of their ports, and the numbers that the
    specifications need, from the contract and from daa.json."""

    def __init__(self, directory, work, yosys):
        manifest = json.loads((directory / "daa.json").read_text())
        self.options, derived = manifest["options"], manifest["derived"]
        self.elaborated = work / "array.il"
        files = [directory / name for name in (directory / "daa.f").read_text().split() if name.endswith(".v")]
        yosys(work, [*(f'read_verilog "{path}"' for path in files), "hierarchy -top daa_array -chparam Rows 1 -chparam Cols 1", "proc",
                     "write_rtlil array.il", "write_json array.json"])
        self.modules = json.loads((work / "array.json").read_text())["modules"]
        anchored = self.anchored = self.options["accumulator"] == "anchored"
        self.core = self.options.get("core") == "on"
        if self.core and not anchored:
            raise Failed("of a core the anchored accumulator is proved; a rounded one is what it is without a core")
        self.element = self.module("daa_pe")
        self.key = self.module("daa_key")
        self.sum = self.module("daa_sum")
        self.addend = self.module("daa_place" if anchored else "daa_addend")
        self.accumulator = self.module("daa_anchor" if anchored else "daa_acc")
        self.head = self.module("daa_anchor_head" if anchored else "daa_head")
        self.foot = self.module("daa_anchor_foot" if anchored else "daa_foot")
        self.high = derived["hi_slots"]
        self.macros = self.numbers(derived)

    def all_modules(self, name):
        """Their names after elaboration."""
        return [module for module in self.modules if re.fullmatch(rf"(\$paramod(\$[0-9a-f]+)?\\)?{name}(\\.*)?", module)]

    def module(self, name):
        """The only one of its kind."""
        found = self.all_modules(name)
        if len(found) != 1:
            raise Failed(f"the array has {len(found)} kinds of {name}; a proof needs one")
        return found[0]

    def width(self, module, port):
        return len(self.modules[module]["ports"][port]["bits"])

    def numbers(self, derived):
        options = self.options
        a, b, acc, out = (Format(options[f"{name}-format"]) for name in ("a", "b", "acc", "out"))
        streams = options["streams"]
        if streams > 4 or options["policy"] == "rotate":
            raise Failed("proofs are of 1, 2 and 4 streams, and of every policy but rotate")
        if out.encoding and options["specials"] == "on":
            raise Failed("proofs are of results in formats with Inf and NaN, or with specials off")
        found = {
            "Streams": streams, "Groups": options.get("groups", 1), "High": derived["hi_slots"], "Specials": int(options["specials"] == "on"), "Nearest": int(options["lo-round"] == "nearest"),
            "LowBits": options["lo-bits"], "Window": options["window"], "Static": int(options["policy"] == "static"),
            "AllHigh": int(options["policy"] == "high"), "AllLow": int(options["policy"] == "low"),
            "AFrac": a.frac, "BFrac": b.frac, "ALeast": a.least, "AMost": a.most, "BLeast": b.least, "BMost": b.most,
            "AField": derived["a_exp_field"], "BField": derived["b_exp_field"],
            "ABase": derived["a_exp_base"], "BBase": derived["b_exp_base"], "KeyBase": derived["a_exp_base"] + derived["b_exp_base"],
            "KeyLeast": a.least + b.least, "KeyMost": a.most + b.most,
            "AOp": self.width(self.element, "a_i") // streams, "BOp": self.width(self.element, "b_i") // streams,
            "KeyBits": self.width(self.key, "key_o"), "StepBits": self.width(self.addend, "step_i"), "SumBits": self.width(self.sum, "sum_o"),
            "SumFrac": derived["sum_frac"], "AddendBits": self.width(self.accumulator, "addend_i"),
            "StateBits": self.width(self.accumulator, "c0_i"), "C0Bits": self.width(self.head, "data_i"),
            "ResultBits": self.width(self.foot, "result_o"),
            "AccExp": acc.exp, "AccFrac": acc.frac, "AccWidth": 1 + acc.exp + acc.frac,
            "OutExp": out.exp, "OutFrac": out.frac, "OutBits": 1 + out.exp + out.frac, "OutEncoding": out.encoding, "OutKeep": out.keep,
        }
        if self.anchored:
            places = options["acc-bits"] - 3
            step = options["acc-step"]
            least = min(-((places - x) // step) for x in (found["KeyLeast"] + 2 + streams.bit_length() - 1, 2 - acc.bias))
            most = max(found["KeyMost"] + 36, acc.bias + 3)
            found.update({
                "Anchored": 1, "AccBits": options["acc-bits"], "AccStep": step, "AnchorBits": derived["anchor_bits"],
                # A(x) = ceil((x - (W - 3)) / G)
                "AnchorLeast": least, "AnchorMost": -((places - most) // step) + 1,
            })
        if self.core:
            found["Full"] = 1  # a tile may start from what another one left, and leave that
        # In brackets, so that a number below zero is one in every expression.
        return {name: f"({value})" if value < 0 else value for name, value in found.items()}


def blocks(least, most, single):
    """LEAST..MOST as (name, the bits that are fixed, of a number less 2048): -SINGLE..SINGLE one by one, the rest in runs that
    share their upper bits."""
    for number in range(max(least, -single), min(most, single) + 1):
        yield f"{number}", {bit: (number + 2048) >> bit & 1 for bit in range(12)}
    for low, high in (least, -single - 1), (single + 1, most):
        start = low + 2048
        while start <= high + 2048:
            size = start & -start or 2048
            while start + size - 1 > high + 2048:
                size //= 2
            places = size.bit_length() - 1
            yield f"{start - 2048}..{start + size - 2049}", {bit: start >> bit & 1 for bit in range(places, 12)}
            start += size


class Obligation:
    state = {}  # of registers, in the first cycle; the others have anything

    def interleaved(self, _emitted):
        """Where it is decided by decision diagrams: how many bits of each number that is added are side by side in a port. All their
        lowest bits come first in the diagrams' order, which keeps those of additions short."""
        return 0

    def macros(self, _emitted):
        """Numbers beside those of the whole configuration."""
        return {}

    def wires(self, _dut):
        """What drives the ports of the netlist, and which of them the specification sees."""
        return self.drive, self.sample

    def read(self, emitted):
        return [f'read_rtlil "{emitted.elaborated}"']


class Step(Obligation):
    """The element up to its accumulator. What makes keys, multiplies and adds up is cut out: what a multiplier is given must be the
    operands of the product that is due there, and what the sum is given must be these products at their places; what comes of
    them is free. That it is right is proved by itself."""

    name, specification, frames = "step", "step.v", 8

    def dut(self, emitted, macros, work):
        cut = [emitted.key, emitted.sum, emitted.addend, emitted.accumulator, *emitted.all_modules("daa_mul")]
        return [*self.read(emitted), *(f"setattr -mod -set keep 1 {module}; blackbox {module}" for module in cut), f"rename {emitted.element} the_element",
                f"read_verilog {macros} {HERE / 'element.v'}", "hierarchy -top dut"]

    def macros(self, emitted):
        options, high = emitted.options, emitted.high
        low = options["streams"] - high
        found = {"Products": 0}
        for side in "AB":
            frac = emitted.macros[f"{side}Frac"]
            cut = max(1, min(options["lo-bits"], frac + 1) - 1)
            found[f"{side}Multiplied"] = high * frac + low * cut
            found["Products"] += high * (frac + 1) + low * (cut + 1)
        return found

    def wires(self, dut):
        """Multipliers by their place: the high ones first."""
        names = {instance for instance, pins in dut.cells if "a_frac_i" in {split(pin)[0] for pin, _ in pins}}
        places = sorted(names, key=lambda name: [(kind == "low", int(at)) for kind, at in re.findall(r"g_(high|low)\[(\d+)\]", name)])
        last = self.frames - 1
        total, place, accumulator = (f"u_element.{name}" for name in ("u_sum", "u_addend", "u_acc"))
        drive = {"a": ["a"], "b": ["b"], f"{total}.sign_o": ["sum_sign"], f"{total}.sum_o": ["sum"], f"{place}.addend_o": ["placed"]}
        seen = {"signs": f"{total}.sign_i", "terms": f"{total}.term_i", "load": f"{total}.load_i", "step": f"{place}.step_i",
                "sign": f"{place}.sign_i", "summed": f"{place}.sum_i", "active": f"{accumulator}.active_i", "addend": f"{accumulator}.addend_i"}
        sample = {port: (net, last) for port, net in seen.items()}
        for side in "ab":
            sample[f"{side}_multiplied"] = [(f"{name}.{side}_frac_i", last) for name in places]
        nets = [split(net)[0] for net in dut.inputs]
        streams = [f"u_element.g_stream[{stream}].u_key" for stream in range(sum(net.endswith(".u_key.nonzero_o") for net in nets))]
        for port, parts in (("some", [f"{name}.nonzero_o" for name in streams]), ("keys", [f"{name}.key_o" for name in streams]),
                            ("products", [f"{name}.product_o" for name in places])):
            low = 0
            for part in parts:
                drive[part] = [(port, low)]
                low += nets.count(part)
        return drive, sample

    def cases(self, emitted):
        streams = emitted.options["streams"]
        found = {"class": {"any": 1, "numbers": 0, "order": 0, "place": 0}}
        for count in range(streams + 1):
            for order in itertools.permutations(range(streams), count):
                whole = [*order, *(stream for stream in range(streams) if stream not in order)]
                name = "".join(str(stream) for stream in order) or "none"
                found[f"keys {name}"] = {
                    "any": 0, "numbers": sum(1 << stream for stream in order),
                    "order": sum(stream << 3 * at for at, stream in enumerate(whole)),
                    "place": sum(at << 3 * stream for stream, at in enumerate(self.places(emitted, whole)))}
        return found

    @staticmethod
    def places(emitted, order):
        """Stream -> its multiplier, the high ones first. ORDER has the streams by their keys. With policy `exponent` they play a
        tournament: within groups the loser of match m goes to low multiplier m; then the winners play, and the losers go to the
        high ones after the last winner's."""
        players, high = list(range(len(order))), emitted.high
        if emitted.options["policy"] != "exponent":
            return players
        place = [0] * len(order)
        for match in range(len(order) - 1):
            first, second = players[2 * match : 2 * match + 2]
            if order.index(second) < order.index(first):
                first, second = second, first
            within = len(order) - high
            place[second] = high + match if match < within else 1 + match - within
            players.append(first)
        return place

    @staticmethod
    def short(name):
        return name in ("class", "keys 0", "keys 1", "keys 01", "keys 10", "keys 2301", "keys 312")


class Key(Obligation):
    """The key of a product."""

    name, specification, frames = "key", "key.v", 1
    drive = {"a_i": ["a_given"], "b_i": ["b_given"]}
    sample = {"nonzero": ("nonzero_o", 0), "key": ("key_o", 0)}

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"hierarchy -top {emitted.key}"]

    def cases(self, emitted):
        return {"all": {}}

    @staticmethod
    def short(name):
        return True


class Sum(Obligation):
    """The sum of a step's terms."""

    name, specification, frames = "sum", "sum.v", 2
    drive = {"load_i": [1], "sign_i": ["signs"], "term_i": ["terms"]}
    sample = {"sign": ("sign_o", 1), "sum": ("sum_o", 1)}

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"hierarchy -top {emitted.sum}"]

    def interleaved(self, emitted):
        return emitted.macros["SumBits"]

    def cases(self, emitted):
        return {"all": {}}

    @staticmethod
    def short(name):
        return True


class Product(Obligation):
    """One of the element's multipliers."""

    specification, frames = "product.v", 1
    drive = {"a_frac_i": ["a"], "b_frac_i": ["b"]}
    sample = {"product": ("product_o", 0)}

    def __init__(self, module, kind):
        self.module, self.name = module, f"product{kind}"

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"hierarchy -top {self.module}"]

    def macros(self, emitted):
        return {f"{side}Mul": emitted.width(self.module, f"{side.lower()}_frac_i") for side in "AB"}

    def cases(self, emitted):
        return {"all": {}}

    @staticmethod
    def short(name):
        return True


class Addend(Obligation):
    """The sum as the rounded accumulator takes it."""

    name, specification, frames = "addend", "addend.v", 1
    drive = {"step_i": ["step"], "sign_i": ["sign"], "sum_i": ["sum"]}
    sample = {"addend": ("addend_o", 0)}

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"hierarchy -top {emitted.addend}"]

    def cases(self, emitted):
        return {"all": {}}

    @staticmethod
    def short(name):
        return True


class Rounded(Obligation):
    """A tile of one step, or of a step that adds nothing and another one."""

    specification = "rounded.v"

    def __init__(self, loop):
        self.name = "loop" if loop else "start"
        self.frames = 2 + loop
        self.drive = {"first_i": [1, 0], "last_i": [0] * loop + [1, 0], "active_i": [0] * loop + ["active", 0],
                      "c0_i": ["c0", None], "addend_i": [*[None] * loop, "addend", None]}
        self.sample = {"result": ("result_o", 1 + loop)}

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"hierarchy -top {emitted.accumulator}"]

    def cases(self, emitted):
        number = {"any": 0, "idle": 0, "flags": 0}
        found = {"idle": {"any": 0, "idle": 1}, "special": {"any": 1}, "zero": {**number, "some": 0}}
        single = max(emitted.macros["AccFrac"] + 1, emitted.macros["SumBits"] - 1) + 4
        found.update({f"apart {name}": {**number, "some": 1, "apart": bits} for name, bits in blocks(-1024, 1023, single)})
        return found

    @staticmethod
    def short(name):
        return name in ("idle", "special", "zero", "apart 0", "apart 1", "apart -1", "apart -3", "apart 23")


class Anchored(Obligation):
    """The first step of a tile, or a later one, which finds in the registers what the steps before it left."""

    specification, frames = "anchored.v", 3

    def __init__(self, loop):
        self.name = "loop" if loop else "start"
        self.loop = loop
        self.drive = {"first": [0 if loop else 1, 0], "last": [1, 0], "active": ["active", 0], "c0": [None] if loop else ["c0", "c0", None],
                      **{name: [name, None] for name in ("step", "sign", "sum")}}
        self.sample = {"early": ("result", 1), "late": ("result", 2), "late_full": ("u_accumulator.full_q", 2)}
        if loop:
            # In the first cycle the step before may still be on its way to M.
            held = {"e": ("anchor_q", 0), "m": ("m_q", 1), "full": ("full_q", 1), "infs": ("inf_q", 1)}
            self.sample.update({port: (f"u_accumulator.{register}", cycle) for port, (register, cycle) in held.items()})

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"rename {emitted.addend} the_addend", f"rename {emitted.accumulator} the_accumulator",
                f"read_verilog {macros} {HERE / 'accumulator.v'}", "hierarchy -top dut"]

    def cases(self, emitted):
        number = {"any": 0, "infs": 0, "flags": 0}
        if not self.loop and not emitted.core:
            number["full"] = 0
        size = 1 << emitted.macros["AnchorBits"]
        found = {"special": {"any": 1}, "idle": {**number, "idle": 1}}
        for name, bits in blocks(-size, size - 1, 15):
            found[f"rise {name}"] = {**number, "idle": 0, "rise": {**bits, **{bit: 0 for bit in range(12, 16)}}}
        return found

    @staticmethod
    def short(name):
        return name in ("idle", "special", "rise 0", "rise 1", "rise -4", "rise -9", "rise -64..-33")


class End(Obligation):
    """An end of a column, with steady inputs."""

    frames = 8

    def __init__(self, name):
        self.name, self.specification = name, f"{name}.v"
        self.drive, self.sample = ({"data_i": ["word"], "take_i": ["take"]}, {"state": ("state_o", 7)}) if name == "head" else (
            {"state_i": ["state"], "more_i": ["more"]}, {"result": ("result_o", 7)})

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"hierarchy -top {getattr(emitted, self.name)}"]

    def cases(self, emitted):
        if self.name == "head" or not emitted.anchored:
            return {"all": {}}
        bits = emitted.options["acc-bits"]
        found = {"zero": {"magnitude": 0}}
        for top in range(bits):
            found[f"leading bit {top}"] = {"magnitude": {bit: int(bit == top) for bit in range(top, bits)}}
        return found

    @staticmethod
    def short(name):
        return name in ("all", "zero", "leading bit 0", "leading bit 30", "leading bit 31")


def all_of(emitted):
    accumulator = [Anchored(False), Anchored(True)] if emitted.anchored else [Addend(), Rounded(False), Rounded(True)]
    ends = [End("head"), End("foot")]
    if emitted.core:  # the rest is what it is without
        return [*accumulator, *ends]
    return [Key(), Step(), Sum(), *(Product(module, at) for at, module in enumerate(emitted.all_modules("daa_mul"))), *accumulator, *ends]
