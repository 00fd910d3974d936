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
from typing import NamedTuple

import numpy as np

from hopref import maps
from hopref.fast.numba._jit import njit
from hopref.fast.numba._pairs import two_product
from hopref.fast.numba._products import LANES, copy
from hopref.fast.numba._subsets import largest_entries, lowest_of_support, subset_entries
from hopref.fast.numba._support import entries, threshold
from hopref.maps.double_double import reciprocal

__all__ = ["OPEN", "Support", "mapped", "support_of", "visible_rows"]

DEPTH = 32              # scores with one maximum
STEEPEST = 64.0         # exponent: beyond it, an ulp of a height is too many ulp of its power
FACTORS = 2.0**-400, 2.0**400       # of scores: products of heights in this range are exact pairs
OPEN = 2**16            # scores that are passed to the formula together

inf = math.inf


class Support(NamedTuple):
    """The entries of rows that are not 0, one row after the other, in double precision.

    Attributes
    ----------
    shape : the number of rows, and of entries of each that may be 0
    starts : the place of the first entry of each row, and that after the last
    rows, columns, weights, heights : the row, index and size of each entry, and its score minus the
        largest of the row
    """
    shape: tuple
    starts: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    weights: np.ndarray
    heights: np.ndarray

    def sum(self, values):
        """The sum of the values of each row."""
        return np.bincount(self.rows, values, self.shape[0])

    def norms(self, gamma):
        """The norm of each row with the exponent gamma."""
        tops = np.maximum.reduceat(np.append(self.weights, 0.0), self.starts[:-1])
        return tops * self.sum((self.weights / tops[self.rows]) ** gamma) ** (1 / gamma)


