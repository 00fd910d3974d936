"""`hopref.models.dense` for polar patterns, by tables of the interaction.

The overlap of a state and a pattern that differ in k sites is m = d - 2k, and the flip of a site
changes it by 2.  The sum over the patterns that decides site i is therefore

    xi_i sum_mu C(m_mu) + sum_mu x_mu,i G(m_mu),

where G(m) = (F(m + 2) - F(m - 2))/2 and C(m) = F(m) - (F(m + 2) + F(m - 2))/2 are read from tables.
Patterns are bits, of which overlaps are numbers, and G is summed over those that are 1.  In updates
of all sites, G is a multiple of its largest value, in single precision.  A sum that does not exceed
its error bound is computed anew, in double precision.  If all terms are integers, that is exact if
double precision holds as many.  Otherwise the patterns with the same overlap with the other sites
have the same difference F(r + 1) - F(r - 1), up to the sign, and are counted, so that equal terms
cancel exactly, if a sum does not exceed its bound in double precision.  States in which it is below
its bound again are computed by the formula, and so are all states for other patterns, other
interactions, and powers that overflow.

The table of the exponential interaction is relative to the largest overlap of a state.
"""
import functools
import math

import numpy as np

from hopref.fast.numba._bits import WORD, differing, packed, sum_of_ones
from hopref.fast.numba._jit import NO_NAN, njit
from hopref.fast.numba._products import aligned, dot
from hopref.fast.numba._signs import sign
from hopref.fast.numba._tiles import transpose
from hopref.models import dense

__all__ = ["update", "asynchronous_update"]

EXACT = 2.0**51         # bound of sums of integers, or of their halves, that are exact
FORMED = 2**20          # numbers in the arrays of the formula
STATES = 8              # whose sums are computed together
TERMS = 128             # that are summed in single precision

G, C, SIZES, FALL = range(4)            # rows of a table


def update(xi, X, /, *, interaction="polynomial", n=3):
    return _decided(dense.update, _decide_all, xi, X, interaction, n)


def asynchronous_update(xi, X, /, *, order, interaction="polynomial", n=3):
    return _decided(dense.asynchronous_update, _decide_in_turn, xi, X, interaction, n, order=order)


