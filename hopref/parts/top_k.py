"""The k best scores, with their indices and values; of equals those of lowest index [MO-6].

A state holds its candidates by rising index, fewer than k as long as there were fewer.  The rows of
the second part come after those of the first: the order of the parts is that of the indices.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import rows, softmax, winners
from hopref.parts.served import Served
from hopref.parts.softmax import absolute

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """score (..., k), index (..., k) and value (..., k, v) of the best of ``count`` rows."""
    score: Any
    index: Any
    drawn: Any
    count: int
    k: int


def none(z, V, /, *, k):
    """The state of no score."""
    return of(z[..., :0], V[:0, :], k=k)


def of(z, V, /, *, k):
    """The best of scores (..., n) with values (n, v)."""
    place = _best(z, k)
    score = namespace(z).take_along_axis(z, place, axis=-1)
    return State(score, place, rows(V, place), z.shape[-1], k)


def merge(a, b, /):
    """The best of the rows of a, then those of b."""
    xp, v = namespace(a.score), a.drawn.shape[-1]
    score = xp.concat([a.score, b.score], axis=-1)
    index = xp.concat([a.index, a.count + b.index], axis=-1)
    drawn = xp.concat([a.drawn, b.drawn], axis=-2)
    place = _best(score, a.k)
    each = xp.broadcast_to(place[..., None], (*place.shape, v))
    return State(xp.take_along_axis(score, place, axis=-1),
                 xp.take_along_axis(index, place, axis=-1),
                 xp.take_along_axis(drawn, each, axis=-2), a.count + b.count, a.k)


def value(state, /, *, beta=1.0):
    """What the softmax of the best draws from their values, 0 of none."""
    some = state.score.shape[-1] > 0
    p = softmax.formula(state.score, beta=beta) if some else state.score
    return (p[..., None, :] @ state.drawn)[..., 0, :]


def _best(z, k):
    """The places of the k largest, of equals the first, in rising order; all if they are fewer.
    NaN is never left out."""
    xp, n = namespace(z), z.shape[-1]
    here = xp.broadcast_to(xp.arange(n), z.shape)
    if n <= k:
        return here
    won = winners(z, k)
    rank = xp.where(won > 0, here, xp.where(won == 0, n + here, here - n))
    return xp.argsort(rank, axis=-1)[..., :k]


# -- the operations -------------------------------------------------------------------------------

def of_patterns(*, xi, X, k, **_):
    return of(absolute(xi @ X.T), X, k=k)


def drawn(state, *, beta, **_):
    return value(state, beta=beta)


SERVED = {
    "structured.top_k_update": Served("n", of_patterns, drawn),
}
