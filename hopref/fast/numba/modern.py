"""`hopref.models.modern` in one pass over the patterns, without an array of M x N scores.

For each tile of patterns the scores, weights and weighted sums are computed relative to the largest
score of the tile, and merged with those of the previous tiles, always in the same order: sums are
short, and the bits depend on the state and the patterns only.  64 states are processed together,
one in each lane of the working arrays.  Batches of fewer than FEW states are processed one state at
a time, so that `retrieve`, which passes every state as a batch of one, gets the bits of single
states.
"""
import math

import numpy as np

from hopref.fast.numba._jit import CONTRACT, REORDER, njit
from hopref.fast.numba._powers import powers
from hopref.fast.numba._products import LANES, add_rows, dot, multiply_add, workspace
from hopref.models import modern

__all__ = ["energy", "update"]

TILE = 128
FEW = 16

# The rows of an array of sums, whose columns are states.  With x = beta (score - largest score):
# the largest score, the sums of e^x and of e^x - 1, and those of e^x times each component.
TOP, TOTAL, TOTAL_M1, WEIGHTED = 0, 1, 2, 3


def energy(xi, X, /, *, beta=1.0):
    energies = np.empty(xi.shape[:-1], xi.dtype)
    none = np.empty((0, 0), xi.dtype)
    return _run(modern.energy, xi, X, beta, none, energies.reshape(-1), energies)


def update(xi, X, /, *, beta=1.0):
    new = np.empty_like(xi)
    return _run(modern.update, xi, X, beta, _rows(new), np.empty(0, xi.dtype), new)


def _run(rule, xi, X, beta, new, energies, result):
    """``result``, of which ``new`` or ``energies`` is a view, filled; by the formula where scores
    leave the range of float64."""
    lanes = LANES if xi.ndim > 1 and xi.shape[-2] >= FEW else 1
    with np.errstate(invalid="ignore"):                         # inf - inf, treated below
        _retrieve(_rows(xi), X, xi.dtype.type(beta), lanes, new, energies)
    if xi.dtype == np.float32 and not np.isfinite(result).all():
        xi, X = xi.astype(np.float64), X.astype(np.float64)     # a score or beta beyond float32
        _retrieve(_rows(xi), X, float(beta), lanes, new, energies)
    if not np.isfinite(result).all():
        states = _rows(xi)
        answers = result.reshape(len(states), -1)
        lost = ~np.isfinite(answers).all(axis=-1)
        answers[lost] = rule.formula(states[lost], X, beta=beta).reshape(-1, answers.shape[1])
    return result


def _rows(xi):
    return xi.reshape(math.prod(xi.shape[:-1]), xi.shape[-1])


@njit
def _retrieve(xi, X, beta, lanes, new, energies):
    """Fill ``new`` and ``energies``, unless they are empty, ``lanes`` states at a time."""
    (M, d), N, width = xi.shape, len(X), new.shape[1]
    states, scores = workspace(d, lanes, X), workspace(TILE, lanes, X)
    part, whole = workspace(3 + width, lanes, X), workspace(3 + width, lanes, X)
    best = np.zeros(lanes, np.int64)
    longest = _longest(X) if energies.size else 0.0
    for first in range(0, M, lanes):
        _load(states, xi, first)
        _clear(whole)
        for n in range(0, N, TILE):
            tile = X[n:n + TILE]
            Z = scores[:len(tile)]
            _score(Z, tile, states)
            _clear(part)
            _raise(part[TOP], Z)
            if energies.size:
                _remember(best, Z, part, whole, n)
            _weigh(Z, part, beta)
            _add_weighted(part[WEIGHTED:], tile, Z)
            _merge(whole, part, beta, n, len(tile))
        for j in range(min(lanes, M - first)):
            for c in range(width):
                new[first + j, c] = whole[WEIGHTED + c, j] / whole[TOTAL, j]
            if energies.size:
                gap = _logmeanexp(whole[TOTAL, j], whole[TOTAL_M1, j], N) / beta
                energies[first + j] = _away(xi[first + j], X, best[j], longest) - gap


@njit
def _load(states, xi, first):
    """Copy states to columns; further columns are 0."""
    states[:] = 0
    for j in range(min(states.shape[1], len(xi) - first)):
        states[:, j] = xi[first + j]


@njit
def _clear(sums):
    sums[:] = 0
    sums[TOP] = -np.inf


