"""Vector-Jacobian product of softmax retrieval and attention, by tiles of keys.

The scores of a tile are computed again; the weights follow from the largest scores and the totals
of the forward pass.  Products are blocks of sums that are added to the gradients, the sums over
keys in the order of the tiles, those over queries in the order of the panels, so that the bits
depend on the arguments alone.
"""
import math

import numpy as np

from hopref.fast.numba._heads import log_sums
from hopref.fast.numba._jit import njit
from hopref.fast.numba._lines import collect, padded, trim, turned, widened
from hopref.fast.numba._panels import LARGEST, pull_back, uncap
from hopref.fast.numba._products import aligned, dot
from hopref.fast.numba._softmax import (
    FEW,
    LEAST,
    NO_BEST,
    TOP,
    TOTAL,
    absent,
    attend,
    visible_scores,
)
from hopref.fast.numba._tiles import draw, lanes, multiply, score, transpose
from hopref.fast.numba.gradients import finite
from hopref.maps import default_scale, sigmoid

__all__ = ["gradient_of_heads", "gradient_of_states"]

TILE = 2**15            # bytes of a tile of keys, which stays in a cache with its gradient


def gradient_of_heads(g, Q, K, V, scale, mask, bias, causal, align, sinks=-math.inf, cap=0.0):
    """The gradients (dQ, dK, dV, dbias, dscale, dsinks, dcap) of softmax attention, of which each
    head may have a sink, or the scores a cap; None if they leave the range."""
    lead, l, s, real = Q.shape[:-2], Q.shape[-2], K.shape[-2], V.dtype
    heads, factor = math.prod(lead), default_scale(scale, K)
    given = [a.reshape(heads, *a.shape[-2:]) for a in (g, Q, K, V)]
    seen = np.empty((heads, 0, 0), np.bool_) if mask is True else mask.reshape(heads, l, s)
    shifts = bias.reshape(heads, l, s) if np.ndim(bias) else np.empty((heads, 0, 0), real)
    offset, sinks = align(l, s) if causal else s, np.broadcast_to(sinks, lead).reshape(heads)
    dQ, dK, dV = (np.empty_like(a) for a in given[1:])
    dbias, dsinks, dscale, dcap = np.zeros((heads, l, s), real), np.empty(heads, real), 0.0, 0.0
    for h in range(heads):
        found = softmax_gradient(*(a[h] for a in given), factor, seen[h], shifts[h], offset,
                                 dbias[h], float(sinks[h]), cap)
        if found is None:
            return None
        dQ[h], dK[h], dV[h], _, dsinks[h], _ = found
        dscale, dcap = dscale + float(found[3]), dcap + float(found[5])
    return (*(a.reshape(*lead, *a.shape[1:]) for a in (dQ, dK, dV, dbias)),
            np.asarray(dscale, real), dsinks.reshape(lead), np.asarray(dcap, real))


def gradient_of_states(g, xi, keys, X, beta, sink=-math.inf):
    """The gradients (dxi, dkeys, dX, dbeta, dsink) of retrieval for states with any leading axes;
    see `softmax_gradient`."""
    d, rows, none = X.shape[1], math.prod(xi.shape[:-1]), absent(X.dtype)
    found = softmax_gradient(g.reshape(rows, d), xi.reshape(rows, d), keys, X, beta, absent(bool),
                             none, len(X), none, sink)
    return found and [found[0].reshape(xi.shape), *found[1:5]]


