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
            "Streams": streams, "Specials": int(options["specials"] == "on"), "Nearest": int(options["lo-round"] == "nearest"),
            "LowBits": options["lo-bits"], "Window": options["window"], "Static": int(options["policy"] == "static"),
            "AllHigh": int(options["policy"] == "high"), "AllLow": int(options["policy"] == "low"),
            "AFrac": a.frac, "BFrac": b.frac, "ALeast": a.least, "AMost": a.most, "BLeast": b.least, "BMost": b.most,
            "AField": derived["a_exp_field"], "BField": derived["b_exp_field"],
            "ABase": derived["a_exp_base"], "BBase": derived["b_exp_base"], "KeyBase": derived["a_exp_base"] + derived["b_exp_base"],
            "KeyLeast": a.least + b.least, "KeyMost": a.most + b.most,
            "AOp": self.width(self.element, "a_i") // streams, "BOp": self.width(self.element, "b_i") // streams,
            "StepBits": self.width(self.addend, "step_i"), "SumBits": self.width(self.module("daa_sum"), "sum_o"),
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
        if "sum_i" not in self.modules[self.addend]["ports"]:
            found["Joined"] = 1  # the sum goes past that module, and joins what it gives
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

    def macros(self, _emitted):
        """Numbers beside those of the whole configuration."""
        return {}

    def wires(self, _dut):
        """What drives the ports of the netlist, and which of them the specification sees."""
        return self.drive, self.sample

    def read(self, emitted):
        return [f'read_rtlil "{emitted.elaborated}"']


class Step(Obligation):
    """The element up to its accumulator. Its multipliers are cut out: what each is given must be the operands of the product that
    is due there, and their products are free. That they multiply is proved by itself."""

    name, specification, frames = "step", "step.v", 8

    def __init__(self, emitted):
        """Where the sum is seen: as the module before the accumulator takes it, or within what the accumulator does."""
        self.sum_ports = ("addend_i",) if "Joined" in emitted.macros else ("sign_i", "sum_i")

    def dut(self, emitted, macros, work):
        cut = [emitted.addend, emitted.accumulator, *emitted.all_modules("daa_mul")]
        return [*self.read(emitted), *(f"setattr -mod -set keep 1 {module}; blackbox {module}" for module in cut), f"rename {emitted.element} the_element",
                f"read_verilog {macros} {HERE / 'element.v'}", "hierarchy -top dut"]

    def macros(self, emitted):
        options, high = emitted.options, emitted.high
        low = options["streams"] - high
        found = {"High": high, "Products": 0}
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
        seen = {split(net)[0].rpartition(".")[2]: split(net)[0] for net in dut.outputs}
        last = self.frames - 1
        drive, sample = {"a": ["a"], "b": ["b"]}, {port[:-2]: (seen[port], last) for port in ("step_i", "active_i", *self.sum_ports)}
        for side in "ab":
            sample[f"{side}_multiplied"] = [(f"{name}.{side}_frac_i", last) for name in places]
        low = 0
        for name in places:
            drive[f"{name}.product_o"] = [("products", low)]
            low += sum(split(net)[0] == f"{name}.product_o" for net in dut.inputs)
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
                    "place": sum(at << 3 * stream for stream, at in enumerate(self.places(emitted.options["policy"], whole)))}
        return found

    @staticmethod
    def places(policy, order):
        """Stream -> its multiplier, the high ones first. ORDER has the streams by their keys. With policy `exponent` they play a
        tournament; the loser of match m goes to low multiplier m."""
        players = list(range(len(order)))
        if policy != "exponent":
            return players
        place = [0] * len(order)
        for match in range(len(order) - 1):
            first, second = players[2 * match : 2 * match + 2]
            if order.index(second) < order.index(first):
                first, second = second, first
            place[second] = 1 + match
            players.append(first)
        return place

    @staticmethod
    def short(name):
        return name in ("class", "keys 0", "keys 1", "keys 01", "keys 10")


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
    """A tile of one step, of two, or one step that comes to a tile after others have left any state."""

    specification = "anchored.v"

    def __init__(self, name):
        self.name = name
        self.loop, resume = name == "loop", name == "resume"
        self.frames = 3 + self.loop
        self.drive = {"first": [0 if resume else 1, 0], "last": [0] * self.loop + [1, 0], "active": ["active1", "active2" if self.loop else 0, 0],
                      "c0": [None] if resume else ["c0", "c0", None], "step": ["step1", "step2" if self.loop else None, None],
                      **{name: [f"{name}1", f"{name}2" if self.loop else None, None] for name in ("sign", "sum")}}
        self.sample = {"early": ("result", 1 + self.loop), "late": ("result", 2 + self.loop), "late_full": ("u_accumulator.full_q", 2 + self.loop)}
        if resume:
            held = {"anchor_q": "e", "m_q": "m", "full_q": "full", "inf_q": "infs", "m_active_q": 0, "m_first_q": 0}
            self.state = {f"u_accumulator.{register}": word for register, word in held.items()}

    def dut(self, emitted, macros, work):
        return [*self.read(emitted), f"rename {emitted.addend} the_addend", f"rename {emitted.accumulator} the_accumulator",
                f"read_verilog {macros} {HERE / 'accumulator.v'}", "hierarchy -top dut"]

    def cases(self, emitted):
        number = {"any": 0, "infs": 0, "flags1": 0, "flags2": 0}
        size = 1 << emitted.macros["AnchorBits"]
        found = {}
        if self.name != "resume" and not emitted.core:
            number["full"] = 0
        if not self.loop:
            found["special"] = {"any": 1, "once": 1}
            once = {**number, "once": 1, "idle2": 1}
            found["idle"] = {**once, "idle1": 1}
            for name, bits in blocks(-size, size - 1, 15):
                found[f"rise {name}"] = {**once, "idle1": 0, "rise1": {**bits, **{bit: 0 for bit in range(12, 16)}}}
            return found
        found["special"] = {"any": 1, "once": 0}
        twice = {**number, "once": 0, "idle2": 0}
        # A first step that changes nothing, one that leaves the anchor, and others beside each of which a few second ones do.
        for first in "idle", 0, -15, -1, 1, 9:
            before = {"idle1": 1} if first == "idle" else {"idle1": 0, "rise1": first + 2048}
            for name, bits in blocks(-size, size - 1, 15) if first in ("idle", 0) else blocks(-2, 2, 2):
                found[f"rise {first}, {name}"] = {**twice, **before, "rise2": {**bits, **{bit: 0 for bit in range(12, 16)}}}
        return found

    @staticmethod
    def short(name):
        return name in ("idle", "special", "rise 0", "rise 1", "rise -4", "rise -9", "rise -64..-33", "rise 0, 0", "rise idle, 1")


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
    accumulator = [*map(Anchored, ("start", "loop", "resume"))] if emitted.anchored else [Addend(), Rounded(False), Rounded(True)]
    ends = [End("head"), End("foot")]
    if emitted.core:  # the rest is what it is without
        return [*accumulator, *ends]
    # With four products that may each lie anywhere, ABC did not decide the sum in the four minutes that it was given.
    whole = [Step(emitted)] if emitted.options["streams"] <= 2 else []
    return [*whole, *(Product(module, at) for at, module in enumerate(emitted.all_modules("daa_mul"))), *accumulator, *ends]
