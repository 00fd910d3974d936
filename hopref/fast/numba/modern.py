"""`hopref.models.modern` in one pass over the patterns: no array of M x N is formed.

A tile of patterns is scored, weighed and drawn relative to its own highest score, and merged into
what came before, always in the same order: sums stay short, and bits depend on nothing but the
state and the patterns.  Sixty-four states stand side by side, one in each lane of the working
arrays.  A batch of fewer than FEW goes one state at a time: so `retrieve`, which sends every state
as a batch of one, gets the bits of that state alone.
"""
import math

import numpy as np

from hopref.fast.numba._jit import CONTRACT, REORDER, by_precision, njit
from hopref.fast.numba._products import LANES, add_rows, dot, multiply_add, workspace

__all__ = ["energy", "update"]

TILE = 128
FEW = 16
TOP, TOTAL, SHORT, DRAWN = 0, 1, 2, 3
# The rows of an array of sums, a lane a state.  With x = beta (score - highest score): the highest
# score; the sums of e^x, of e^x - 1 and, from row 3 on, of e^x times each component of the pattern.


def energy(xi, X, /, *, beta=1.0):
    energies = np.empty(xi.shape[:-1], xi.dtype)
    _run(xi, X, beta, np.empty((0, 0), xi.dtype), energies.reshape(-1))
    return energies


def update(xi, X, /, *, beta=1.0):
    new = np.empty_like(xi)
    _run(xi, X, beta, _rows(new), np.empty(0, xi.dtype))
    return new


def _run(xi, X, beta, new, energies):
    lanes = LANES if xi.ndim > 1 and xi.shape[-2] >= FEW else 1
    _retrieve(_rows(xi), X, xi.dtype.type(beta), lanes, new, energies)
    if xi.dtype == np.float32 and not (np.isfinite(new).all() and np.isfinite(energies).all()):
        xi, X = xi.astype(np.float64), X.astype(np.float64)     # a score or beta beyond float32
        _retrieve(_rows(xi), X, float(beta), lanes, new, energies)


def _rows(xi):
    return xi.reshape(math.prod(xi.shape[:-1]), xi.shape[-1])


@njit
def _retrieve(xi, X, beta, lanes, new, energies):
    """Fill ``new`` and ``energies``, each unless it is empty."""
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
            _draw(part[DRAWN:], tile, Z)
            _merge(whole, part, beta, n, len(tile))
        for j in range(min(lanes, M - first)):
            for c in range(width):
                new[first + j, c] = whole[DRAWN + c, j] / whole[TOTAL, j]
            if energies.size:
                gap = _logmeanexp(whole[TOTAL, j], whole[SHORT, j], N) / beta
                energies[first + j] = _away(xi[first + j], X, best[j], longest) - gap


@njit
def _load(states, xi, first):
    """A column a state; 0 past the last one."""
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
def _draw(drawn, tile, Z):
    if Z.shape[1] == 1:
        add_rows(drawn.reshape(-1), Z.reshape(-1), tile)
    else:
        multiply_add(drawn, tile.reshape(-1), 1, tile.shape[1], Z)


@njit
def _raise(tops, Z):
    """The highest score of every lane."""
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
    """The first pattern that scores the tile's top, if no earlier tile scored as high."""
    for i in range(Z.shape[0] - 1, -1, -1):
        for j in range(Z.shape[1]):
            if Z[i, j] == part[TOP, j] > whole[TOP, j]:
                best[j] = n + i


@njit
def _weigh(Z, sums, beta):
    """Scores become weights e^x, and are summed."""
    if Z.shape[1] == 1:
        _weigh_one(Z.reshape(-1), sums.reshape(-1), beta)
    else:
        _weigh_many(Z.reshape(-1), sums.reshape(-1), beta)


@njit(fastmath=REORDER)
def _weigh_one(z, sums, beta):
    top, total, short = sums[TOP], sums[TOTAL], sums[SHORT]
    for i in range(z.size):
        z[i], less_one = _powers(beta * (z[i] - top))
        total += z[i]
        short += less_one
    sums[TOTAL], sums[SHORT] = total, short


@njit(fastmath=CONTRACT)
def _weigh_many(z, sums, beta):
    for i in range(z.size // LANES):
        for j in range(LANES):
            weight, less_one = _powers(beta * (z[i * LANES + j] - sums[TOP * LANES + j]))
            z[i * LANES + j] = weight
            sums[TOTAL * LANES + j] += weight
            sums[SHORT * LANES + j] += less_one


@njit(fastmath=CONTRACT)
def _merge(whole, part, beta, n, k):
    """Add the sums over ``k`` patterns to those over ``n``, both relative to the higher top."""
    for j in range(part.shape[1]):
        top = whole[TOP, j] if whole[TOP, j] > part[TOP, j] else part[TOP, j]
        a, a_less_one = _powers(beta * (whole[TOP, j] - top))
        b, b_less_one = _powers(beta * (part[TOP, j] - top))
        whole[SHORT, j] = a * whole[SHORT, j] + a_less_one * n + b * part[SHORT, j] + b_less_one * k
        whole[TOTAL, j] = a * whole[TOTAL, j] + b * part[TOTAL, j]
        whole[TOP, j], part[TOP, j], part[TOTAL, j] = top, a, b
    for c in range(DRAWN, len(whole)):
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
    """log(sum e^x / N); near 0 from the sum of e^x - 1."""
    return math.log1p(short / N) if short / N > -0.5 else math.log(total / N)


# -- e^x and e^x - 1 for x <= 0 within an ulp, no branch, no call: compilers vectorise it ---------
# x = n log 2 + r with |r| <= log(2)/2.  Adding MAGIC rounds x / log 2 to the integer n, which then
# stands in the last bits.  The power is scaled by 2^lift, so that only the last product can
# become subnormal.

f32, i32, i64 = np.float32, np.int32, np.int64
MAGIC32, LIFT32, DROP32 = f32(1.5 * 2**23), f32(2.0**64), f32(2.0**-64)
MAGIC64, LIFT64, DROP64 = 1.5 * 2**52, 2.0**100, 2.0**-100


@njit(fastmath=CONTRACT)
def _powers32(x):
    x = f32(-104) if x < f32(-104) else x               # written so that a NaN stays one
    t = x * f32(1.4426950408889634) + MAGIC32
    n = t - MAGIC32
    r = (x - n * f32(0.693145751953125)) - n * f32(1.42860682030941723212e-6)
    p = f32(1.9875691500e-4)
    p = p * r + f32(1.3981999507e-3)
    p = p * r + f32(8.3334519073e-3)
    p = p * r + f32(4.1665795894e-2)
    p = p * r + f32(1.6666665459e-1)
    p = p * r + f32(5.0000001201e-1)
    p = p * (r * r) + r
    bits = f32(t).view(i32) - i32(0x4B400000 - 127 - 64)
    power = i32(bits << i32(23)).view(f32)
    return (p * power + power) * DROP32, (p * power + (power - LIFT32)) * DROP32


@njit(fastmath=CONTRACT)
def _powers64(x):
    x = -746.0 if x < -746.0 else x
    t = x * 1.4426950408889634 + MAGIC64
    n = t - MAGIC64
    r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 0.5
    p = p * (r * r) + r
    bits = np.float64(t).view(i64) - i64(0x4338000000000000 - 1023 - 100)
    power = i64(bits << i64(52)).view(np.float64)
    return (p * power + power) * DROP64, (p * power + (power - LIFT64)) * DROP64


_powers = by_precision(_powers32, _powers64)