def softmax_gradient(g, Q, K, V, beta, mask, bias, offset, dS, sink=-math.inf, cap=0.0):
    """The gradients (dQ, dK, dV, dbeta, dsink, dcap) of softmax(beta Q K' + bias) V; None if they
    leave the range.

    Parameters
    ----------
    g : (M, v) array, the cotangent of the result
    Q, K, V, beta, mask, bias, offset : arguments of `attend`
    dS : (M, N) array that is filled with the cotangents of the bias, or (0, 0)
    sink : the score of one more key, whose value is 0
    cap : scores are capped smoothly before the bias is added, for which ``dS`` is not (0, 0); 0 if
        they are not

    Returns
    -------
    arrays in the precision of ``dS``; if K and V are one array, dK is the gradient of both
    """
    for dtype in (np.float32, np.float64)[dS.itemsize // 8:]:
        least, largest = LEAST[np.dtype(dtype).itemsize], LARGEST[np.dtype(dtype).itemsize]
        if beta < least or cap and not least <= cap <= largest:
            continue
        q, k, cotangent, shifts, scores = (a.astype(dtype, copy=False)
                                           for a in (Q, K, g, bias, dS))
        values = k if V is K else V.astype(dtype, copy=False)
        found = _gradient(cotangent, q, k, values, dtype(beta), mask, shifts, offset, scores, sink,
                          dtype(cap))
        if finite(found):
            if scores is not dS:
                dS[:] = scores
            return [np.asarray(a, dS.dtype) for a in found]
    return None


def _gradient(g, Q, K, V, beta, mask, bias, offset, dS, sink, cap):
    M, v = len(Q), V.shape[1]
    # Scores have the bits of the forward pass.
    few = M < FEW and not mask.size and not bias.size and not dS.size
    out, sums = np.empty((M, v), K.dtype), np.empty((M, 3), K.dtype)
    attend(Q, K, V, beta, few, mask, bias, offset, out, sums, NO_BEST, cap)
    out[sums[:, TOTAL] == 0] = 0                    # no key is visible
    mean = np.vecdot(g, out)
    dbeta, dsink = _with_sink(mean, sums, beta, sink, bias.size > 0)
    dQ, dK = np.empty_like(Q), np.zeros_like(K)
    dV = dK if V is K else np.zeros_like(V)
    given = g, Q, K, V, beta, mean, sums, dQ, dK, dV, V is K
    if few:
        return dQ, dK, dV, dbeta + _by_lines(*given), dsink, 0.0
    of_beta, dcap = _by_panels(*given, mask.view(np.uint8), bias, offset, dS, cap)
    return dQ, dK, dV, dbeta + of_beta, dsink, dcap


def _with_sink(mean, sums, beta, sink, biased):
    """The gradient of the sink, and the part of that of beta that is due to its weight.

    ``mean`` and ``sums`` become those of all scores.  Cotangents of the scores of keys have a sum
    of 0, so that a multiple of the largest score may be subtracted, only without a sink.
    """
    if sink == -math.inf:
        return 0.0, 0.0
    logs, seen = log_sums(sums, 1.0 if biased else beta), sums[:, TOTAL] != 0
    mean *= sigmoid(logs - sink)
    sums[seen, TOTAL] /= sigmoid(logs - sink)[seen]
    lost = sigmoid(sink - logs) * mean
    return 0.0 if biased else np.sum(lost * sums[:, TOP]), -np.sum(lost)


# -- many queries ---------------------------------------------------------------------------------

@njit
def _by_panels(g, Q, K, V, beta, mean, sums, dQ, dK, dV, shared, mask, bias, offset, dS, cap):
    (M, d), N, v, L = Q.shape, len(K), V.shape[1], lanes(K)
    panels, tile = -(-M // L), max(12, TILE // (max(d, v, 1) * K.itemsize) // 12 * 12)
    queries, cotangents, rows = turned(Q), turned(g), np.zeros(4 * panels * L, K.dtype)
    lines, values = padded(Q, beta), padded(g, K.dtype.type(1))
    keys = widened(dK, lines)
    of_values = keys if shared else widened(dV, values)
    scores, A = aligned(tile * L, K), aligned(tile * L, K)
    part, sum_q = aligned(d * L, K), np.zeros(panels * d * L, K.dtype)
    shifts = aligned(tile * L if bias.size else 0, K)
    factor = K.dtype.type(1) if bias.size or cap > 0 else beta
    products, bends = aligned(tile * L if cap > 0 else 0, K), np.zeros(2 * L, K.dtype)
    flags, seen = np.zeros(tile * L if mask.size else 0, np.uint8), np.empty(2 * tile, np.uint8)
    for q in range(M):
        _set_rows(rows, q // L * 4 * L + q % L, L, sums[q], mean[q])
    total = of_cap = 0.0
    for n in range(0, N, tile):
        for p in range(panels):
            q, count, its = p * L, min(L, M - p * L), p * 4 * L
            low, many = visible_scores(K, queries, p * d * L, q, count, n, tile, beta, cap,
                                       mask, bias, offset, scores, shifts, flags, seen)
            if many <= 0:
                continue
            multiply(many, V.reshape(-1), low * v, v, 1, cotangents, p * v * L, A, 0, v)
            total += _pull_back(scores, 0, A, 0, many, factor, rows, its, count)
            if dS.size:
                transpose(A, 0, many, L, dS.reshape(-1), q * N + low, count, N)
            if cap > 0:
                multiply(many, K.reshape(-1), low * d, d, 1, queries, p * d * L, products, 0, d)
                bends[:] = 0
                uncap(A, 0, products, 0, many, beta, cap, bends, 0)
                of_cap += bends[:count].sum()
            multiply(d, K.reshape(-1), low * d, 1, d, A, 0, part, 0, many)
            for i in range(d * L):
                sum_q[p * d * L + i] += part[i]
            collect(keys, low, many, A, L, 1, lines, q, count)
            collect(of_values, low, many, scores, L, 1, values, q, count)
    for p in range(panels):
        transpose(sum_q, p * d * L, d, L, dQ.reshape(-1), p * L * d, min(L, M - p * L), d)
    if bias.size or cap > 0:
        total = 0.0                 # the differences of scores are not those of the products
        for m in range(M):
            total += dot(Q[m], dQ[m])
    _finish(dQ, beta, dK, keys, dV, of_values)
    return total, of_cap


# -- few queries ----------------------------------------------------------------------------------

@njit
def _by_lines(g, Q, K, V, beta, mean, sums, dQ, dK, dV, shared):
    (M, d), N, v, L = Q.shape, len(K), V.shape[1], lanes(K)
    tile = max(1, TILE // (max(d, v, 1) * L * K.itemsize)) * L
    lines, values = padded(Q, beta), padded(g, K.dtype.type(1))
    keys = widened(dK, lines)
    of_values = keys if shared else widened(dV, values)
    scores, A = np.zeros(M * tile, K.dtype), np.zeros(M * tile, K.dtype)
    rows, part = np.zeros(4 * M * L, K.dtype), aligned(M * d, K)
    for m in range(M):
        for j in range(L):
            _set_rows(rows, 4 * m * L + j, L, sums[m], mean[m])
    dQ[:], total = 0, 0.0
    for n in range(0, N, tile):
        many = min(tile, N - n)
        score(M, Q.reshape(-1), 0, K.reshape(-1), n * d, d, many, scores, 0, tile)
        score(M, g.reshape(-1), 0, V.reshape(-1), n * v, v, many, A, 0, tile)
        full = -(-many // L)
        for m in range(M):
            line = m * tile
            for i in range(line + many, line + full * L):
                scores[i], A[i] = -np.inf, 0
            total += _pull_back(scores, line, A, line, full, beta, rows, 4 * m * L, L)
        draw(M, A, 0, tile, K.reshape(-1), n * d, d, many, part, 0)
        for m in range(M):
            for c in range(d):
                dQ[m, c] += part[m * d + c]
        collect(keys, n, many, A, 1, tile, lines, 0, M)
        collect(of_values, n, many, scores, 1, tile, values, 0, M)
    _finish(dQ, beta, dK, keys, dV, of_values)
    return total


# -- both -----------------------------------------------------------------------------------------

@njit
def _set_rows(rows, place, L, sums, mean):
    """The numbers of a query for `pull_back`; weights are 0 where no key is visible."""
    rows[place], rows[place + 2 * L] = sums[TOP], mean
    rows[place + L] = 1 / sums[TOTAL] if sums[TOTAL] != 0 else 0


@njit
def _pull_back(scores, s, A, a, many, beta, rows, its, count):
    """`pull_back`; the sum of the products over the first lanes."""
    L, total = lanes(rows), 0.0
    rows[its + 3 * L:its + 4 * L] = 0
    pull_back(scores, s, A, a, many, beta, rows, its)
    for j in range(its + 3 * L, its + 3 * L + count):
        total += rows[j]
    return total


@njit
def _finish(dQ, beta, dK, keys, dV, values):
    """Multiply dQ by beta, and drop the columns beyond the last of dK and dV."""
    for m in range(len(dQ)):
        for c in range(dQ.shape[1]):
            dQ[m, c] *= beta
    trim(dK, keys)
    trim(dV, values)
