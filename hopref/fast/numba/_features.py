"""Feature maps: functions of the projections of rows, a tile at a time.

The functions of panels are blocks as in `_tiles`; they write to rows with any distance.
"""
import math

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._panels import raise_tops
from hopref.fast.numba._products import aligned, copy, dot
from hopref.fast.numba._tiles import lanes, multiply, rows_of, transpose
from hopref.fast.numba._vectors import I64, REDUCED, loop, moved, vector_code
from hopref.features import projected

__all__ = ["EXP", "EXP_MINUS", "LOG", "LOG_MINUS", "SIN", "COS", "RELU", "ROWS", "BETAS", "KINDS",
           "SLOPES", "scale_of", "reach_of", "project", "apply", "row_factors", "apply_units",
           "exponentiate", "squared_lengths"]

ROWS, PANELS = 48, 16    # of a tile
EXP, EXP_MINUS, LOG, LOG_MINUS, SIN, COS, RELU = range(7)

# By bytes: the largest sizes and exponents, and the largest exponent whose power is a factor.
FAR, HIGH = {4: 2.0**60, 8: 2.0**500}, {4: 80.0, 8: 700.0}
BETAS = 2.0**-100, 2.0**100

KINDS = {projected.exp: EXP, projected.exp_minus: EXP_MINUS, projected.sin: SIN,
         projected.cos: COS, projected.rectifier: RELU}
SLOPES = {projected.one: (0.0, 1), projected.decay: (-0.5, 1), projected.growth: (0.5, 1),
          projected.half_decay: (-0.5, 2)}


def scale_of(m, halves):
    """The factor of features of m directions, each of so many halves, and its logarithm."""
    return 1 / math.sqrt(halves * m), -math.log(m) / 2 - math.log(halves) / 2


def reach_of(kinds, beta, slope, longest, size):
    """The largest |x|^2 for which exponents and angles are in the range of the kernel.

    ``longest`` bounds the projection of a vector of length 1.
    """
    waves = SIN in kinds or COS in kinds
    far, limit = FAR[size], REDUCED[size] if waves else FAR[size]
    root = math.sqrt(beta)
    reach = min(far, far / root, limit / root / max(longest, 2.0**-400)) ** 2
    if slope > 0 and not set(kinds) <= {EXP, EXP_MINUS}:
        reach = min(reach, HIGH[size] / (slope * beta))
    return reach


def exponentials(rows, panels, Z, z, below, factor, G, g, H, h, O, o, apart):
    """``O[o + i apart + j] = e^(factor z[i, j] + G[g + j] + H[h + i])``, where z are rows of panels
    that begin ``below`` numbers after each other."""
    x = _exponents(rows, panels, Z, z, below, factor, G, g, H, h)
    _rows_apart(O, o, rows, apart, np.exp(x.astype(np.float64)))


def exponents(rows, panels, Z, z, below, factor, G, g, H, h, O, o, apart):
    """``O[o + i apart + j] = factor z[i, j] + G[g + j] + H[h + i]``; see `exponentials`."""
    _rows_apart(O, o, rows, apart, _exponents(rows, panels, Z, z, below, factor, G, g, H, h))


def sines(rows, panels, Z, z, below, factor, quadrants, H, h, O, o, apart):
    """``O[o + i apart + j] = H[h + i] sin(factor z[i, j] + quadrants pi/2)``; see `exponentials`.
    """
    x = (factor * _side_by_side(Z, z, below, rows, panels)).astype(np.float64)
    wave = np.cos(x) if quadrants == 1 else np.sin(x)
    _rows_apart(O, o, rows, apart, H[h:h + rows, None] * wave)


def positive_parts(rows, panels, Z, z, below, factor, H, h, O, o, apart):
    """``O[o + i apart + j] = H[h + i] max(0, factor z[i, j])``; see `exponentials`."""
    x = factor * _side_by_side(Z, z, below, rows, panels)
    _rows_apart(O, o, rows, apart, H[h:h + rows, None] * np.maximum(x, 0))


def units(rows, Z, z, linear, O, o):
    """``O[i, j] = e^Z[i, j]``, or ``1 + Z[i, j]`` where this is > 1 and ``linear`` is 1."""
    x = rows_of(Z, z, rows)
    rows_of(O, o, rows)[:] = np.where((x > 0) & (linear == 1), 1 + x, np.exp(x.astype(np.float64)))


