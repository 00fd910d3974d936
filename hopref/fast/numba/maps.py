"""Sparse maps of `hopref.maps.sparse`, one row at a time, from the few scores near the largest.

The threshold of the largest scores of all blocks is a lower bound of the threshold: the candidates,
which are the scores above it, contain the support.  Newton's method on the candidates suggests the
lowest score of the support, called the edge.  It is then verified: the sum of the powers of the
heights above the edge must be below 1, and that above the next lower score must not.  The heights
of all entries are measured upwards from the edge, as in `hopref.maps.thresholds`.

Scores enter as differences times a factor, in pairs; sums carry their rounding errors.  A row in
which a sum is so near to 1 that its error bound does not decide the support is computed by the
formula, and so are rows with NaN or +inf and exponents outside of `STEEPEST` and `FACTORS`.
Memory for four rows is used in addition to the result, of either precision; the arithmetic is that
of float64.
"""
import functools
import math

import numpy as np

from hopref import maps
from hopref.fast.numba._jit import njit
from hopref.fast.numba._pairs import real_power, two_product, two_sum
from hopref.fast.numba._products import LANES
from hopref.maps.double_double import reciprocal

__all__ = ["sparsemax", "entmax"]

DEPTH = 32              # scores with one maximum
STEEPEST = 64.0         # exponent: beyond it, an ulp of a height is too many ulp of its power
FACTORS = 2.0**-400, 2.0**400       # of scores: products of heights in this range are exact pairs
LEAST = 2.0**-400       # height: smaller ones, other than 0, are left to the formula
DOUBT = 2.0**-44        # bound on the error of a sum of rounded powers near 1
EXACT = 2.0**-96        # bound on the error of a sum of pairs near 1, relative to their number
STEPS = 100             # bound on Newton steps, of which a few are taken
FINE = 2                # Newton steps with powers in pairs
MOVES = 4               # of the edge that Newton's method suggests
OPEN = 2**16            # scores that are passed to the formula together

inf = math.inf


