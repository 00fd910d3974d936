"""Retrieval by maps with exact zeros, for some states at a time.

The scores of a few states are computed by tiles of patterns, the map is a kernel of
`hopref.fast.numba.maps`, and means are taken over its support alone.  Energies are sums over the
support, in double precision.  States whose scores overflow are computed in double precision, and
those whose scores overflow there by the formula.
"""
import math
from functools import partial

import numpy as np

from hopref.fast.numba._jit import REORDER, njit
from hopref.fast.numba._products import aligned
from hopref.fast.numba._softmax import in_range
from hopref.fast.numba._tiles import TOGETHER, score

__all__ = ["updates", "weights_of", "energies", "Support"]

SCORES = 2**21          # bytes
TILE = 2**15            # bytes of patterns
MOST = 2.0**100         # beta, times which products that underflow in single precision are small


def updates(rule, weigh, xi, X, beta, **options):
    """Means of the patterns, with the weights that ``weigh`` gives to their scores."""
    def fill(out, states, patterns, z, p):
        _fill_means(p, patterns, out)
    return _rows(rule, weigh, fill, xi, X, xi.shape[-1:], beta, options)


def weights_of(rule, weigh, xi, X, beta, **options):
    def fill(out, states, patterns, z, p):
        out[:] = p
    return _rows(rule, weigh, fill, xi, X, (len(X),), beta, options)


def energies(rule, weigh, gain, xi, X, beta, **options):
    k = options.get("k")

    def fill(out, states, patterns, z, p):
        states, support = states.astype(np.float64), Support(p)
        top = z.argmax(axis=1)
        depth = z[np.arange(len(z)), top].astype(np.float64)[support.rows] \
            - z[support.rows, support.columns]
        center, deficit, factor = patterns[top].astype(np.float64), support.sum(depth), 1
        if k is not None:
            center, deficit, factor = np.empty_like(states), 0.0, k
            _fill_means(p.astype(np.float64), patterns, center)
        offset, longest = states - center, factor**2 * _longest(patterns)
        out[:, 0] = np.einsum("md,md->m", offset, offset) / 2 + deficit + gain(support) / beta \
            + (longest - np.einsum("md,md->m", center, center)) / 2
    return _rows(rule, weigh, fill, xi, X, (), beta, options)


class Support:
    """The entries of rows of weights that are not 0."""

    def __init__(self, p):
        self.rows, self.columns = np.nonzero(p)
        self.weights = p[self.rows, self.columns].astype(np.float64)
        self.shape = p.shape

    def sum(self, values):
        """The weighted sum of each row."""
        return np.bincount(self.rows, self.weights * values, self.shape[0])

    def total(self, function):
        """The sum of a function of all weights of each row."""
        zeros = self.shape[1] - np.bincount(self.rows, minlength=self.shape[0])
        values = function(np.append(self.weights, 0.0))
        return np.bincount(self.rows, values[:-1], self.shape[0]) + zeros * values[-1]


def _rows(rule, weigh, fill, xi, X, shape, beta, options):
    """The results of ``fill`` for all states, or of the formula where scores overflow."""
    states = xi.reshape(math.prod(xi.shape[:-1]), xi.shape[-1])
    weigh = partial(weigh, beta=beta, **options)

    def by_kernel(real):
        out = np.empty((len(states), math.prod(shape)), real)
        queries, patterns = states.astype(real, copy=False), X.astype(real, copy=False)
        several = max(TOGETHER, SCORES // (len(X) * real.itemsize))
        for first in range(0, len(states), several):
            some = slice(first, first + several)
            z, lost = _scores(queries[some], patterns)
            fill(out[some], queries[some], patterns, z, weigh(z, empty_row=0.0))
            out[some][lost] = np.nan
        return out

    def by_formula(lost):
        wide = (a.astype(np.float64, copy=False) for a in (states[lost], X))
        found = rule.formula(*wide, beta=beta, **options)
        return found.reshape(np.count_nonzero(lost), -1)
    narrow = xi.dtype if beta < MOST else np.dtype(np.float64)
    found = in_range(narrow, len(states), beta, by_kernel, by_formula)
    return found.astype(xi.dtype, copy=False).reshape((*xi.shape[:-1], *shape))


@njit
def _scores(xi, X):
    """Scores of all patterns for each state, and whether one of them is not finite."""
    (M, d), N = xi.shape, len(X)
    z, lost = aligned(M * N, X), np.zeros(M, np.bool_)
    tile = max(4, TILE // (max(d, 1) * X.itemsize))
    for n in range(0, N, tile):
        rows = min(tile, N - n)
        score(M, xi.reshape(-1), 0, X.reshape(-1), n * d, d, rows, z, n, N)
        for m in range(M):
            lost[m] |= not _all_finite(z[m * N + n:m * N + n + rows])
    return z.reshape(M, N), lost


@njit(fastmath=REORDER)
def _all_finite(x):
    """Products with 0 are 0, or NaN."""
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * 0
    return total == 0


@njit
def _fill_means(p, X, out):
    """Sums of the patterns times their weights, over the support."""
    for m in range(len(p)):
        out[m] = 0
        for i in range(len(X)):
            weight = p[m, i]
            if weight != 0:
                for c in range(X.shape[1]):
                    out[m, c] += weight * X[i, c]


@njit(fastmath=REORDER)
def _longest(X):
    """The largest squared norm of the patterns."""
    longest = 0.0
    for i in range(len(X)):
        square = 0.0
        for c in range(X.shape[1]):
            square += np.float64(X[i, c]) * X[i, c]
        longest = max(longest, square)
    return longest
