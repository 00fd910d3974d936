"""Linear attention from features in chunks of positions, without an array of L x S or L x r x v.

The state S is held in panels of columns, to which the products of keys and values are added as
blocks of sums in registers.  In the causal form the attention matrix of a chunk is computed too, up
to its diagonal, from the transposed keys; the state summarises earlier chunks.

Sums have the precision of the arrays; `in_range` decides whether it was sufficient.
"""
import itertools
import math

import numpy as np
from llvmlite import ir
from numba import types

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import aligned, dot
from hopref.fast.numba._tiles import (
    accumulate,
    draw,
    lanes,
    multiply,
    rows_of,
    score,
    transpose,
)
from hopref.fast.numba._vectors import I64, loop, moved, vector_code

__all__ = ["by_head", "causal", "key_sums", "respond", "product", "response", "in_range",
           "in_range_of_ones", "visible"]

CHUNK = 32              # positions; no row of a panel is longer
ROWS = 48               # keys that are added, or queries whose results are computed, together
GROUP = 2**8 * ROWS     # keys whose sums are added to the state together
BLOCK = 12              # rows of an attention matrix that are computed up to the same column


def by_head(kernel, formula, operands, mask, S, z, shapes):
    """Results of these shapes for each head, in the first precision that holds the products.

    ``kernel(seen, *operands, S, z, *results)`` fills the results, and reports whether they are
    valid; ``seen`` indexes the visible keys.  Otherwise they are those of ``formula``.
    """
    *_, k, V = operands
    lead, r, v, real = V.shape[:-2], k.shape[-1], V.shape[-1], V.dtype
    state = [a if np.ndim(a) else np.zeros((*lead, *shape), real)
             for a, shape in ((S, (r, v)), (z, (r,)))]
    results = [np.empty((*lead, *shape), real) for shape in shapes]
    for h in itertools.product(*map(range, lead)):
        seen = slice(None) if mask is True or mask[h].all() else mask[h]
        given, found = [a[h] for a in (*operands, *state)], [y[h] for y in results]
        for dtype in (real,) if real == np.float64 else (real, np.dtype(np.float64)):
            made = found if dtype == real else [np.empty(y.shape, dtype) for y in found]
            if kernel(seen, *(a.astype(dtype, copy=False) for a in given), *made):
                break
        else:
            made = formula(True if mask is True else mask[h], *(a.astype(float) for a in given))
            made = made if len(found) > 1 else [made]
        if made is not found:
            for y, wide in zip(found, made):
                y[:] = wide
    return tuple(results) if len(results) > 1 else results[0]


def visible(seen, rows, nothing):
    """The rows of one head, with ``nothing`` in those that ``seen`` does not index."""
    return rows if isinstance(seen, slice) else \
        np.where(seen[:, None], rows, rows.dtype.type(nothing))


