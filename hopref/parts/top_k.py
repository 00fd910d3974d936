"""The k best scores, with their indices and values; of equals those of lowest index [MO-6].

A state holds its candidates by rising index, fewer than k as long as there were fewer.
"""
from typing import Any, NamedTuple

from hopref.maps import rows, softmax, winners
from hopref.namespace import namespace

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """score (..., k), index (..., k) and value (..., k, v) of the best."""
    score: Any
    index: Any
    drawn: Any
    k: int


def none(z, V, /, *, k):
    """The state of no score."""
    return of(z[..., :0], V[:0, :], k=k)


def of(z, V, /, *, k, start=0):
    """The best of scores (..., n) with values (n, v); their indices begin at ``start``."""
    place = _best(z, k)
    score = namespace(z).take_along_axis(z, place, axis=-1)
    return State(score, place + start, rows(V, place), k)


def merge(a, b, /):
    """The best of both, whichever comes first; no index may be in both."""
    xp, v = namespace(a.score), a.drawn.shape[-1]
    score, index = (xp.concat(pair, axis=-1) for pair in zip(a[:2], b[:2], strict=True))
    rising = xp.argsort(index, axis=-1)
    place = _best(xp.take_along_axis(score, rising, axis=-1), a.k)
    place = xp.take_along_axis(rising, place, axis=-1)
    each = xp.broadcast_to(place[..., None], (*place.shape, v))
    return State(xp.take_along_axis(score, place, axis=-1),
                 xp.take_along_axis(index, place, axis=-1),
                 xp.take_along_axis(xp.concat([a.drawn, b.drawn], axis=-2), each, axis=-2), a.k)


def value(state, /, *, beta=1.0):
    """What the softmax of the best draws from their values, 0 of none."""
    some = state.score.shape[-1] > 0
    p = softmax.formula(state.score, beta=beta) if some else state.score
    return (p[..., None, :] @ state.drawn)[..., 0, :]


def _best(z, k):
    """The places of the k largest, of equals the first, in rising order; all if they are fewer."""
    xp, n = namespace(z), z.shape[-1]
    here = xp.broadcast_to(xp.arange(n), z.shape)
    if n <= k:
        return here
    return xp.argsort(xp.where(winners(z, k) > 0, here, n), axis=-1)[..., :k]
