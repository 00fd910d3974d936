"""Vector-Jacobian products of feature maps, a tile of projections at a time.

The functions of a tile are computed again, and multiplied by the cotangents; the products with the
directions and with the rows are blocks of sums that are added to the gradients.
"""
import math

import numpy as np

from hopref.fast.numba._features import (
    BETAS,
    COS,
    EXP_MINUS,
    RELU,
    ROWS,
    SIN,
    SLOPES,
    apply,
    reach_of,
    row_factors,
    scale_of,
    squared_lengths,
)
from hopref.fast.numba._jit import REORDER, njit
from hopref.fast.numba._lines import collect, padded, trim, turned, widened
from hopref.fast.numba._products import aligned, copy
from hopref.fast.numba._tiles import lanes, multiply
from hopref.fast.numba.gradients import finite

__all__ = ["gradient"]


def gradient(g, x, omega, h, kinds, beta, top=0.0):
    """The gradients in x, omega and beta in one precision, or None if rows leave its range.

    Features are divided by e^top, except exponential ones.
    """
    (m, _), (slope, halves) = omega.shape, SLOPES[h]
    longest = math.sqrt(np.max(squared_lengths(omega)))
    reach = reach_of(kinds, beta, slope, longest, x.itemsize) if BETAS[0] < beta < BETAS[1] else 0.0
    if not np.max(squared_lengths(x), initial=0.0) <= reach:
        return None
    root, (scale, level) = math.sqrt(beta), scale_of(m, halves)
    dx, domega = np.empty_like(x), np.empty_like(omega)
    total = _pull_back(g, x, omega, root, slope * beta, level, scale, top, np.array(kinds),
                      h.slope, dx, domega)
    found = dx, domega, total / (2 * root)
    return found if finite(found) else None

@njit
def _pull_back(g, x, omega, factor, slope, constant, scale, top, kinds, bend, dx, domega):
    """Fill dx and domega; return the sum of dy.x over the rows, where y = factor x.

    Parameters
    ----------
    g : (L, k m) array, the cotangents of the features
    x, omega, factor, slope, constant, scale, top, kinds : see `hopref.fast.numba._features.project`
    bend : the number c in grad log h(y) = c y
    dx, domega : (L, d) and (m, d) arrays
    """
    (L, d), m, n, real = x.shape, len(omega), lanes(dx), dx.dtype.type
    flat, panels, squares = x.reshape(-1), turned(omega), squared_lengths(x)
    directions, along = padded(omega, real(1)), padded(x, real(factor))
    domega[:], total = 0, 0.0
    sums, dy = widened(domega, along), np.empty((ROWS, along.shape[1]), dx.dtype)
    tile, values, slopes, du = (aligned(ROWS * n, dx), aligned(ROWS * n, dx),
                                aligned(ROWS * n, dx), aligned(ROWS * n, dx))
    heights, factors, level = np.empty((3, ROWS), dx.dtype)
    none = np.zeros(n, dx.dtype)
    for t in range(0, L, ROWS):
        rows = min(ROWS, L - t)
        row_factors(squares[t:t + rows], slope, constant, scale, top, heights, factors)
        dy[:], level[:] = 0, 0
        for p in range(0, m, n):
            count = min(n, m - p)
            multiply(rows, flat, t * d, d, 1, panels, p * d, tile, 0, d)
            du[:] = 0
            for f in range(len(kinds)):
                kind = kinds[f]
                apply(kind, rows, 1, tile, 0, 0, real(factor), none, 0, heights, factors, values,
                      0, n)
                sign = _slopes(kind, rows, tile, real(factor), none, heights, factors, values,
                               slopes)
                for i in range(rows):
                    level[i] += _pull(g[t + i, f * m + p:f * m + p + count], values[i * n:],
                                      slopes[i * n:], sign, du[i * n:])
            collect(dy, 0, rows, du, n, 1, directions, p, count)
            collect(sums, p, count, du, 1, n, along, t, rows)
        for i in range(rows):
            total += _finish(dy[i], x[t + i], real(factor), bend * level[i], dx[t + i])
    trim(domega, sums)
    return total


@njit
def _slopes(kind, rows, tile, factor, none, heights, factors, values, slopes):
    """Fill the derivatives of a function whose values are given, up to the sign, which is returned.
    """
    n = lanes(tile)
    if kind == SIN or kind == COS:
        apply(COS if kind == SIN else SIN, rows, 1, tile, 0, 0, factor, none, 0, heights, factors,
              slopes, 0, n)
    elif kind == RELU:
        for i in range(rows):
            _steps(values[i * n:(i + 1) * n], factors[i], slopes[i * n:(i + 1) * n])
    else:
        copy(slopes, 0, values, 0, rows * n)
    return tile.dtype.type(-1 if kind == EXP_MINUS or kind == COS else 1)


@njit
def _steps(values, height, slopes):
    zero = values.dtype.type(0)
    for j in range(values.size):
        slopes[j] = height if values[j] > zero else zero


@njit(fastmath=REORDER)
def _pull(g, values, slopes, sign, du):
    """Add the products of cotangents and slopes to du; return the sum of those with the values."""
    total = g.dtype.type(0)
    for j in range(g.size):
        du[j] += sign * g[j] * slopes[j]
        total += g[j] * values[j]
    return total


@njit
def _finish(dy, x, factor, level, dx):
    """Fill dx from the sums dy and the cotangent of log h, times its slope; return dy.x."""
    total = 0.0
    for c in range(x.size):
        whole = dy[c] + level * (factor * x[c])
        dx[c] = factor * whole
        total += np.float64(whole) * x[c]
    return total
