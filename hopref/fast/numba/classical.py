"""`hopref.models.classical`: signs of fields, all at once or one site at a time.

Without W, fields are two products with the patterns.  If the patterns and the states are integers,
so that all sums are, the results are bit for bit those of the formula; they are computed in single
precision if that adds them exactly.  Clipped weights and their cues are bits.
"""
import math

import numpy as np

from hopref import maps
from hopref.fast.numba._bits import packed
from hopref.fast.numba._jit import njit
from hopref.fast.numba._signs import (
    are_polar,
    few_states,
    largest_integer,
    signs_of_patterns,
    signs_of_weights,
)
from hopref.fast.numba._sweeps import DRAW, SIGN, sweep_patterns, swept, visited_alone
from hopref.models import classical

__all__ = ["update", "low_rank_update", "asynchronous_update", "glauber_update",
           "low_rank_asynchronous_update", "willshaw_update"]


def update(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    d, new = xi.shape[-1], np.empty_like(xi)
    rows = math.prod(xi.shape[:-1]), d
    signs_of_weights(xi.reshape(rows), W, np.zeros(d) + b, new.reshape(rows), few_states(xi),
                     ties is maps.plus, states)
    return new


def low_rank_update(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                    states="polar"):
    few, d, count = few_states(xi), X.shape[1], math.prod(xi.shape[:-1])
    carrier = xi.dtype if few and xi.dtype == np.float64 else _carrier(xi, X)
    x, new = xi.reshape(count, d), np.empty((count, d), carrier)
    exact = carrier == np.float32 or not zero_diagonal or _adds_exactly(x, X, 2.0**53)
    left, reach = np.zeros(0 if exact else count, np.bool_), np.zeros(0 if exact else d)
    if not exact:                   # the difference of two sums may be their rounding errors
        size = np.abs(X, dtype=np.float64)
        reach = 2.0**-52 * (d + len(X) + 4) * (size.sum(axis=1) @ size)
    signs_of_patterns(x.astype(carrier, copy=False), X.astype(carrier, copy=False),
                      np.zeros(d) + b, _diagonal(X, zero_diagonal), reach, scale, new, left,
                      few, not few and carrier == np.float32 and are_polar(x, X),
                      ties is maps.plus, states)
    for m in np.flatnonzero(left):
        new[m] = classical.low_rank_update.formula(
            x[m].astype(np.float64), X.astype(np.float64), np.asarray(b, np.float64), scale=scale,
            zero_diagonal=True, ties=ties, states=states)
    return new.astype(xi.dtype, copy=False).reshape(xi.shape)


def asynchronous_update(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    uniforms = np.empty((math.prod(xi.shape[:-1]), 0), xi.dtype)
    return swept(xi, W, b, order, uniforms, SIGN, 1.0, ties is maps.plus, states)


def glauber_update(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    draws = uniforms.reshape(math.prod(xi.shape[:-1]), len(order))
    return swept(xi, W, b, order, draws, DRAW, beta * (1 - states), False, states)


def low_rank_asynchronous_update(xi, X, b=0.0, /, *, order, scale=1.0, zero_diagonal=False,
                                 ties="keep", states="polar"):
    carrier, d = _carrier(xi, X), X.shape[1]
    new, rule = xi.astype(carrier), (scale, _diagonal(X, zero_diagonal), np.zeros(d) + b)
    sweep_patterns(new.reshape(math.prod(xi.shape[:-1]), d), X.astype(carrier, copy=False), order,
                   rule, visited_alone(xi), ties is maps.plus, states)
    return new.astype(xi.dtype, copy=False)


def _carrier(xi, X):
    """float32 if every sum is an integer that float32 represents exactly, otherwise float64."""
    return np.float32 if _adds_exactly(xi, X, 2.0**24) else np.float64


def _adds_exactly(xi, X, bound):
    """Whether all sums are integers below ``bound`` in size."""
    x, s = largest_integer(X.reshape(-1)), max(1.0, largest_integer(xi.reshape(-1)))
    return X.size * x * x * s < bound


def _diagonal(X, zero_diagonal):
    return _squares(X) if zero_diagonal else np.zeros(X.shape[1])


@njit
def _squares(X):
    squares = np.zeros(X.shape[1])
    for i in range(len(X)):
        for j in range(X.shape[1]):
            squares[j] += np.float64(X[i, j]) * X[i, j]
    return squares


def willshaw_update(x, W, /):
    *lead, d = x.shape
    (active, binary), (connected, known) = (packed(a, 0.0) for a in (
        x.reshape(math.prod(lead), d), W))
    if not (binary and known):                              # not finite
        wide = (a.astype(np.float64) for a in (x, W))
        return classical.willshaw_update.formula(*wide).astype(x.dtype)
    y = np.empty((len(active), len(W)), x.dtype)
    _cover(active, connected, y)
    return y.reshape(*lead, len(W))


@njit
def _cover(x, W, y):
    """Fill y with whether the bits of each row of x are among those of each row of W."""
    for m in range(len(x)):
        for i in range(len(W)):
            y[m, i] = 1
            for k in range(x.shape[1]):
                if x[m, k] & ~W[i, k]:
                    y[m, i] = 0
                    break
