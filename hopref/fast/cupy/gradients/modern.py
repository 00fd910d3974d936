"""`hopref.gradients.modern` by tiles of patterns, without an array of M x N scores."""
import math

from hopref.fast.cupy._softmax_gradient import softmax_gradient
from hopref.fast.cupy._tiles import Tiles, arithmetic, exact_threshold, in_arithmetic

__all__ = ["update", "thresholded_update"]


def update(g, xi, X, /, *, beta=1.0):
    dxi, dkeys, dX, dbeta = _gradient(g, xi, X, X, beta)
    dX += dkeys
    return dxi, dX, dbeta


def thresholded_update(g, xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    S, kept = side
    theta = exact_threshold(theta, xi.dtype, S)
    dxi, dkeys, dX, dbeta = _gradient(g, S(xi, theta), S(X, theta), X, beta)
    dX += kept(dkeys, X, theta)
    return kept(dxi, xi, theta), dX, dbeta


def _gradient(g, xi, keys, X, beta):
    """The gradients of the states, the keys, the patterns as values, and beta."""
    import cupy

    dtype, real, rows = xi.dtype, arithmetic(xi.dtype, beta), math.prod(xi.shape[:-1])
    g, states, keys, X = in_arithmetic(cupy, real, g, xi, keys, X)
    g, states = (cupy.reshape(a, (rows, a.shape[-1])) for a in (g, states))
    found = softmax_gradient(Tiles(cupy, states, keys, float(beta)), g, X)
    dxi, dkeys, dX, dbeta = (cupy.astype(a, dtype, copy=False) for a in found)
    return cupy.reshape(dxi, xi.shape), dkeys, dX, dbeta
