"""Rows of vector files: the records, and their form in JSON (see ``schema.json``).

Real numbers are strings that strtod of C reads: hexadecimal floats, ``nan``, ``inf`` and ``-inf``.
"""
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hopref import errors
from hopref.dispatch.operation import load
from hopref.errors import VectorFileError

__all__ = ["Result", "Row", "shortened", "line_of", "row_from", "argument_from", "argument_of"]

MOST_AXES, MOST_NUMBERS, MOST_CHARACTERS = 8, 20000, 200
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
NUMBER = re.compile(r"-?0x[01](?:\.[0-9a-f]{1,13})?p[+-][0-9]{1,4}|nan|-?inf")
FORMATS = {"float64", "float32", "float16"}         # of the real arguments of a row
DTYPES = FORMATS | {"complex128", "bool", "int64"}
METHODS = {"exact", "balls", "double-double"}
ERRORS = {"ShapeError", "DomainError", "DTypeError", "CallError"}


@dataclass(frozen=True)
class Result:
    """A certified result.

    Attributes
    ----------
    value : array, float64, or bool where results are true or false
    bound : array with ``abs(value - exact) <= bound``
    tolerance : array, the error of an honest implementation in the format of the row, derived from
        the operation and these arguments; infinite where that format cannot hold the result
    """
    value: np.ndarray
    bound: np.ndarray
    tolerance: np.ndarray


@dataclass(frozen=True)
class Row:
    """One call, with its certified results or the class of its error.

    Attributes
    ----------
    id : str, the operation and a number
    op : str, name of the operation
    case : str, description of the arguments, or of what is invalid
    flags : tuple of str, the bugs that this row detects
    dtype : str, the format of real arguments
    args : dict, operands by name, in their order
    params : dict, keyword arguments by name
    results : tuple of `Result`; empty for an invalid call
    method : str, how the results are certified
    limit : bool, whether code without stabilisation may overflow, which is then no failure
    error : str, the class of the error of an invalid call
    """
    id: str
    op: str
    case: str
    flags: tuple[str, ...]
    dtype: str
    args: dict[str, Any]
    params: dict[str, Any]
    results: tuple[Result, ...] = ()
    method: str = ""
    limit: bool = False
    error: str = field(default="")

    @property
    def exception(self) -> type[Exception]:
        """The class of the error, of which the builtin base is ValueError or TypeError."""
        found: type[Exception] = getattr(errors, self.error)
        return found


# ---- to JSON ------------------------------------------------------------------------------------

def line_of(row: Row) -> str:
    """A row as one line of JSON."""
    content: dict[str, Any] = {
        "id": row.id, "op": row.op, "case": row.case, "flags": list(row.flags),
        "dtype": row.dtype, "args": {k: argument_of(v) for k, v in row.args.items()},
        "params": {k: argument_of(v) for k, v in row.params.items()}}
    if row.error:
        content["error"] = row.error
    else:
        content |= {"results": [_result_of(r) for r in row.results], "method": row.method,
                    "limit": row.limit}
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def argument_of(v: Any) -> dict[str, Any]:
    """An argument: an array has a shape and data, anything else a value."""
    if isinstance(v, np.ndarray):
        flat = v.ravel().view(np.float64) if v.dtype.kind == "c" else v.ravel()
        data = [shortened(x) for x in flat.tolist()] if v.dtype.kind in "fc" else flat.tolist()
        return {"dtype": v.dtype.name, "shape": list(v.shape), "data": data}
    if isinstance(v, tuple | list):
        return {"dtype": "strings", "value": list(v)}
    kind = {bool: "bool", int: "int64", float: "float64", str: "string"}[type(v)]
    return {"dtype": kind, "value": shortened(v) if kind == "float64" else v}


def _result_of(result: Result) -> dict[str, Any]:
    found = argument_of(result.value)
    return {"dtype": found["dtype"], "shape": found["shape"], "value": found["data"],
            "bound": argument_of(result.bound)["data"],
            "tolerance": argument_of(result.tolerance)["data"]}


def shortened(x: float) -> str:
    """A float in hexadecimal without trailing zeros."""
    return re.sub(r"\.?0*p", "p", x.hex()) if math.isfinite(x) else str(x)


# ---- from JSON ----------------------------------------------------------------------------------

def row_from(content: Any) -> Row:
    """The row of parsed JSON, every part of which is validated."""
    invalid = isinstance(content, dict) and "error" in content
    keys = {"id", "op", "case", "flags", "dtype", "args", "params"}
    _keys("a row", content, keys | ({"error"} if invalid else {"results", "method", "limit"}))
    op = content["op"]
    _hold("op", isinstance(op, str) and op in load(), "an operation", op)
    own = re.compile(rf"{re.escape(op)}/[0-9]{{1,6}}")
    row = Row(
        _text("id", content["id"], own), op, _text("case", content["case"]),
        tuple(_text("flags", v, SLUG) for v in _list("flags", content["flags"])),
        _one_of("dtype", content["dtype"], FORMATS),
        _arguments("args", content["args"]), _arguments("params", content["params"]))
    if invalid:
        return _with(row, error=_one_of("error", content["error"], ERRORS))
    _hold("limit", type(content["limit"]) is bool, "true or false", content["limit"])
    found = tuple(_result_from(v) for v in _list("results", content["results"], least=1))
    _hold("results", len(found) == len(load()[op].outputs), "those of the operation", len(found))
    return _with(row, results=found, method=_one_of("method", content["method"], METHODS),
                 limit=content["limit"])