def sparsemax(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    return entmax(z, beta=beta, alpha=2.0, where=where, empty_row=empty_row)


def entmax(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    options = {"beta": beta, "alpha": alpha, "empty_row": empty_row}
    if alpha == 1:
        p = maps.softmax.formula(z.astype(np.float64, copy=False), beta=beta, where=where,
                                 empty_row=empty_row)
        return p.astype(z.dtype, copy=False)
    q, factor = _reciprocal(alpha - 1), two_product(beta, alpha - 1)
    p, n = np.zeros(z.shape, z.dtype), z.shape[-1]
    scores, rows = z.reshape(math.prod(z.shape[:-1]), n), p.reshape(math.prod(z.shape[:-1]), n)
    seen = where.reshape(scores.shape) if where is not True else np.empty((0, 0), np.bool_)
    left = np.ones(len(scores), np.bool_)
    if q[0] <= STEEPEST and FACTORS[0] < factor[0] < FACTORS[1]:
        _map_rows(scores, seen, rows, factor, q, float(empty_row), left)
    if left.any():
        _by_formula(maps.entmax, scores, seen, rows, left, options)
    return p


_reciprocal = functools.lru_cache(reciprocal)     # which takes as long as a short row


def _by_formula(rule, scores, seen, rows, left, options):
    """Fill the rows that are left, a few at a time."""
    left = np.flatnonzero(left)
    several = max(1, OPEN // scores.shape[1])
    for first in range(0, len(left), several):
        some = left[first:first + several]
        where = seen[some] if seen.size else True
        rows[some] = rule.formula(scores[some].astype(np.float64), where=where, **options)


@njit
def _map_rows(z, seen, p, factor, q, empty_row, left):
    """Fill p, which is 0 before, and set ``left`` to whether a row remains."""
    n = z.shape[1]
    tops = np.empty(-(-n // (LANES * DEPTH)) * LANES, z.dtype)
    v, spare, at = np.empty(n), np.empty(n), np.empty(n, np.int64)
    visible = np.empty(n if seen.size else 0, z.dtype)
    for i in range(len(z)):
        row = z[i]
        if seen.size:
            row = visible
            for j in range(n):
                row[j] = z[i, j] if seen[i, j] else -np.inf
        top = _block_maxima(row, tops)
        left[i] = False
        if top == -np.inf:
            p[i] = empty_row
        elif top < np.inf:
            m = _candidates(row, tops, top, factor[0], q[0], v, at, spare)
            left[i] = not _entries(p[i], v[:m], at[:m], spare, top, factor, q)
        else:
            left[i] = True


# -- candidates ---------------------------------------------------------------------------------

@njit
def _block_maxima(z, tops):
    """Fill ``tops``; return the largest, or NaN if a score is NaN or +inf.

    A block has one score of each of DEPTH lines of LANES, so that maxima are taken in vector lanes.
    """
    tops[:] = -np.inf
    n = z.size
    lines = n // LANES
    for i in range(0, lines - lines % 4, 4):
        a, c = i * LANES, i // DEPTH * LANES
        for j in range(LANES):
            x0, x1, x2, x3 = z[a + j], z[a + LANES + j], z[a + 2 * LANES + j], z[a + 3 * LANES + j]
            top = tops[c + j]
            total = (x0 + x1) + (x2 + x3) + top                 # NaN if a term is
            x0, x2 = x0 if x0 > x1 else x1, x2 if x2 > x3 else x3
            x0 = x0 if x0 > x2 else x2
            tops[c + j] = total if total != total else x0 if x0 > top else top
    for i in range(lines - lines % 4, -(-n // LANES)):
        a, c = i * LANES, i // DEPTH * LANES
        for j in range(min(LANES, n - a)):
            top, x = tops[c + j], z[a + j]
            tops[c + j] = x + top if x + top != x + top else x if x > top else top
    top = -np.inf
    for i in range(tops.size):
        if tops[i] != tops[i]:
            return np.nan
        top = max(top, np.float64(tops[i]))
    return top


@njit
def _candidates(z, tops, top, factor, q, v, at, spare):
    """Copy the scores above a lower bound of the threshold to v, their places to ``at``."""
    low = top - (1 + 2.0**-40) / factor                         # no height is above 1
    if z.size > LANES:
        k = min(tops.size, z.size)
        spare[:k] = tops[:k]
        tau, _ = _threshold(spare, k, top, factor, max(q, 1.0))
        low = top + (tau - 2.0**-40) / factor
    low -= 2.0**-50 * abs(low)
    m, n = 0, z.size
    for i in range(min(tops.size, n)):
        if tops[i] > low:
            first = i // LANES * (LANES * DEPTH) + i % LANES
            for j in range(first, min(n, first + LANES * DEPTH), LANES):
                v[m], at[m] = z[j], j
                m += z[j] > low
    return m


@njit
def _threshold(v, m, top, factor, q):
    """The threshold of m scores for an exponent q >= 1, in heights below the largest score.

    Newton's method rises from a lower bound, since the sum is convex.  Scores that fall below
    the threshold are removed from v; their number is returned too.
    """
    tau = -1.0
    for _ in range(STEPS):
        kept, total, slope = 0, 0.0, 0.0
        for i in range(m):
            t = factor * (v[i] - top) - tau
            if t > 0:
                v[kept] = v[i]
                kept += 1
                steep = 1.0 if q == 1 else t if q == 2 else t ** (q - 1)
                total += steep * t
                slope += steep
        m = kept
        step = (total - 1) / (q * slope)
        if not step > 2.0**-52:
            break
        tau += step
    return tau, m


# -- support ------------------------------------------------------------------------------------

@njit
def _height(z, b, factor):
    """``factor (z - b)`` as a pair, for z >= b."""
    h, l = two_sum(z, -b)
    t, more = two_product(h, factor[0])
    return two_sum(t, more + (h * factor[1] + l * factor[0]))


@njit
def _remainder(v, b, factor, q):
    """Whether b is in the support: 1, -1 or, if that is not certain, 0; and two sums over v.

    These are ``1 - sum (factor (v - b))_+^q``, which is > 0 in the support, and the sum of heights.
    """
    rest, small, lost, first, more = 1.0, 0.0, 0.0, 0.0, 0.0
    for i in range(v.size):
        if v[i] > b:
            t, l = _height(v[i], b, factor)
            if t < LEAST:
                return 0, 0.0, 0.0
            first, d = two_sum(first, t)
            more += d + l
            if q == 1:
                x, y = t, l
            elif q == 2:
                x, y = two_product(t, t)
                y += 2 * t * l
            else:
                x = t ** q
                y = q * l * x / t
            rest, d = two_sum(rest, -x)
            small += d - y
            lost += abs(d) + abs(y)
            if rest < -1:
                break
    error = DOUBT
    if q == 1 or q == 2:
        error = EXACT * v.size if lost > 0 else 0.0
    rest += small
    side = 1 if rest > error else -1 if rest < -error or error == 0 else 0
    return side, rest, first + more


@njit
def _edge(v, guess, factor, q):
    """The lowest score of the support; its remainder and sum of heights; whether it is certain.

    ``guess`` is below the edge and not below the next lower score, or nearly so.
    """
    b, under, moves = _above(v, guess), _below(v, np.nextafter(guess, inf)), 0
    side, rest, first = _remainder(v, b, factor, q)
    while side < 0 and moves < MOVES:                           # the edge is higher
        under, b, moves = b, _above(v, b), moves + 1
        side, rest, first = _remainder(v, b, factor, q)
    while side > 0 and under > -inf:
        lower, more, total = _remainder(v, under, factor, q)
        if lower < 0:
            break
        b, rest, first, under, moves = under, more, total, _below(v, under), moves + 1
        side = lower if moves < MOVES else 0                    # the edge is lower
    return b, rest, first, side > 0


@njit
def _above(v, b):
    """The lowest score above b, or the largest score."""
    above, top = inf, -inf
    for i in range(v.size):
        top = max(top, v[i])
        if v[i] > b:
            above = min(above, v[i])
    return min(above, top)


@njit
def _below(v, b):
    below = -inf
    for i in range(v.size):
        if v[i] < b:
            below = max(below, v[i])
    return below


@njit
def _guess_among(v, factor, q):
    """A score next below the edge, by bisection in the sorted scores, for any exponent."""
    v.sort()
    low, high = -1, v.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if _remainder(v, v[middle], factor, q)[1] > 0:
            high = middle
        else:
            low = middle
    return v[low] if low >= 0 else -inf


# -- entries ------------------------------------------------------------------------------------

@njit
def _entries(p, v, at, spare, top, factor, q):
    """Fill the entries of p that are not 0; return False if the support is not certain."""
    m = v.size
    spare[:m] = v
    tau, many = _threshold(spare, m, top, factor[0], max(q[0], 1.0))
    if q[0] < 1:
        guess = _guess_among(spare[:many], factor, q[0])
    else:
        guess = top + tau / factor[0]
    b, rest, first, certain = _edge(v, guess, factor, q[0])
    if not certain:
        return False
    many = 0
    for i in range(m):
        if v[i] >= b:
            v[many], at[many] = v[i], at[i]
            many += 1
    v = v[:many]
    if q[0] < 1:
        _steep_entries(v, spare, rest, b, factor, q)
    else:
        r = _height_of_edge(v, rest, first, b, top, tau, factor, q[0])
        _flat_entries(v, spare, r, b, top, factor, q[0])
    total, small = 0.0, 0.0
    for i in range(many):
        total, d = two_sum(total, spare[i])
        small += d
    total += small
    for i in range(many):
        p[at[i]] = spare[i] / total
    return True


@njit
def _height_of_edge(v, rest, first, b, top, tau, factor, q):
    """The root r of ``sum (factor (v - b) + r)^q = 1`` for q >= 1; tau is near the threshold."""
    many = v.size
    if q == 1:
        return rest / many
    if q == 2:
        return rest / (first + math.sqrt(first * first + many * rest))
    r = max(0.0, -tau - _height(top, b, factor)[0])
    for _ in range(STEPS):
        rest, small, slope = 1.0, 0.0, 0.0
        for i in range(many):
            e, l = _height(v[i], b, factor)
            t, l = two_sum(e, l + r)
            if t > 0:
                x = t ** q
                rest, d = two_sum(rest, -x)
                small += d - q * l * x / t
                slope += x / t
        new = max(0.0, r + (rest + small) / (q * slope))
        if not abs(new - r) > 2.0**-52 * new:
            return new
        r = new
    return r


@njit
def _flat_entries(v, x, r, b, top, factor, q):
    """Fill x with the powers q >= 1 of the heights, up to a common factor."""
    e, l = _height(top, b, factor)
    largest = e + (l + r)
    for i in range(v.size):
        e, l = _height(v[i], b, factor)
        t = e + (l + r)
        if q == 1:
            x[i] = t
        elif q == 2:
            x[i] = t * t
        elif q < 2:
            x[i] = t ** q
        else:
            depth = _height(top, v[i], factor)[0] / largest
            x[i] = math.exp(q * math.log1p(-depth)) if depth < 0.5 else (t / largest) ** q


@njit
def _steep_entries(v, x, rest, b, factor, q):
    """Fill x with the powers q < 1 of the heights, from the power w of the height of the edge.

    The sum is a convex function of w, with a slope of at least 1.
    """
    edges = 0
    for i in range(v.size):
        edges += v[i] == b
    w, fine = max(rest, 0.0) / edges, 0
    for _ in range(STEPS):
        lack, slope = _steep_sum(v, x, w, b, factor, q, fine > 0)
        new = max(0.0, w + lack / slope)
        fine += fine > 0 or not abs(new - w) > 2.0**-50 * w
        w = new
        if fine > FINE:
            break
    _steep_sum(v, x, w, b, factor, q, False)


@njit
def _steep_sum(v, x, w, b, factor, q, fine):
    """Fill x with powers for a power w at the edge; their sum subtracted from 1, and its slope."""
    r, rest, small, slope = w ** (1 / q[0]), 1.0, 0.0, 0.0
    for i in range(v.size):
        e, l = _height(v[i], b, factor)
        low = 0.0
        if e == 0 and r < LEAST:
            x[i] = w
        elif fine:
            t, low = two_sum(e, r)
            x[i], low = real_power((t, low + l), q)
        elif e <= r:
            x[i] = w * (1 + e / r) ** q[0]
        else:
            x[i] = (e + (l + r)) ** q[0]
        rest, d = two_sum(rest, -x[i])
        small += d - low
        slope += (w / x[i]) ** (1 / q[0] - 1) if x[i] > 0 else 1.0
    return rest + small, slope
