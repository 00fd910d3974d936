"""Softmax retrieval and attention in one pass over the keys, without an array of M x N scores.

For each tile of keys the scores, weights and weighted sums are computed relative to the largest
score of the tile.  Tiles are merged into groups, and groups into the result, always in the same
order: sums are short, and the bits depend on the query and the keys only.  Tiles without a visible
key are passed over.

Queries are the lanes of panels if there are many (`by_panels`), and lines of scores if there are
few (`by_lines`), where each key is read once.
"""
import math

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._lines import mask_line
from hopref.fast.numba._panels import (
    combine,
    hide,
    raise_tops,
    shift,
    soften,
    some_and_all,
    weigh,
    weigh_less_one,
)
from hopref.fast.numba._products import aligned, copy
from hopref.fast.numba._tiles import draw, lanes, multiply, score, transpose

__all__ = ["FEW", "LEAST", "NO_BEST", "TOP", "TOTAL", "LESS_ONE", "absent", "attend", "in_range",
           "span", "visible_scores"]

FEW = 16
PANELS = 16             # that share a tile of keys
TILE = 2**17            # bytes of a tile of keys
LINE = 2**13            # bytes of a tile that is read once: the processor reads ahead of its sums
CACHED = 2**22          # bytes of keys that stay in a cache, and are read in larger tiles
GROUP = 32              # tiles in a group of panels
LINES = 2**11           # keys in a group of lines, whose tiles are shorter

# Rows of sums, with x = beta (score - largest score): the largest score, the sums of e^x and of
# e^x - 1, and those of e^x times each component.
TOP, TOTAL, LESS_ONE, WEIGHTED = 0, 1, 2, 3

# By bytes: the least factor of scores with which scores that overflow have no effect beyond the
# rounding of those that do not.
LEAST = {4: 2.0**-100, 8: 2.0**-900}

NO_BEST = np.empty(0, np.int64)         # if the keys of the largest scores are not needed


def in_range(real, count, factor, by_kernel, by_formula):
    """Rows with the precision ``real``, computed in a precision that holds the scores.

    ``by_kernel(real)`` gives all ``count`` rows.  Those that are not finite are computed in
    float64, and those that are not finite there by ``by_formula(lost)``.
    """
    rows = lost = None
    for dtype in (real,) if real == np.float64 else (real, np.dtype(np.float64)):
        if factor >= LEAST[dtype.itemsize]:
            wide = by_kernel(dtype).astype(real, copy=False)
            rows = wide if rows is None else np.where(lost[:, None], wide, rows)
            if math.isfinite(np.vdot(rows, rows)):
                return rows
            lost = ~np.isfinite(rows).all(axis=-1)
            if not lost.any():
                return rows
    if rows is None:
        return by_formula(np.ones(count, np.bool_)).astype(real, copy=False)
    rows[lost] = by_formula(lost)
    return rows


def absent(dtype):
    """What `attend` takes for an absent mask or bias."""
    return np.empty((0, 0), dtype)


def attend(Q, K, V, beta, few, mask, bias, offset, out, sums, best, cap=0.0):
    """Fill ``out`` with softmax(beta Q K' + bias) V, and ``sums`` with TOP, TOTAL and LESS_ONE.

    TOP is the largest product of a query and a key if there is no bias and no cap, and otherwise
    the largest score.

    Parameters
    ----------
    Q, K, V : (M, d), (N, d) and (N, v) arrays
    few : whether to read each key once, for few queries
    mask, bias : (M, N) arrays, bool and real; (0, 0) if absent
    offset : query i sees the keys up to i + offset
    out, sums : (M, v) and (M, 3) arrays; NaN where no key is visible
    best : (M) array, filled with the first key of the largest score; (0) leaves LESS_ONE out
    cap : scores are capped smoothly before the bias is added (see `soften`); 0 if they are not
    """
    beta, cap, mask = K.dtype.type(beta), K.dtype.type(cap), mask.view(np.uint8)
    if not few or len(Q) < FEW:
        rule = by_lines if few else by_panels
        rule(Q, K, V, beta, cap, mask, bias, offset, out, sums, best)
        return
    for q in range(0, len(Q), FEW):
        block = slice(q, q + FEW)
        by_lines(Q[block], K, V, beta, cap, mask[block], bias[block], offset + q, out[block],
                 sums[block], best[block])