def _exponents(rows, panels, Z, z, below, factor, G, g, H, h):
    x = factor * _side_by_side(Z, z, below, rows, panels)
    return x + G[g:g + x.shape[1]] + H[h:h + rows, None]


def _side_by_side(Z, z, below, rows, panels):
    return np.concatenate([rows_of(Z, z + p * below, rows) for p in range(panels)], axis=1)


def _rows_apart(O, o, rows, apart, values):
    for i in range(rows):
        O[o + i * apart:o + i * apart + values.shape[1]] = values[i]


# -- vectors --------------------------------------------------------------------------------------

def _each(v, b, rows, panels, Z, below, O, apart, value):
    """``value(i, j, x)`` of the vectors x of row i, which begin at the column j.

    The results are written a row after the other: so is new memory the fastest.
    """
    def row(i, carried):
        source, target = moved(b, Z, b.mul(i, I64(2 * v.width))), moved(b, O, b.mul(i, apart))

        def panel(p, carried):
            for half in (0, 1):
                place = b.add(b.mul(p, I64(2 * v.width)), I64(half * v.width))
                x = v.load(b, source, b.add(b.mul(p, below), I64(half * v.width)))
                v.store(b, value(i, place, x), target, place)
            return carried
        return loop(b, panels, carried, panel)
    loop(b, rows, [], row)


def _shifted(v, b, rows, panels, Z, z, below, factor, G, g, H, h, O, o, apart, function):
    G, H, factor = moved(b, G, g), moved(b, H, h), v.repeated(b, factor)

    def value(i, j, x):
        height = v.repeated(b, b.load(b.gep(H, [i])))
        return function(b, v.multiply_add(b, factor, x, b.fadd(v.load(b, G, j), height)))
    _each(v, b, rows, panels, moved(b, Z, z), below, moved(b, O, o), apart, value)


def _scaled(v, b, rows, panels, Z, z, below, factor, H, h, O, o, apart, function):
    H, factor = moved(b, H, h), v.repeated(b, factor)

    def value(i, j, x):
        height = v.repeated(b, b.load(b.gep(H, [i])))
        return b.fmul(height, function(b.fmul(factor, x)))
    _each(v, b, rows, panels, moved(b, Z, z), below, moved(b, O, o), apart, value)


@vector_code(exponentials)
def _exponentials(v, b, *args):
    _shifted(v, b, *args, v.exponential)


@vector_code(exponents)
def _plain_exponents(v, b, *args):
    _shifted(v, b, *args, lambda b, x: x)


@vector_code(sines)
def _sines(v, b, rows, panels, Z, z, below, factor, quadrants, *args):
    turned = v.repeated(b, quadrants)
    _scaled(v, b, rows, panels, Z, z, below, factor, *args, lambda x: v.sine(b, x, turned))


@vector_code(positive_parts)
def _positive_parts(v, b, *args):
    zero = v.constant(0)
    _scaled(v, b, *args, lambda x: b.select(b.fcmp_ordered("<", x, zero), zero, x))


@vector_code(units)
def _units(v, b, rows, Z, z, linear, O, o):
    zero, one, straight = v.constant(0), v.constant(1), b.icmp_signed("==", linear, I64(1))

    def value(i, j, x):
        along = b.select(straight, x, zero)
        return b.select(b.fcmp_ordered(">", along, zero), b.fadd(one, x), v.exponential(b, x))
    _each(v, b, rows, I64(1), moved(b, Z, z), I64(0), moved(b, O, o), I64(2 * v.width), value)


# -- maps -----------------------------------------------------------------------------------------