def _with(row: Row, **more: Any) -> Row:
    return Row(**vars(row) | more)


def _arguments(what: str, content: Any) -> dict[str, Any]:
    _hold(what, isinstance(content, dict) and len(content) <= 32, "an object of arguments", content)
    return {_text(what, k, NAME): argument_from(v, f"{what}.{k}") for k, v in content.items()}


def argument_from(content: Any, what: str = "an argument") -> Any:
    """An argument from its JSON."""
    if isinstance(content, dict) and "shape" in content:
        _keys(what, content, {"dtype", "shape", "data"})
        dtype = _one_of(what, content["dtype"], DTYPES)
        return _array(what, content["data"], _shape(what, content["shape"]), dtype)
    _keys(what, content, {"dtype", "value"})
    read = _one_of(what, content["dtype"], SCALARS)
    return SCALARS[read](what, content["value"])


def _result_from(content: Any) -> Result:
    _keys("a result", content, {"dtype", "shape", "value", "bound", "tolerance"})
    dtype = _one_of("the dtype of a result", content["dtype"], {"float64", "bool"})
    shape = _shape("a result", content["shape"])
    errors = [_array(k, content[k], shape, "float64") for k in ("bound", "tolerance")]
    _hold("bound and tolerance", all(np.all(e >= 0) for e in errors), "nonnegative", "another")
    return Result(_array("value", content["value"], shape, dtype), *errors)


def _shape(what: str, content: Any) -> tuple[int, ...]:
    dims = tuple(_list(what, content))
    _hold(f"the shape of {what}", len(dims) <= MOST_AXES and all(
        type(n) is int and 0 <= n <= MOST_NUMBERS for n in dims)
        and math.prod(dims) <= MOST_NUMBERS, "small", dims)
    return dims


def _array(what: str, content: Any, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    count = math.prod(shape) * (2 if dtype == "complex128" else 1)
    _hold(what, type(content) is list and len(content) == count, f"{count} numbers", "others")
    read = ENTRIES[dtype]
    exact = np.array([read(what, v) for v in content],
                     "float64" if dtype in FORMATS | {"complex128"} else dtype)
    if dtype not in FORMATS:
        return exact.view(dtype).reshape(shape)
    with np.errstate(over="ignore"):
        entries = exact.astype(dtype)
    _hold(what, np.array_equal(entries, exact, equal_nan=True), f"numbers of {dtype}", "others")
    return entries.reshape(shape)


def _real(what: str, v: Any) -> float:
    _text(what, v, NUMBER)
    try:
        return float.fromhex(v)
    except OverflowError:
        raise _violation(what, "in the range of float64", v) from None


def _truth(what: str, v: Any) -> bool:
    _hold(what, type(v) is bool, "true or false", v)
    return bool(v)


def _integer(what: str, v: Any) -> int:
    _hold(what, type(v) is int and -2**63 <= v < 2**63, "an integer of 64 bits", v)
    return int(v)


def _texts(what: str, v: Any) -> tuple[str, ...]:
    return tuple(_text(what, word) for word in _list(what, v))


def _text(what: str, v: Any, pattern: re.Pattern[str] | None = None) -> str:
    right = isinstance(v, str) and len(v) <= MOST_CHARACTERS and v.isprintable() \
        and (pattern is None or pattern.fullmatch(v))
    _hold(what, bool(right), "text of the required form", v)
    return str(v)


ENTRIES: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys([*FORMATS, "complex128"], _real), "bool": _truth, "int64": _integer}
SCALARS: dict[str, Callable[[str, Any], Any]] = {
    "float64": _real, "bool": _truth, "int64": _integer, "string": _text, "strings": _texts}


def _list(what: str, v: Any, least: int = 0) -> list[Any]:
    _hold(what, type(v) is list and least <= len(v) <= MOST_NUMBERS, "a list", v)
    return list(v)


def _one_of(what: str, v: Any, known: Any) -> str:
    _hold(what, isinstance(v, str) and v in known, f"one of {', '.join(sorted(known))}", v)
    return str(v)


def _keys(what: str, content: Any, wanted: set[str]) -> None:
    got = sorted(content) if isinstance(content, dict) else content
    _hold(what, isinstance(content, dict) and content.keys() == wanted,
          f"an object with {', '.join(sorted(wanted))}", got)


def _hold(what: str, right: bool, wanted: str, got: Any) -> None:
    if not right:
        raise _violation(what, wanted, got)


def _violation(what: str, wanted: str, got: Any) -> VectorFileError:
    return VectorFileError(f"{what} must be {wanted}; got {repr(got)[:60]}")
