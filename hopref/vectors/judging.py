"""Judgement of an implementation by rows of vectors.

A result conforms where ``abs(result - value) <= bound + tolerance``, entry by entry; the answer to
an invalid call conforms if it is an error of the right kind.
"""
import inspect
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hopref.vectors.records import Result, Row

__all__ = ["Judgement", "accepts", "compared", "judge"]


@dataclass(repr=False)
class Judgement:
    """What rows of vectors show of an implementation.

    Attributes
    ----------
    passed : list of the rows to which the results conform
    failures : list of pairs of a row and a message
    limits : list of such pairs, of rows in which code without stabilisation may overflow
    left_out : int, number of rows with a parameter that the implementation does not have
    """
    passed: list[Row] = field(default_factory=list)
    failures: list[tuple[Row, str]] = field(default_factory=list)
    limits: list[tuple[Row, str]] = field(default_factory=list)
    left_out: int = 0

    def __repr__(self) -> str:
        return (f"Judgement({len(self.passed)} passed, {len(self.failures)} failed, "
                f"{len(self.limits)} at the limits, {self.left_out} left out)")

    @property
    def judged(self) -> int:
        """The number of rows that were judged."""
        return len(self.passed) + len(self.failures) + len(self.limits)

    @property
    def conforms(self) -> bool:
        """Whether rows were judged and none failed."""
        return self.judged > 0 and not self.failures

    def add(self, other: "Judgement") -> None:
        """Add what other rows show."""
        self.passed += other.passed
        self.failures += other.failures
        self.limits += other.limits
        self.left_out += other.left_out

    def flags(self) -> dict[str, float]:
        """How well each flag explains the failures, best first.

        The number is that of the failing valid rows with the flag, over that of the rows that fail
        or have the flag; 1 if exactly the rows with this flag fail.
        """
        failing = [row for row, _ in self.failures if not row.error]
        counts = Counter(flag for row in failing for flag in row.flags)
        flagged = Counter(flag for row in (*self.passed, *failing) for flag in row.flags)
        shares = {flag: n / (len(failing) + flagged[flag] - n) for flag, n in counts.items()}
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def judge(function: Callable[..., Any], rows: Iterable[Row]) -> Judgement:
    """Call an implementation with the arguments of each row, and compare the results.

    Parameters
    ----------
    function : callable with operands by position and parameters by keyword
    rows : rows of vectors, such as ``hopref.vectors.rows("modern.update")``

    Returns
    -------
    Judgement
    """
    found, known = Judgement(), _parameters(function)
    for row in rows:
        if known is not None and not row.error and not row.params.keys() <= known:
            found.left_out += 1
            continue
        if message := _judged(function, row):
            (found.limits if row.limit else found.failures).append((row, message))
        else:
            found.passed.append(row)
    return found


def _parameters(function: Callable[..., Any]) -> set[str] | None:
    """The parameters that may be passed by name; None if any may be."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _judged(function: Callable[..., Any], row: Row) -> str:
    """The defect of an implementation in a row, or an empty string."""
    if row.error:
        return f"{row.error} expected" if accepts(row, function) else ""
    try:
        with np.errstate(all="ignore"):
            result = function(*_copied(row.args), **dict(zip(row.params, _copied(row.params))))
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"[:200]
    return compared(row, result)


def _copied(given: dict[str, Any]) -> list[Any]:
    """The arguments, with arrays that an implementation may change."""
    return [v.copy() if isinstance(v, np.ndarray) else v for v in given.values()]


def accepts(row: Row, function: Callable[..., Any]) -> bool:
    """Whether an invalid call raises no error of the builtin base of the expected class."""
    base = TypeError if issubclass(row.exception, TypeError) else ValueError
    try:
        with np.errstate(all="ignore"):
            function(*_copied(row.args), **dict(zip(row.params, _copied(row.params))))
    except base:
        return False
    except Exception:
        return True
    return True


def compared(row: Row, result: Any) -> str:
    """The defect of a result, or an empty string if it conforms to the row."""
    parts = list(result) if isinstance(result, tuple | list) else [result]
    if len(parts) != len(row.results):
        return f"{len(parts)} results where {len(row.results)} are expected"
    for i, (part, right) in enumerate(zip(parts, row.results)):
        output = f"output {i}, " if len(parts) > 1 else ""
        try:
            found = np.asarray(part)
            if found.dtype.kind == "c":
                raise TypeError("its numbers are complex")
            message = _beyond(found if found.dtype.kind == "b" else found.astype(float), right)
        except (TypeError, ValueError, RuntimeError) as error:
            message = f"a {type(part).__name__} that is no array of reals: {error}"
        if message:
            return output + message
    return ""


def _beyond(found: np.ndarray, right: Result) -> str:
    """The entry that is farthest beyond its tolerance, as a message, or an empty string."""
    value = right.value
    if found.shape != value.shape:
        return f"shape {found.shape} where {value.shape} is expected"
    if value.dtype == bool:
        wrong = np.asarray(found != value)
        return f"{int(wrong.sum())} of {wrong.size} entries are wrong" if wrong.any() else ""
    with np.errstate(all="ignore"):
        allowed = right.bound + right.tolerance
        error = np.abs(found.astype(float) - value)
        near = (error <= allowed) | (found == value) | np.isinf(right.tolerance)
        near |= np.isnan(found) & np.isnan(value)
        if np.all(near):
            return ""
        ratio = np.where(near, 0.0, np.where(np.isnan(error), np.inf, error / allowed))
    at = np.unravel_index(int(np.argmax(ratio)), value.shape)
    return (f"{float(found[at])!r} at {tuple(map(int, at))} where {float(value[at])!r} "
            f"+- {float(allowed[at]):.3g} is expected")
