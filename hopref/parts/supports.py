r"""Supports of sparse maps: who has a weight at all, and who may have one later [MO-4].

The threshold of a sparse map can only rise when scores join: ``sum f(z_i - tau) = 1``, f increasing
and 0 below 0, holds for the part at a tau at which the whole already has more than 1.  So the
support of a union lies within the union of the supports, and to keep these and to solve again is
exact: for sparsemax, entmax (alpha > 1), normmax and k-subsets (with k in place of 1; of fewer than
k scores all are kept).  It is not for softmax, whose support is everything.

For several states a pattern is kept if any of them needs it.  How many are kept depends on the
data; on a device each merge waits for their number.
"""
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.errors import DomainError
from hopref.maps import entmax, k_subsets, normmax
from hopref.parts.served import Served
from hopref.parts.softmax import absolute

__all__ = ["State", "none", "of", "merge", "value", "at_most"]


class State(NamedTuple):
    """Scores (..., k) and patterns (k, v) of the candidates, and their map from scores to weights.
    """
    scores: Any
    values: Any
    weigh: Callable


def none(z, V, /, weigh):
    """The state of no candidate."""
    return of(z[..., :0], V[:0, :], weigh)


def of(z, V, /, weigh):
    """The candidates among scores (..., n) with values (n, v)."""
    return _kept(State(z, V, weigh))


def merge(a, b, /):
    """The candidates of both together."""
    xp = namespace(a.scores)
    return _kept(State(xp.concat([a.scores, b.scores], axis=-1),
                       xp.concat([a.values, b.values], axis=0), a.weigh))


def value(state, /):
    """The weighted sum of the values (..., v)."""
    return _weights(state) @ state.values


def _kept(state):
    """Without those that have no weight in any state; NaN keeps all."""
    xp, k = namespace(state.scores), state.scores.shape[-1]
    p = _weights(state)
    needed = xp.reshape(p != 0, (math.prod(p.shape[:-1]), k))
    here, = xp.nonzero(xp.any(needed, axis=0))
    return State(xp.take(state.scores, here, axis=-1), xp.take(state.values, here, axis=0),
                 state.weigh)


def _weights(state):
    """Their map of the scores; there is none of no scores."""
    return state.weigh(state.scores) if math.prod(state.scores.shape) else state.scores


def at_most(z, /, *, k, beta):
    """k-subsets of as many as there are."""
    return k_subsets.formula(z, k=min(k, z.shape[-1]), beta=beta)


# -- the operations -------------------------------------------------------------------------------

def of_entmax(*, xi, X, beta, alpha):
    if alpha == 1:
        raise DomainError("alpha must be above 1 where patterns come in chunks (modern.update is "
                          "alpha = 1); got alpha=1")
    return of(absolute(xi @ X.T), X, partial(entmax.formula, beta=beta, alpha=alpha))


def of_normmax(*, xi, X, beta, gamma):
    return of(absolute(xi @ X.T), X, partial(normmax.formula, beta=beta, gamma=gamma))


def of_subsets(*, xi, X, beta, k):
    return of(absolute(xi @ X.T), X, partial(at_most, k=k, beta=beta))


def drawn(state, **_):
    return value(state)


SERVED = {
    "sparse.update": Served("n", of_entmax, drawn),
    "sparse.normmax_update": Served("n", of_normmax, drawn),
    "sparse.k_subsets_update": Served("n", of_subsets, drawn),
}
