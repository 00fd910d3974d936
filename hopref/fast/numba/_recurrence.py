"""A memory that every token decays, writes to and reads, in panels of columns (see `_tiles`).

Columns of the memory are independent of each other: a panel of them stays in the cache while the
tokens pass.  The write of a token is added when the next token decays the memory, so that each
token reads every row once; its own query reads the write as a multiple of it.  The bits do not
depend on where a sequence is cut.
"""
import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import aligned, copy, dot
from hopref.fast.numba._tiles import lanes, rows_of
from hopref.fast.numba._vectors import I64, loop, moved, vector_code
from hopref.maps import default_scale

__all__ = ["WRITTEN", "READ", "advance", "recur", "tokens"]

WRITTEN, READ, PREDICTED = 0, 1, 2          # rows of a workspace


def tokens(K, log_decay, log_gates, beta, scale):
    """The scale, and for each token the logs of decays and the strength of its write.

    The logs of entries have one column if there is none.
    """
    lead, real = K.shape[:-1], K.dtype
    gates = log_gates if np.ndim(log_gates) else np.zeros((*lead, 1), real)
    logs, write = (np.broadcast_to(np.asarray(x, real), lead) for x in (log_decay, beta))
    return default_scale(scale, K), logs, gates, write


@njit
def recur(q, k, V, decays, write, erased, scale, S, out):
    """Fill ``out`` with what the queries read, and update S to the memory after the last token.

    Parameters
    ----------
    q, k, V, out : (L, d), (L, d), (L, v) and (L, v) arrays
    decays : (L, d) or (L, 1) array, the factors of the memory
    write : (L) array, strengths of the writes
    erased : the share of its prediction that a token erases
    scale : factor of the results
    S : (d, v) array, the memory of earlier tokens
    """
    (L, d), v, n, along = k.shape, V.shape[1], lanes(V), np.int64(decays.shape[1] > 1)
    keys, queries, factors = k.reshape(-1), q.reshape(-1), decays.reshape(-1)
    panel, rows, own, one = aligned(d * n, V), aligned(3 * n, V), aligned(L, V), np.ones(1, V.dtype)
    for t in range(L):
        own[t] = dot(q[t], k[t])
    for first in range(0, v, n):
        columns = slice(first, min(v, first + n))
        panel[:], rows[:] = 0, 0
        for c in range(d):
            copy(panel, c * n, S[c], first, columns.stop - first)
        for t in range(L):
            place = t * decays.shape[1], max(0, t - 1) * d, t * d
            if erased != 0:
                predict(panel, 0, panel, 0, d, factors, place[0], along, keys, place[1], place[2],
                        queries, rows)
            else:
                advance(panel, 0, panel, 0, d, factors, place[0], along, keys, place[1], place[2],
                        queries, rows)
            _exchange(rows, V[t, columns], write[t], erased, own[t], scale, out[t, columns])
        if L:
            last = (L - 1) * d
            advance(panel, 0, panel, 0, d, one, 0, 0, keys, last, last, queries, rows)
        for c in range(d):
            copy(S[c], first, panel, c * n, columns.stop - first)


@njit
def _exchange(rows, v, write, erased, own, scale, out):
    """The write of a token, and its result, from what its key and its query read before."""
    n = lanes(rows)
    for j in range(v.size):
        rows[j] = write * (v[j] - erased * rows[PREDICTED * n + j])
        out[j] = scale * (rows[READ * n + j] + own * rows[j])


def advance(S, s, T, t, d, A, a, along, K, old, new, Q, W):
    """``T[i] = A[a + i along] (S[i] + K[old + i] W[0])`` for the rows of a panel, which may be S,
    and then ``W[1] = sum_i Q[new + i] T[i]``."""
    panel, rows = rows_of(T, t, d), rows_of(W, 0, 2)
    panel[:] = A[a + along * np.arange(d)][:, None] * (
        rows_of(S, s, d) + K[old:old + d, None] * rows[WRITTEN])
    rows[READ] = (Q[new:new + d, None] * panel).sum(axis=0)


def predict(S, s, T, t, d, A, a, along, K, old, new, Q, W):
    """`advance`, and ``W[2] = sum_i K[new + i] T[i]``."""
    advance(S, s, T, t, d, A, a, along, K, old, new, Q, W)
    rows_of(W, 0, 3)[PREDICTED] = (K[new:new + d, None] * rows_of(T, t, d)).sum(axis=0)


# -- vectors --------------------------------------------------------------------------------------

def _advancing(v, b, reads, S, s, T, t, d, A, a, along, K, old, new, Q, W):
    S, T = moved(b, S, s), moved(b, T, t)
    A, before, key, query = moved(b, A, a), moved(b, K, old), moved(b, K, new), moved(b, Q, new)
    halves = [I64(0), I64(v.width)]
    written = [v.load(b, W, place) for place in halves]

    def row(i, sums):
        decay, share, *factors = (
            v.repeated(b, b.load(moved(b, x, place))) for x, place in
            [(A, b.mul(i, along)), (before, i), (query, i), (key, i)][:2 + reads])
        changed = []
        for place, write in zip(halves, written):
            place = b.add(b.mul(i, I64(2 * v.width)), place)
            x = b.fmul(decay, v.multiply_add(b, share, write, v.load(b, S, place)))
            v.store(b, x, T, place)
            changed.append(x)
        return [v.multiply_add(b, factors[m // 2], changed[m % 2], total)
                for m, total in enumerate(sums)]
    for m, total in enumerate(loop(b, d, [v.constant(0)] * (2 * reads), row)):
        v.store(b, total, W, I64((2 + m) * v.width))


@vector_code(advance)
def _advance(v, b, *args):
    _advancing(v, b, 1, *args)


@vector_code(predict)
def _predict(v, b, *args):
    _advancing(v, b, 2, *args)
