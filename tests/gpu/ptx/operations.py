"""Instructions on registers: values of operands in, the value of the result out.

`operation` turns an instruction into a function of arrays with one entry for each thread.  An
opcode, a type or a modifier that is not in the tables below is refused, since one that is ignored
would give wrong numbers.
"""
from typing import NamedTuple

import numpy as np

from tests.gpu.ptx.errors import Refused
from tests.gpu.ptx.rounding import DIRECTIONS, flush, fma

__all__ = ["TYPES", "Operation", "operation", "immediate"]

TYPES = {"pred": np.bool_, "b16": np.uint16, "u16": np.uint16, "s16": np.int16, "b32": np.uint32,
         "u32": np.uint32, "s32": np.int32, "b64": np.uint64, "u64": np.uint64, "s64": np.int64,
         "f16": np.float16, "f32": np.float32, "f64": np.float64}
_REALS = {"0f": np.dtype(np.float32), "0d": np.dtype(np.float64)}       # constants by their bits
_WIDER = {"s16": "s32", "u16": "u32", "s32": "s64", "u32": "u64"}


class Operation(NamedTuple):
    """``function`` of operands of the types ``takes``, whose result has the type ``gives``."""
    function: object
    gives: str
    takes: tuple


def operation(instruction):
    """The `Operation` of an instruction without effects beyond its result."""
    *modifiers, kind = instruction.modifiers or ("",)
    refused = Refused(f"{instruction.at}: {instruction.text}")
    if instruction.name == "cvt" and kind == "u8" and modifiers and modifiers[0] in ("u16", "u32"):
        gives = modifiers[0]                # the lower byte of a register of 16 bits
        return Operation(lambda a: (a & 0xff).astype(TYPES[gives]), gives, ("u16",))
    if kind not in TYPES:
        raise refused
    for tables in _special, _on_floats, _on_integers, _on_predicates:
        found = tables(instruction.name, modifiers, kind)
        if found is not None:
            if len(found.takes) + 1 != len(instruction.operands):
                raise refused
            return found
    raise refused


def immediate(text, kind):
    """The value of a constant in an instruction, as a 0-d array of the type."""
    number, real = np.dtype(TYPES[kind]), _REALS.get(text[:2].lower())
    if real:
        bits = np.array(int(text[2:], 16), f"u{real.itemsize}")
        if number.kind == "f":
            return bits.view(real).astype(number)
        if kind == f"b{8 * real.itemsize}":
            return bits
        raise Refused(f"constant {text} of type {kind}")
    if number.kind == "f":
        raise Refused(f"constant {text} of type {kind}")
    if number.kind == "b":
        return np.array(bool(int(text, 0)))
    bits = int(text, 0) % 2 ** (8 * number.itemsize)
    return np.array(bits, f"u{number.itemsize}").view(number)


# ---- floating point -----------------------------------------------------------------------------

def _power_of_two(x):
    """The nearest number; a device may be two units in the last place off."""
    return np.exp2(x.astype(np.float64)).astype(np.float32)


def _near_reciprocal(x):
    """Of the sign, the exponent and 20 bits of the fraction, which are those of the result as well;
    subnormal numbers are zeros."""
    y = np.reciprocal(_upper_half(np.where(np.abs(x) < np.finfo(x.dtype).tiny, 0 * x, x)))
    return _upper_half(np.where(np.abs(y) < np.finfo(x.dtype).tiny, 0 * y, y))


def _upper_half(x):
    bits = np.asarray(x, np.float64).view(np.uint64) & np.uint64(0xffffffff00000000)
    return bits.view(np.float64)