def _decided(op, kernel, xi, X, interaction, n, **options):
    """States decided by a kernel, or by the formula, a few at a time, where they are left."""
    states = xi.reshape(math.prod(xi.shape[:-1]), xi.shape[-1])
    new, left = states.copy(), np.zeros(len(states), np.bool_)
    (bits, polar), (own, valid) = packed(X), packed(states)
    known = any(interaction is one for one in dense.INTERACTIONS.values())
    table, error = _table(interaction, n, *X.shape) if known else (None, 0.0)
    if not valid:
        left = np.any(np.abs(states) != 1, axis=1)          # not finite
    if polar and table is not None:
        kernel(new, X, own, bits, *options.values(), table,
               interaction is dense.INTERACTIONS["exponential"], error, left)
    else:
        left[:] = True
    left, several = np.flatnonzero(left), max(1, FORMED // max(1, X.size))
    for first in range(0, len(left), several):
        some = left[first:first + several]
        new[some] = op.formula(states[some].astype(float), X.astype(float),
                               interaction=interaction, n=n, **options)
    return new.reshape(xi.shape)


@functools.lru_cache(8)                 # which takes longer than a small update
def _table(interaction, n, N, d):
    """G, C, bounds on their terms, and F(m + 2) - F(m), for k = 0, ..., d; and the factor of these
    bounds that bounds the error of a sum.  None if powers overflow."""
    relative = interaction is dense.INTERACTIONS["exponential"]
    with np.errstate(over="ignore"):
        F = interaction.F((0.0 if relative else d) - 2 * np.arange(-1.0, d + 2), n)
    low, here, high = F[2:], F[1:-1], F[:-2]
    sizes = np.abs(low) + 2 * np.abs(here) + np.abs(high)
    if not np.all(sizes < 2.0**1000 / (N + 1)):
        return None, 0.0
    exact = not relative and N * np.max(sizes) < EXACT
    return np.stack([(high - low) / 2, here - (high + low) / 2, sizes, high - here]), \
        0.0 if exact else 2.0**-53 * (3 * N + n + 8)


@njit
def _weigh(counts, table, relative, slopes):
    """Fill ``slopes`` with G for each pattern; the sum that does not depend on its site, and that
    of the bounds."""
    low, rest, sizes = counts.min() if relative else 0, 0.0, 0.0
    for n in range(counts.size):
        k = counts[n] - low
        slopes[n] = table[G, k]
        rest += table[C, k]
        sizes += table[SIZES, k]
    return rest, sizes


@njit
def _count(counts, x, m, X):
    """The number of sites in which state m and each pattern differ."""
    words, state, patterns = X.shape[1], x.reshape(-1), X.reshape(-1)
    for n in range(counts.size):
        counts[n] = differing(state, m * words, patterns, n * words, words)


@njit
def _of_equal_overlaps(counts, column, old, table, relative, error, tally):
    """The sum that decides a site, from the numbers of patterns with the same overlap with the
    other sites; and whether it is certain.  ``tally`` is 0 before and after."""
    low, total, sizes, some = counts.min() if relative else 0, 0.0, 0.0, False
    for n in range(counts.size):
        tally[counts[n] + (column[n] == old)] += np.int64(column[n])
    for n in range(counts.size):
        k = counts[n] + (column[n] == old)
        if tally[k] != 0:
            some = True
            total += tally[k] * table[FALL, k - low]
            sizes += abs(tally[k]) * table[SIZES, k - low]
            tally[k] = 0
    return total, not some or abs(total) > error * sizes


@njit
def _unpack(column, bits, site):
    for n in range(column.size):
        one = (bits[n, site // WORD] >> np.uint64(site % WORD)) & np.uint64(1)
        column[n] = 1 if one else -1


@njit
def _decide_all(x, X, x_bits, X_bits, table, relative, error, left):
    """Update all sites of every state x (M, d) in place; mark the states that are not decided."""
    (M, d), N, words = x.shape, len(X), X_bits.shape[1]
    counts, tally = np.empty((STATES, N), np.int64), np.zeros(d + 2, np.int64)
    slopes, column = aligned(STATES * N, table), np.empty(N, X.dtype)
    terms = aligned(STATES * N, np.empty(0, np.float32))
    part, ones = aligned(STATES * words * WORD, terms), aligned(STATES * words * WORD, table)
    rest, sizes, patterns = np.empty(STATES), np.empty(STATES), X_bits.reshape(-1)
    for first in range(0, M, STATES):
        states = min(STATES, M - first)
        for m in range(states):
            own = slice(m * N, m * N + N)
            _count(counts[m], x_bits, first + m, X_bits)
            rest[m], sizes[m] = _weigh(counts[m], table, relative, slopes[own])
        largest = _fill(terms, slopes, states, N)
        ones[:] = 0
        for n in range(0, N, TERMS):
            sum_of_ones(states, terms, n, N, patterns, n * words, words, min(TERMS, N - n), part, 0)
            _add(ones, part)
        for m in range(states):
            own, row = slopes[m * N:m * N + N], x[first + m]
            its = ones[m * words * WORD:m * words * WORD + d]
            if left[first + m]:
                continue
            total, near = own.sum(), 2.0**-23 * (TERMS + 4) * np.abs(own).sum() + error * sizes[m]
            least = _deciding(its, row, 2 * largest[m], total, rest[m])
            for i in range(d if least <= near else 0):
                if abs(its[i]) <= near:
                    _unpack(column, X_bits, i)
                    its[i] = dot(column, own) + rest[m] * row[i]
                    if 0 < error * sizes[m] >= abs(its[i]):
                        its[i], certain = _of_equal_overlaps(counts[m], column, row[i], table,
                                                             relative, error, tally)
                        left[first + m] |= not certain
            _take_signs(its, row)


@njit
def _fill(terms, slopes, states, N):
    """Fill the terms of each state with its slopes, divided by the largest, which are returned.

    Those below 2^-100, that are less than the error bounds of sums, are 0, not subnormal.
    """
    largest = np.zeros(states)
    for m in range(states):
        own = slopes[m * N:m * N + N]
        largest[m] = np.abs(own).max()
        inverse = 1 / largest[m] if largest[m] > 0 else 0.0
        for n in range(N):
            term = inverse * own[n]
            terms[m * N + n] = term if abs(term) >= 2.0**-100 else 0.0
    return largest


@njit
def _add(sums, part):
    for i in range(sums.size):
        sums[i] += part[i]


@njit(fastmath=NO_NAN)
def _deciding(sums, old, factor, total, rest):
    """Make sums over the bits that are 1 those that decide the sites; return the least size."""
    least = np.inf
    for i in range(old.size):
        sums[i] = factor * sums[i] - total + rest * old[i]
        least = min(least, abs(sums[i]))
    return least


@njit
def _take_signs(sums, x):
    one = x.dtype.type(1)
    for i in range(x.size):
        new = one if sums[i] > 0 else -one
        x[i] = new if sums[i] != 0 else x[i]


@njit
def _decide_in_turn(x, X, x_bits, X_bits, order, table, relative, error, left):
    """Update the sites in ``order`` of the states x (M, d) that are not left, in place; mark those
    that are not decided."""
    (M, d), N = x.shape, len(X)
    counts, tally = np.empty(N, np.int64), np.zeros(d + 2, np.int64)
    columns, slopes = aligned(d * N, X), aligned(N, table)
    transpose(X.reshape(-1), 0, N, d, columns, 0, d, N)
    for m in range(M):
        if left[m]:
            continue
        _count(counts, x_bits, m, X_bits)
        rest, sizes = _weigh(counts, table, relative, slopes)
        for site in order:
            column, old = columns[site * N:site * N + N], x[m, site]
            h = dot(column, slopes) + rest * old
            if 0 < error * sizes >= abs(h):
                h, certain = _of_equal_overlaps(counts, column, old, table, relative, error, tally)
                left[m] |= not certain
            new = sign(h, old, False, -1.0)
            if new != old:
                x[m, site] = new
                for n in range(N):
                    counts[n] -= np.int64(new * column[n])
                rest, sizes = _weigh(counts, table, relative, slopes)
