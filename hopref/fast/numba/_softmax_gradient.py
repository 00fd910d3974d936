"""Vector-Jacobian product of softmax retrieval and attention, by tiles of keys.

The weights of a block of queries, and the products of their cotangents with the values, are kept
if they are few.  Otherwise those of a tile are computed again, and the weights follow from the
largest scores and the totals of the forward pass.  Products are blocks of sums that are added to
the gradients, the sums over keys in the order of the tiles, those over queries in the order of the
panels, so that the bits depend on the arguments alone.
"""
import math

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._lines import (
    collect,
    columns,
    fill_columns,
    fill_panel,
    gather_columns,
    padded,
    stacked,
    trim,
    widened,
)
from hopref.fast.numba._panels import pull_back, raise_tops, uncap, weigh_both
from hopref.fast.numba._products import aligned, dot
from hopref.fast.numba._softmax import (
    FEW,
    LEAST,
    NO_BEST,
    TOP,
    TOTAL,
    absent,
    attend,
    span,
    visible_scores,
)
from hopref.fast.numba._tiles import draw, lanes, multiply, score, transpose
from hopref.maps import default_scale

__all__ = ["gradient_of_heads", "gradient_of_states"]

TILE = 2**15            # bytes of a tile of keys, which stays in a cache with its gradient
PANELS = 8              # of a block of queries
KEYS = 2**14            # at most, the weights of which are kept for a block
KEPT = 2**22            # bytes of the weights of a block, and of as many products, that are kept
SUMMED = 32             # rows of scores of a query, whose sums are added in double precision

# Rows of a panel: the largest score, the sums of weights and of weights times products, of which
# the latter become the reciprocal and the mean.
ROWS, INVERSE, MEAN = 3, 1, 2
DBETA, DSINK, DCAP = 0, 1, 2            # sums over the queries of a head


def gradient_of_heads(g, Q, K, V, scale, mask, bias, causal, align, sinks=-math.inf, cap=0.0):
    """The gradients (dQ, dK, dV, dbias, dscale, dsinks, dcap) of softmax attention, of which each
    head may have a sink, or the scores a cap; None if they leave the range."""
    lead, l, s, real = Q.shape[:-2], Q.shape[-2], K.shape[-2], V.dtype
    heads, factor = math.prod(lead), default_scale(scale, K)
    given = [a.reshape(heads, *a.shape[-2:]) for a in (g, Q, K, V)]
    seen = np.empty((heads, 0, 0), np.bool_) if mask is True else mask.reshape(heads, l, s)
    shifts = bias.reshape(heads, l, s) if np.ndim(bias) else np.empty((heads, 0, 0), real)
    dbias = np.zeros((heads, l, s), real)
    found = softmax_gradient(*given, factor, seen, shifts, align(l, s) if causal else s, dbias,
                             np.broadcast_to(sinks, lead).reshape(heads), cap)
    if found is None:
        return None
    *rows, numbers = found
    dscale, dcap = (np.asarray(np.sum(numbers[:, i]), real) for i in (DBETA, DCAP))
    return (*(a.reshape(*lead, *a.shape[1:]) for a in (*rows, dbias)), dscale,
            numbers[:, DSINK].astype(real).reshape(lead), dcap)


def gradient_of_states(g, xi, keys, X, beta, sink=-math.inf):
    """The gradients (dxi, dkeys, dX, dbeta, dsink) of retrieval for states with any leading axes;
    see `softmax_gradient`."""
    shape, none = (1, math.prod(xi.shape[:-1]), xi.shape[-1]), absent(X.dtype)[None]
    patterns = X[None]
    found = softmax_gradient(g.reshape(shape), xi.reshape(shape),
                             patterns if keys is X else keys[None], patterns, beta,
                             absent(bool)[None], none, len(X), none, np.full(1, sink))
    if found is None:
        return None
    dxi, dkeys, dX, numbers = found
    return [dxi.reshape(xi.shape), dkeys[0], dX[0],
            *(np.asarray(numbers[0, i], X.dtype) for i in (DBETA, DSINK))]