@njit
def _score(Z, tile, states):
    if Z.shape[1] == 1:
        state = states.reshape(-1)
        for i in range(len(tile)):
            Z[i, 0] = dot(tile[i], state)
    else:
        Z[:] = 0
        multiply_add(Z, tile.reshape(-1), tile.shape[1], 1, states)


@njit
def _add_weighted(sums, tile, Z):
    """Add the patterns of a tile with weights Z."""
    if Z.shape[1] == 1:
        add_rows(sums.reshape(-1), Z.reshape(-1), tile)
    else:
        multiply_add(sums, tile.reshape(-1), 1, tile.shape[1], Z)


@njit
def _raise(tops, Z):
    """Update the largest score of every lane."""
    if Z.shape[1] == 1:
        for i in range(len(Z)):
            tops[0] = Z[i, 0] if Z[i, 0] > tops[0] else tops[0]
    else:
        z = Z.reshape(-1)
        for i in range(len(Z)):
            for j in range(LANES):
                tops[j] = z[i * LANES + j] if z[i * LANES + j] > tops[j] else tops[j]


@njit
def _remember(best, Z, part, whole, n):
    """Store the first pattern with the largest score, if it exceeds those of earlier tiles."""
    for i in range(Z.shape[0] - 1, -1, -1):
        for j in range(Z.shape[1]):
            if Z[i, j] == part[TOP, j] > whole[TOP, j]:
                best[j] = n + i


@njit
def _weigh(Z, sums, beta):
    """Replace scores by weights e^x, and add them to the sums."""
    if Z.shape[1] == 1:
        _weigh_one(Z.reshape(-1), sums.reshape(-1), beta)
    else:
        _weigh_many(Z.reshape(-1), sums.reshape(-1), beta)


@njit(fastmath=REORDER)
def _weigh_one(z, sums, beta):
    top, total, short = sums[TOP], sums[TOTAL], sums[TOTAL_M1]
    for i in range(z.size):
        z[i], less_one = powers(beta * (z[i] - top))
        total += z[i]
        short += less_one
    sums[TOTAL], sums[TOTAL_M1] = total, short


@njit(fastmath=CONTRACT)
def _weigh_many(z, sums, beta):
    for i in range(z.size // LANES):
        for j in range(LANES):
            weight, less_one = powers(beta * (z[i * LANES + j] - sums[TOP * LANES + j]))
            z[i * LANES + j] = weight
            sums[TOTAL * LANES + j] += weight
            sums[TOTAL_M1 * LANES + j] += less_one


@njit(fastmath=CONTRACT)
def _merge(whole, part, beta, n, k):
    """Add the sums over ``k`` patterns to those over ``n``, relative to the larger maximum."""
    for j in range(part.shape[1]):
        top = whole[TOP, j] if whole[TOP, j] > part[TOP, j] else part[TOP, j]
        a, a_less_one = powers(beta * (whole[TOP, j] - top))
        b, b_less_one = powers(beta * (part[TOP, j] - top))
        whole[TOTAL_M1, j] = (a * whole[TOTAL_M1, j] + a_less_one * n
                              + b * part[TOTAL_M1, j] + b_less_one * k)
        whole[TOTAL, j] = a * whole[TOTAL, j] + b * part[TOTAL, j]
        whole[TOP, j], part[TOP, j], part[TOTAL, j] = top, a, b
    for c in range(WEIGHTED, len(whole)):
        for j in range(part.shape[1]):
            whole[c, j] = part[TOP, j] * whole[c, j] + part[TOTAL, j] * part[c, j]


# -- energy, in double precision --------------------------------------------------------------

@njit
def _longest(X):
    longest = 0.0
    for i in range(len(X)):
        longest = max(longest, _square(X[i]))
    return longest


@njit(fastmath=REORDER)
def _square(x):
    square = 0.0
    for c in range(x.size):
        square += np.float64(x[c]) * x[c]
    return square


@njit
def _away(xi, X, t, longest):
    """|xi - x_t|^2 / 2 + (M^2 - |x_t|^2) / 2."""
    away = 0.0
    for c in range(xi.size):
        gap = np.float64(xi[c]) - X[t, c]
        away += gap * gap
    return away / 2 + (longest - _square(X[t])) / 2


@njit
def _logmeanexp(total, short, N):
    """log(sum e^x / N), computed from the sum of e^x - 1 if it is near 0."""
    return math.log1p(short / N) if short / N > -0.5 else math.log(total / N)
