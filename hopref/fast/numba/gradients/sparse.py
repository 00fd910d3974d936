"""`hopref.gradients.sparse` for some states at a time: sums over the supports of the weights.

Where scores or results leave the range of single precision, all are computed in double precision,
and where they leave that, by the formula.
"""
import math

import numpy as np

from hopref import maps
from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import dot
from hopref.fast.numba._rows import support_of
from hopref.fast.numba._softmax import LEAST
from hopref.fast.numba._sparse_gradient import pull_back
from hopref.fast.numba._supports import (
    ALL_SEEN,
    GAINS,
    MOST,
    blocks,
    fill_means,
    longest,
    scores_of,
)
from hopref.fast.numba.gradients import by_formula, finite
from hopref.gradients import sparse
from hopref.gradients.maps import tsallis_alpha_derivative
from hopref.maps import raised_log

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights"]


def energy(g, xi, X, /, *, beta=1.0, alpha=1.5):
    return _gradients(sparse.energy, _of_energy, maps.entmax, g, xi, X, beta, alpha=alpha)


def update(g, xi, X, /, *, beta=1.0, alpha=1.5):
    return _gradients(sparse.update, _of_update, maps.entmax, g, xi, X, beta, alpha=alpha)


def weights(g, xi, X, /, *, beta=1.0, alpha=1.5):
    return _gradients(sparse.weights, _of_weights, maps.entmax, g, xi, X, beta, alpha=alpha)


def normmax_energy(g, xi, X, /, *, beta=1.0, gamma=2.0):
    return _gradients(sparse.normmax_energy, _of_energy, maps.normmax, g, xi, X, beta, gamma=gamma)


def normmax_update(g, xi, X, /, *, beta=1.0, gamma=2.0):
    return _gradients(sparse.normmax_update, _of_update, maps.normmax, g, xi, X, beta, gamma=gamma)


def normmax_weights(g, xi, X, /, *, beta=1.0, gamma=2.0):
    return _gradients(sparse.normmax_weights, _of_weights, maps.normmax, g, xi, X, beta,
                      gamma=gamma)


def k_subsets_energy(g, xi, X, /, *, k, beta=1.0):
    return _gradients(sparse.k_subsets_energy, _of_energy, maps.k_subsets, g, xi, X, beta, k=k)[:3]


def k_subsets_update(g, xi, X, /, *, k, beta=1.0):
    return _gradients(sparse.k_subsets_update, _of_update, maps.k_subsets, g, xi, X, beta, k=k)[:3]


def k_subsets_weights(g, xi, X, /, *, k, beta=1.0):
    return _gradients(sparse.k_subsets_weights, _of_weights, maps.k_subsets, g, xi, X, beta,
                      k=k)[:3]


def _gradients(op, part, rule, g, xi, X, beta, **options):
    """The gradients in the states, the patterns, beta and the exponent."""
    states = xi.reshape(math.prod(xi.shape[:-1]), xi.shape[-1])
    g = g.reshape(len(states), *g.shape[xi.ndim - 1:])
    for real in dict.fromkeys((X.dtype, np.dtype(np.float64))):
        if not LEAST[real.itemsize] <= beta < (MOST if real == np.float32 else math.inf):
            continue
        found = _sums(part, rule, *(a.astype(real, copy=False) for a in (g, states, X)), beta,
                      options)
        if found is not None and finite(found):
            dxi, *others = (np.asarray(a, X.dtype) for a in found)
            return dxi.reshape(xi.shape), *others
    return by_formula(op.formula, g.reshape(*xi.shape[:-1], *g.shape[1:]), xi, X, beta=beta,
                      **options)


def _sums(part, rule, g, states, X, beta, options):
    """The gradients in one precision; None if scores overflow."""
    dxi, dX, slopes = np.empty_like(states), np.zeros_like(X), np.zeros(2)
    for block in blocks(len(states), X):
        z, lost = scores_of(states[block], X)
        if lost.any():
            return None
        found = support_of(rule, z, ALL_SEEN, beta=beta, **options)
        slopes += part(rule, found, g[block], states[block], X, beta, options, dxi[block], dX)
    return dxi, dX, *slopes


def _of_update(rule, found, g, states, X, beta, options, dxi, dX):
    a = np.empty(len(found.rows))
    _dots(found.starts, found.columns, X, g, a)
    _spread(found.starts, found.columns, found.weights, g, dX)
    return _of_scores(rule, found, a, states, X, beta, options, dxi, dX)


def _of_weights(rule, found, g, states, X, beta, options, dxi, dX):
    a = g[found.rows, found.columns].astype(np.float64)
    return _of_scores(rule, found, a, states, X, beta, options, dxi, dX)


def _of_scores(rule, found, a, states, X, beta, options, dxi, dX):
    """The gradients through the scores, from the cotangents of the weights that are not 0."""
    w, slope = pull_back(rule, found, a, **options)
    fill_means(found.starts, found.columns, beta * w, X, dxi)
    _spread(found.starts, found.columns, beta * w, states, dX)
    return np.sum(w * found.heights), slope


def _of_energy(rule, found, g, states, X, beta, options, dxi, dX):
    k, (first, _), along = options.get("k", 1), longest(X), g[:, None] * states
    fill_means(found.starts, found.columns, found.weights, X, dxi)
    dxi[:] = g[:, None] * (states - dxi)
    _spread(found.starts, found.columns, -found.weights, along, dX)
    dX[first] += k * k * np.sum(g) * X[first]
    slope = SLOPES[rule](found, **options) / beta
    return -np.sum(g * (GAINS[rule](found, **options) / beta / beta)), np.sum(g * slope)


def _entmax_slope(found, alpha):
    """The derivative of the gain; each weight is a row of its own, whose terms are added."""
    n = found.shape[1]
    uniform = n * tsallis_alpha_derivative(np.array([1 / n]), alpha)
    return found.sum(tsallis_alpha_derivative(found.weights[:, None], alpha)) - uniform


def _normmax_slope(found, gamma):
    n, norms = found.shape[1], found.norms(gamma)
    uniform = -n ** (1 / gamma - 1) * math.log(n) / gamma
    shares = found.weights / norms[found.rows]
    return (norms * found.sum(raised_log(shares, gamma)) - uniform) / gamma


# Derivatives of the regularisers, less their minima, in the exponents; 0 if there is none.
SLOPES = {maps.entmax: _entmax_slope, maps.normmax: _normmax_slope,
          maps.k_subsets: lambda found, k: 0.0}


@njit
def _dots(starts, columns, X, g, a):
    """Products of the patterns of each support with the row of g."""
    for m in range(len(g)):
        for j in range(starts[m], starts[m + 1]):
            a[j] = dot(X[columns[j]], g[m])


@njit
def _spread(starts, columns, weights, rows, out):
    """Add each row, times the weights of its support, to the rows of these patterns."""
    for m in range(len(rows)):
        for j in range(starts[m], starts[m + 1]):
            weight, sums = out.dtype.type(weights[j]), out[columns[j]]
            for c in range(sums.size):
                sums[c] += weight * rows[m, c]
