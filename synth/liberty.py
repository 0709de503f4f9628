"""Reads a Liberty file, gzipped or not: which cells there are, what they compute, how large they are, and which of them a
netlist may hold. Tables and templates are checked for balance and passed over; `Library.whole` reads those of one cell (tables.py).
"""
import gzip
import hashlib
import itertools
import re
import zlib

TOKEN = re.compile(r"""
    (?P<space> (?: \s | \\ | /\*.*?\*/ | //[^\n]* )+ )
  | (?P<string> "(?:[^"\\]|\\.)*" )
  | (?P<mark> [{}():;,] )
  | (?P<word> (?: (?!/[*/]) [^\s{}():;,"\\] )+ )
""", re.S | re.X)
# Inside a group nobody reads, only what could hide or move its end counts.
SKIP = re.compile(r'(?P<pass>[^{}"/]+|/\*.*?\*/|//[^\n]*|/(?!\*)|"(?:[^"\\]|\\.)*")|(?P<mark>[{}])', re.S)
TEMPLATES = {"lu_table_template", "power_lut_template", "operating_conditions"}
READ = {"library", "cell", "pin", "bus", "bundle", "ff", "ff_bank", "latch", "latch_bank", "statetable"}
# Any of these makes a cell one for special places: power domains, pads, clock gates, macros.
SPECIAL = ("dont_use", "is_isolation_cell", "is_level_shifter", "always_on", "pad_cell", "is_pad", "is_macro_cell",
           "clock_gating_integrated_cell", "switch_cell_type", "antenna_diode_type", "interface_timing")


class LibertyError(Exception):
    """The file cannot be used; the text says why."""


class Group:
    """name (arguments) { attributes; groups }, at text[start:end]."""

    def __init__(self, name, arguments, start):
        self.name, self.arguments, self.start, self.end = name, arguments, start, None
        self.attributes = {}  # of name : value
        self.lists = {}  # of name (values)
        self.groups = []
        self.skipped = set()  # names of groups passed over

    def all(self, *names):
        return [group for group in self.groups if group.name in names]

    def flag(self, name):
        return self.attributes.get(name, "false").lower() not in ("false", "0", "")


class Parser:
    def __init__(self, text, at=0, read=READ):
        self.text = text
        self.at = at
        self.read = read  # the groups that are not passed over; None: all are read

    def fail(self, what, at=None):
        line = self.text.count("\n", 0, self.at if at is None else at) + 1
        raise LibertyError(f"line {line}: {what}")

    def space(self):
        """Passes over space and comments; was there the end of a line?"""
        match = TOKEN.match(self.text, self.at)
        if match and match.lastgroup == "space":
            self.at = match.end()
            return "\n" in match.group().replace("\\\n", "")
        return False

    def token(self):
        self.space()
        match = TOKEN.match(self.text, self.at)
        if not match:
            if self.at == len(self.text):
                return ""
            self.fail("a string or comment has no end")
        self.at = match.end()
        return match.group()

    def peek(self):
        at = self.at
        token = self.token()
        self.at = at
        return token

    def value(self):
        """What follows `name :`, up to a semicolon, the end of the line or of the group."""
        words = []
        while True:
            line_ended = self.space()
            token = self.peek()
            if token == "}" or not token or (line_ended and words):
                return " ".join(words)
            self.token()
            if token == ";":
                return " ".join(words)
            words.append(token.strip('"') if token.startswith('"') else token)

    def arguments(self):
        words = []
        while True:
            start = self.at
            token = self.token()
            if token == ")":
                return words
            if token in ("", "{", "}", ";"):
                self.fail("an opening bracket is never closed", start)
            if token != ",":
                words.append(token.strip('"'))

    def skip(self, start):
        """Passes over a group's body; its opening brace is behind."""
        depth = 1
        while depth:
            match = SKIP.match(self.text, self.at)
            if not match:
                self.fail("a group is never closed, or a string or comment has no end", start)
            self.at = match.end()
            depth += {"{": 1, "}": -1}.get(match.group("mark"), 0)

    def body(self, group):
        """Statements up to the group's closing brace."""
        while True:
            self.space()
            start = self.at
            name = self.token()
            if name == "}":
                group.end = self.at
                return
            if not name:
                self.fail(f"{group.name} ({', '.join(group.arguments)}) is never closed", group.start)
            if name == ";":
                continue
            if name in ("{", ")", ",", ":", "("):
                self.fail(f"'{name}' is not where a statement can begin", start)
            self.statement(group, name.strip('"'), start)

    def statement(self, group, name, start):
        follows = self.token()
        if follows == ":":
            group.attributes[name] = self.value()
        elif follows == "(":
            arguments = self.arguments()
            if self.peek() == "{":
                self.token()
                self.inner(group, name, arguments, start)
            else:
                group.lists[name] = arguments
        else:
            self.fail(f"neither ':' nor '(' after '{name}'", start)

    def inner(self, group, name, arguments, start):
        if self.read is not None and name not in self.read:
            group.skipped.add(name)
            self.skip(start)
            return
        inner = Group(name, arguments, start)
        self.body(inner)
        group.groups.append(inner)

    def library(self):
        if self.token() != "library" or self.token() != "(":
            raise LibertyError("it does not begin with `library (NAME) {`")
        library = Group("library", self.arguments(), 0)
        if self.token() != "{":
            self.fail("the library has no body")
        library.body_start = self.at
        self.body(library)
        if self.token():
            self.fail("there is more after the library's closing brace")
        return library


