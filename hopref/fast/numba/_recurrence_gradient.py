"""Vector-Jacobian product of `_recurrence`, token by token from the last, in panels of columns.

The memories of a block of tokens are kept, and recomputed from the one before the block, because a
decay that is run backwards would divide by it.  The errors of the predictions are kept where the
gradients of the values are returned.  Slices, whose references are counted, would take a fifth of
the time.
"""
import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import aligned, copy, dot
from hopref.fast.numba._recurrence import READ, WRITTEN, advance
from hopref.fast.numba._tiles import accumulate, lanes, multiply, rows_of, score
from hopref.fast.numba._vectors import I64, LANE, loop, moved, vector_code

__all__ = ["recur_gradient"]

BLOCK = 32                                              # tokens whose memories are kept
ASKED, ERASED, EARLIER, ERRORS = 2, 3, 4, 5             # further rows of a workspace


@njit
def recur_gradient(g, q, k, V, decays, write, erased, scale, S, D, dq, dk, dV, dg, dwrite, dscale):
    """Fill the gradients, and update D to the cotangent of the memory of earlier tokens.

    Parameters
    ----------
    g : (L, v) array, the cotangent of the results
    q, k, V, decays, write, erased, scale, S : those of `recur`; S is not changed
    D : (d, v) array, the cotangent of the memory after the last token
    dq, dk, dV, dg, dwrite, dscale : (L, d), (L, d), (L, v), (L, d), (L) and (1) arrays; dg is the
        gradient with respect to the logarithms of the decays of all entries
    """
    (L, d), v, n, every = k.shape, V.shape[1], lanes(V), decays.shape[1]
    keys, queries, values, factors = k.reshape(-1), q.reshape(-1), V.reshape(-1), decays.reshape(-1)
    by_query, by_key, by_decay = dq.reshape(-1), dk.reshape(-1), dg.reshape(-1)
    asked, errors, along = g.reshape(-1), dV.reshape(-1), np.int64(every > 1)
    size, blocks, own, products = d * n, -(-L // BLOCK), np.zeros(L, V.dtype), np.zeros(2, V.dtype)
    starts, kept = aligned(blocks * size, V), aligned(BLOCK * size, V)
    panel, rows, ahead = aligned(size, V), aligned(6 * n, V), aligned(2 * n, V)
    dq[:], dk[:], dg[:], dwrite[:] = 0, 0, 0, 0
    for first in range(0, v if L else 0, n):
        w, end = min(n, v - first), (L - 1) * d
        starts[:size], panel[:], rows[:], ahead[:] = 0, 0, 0, 0
        for c in range(d):
            copy(starts, c * n, S[c], first, w)
            copy(panel, c * n, D[c], first, w)
        for j in range(w):
            rows[EARLIER * n + j] = scale * g[L - 1, first + j]
        accumulate(d, queries, end, 1, 0, rows, EARLIER * n, n, panel, 0, n, 1)
        multiply(1, keys, end, 0, 1, panel, 0, rows, READ * n, d)
        for step in range(1 - blocks, blocks):          # all blocks, and from the last one back
            block = blocks - 1 - abs(step)
            remember(block, first, keys, values, factors, write, erased, starts, kept,
                     size if step >= 0 else 0, errors, ahead)
            if step < 0:
                continue
            for t in range(min(L, (block + 1) * BLOCK) - 1, block * BLOCK - 1, -1):
                past, place = max(0, t - 1), t * v + first
                for j in range(w):
                    rows[ERRORS * n + j] = errors[place + j]
                    rows[ASKED * n + j] = asked[place + j]
                score(1, rows, ERRORS * n, rows, READ * n, n, 2, products, 0, 2)
                dwrite[t] += products[0]
                own[t] += write[t] * products[1]
                for j in range(w):
                    rows[WRITTEN * n + j] = write[t] * rows[ERRORS * n + j]
                    errors[place + j] = write[t] * rows[READ * n + j]
                    rows[ERASED * n + j] = -erased * errors[place + j]
                    rows[EARLIER * n + j] = scale * asked[past * v + first + j] if t else 0
                retreat(kept, (t - block * BLOCK) * size, panel, d, factors, t * every, along,
                        keys, queries, t * d, past * d, rows, by_query, by_key, by_decay)
        for c in range(d):
            copy(D[c], first, panel, c * n, w)
    total = 0.0
    for t in range(L):
        for c in range(d):
            dq[t, c] += own[t] * k[t, c]
        total += dot(q[t], dq[t])
        for c in range(d):
            dq[t, c] *= scale
    dscale[0] = total


@njit
def remember(block, first, keys, values, factors, write, erased, starts, kept, apart, errors, rows):
    """Fill ``kept`` with the memories of a block, after their decays and before their writes.

    They begin ``apart`` after each other, which is 0 if only the last is needed: that at which the
    next block starts.  The errors of the predictions are filled in too.
    """
    L, n, start = len(write), lanes(rows), block * BLOCK
    d, v, every, stop = len(keys) // L, len(values) // L, len(factors) // L, min(L, start + BLOCK)
    size, along, w = d * n, np.int64(every > 1), min(n, v - first)
    source, before = starts, block * size
    for t in range(start, stop):
        past, place = max(0, t - 1), t * v + first
        for j in range(w):
            rows[WRITTEN * n + j] = write[past] * errors[past * v + first + j] if t else 0
        advance(source, before, kept, (t - start) * apart, d, factors, t * every, along, keys,
                past * d, t * d, keys, rows)
        for j in range(w):
            errors[place + j] = values[place + j] - erased * rows[READ * n + j]
        source, before = kept, (t - start) * apart
    if stop < L:
        copy(starts, stop // BLOCK * size, source, before, size)


def retreat(S, s, D, d, A, a, along, K, Q, own, past, W, dQ, dK, dA):
    """One token backwards: its gradients, which are added, and the cotangent D before it.

    With the rows M[i] of its memory, and C = D + K W[3] for its key, ``dQ = M W[2]``,
    ``dK = D W[0] + M W[3]`` and ``dA = sum_j C[:, j] M[:, j]``; then ``D = A C + Q W[4]`` and
    ``W[1] = sum_i K[i] D[i]``, for the query and the key of the token in the past.
    """
    memory, panel, rows = rows_of(S, s, d), rows_of(D, 0, d), rows_of(W, 0, 6)
    erased = panel + K[own:own + d, None] * rows[ERASED]
    dQ[own:own + d] += (memory * rows[ASKED]).sum(axis=1)
    dK[own:own + d] += (panel * rows[WRITTEN] + memory * rows[ERASED]).sum(axis=1)
    dA[own:own + d] += (erased * memory).sum(axis=1)
    panel[:] = A[a + along * np.arange(d)][:, None] * erased \
        + Q[past:past + d, None] * rows[EARLIER]
    rows[READ] = (K[past:past + d, None] * panel).sum(axis=0)


# -- vectors --------------------------------------------------------------------------------------

@vector_code(retreat)
def _retreat(v, b, S, s, D, d, A, a, along, K, Q, own, past, W, dQ, dK, dA):
    A, key, earlier_key, query, S = (moved(b, x, place) for x, place in [
        (A, a), (K, own), (K, past), (Q, past), (S, s)])
    results, halves = [moved(b, x, own) for x in (dQ, dK, dA)], range(2)
    written, _, asked, erased, earlier = (
        [v.load(b, W, I64((2 * row + m) * v.width)) for m in halves] for row in range(5))

    def row(i, sums):
        """The vectors whose lanes sum to the gradients, and the sums of K D so far."""
        factors = (A, b.mul(i, along)), (key, i), (earlier_key, i), (query, i)
        decay, share, before, asks = (v.repeated(b, b.load(moved(b, x, place)))
                                      for x, place in factors)
        found, changed = [v.constant(0)] * 3, []
        for m in halves:
            place = b.add(b.mul(i, I64(2 * v.width)), I64(m * v.width))
            memory, x = v.load(b, S, place), v.load(b, D, place)
            y = v.multiply_add(b, share, erased[m], x)
            found = [v.multiply_add(b, memory, asked[m], found[0]),
                     v.multiply_add(b, memory, erased[m],
                                    v.multiply_add(b, x, written[m], found[1])),
                     v.multiply_add(b, memory, y, found[2])]
            x = v.multiply_add(b, asks, earlier[m], b.fmul(decay, y))
            v.store(b, x, D, place)
            changed.append(v.multiply_add(b, before, x, sums[m]))
        return found, changed

    sums, first = [v.constant(0)] * 2, I64(0)
    for count in LANE // v.bytes, 1:
        blocks = b.sdiv(b.sub(d, first), I64(count))

        def block(k, sums, count=count, first=first):
            place, found = b.add(first, b.mul(k, I64(count))), []
            for i in range(count):
                lines, sums = row(b.add(place, I64(i)), sums)
                found.append(lines)
            for result, lines in zip(results, zip(*found)):
                _add(v, b, result, place, v.totals(b, lines)[0], count)
            return sums
        sums = loop(b, blocks, sums, block)
        first = b.add(first, b.mul(blocks, I64(count)))
    for m in halves:
        v.store(b, sums[m], W, I64((2 * READ + m) * v.width))


def _add(v, b, result, place, totals, count):
    """Add totals, which may be one number, to the entries of a result."""
    if count == 1:
        address = moved(b, result, place)
        b.store(b.fadd(b.load(address), b.extract_element(totals, I64(0))), address)
    else:
        w = next(w for w in (v, *v.narrower()) if w.width == count)
        w.store(b, b.fadd(w.load(b, result, place), totals), result, place)