# {name: (function, number of operands, modifiers that must be there, modifiers that may be)}
_FLOAT = {
    "add": (np.add, 2, set(), {"rn", "ftz", "sat"}),
    "sub": (np.subtract, 2, set(), {"rn", "ftz", "sat"}),
    "mul": (np.multiply, 2, set(), {"rn", "ftz", "sat"}),
    "div": (np.divide, 2, {"rn"}, {"ftz"}),
    "rcp": (np.reciprocal, 1, {"rn"}, {"ftz"}),
    "min": (np.fmin, 2, set(), {"ftz"}),
    "max": (np.fmax, 2, set(), {"ftz"}),
    "neg": (np.negative, 1, set(), {"ftz"}),
    "abs": (np.abs, 1, set(), {"ftz"}),
    "ex2": (_power_of_two, 1, {"approx"}, {"ftz"}),
    "mov": (np.positive, 1, set(), set()),
}


def _on_floats(name, modifiers, kind):
    given = set(modifiers)
    if (name, kind, modifiers) == ("rcp", "f64", ["approx", "ftz"]):
        return Operation(_near_reciprocal, kind, (kind,))
    if kind not in ("f32", "f64") or kind == "f64" and given & {"ftz", "sat"}:
        return None
    if name == "fma":
        return _fused(given, kind)
    if name not in _FLOAT or name == "ex2" and kind == "f64":
        return None
    function, number, needed, allowed = _FLOAT[name]
    if not needed <= given <= needed | allowed:
        return None
    return Operation(_modified(function, given), kind, (kind,) * number)


def _fused(given, kind):
    directions = given & set(DIRECTIONS)
    if len(directions) != 1 or not given <= directions | {"ftz", "sat"}:
        return None
    direction = directions.pop()
    return Operation(_modified(lambda a, b, c: fma(a, b, c, direction), given), kind, (kind,) * 3)


def _modified(function, given):
    """The function with subnormal numbers flushed, and its result between 0 and 1, as asked."""
    def modified(*operands):
        if "ftz" in given:
            operands = [flush(x) for x in operands]
        y = function(*operands)
        if "sat" in given:
            y = np.where(np.isnan(y), 0, np.clip(y, 0, 1)).astype(y.dtype)
        return flush(y) if "ftz" in given else y
    return modified if given & {"ftz", "sat"} else function


# ---- integers and predicates --------------------------------------------------------------------

_INTEGER = {"add": (np.add, 2), "sub": (np.subtract, 2), "min": (np.minimum, 2),
            "max": (np.maximum, 2), "neg": (np.negative, 1), "and": (np.bitwise_and, 2),
            "or": (np.bitwise_or, 2), "xor": (np.bitwise_xor, 2), "not": (np.bitwise_not, 1),
            "mov": (np.positive, 1)}
_PREDICATE = {"and": (np.logical_and, 2), "or": (np.logical_or, 2), "xor": (np.logical_xor, 2),
              "not": (np.logical_not, 1), "mov": (lambda p: p, 1)}
_SHIFTS = {"shl": np.left_shift, "shr": np.right_shift}


def _on_integers(name, modifiers, kind):
    if kind[0] not in "bus":
        return None
    if name == "mul" and modifiers == ["lo"]:
        return Operation(np.multiply, kind, (kind, kind))
    if name == "mad" and modifiers == ["lo"]:
        return Operation(lambda a, b, c: np.add(np.multiply(a, b), c), kind, (kind,) * 3)
    if name == "mul" and modifiers == ["wide"] and kind in _WIDER:
        wide = _WIDER[kind]
        return Operation(lambda a, b: np.multiply(a, b, dtype=TYPES[wide]), wide, (kind, kind))
    if name in _SHIFTS and not modifiers:
        return Operation(lambda a, b: _shifted(_SHIFTS[name], a, b), kind, (kind, "u32"))
    if name == "bfi" and not modifiers and kind[0] == "b":
        return Operation(_inserted, kind, (kind, kind, "u32", "u32"))
    if name in _INTEGER and not modifiers:
        function, number = _INTEGER[name]
        return Operation(function, kind, (kind,) * number)
    return None


def _shifted(shift, a, by):
    """Shifts by the width or more give zeros, or copies of the sign."""
    width = 8 * a.dtype.itemsize
    if by.ndim == 0 and by < width:
        return shift(a, by.astype(a.dtype))
    result = shift(a, np.minimum(by, width - 1).astype(a.dtype))
    arithmetic = shift is np.right_shift and a.dtype.kind == "i"
    return result if arithmetic else np.where(by < width, result, a.dtype.type(0))