def softmax_gradient(g, Q, K, V, beta, mask, bias, offset, dS, sinks, cap=0.0):
    """The gradients (dQ, dK, dV, numbers) of softmax(beta Q K' + bias) V for each head; None if
    they leave the range.

    Parameters
    ----------
    g : (heads, M, v) array, the cotangent of the result
    Q, K, V, beta, mask, bias, offset : arguments of `attend`, with the axis of heads
    dS : (heads, M, N) array that is filled with the cotangents of the bias, or (heads, 0, 0)
    sinks : for each head, the score of one more key, whose value is 0
    cap : scores are capped smoothly before the bias is added; 0 if they are not

    Returns
    -------
    arrays in the precision of ``dS``, and DBETA, DSINK and DCAP of each head in double precision;
    if K and V are one array, dK is the gradient of both
    """
    found, lost = None, np.ones(len(Q), np.bool_)
    limits = np.finfo(dS.dtype)
    if beta >= LEAST[dS.itemsize] and (not cap or LEAST[dS.itemsize] <= cap <= limits.max):
        found = _gradient(g, Q, K, V, beta, mask, bias, offset, dS, sinks, cap)
        lost = ~np.isfinite(sum(map(_squares, found[:2] + found[2 + (V is K):])))   # dK is dV
        if not lost.any():
            return found
    if dS.dtype == np.float64:
        return None
    wide_g, q, k, shifts, scores = (a[lost].astype(np.float64) for a in (g, Q, K, bias, dS))
    values = k if V is K else V[lost].astype(np.float64)
    more = softmax_gradient(wide_g, q, k, values, beta, mask[lost], shifts, offset, scores,
                            sinks[lost], cap)
    if more is None:
        return None
    found = found or [*(np.empty_like(a) for a in (Q, K, V)), np.empty((len(Q), 3))]
    for a, rows in zip((*found, dS), (*more, scores)):
        a[lost] = rows
    return found


def _squares(a):
    """The squared length of the results of each head, roughly finite if they are."""
    rows = a.reshape(len(a), math.prod(a.shape[1:]))
    return np.vecdot(rows, rows)


def _gradient(g, Q, K, V, beta, mask, bias, offset, dS, sinks, cap):
    dQ, dK, numbers = np.empty_like(Q), np.zeros_like(K), np.empty((len(Q), 3))
    dV = dK if V is K else np.zeros_like(V)
    beta, cap, mask = K.dtype.type(beta), K.dtype.type(cap), mask.view(np.uint8)
    for h in range(len(Q)):
        given = g[h], Q[h], K[h], V[h], beta, cap, mask[h], bias[h], offset
        numbers[h] = _of_head(*given, float(sinks[h]), dQ[h], dK[h], dV[h], V is K, dS[h])
    return [dQ, dK, dV, numbers]


def _of_head(g, Q, K, V, beta, cap, mask, bias, offset, sink, dQ, dK, dV, shared, dS):
    few = len(Q) < FEW and not mask.size and not bias.size and not dS.size
    most = KEPT // (2 * len(Q) * K.itemsize) if few and len(Q) else KEYS
    rows = len(Q) if len(K) > most else 0               # that need a pass before
    sums, mean = np.empty((rows, 3), K.dtype), np.empty(rows, K.dtype)
    if rows:
        out = np.empty((rows, V.shape[1]), K.dtype)
        attend(Q, K, V, beta, few, mask.view(np.bool_), bias, offset, out, sums, NO_BEST, cap)
        out[sums[:, TOTAL] == 0] = 0                    # no key is visible
        mean = np.vecdot(g, out)
    given = g, Q, K, V, beta, sink, sums, mean, dQ, dK, dV, shared
    return _by_lines(*given) if few else _by_panels(*given, mask, bias, offset, dS, cap)


# -- many queries ---------------------------------------------------------------------------------

