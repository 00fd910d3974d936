"""The k largest scores with their indices and values; ties go to the lowest index [MO-6].

A state holds its candidates in the order of their indices, and fewer than k if there are fewer
scores.  The rows of the second part follow those of the first: the order of the parts is that of
the indices.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import among_largest, rows, softmax
from hopref.parts.operations import Chunked
from hopref.parts.softmax import bounded

__all__ = ["State", "empty", "from_chunk", "merge", "value"]


class State(NamedTuple):
    """Scores (..., k), indices (..., k) and values (..., k, v) of the largest of ``count``."""
    score: Any
    index: Any
    values: Any
    count: int
    k: int


def empty(z, V, /, *, k):
    """The state of no score."""
    return from_chunk(z[..., :0], V[:0, :], k=k)


def from_chunk(z, V, /, *, k):
    """The largest of the scores (..., n), with values (n, v)."""
    place = _best(z, k)
    score = namespace(z).take_along_axis(z, place, axis=-1)
    return State(score, place, rows(V, place), z.shape[-1], k)


def merge(a, b, /):
    """The largest scores of both; the rows of b follow those of a."""
    xp, v = namespace(a.score), a.values.shape[-1]
    score = xp.concat([a.score, b.score], axis=-1)
    index = xp.concat([a.index, a.count + b.index], axis=-1)
    values = xp.concat([a.values, b.values], axis=-2)
    place = _best(score, a.k)
    each = xp.broadcast_to(place[..., None], (*place.shape, v))
    return State(xp.take_along_axis(score, place, axis=-1),
                 xp.take_along_axis(index, place, axis=-1),
                 xp.take_along_axis(values, each, axis=-2), a.count + b.count, a.k)


def value(state, /, *, beta=1.0):
    """The softmax mean of the values, 0 if there is none."""
    some = state.score.shape[-1] > 0
    p = softmax.formula(state.score, beta=beta) if some else state.score
    return (p[..., None, :] @ state.values)[..., 0, :]


def _best(z, k):
    """Ascending indices of the k largest scores, the first of equal ones; NaN is always kept."""
    xp, n = namespace(z), z.shape[-1]
    here = xp.broadcast_to(xp.arange(n), z.shape)
    if n <= k:
        return here
    rank = xp.where(among_largest(z, k), here, n + here)
    return xp.argsort(rank, axis=-1)[..., :k]


# -- the operations -------------------------------------------------------------------------------

def from_patterns(*, xi, X, k, **_):
    return from_chunk(bounded(xi @ X.T), X, k=k)


def weighted_sum(state, *, beta, **_):
    return value(state, beta=beta)


OPERATIONS = {
    "structured.top_k_update": Chunked("n", from_patterns, weighted_sum),
}
