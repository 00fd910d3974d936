"""Numbers that differ between leading indices: an inverse temperature a state, or a head.

A parameter that is a number may be given as an array that is broadcast to the leading axes.  The
operation is then evaluated once for each distinct number, with the arrays at the leading indices
where it applies, so that all paths and all rules have it, and each result has the bits of a call
with a number.
"""
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hopref.dispatch.namespace import namespace
from hopref.dispatch.validation import numpy_array
from hopref.errors import ShapeError

__all__ = ["varied", "firsts", "Split"]

Numbers = dict[str, Any]            # arrays, by the name of the parameter


def varied(op: Any, given: Mapping[str, Any]) -> Numbers:
    """The parameters that are given as arrays of numbers, each of which is valid."""
    numbers = {k: numpy_array(k, v) for k, v in given.items() if k in op.by_row
               and (isinstance(v, (list, tuple)) or isinstance(v, np.ndarray) and v.ndim)}
    for k, a in numbers.items():
        _, first = np.unique(a, return_index=True)
        for at in zip(*np.unravel_index(np.sort(first), a.shape)):
            op.domains[k].validate(f"{k}[{', '.join(map(str, at))}]", a[at].item())
    return numbers


def firsts(op: Any, numbers: Numbers) -> dict[str, Any]:
    """One number of each array, by which the other arguments can be validated."""
    return {k: a.flat[0] if a.size else op.defaults.get(k, 1.0) for k, a in numbers.items()}


class Split:
    """Validated arguments divided by the distinct numbers; the results are joined again."""

    def __init__(self, op: Any, given: Mapping[str, Any], numbers: Numbers) -> None:
        self.op, self.given = op, given
        self.lead = _leading_axes(op, given)
        codes = [np.unique(_broadcast(op, k, a, self.lead), return_inverse=True)[1]
                 for k, a in numbers.items()]
        _, group, sizes = np.unique(np.stack([c.reshape(-1) for c in codes]), axis=1,
                                    return_inverse=True, return_counts=True)
        self.order = np.argsort(group.reshape(-1), kind="stable")
        groups = np.split(self.order, np.cumsum(sizes)[:-1]) if self.order.size else []
        self.pieces = [self._piece(rows, numbers) for rows in groups]

    def _piece(self, rows: Any, numbers: Numbers) -> dict[str, Any]:
        """The arguments at these leading indices, which have the same numbers."""
        at = np.unravel_index(rows[0], self.lead)
        own = {k: self.op.domains[k].validate(k, np.broadcast_to(a, self.lead)[at])
               for k, a in numbers.items()}
        for k, dims in self.op.arrays.items():
            v = self.given[k]
            if dims[:1] == ("...",) and hasattr(v, "shape"):
                xp, core = namespace(v), v.shape[len(self.lead):]
                own[k] = xp.take(xp.reshape(v, (math.prod(self.lead), *core)), xp.asarray(rows),
                                 axis=0)
        return {**self.given, **own}

    def joined(self, results: Sequence[Any]) -> Any:
        """The results of the pieces as those of the call."""
        if isinstance(results[0], tuple):
            return tuple(self.joined(parts) for parts in zip(*results, strict=True))
        xp, back = namespace(results[0]), np.argsort(self.order)
        y = xp.take(xp.concat(results, axis=0), xp.asarray(back), axis=0)
        return xp.reshape(y, (*self.lead, *y.shape[1:]))


def _leading_axes(op: Any, given: Mapping[str, Any]) -> tuple[int, ...]:
    """The leading axes, which are those of every array that has them."""
    k = next(k for k, dims in op.arrays.items() if dims[0] == "..." and k not in op.optional)
    shape = given[k].shape
    return tuple(shape[:len(shape) + 1 - len(op.arrays[k])])


def _broadcast(op: Any, k: str, a: Any, lead: tuple[int, ...]) -> Any:
    """The numbers for all leading indices."""
    ends = zip(reversed(a.shape), reversed(lead))
    if a.ndim > len(lead) or any(size not in (1, own) for size, own in ends):
        other = next(name for name, dims in op.arrays.items() if dims[0] == "...")
        raise ShapeError(f"{k} must be a number, or broadcast to the leading axes {lead} of "
                         f"{other}; got {k} of shape {a.shape}")
    return np.broadcast_to(a, lead)
