"""Whether a known bug explains a candidate, entry by entry.

A bug explains a candidate if it has the candidate's result in every case, within rounding: where
the candidate is wrong, the bug is wrong by the same amount, and where the candidate is right, the
bug makes no difference.  Entries of which every value is right, those of infinite tolerance, do not
count.  NaN and infinities of a candidate are explained by a bug that has one at the same entries.

The bug is evaluated in long double.  The candidate differs from it by its own rounding, for which
the tolerance of the right result, in a wrong row the largest of the row, is allowed twice.  A bug
may be worse conditioned than the right
formula: where the tolerance is not enough, the bug is also evaluated in the format of the
candidate, and `ROUNDINGS` times the difference of both results is allowed, up to the fraction
``1 / NEARER`` of the error to be explained.

A bug that loses digits has no results that another program would repeat.  It is compared by the
size of its errors: those of the candidate are nowhere larger by the factor `SIZE`, have both signs,
and violate the tolerance in half of the cases in which those of the bug do by this factor.
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["NEARER", "Answer", "aligned", "attempt", "errors", "explains", "loses_digits",
           "numbers", "unexplained"]

NEARER = 100.0          # of an error, a bug leaves at most this fraction unexplained
ROUNDINGS = 16.0        # rounding errors of a candidate, in units of those of the bug
DIGITS = 2.0**20        # of an error, a bug may leave this number of unit roundoffs
LOST = 1e-6             # of the largest entry of a row, lost digits are at most this part
SIZE = 64.0             # ratio of the errors of two programs that lose the same digits
MARGIN = 0.5            # a bug leaves at most this part of the error of any entry
BALANCE = 0.8           # mean sign of many rounding errors


@dataclass(frozen=True)
class Answer:
    """One call of the candidate, with the right result.

    Attributes
    ----------
    args, kwargs : arguments as the candidate received them, numbers in its format
    values : tuple of arrays, its results; empty where it raised an error
    right : tuple of long double arrays, the correct results
    radius : tuple of arrays, their tolerances
    u : float, unit roundoff of the candidate
    widened : function that converts arguments to long double
    compared : function of ``args, kwargs, values``, the results without what is not compared
    """
    args: tuple
    kwargs: dict
    values: tuple
    right: tuple
    radius: tuple
    u: float = 2.0**-53
    widened: Callable[..., Any] = field(default=lambda args, kwargs: (args, kwargs))
    compared: Callable[..., Any] = field(default=lambda args, kwargs, values: values)

    @cached_property
    def wide(self):
        """The arguments in long double."""
        return self.widened(self.args, self.kwargs)

    @cached_property
    def narrow(self):
        """The arguments in float32 or float64, whichever is nearer to the candidate's format."""
        dtype = np.float64 if self.u <= 2.0**-53 else np.float32
        return ([cast(a, dtype) for a in self.args],
                {k: cast(a, dtype) for k, a in self.kwargs.items()})

    @cached_property
    def errors(self):
        """The errors of the candidate, entry by entry."""
        return tuple(errors(y, right) for y, right in zip(self.values, self.right))

    @cached_property
    def failing(self):
        """Which entries violate their tolerance."""
        return tuple(e > r for e, r in zip(self.errors, self.radius))

    @cached_property
    def fails(self):
        """Whether the candidate is wrong in this call."""
        return not self.values or any(map(np.any, self.failing))

    @cached_property
    def size(self):
        """The number of entries of the arguments, where those are arrays."""
        return sum(getattr(a, "size", 1) for a in (*self.args, *self.kwargs.values()))

    def wrong(self, bug, exact=True):
        """The results of a bug; the right ones where it has no effect, None where it raises."""
        args, kwargs = self.wide if exact else self.narrow
        try:
            with np.errstate(all="ignore"):
                answer = bug(*args, **kwargs)
        except Exception:
            return None
        values = self.right if answer is None else numbers(answer)
        return self.compared(self.args, self.kwargs, (*values, *self.right[len(values):]))


