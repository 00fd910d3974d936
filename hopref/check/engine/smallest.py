"""The smallest failing input: a failing case is reduced while the candidate fails it.

A step takes away a leading axis, a part of an axis of all arrays that have it, or an option, or it
replaces numbers by rounder ones.  It is kept if the operation accepts the arguments and the values
of the candidate still violate their tolerance.  The number of calls and the time are bounded.
Rounder numbers are multiples of powers of two, which every number format holds.
"""
from dataclasses import dataclass
from time import monotonic

import numpy as np

from hopref.check.cases.generator import Case, accepts
from hopref.check.cases.literals import as_call
from hopref.check.engine.candidate import InProcess
from hopref.check.engine.errors import ratios, worst_entry
from hopref.check.tolerance.expected import expected, truth

__all__ = ["Smallest", "reduced", "smallest_of"]

MOST_CALLS, MOST_SENT = 300, 120        # calls of a candidate in this process, and in another one
MOST_SECONDS = 5.0      # if the candidate or the operation is slow
ROUNDINGS = 4.0         # an error of so many roundings is within any tolerance
MOST_NUMBERS = 64                       # in a literal
UNITS = (1.0, 0.5, 0.125, 2.0**-6)      # of which numbers become multiples
SINGLY = 16                             # entries of an array that are replaced one by one


@dataclass(frozen=True)
class Smallest:
    """A call as a literal, and what it gives at the worst entry."""
    call: str
    gives: str


def smallest_of(trial):
    """The smallest failing input of a trial with wrong values, as `Smallest`, or None."""
    if not trial.wrong or trial.wrong[0].name == "input":
        return None
    case = min(trial.wrong, key=lambda case: sum(np.size(a) for a in given_of(trial.op, case)
                                                 .values()))
    search = Search(trial)
    given = reduced(given_of(trial.op, case), moves_of(trial.op), search.fails)
    if not search.found or sum(np.size(a) for a in given.values()) > MOST_NUMBERS:
        return None
    i, at, got, want = search.found
    output = f"output {i}, " if len(trial.op.outputs) > 1 else ""
    place = f"at {list(at)}: " if at else ""
    return Smallest(as_call(trial.op, given), f"{output}{place}got {got!r}, right is {want!r}")


def given_of(op, case):
    """The arguments of a case by name."""
    return {**dict(zip(op.signature.parameters, case.args)), **case.kwargs}


def case_of(op, given):
    """The case with these arguments."""
    kinds = op.signature.parameters
    args = tuple(v for k, v in given.items() if kinds[k].kind is kinds[k].POSITIONAL_ONLY)
    return Case("input", args, {k: v for k, v in given.items()
                                if kinds[k].kind is not kinds[k].POSITIONAL_ONLY})


class Search:
    """Calls of the candidate of a trial, until their number or the time is used up."""
    def __init__(self, trial):
        self.trial, self.found = trial, None
        self.left = MOST_CALLS if isinstance(trial.candidate, InProcess) else MOST_SENT
        self.end = monotonic() + MOST_SECONDS

    @property
    def over(self):
        return self.left <= 0 or monotonic() > self.end

    def fails(self, given):
        """Whether the values of the candidate violate their tolerance; None if the search is over.
        """
        trial, case = self.trial, case_of(self.trial.op, given)
        if self.over:
            return None
        if not accepts(trial.op, case):
            return False
        self.left -= 1
        outcome = trial.candidate.call(case.args, case.kwargs)
        outcome = trial.comparison.applied(case.args, case.kwargs, outcome, trial.profile)
        if outcome.failure in ("crash", "timeout", "resource"):
            self.left = 0
        right = truth(trial.op, case.args, case.kwargs)
        right = right if isinstance(right, tuple) else (right,)
        if outcome.failure or any(y.shape != r.shape for y, r in zip(outcome.values, right)) \
                or self.equal(outcome.values, right):
            return False
        right = expected(trial.op, case.args, case.kwargs, trial.profile)
        right = right if isinstance(right, tuple) else (right,)
        found = [np.max(ratios(y, r), initial=0) for y, r in zip(outcome.values, right)]
        i = int(np.argmax(found)) if found else 0
        if not found or found[i] <= 1:
            return False
        _, at, got, want, _ = worst_entry(outcome.values[i], right[i])
        self.found = i, at, got, want
        return True

    def equal(self, values, right):
        """Whether values are right to a few roundings, for which no tolerance is computed."""
        values = [y.astype(np.longdouble) for y in values]
        with np.errstate(all="ignore"):
            return all(np.all((np.abs(y - r) <= ROUNDINGS * self.trial.profile.u * np.abs(r))
                              | (y == r) | np.isnan(y) & np.isnan(r))
                       for y, r in zip(values, right))


