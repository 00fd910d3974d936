"""Estimation of the number that distinguishes the bugs of a family, from one entry of a result.

The number solves ``bug(number) = candidate`` at the failing entry that determines it best, the one
with the largest error in units of its tolerance.  It is rounded to the fewest digits with which the
bug explains every case; a number with which it does not is not reported.
"""
from dataclasses import dataclass

import numpy as np

from hopref.check.engine.explanation import NEARER, explains

__all__ = ["Estimate", "estimated"]

SIZES = 10.0 ** np.arange(-14, 5)       # distances from the number without effect
FACTORS = 10.0 ** (np.arange(-12, 13) / 4)
MOST_ENTRIES = 6                        # of results, with which a number is estimated
DIGITS = (1, 2, 3, 4, 6, 9, 17)
STEPS = 60                              # of the solution of one equation
NEAR = 2.0**-20                         # relative step of a derivative


@dataclass(frozen=True)
class Estimate:
    """A bug of a family, what it leaves unexplained, and its number."""
    name: str
    unexplained: float
    value: float
    error: float

    @property
    def numbers(self):
        return {"value": self.value, "standard error": self.error, "unexplained": self.unexplained}


def estimated(family, answers):
    """The bug of a family that explains the answers, as an `Estimate`, or None."""
    entries = best_entries(answers)     # of which the first may not depend on the number
    for entry in entries[::-(-len(entries) // MOST_ENTRIES) or 1]:
        if (found := from_entry(family, answers, *entry)) is not None:
            return found
    return None


def from_entry(family, answers, it, output, at):
    """The estimate from one entry of a result of one answer, or None."""
    def miss(number):
        wrong = it.wrong(family.at(number))
        if wrong is None or np.shape(wrong[output]) != np.shape(it.values[output]):
            return np.nan
        return wrong[output][at] - it.values[output][at]
    with np.errstate(all="ignore"):
        for number in roots(miss, tested(family.neutral)):
            step = NEAR * (abs(number) or 1.0)
            slope = (miss(number + step) - miss(number)) / step
            radius = it.radius[output][at]
            error = float(radius / abs(slope)) if slope else np.inf
            if (best := rounded(family, number, error, answers)) is not None:
                return best
    return None


def rounded(family, number, error, answers):
    """The estimate with the fewest digits that explains the answers, or None."""
    if number == 0 or not abs(number - family.neutral) > NEARER / 10 * error:
        return None
    for digits in DIGITS:
        short = float(f"{number:.{digits}g}")
        bug = family.at(short)
        if short != family.neutral and (left := explains(bug, answers)) is not None:
            return Estimate(bug.name, left, short, error)
    return None


def best_entries(answers):
    """Triples (answer, result, index): the largest error in bounds of each result, largest first.
    """
    found = []
    for it in answers:
        for i, (y, right, radius, e) in enumerate(zip(it.values, it.right, it.radius, it.errors)):
            ratio = np.where(np.isfinite(e) & np.isfinite(y) & np.isfinite(right)
                             & (radius > 0), e / np.where(radius > 0, radius, 1), 0)
            if ratio.size and ratio.max() > 1:
                found.append((ratio.max(), it, i, np.unravel_index(ratio.argmax(), ratio.shape)))
    return [entry for _, *entry in sorted(found, key=lambda entry: -entry[0])]


def tested(neutral):
    """Numbers in order, between which the equation is solved."""
    if neutral == 0:
        return np.concatenate([-SIZES[::-1], [0.0], SIZES])
    return np.concatenate([-FACTORS[::-4], [0.0], FACTORS])


def roots(miss, tested):
    """The numbers at which ``miss`` changes its sign, by the Illinois method, positive ones first.

    An entry that does not depend on the number has none.
    """
    values = [miss(c) for c in tested]
    found = []
    for (a, fa), (b, fb) in zip(zip(tested, values), zip(tested[1:], values[1:])):
        if fa == 0 and fb != 0:
            found.append(float(a))
        elif fa * fb < 0:
            found.append(solved(miss, a, fa, b, fb))
    return sorted(found, key=lambda c: (c < 0, abs(c)))


def solved(miss, a, fa, b, fb):
    """A zero between two numbers with values of opposite signs."""
    for _ in range(STEPS):
        c = b - fb * (b - a) / (fb - fa)
        fc = miss(c)
        if fc == 0 or not np.isfinite(fc) or abs(c - b) <= 2.0**-53 * abs(c):
            return float(c)
        if fc * fb < 0:
            a, fa = b, fb
        else:
            fa = fa / 2
        b, fb = c, fc
    return float(b)
