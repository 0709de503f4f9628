"""Random jobs on the emitted core, in a simulator under cocotb: AXI4-Lite, AXI4 and memory are cocotbext-axi's, numbers the
Python package's. Nothing is shared with the harness in C. cocotb_run.py starts it."""
import dataclasses
import itertools
import json
import math
import os
import pathlib
import random
import re
import struct

import cocotb
import numpy
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiSlave

import daa

FILLING = 0xA5
PATIENCE = 400  # microseconds, of 1,000 cycles each, for one job
CODE = {"": 0, "a": 2, "b": 3, "c0": 4, "c": 5}  # how a job ends (docs/registers.md)


class Format:
    """A number's bits, from the words of the contract."""

    ALIASES = {"bf16": (8, 7), "tf32": (8, 10), "fp16": (5, 10), "e5m2": (5, 2), "e4m3": (4, 3), "e3m2": (3, 2),
               "e2m3": (2, 3), "e2m1": (2, 1), "fp32": (8, 23)}

    def __init__(self, name):
        self.name, self.finite, self.fn = name, name in ("e3m2", "e2m3", "e2m1"), name == "e4m3"
        self.exp, self.frac = self.ALIASES[name] if name in self.ALIASES else map(int, name[1:].split("m"))
        self.bias, self.top = 2 ** (self.exp - 1) - 1, 2**self.exp - 1
        self.bytes = next(size for size in (1, 2, 4) if 1 + self.exp + self.frac <= 8 * size)
        self.dtype = numpy.dtype(f"<u{self.bytes}")

    def bits(self, sign, exponent, fraction):
        return (sign << (self.exp + self.frac) | exponent << self.frac | fraction).astype(self.dtype)

    def value(self, bits):
        bits = bits.astype(numpy.int64)
        fraction, exponent = bits & (2**self.frac - 1), bits >> self.frac & self.top
        size = numpy.where(exponent > 0, fraction + 2**self.frac, fraction).astype(float)
        found = numpy.ldexp(size, numpy.maximum(exponent, 1) - self.bias - self.frac)
        if self.fn:
            found[(exponent == self.top) & (fraction == 2**self.frac - 1)] = math.nan
        elif not self.finite:
            found[exponent == self.top] = math.inf
            found[(exponent == self.top) & (fraction > 0)] = math.nan
        return numpy.where(bits >> (self.exp + self.frac), -found, found).astype(numpy.float32)

    def of(self, value):
        """Bits of values that the format has."""
        value = value.astype(float)
        finite = numpy.where(numpy.isfinite(value), abs(value), 0)
        exponent = numpy.maximum(numpy.frexp(finite)[1] - 1 + self.bias, 1)
        size = numpy.ldexp(finite, self.bias + self.frac - exponent).astype(numpy.int64)
        exponent = numpy.where(size >> self.frac, exponent, 0)
        fraction = size & (2**self.frac - 1)
        exponent = numpy.where(numpy.isfinite(value), exponent, self.top)
        fraction = numpy.where(numpy.isnan(value), 2**self.frac - 1 if self.fn else 2 ** (self.frac - 1), fraction)
        return self.bits(numpy.signbit(value) & ~numpy.isnan(value), exponent, fraction)


class Matrix:
    """COUNT matrices of a job in memory: at any element, lines apart, with bytes between them that must stay."""

    def __init__(self, rng, name, shape, form, columns):
        self.name, self.form, self.columns = name, form, columns
        count, rows, cols = shape
        lines, line, size = (cols, rows, form.bytes) if columns else (rows, cols, form.bytes)
        self.leading = (line + rng.choice((0, 0, 1, 5, 17))) * size
        self.stride = self.leading * lines + rng.choice((0, 0, 3, 40)) * size
        if lines > 0 and rng.random() < 0.25:  # side by side in longer lines
            self.stride, self.leading = self.leading, self.leading * count + rng.choice((0, 7)) * size
        empty = 0 in shape
        length = 0 if empty else (count - 1) * self.stride + (lines - 1) * self.leading + line * size
        self.data = bytearray([FILLING]) * length
        self.at, self.broken = 0, None
        self.elements = None if empty else numpy.ndarray(
            (count, lines, line), form.dtype, self.data, strides=(self.stride, self.leading, size))

    def place(self, rng, number):
        """Each in a region of its own, or with its last byte the last one there is."""
        size = self.form.bytes
        self.at = (number + 1 << rng.choice((33, 50))) + rng.choice((rng.randrange(8192), 4096 - rng.randrange(1, 65))) // size * size
        if number == 0 and self.data:
            self.at = 2**64 - len(self.data)

    def fill(self, bits):
        if self.elements is not None:
            self.elements[:] = bits.swapaxes(1, 2) if self.columns else bits

    def break_one(self, rng):
        """The byte of an element at which the bus will answer with an error."""
        line = [rng.randrange(size) for size in self.elements.shape]
        self.broken = self.at + sum(at * step for at, step in zip(line, self.elements.strides))