FUNCTION = re.compile(r"\s*([A-Za-z_][\w\[\]]*|[01]|[!'()^&*|+])")


class Function:
    """A Liberty function: ! and ' invert, then ^, then & * or nothing between factors, then | and +."""

    def __init__(self, text):
        self.tokens = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = FUNCTION.match(text, at)
            if not match:
                raise LibertyError(f"function \"{text}\" cannot be read")
            self.tokens.append(match.group(1))
            at = match.end()
        self.text = text
        self.inputs = sorted({token for token in self.tokens if re.match("[A-Za-z_]", token)})

    def table(self):
        """The output for every assignment of the inputs, in the order of itertools.product."""
        return tuple(self.evaluate(dict(zip(self.inputs, bits)))
                     for bits in itertools.product((False, True), repeat=len(self.inputs)))

    def evaluate(self, values):
        rest = list(self.tokens)
        result = self.either(rest, values)
        if rest:
            raise LibertyError(f"function \"{self.text}\" cannot be read")
        return result

    def either(self, rest, values):
        result = self.both(rest, values)
        while rest and rest[0] in "|+":
            rest.pop(0)
            result |= self.both(rest, values)
        return result

    def both(self, rest, values):
        result = self.unlike(rest, values)
        while rest and rest[0] not in "|+)":
            if rest[0] in "&*":
                rest.pop(0)
            result &= self.unlike(rest, values)
        return result

    def unlike(self, rest, values):
        result = self.factor(rest, values)
        while rest and rest[0] == "^":
            rest.pop(0)
            result ^= self.factor(rest, values)
        return result

    def factor(self, rest, values):
        if not rest:
            raise LibertyError(f"function \"{self.text}\" cannot be read")
        token = rest.pop(0)
        if token == "!":
            return not self.factor(rest, values)
        if token == "(":
            result = self.either(rest, values)
            if not rest or rest.pop(0) != ")":
                raise LibertyError(f"function \"{self.text}\" cannot be read")
        elif token in "01":
            result = token == "1"
        elif token in values:
            result = values[token]
        else:
            raise LibertyError(f"function \"{self.text}\" cannot be read")
        while rest and rest[0] == "'":
            rest.pop(0)
            result = not result
        return result


class Cell:
    def __init__(self, group):
        if not group.arguments:
            raise LibertyError("a cell has no name")
        self.name = group.arguments[0]
        self.start, self.end = group.start, group.end
        try:
            self.area = float(group.attributes.get("area", "0"))
        except ValueError:
            raise LibertyError(f"cell {self.name}: area is '{group.attributes['area']}'; it must be a number") from None
        pins = group.all("pin") + [pin for bus in group.all("bus", "bundle") for pin in bus.all("pin")]
        self.outputs = [pin for pin in pins if pin.attributes.get("direction", "").lower() in ("output", "inout", "internal")]
        self.tri_state = any("three_state" in pin.attributes for pin in pins)
        self.latch = bool(group.all("latch", "latch_bank", "statetable"))
        self.flops = group.all("ff", "ff_bank")
        self.special = any(group.flag(name) for name in SPECIAL)

    def is_flop(self):
        """A D flip-flop that a design can be mapped to, with or without set and reset."""
        if len(self.flops) != 1 or self.flops[0].name != "ff" or self.latch or self.tri_state:
            return False
        data = self.flops[0].attributes.get("next_state", "").strip(" ()")
        clock = self.flops[0].attributes.get("clocked_on", "").strip(" ()!'")
        return all(re.fullmatch(r"[A-Za-z_]\w*", pin) for pin in (data, clock))

    def function(self):
        """The function of a gate with one output, else None: adder cells and such are not for abc."""
        if self.flops or self.latch or self.tri_state or len(self.outputs) != 1:
            return None
        text = self.outputs[0].attributes.get("function")
        return Function(text) if text else None

    def timed(self):
        return all("timing" in pin.skipped for pin in self.outputs)

    def gate(self):
        """The gate as a line of genlib, its delays all alike."""
        function = self.function()
        rows = itertools.product("!.", repeat=len(function.inputs))
        terms = ["*".join(mark.strip(".") + name for mark, name in zip(row, function.inputs))
                 for row, value in zip(rows, function.table()) if value]
        return f"GATE {self.name} {self.area:g} {self.outputs[0].arguments[0]}={'+'.join(terms)}; PIN * UNKNOWN 1 999 1 0 1 0"

    def usable(self):
        return self.area > 0 and not self.special and (self.is_flop() or self.function() is not None)