def support_of(rule, z, seen, **options):
    """The `Support` of a map of rows of scores; ``seen`` is (0, 0) if all are visible."""
    (count, n), numbers = z.shape, _numbers(rule, **options)
    size = count * n + LANES * (n // LANES + 1)
    starts, left = np.zeros(count + 1, np.int64), np.ones(count, np.bool_)
    columns, weights, heights = np.empty(size, np.int64), np.empty(size), np.empty(size)
    if numbers is not None:
        kernel = _support_subsets if "k" in options else _support_rows
        kernel(z, seen, *numbers, starts, columns, weights, heights, left)
    rows = np.repeat(np.arange(count), np.diff(starts))
    parts = [(rows, columns[:len(rows)], weights[:len(rows)], heights[:len(rows)])]
    if left.any():
        for some, p in _by_formula(rule, z, seen, left, options):
            at = rows, columns = np.nonzero(p)
            scores = np.where(p != 0, z[some], -inf).astype(float)
            heights = scores[at] - scores.max(axis=1, initial=-inf)[rows]
            parts.append((some[rows], columns, p[at], heights))
        parts = [[np.concatenate(columns) for columns in zip(*parts)]]
        order = np.argsort(parts[0][0], kind="stable")
        parts = [[column[order] for column in parts[0]]]
        starts = np.searchsorted(parts[0][0], np.arange(count + 1))
    return Support(z.shape, starts, *parts[0])


def _numbers(rule, *, beta, alpha=2.0, gamma=None, k=None):
    """The numbers that define a map to its kernels; None if they leave the range of these."""
    in_range = FACTORS[0] < beta < FACTORS[1]
    if k is not None:
        return (k, beta, rule is maps.top_k) if in_range or rule is maps.top_k else None
    if gamma is not None:
        s = 1 / (gamma - 1)
        s = s if s >= 1 else inf            # roots of small heights require all digits of the sum
        factor, q = (beta, 0.0), (1 + s, 0.0)
    elif alpha == 1:
        return None
    else:
        factor, q = two_product(beta, alpha - 1), _reciprocal(alpha - 1)
        s = q[0]
    in_range = q[0] <= STEEPEST and FACTORS[0] < factor[0] < FACTORS[1]
    return (factor, q, s) if in_range else None


def mapped(rule, z, where, empty_row, **options):
    p, n, batch = np.zeros(z.shape, z.dtype), z.shape[-1], math.prod(z.shape[:-1])
    scores, rows, seen = z.reshape(batch, n), p.reshape(batch, n), visible_rows(where, batch, n)
    left, numbers = np.ones(batch, np.bool_), _numbers(rule, **options)
    if numbers is not None:
        kernel = _map_subsets if "k" in options else _map_rows
        kernel(scores, seen, rows, *numbers, float(empty_row), left)
    if left.any():
        options["empty_row"] = empty_row
        for some, by_formula in _by_formula(rule, scores, seen, left, options):
            rows[some] = by_formula
    return p


def visible_rows(where, rows, n):
    """The mask of rows of n scores; (0, 0) if all are visible."""
    return where.reshape(rows, n) if where is not True else np.empty((0, 0), np.bool_)


_reciprocal = functools.lru_cache(reciprocal)     # which takes as long as a short row


def _by_formula(rule, scores, seen, left, options):
    """The indices of rows that are left, and the rows by the formula, a few at a time."""
    left = np.flatnonzero(left)
    several = max(1, OPEN // scores.shape[1])
    for first in range(0, len(left), several):
        some = left[first:first + several]
        where = seen[some] if seen.size else True
        yield some, rule.formula(scores[some].astype(np.float64), where=where, **options)


# -- powers of heights ----------------------------------------------------------------------------

@njit
def _map_rows(z, seen, p, factor, q, s, empty_row, left):
    """Fill p, which is 0 before, with powers s of heights whose powers q have the sum 1.

    The powers are divided by their sum.  ``left`` is set to whether a row remains.
    """
    n = z.shape[1]
    tops, visible = _workspaces(z, seen)
    x, v, at = np.empty(n), np.empty(n), np.empty(n, np.int64)
    for i in range(len(z)):
        row = _visible_row(z, seen, i, visible)
        top = _block_maxima(row, tops)
        many = _power_entries(row, tops, top, factor, q, s, x, v, at)
        left[i] = _fill(p[i], many, x, at, empty_row)


@njit
def _support_rows(z, seen, factor, q, s, starts, columns, weights, heights, left):
    tops, visible = _workspaces(z, seen)
    for i in range(len(z)):
        first, row = starts[i], _visible_row(z, seen, i, visible)
        top = _block_maxima(row, tops)
        many = _power_entries(row, tops, top, factor, q, s, weights[first:], heights[first:],
                              columns[first:])
        left[i] = _append(i, many, top, starts, heights)


@njit
def _power_entries(z, tops, top, factor, q, s, x, v, at):
    """See `entries`; no entry if no score is visible, -1 if one is NaN or +inf."""
    if not -np.inf < top < np.inf:
        return 0 if top == -np.inf else -1
    m, tau = _candidates(z, tops, top, factor[0], q[0], v, at, x)
    return entries(v[:m], at[:m], x, top, tau, factor, q, s)


# -- the k largest --------------------------------------------------------------------------------

@njit
def _map_subsets(z, seen, p, k, beta, soft, empty_row, left):
    """Fill p, which is 0 before, with the softmax of the k largest scores if ``soft``, otherwise
    with entries between 0 and 1 of sum k."""
    n = z.shape[1]
    tops, visible = _workspaces(z, seen)
    x, v, at = np.empty(max(n, tops.size)), np.empty(n), np.empty(n, np.int64)
    for i in range(len(z)):
        row = _visible_row(z, seen, i, visible)
        top = _block_maxima(row, tops)
        many = _subset_of_row(row, tops, top, k, beta, soft, x, v, at)
        left[i] = _fill(p[i], many, x, at, empty_row)


@njit
def _support_subsets(z, seen, k, beta, soft, starts, columns, weights, heights, left):
    tops, visible = _workspaces(z, seen)
    for i in range(len(z)):
        first, row = starts[i], _visible_row(z, seen, i, visible)
        top = _block_maxima(row, tops)
        many = _subset_of_row(row, tops, top, k, beta, soft, weights[first:], heights[first:],
                              columns[first:])
        left[i] = _append(i, many, top, starts, heights)


@njit
def _subset_of_row(z, tops, top, k, beta, soft, x, v, at):
    """See `largest_entries` and `subset_entries`, and `_power_entries`."""
    if not -np.inf < top < np.inf:
        return 0 if top == -np.inf else -1
    low = lowest_of_support(tops, x, k, beta, soft)
    m = _gather(z, tops, np.nextafter(low, -np.inf), v, at)
    if soft:
        return largest_entries(v[:m], at[:m], x, k, top, beta)
    return subset_entries(v[:m], at[:m], x, k, beta)


# -- both -----------------------------------------------------------------------------------------

@njit
def _workspaces(z, seen):
    """For the maxima of blocks of a row, and for a row with hidden scores."""
    n = z.shape[1]
    return (np.empty(-(-n // (LANES * DEPTH)) * LANES, z.dtype),
            np.empty(n if seen.size else 0, z.dtype))


@njit
def _fill(p, many, x, at, empty_row):
    """Fill p with the entries, or ``empty_row`` if there are none; whether they are not known."""
    if many == 0:
        p[:] = empty_row
    for j in range(many):
        p[at[j]] = x[j]
    return many < 0


@njit
def _append(i, many, top, starts, heights):
    """Make the heights of the entries of row i relative to its largest score; whether these are not
    known."""
    starts[i + 1] = starts[i] + max(many, 0)
    for j in range(starts[i], starts[i + 1]):
        heights[j] -= top
    return many < 0


@njit
def _visible_row(z, seen, i, visible):
    """Row i, with -inf for hidden scores."""
    if seen.size == 0:
        return z[i]
    for j in range(z.shape[1]):
        visible[j] = z[i, j] if seen[i, j] else -np.inf
    return visible


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
        copy(spare, 0, tops, 0, k)
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