class Memory:
    """What the core may reach; for anything else the simulation fails."""

    def __init__(self, width):
        self.width, self.readable, self.writable, self.complaint = width, [], [], None

    def set(self, readable, writable):
        self.readable, self.writable = readable, writable

    def complain(self, text):
        self.complaint = self.complaint or text
        raise AssertionError(text)

    async def read(self, address, length):
        found, hit = bytearray([0x5A]) * length, False
        for matrix in self.readable:
            first, last = max(address, matrix.at), min(address + length, matrix.at + len(matrix.data))
            if first < last:
                hit = True
                found[first - address : last - address] = matrix.data[first - matrix.at : last - matrix.at]
                if matrix.broken is not None and matrix.name != "c" and address <= matrix.broken < address + length:
                    raise OSError("a read error was asked for")
        if not hit:
            self.complain(f"a read of {length} bytes at 0x{address:x}, where no matrix is")
        return bytes(found)

    async def write(self, address, data):
        for matrix in self.writable:
            at = address - matrix.at
            if 0 <= at and at + len(data) <= len(matrix.data):
                if matrix.broken is not None and matrix.name == "c" and at <= matrix.broken - matrix.at < at + len(data):
                    raise OSError("a write error was asked for")
                matrix.data[at : at + len(data)] = data
                return
        self.complain(f"a write of {len(data)} bytes at 0x{address:x}, where no C is")


@dataclasses.dataclass
class Job:
    m: int
    n: int
    k: int
    batch: int
    tag: int
    a: Matrix
    b: Matrix
    c0: Matrix
    c: Matrix
    flags: int
    want: bytes
    end: str = ""

    def registers(self):
        """A_LO to TAG."""
        four = (self.a, self.b, self.c0, self.c)
        return struct.pack("<4Q3I4II4III", *(matrix.at for matrix in four), self.m, self.n, self.k, *(matrix.leading for matrix in four),
                           self.batch, *(matrix.stride for matrix in four), self.flags, self.tag)


