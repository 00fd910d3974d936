"""Numbers that differ between leading indices: an inverse temperature a state, a head or a query.

A parameter that is a number may be given as an array that is broadcast to the leading axes or, in
operations of queries and keys with axes of their own, as one that has the axis of the queries too.
The operation is then evaluated once for each distinct number, with the arrays at the indices where
it applies, so that all paths and all rules have it, and each result has the bits of a call with a
number.
"""
import math
from collections.abc import Iterator, Mapping, Sequence
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
        self.queries = _queries(op, given, numbers, len(self.lead))
        if self.queries and given.get("causal"):
            self.given = {**given, "mask": _causal(op, given), "causal": False}
        axes = (*self.lead, *(self.queries or (1,)))
        whole = {k: _broadcast(op, k, a, self.lead, self.queries) for k, a in numbers.items()}
        _, group = np.unique(np.stack([np.unique(a, return_inverse=True)[1].reshape(-1)
                                       for a in whole.values()]), axis=1, return_inverse=True)
        blocks = list(_blocks(group.reshape(math.prod(self.lead), axes[-1])))
        self.order = np.concatenate([np.add.outer(rows * axes[-1], queries).reshape(-1)
                                     for rows, queries in blocks] or [np.empty(0, int)])
        self.pieces = [self._piece(*block, whole) for block in blocks]

    def _piece(self, rows: Any, queries: Any, numbers: Numbers) -> dict[str, Any]:
        """The arguments at these leading indices, and queries, which have the same numbers."""
        at = (*np.unravel_index(rows[0], self.lead), queries[0])
        own = {k: self.op.domains[k].validate(k, a[at]) for k, a in numbers.items()}
        for k, dims in self.op.arrays.items():
            v = self.given[k]
            if dims[:1] == ("...",) and hasattr(v, "shape"):
                xp, core = namespace(v), v.shape[len(self.lead):]
                own[k] = xp.take(xp.reshape(v, (math.prod(self.lead), *core)), xp.asarray(rows),
                                 axis=0)
                if self.queries and "l" in dims:
                    own[k] = xp.take(own[k], xp.asarray(queries), axis=dims.index("l"))
        return {**self.given, **own}

    def joined(self, results: Sequence[Any]) -> Any:
        """The results of the pieces as those of the call."""
        if isinstance(results[0], tuple):
            return tuple(self.joined(parts) for parts in zip(*results, strict=True))
        xp, back, axes = namespace(results[0]), np.argsort(self.order), 1 + len(self.queries)
        cells = [xp.reshape(y, (math.prod(y.shape[:axes]), *y.shape[axes:])) for y in results]
        y = xp.take(xp.concat(cells, axis=0), xp.asarray(back), axis=0)
        return xp.reshape(y, (*self.lead, *self.queries, *y.shape[1:]))


def _blocks(group: Any) -> Iterator[tuple[Any, Any]]:
    """The cells of each group as blocks: leading indices, and the queries that these share."""
    for cells in _runs(np.argsort(group, axis=None, kind="stable"), np.sort(group, axis=None)):
        rows, queries = np.divmod(cells, group.shape[1])
        if group.shape[1] == 1:
            yield rows, queries[:1]
            continue
        shared: dict[bytes, list[int]] = {}
        for i in _runs(np.arange(cells.size), rows):
            shared.setdefault(queries[i].tobytes(), []).append(rows[i[0]])
        for own, alike in shared.items():
            yield np.array(alike), np.frombuffer(own, queries.dtype)


def _runs(x: Any, labels: Any) -> list[Any]:
    """The array, divided where the label changes."""
    return np.split(x, np.flatnonzero(np.diff(labels)) + 1) if x.size else []


def _leading_axes(op: Any, given: Mapping[str, Any]) -> tuple[int, ...]:
    """The leading axes, which are those of every array that has them."""
    k = next(k for k, dims in op.arrays.items() if dims[0] == "..." and k not in op.optional)
    shape = given[k].shape
    return tuple(shape[:len(shape) + 1 - len(op.arrays[k])])


def _queries(op: Any, given: Mapping[str, Any], numbers: Numbers, lead: int) -> tuple[int, ...]:
    """The axis of the queries if numbers differ between them, or no axis."""
    if not op.by_query or all(a.ndim <= lead for a in numbers.values()):
        return ()
    k = next(k for k, dims in op.arrays.items() if dims[:2] == ("...", "l"))
    return (given[k].shape[lead],)


def _causal(op: Any, given: Mapping[str, Any]) -> Any:
    """The mask of causal attention, of which queries can be taken."""
    Q, K, align = given["Q"], given["K"], op.domains["align"].resolve(given["align"])
    xp, queries, keys = namespace(Q), Q.shape[-2], K.shape[-2]
    past = xp.ones((*Q.shape[:-1], keys), dtype=xp.bool)
    return xp.tril(past, k=align(queries, keys)) & given["mask"]


def _broadcast(op: Any, k: str, a: Any, lead: tuple[int, ...], queries: tuple[int, ...]) -> Any:
    """The numbers for all leading indices and queries, one for all queries if they are alike."""
    own = queries if a.ndim > len(lead) else ()
    ends = zip(reversed(a.shape), reversed((*lead, *own)))
    if a.ndim > len((*lead, *own)) or any(size not in (1, most) for size, most in ends):
        other = next(name for name, dims in op.arrays.items() if dims[0] == "...")
        further = ", or with one more axis to these and the queries" if op.by_query else ""
        raise ShapeError(f"{k} must be a number, or broadcast to the leading axes {lead} of "
                         f"{other}{further}; got {k} of shape {a.shape}")
    return np.broadcast_to(a if own else a[..., None], (*lead, *(queries or (1,))))