class Library:
    """The cells that synthesis may use, and the file cut down to them."""

    def __init__(self, text):
        self.source = text
        self.group = group = Parser(text, read=READ | TEMPLATES).library()
        self.name = group.arguments[0] if group.arguments else "unnamed"
        self.cells = [Cell(cell) for cell in group.all("cell")]
        if not self.cells:
            raise LibertyError("it has no cells")
        self.usable = [cell for cell in self.cells if cell.usable()]
        self.refused = [cell for cell in self.cells if not cell.usable()]
        self.flop = self.smallest("flip-flop (an ff group clocked by one pin, next_state another pin)", Cell.is_flop)
        self.nand2 = self.smallest("2-input NAND", lambda cell: self.computes(cell, (True, True, True, False)))
        inverter = self.smallest("inverter", lambda cell: self.computes(cell, (True, False)))
        self.buffers = sorted((cell for cell in self.usable if self.computes(cell, (False, True))),
                              key=lambda cell: (cell.area, cell.name))
        self.driver = self.buffers[0] if self.buffers else inverter
        self.gates = [cell for cell in self.usable if not cell.flops and 1 <= len(cell.function().inputs) <= 6]
        # abc takes no delays from a library where some are missing, or that has two kinds of gates only.
        self.timed = (all(cell.timed() for cell in self.gates)
                      and len({cell.function().table() for cell in self.gates}) > 2)
        self.text = self.cut(text)

    def whole(self, cell):
        """The Group of a Cell with everything in it, tables too."""
        group = Group("library", [], cell.start)
        parser = Parser(self.source, cell.start, read=None)
        parser.statement(group, parser.token(), cell.start)
        return group.groups[0]

    @staticmethod
    def computes(cell, table):
        function = cell.function()
        return function is not None and len(table) == 2 ** len(function.inputs) and function.table() == table

    def smallest(self, what, test):
        found = [cell for cell in self.usable if test(cell)]
        if not found:
            raise LibertyError(f"library {self.name} has no usable {what}")
        return min(found, key=lambda cell: (cell.area, cell.name))

    def clock_gate(self):
        """The strongest OR of two, which stops a clock while it is high, and its pins: the clock's, the other input, the output."""
        found = [cell for cell in self.usable if self.computes(cell, (False, True, True, True))]
        if not found:
            raise LibertyError(f"library {self.name} has no usable OR of two inputs to gate a clock with; clock-gating off needs none")
        cell = max(found, key=lambda cell: (cell.area, cell.name))
        return cell.name, *cell.function().inputs, cell.outputs[0].arguments[0]

    def genlib(self):
        """The gates in abc's own format, without delays."""
        constants = ["GATE _const0_ 0 Y=CONST0;", "GATE _const1_ 0 Y=CONST1;"]
        return "\n".join(constants + [cell.gate() for cell in self.gates if any(cell.function().table())]) + "\n"

    def cut(self, text):
        """The file without the refused cells, so that no tool can pick one."""
        parts, at = [], 0
        for cell in self.refused:
            parts.append(text[at:cell.start])
            at = cell.end
        return "".join(parts) + text[at:]


def load(path):
    """The Library in the file PATH; LibertyError says what is wrong with it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LibertyError(error.strerror) from None
    digest = hashlib.sha256(data).hexdigest()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raise LibertyError("its gzip data is damaged") from None
    if b"\0" in data:
        raise LibertyError("it is not text")
    try:
        library = Library(data.decode("utf-8", errors="replace"))
    except RecursionError:
        raise LibertyError("its brackets are nested too deeply") from None
    library.sha256 = digest
    return library