def aligned(values, right, radius):
    """Right results and tolerances of the shapes of the values; NaN where a shape is wrong."""
    same = [np.shape(y) == np.shape(r) for y, r in zip(values, right)]
    same += [True] * (len(right) - len(same))
    shapes = [np.shape(y) for y in values] + [None] * len(right)
    return (tuple(r if ok else np.full(s, np.nan, np.longdouble)
                  for ok, r, s in zip(same, right, shapes)),
            tuple(r if ok else np.zeros(s) for ok, r, s in zip(same, radius, shapes)))


def cast(a, dtype):
    return a.astype(dtype) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a


def explains(bug, answers):
    """The largest fraction of an error that a bug leaves; None if it does not explain a candidate.

    Parameters
    ----------
    bug : function with the arguments of the op
    answers : list of `Answer`, in which the first that the bug does not explain refutes it
    """
    fractions = []
    for it in answers:
        left = unexplained(bug, it)
        if left is None:
            return None
        fractions += [left] * bool(it.fails and left == left)
    return max(fractions) if fractions and min(fractions) <= 1 / NEARER else None


def unexplained(bug, it):
    """The largest fraction of an error in one call that a bug leaves; None if it is refuted.

    It is NaN if nothing is measured: all errors are no larger than the digits that the bug loses in
    the format, or the bug raises an error where the results of the candidate are not finite.
    """
    wrong = it.wrong(bug)
    if not it.values:
        return raised_too(bug, it)
    if wrong is None:       # it raises an error where the candidate is wrong by NaN or infinities
        alike = all(np.all(~np.isfinite(y[bad])) for y, bad in zip(it.values, it.failing))
        return 0.0 if not it.fails else np.nan if alike else None
    parts, narrow = [], None
    for i, (y, w, right, radius) in enumerate(zip(it.values, wrong, it.right, it.radius)):
        if np.shape(w) != np.shape(y):
            return None
        left, closed, lost = errors(y, w), radius < np.inf, False
        allowed = 2 * of_row(radius, it.failing[i]) + 4 * it.u * magnitude(w)
        kept = it.failing[i] & ~(left <= MARGIN * it.errors[i])
        if np.any((left > allowed) & closed | kept):
            narrow = it.wrong(bug, exact=False) if narrow is None else narrow
            if narrow is None or np.shape(narrow[i]) != np.shape(y):
                return None
            left = nearer(left, y, narrow[i], right)
            error = np.where(np.isfinite(it.errors[i]), it.errors[i], magnitude(y))
            own = np.maximum(rounding(w, narrow[i], it.u), DIGITS * it.u * error)
            limit = np.minimum(own, error / NEARER)
            lost = (left > allowed) & (left <= lost_digits(w, narrow[i], it.u))
            if np.any((left > allowed + limit) & closed & ~lost):
                return None
        failing = it.failing[i] & ~np.asarray(lost)
        if not np.all((left[failing] <= MARGIN * it.errors[i][failing])
                      & np.isfinite(left[failing])):
            return None                     # the bug makes no difference there
        with np.errstate(all="ignore"):
            part = np.where(left == 0, 0, left / it.errors[i])[failing]
        parts += [float(np.max(part, initial=0))] * bool(part.size)
    return max(parts) if parts else np.nan if it.fails else 0.0


def of_row(radius, failing):
    """The tolerance, which is the largest of its row at the entries that are wrong."""
    finite = np.where(radius < np.inf, radius, 0)
    largest = np.max(finite, axis=-1, keepdims=True, initial=0) if np.ndim(finite) else finite
    return np.where(failing, np.maximum(finite, largest), finite)


def raised_too(bug, it):
    """0 if a bug raises an error, or has no finite result, where the candidate raised; or None."""
    narrow = it.wrong(bug, exact=False)
    ended = narrow is None or any(np.any(~np.isfinite(w) & np.isfinite(right))
                                  for w, right in zip(narrow, it.right))
    return 0.0 if ended else None