# -- many queries ---------------------------------------------------------------------------------

@njit
def by_panels(Q, K, V, beta, cap, mask, bias, offset, out, sums, best):
    (M, d), N, v, L = Q.shape, len(K), V.shape[1], lanes(K)
    tile, size = max(12, TILE // (max(d, v, 1) * K.itemsize) // 12 * 12), (WEIGHTED + v) * L
    flat = Q.reshape(-1), K.reshape(-1), V.reshape(-1)
    most = min(PANELS, -(-M // L))
    queries, scores = aligned(most * d * L, K), aligned(tile * L, K)
    S, part, whole = aligned((2 * most + 1) * size, K), 2 * most * size, most * size
    shifts = aligned(tile * L if bias.size else 0, K)
    flags, seen = np.zeros(tile * L if mask.size else 0, np.uint8), np.empty(2 * tile, np.uint8)
    highest, turned = np.empty(most * L, K.dtype), aligned(v * L, K)
    scale, none = aligned(6 * L, K), aligned(0, K)
    factor = K.dtype.type(1) if bias.size or cap > 0 else beta
    for first in range(0, M, most * L):
        panels = min(most, -(-(M - first) // L))
        queries[:] = 0
        for p in range(panels):
            q = first + p * L
            transpose(flat[0], q * d, min(L, M - q), d, queries, p * d * L, d, L)
            _clear(S, whole + p * size, size)
        highest[:] = np.finfo(K.dtype).min
        for begin in range(0, N, GROUP * tile):
            for p in range(panels):
                _clear(S, p * size, size)
            for n in range(begin, min(N, begin + GROUP * tile), tile):
                for p in range(panels):
                    q = first + p * L
                    count = min(L, M - q)
                    low, rows, hidden = span(seen, mask[q:q + count], bias[q:q + count], n,
                                             min(tile, N - n, q + count + offset - n))
                    if rows <= 0:
                        continue
                    z = (low - n) * L
                    visible_scores(K, queries, p * d * L, q, count, low, rows, hidden, beta, cap,
                                   mask, bias, offset, scores, z, none, shifts, flags)
                    _clear(S, part, size)
                    raise_tops(S, part, scores, z, rows)
                    if best.size:
                        _remember(best, highest, p * L, scores, z, S, part, q, count, low)
                        weigh_less_one(scores, z, rows, factor, S, part, S, part + TOTAL * L)
                    else:
                        weigh(scores, z, rows, factor, S, part, S, part + TOTAL * L)
                    multiply(v, flat[2], low * v, 1, v, scores, z, S, part + WEIGHTED * L, rows)
                    _merge(S, p * size, part, size, factor, n - begin, rows, scale)
            for p in range(panels):
                _merge(S, whole + p * size, p * size, size, factor, begin,
                       min(N - begin, GROUP * tile), scale)
        for p in range(panels):
            _finish(S, whole + p * size, turned, first + p * L, out, sums)


@njit
def visible_scores(K, queries, panel, q, count, low, rows, some_hidden, beta, cap, mask, bias,
                   offset, scores, z, products, shifts, flags):
    """Fill ``scores`` with those of a `span` of keys, and ``products`` with those that are capped.

    The queries q, q + 1... are lanes of ``panel``; ``shifts`` and ``flags`` are workspaces.  The
    array of products may be empty.
    """
    (N, d), L = K.shape, lanes(K)
    multiply(rows, K.reshape(-1), low * d, d, 1, queries, panel, scores, z, d)
    if cap > 0:
        if products.size:
            copy(products, z, scores, z, rows * L)
        soften(scores, z, rows, beta, cap)
        beta = K.dtype.type(1)
    if bias.size:
        transpose(bias.reshape(-1), q * N + low, count, N, shifts, 0, rows, L)
        shift(scores, z, rows, beta, shifts, 0)
    if some_hidden:
        transpose(mask.reshape(-1), q * N + low, count, N, flags, 0, rows, L)
        hide(scores, z, rows, flags, 0)
    for i in range(max(0, q + offset - low + 1), rows):
        for j in range(min(L, i - (q + offset - low))):
            scores[z + i * L + j] = -np.inf


@njit
def _clear(S, s, size):
    """Sums over no key.  The largest score is finite, so that hidden scores have weight 0."""
    S[s:s + lanes(S)] = np.finfo(S.dtype).min
    S[s + lanes(S):s + size] = 0


@njit
def span(seen, mask, bias, n, rows):
    """The first and the number of the keys n, n + 1... from the first to the last that some of the
    queries see, and whether the mask hides some of those from some query.

    ``seen`` is a workspace: whether some query sees a key, and whether all do.
    """
    if (mask.size == 0 and bias.size == 0) or rows <= 0:
        return n, rows, False
    if mask.size:
        some_and_all(mask.reshape(-1), n, len(mask), mask.shape[1], rows, seen, 0, rows)
    else:
        seen[:rows], seen[rows:2 * rows] = 0, 1
        for i in range(len(bias)):
            for k in range(rows):
                seen[k] |= bias[i, n + k] > -np.inf
    low, high = 0, rows
    while low < high and seen[low] == 0:
        low += 1
    while low < high and seen[high - 1] == 0:
        high -= 1
    hidden = False
    for k in range(rows + low, rows + high):
        hidden |= seen[k] == 0
    return n + low, high - low, hidden


@njit
def _remember(best, highest, h, Z, z, S, part, q, count, n):
    """Store the first key with the largest score, if it exceeds those of earlier tiles."""
    L = lanes(S)
    for j in range(count):
        if S[part + j] > highest[h + j]:
            highest[h + j] = S[part + j]
            i = 0
            while Z[z + i * L + j] != S[part + j]:
                i += 1
            best[q + j] = n + i


@njit
def _merge(S, a, b, size, factor, n, k, scale):
    """Add the sums over ``k`` keys at b to those over ``n`` at a, relative to the larger maximum.

    ``scale`` is a workspace of six rows.
    """
    L = lanes(S)
    for j in range(L):
        scale[j], scale[L + j] = S[a + j], S[b + j]
        S[a + j] = S[a + j] if S[a + j] > S[b + j] else S[b + j]
    scale[2 * L:] = 0
    weigh_less_one(scale, 0, 1, factor, S, a, scale, 2 * L)
    weigh_less_one(scale, L, 1, factor, S, a, scale, 4 * L)
    combine(S, a + TOTAL * L, b + TOTAL * L, size // L - TOTAL, scale)
    for j in range(L):
        S[a + LESS_ONE * L + j] += scale[3 * L + j] * n + scale[5 * L + j] * k


@njit
def _finish(S, whole, turned, q, out, sums):
    """Copy the results of a panel."""
    v, L = out.shape[1], lanes(S)
    count = min(L, len(sums) - q)
    for j in range(count):
        for row in (TOP, TOTAL, LESS_ONE):
            sums[q + j, row] = S[whole + row * L + j]
    for j in range(whole, whole + L):
        S[j] = 1 / S[j + TOTAL * L] if S[j + TOTAL * L] != 0 else np.nan
    for c in range(v):
        for j in range(L):
            turned[c * L + j] = S[whole + (WEIGHTED + c) * L + j] * S[whole + j]
    transpose(turned, 0, v, L, out.reshape(-1), q * v, count, v)


# -- few queries ----------------------------------------------------------------------------------

@njit
def by_lines(Q, K, V, beta, cap, mask, bias, offset, out, sums, best):
    (M, d), N, v, L = Q.shape, len(K), V.shape[1], lanes(K)
    line = LINE if N * d * K.itemsize > CACHED else 4 * LINE
    tile = max(1, line // (max(d, 1) * L * K.itemsize)) * L
    flat = Q.reshape(-1), K.reshape(-1), V.reshape(-1)
    lines, drawn, seen = aligned(M * tile, K), aligned(M * v, K), np.empty(2 * tile, np.uint8)
    tops, totals, rest = aligned(M * L, K), aligned(2 * M * L, K), aligned(3 * L, K)
    part, highest = aligned(M * v, K), np.full(M, np.finfo(K.dtype).min, K.dtype)
    factor, changed = K.dtype.type(1) if bias.size or cap > 0 else beta, cap > 0 or bias.size > 0
    out[:], sums[:] = 0, 0
    sums[:, TOP] = np.finfo(K.dtype).min
    group = max(1, LINES // tile) * tile
    for begin in range(0, N, group):
        tops[:], totals[:], part[:] = np.finfo(K.dtype).min, 0, 0
        end = min(N, begin + group)
        for n in range(begin, end, tile):
            low, rows, _ = span(seen, mask, bias, n, min(tile, N - n, M + offset - n))
            if rows <= 0:
                continue
            score(M, flat[0], 0, flat[1], low * d, d, rows, lines, 0, tile)
            full = rows // L
            for m in range(M):
                z, old, visible = m * tile, tops[m * L], m + offset + 1 - low
                if changed or mask.size or visible < rows:
                    mask_line(lines, z, rows, mask, bias, beta, cap, m, low, visible)
                raised = raise_tops(tops, m * L, lines, z, full)
                if rows > full * L:
                    raised |= _raise_by_rest(tops, m * L, lines, z + full * L, z + rows)
                if raised:
                    _rescale(tops, totals, part, m, old, factor, v, n - begin)
                    if best.size and tops[m * L] > highest[m]:
                        highest[m], i = tops[m * L], z
                        while lines[i] != highest[m]:
                            i += 1
                        best[m] = low + i - z
                if best.size:
                    weigh_less_one(lines, z, full, factor, tops, m * L, totals, 2 * m * L)
                else:
                    weigh(lines, z, full, factor, tops, m * L, totals, 2 * m * L)
                if rows > full * L:
                    _weigh_rest(lines, z + full * L, z + rows, factor, tops, totals, m, rest)
            draw(M, lines, 0, tile, flat[2], low * v, v, rows, drawn, 0)
            for c in range(M * v):
                part[c] += drawn[c]
        for m in range(M):
            _merge_line(out[m], sums[m], part, m, tops, totals, factor, begin, end - begin)
    for m in range(M):
        for c in range(v):
            out[m, c] = out[m, c] / sums[m, TOTAL] if sums[m, TOTAL] != 0 else np.nan


@njit
def _raise_by_rest(tops, t, lines, begin, end):
    """Whether one of the last scores, which fill no row, exceeds the largest score."""
    raised = False
    for i in range(begin, end):
        if lines[i] > tops[t]:
            tops[t], raised = lines[i], True
    return raised


@njit
def _rescale(tops, totals, part, m, old, factor, v, n):
    """Make the largest score that of all lanes, and the sums over ``n`` keys relative to it."""
    L = lanes(tops)
    top = old
    for j in range(m * L, (m + 1) * L):
        top = tops[j] if tops[j] > top else top
    tops[m * L:(m + 1) * L] = top
    if n > 0:
        scale, less_one = _power(factor, old, top)
        for j in range(2 * m * L, (2 * m + 1) * L):
            totals[j] *= scale
            totals[L + j] = scale * totals[L + j] + less_one * (n // L)
        for c in range(m * v, (m + 1) * v):
            part[c] *= scale


@njit
def _weigh_rest(lines, begin, end, factor, tops, totals, m, rest):
    """`weigh_less_one` for the last scores, which fill no row."""
    L = lanes(lines)
    rest[:] = 0
    for j in range(end - begin):
        rest[2 * L + j] = lines[begin + j]
    weigh_less_one(rest, 2 * L, 1, factor, tops, m * L, rest, 0)
    for j in range(end - begin):
        lines[begin + j] = rest[2 * L + j]
        totals[2 * m * L + j] += rest[j]
        totals[2 * m * L + L + j] += rest[L + j]


@njit
def _merge_line(out, sums, part, m, tops, totals, factor, n, k):
    """Add the sums of a group of ``k`` keys to those over ``n``."""
    L = lanes(totals)
    old, top, total, less_one = sums[TOP], tops[m * L], totals[2 * m * L], totals[(2 * m + 1) * L]
    for j in range(2 * m * L + 1, (2 * m + 1) * L):
        total += totals[j]
        less_one += totals[L + j]
    sums[TOP] = old if old > top else top
    a, a_less_one = _power(factor, old, sums[TOP])
    b, b_less_one = _power(factor, top, sums[TOP])
    sums[TOTAL] = a * sums[TOTAL] + b * total
    sums[LESS_ONE] = a * sums[LESS_ONE] + a_less_one * n + b * less_one + b_less_one * k
    for c in range(out.size):
        out[c] = a * out[c] + b * part[m * out.size + c]


@njit
def _power(factor, score, top):
    """e^x and e^x - 1 for x = factor (score - top)."""
    x = np.float64(factor) * (np.float64(score) - np.float64(top))
    return math.exp(x), math.expm1(x)