def reduced(given, moves, fails):
    """The arguments after all moves with which ``fails`` stays true, which it must be first."""
    if not fails(given):
        return given
    again = True
    while again:
        again = False
        for move in moves:
            for changed in move(given):
                kept = fails(changed)
                if kept is None:
                    return given
                if kept:
                    given, again = changed, True
                    break
    return given


def moves_of(op):
    """The functions that propose smaller arguments, those that take away most first."""
    letters = dict.fromkeys(d for dims in op.arrays.values() for d in dims if d != "...")
    return [lambda given: without_options(op, given), lambda given: without_lead(op, given),
            *(lambda given, d=d: shorter(op, given, d) for d in letters), rounder, simpler]


def without_options(op, given):
    for k in given:
        if op.signature.parameters[k].default is not op.signature.empty:
            yield {name: v for name, v in given.items() if name != k}


def without_lead(op, given):
    """The first element of the first leading axis."""
    lead = {k: given[k].ndim - len(op.arrays[k]) + 1 for k in op.arrays
            if op.arrays[k][:1] == ("...",) and isinstance(given.get(k), np.ndarray)}
    most = max(lead.values(), default=0)
    for at in range(3) if most else ():
        if all(given[k].shape[0] > at for k, n in lead.items() if n == most):
            yield {k: copied(v[at]) if lead.get(k) == most else v for k, v in given.items()}


def copied(a):
    return np.array(a)


def shorter(op, given, d):
    """Fewer entries along the axis ``d`` of all arrays that have it."""
    places = {k: [i - len(dims) for i, name in enumerate(dims) if name == d]
              for k, dims in op.arrays.items() if isinstance(given.get(k), np.ndarray)}
    size = max((given[k].shape[i] for k, axes in places.items() for i in axes), default=0)
    parts = [np.arange(size // 2), np.arange(size // 2, size)] if size > 3 else []
    parts += [np.delete(np.arange(size), i) for i in range(min(size, SINGLY))] if size > 1 else []
    for part in parts:
        changed = dict(given)
        for k, axes in places.items():
            for i in axes:
                changed[k] = copied(np.take(changed[k], part, axis=i)) \
                    if changed[k].shape[i] == size else changed[k]
        yield changed


def is_real(v):
    return isinstance(v, np.ndarray) and v.dtype.kind == "f" and v.size > 0


def rounder(given):
    """The numbers of one argument as multiples of a power of two."""
    for k, v in given.items():
        if is_real(v) or type(v) is float:
            for unit in UNITS:
                with np.errstate(all="ignore"):
                    new = np.rint(v / unit) * unit + 0.0        # no -0
                new = np.asarray(new, v.dtype) if is_real(v) else float(new)
                if np.array_equal(new, v, equal_nan=True):
                    break
                yield given | {k: new}


def simpler(given):
    """One number of one argument replaced by 0 or 1."""
    for k, v in given.items():
        if type(v) is float and v not in (0.0, 1.0, 2.0):
            yield from (given | {k: new} for new in (1.0, 2.0))
        if not is_real(v) or v.size > SINGLY:
            continue
        for at in np.ndindex(v.shape):
            for new in (0.0, 1.0):
                if v[at] == new:
                    break
                changed = np.array(v)
                changed[at] = new
                yield given | {k: changed}
