"""PTX text as kernels: declarations, labels and instructions, with the lines of the source."""
import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from tests.gpu.ptx.errors import Refused

__all__ = ["Instruction", "Kernel", "Variable", "SIZES", "parse", "items"]

SIZES = {"pred": 1, "b8": 1, "u8": 1, "s8": 1, "b16": 2, "u16": 2, "s16": 2, "f16": 2, "b32": 4,
         "u32": 4, "s32": 4, "f32": 4, "b64": 8, "u64": 8, "s64": 8, "f64": 8}

_ENTRY = re.compile(r"\.entry\s+([\w$]+)\s*\(([^)]*)\)([^{]*)\{")
_DECLARATION = re.compile(
    r"\.(reg|shared|param)\s+(?:\.align\s+(\d+)\s+)?\.(\w+)\s+(?:\.ptr\s+(?:\.global\s+)?"
    r"(?:\.align\s+\d+\s+)?)?([%$\w]+)\s*(?:<(\d+)>)?\s*(\[\d*\])?$")
_INSTRUCTION = re.compile(r"(?:@(!?)([%$\w]+)\s+)?([a-z][\w.]*)\s*(.*)$", re.S)
_LABEL = re.compile(r"([$\w]+):")
_NOT_AN_INSTRUCTION = (".loc", ".pragma")


class Instruction(NamedTuple):
    """An instruction; ``at`` is its line of the source, or of the PTX where that is unknown."""
    name: str
    modifiers: tuple
    operands: tuple
    guard: str
    inverted: bool
    at: str
    text: str


class Variable(NamedTuple):
    """A variable in shared memory; ``nbytes`` is None for dynamic memory."""
    name: str
    nbytes: int | None
    alignment: int


@dataclass(frozen=True, eq=False)
class Kernel:
    """An entry point.  ``parameters`` and ``registers`` give a type for each name."""
    name: str
    parameters: dict
    registers: dict
    shared: list
    instructions: list
    labels: dict
    most_threads: int


def parse(text):
    """{name: Kernel} of the entry points of a text."""
    text = _without_comments(text)
    file = re.search(r'\.file\s+1\s+"(?:[^"]*/)?([^"/]+)"', text)
    kernels, outside, end = {}, [], 0
    for entry in _ENTRY.finditer(text):
        outside.append(text[end:entry.start()])
        end = _end_of_block(text, entry.end())
        name, parameters, directives = entry.groups()
        body = text[entry.end():end - 1]
        first_line = text.count("\n", 0, entry.end()) + 1
        kernels[name] = _kernel(name, parameters, directives, body, first_line,
                                file[1] if file else None)
    dynamic = [_variable(s) for s in re.findall(r"\.shared[^;]*", " ".join(outside))]
    for kernel in kernels.values():
        kernel.shared.extend(v for v in dynamic if v is not None)
    return kernels


def _without_comments(text):
    """The text with comments blanked and each line of `.loc` ended, on unchanged lines."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"(?m)^(\s*\.loc\b[^\n]*)", r"\1;", text)


def _end_of_block(text, start):
    depth = 1
    for brace in re.compile("[{}]").finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    raise Refused("a brace of the PTX is not closed")


def _kernel(name, parameters, directives, body, first_line, file):
    declared = [_declaration(item) for item in items(parameters)]
    limit = re.search(r"\.maxntid\s+([\d, ]+)", directives)
    threads = math.prod(map(int, limit[1].split(","))) if limit else 1024
    kernel = Kernel(name, {d[4]: d[3] for d in declared}, {}, [], [], {}, threads)
    source = None
    for line, statement in _statements(body, first_line):
        if statement.endswith(":"):
            kernel.labels[statement[:-1]] = len(kernel.instructions)
        elif statement.startswith(".loc"):
            line_of_source = statement.split()[2]
            source = source if line_of_source == "0" else line_of_source
        elif statement.startswith("."):
            _declare(kernel, statement)
        else:
            at = f"{file}:{source}" if file and source else f"line {line} of the PTX"
            kernel.instructions.append(_instruction(statement, at))
    return kernel


def _statements(body, line):
    """Pairs (line, statement); the braces of scopes are left out, those of vectors are kept."""
    at, space = 0, re.compile(r"[\s{}]*")
    while True:
        start = space.match(body, at).end()
        line += body.count("\n", at, start)
        if start == len(body):
            return
        label = _LABEL.match(body, start)
        end = label.end() if label else body.index(";", start)
        yield line, body[start:end].strip()
        line += body.count("\n", start, end)
        at = end if label else end + 1


def _declare(kernel, statement):
    if statement.startswith(_NOT_AN_INSTRUCTION):
        return
    first, *more = items(statement)
    space, _, kind, name, number, _ = _declaration(first).groups()
    if space == "shared":
        kernel.shared.append(_variable(statement))
    else:
        names = [f"{name}{i}" for i in range(int(number))] if number else [name, *more]
        kernel.registers.update(dict.fromkeys(names, kind))


def _declaration(text):
    found = _DECLARATION.match(" ".join(text.split()))
    if found is None:
        raise Refused(f"declaration: {text}")
    return found


def _variable(statement):
    _, alignment, kind, name, _, count = _declaration(statement).groups()
    number = 1 if count is None else int(count[1:-1]) if count != "[]" else None
    nbytes = None if number is None else number * SIZES[kind]
    return Variable(name, nbytes, int(alignment or SIZES[kind]))


def _instruction(statement, at):
    read = _INSTRUCTION.match(statement)
    if read is None:
        raise Refused(f"{at}: statement: {statement}")
    inverted, guard, opcode, operands = read.groups()
    name, *modifiers = opcode.split(".")
    return Instruction(name, tuple(modifiers), tuple(items(operands)), guard or "", bool(inverted),
                       at, " ".join(statement.split()))


def items(text):
    """The items of a list, separated by commas outside of braces and brackets."""
    found = re.findall(r"(?:\{[^}]*\}|\[[^\]]*\]|[^,{}\[\]])+", text)
    return [item.strip() for item in found if item.strip()]
