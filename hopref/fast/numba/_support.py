"""The support of a sparse map among candidates, and the entries of the support.

`threshold` is Newton's method, which suggests the edge of the support.  `entries` verifies the edge
by sums of powers of heights, in pairs and with bounds on their errors, and measures the heights of
all entries upwards from it, as in `hopref.maps.thresholds`.
"""
import math

import numpy as np

from hopref.fast.numba._jit import NO_NAN, njit
from hopref.fast.numba._pairs import real_power, two_product, two_sum
from hopref.fast.numba._products import copy

__all__ = ["LEAST", "MOVES", "STEPS", "threshold", "entries", "height", "above", "below"]

LEAST = 2.0**-400       # height: smaller ones, other than 0, are left to the formula
ROUNDED = 2.0**-44      # bound on the error of a sum of rounded powers near 1
EXACT = 2.0**-96        # bound on the error of a sum of pairs near 1, relative to their number
STEPS = 100             # bound on Newton steps, of which a few are taken
FINE = 2                # Newton steps with powers in pairs
MOVES = 4               # of the edge that Newton's method suggests

inf = math.inf


@njit
def threshold(v, m, top, factor, q, tau):
    """The threshold of m scores for an exponent q >= 1, in heights below the largest score.

    Newton's method rises from a lower bound tau, since the sum is convex.  Scores that fall below
    the threshold are removed from v; their number is returned too.
    """
    near = 2.0**-52 if q == 1 or q == 2 else 2.0**-26           # the excess is squared by a step
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
        step = max(0.0, (total - 1) / (q * slope))
        tau += step
        if not step > near:
            break
    return tau, m


# -- support ------------------------------------------------------------------------------------

@njit
def height(z, b, factor):
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
            t, l = height(v[i], b, factor)
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
    error = ROUNDED
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
    b, under, moves = above(v, guess), below(v, np.nextafter(guess, inf)), 0
    side, rest, first = _remainder(v, b, factor, q)
    while side < 0 and moves < MOVES:                           # the edge is higher
        under, b, moves = b, above(v, b), moves + 1
        side, rest, first = _remainder(v, b, factor, q)
    while side > 0 and under > -inf:
        lower, more, total = _remainder(v, under, factor, q)
        if lower < 0:
            break
        b, rest, first, under, moves = under, more, total, below(v, under), moves + 1
        side = lower if moves < MOVES else 0                    # the edge is lower
    return b, rest, first, side > 0


@njit(fastmath=NO_NAN)
def above(v, b):
    """The lowest score above b, or the largest score."""
    lowest, top = inf, -inf
    for i in range(v.size):
        lowest = min(lowest, v[i] if v[i] > b else inf)
        top = max(top, v[i])
    return min(lowest, top)


@njit(fastmath=NO_NAN)
def below(v, b):
    highest = -inf
    for i in range(v.size):
        highest = max(highest, v[i] if v[i] < b else -inf)
    return highest


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
def entries(v, at, x, top, tau, factor, q, s):
    """The number of entries that are not 0, with which x begins; -1 if the support is not certain.

    v and ``at`` then begin with their scores and places.
    """
    m = v.size
    copy(x, 0, v, 0, m)
    tau, many = threshold(x, m, top, factor[0], max(q[0], 1.0), tau)
    if q[0] < 1:
        guess = _guess_among(x[:many], factor, q[0])
    else:
        guess = top + tau / factor[0]
    b, rest, first, certain = _edge(v, guess, factor, q[0])
    if not certain:
        return -1
    many = 0
    for i in range(m):
        if v[i] >= b:
            v[many], at[many] = v[i], at[i]
            many += 1
    v = v[:many]
    if q[0] < 1:
        _steep_entries(v, x, rest, b, factor, q)
    else:
        r = _height_of_edge(v, rest, first, b, top, tau, factor, q[0])
        _flat_entries(v, x, r, b, top, factor, s)
    total, small = 0.0, 0.0
    for i in range(many):
        total, d = two_sum(total, x[i])
        small += d
    total += small
    for i in range(many):
        x[i] /= total
    return many


@njit
def _height_of_edge(v, rest, first, b, top, tau, factor, q):
    """The root r of ``sum (factor (v - b) + r)^q = 1`` for q >= 1; tau is near the threshold."""
    many = v.size
    if q == 1:
        return rest / many
    if q == 2:
        return rest / (first + math.sqrt(first * first + many * rest))
    r = max(0.0, -tau - height(top, b, factor)[0])
    for _ in range(STEPS):
        rest, small, slope = 1.0, 0.0, 0.0
        for i in range(many):
            e, l = height(v[i], b, factor)
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
def _flat_entries(v, x, r, b, top, factor, s):
    """Fill x with the powers s >= 1 of the heights, up to a common factor."""
    e, l = height(top, b, factor)
    largest = e + (l + r)
    for i in range(v.size):
        e, l = height(v[i], b, factor)
        t = e + (l + r)
        if s == 1:
            x[i] = t
        elif s == 2:
            x[i] = t * t
        elif s < 2:
            x[i] = t ** s
        else:
            depth = height(top, v[i], factor)[0] / largest
            x[i] = math.exp(s * math.log1p(-depth)) if depth < 0.5 else (t / largest) ** s


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
        e, l = height(v[i], b, factor)
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
