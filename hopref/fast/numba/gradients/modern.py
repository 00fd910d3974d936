"""`hopref.gradients.modern` by tiles of patterns, without an array of M x N scores."""
import math

from hopref.fast.numba._softmax import absent
from hopref.fast.numba._softmax_gradient import softmax_gradient
from hopref.fast.numba.gradients import by_formula
from hopref.gradients import modern

__all__ = ["update", "thresholded_update"]


def update(g, xi, X, /, *, beta=1.0):
    found = _gradient(g, xi, X, X, beta)
    if found is None:
        return by_formula(modern.update.formula, g, xi, X, beta=beta)
    dxi, dX, _, dbeta = found
    return dxi.reshape(xi.shape), dX, dbeta


def thresholded_update(g, xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    S, kept = side
    found = _gradient(g, *(S(a, xi.dtype.type(theta)) for a in (xi, X)), X, beta)
    if found is None:
        return by_formula(modern.thresholded_update.formula, g, xi, X, beta=beta, theta=theta,
                           side=side)
    dxi, dkeys, dX, dbeta = found
    return kept(dxi.reshape(xi.shape), xi, theta), dX + kept(dkeys, X, theta), dbeta


def _gradient(g, xi, keys, X, beta):
    d, rows = X.shape[1], math.prod(xi.shape[:-1])
    return softmax_gradient(g.reshape(rows, d), xi.reshape(rows, d), keys, X, beta, absent(bool),
                            absent(X.dtype), len(X), absent(X.dtype))
