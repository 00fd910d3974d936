"""`hopref.models.modern` in one pass over the patterns, without an array of M x N scores.

Batches of fewer than FEW states are processed one line of scores at a time, so that `retrieve`,
which passes every state as a batch of one, gets the bits of single states.
"""
import math
from functools import partial

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import squared_length
from hopref.fast.numba._softmax import FEW, LESS_ONE, NO_BEST, TOTAL, absent, attend, in_range
from hopref.models import modern

__all__ = ["energy", "update", "thresholded_update"]


def energy(xi, X, /, *, beta=1.0):
    return _rows(modern.energy.formula, _energies, xi, xi, X, beta).reshape(xi.shape[:-1])


def update(xi, X, /, *, beta=1.0):
    return _rows(modern.update.formula, _updates, xi, xi, X, beta).reshape(xi.shape)


def thresholded_update(xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    cue, keys = (side(np.asarray(a, np.float64), theta).astype(a.dtype) for a in (xi, X))

    def means(states, patterns, beta, few):
        return _means(states, keys.astype(states.dtype, copy=False), patterns, beta, few)
    rule = partial(modern.thresholded_update.formula, theta=theta, side=side)
    return _rows(rule, means, xi, cue, X, beta).reshape(xi.shape)


def _rows(rule, kernel, xi, cue, X, beta):
    """The results of a kernel for each ``cue``, or of the formula for the state, one in each row.
    """
    few, shape = xi.ndim == 1 or xi.shape[-2] < FEW, (math.prod(xi.shape[:-1]), xi.shape[-1])
    states, cues = xi.reshape(shape), cue.reshape(shape)

    def by_kernel(real):
        return kernel(cues.astype(real, copy=False), X.astype(real, copy=False), beta, few)

    def by_formula(lost):
        return rule(states[lost], X, beta=beta).reshape(np.count_nonzero(lost), -1)
    return in_range(xi.dtype, len(states), beta, by_kernel, by_formula)


def _updates(states, X, beta, few):
    return _means(states, X, X, beta, few)


def _means(states, keys, X, beta, few):
    """Means of the patterns with the weights of the keys."""
    new, sums = np.empty_like(states), np.empty((len(states), 3), states.dtype)
    attend(states, keys, X, beta, few, absent(bool), absent(X.dtype), len(X), new, sums, NO_BEST)
    return new


def _energies(states, X, beta, few):
    M, real = len(states), states.dtype
    sums, best, energies = np.empty((M, 3), real), np.zeros(M, np.int64), np.empty((M, 1), real)
    attend(states, X, np.empty((len(X), 0), real), beta, few, absent(bool), absent(real), len(X),
           np.empty((M, 0), real), sums, best)
    _energy(states, X, beta, sums, best, energies)
    return energies


@njit
def _energy(xi, X, beta, sums, best, energies):
    """|xi - x_t|^2 / 2 + (M^2 - |x_t|^2) / 2 - log(mean e^x) / beta, in double precision."""
    longest = 0.0
    for i in range(len(X)):
        longest = max(longest, squared_length(X[i]))
    for m in range(len(xi)):
        nearest = X[best[m]]
        mean_less_one = sums[m, LESS_ONE] / len(X)
        gain = math.log1p(mean_less_one) if mean_less_one > -0.5 else \
            math.log(sums[m, TOTAL] / len(X))
        offset = 0.0
        for c in range(nearest.size):
            gap = np.float64(xi[m, c]) - nearest[c]
            offset += gap * gap
        energies[m] = offset / 2 + (longest - squared_length(nearest)) / 2 - gain / beta
