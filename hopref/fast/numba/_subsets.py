"""Maps of the k largest scores among candidates: k-subsets, and the softmax of the k largest.

k-subsets: Newton's method suggests the edge, which is the lowest score of the support, and the
lowest score whose entry is 1.  Both are verified by sums of heights: where they are within the
error bound of a plain sum, in pairs, as the edge of the other maps in `hopref.fast.numba._support`.
"""
import math

import numpy as np

from hopref.fast.numba._jit import REORDER, njit
from hopref.fast.numba._pairs import two_sum
from hopref.fast.numba._products import copy
from hopref.fast.numba._support import LEAST, MOVES, STEPS, above, below, height

__all__ = ["largest_entries", "lowest_of_support", "subset_entries"]

GROUP = 16              # blocks whose largest score is one of few, if these are more than k
WHOLE = 1.25            # height that is above 1 in spite of rounding

inf = math.inf


@njit
def kth_largest(v, m, k):
    """The k-th largest of the first m numbers, which are reordered (Hoare 1961)."""
    low, high = 0, m - 1
    while low < high:
        a, c, e = v[low], v[(low + high) // 2], v[high]
        pivot = max(min(a, c), min(max(a, c), e))
        i, j = low, high
        while i <= j:
            while v[i] > pivot:
                i += 1
            while v[j] < pivot:
                j -= 1
            if i <= j:
                v[i], v[j] = v[j], v[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            break
    return v[k - 1]


@njit
def lowest_of_support(tops, x, k, beta, soft):
    """A lower bound of the scores whose entries are not 0, from the largest scores of blocks.

    It is at most the k-th largest score and, for k-subsets, the threshold: without the other scores
    the sum of the entries is smaller, and its threshold lower.  x is a workspace.
    """
    m = tops.size // GROUP
    if k <= m:
        for i in range(m):
            x[i] = tops[i * GROUP:(i + 1) * GROUP].max()
    else:
        m = tops.size
        copy(x, 0, tops, 0, m)
    kth = kth_largest(x, m, k) if k <= m else -inf
    if soft or kth == -inf:
        return kth
    low, m = kth - (1 + 2.0**-50) / beta - 2.0**-50 * abs(kth), 0
    for i in range(tops.size):
        x[m] = tops[i]
        m += tops[i] > low
    low = kth + (_threshold(x[:m], x, kth, k, beta) - 2.0**-40) / beta
    return low - 2.0**-50 * abs(low)


# -- the softmax of the k largest ----------------------------------------------------------------

@njit
def largest_entries(v, at, x, k, top, beta):
    """The number of entries of the k largest candidates, of ties those of lowest index.

    x, v and ``at`` begin with the entries, their scores and their places.
    """
    m, last = v.size, inf
    kth = -inf
    if m > k:
        copy(x, 0, v, 0, m)
        kth = kth_largest(x, m, k)
        ties, larger = 0, 0
        for i in range(m):
            larger += v[i] > kth
            if v[i] == kth:
                x[ties] = -at[i]
                ties += 1
        last = -kth_largest(x, ties, k - larger)
    many, total, small = 0, 0.0, 0.0
    for i in range(m):
        if v[i] > kth or v[i] == kth and at[i] <= last:
            v[many], at[many], x[many] = v[i], at[i], math.exp(beta * (v[i] - top))
            total, d = two_sum(total, x[many])
            small += d
            many += 1
    for i in range(many):
        x[i] /= total + small
    return many


# -- k-subsets ------------------------------------------------------------------------------------

@njit
def subset_entries(v, at, x, k, beta):
    """The number of entries that are not 0; -1 if they are not certain.

    x, v and ``at`` then begin with the entries, their scores and their places.  The candidates
    contain the support; if there are at most k, each entry is 1.
    """
    m, factor = v.size, (beta, 0.0)
    if m <= k:
        x[:m] = 1
        return m
    copy(x, 0, v, 0, m)
    middle = kth_largest(x, m, k)
    tau = _threshold(v, x, middle, k, beta)
    edge, certain = _lowest(v, middle + tau / beta, factor, k, False)
    one, sure = _lowest(v, middle + (tau + 1) / beta, factor, k, True)
    if not (certain and sure):
        return -1
    many, rest, small, some = 0, np.float64(k), 0.0, 0
    for i in range(m):
        if v[i] < edge:
            continue
        v[many], at[many] = v[i], at[i]
        if v[many] >= one:
            rest -= 1
        else:
            some += 1
            x[many], l = height(v[many], edge, factor)
            rest, d = two_sum(rest, -x[many])
            small += d - l
        many += 1
    for i in range(many):
        x[i] = 1.0 if v[i] >= one else min(1.0, x[i] + (rest + small) / some)
    return many


@njit
def _threshold(v, x, middle, k, beta):
    """tau between -1 and 0 for which ``clip(beta (v - middle) - tau, 0, 1)`` has the sum k.

    ``middle`` is the k-th largest score.  Newton's method, in a bracket, on the entries that are
    not certainly 0 or 1, which are copied to x.
    """
    m, left = 0, np.float64(k)
    for i in range(v.size):
        x[m] = beta * (v[i] - middle)
        left -= x[m] >= 1
        m += -1 < x[m] < 1
    low, high, tau = -1.0, 0.0, -0.5
    for _ in range(STEPS):
        excess, slope = _clipped(x[:m], tau)
        excess -= left
        low, high = (tau, high) if excess > 0 else (low, tau)
        new = tau + excess / max(slope, 1)
        new = new if low < new < high and slope > 0 else (low + high) / 2
        if not abs(new - tau) > 2.0**-52 or excess == 0:
            break
        tau = new
    return tau


@njit(fastmath=REORDER)
def _clipped(x, tau):
    """The sum of the differences to tau, clipped to [0, 1], and the number inside of it."""
    total, inside = 0.0, 0
    for i in range(x.size):
        t = x[i] - tau
        inside += (t > 0) & (t < 1)
        t = t if t > 0 else 0.0
        total += t if t < 1 else 1.0
    return total, inside


@njit(fastmath=REORDER)
def _sum_from(v, b, beta, shift):
    """The sum of beta (v - b) + shift, clipped to [0, 1]."""
    total = 0.0
    for i in range(v.size):
        t = beta * (v[i] - b) + shift
        t = t if t > 0 else 0.0
        total += t if t < 1 else 1.0
    return total


@njit
def _lowest(v, guess, factor, k, ones):
    """The lowest score of the support, or of those whose entry is 1; and whether it is certain.

    ``guess`` is near; infinity is returned if no entry is 1.
    """
    b, under, moves = above(v, guess), below(v, np.nextafter(guess, inf)), 0
    side = _side(v, b, factor, k, ones)
    while side < 0 and moves < MOVES:
        higher = above(v, b)
        if higher == b:
            return inf, ones
        under, b, moves = b, higher, moves + 1
        side = _side(v, b, factor, k, ones)
    while side > 0 and under > -inf and moves < MOVES:
        lower = _side(v, under, factor, k, ones)
        if lower < 0:
            return b, True
        b, under, moves, side = under, below(v, under), moves + 1, lower
    return b, side > 0 and under == -inf


@njit
def _side(v, b, factor, k, ones):
    """Whether b is in the support, or its entry is 1: 1, -1 or, if that is not certain, 0.

    An entry is in the support if the sum for the threshold b is below k, and 1 if that for the
    threshold 1 below b is; if that is k, the entry is 1 too, by its height above the edge.
    """
    rest = k - _sum_from(v, b, factor[0], 1.0 if ones else 0.0)
    if abs(rest) > 2.0**-52 * (k + 1.0) * (v.size + 4.0):
        return 1 if rest > 0 else -1
    rest, small, lost = np.float64(k), 0.0, 0.0
    for i in range(v.size):
        low, high = (v[i], b) if ones else (b, v[i])
        gap = factor[0] * (high - low) if high > low else 0.0
        t, l, whole = 0.0, 0.0, gap >= WHOLE
        if 0 < gap < WHOLE:
            t, l = height(high, low, factor)
            if t < LEAST:
                return 0
            whole = (t - 1) + l >= 0
        if ones and not whole:
            rest -= 1
            t, l = -t, -l
        elif whole:
            rest -= not ones
            continue
        rest, d = two_sum(rest, -t)
        small += d - l
        lost += abs(d) + abs(l)
        if rest < -2:
            return -1
    error = 2.0**-105 * v.size * v.size * (k + 1.0) if lost > 0 else 0.0
    rest += small
    if rest > error:
        return 1
    return -1 if rest < -error or error == 0 else 0