@njit
def _by_panels(g, Q, K, V, beta, sink, sums, mean, dQ, dK, dV, shared, mask, bias, offset, dS, cap):
    (M, d), N, v, L, one = Q.shape, len(K), V.shape[1], lanes(K), K.dtype.type(1)
    tile, kept = max(12, TILE // (max(d, v, 1) * K.itemsize) // 12 * 12), len(sums) < M
    most, tiles = min(PANELS, -(-M // L)), 1
    if kept and N > 0:
        most, tiles = min(most, max(1, KEPT // (2 * N * L * K.itemsize))), -(-N // tile)
    block, size = most * L, tiles * most * tile * L
    scores, A, products = aligned(size, K), aligned(size, K), aligned(size if cap > 0 else 0, K)
    queries, cotangents = aligned(block * d, K), aligned(block * v, K)
    lines, values = columns(block, d, K), columns(block, v, K)
    sum_q, part, bends = aligned(block * d, K), aligned(d * L, K), aligned(2 * L, K)
    rows = aligned(most * ROWS * L, K)
    lows, counts, places = (np.empty(tiles * most, np.int64), np.empty(tiles * most, np.int64),
                            np.empty(tiles * most, np.int64))
    shifts = np.zeros(tile * L if bias.size else 0, K.dtype)    # finite in lanes beyond the last
    flags, seen = np.zeros(tile * L if mask.size else 0, np.uint8), np.empty(2 * tile, np.uint8)
    factor, dsink, dcap = one if bias.size or cap > 0 else beta, 0.0, 0.0
    keys, flat = widened(dK, lines), (K.reshape(-1), V.reshape(-1), dQ.reshape(-1), dS.reshape(-1))
    of_values = keys if shared else widened(dV, values)
    for first in range(0, M, block):
        panels = min(most, -(-(M - first) // L))
        fill_columns(lines, Q, first, beta)
        fill_columns(values, g, first, one)
        for p in range(panels):
            q = first + p * L
            fill_panel(queries, p * d * L, Q, q)
            fill_panel(cotangents, p * v * L, g, q)
            dsink -= _start(rows, p * ROWS * L, sums, mean, q, min(L, M - q), factor, sink)
        for i in range(panels * d * L):
            sum_q[i] = 0
        for begin in range(0, N, tiles * tile):
            for t in range(tiles):
                n, many = begin + t * tile, min(tile, N - begin - t * tile)
                for p in range(t * most, t * most + panels):
                    q = first + (p - t * most) * L
                    count = min(L, M - q)
                    low, rest, hidden = span(seen, mask[q:q + count], bias[q:q + count], n,
                                             min(many, q + count + offset - n))
                    lows[p], counts[p], places[p] = low, max(0, rest), (p * tile + low - n) * L
                    if counts[p]:
                        visible_scores(K, queries, (q - first) * d, q, count, low, counts[p],
                                       hidden, beta, cap, mask, bias, offset, scores, places[p],
                                       products, shifts, flags)
                for p in range(t * most, t * most + panels):
                    multiply(counts[p], flat[1], lows[p] * v, v, 1, cotangents,
                             (p - t * most) * v * L, A, places[p], v)
            for p in range(panels):
                dsink -= _weigh(scores, A, rows, p, places, counts, most, kept, factor, sink)
            for t in range(tiles):
                n, low, high = begin + t * tile, N, begin
                for p in range(t * most, t * most + panels):
                    its, many, z = p - t * most, counts[p], places[p]
                    if not many:
                        continue
                    q, low, high = first + its * L, min(low, lows[p]), max(high, lows[p] + many)
                    count = min(L, M - q)
                    pull_back(scores, z, A, z, many, rows, its * ROWS * L)
                    if dS.size:
                        transpose(A, z, many, L, flat[3], q * N + lows[p], count, N)
                    if cap > 0:
                        for j in range(L):
                            bends[j] = 0
                        uncap(A, z, products, z, many, beta, cap, bends, 0)
                        for j in range(count):
                            dcap += bends[j]
                    multiply(d, flat[0], lows[p] * d, 1, d, A, z, part, 0, many)
                    for i in range(d * L):
                        sum_q[its * d * L + i] += part[i]
                for p in range(t * most, t * most + panels):
                    _clear_rest(scores, A, (p * tile - n) * L, low, high, lows[p], counts[p])
                if low < high:
                    z = (t * most * tile + low - n) * L
                    gather_columns(keys, low, high, A, z, tile * L, panels, lines)
                    gather_columns(of_values, low, high, scores, z, tile * L, panels, values)
        for p in range(panels):
            q = first + p * L
            transpose(sum_q, p * d * L, d, L, flat[2], q * d, min(L, M - q), d)
    return _finish(Q, dQ, beta, dK, keys, dV, of_values), dsink, dcap


@njit
def _start(rows, its, sums, mean, q, count, unit, sink):
    """Sums over no key; or those of a pass before, if there are any: see `_average`.

    Then the lanes beyond the last have weights of 0.
    """
    L, top = lanes(rows), np.finfo(rows.dtype).max
    for j in range(its, its + L):
        rows[j], rows[j + INVERSE * L], rows[j + MEAN * L] = top if len(sums) else -top, 0, 0
    for j in range(count if len(sums) else 0):
        _set(rows, its + j, sums, mean, q + j)
    return _average(rows, its, unit, sink) if len(sums) else 0.0


@njit
def _set(rows, place, sums, mean, q):
    """The numbers of a query, whose mean product is that of a pass before."""
    total, L = sums[q, TOTAL], lanes(rows)
    rows[place], rows[place + INVERSE * L] = sums[q, TOP], total
    rows[place + MEAN * L] = mean[q] * total


@njit
def _weigh(scores, A, rows, p, places, counts, most, kept, factor, sink):
    """Weights relative to the largest score, in place of the scores of a panel in all tiles; of
    weights that are kept the sums too (see `_average`)."""
    L, its = lanes(rows), p * ROWS * lanes(rows)
    own = np.empty(ROWS * L, rows.dtype)
    for t in range(p, len(places) if kept else 0, most):
        raise_tops(rows, its, scores, places[t], counts[t])
    for t in range(p, len(places), most):
        for j in range(L):
            own[j], own[L + j], own[2 * L + j] = rows[its + j], 0, 0
        weigh_both(scores, places[t], A, places[t], counts[t], factor, own, 0)
        for j in range(L, ROWS * L if kept else 0):
            rows[its + j] += own[j]
    return _average(rows, its, factor, sink) if kept else 0.0


@njit
def _clear_rest(scores, A, z, low, high, first, count):
    """Weights of 0 for the keys from low to high except for some, which the others see."""
    L = lanes(A)
    first, last = (first, first + count) if count else (high, high)
    for i in range(z + low * L, z + first * L):
        scores[i], A[i] = 0, 0
    for i in range(z + last * L, z + high * L):
        scores[i], A[i] = 0, 0


# -- few queries ----------------------------------------------------------------------------------

@njit
def _by_lines(g, Q, K, V, beta, sink, sums, mean, dQ, dK, dV, shared):
    (M, d), N, v, L = Q.shape, len(K), V.shape[1], lanes(K)
    tile, kept = max(1, TILE // (max(d, v, 1) * L * K.itemsize)) * L, len(sums) < M
    block = -(-max(N, 1) // tile) * tile if kept else tile      # keys in a line
    size = block + L                    # or lines would begin in the same set of a cache
    both = aligned(2 * M * size, K)
    A, scores = both[:M * size], both[M * size:]
    lines, values = padded(Q, beta), padded(g, K.dtype.type(1))
    lines = stacked(lines, values) if shared else lines
    keys = widened(dK, lines)
    of_values = keys if shared else widened(dV, values)
    rows, part = aligned(M * ROWS * L, K), aligned(M * d, K)
    dQ[:], dsink = 0, 0.0
    for m in range(0 if kept else M):
        for j in range(L):
            _set(rows, m * ROWS * L + j, sums, mean, m)
        dsink -= _average(rows, m * ROWS * L, beta, sink) / L
    for begin in range(0, N, block):
        end = min(N, begin + block)
        for n in range(begin, end, tile):
            z, many = n - begin, min(tile, end - n)
            score(M, Q.reshape(-1), 0, K.reshape(-1), n * d, d, many, scores, z, size)
            score(M, g.reshape(-1), 0, V.reshape(-1), n * v, v, many, A, z, size)
        full = -(-(end - begin) // L)
        for m in range(M):
            line = m * size
            for i in range(line + end - begin, line + full * L):
                scores[i], A[i] = -np.inf, 0
            dsink -= _weigh_line(scores, A, line, full, rows, m * ROWS * L, kept, beta, sink)
            pull_back(scores, line, A, line, full, rows, m * ROWS * L)
        for n in range(begin, end, tile):
            z, many = n - begin, min(tile, end - n)
            draw(M, A, z, size, K.reshape(-1), n * d, d, many, part, 0)
            for m in range(M):
                for c in range(d):
                    dQ[m, c] += part[m * d + c]
            collect(keys, n, many, both[z:], 1, size, lines, 0, len(lines))
            if not shared:
                collect(of_values, n, many, scores[z:], 1, size, values, 0, M)
    return _finish(Q, dQ, beta, dK, keys, dV, of_values), dsink, 0.0


@njit
def _weigh_line(scores, A, line, full, rows, its, kept, factor, sink):
    """`_weigh` for one query, all lanes of which are keys."""
    L, totals, own = lanes(rows), np.zeros(ROWS), np.empty(ROWS * lanes(rows), rows.dtype)
    if kept:
        rows[its:its + L] = -np.finfo(rows.dtype).max
        raise_tops(rows, its, scores, line, full)
        rows[its:its + L] = rows[its:its + L].max()
    for i in range(0, full, SUMMED):
        for j in range(L):
            own[j], own[L + j], own[2 * L + j] = rows[its + j], 0, 0
        z = line + i * L
        weigh_both(scores, z, A, z, min(SUMMED, full - i), factor, own, 0)
        for j in range(L, ROWS * L):
            totals[j // L] += own[j]
    for j in range(L, ROWS * L if kept else 0):
        rows[its + j] = totals[j // L]
    return _average(rows, its, factor, sink) / L if kept else 0.0


# -- both -----------------------------------------------------------------------------------------

@njit
def _average(rows, its, unit, sink):
    """Divide the sums of a panel by the total weight; the sum of the sink's weights times means.

    The sink is one more key with this score, whose product is 0.  Weights are 0 where no key is
    visible.  Products are 0 in the lanes beyond the last query.
    """
    L, lost = lanes(rows), 0.0
    for j in range(its, its + L):
        top, total = np.float64(rows[j]), np.float64(rows[j + INVERSE * L])
        share, rest = 1.0, 0.0
        if total == 0:
            total, share = 1.0, 0.0
        elif sink > -np.inf:
            above = unit * top + math.log(total) - sink
            less = math.exp(-abs(above))
            share, rest = 1 / (1 + less), less / (1 + less)
            if above < 0:
                share, rest = rest, share
        mean = share * rows[j + MEAN * L] / total
        rows[j + INVERSE * L], rows[j + MEAN * L] = share / total, mean
        lost += rest * mean
    return lost


@njit
def _finish(Q, dQ, beta, dK, keys, dV, of_values):
    """Multiply dQ by beta, and drop the columns beyond the last of dK and dV; the gradient of beta.
    """
    total = 0.0
    for m in range(len(dQ)):
        total += dot(Q[m], dQ[m])
        for c in range(dQ.shape[1]):
            dQ[m, c] *= beta
    trim(dK, keys)
    trim(dV, of_values)
    return total