class Jobs:
    """Random jobs of one configuration."""

    def __init__(self, directory, rng):
        options = json.loads((directory / "daa.json").read_text())["options"]
        self.config, self.rng = daa.Config(str(directory / "daa.json")), rng
        self.numbers = numpy.random.default_rng(rng.getrandbits(32))
        self.specials = options["specials"] == "on"
        self.formats = {name: Format(options[f"{name}-format"]) for name in ("a", "b", "acc", "out")}
        self.block = [options[f"block-{side}"] for side in "mnk"]

    def raw(self, form, shape, wild):
        """Mostly near one, so that sums align and cancel; some zeros; WILD: anything, now and then."""
        random = self.numbers
        near = min(form.bias, 4)
        exponent = numpy.where(random.random(shape) < 0.1, 0, form.bias + random.integers(-near, near + 1, shape))
        fraction = random.integers(0, 2**form.frac, shape) * (exponent > 0)
        odd = (random.random(shape) < 0.06) & wild
        exponent = numpy.where(odd, random.integers(0, form.top + 1, shape), exponent)
        bits = form.bits(random.integers(0, 2, shape), exponent, fraction)
        harmless = form.bits(0, form.bias, fraction)
        return bits if self.specials else numpy.where(numpy.isfinite(form.value(bits)), bits, harmless)

    def operand(self, name, shape, wild):
        """A or B: its matrix, and what its numbers are."""
        form = self.formats[name]
        if self.rng.random() < 0.3:  # float32, which the core rounds
            form = Format("fp32")
            values = self.numbers.normal(0, 1, shape).astype(numpy.float32)
            bits = values.view("<u4")
        else:
            bits = self.raw(form, shape, wild)
            values = form.value(bits)
        matrix = Matrix(self.rng, name, shape, form, self.rng.random() < 0.5)
        matrix.fill(bits)
        return matrix, values

    def size(self, block):
        return self.rng.choice((0, 1, 1, block - 1, block, block + 1, *(self.rng.randint(1, 2 * block) for _ in range(10))))

    def new(self, number):
        """A job whose matrices begin with number NUMBER."""
        rng = self.rng
        while True:
            m, n, k = (min(self.size(block), 40) for block in self.block)
            batch = rng.choice((1, 1, 1, 2, 3))
            if m * n * k * batch <= 8000:
                break
        wild = rng.random() < 0.25
        a, x = self.operand("a", (batch, m, k), wild)
        b, y = self.operand("b", (batch, k, n), wild)
        first, result, operand = self.formats["acc"], self.formats["out"], self.formats["a"]
        given, c0_operand = rng.random() < 0.6, rng.random() < 0.3
        c_operand = rng.random() < 0.3 and (not operand.finite or not self.specials)
        first, result = operand if c0_operand else first, operand if c_operand else result
        start = self.raw(first, (batch, m, n), wild)
        c = Matrix(rng, "c", (batch, m, n), result, False)
        in_place = given and first.name == result.name and rng.random() < 0.5
        c0 = c if in_place else Matrix(rng, "c0", (batch, m, n), first, False)
        if given:
            c0.fill(start)
        values = daa.gemm(x, y, first.value(start) if given else None, config=self.config)
        if c_operand:
            values = daa.quantize(values, operand.name)
        for at, matrix in enumerate((a, b, c, c0)):
            matrix.place(rng, number + at if at < 3 or not in_place else number + 2)
        flags = ((not a.columns) | b.columns << 1 | (a.form.name == "fp32") << 2 | (b.form.name == "fp32") << 3 | given << 4
                 | c0_operand << 5 | c_operand << 6)
        kept = bytes(c.data)
        c.fill(result.of(values))
        want = bytes(c.data)
        c.data[:] = kept
        return Job(m, n, k, batch, rng.randrange(65536), a, b, c0, c, flags, want)

    def break_one(self, job):
        """Has the bus answer one of the job's bursts with an error, where it has any."""
        given = job.flags >> 4 & 1
        victims = [matrix for matrix in (job.a, job.b, job.c) if matrix.elements is not None] if job.k and job.m and job.n else []
        if given and job.c0 is not job.c and job.c0.elements is not None:
            victims.append(job.c0)
        if victims:
            victim = self.rng.choice(victims)
            victim.break_one(self.rng)
            job.end = victim.name


def pauses(seed, share):
    """True in about SHARE of the cycles, in runs."""
    rng = random.Random(seed)
    while True:
        value = rng.random() < share
        yield from itertools.repeat(value, rng.choice((1, 1, 2, 3, 8) if share < 0.7 else (1, 20)))


