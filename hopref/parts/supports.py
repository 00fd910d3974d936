r"""Supports of sparse maps: the patterns that may have a positive weight [MO-4].

The threshold tau of a sparse map solves ``sum f(z_i - tau) = 1``, with f increasing and 0 below 0.
Further scores can only raise it, because the sum over all scores is at least 1 at the threshold of
some of them.  Hence the support of a union is contained in the union of the supports, and it is
exact to keep these and to solve again: for sparsemax, entmax (alpha > 1), normmax and k-subsets
(with k in place of 1; fewer than k scores are all kept).  Softmax has no such part, because all its
weights are positive.

A pattern is kept if it is in the support of at least one state.  The number of kept patterns
depends on the data; on a device each merge is synchronised to read it.
"""
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.errors import DomainError
from hopref.maps import entmax, k_subsets, normmax
from hopref.parts.operations import Chunked
from hopref.parts.softmax import bounded

__all__ = ["State", "empty", "from_chunk", "merge", "value", "at_most"]


class State(NamedTuple):
    """Scores (..., k) and values (k, v) of the candidates, and the map from scores to weights."""
    scores: Any
    values: Any
    weigh: Callable


def empty(z, V, /, weigh):
    """The state of no candidate."""
    return from_chunk(z[..., :0], V[:0, :], weigh)


def from_chunk(z, V, /, weigh):
    """The candidates among scores (..., n) with values (n, v)."""
    return _kept(State(z, V, weigh))


def merge(a, b, /):
    """The candidates of both states together."""
    xp = namespace(a.scores)
    return _kept(State(xp.concat([a.scores, b.scores], axis=-1),
                       xp.concat([a.values, b.values], axis=0), a.weigh))


def value(state, /):
    """The weighted sum of the values (..., v)."""
    return _weights(state) @ state.values


def _kept(state):
    """The state without candidates whose weight is 0 for all states; NaN keeps all candidates."""
    xp, k = namespace(state.scores), state.scores.shape[-1]
    p = _weights(state)
    needed = xp.reshape(p != 0, (math.prod(p.shape[:-1]), k))
    here, = xp.nonzero(xp.any(needed, axis=0))
    return State(xp.take(state.scores, here, axis=-1), xp.take(state.values, here, axis=0),
                 state.weigh)


def _weights(state):
    """The weights of the candidates; the empty scores if there is none."""
    return state.weigh(state.scores) if math.prod(state.scores.shape) else state.scores


def at_most(z, /, *, k, beta):
    """The k-subsets map, with k reduced to the number of scores."""
    return k_subsets.formula(z, k=min(k, z.shape[-1]), beta=beta)


# -- the operations -------------------------------------------------------------------------------

def from_entmax(*, xi, X, beta, alpha):
    if alpha == 1:
        raise DomainError("alpha must be above 1 where patterns come in chunks (modern.update is "
                          "alpha = 1); got alpha=1")
    return from_chunk(bounded(xi @ X.T), X, partial(entmax.formula, beta=beta, alpha=alpha))


def from_normmax(*, xi, X, beta, gamma):
    return from_chunk(bounded(xi @ X.T), X, partial(normmax.formula, beta=beta, gamma=gamma))


def from_subsets(*, xi, X, beta, k):
    return from_chunk(bounded(xi @ X.T), X, partial(at_most, k=k, beta=beta))


def weighted_sum(state, **_):
    return value(state)


OPERATIONS = {
    "sparse.update": Chunked("n", from_entmax, weighted_sum),
    "sparse.normmax_update": Chunked("n", from_normmax, weighted_sum),
    "sparse.k_subsets_update": Chunked("n", from_subsets, weighted_sum),
}