def _inserted(a, b, place, length):
    """b with the lowest bits of a at a place; both counts are those of a byte."""
    place, length = (np.asarray(n & 0xff) for n in (place, length))
    one = b.dtype.type(1)
    field = _shifted(np.left_shift, one, length) - one
    mask = _shifted(np.left_shift, field, place)
    return (b & ~mask) | (_shifted(np.left_shift, a, place) & mask)


def _on_predicates(name, modifiers, kind):
    if kind != "pred" or modifiers or name not in _PREDICATE:
        return None
    function, number = _PREDICATE[name]
    return Operation(function, kind, (kind,) * number)


# ---- comparisons, selections and conversions ----------------------------------------------------

_COMPARISONS = {"eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
                "ge": np.greater_equal}
_OPPOSITE = {"eq": "ne", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


def _comparison(name, real):
    """The function; for real numbers those ending in "u" hold where an operand is NaN."""
    if name == "ne":
        return (lambda a, b: (a < b) | (a > b)) if real else np.not_equal
    if name in _COMPARISONS:
        return _COMPARISONS[name]
    if real and name == "neu":
        return np.not_equal
    if real and name in ("num", "nan"):         # whether neither operand is NaN, or one is
        return lambda a, b: ((a == a) & (b == b)) == (name == "num")
    if real and name[-1:] == "u" and name[:-1] in _OPPOSITE:
        opposite = _comparison(_OPPOSITE[name[:-1]], real)
        return lambda a, b: np.logical_not(opposite(a, b))
    return None


def _special(name, modifiers, kind):
    if name == "setp" and len(modifiers) == 1 and kind != "pred":
        function = _comparison(modifiers[0], kind[0] == "f")
        return function and Operation(function, "pred", (kind, kind))
    if name == "selp" and not modifiers and kind != "pred":
        return Operation(lambda a, b, p: np.where(p, a, b), kind, (kind, kind, "pred"))
    if name == "cvt" and modifiers and modifiers[-1] in TYPES:
        return _conversion(modifiers[:-1], modifiers[-1], kind)
    if name == "cvta" and modifiers == ["to", "global"] and kind == "u64":
        return Operation(np.positive, kind, (kind,))          # a generic address is a global one
    return None


def _conversion(modifiers, gives, takes):
    if (gives, takes) == ("f32", "f16") and not modifiers:
        return Operation(lambda a: a.astype(np.float32), gives, (takes,))
    if gives == takes == "f32" and modifiers == ["sat"]:
        return Operation(_modified(np.positive, {"sat"}), gives, (takes,))
    widened = not modifiers and (gives, takes) == ("f64", "f32")
    if gives == takes and gives[0] == "f" and modifiers in (["rni"], ["rzi"]):
        return Operation(np.rint if modifiers == ["rni"] else np.trunc, gives, (takes,))
    if (gives, takes) in (("s32", "f32"), ("s64", "f64")) and modifiers == ["rzi"]:
        return Operation(_whole, gives, (takes,))
    narrowed = modifiers == ["rn"] and (gives, takes) in (("f32", "f64"), ("f64", "u64"),
                                                          ("f32", "s32"))
    if not widened and not narrowed and (modifiers or not {gives[0], takes[0]} <= set("us")):
        return None
    return Operation(lambda a: a.astype(TYPES[gives]), gives, (takes,))


def _whole(x):
    """The number without its fraction, the nearest integer there is; NaN is 0 of 32 bits, and the
    lowest number of 64."""
    of = np.iinfo(f"i{x.dtype.itemsize}")
    inside = np.abs(x) < -float(of.min)
    bounds = np.where(x > 0, of.max, np.where(np.isnan(x) & (of.bits == 32), 0, of.min))
    return np.where(inside, np.where(inside, x, 0).astype(of.dtype), bounds.astype(of.dtype))