class Bench:
    """The core with its buses, and what is watched in every cycle."""

    def __init__(self, dut, directory, rng):
        self.dut, self.rng, self.irqs = dut, rng, 0
        self.at = {name: int(offset, 16) for name, offset in
                   re.findall(r"#define DAA_REG_(\w+) +0x(\w+)u", (directory / "daa_registers.h").read_text())}
        Clock(dut.clk_i, 1, unit="ns").start()
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, dut.rst_ni, reset_active_level=False)
        self.memory = Memory(len(dut.m_axi_wstrb))
        self.slave = AxiSlave(AxiBus.from_prefix(dut, "m_axi"), dut.clk_i, dut.rst_ni, target=self.memory, reset_active_level=False)
        self.open = 0  # bursts under way
        cocotb.start_soon(self.watch())

    async def reset(self):
        self.dut.rst_ni.value = 0
        await ClockCycles(self.dut.clk_i, 3)
        self.dut.rst_ni.value = 1
        await ClockCycles(self.dut.clk_i, 2)
        await self.write("CONTROL", 6)

    def stall(self):
        """Other pauses on every channel."""
        write, read, axil = self.slave.write_if, self.slave.read_if, self.axil
        channels = [write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel, axil.write_if.aw_channel,
                    axil.write_if.w_channel, axil.write_if.b_channel, axil.read_if.ar_channel, axil.read_if.r_channel]
        for channel in channels:
            channel.clear_pause_generator()
            share = self.rng.choice((0, 0, 0.2, 0.5, 0.9))
            channel.pause = False
            if share:
                channel.set_pause_generator(pauses(self.rng.getrandbits(32), share))

    async def watch(self):
        """What waits on a channel of the core stays as it is; bursts under way are counted."""
        dut, before = self.dut, {}
        channels = {channel: (getattr(dut, f"m_axi_{channel}valid"), getattr(dut, f"m_axi_{channel}ready"),
                              [getattr(dut, f"m_axi_{channel}{name}") for name in names])
                    for channel, names in {"ar": ("id", "addr", "len"), "aw": ("id", "addr", "len"), "w": ("data", "strb", "last")}.items()}
        ends = (dut.m_axi_rvalid, dut.m_axi_rready, dut.m_axi_rlast), (dut.m_axi_bvalid, dut.m_axi_bready)
        while True:
            await RisingEdge(dut.clk_i)
            if dut.rst_ni.value != 1:
                before = {}
                continue
            for name, (valid, ready, payload) in channels.items():
                now = None
                if valid.value == 1:
                    now = [str(signal.value) for signal in payload]
                    self.open += ready.value == 1 and name != "w"
                assert before.get(name) in (None, now), f"m_axi_{name} changed before it was taken"
                before[name] = now if ready.value == 0 else None
            self.open -= sum(all(signal.value == 1 for signal in end) for end in ends)
            assert self.memory.complaint is None, self.memory.complaint

    async def write(self, name, value):
        await self.axil.write_dword(self.at[name], value)

    async def read(self, name):
        return await self.axil.read_dword(self.at[name])

    async def start(self, job):
        while await self.read("STATUS") >> 1 & 1:
            await ClockCycles(self.dut.clk_i, 10)
        await self.axil.write(self.at["A_LO"], job.registers())
        await self.write("START", 1)

    async def wait(self, ended):
        """Until as many jobs have ended: by the interrupt."""
        while True:
            if self.dut.irq_o.value == 0:
                await with_timeout(RisingEdge(self.dut.irq_o), PATIENCE, "us")
            self.irqs += 1
            await self.write("IRQ", 1)
            if await self.read("DONE") >= ended:
                return

    async def soft_reset(self):
        await self.write("CONTROL", 7)
        while await self.read("STATUS") >> 2 & 1:
            await ClockCycles(self.dut.clk_i, 5)
        status = await self.read("STATUS")
        assert status & 1 and status >> 8 & 0x1F == 0, f"STATUS is 0x{status:x} after a soft reset"
        assert self.open == 0, f"{self.open} bursts are under way after a soft reset"
        await self.write("IRQ", 7)


@cocotb.test()
async def jobs(dut):
    directory, wanted, seed = pathlib.Path(os.environ["CORE"]), int(os.environ["CORE_JOBS"]), int(os.environ["CORE_SEED"])
    rng = random.Random(seed)
    bench, source = Bench(dut, directory, rng), Jobs(directory, rng)
    await bench.reset()
    counts = {"equal": 0, "queued": 0, "errors": 0, "resets": 0}
    done = failed = 0
    while counts["equal"] < wanted:
        bench.stall()
        queue = [source.new(4 * at) for at in range(rng.choice((1, 1, 2, 3)))]
        counts["queued"] += len(queue) - 1
        if rng.random() < 0.2:
            source.break_one(rng.choice(queue))
        bench.memory.set([matrix for job in queue for matrix in (job.a, job.b, *([job.c0] if job.flags >> 4 & 1 else []))],
                         [job.c for job in queue])
        if rng.random() < 0.15:
            for job in queue[:2]:
                await bench.start(job)
            await ClockCycles(dut.clk_i, rng.choice((rng.randrange(40), rng.randrange(600))))
            await bench.soft_reset()
            counts["resets"] += 1
            done, failed = await bench.read("DONE"), await bench.read("FAILED")
            continue
        for job in queue:
            await bench.start(job)
        await bench.wait(done := done + len(queue))
        codes = await bench.read("CODES")
        for at, job in enumerate(reversed(queue)):
            said = f"{job.m} x {job.n} x {job.k}, batch {job.batch}, flags 0x{job.flags:02x}, job {done - at}"
            code = codes >> 4 * at & 0xF
            assert code == CODE[job.end], f"{said}: code {code}, not {CODE[job.end]}"
            if job.end:
                counts["errors"], failed = counts["errors"] + 1, failed + 1
                assert await bench.read("ERROR_JOB") == job.tag, said
            else:
                assert bytes(job.c.data) == job.want, f"{said}: not the golden model's bits"
                counts["equal"] += 1
        assert await bench.read("FAILED") == failed and bench.open == 0
        await bench.write("IRQ", 7)
    (pathlib.Path(os.environ["CORE_VERDICT"])).write_text(json.dumps({**counts, "interrupts": bench.irqs}))