@njit
def project(x, omega, shifts, factor, slope, constant, scale, top, kinds, reach, out, lost):
    """Fill ``out`` with functions of the projections u = factor omega x.

    Parameters
    ----------
    x, omega : (L, d) and (m, d) arrays
    shifts : (m) array, added to the exponents of each direction
    slope, constant, scale, top : the factor of a row is scale e^(slope |x|^2 - top), and its
        logarithm, for exponential functions, slope |x|^2 + constant
    kinds : (k) array of the functions
    reach : the largest |x|^2 of a row that is computed; others are marked in ``lost``
    out, lost : (L, k m) and (L) arrays
    """
    (L, d), m, n = x.shape, len(omega), lanes(out)
    P, width, real = -(-m // n), out.shape[1], out.dtype
    flat, features = x.reshape(-1), out.reshape(-1)
    panels, turned = aligned(P * d * n, out), aligned(P * n, out)
    tile, spare = aligned(PANELS * ROWS * n, out), aligned(ROWS * n, out)
    heights, factors, squares = np.empty(ROWS, real), np.empty(ROWS, real), squared_lengths(x)
    panels[:], turned[:] = 0, 0
    copy(turned, 0, shifts, 0, m)
    for p in range(P):
        transpose(omega.reshape(-1), p * n * d, min(n, m - p * n), d, panels, p * d * n, d, n)
    for t in range(0, L, ROWS):
        rows = min(ROWS, L - t)
        for i in range(rows):
            lost[t + i] = not squares[t + i] <= reach
        row_factors(squares[t:t + rows], slope, constant, scale, top, heights, factors)
        for first in range(0, P, PANELS):
            several, below = min(PANELS, P - first), rows * n
            for p in range(several):
                multiply(rows, flat, t * d, d, 1, panels, (first + p) * d * n, tile, p * below, d)
            whole = min(several, m // n - first)
            for f in range(len(kinds)):
                place = t * width + f * m + first * n
                if whole > 0:
                    apply(kinds[f], rows, whole, tile, 0, below, real.type(factor), turned,
                          first * n, heights, factors, features, place, width)
                if whole < several:
                    apply(kinds[f], rows, 1, tile, whole * below, below, real.type(factor), turned,
                          (first + whole) * n, heights, factors, spare, 0, n)
                    for i in range(rows):
                        for j in range(m % n):
                            features[place + i * width + whole * n + j] = spare[i * n + j]


@njit
def row_factors(squares, slope, constant, scale, top, heights, factors):
    """Fill the exponents and the factors of rows, of which the squares of the lengths are given."""
    for i in range(squares.size):
        heights[i] = slope * squares[i] + constant
        factors[i] = scale * np.exp(slope * squares[i] - top)


@njit
def squared_lengths(x):
    """|x|^2 of each row, in double precision, of which it has the digits of x."""
    squares = np.empty(len(x))
    for i in range(len(x)):
        squares[i] = dot(x[i], x[i])
    return squares


@njit
def apply(kind, rows, panels, tile, z, below, factor, shifts, g, heights, factors, out, o, apart):
    """Fill rows of ``out`` with a function of the projections in a tile, times ``factor``."""
    sign = -factor if kind == EXP_MINUS or kind == LOG_MINUS else factor
    if kind == EXP or kind == EXP_MINUS:
        exponentials(rows, panels, tile, z, below, sign, shifts, g, heights, 0, out, o, apart)
    elif kind == LOG or kind == LOG_MINUS:
        exponents(rows, panels, tile, z, below, sign, shifts, g, heights, 0, out, o, apart)
    elif kind == RELU:
        positive_parts(rows, panels, tile, z, below, factor, factors, 0, out, o, apart)
    else:
        quadrants = out.dtype.type(1 if kind == COS else 0)
        sines(rows, panels, tile, z, below, factor, quadrants, factors, 0, out, o, apart)


@njit
def apply_units(x, linear, out):
    """Fill ``out`` with e^x, or 1 + x where x > 0 and ``linear`` is 1."""
    n, size = lanes(x), x.size
    whole, spare = size // n, np.zeros(2 * n, x.dtype)
    units(whole, x, 0, linear, out, 0)
    copy(spare, 0, x, whole * n, size - whole * n)
    units(1, spare, 0, linear, spare, n)
    copy(out, whole * n, spare, n, size - whole * n)


@njit
def exponentiate(logs, shifts, relative, out):
    """Fill ``out`` with e^(logs + shifts), divided by the largest of a row if ``relative``.

    Returns whether every sum is below infinity.
    """
    (rows, r), n = logs.shape, lanes(out)
    flat, tops, valid = out.reshape(-1), np.empty(n, out.dtype), True
    for i in range(rows):
        row, log = out[i], logs[i]
        for c in range(r):
            row[c] = log[c] + shifts[c]
        tops[:] = -np.inf
        raise_tops(tops, 0, flat, i * r, r // n)
        for c in range(r // n * n, r):
            tops[0] = row[c] if row[c] > tops[0] else tops[0]
        top = tops[0]
        for j in range(n):
            top = tops[j] if tops[j] > top else top
        valid &= top < np.inf
        if relative and top > -np.inf:
            for c in range(r):
                row[c] -= top
    apply_units(flat, 0, flat)
    return valid
