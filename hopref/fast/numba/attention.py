"""`hopref.models.attention` in tiles: softmax attention without an array of L x S scores, causal
linear attention without one of L x r x v.

Softmax attention: see `hopref.fast.numba._softmax`.  A value whose key is hidden from a query has
no effect on it, even if it is not finite.

Causal linear attention: inside a chunk of LANES positions the attention matrix is formed, and its
entries of later positions are set to 0; the state (S, z) summarises earlier chunks.  Values are
processed together, one in each lane of the working arrays.
"""
import math

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import LANES, dot, multiply_add, workspace
from hopref.fast.numba._softmax import FEW, TOTAL, attend, in_range
from hopref.maps import default_scale
from hopref.models import attention

__all__ = ["softmax_attention", "causal_linear_attention"]

NO_BEST = np.empty(0, np.int64)


def softmax_attention(Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    lead, (l, d), (s, v) = Q.shape[:-2], Q.shape[-2:], V.shape[-2:]
    heads, factor = math.prod(lead), default_scale(scale, K)
    Q, K, V = Q.reshape(heads, l, d), K.reshape(heads, s, d), V.reshape(heads, s, v)
    mask = np.empty((heads, 0, 0), np.bool_) if mask is True else mask.reshape(heads, l, s)
    bias = np.empty((heads, 0, 0), V.dtype) if np.ndim(bias) == 0 else bias.reshape(heads, l, s)
    offset, empty = align(l, s) if causal else s, np.zeros((heads, l), np.bool_)

    def by_kernel(real):
        Z, sums = np.empty((heads, l, v), real), np.empty((heads, l, 3), real)
        wide = [a.astype(real, copy=False) for a in (Q, K, V, bias)]
        for h in range(heads):
            q, k, values, b = (a[h] for a in wide)
            attend(q, k, values, factor, l < FEW, mask[h], b, offset, Z[h], sums[h], NO_BEST)
        if not sums[..., TOTAL].all():
            _find_empty_rows(empty, sums, mask, bias, offset, s)
            Z[empty] = 0
        return Z.reshape(heads * l, v)

    def by_formula(lost):
        rows = []
        for h, i in zip(*np.nonzero(lost.reshape(heads, l))):
            seen = np.arange(s) <= i + offset
            seen = seen & mask[h, i] if mask.size else seen
            given = {"bias": bias[h, i, None]} if bias.size else {}
            rows.append(attention.softmax_attention.formula(
                Q[h, i, None], K[h], V[h], scale=factor, mask=seen[None], **given))
        return np.concatenate(rows) if rows else np.empty((0, v))
    Z = in_range(V.dtype, heads * l, factor, by_kernel, by_formula).reshape(heads, l, v)
    if empty.any():
        Z[empty] = empty_row
    return Z.reshape(*lead, l, v)


@njit
def _find_empty_rows(empty, sums, mask, bias, offset, keys):
    """Mark the rows without a visible key among those without weights."""
    heads, l, _ = sums.shape
    for h in range(heads):
        for i in range(l):
            empty[h, i] = sums[h, i, TOTAL] == 0
            for k in range(min(keys, i + offset + 1) if empty[h, i] else 0):
                seen = mask.size == 0 or mask[h, i, k]
                if seen and (bias.size == 0 or bias[h, i, k] > -np.inf):
                    empty[h, i] = False
                    break


def causal_linear_attention(phi_q, phi_k, V, /, *, S=0.0, z=0.0, eps=0.0, empty_row="zeros"):
    if not (_moderate(phi_q, -1) and _moderate(phi_k, -2)):
        wide = (np.asarray(a, np.float64) for a in (phi_q, phi_k, V))
        results = attention.causal_linear_attention.formula(
            *wide, S=np.float64(S), z=np.float64(z), eps=eps, empty_row=empty_row)
        return tuple(a.astype(V.dtype) for a in results)
    lead, r, v, real = V.shape[:-2], phi_k.shape[-1], V.shape[-1], V.dtype
    Z, S_new, z_new = np.empty_like(V), np.empty((*lead, r, v), real), np.empty((*lead, r), real)
    S_new[:], z_new[:] = S, z
    chunk = LANES if np.isfinite(V).all() else 1        # in a chunk, later values have weight 0
    arrays, count = (phi_q, phi_k, V, Z, S_new, z_new), math.prod(lead)
    heads = (a.reshape(count, *a.shape[len(lead):]) for a in arrays)
    for q, k, values, out, state, total in zip(*heads):
        _attend(q, k, values, out, state, total, real.type(eps), real.type(empty_row), chunk)
    return Z, S_new, z_new


def _moderate(features, axis):
    """Whether products of three numbers as large, or as small, as the largest stay in range."""
    most = np.max(np.abs(features), axis=axis, initial=0.0)
    least = float(np.finfo(features.dtype).tiny) ** (1 / 3)
    return bool(np.all((most == 0) | (most > least) & (most < 1 / least) | np.isnan(most)))


@njit
def _attend(q, k, V, out, S, z, eps, otherwise, chunk):
    """Fill ``out``, and update S and z to the state after the last position."""
    (l, r), v = q.shape, V.shape[1]
    panels = _panels(S)
    keys, A = workspace(r, LANES, V), workspace(LANES, LANES, V)
    values, drawn = workspace(LANES, LANES, V), workspace(LANES, LANES, V)
    weight = np.empty(LANES, V.dtype)
    for t in range(0, l, chunk):
        q_t, k_t, V_t = q[t:t + chunk], k[t:t + chunk], V[t:t + chunk]
        n = len(q_t)
        _columns(keys, k_t)
        A[:] = 0
        multiply_add(A[:n], q_t.reshape(-1), r, 1, keys)
        for i in range(n):
            A[i, i + 1:] = 0
            weight[i] = dot(q_t[i], z) + A[i, :i + 1].sum() + eps
        for p in range(len(panels)):
            _rows(values, V_t, p)
            drawn[:] = 0
            multiply_add(drawn[:n], q_t.reshape(-1), r, 1, panels[p])
            multiply_add(drawn[:n], A.reshape(-1), LANES, 1, values[:n])
            multiply_add(panels[p], k_t.reshape(-1), 1, r, values[:n])
            for i in range(n):
                for j in range(min(LANES, v - p * LANES)):
                    out[t + i, p * LANES + j] = \
                        otherwise if weight[i] == 0 else drawn[i, j] / weight[i]
        for i in range(n):
            z += k_t[i]
    for p in range(len(panels)):
        S[:, p * LANES:(p + 1) * LANES] = panels[p][:, :v - p * LANES]


@njit
def _panels(S):
    """S in panels of LANES columns, the last of which is padded with zeros."""
    r, v = S.shape
    count = -(-v // LANES)
    panels = workspace(count * r, LANES, S).reshape(count, r, LANES)
    for p in range(count):
        _rows(panels[p], S, p)
    return panels


@njit
def _rows(panel, X, p):
    """Copy panel ``p`` of the columns of X; further columns are 0."""
    width = min(LANES, X.shape[1] - p * LANES)
    panel[:, width:] = 0
    panel[:len(X), :width] = X[:, p * LANES:p * LANES + width]


@njit
def _columns(keys, k):
    """Copy key j to column j; further columns are 0."""
    keys[:, len(k):] = 0
    for c in range(k.shape[1]):
        for j in range(len(k)):
            keys[c, j] = k[j, c]
