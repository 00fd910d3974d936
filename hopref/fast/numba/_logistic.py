"""Sums of values with logistic weights of scores, in one pass over the keys.

The tiles of keys, and the choice between many and few queries, are those of
`hopref.fast.numba._softmax`; weights do not depend on other keys, so that sums of tiles are added.
"""
import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._lines import mask_line
from hopref.fast.numba._panels import logistic
from hopref.fast.numba._products import aligned
from hopref.fast.numba._softmax import FEW, LINE, PANELS, TILE, TOTAL, span, visible_scores
from hopref.fast.numba._tiles import draw, lanes, multiply, score, transpose

__all__ = ["add_up"]

MOST = 2.0**20          # shifts with which scores that overflow have weights of 0 or 1


def add_up(Q, K, V, beta, few, mask, bias, offset, out, sums, best, *, shift):
    """Fill ``out`` with sigmoid(beta Q K' + bias + shift) V, and TOTAL of ``sums`` with 1.

    The other arguments are those of `hopref.fast.numba._softmax.attend`.  ``out`` is NaN if scores
    that overflow might not have weights of 0 or 1.
    """
    sums[:, TOTAL], real = 1, K.dtype.type
    if shift + np.max(bias, initial=0) > MOST:
        out[:] = np.nan
        return
    mask, (beta, shift) = mask.view(np.uint8), map(real, (beta, shift))
    if not few:
        by_panels(Q, K, V, beta, shift, mask, bias, offset, out)
        return
    for q in range(0, len(Q), FEW):
        block = slice(q, q + FEW)
        by_lines(Q[block], K, V, beta, shift, mask[block], bias[block], offset + q, out[block])


@njit
def by_panels(Q, K, V, beta, shift, mask, bias, offset, out):
    (M, d), N, v, L, uncapped = Q.shape, len(K), V.shape[1], lanes(K), K.dtype.type(0)
    tile, size = max(12, TILE // (max(d, v, 1) * K.itemsize) // 12 * 12), v * L
    flat, most = (Q.reshape(-1), V.reshape(-1)), min(PANELS, -(-M // L))
    queries, scores = aligned(most * d * L, K), aligned(tile * L, K)
    totals, part, none = aligned(most * size, K), aligned(size, K), aligned(0, K)
    shifts = aligned(tile * L if bias.size else 0, K)
    flags, seen = np.zeros(tile * L if mask.size else 0, np.uint8), np.empty(2 * tile, np.uint8)
    factor = K.dtype.type(1) if bias.size else beta
    for first in range(0, M, most * L):
        panels = min(most, -(-(M - first) // L))
        queries[:], totals[:] = 0, 0
        for p in range(panels):
            q = first + p * L
            transpose(flat[0], q * d, min(L, M - q), d, queries, p * d * L, d, L)
        for n in range(0, N, tile):
            for p in range(panels):
                q = first + p * L
                count = min(L, M - q)
                low, rows, hidden = span(seen, mask[q:q + count], bias[q:q + count], n,
                                         min(tile, N - n, q + count + offset - n))
                if rows > 0:
                    z = (low - n) * L
                    visible_scores(K, queries, p * d * L, q, count, low, rows, hidden, beta,
                                   uncapped, mask, bias, offset, scores, z, none, shifts,
                                   flags)
                    logistic(scores, z, rows, factor, shift)
                    multiply(v, flat[1], low * v, 1, v, scores, z, part, 0, rows)
                    for i in range(size):
                        totals[p * size + i] += part[i]
        for p in range(panels):
            q = first + p * L
            transpose(totals, p * size, v, L, out.reshape(-1), q * v, min(L, M - q), v)


@njit
def by_lines(Q, K, V, beta, shift, mask, bias, offset, out):
    (M, d), N, v, L, uncapped = Q.shape, len(K), V.shape[1], lanes(K), K.dtype.type(0)
    tile = max(1, 4 * LINE // (max(d, 1) * L * K.itemsize)) * L
    flat, lines, drawn = (Q.reshape(-1), K.reshape(-1), V.reshape(-1)), aligned(M * tile, K), \
        aligned(M * v, K)
    factor, sums = K.dtype.type(1) if bias.size else beta, out.reshape(-1)
    sums[:] = 0
    for n in range(0, N, tile):
        rows = min(tile, N - n)
        score(M, flat[0], 0, flat[1], n * d, d, rows, lines, 0, tile)
        for m in range(M):
            mask_line(lines, m * tile, rows, mask, bias, beta, uncapped, m, n, m + offset + 1 - n)
            logistic(lines, m * tile, -(-rows // L), factor, shift)
        draw(M, lines, 0, tile, flat[2], n * v, v, rows, drawn, 0)
        for c in range(M * v):
            sums[c] += drawn[c]
