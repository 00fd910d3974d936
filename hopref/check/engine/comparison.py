"""What of a result is compared, where the convention of the candidate leaves a part open.

A part that is not compared is replaced by the correct one, so that values and laws judge the rest:
results that the candidate does not return, rows that its convention leaves undefined, the constant
of an energy, and the order of columns.
"""
from dataclasses import dataclass, replace

import numpy as np

from hopref.check.peers.conventions import output_names
from hopref.check.tolerance.expected import expected, truth

__all__ = ["Comparison"]

MOST_COLUMNS = 512      # more columns are matched by sorting, since matching costs their cube


@dataclass(frozen=True)
class Comparison:
    """The parts of the results of ``op`` that are compared, by a convention."""
    op: object
    convention: object

    def applied(self, args, kwargs, outcome, profile):
        """The outcome with all results of the op, and the correct values where none is compared."""
        convention = self.convention
        open_ended = convention.returns or convention.up_to or convention.undefined_rows
        if outcome.failure or not open_ended:
            return outcome
        right = expected(self.op, args, kwargs, profile)
        right = right if isinstance(right, tuple) else (right,)
        values = self.complete(outcome.values, right)
        if [np.shape(y) for y in values] != [r.shape for r in right][:len(values)]:
            return outcome
        values = self.compared(args, kwargs, values, right, profile)
        return replace(outcome, values=values, many=outcome.many or len(values) > 1)

    def compared(self, args, kwargs, values, right, profile):
        """Values of the shapes of the correct ones, which replace what is not compared."""
        convention = self.convention
        if convention.up_to == "constant":
            values = (without_constant(values[0], right[0], profile.u), *values[1:])
        if convention.up_to == "columns":
            values = in_order(values, right)
        if convention.undefined_rows:
            values = self.without_undefined(args, kwargs, values, right)
        return values

    @property
    def missing(self):
        """The places of the results of the op that the candidate does not return."""
        names, count = output_names(self.op), len(self.op.outputs)
        offered = {names.index(k) % count for k in self.convention.returns if k != "-"}
        return set(range(count)) - offered if offered else set()

    def complete(self, values, right):
        """All results of the op in its order, if the candidate returned what was declared."""
        names, count = output_names(self.op), len(right)
        offered = [names.index(k) % count for k in self.convention.returns if k != "-"]
        if not offered or len(offered) != len(values):
            return values
        found = dict(zip(offered, values))
        return tuple(found.get(i, r.value) for i, r in enumerate(right))

    def without_undefined(self, args, kwargs, values, right):
        """The results, with the correct values in rows without a visible key."""
        marked = truth(self.op, args, kwargs | {"empty_row": "nan"})
        marked = marked if isinstance(marked, tuple) else (marked,)
        return tuple(np.where(np.isnan(m), r.value.astype(y.dtype), y) if y.dtype.kind == "f" else y
                     for y, r, m in zip(values, right, marked))


def without_constant(y, right, u):
    """The result less a constant with which as many entries as possible keep their tolerance.

    Each entry admits the constants of an interval around its own difference; where all intervals
    have a common point, the middle of their intersection is taken.  To the tolerance of an energy
    the roundings of its sum with the constant are added: entries within them are the correct ones.
    """
    with np.errstate(all="ignore"):
        gap = np.asarray(y, np.longdouble) - right.value
        rounding = 4 * u * float(np.max(np.abs(gap), initial=0))
        radius = right.radius + np.where(np.isfinite(rounding), rounding, 0)
        shift = (np.max(gap - radius, initial=-np.inf) + np.min(gap + radius, initial=np.inf)) / 2
        if not np.isfinite(shift):
            return y
        near = np.abs(gap - shift) <= radius
    return np.where(near, right.value, y - shift).astype(np.asarray(y).dtype)


def in_order(values, right):
    """The results with their columns, the last axes, in the order that is nearest to the correct.

    One order applies to all results with this axis, as to logarithms and signs of features.
    """
    n = right[0].shape[-1]
    same = [i for i, r in enumerate(right) if r.shape[-1:] == (n,)]
    with np.errstate(over="ignore"):
        stack = [np.concatenate([part[i].reshape(-1, n).astype(float) for i in same])
                 for part in (values, [r.value for r in right])]
        order = matched(*stack)
    return tuple(y[..., order] if i in same else y for i, y in enumerate(values))


def matched(y, right):
    """The order of the columns of ``y`` with the smallest distances to those of ``right``."""
    from scipy.optimize import linear_sum_assignment
    if y.shape[-1] > MOST_COLUMNS or not np.all(np.isfinite(y)):
        order = np.empty(y.shape[-1], int)
        order[np.lexsort(right)] = np.lexsort(y)
        return order
    cost = np.zeros((right.shape[-1], y.shape[-1]))
    for mine, theirs in zip(right, y):
        cost += np.minimum(np.abs(mine[:, None] - theirs), 1e300)
    return linear_sum_assignment(cost)[1]
