"""Retrieval by softmax: rows of states, in a precision that holds their scores (see `_softmax`).

Batches of fewer than FEW states are processed one line of scores at a time, so that `retrieve`,
which passes every state as a batch of one, gets the bits of single states.
"""
import math

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import squared_length
from hopref.fast.numba._softmax import FEW, NO_BEST, absent, attend, in_range

__all__ = ["retrieved", "weighted", "scored", "energies"]


def retrieved(rule, kernel, xi, cue, X, beta):
    """The results of a kernel for each ``cue``, or of the formula for the state, one in each row.
    """
    few, shape = xi.ndim == 1 or xi.shape[-2] < FEW, (math.prod(xi.shape[:-1]), xi.shape[-1])
    states, cues = xi.reshape(shape), cue.reshape(shape)

    def by_kernel(real):
        return kernel(cues.astype(real, copy=False), X.astype(real, copy=False), beta, few)

    def by_formula(lost):
        found = rule(states[lost].astype(float), X.astype(float), beta=beta)
        return found.reshape(np.count_nonzero(lost), -1)
    return in_range(xi.dtype, len(states), beta, by_kernel, by_formula)


def weighted(states, keys, X, beta, few):
    """Means of the patterns with the weights of the keys, and the sums of the weights."""
    M, v, real = len(states), X.shape[1], states.dtype
    new, sums = np.empty((M, v), real), np.empty((M, 3), real)
    attend(states, keys, X, beta, few, absent(bool), absent(X.dtype), len(X), new, sums, NO_BEST)
    return new, sums


def scored(states, X, beta, few):
    """The sums of the weights, in double precision, and the pattern of the largest score of each
    state."""
    M, real = len(states), states.dtype
    sums, best = np.empty((M, 3), real), np.zeros(M, np.int64)
    attend(states, X, np.empty((len(X), 0), real), beta, few, absent(bool), absent(real), len(X),
           np.empty((M, 0), real), sums, best)
    return sums.astype(np.float64), best


def energies(states, X, beta, mean, lack, best):
    """|xi - x_t|^2 / 2 + (M^2 - |x_t|^2) / 2 - log(mean) / beta, one in each row.

    ``best`` is t, or -1 for a pattern of zeros, and ``lack`` is mean - 1.
    """
    found = np.empty((len(states), 1), states.dtype)
    _fill(found, states, X, beta, mean, lack, best)
    return found


@njit
def _fill(energies, xi, X, beta, mean, lack, best):
    longest = 0.0
    for i in range(len(X)):
        longest = max(longest, squared_length(X[i]))
    for m in range(len(xi)):
        gain = math.log1p(lack[m]) if lack[m] > -0.5 else math.log(mean[m])
        nearest = X[max(0, best[m])]
        offset, square = 0.0, squared_length(nearest) if best[m] >= 0 else 0.0
        for c in range(nearest.size):
            gap = np.float64(xi[m, c]) - (nearest[c] if best[m] >= 0 else 0)
            offset += gap * gap
        energies[m] = offset / 2 + (longest - square) / 2 - gain / beta
