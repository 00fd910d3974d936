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
from hopref.fast.numba._pairs import two_product
from hopref.fast.numba._products import LANES
from hopref.fast.numba._subsets import kth_largest, largest_entries, subset_entries
from hopref.fast.numba._support import entries, threshold
from hopref.maps.double_double import reciprocal

__all__ = ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"]

DEPTH = 32              # scores with one maximum
STEEPEST = 64.0         # exponent: beyond it, an ulp of a height is too many ulp of its power
FACTORS = 2.0**-400, 2.0**400       # of scores: products of heights in this range are exact pairs
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
    q = _reciprocal(alpha - 1)
    return _mapped(maps.entmax, z, where, options, two_product(beta, alpha - 1), q, q[0])


def normmax(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    options, s = {"beta": beta, "gamma": gamma, "empty_row": empty_row}, 1 / (gamma - 1)
    s = s if s >= 1 else inf                # roots of small heights require all digits of the sum
    return _mapped(maps.normmax, z, where, options, (beta, 0.0), (1 + s, 0.0), s)


def k_subsets(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    options = {"k": k, "beta": beta, "empty_row": empty_row}
    return _mapped_subsets(maps.k_subsets, z, where, options, FACTORS[0] < beta < FACTORS[1])


def top_k(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    options = {"k": k, "beta": beta, "empty_row": empty_row}
    return _mapped_subsets(maps.top_k, z, where, options, True)


def _mapped_subsets(rule, z, where, options, in_range):
    p, scores, rows, seen, left = _rows(z, where)
    if in_range:
        _map_subsets(scores, seen, rows, options["k"], options["beta"], rule is maps.top_k,
                     float(options["empty_row"]), left)
    if left.any():
        _by_formula(rule, scores, seen, rows, left, options)
    return p


def _rows(z, where):
    """The result, scores and result in rows, their mask, and that all rows are left."""
    p, n, batch = np.zeros(z.shape, z.dtype), z.shape[-1], math.prod(z.shape[:-1])
    seen = where.reshape(batch, n) if where is not True else np.empty((0, 0), np.bool_)
    return p, z.reshape(batch, n), p.reshape(batch, n), seen, np.ones(batch, np.bool_)


def _mapped(rule, z, where, options, factor, q, s):
    p, scores, rows, seen, left = _rows(z, where)
    if q[0] <= STEEPEST and FACTORS[0] < factor[0] < FACTORS[1]:
        _map_rows(scores, seen, rows, factor, q, s, float(options["empty_row"]), left)
    if left.any():
        _by_formula(rule, scores, seen, rows, left, options)
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
def _map_rows(z, seen, p, factor, q, s, empty_row, left):
    """Fill p, which is 0 before, with powers s of heights whose powers q have the sum 1.

    The powers are divided by their sum.  ``left`` is set to whether a row remains.
    """
    n = z.shape[1]
    tops = np.empty(-(-n // (LANES * DEPTH)) * LANES, z.dtype)
    v, spare, at = np.empty(n), np.empty(n), np.empty(n, np.int64)
    visible = np.empty(n if seen.size else 0, z.dtype)
    for i in range(len(z)):
        row = _visible_row(z, seen, i, visible)
        top = _block_maxima(row, tops)
        left[i] = False
        if top == -np.inf:
            p[i] = empty_row
        elif top < np.inf:
            m, tau = _candidates(row, tops, top, factor[0], q[0], v, at, spare)
            left[i] = not entries(p[i], v[:m], at[:m], spare, top, tau, factor, q, s)
        else:
            left[i] = True


@njit
def _visible_row(z, seen, i, visible):
    """Row i, with -inf for hidden scores."""
    if seen.size == 0:
        return z[i]
    for j in range(z.shape[1]):
        visible[j] = z[i, j] if seen[i, j] else -np.inf
    return visible


@njit
def _map_subsets(z, seen, p, k, beta, soft, empty_row, left):
    """Fill p, which is 0 before, with the softmax of the k largest scores if ``soft``, otherwise
    with entries between 0 and 1 of sum k."""
    n = z.shape[1]
    tops = np.empty(-(-n // (LANES * DEPTH)) * LANES, z.dtype)
    v, spare, at = np.empty(n), np.empty(max(n, tops.size)), np.empty(n, np.int64)
    visible = np.empty(n if seen.size else 0, z.dtype)
    for i in range(len(z)):
        row = _visible_row(z, seen, i, visible)
        top = _block_maxima(row, tops)
        left[i] = False
        if top == -np.inf:
            p[i] = empty_row
        elif top < np.inf:
            low = -np.inf
            if k <= tops.size:
                spare[:tops.size] = tops
                low = kth_largest(spare, tops.size, k)      # not above the k-th largest score
            if low > -np.inf and not soft:
                low -= (1 + 2.0**-50) / beta + 2.0**-50 * abs(low)
            m = _gather(row, tops, np.nextafter(low, -np.inf), v, at)
            if soft:
                largest_entries(p[i], v[:m], at[:m], spare, k, top, beta)
            else:
                left[i] = not subset_entries(p[i], v[:m], at[:m], spare, k, beta)
        else:
            left[i] = True


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
    """Copy the scores above a lower bound of the threshold to v, their places to ``at``.

    Returns their number, and the bound as a height below the largest score.
    """
    tau = -1.0                                                  # no height is above 1
    if z.size > LANES:
        k = min(tops.size, z.size)
        spare[:k] = tops[:k]
        tau, _ = threshold(spare, k, top, factor, max(q, 1.0), tau)
    tau -= 2.0**-40
    low = top + tau / factor
    return _gather(z, tops, low - 2.0**-50 * abs(low), v, at), tau


@njit
def _gather(z, tops, low, v, at):
    """Copy the scores above ``low`` to v, their places to ``at``; return their number."""
    m, n = 0, z.size
    for i in range(min(tops.size, n)):
        if tops[i] > low:
            first = i // LANES * (LANES * DEPTH) + i % LANES
            for j in range(first, min(n, first + LANES * DEPTH), LANES):
                v[m], at[m] = z[j], j
                m += z[j] > low
    return m
