"""Retrieval by maps with exact zeros, for some states at a time.

The scores of a few states are computed by tiles of patterns, the map is a kernel of
`hopref.fast.numba.maps`, and means are taken over its support alone.  Energies are sums over the
support, in double precision.  States whose scores overflow are computed in double precision, and
those whose scores overflow there by the formula.
"""
import math

import numpy as np

from hopref import maps
from hopref.fast.numba._jit import REORDER, njit
from hopref.fast.numba._products import aligned, squared_length
from hopref.fast.numba._rows import support_of
from hopref.fast.numba._softmax import in_range
from hopref.fast.numba._tiles import TOGETHER, score
from hopref.maps.potentials import power_divergence

__all__ = ["updates", "weights_of", "energies", "ALL_SEEN", "GAINS", "MOST", "blocks", "scores_of",
           "fill_means", "longest"]

SCORES = 2**21          # bytes
TILE = 2**15            # bytes of patterns
MOST = 2.0**100         # beta, times which products that underflow in single precision are small
ALL_SEEN = np.empty((0, 0), np.bool_)


def updates(op, rule, xi, X, beta, **options):
    """Means of the patterns, with the weights that the map ``rule`` gives to their scores."""
    def fill(out, states, patterns, z):
        found = support_of(rule, z, ALL_SEEN, beta=beta, **options)
        fill_means(found.starts, found.columns, found.weights, patterns, out)
    return _rows(op, fill, xi, X, xi.shape[-1:], beta, options)


def weights_of(op, kernel, xi, X, beta, **options):
    """The weights that the kernel of a map gives to the scores."""
    def fill(out, states, patterns, z):
        out[:] = kernel(z, beta=beta, empty_row=0.0, **options)
    return _rows(op, fill, xi, X, (len(X),), beta, options)


def energies(op, rule, xi, X, beta, **options):
    k = options.get("k")

    def fill(out, states, patterns, z):
        found = support_of(rule, z, ALL_SEEN, beta=beta, **options)
        center, deficit = patterns[z.argmax(axis=1)].astype(np.float64), 0.0
        if k is None:
            deficit = found.sum(found.weights * -found.heights)
        else:
            fill_means(found.starts, found.columns, found.weights, patterns, center)
        offset, most = states.astype(np.float64) - center, (k or 1) ** 2 * longest(patterns)[1]
        out[:, 0] = np.einsum("md,md->m", offset, offset) / 2 + deficit \
            + GAINS[rule](found, **options) / beta \
            + (most - np.einsum("md,md->m", center, center)) / 2
    return _rows(op, fill, xi, X, (), beta, options)


def _entmax_gain(found, alpha):
    return _total(found, lambda p: power_divergence(p, 1 / found.shape[1], alpha))


def _normmax_gain(found, gamma):
    """See `hopref.maps.potentials.norm_excess`."""
    n = found.shape[1]
    mean = gamma * (gamma - 1) / n * _total(found, lambda p: power_divergence(n * p, 1.0, gamma))
    return n ** (1 / gamma - 1) * np.expm1(np.log1p(mean) / gamma)


def _k_subsets_gain(found, k):
    return _total(found, lambda p: (p - k / found.shape[1]) ** 2 / 2)


# The regulariser of each map, less its minimum, for each row of a support.
GAINS = {maps.entmax: _entmax_gain, maps.normmax: _normmax_gain, maps.k_subsets: _k_subsets_gain}


def _total(found, function):
    """The sum of a function of all weights of each row, also of those that are 0."""
    zeros = found.shape[1] - np.diff(found.starts)
    values = function(np.append(found.weights, 0.0))
    return found.sum(values[:-1]) + zeros * values[-1]


def _rows(op, fill, xi, X, shape, beta, options):
    """The results of ``fill`` for all states, or of the formula where scores overflow."""
    states = xi.reshape(math.prod(xi.shape[:-1]), xi.shape[-1])

    def by_kernel(real):
        out = np.empty((len(states), math.prod(shape)), real)
        queries, patterns = states.astype(real, copy=False), X.astype(real, copy=False)
        for some in blocks(len(states), patterns):
            z, lost = scores_of(queries[some], patterns)
            fill(out[some], queries[some], patterns, z)
            out[some][lost] = np.nan
        return out

    def by_formula(lost):
        wide = (a.astype(np.float64, copy=False) for a in (states[lost], X))
        found = op.formula(*wide, beta=beta, **options)
        return found.reshape(np.count_nonzero(lost), -1)
    narrow = xi.dtype if beta < MOST else np.dtype(np.float64)
    found = in_range(narrow, len(states), beta, by_kernel, by_formula)
    return found.astype(xi.dtype, copy=False).reshape((*xi.shape[:-1], *shape))


def blocks(states, X):
    """Slices of states, for which the scores of all patterns are computed together."""
    several = max(TOGETHER, SCORES // (len(X) * X.itemsize))
    return [slice(first, first + several) for first in range(0, states, several)]


@njit
def scores_of(xi, X):
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
def fill_means(starts, columns, weights, X, out):
    """Sums of the patterns times their weights, over the support of each row."""
    for m in range(len(out)):
        out[m] = 0
        for j in range(starts[m], starts[m + 1]):
            weight, row = out.dtype.type(weights[j]), X[columns[j]]
            for c in range(row.size):
                out[m, c] += weight * row[c]


@njit
def longest(X):
    """The first longest pattern, and its squared length."""
    first, most = 0, -1.0
    for i in range(len(X)):
        square = squared_length(X[i])
        if square > most:
            first, most = i, square
    return first, most