@njit
def causal(q, k, V, S, z, eps, otherwise, out, divided):
    """Fill ``out``, and update S and z to the state after the last position.

    Parameters
    ----------
    q, k, V, out : (L, r), (L, r), (L, v) and (L, v) arrays
    S, z : (r, v) and (r) arrays, the state of earlier keys
    eps, otherwise : what is added to the denominator, and the result where it is 0
    divided : whether the sums are divided by those of the features

    Returns
    -------
    the least size of a query, for `in_range`
    """
    (L, r), v, n = q.shape, V.shape[1], lanes(V)
    C, P, least = CHUNK, -(-v // n), np.inf
    queries, keys = q.reshape(-1), k.reshape(-1)
    panels, turned, values = aligned(P * r * n, V), aligned(r * C, V), aligned(C * n, V)
    A, drawn, ones = aligned(C * C, V), aligned(C * n, V), aligned(C, V)
    weight, within, more = aligned(C, V), aligned(C, V), aligned(r, V)
    _pack(panels, S)
    ones[:], values[:], A[:] = 1, 0, 0
    for t in range(0, L, C):
        m = min(C, L - t)
        draw(1, ones, 0, C, keys, t * r, r, m, more, 0)
        transpose(keys, t * r, m, r, turned, 0, r, C)
        A[:] = 0
        for j in range(0, m, n):
            accumulate(m - j, queries, (t + j) * r, r, 1, turned, j, C, A, j * C + j, C, r)
        for i in range(m):
            A[i * C + i + 1:(i + 1) * C] = 0
        score(1, z, 0, queries, t * r, r, m, weight, 0, C)
        score(1, ones, 0, A, 0, C, m, within, 0, C)
        for i in range(m):
            weight[i] += within[i]
        least = min(least, _least(q[t:t + m], weight, np.inf))
        if not divided:
            weight[:] = 1
        for c in range(r):
            z[c] += more[c]
        for p in range(P):
            rows, first, below = _panel_of_values(V, t, m, p * n, values)
            drawn[:] = 0
            accumulate(m, queries, t * r, r, 1, panels, p * r * n, n, drawn, 0, n, r)
            for i in range(0, m, BLOCK):
                accumulate(min(BLOCK, m - i), A, i * C, C, 1, rows, first, below, drawn, i * n, n,
                           min(i + BLOCK, m))
            accumulate(r, keys, t * r, 1, r, rows, first, below, panels, p * r * n, n, m)
            if not _divide(out[t:t + m], p * n, drawn, weight, eps, otherwise):
                least = 0.0
    _unpack(S, panels)
    return least


@njit
def key_sums(k, V, S, z):
    """Add the sums over the keys to the state S (r, v) and z (r), in groups of keys.

    The sums are transposed, in panels of features, so that the values, which are usually fewer, are
    read along a line; the keys are copied to panels too, because rows that are apart by a power of
    two take each other's place in the cache.
    """
    (L, r), v, n = k.shape, V.shape[1], lanes(V)
    P, values, ones = -(-r // n), V.reshape(-1), np.ones(ROWS, V.dtype)
    panels, tiles, more = aligned(P * v * n, V), aligned(P * ROWS * n, V), aligned(P * n, V)
    total = aligned(P * n, V)
    tiles[:] = 0
    for t in range(0, L, ROWS):
        m = min(ROWS, L - t)
        if t % GROUP == 0:
            panels[:], total[:] = 0, 0
        more[:] = 0
        _fill_tiles(k[t:t + m], tiles)
        for p in range(P):
            accumulate(v, values, t * v, 1, v, tiles, p * ROWS * n, n, panels, p * v * n, n, m)
            accumulate(1, ones, 0, 0, 1, tiles, p * ROWS * n, n, more, p * n, n, m)
        for c in range(P * n):
            total[c] += more[c]
        if t + m == L or (t + m) % GROUP == 0:
            for c in range(r):
                z[c] += total[c]
                for j in range(v):
                    S[c, j] += panels[(c // n * v + j) * n + c % n]


@njit
def _fill_tiles(rows, tiles):
    """Copy rows to panels, which begin ROWS rows after each other."""
    (m, r), n = rows.shape, lanes(tiles)
    keys = rows.reshape(-1)
    for i in range(m):
        for p in range(r // n):
            for j in range(n):
                tiles[(p * ROWS + i) * n + j] = keys[i * r + p * n + j]
        for c in range(r // n * n, r):
            tiles[(r // n * ROWS + i) * n + c % n] = keys[i * r + c]


@njit
def respond(q, S, z, eps, otherwise, out, D):
    """Fill D with q z + eps, and ``out`` with q S / D; return the least size of a query, for
    `in_range`."""
    (L, r), v, n = q.shape, S.shape[1], lanes(S)
    P, queries, least = -(-v // n), q.reshape(-1), np.inf
    panels, drawn, weight = aligned(P * r * n, S), aligned(ROWS * n, S), aligned(ROWS, S)
    size = 0.0
    _pack(panels, S)
    for c in range(r):
        size += abs(np.float64(z[c]))
    for t in range(0, L, ROWS):
        m = min(ROWS, L - t)
        score(1, z, 0, queries, t * r, r, m, weight, 0, ROWS)
        least = min(least, _least(q[t:t + m], weight, size))
        for i in range(m):
            D[t + i] = weight[i] + eps
        for p in range(P):
            multiply(m, queries, t * r, r, 1, panels, p * r * n, drawn, 0, r)
            if not _divide(out[t:t + m], p * n, drawn, weight, eps, otherwise):
                least = 0.0
    return least


@njit
def product(q, S, out):
    """Fill ``out`` with q S; return the least size of a query, for `in_range`."""
    (L, r), v, n = q.shape, S.shape[1], lanes(S)
    whole, queries, rows, least = v // n, q.reshape(-1), out.reshape(-1), np.inf
    panels, drawn, none = aligned(-(-v // n) * r * n, S), aligned(ROWS * n, S), np.zeros(ROWS)
    _pack(panels, S)
    for t in range(0, L, ROWS):
        m = min(ROWS, L - t)
        least = min(least, _least(q[t:t + m], none, np.inf))
        out[t:t + m] = 0
        for p in range(whole):
            accumulate(m, queries, t * r, r, 1, panels, p * r * n, n, rows, t * v + p * n, v, r)
        if whole * n < v:
            drawn[:] = 0
            accumulate(m, queries, t * r, r, 1, panels, whole * r * n, n, drawn, 0, n, r)
            for i in range(m):
                for j in range(whole * n, v):
                    out[t + i, j] = drawn[i * n + j - whole * n]
        for i in range(t, t + m):
            if not dot(out[i], out[i]) < np.inf and not _largest(out[i]) < np.inf:
                least = 0.0
    return least


@njit
def _panel_of_values(V, t, m, first, values):
    """An array with m rows of a panel, the place of the first, and their distance.

    These are the values from row t and column ``first`` on, copied to ``values`` if they are fewer
    than a row has.
    """
    v, n = V.shape[1], lanes(V)
    if first + n <= v:
        return V.reshape(-1), t * v + first, v
    for j in range(m):
        row = V[t + j, first:]
        for c in range(row.size):
            values[j * n + c] = row[c]
    return values, 0, n


@njit
def _pack(panels, S):
    """Copy S to panels, padded with zeros."""
    r, v = S.shape
    n, panels[:] = lanes(S), 0
    for c in range(r):
        for j in range(v):
            panels[(j // n * r + c) * n + j % n] = S[c, j]


@njit
def _unpack(S, panels):
    r, v = S.shape
    n = lanes(S)
    for c in range(r):
        for j in range(v):
            S[c, j] = panels[(j // n * r + c) * n + j % n]


@njit
def _divide(out, first, drawn, weight, eps, otherwise):
    """Columns of the results: ``drawn`` divided by the weights plus eps; whether all are finite.

    Rows with a weight of NaN do not count.
    """
    n, real, finite = lanes(out), out.dtype.type, True
    usual, near = first + n <= out.shape[1], np.empty(len(out), out.dtype)
    for i in range(len(out)):
        near[i] = np.float64(weight[i]) + eps
        usual &= abs(near[i]) >= np.finfo(out.dtype).tiny
    if usual and divide(len(out), drawn, 0, near, 0, out.reshape(-1), first, out.shape[1]):
        return True
    for i in range(len(out)):
        result, sums = out[i, first:first + n], drawn[i * n:(i + 1) * n]
        whole = np.float64(weight[i]) + eps
        near = real(whole)
        if whole == 0:
            result[:] = otherwise
            continue
        if abs(near) < np.finfo(out.dtype).tiny:
            for j in range(result.size):
                result[j] = np.float64(sums[j]) / whole
        else:
            for j in range(result.size):
                result[j] = sums[j] / near
        if whole == whole and not dot(result, result) < np.inf:
            finite &= _largest(result) < np.inf
    return finite


def divide(rows, Z, z, W, w, O, o, apart):
    """``O[o + i apart + j] = Z[i, j] / W[w + i]`` for rows of a panel; whether all are finite."""
    ratios = rows_of(Z, z, rows) / W[w:w + rows, None]
    for i in range(rows):
        O[o + i * apart:o + i * apart + lanes(O)] = ratios[i]
    return bool(np.isfinite(ratios).all())


@vector_code(divide, types.boolean)
def _quotients(v, b, rows, Z, z, W, w, O, o, apart):
    Z, W, O, zero = moved(b, Z, z), moved(b, W, w), moved(b, O, o), v.constant(0)

    def row(i, carried):
        source, target = moved(b, Z, b.mul(i, I64(2 * v.width))), moved(b, O, b.mul(i, apart))
        below = v.repeated(b, b.load(b.gep(W, [i])))
        changed = []
        for j, lost in enumerate(carried):
            place = I64(j * v.width)
            ratio = b.fdiv(v.load(b, source, place), below)
            v.store(b, ratio, target, place)
            changed.append(v.multiply_add(b, ratio, zero, lost))            # NaN if not finite
        return changed
    lost = b.fadd(*loop(b, rows, [zero, zero], row))
    bits = ir.IntType(v.width)
    return b.icmp_signed("==", b.bitcast(b.fcmp_unordered("!=", lost, zero), bits), bits(0))


# -- range ----------------------------------------------------------------------------------------

@njit
def _least(q, weight, size_of_z):
    """The least size of a query other than 0: of its largest feature, up to a factor sqrt(r).

    It is 0 if the weight of a finite query is not finite.  A weight q z divided by the sum of |z|
    is no larger than the size of q, which need not be known more precisely unless it is small.
    """
    least = np.inf
    for i in range(len(q)):
        bound = abs(np.float64(weight[i])) / size_of_z
        if 2.0**-40 < bound < np.inf:
            least = min(least, bound)
            continue
        size = math.sqrt(np.float64(dot(q[i], q[i])))
        if not 2.0**-40 < size < np.inf:                # the squares may have left the range
            size = _largest(q[i])
        if size < np.inf and not abs(weight[i]) < np.inf:
            return 0.0
        least = size if 0 < size < least else least
    return least


@njit
def _largest(x):
    """The largest size, or NaN if an entry is NaN."""
    largest = 0.0
    for c in range(x.size):
        size = abs(np.float64(x[c]))
        if size > largest or size != size:
            largest = size
    return largest


@njit
def in_range(least, k, V, S, z):
    """Whether products of the keys, the values and the state with the queries had all their digits.

    ``least`` is the least size of a query, or 0 if a result overflowed.  The sums S and z show the
    size of their terms, since they are at most as large as their number times the largest term; a
    sum of 0 is checked term by term.
    """
    (r, v), of_keys, of_values = S.shape, 1.0, 1.0
    for c in range(r):
        size = abs(np.float64(z[c]))
        if size == 0 and _any(k, c) or not size < np.inf:
            return False
        of_keys = size if 0 < size < of_keys else of_keys
    for c in range(v):
        size = 0.0
        for i in range(r):
            size = max(size, abs(np.float64(S[i, c])))
            if not abs(S[i, c]) < np.inf:
                return False
        if size == 0 and _any(V, c):
            return False
        of_values = size if 0 < size < of_values else of_values
    bounds = np.finfo(S.dtype)
    return min(of_keys, of_values) * min(1.0, least) > (len(k) + 1) * bounds.tiny / bounds.eps


@njit
def _any(terms, c):
    for i in range(len(terms)):
        if terms[i, c] != 0:
            return True
    return False


@njit
def response(q, S, out):
    """Fill ``out`` with q S; whether no product lost digits."""
    r, v = S.shape
    none = np.empty((0, r), S.dtype), np.empty((0, v), S.dtype)
    return in_range(product(q, S, out), *none, S, np.ones(r, S.dtype))


def in_range_of_ones(least, values, S):
    """`in_range` for keys of which the largest is 1 for each feature."""
    ones = np.ones(len(S), S.dtype)
    return in_range(least, np.empty((0, len(S)), S.dtype), values, S, ones)