def nearer(left, y, narrow, right):
    """The smaller of the distances from the bug in long double and in the candidate's format."""
    both = ~np.isfinite(y) & ~np.isfinite(narrow) & np.isfinite(right)
    return np.where(both, 0.0, np.minimum(left, errors(y, narrow)))


def rounding(w, narrow, u):
    """Rounding errors of a bug in the candidate's format, the largest of each row."""
    with np.errstate(all="ignore"):
        gap = np.abs(np.asarray(narrow, np.longdouble) - w)
    gap = np.where(np.isfinite(gap), gap, 0)
    own = 2.0**-53 if u <= 2.0**-53 else 2.0**-24
    largest = np.max(gap, axis=-1, keepdims=True, initial=0) if np.ndim(gap) else gap
    return ROUNDINGS * u / own * largest


def lost_digits(w, narrow, u):
    """Rounding errors of a bug in the candidate's format where they are a small part of its row."""
    size = magnitude(w)
    largest = np.max(size, axis=-1, keepdims=True, initial=0) if np.ndim(w) else size
    found = rounding(w, narrow, u)
    return np.where(found <= LOST * largest, found, 0)


def magnitude(w):
    return np.where(np.isfinite(w), np.abs(w), 0)


def errors(y, right):
    """|y - right| entry by entry; infinite where only one of both is finite."""
    with np.errstate(all="ignore"):
        y, right = np.asarray(y, np.longdouble), np.asarray(right, np.longdouble)
        if y.shape != right.shape:
            return np.full(y.shape, np.inf)
        gap = np.where((y == right) | np.isnan(y) & np.isnan(right), 0, np.abs(y - right))
    return np.where(np.isnan(gap), np.inf, gap)


def loses_digits(bug, answers):
    """Whether the errors of a candidate are as large as the rounding errors of a bug."""
    signs, wrong, due = [], 0, 0
    for it in answers:
        narrow = it.wrong(bug, exact=False) if it.values else None
        if narrow is None:
            if it.fails:
                return False
            continue
        for y, w, right, radius, e in zip(it.values, narrow, it.right, it.radius, it.errors):
            if np.shape(w) != np.shape(y):
                return False
            own, closed = errors(w, right), radius < np.inf
            row = np.max(own, axis=-1, keepdims=True, initial=0) if np.ndim(own) else own
            if np.any((e > radius + SIZE * row) & closed):
                return False
            failing = (e > radius) & np.isfinite(e)
            wrong, due = wrong + bool(np.any(failing)), due + bool(np.any(own > SIZE * radius))
            signs += [(np.sign(y - right)[failing], np.sign((y - right) * right)[failing])]
    if not wrong or 2 * wrong < due:
        return False
    return all(abs(np.mean(np.concatenate(half))) < BALANCE for half in zip(*signs))


def attempt(function, args, kwargs):
    """The results of a function as arrays; None if it returns None or cannot be called."""
    try:
        with np.errstate(all="ignore"):
            answer = function(*args, **kwargs)
    except Exception:
        return None
    return None if answer is None else numbers(answer)


def numbers(answer):
    """The numeric arrays in a result, including those of nested records."""
    if isinstance(answer, (dict, SimpleNamespace)):
        answer = tuple((answer if isinstance(answer, dict) else vars(answer)).values())
    if isinstance(answer, (tuple, list)):
        return tuple(a for part in answer for a in numbers(part))
    a = np.asarray(answer)
    if a.dtype.kind in "US":
        a = np.frombuffer(np.ascontiguousarray(a.astype("U16")).tobytes(), np.uint32)
    if a.dtype.kind == "c":
        a = np.stack([a.real, a.imag])
    return (a.astype(np.longdouble),) if a.dtype.kind in "biuf" else ()
