"""`hopref.gradients.attention` by tiles of keys and chunks of positions.

Of the arrays of L x S only the gradient of the bias is formed, which is a result; a call of softmax
attention with a bias is computed by the formula.
"""
import math

import numpy as np

from hopref.fast.numba._linear import by_head, causal, in_range
from hopref.fast.numba._softmax_gradient import softmax_gradient
from hopref.gradients import attention
from hopref.gradients.sums import ratio_gradient, reversed_rows
from hopref.maps import default_scale, ratio
from hopref.models.attention import with_ones

__all__ = ["softmax_attention", "causal_linear_attention"]


def softmax_attention(g, Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    lead, l, s, real = Q.shape[:-2], Q.shape[-2], K.shape[-2], V.dtype
    heads, factor = math.prod(lead), default_scale(scale, K)
    given = [a.reshape(heads, *a.shape[-2:]) for a in (g, Q, K, V)]
    seen = np.empty((heads, 0, 0), np.bool_) if mask is True else mask.reshape(heads, l, s)
    offset = align(l, s) if causal else s
    dQ, dK, dV = (np.empty_like(a) for a in given[1:])
    dbias, dscale = np.zeros((heads, l, s), real), 0.0
    for h in range(heads):
        found = None if np.ndim(bias) else softmax_gradient(
            *(a[h] for a in given), factor, seen[h], offset, dbias[h])
        if found is None:
            found = attention.softmax_attention.formula(
                *(np.asarray(a, np.float64) for a in (g, Q, K, V)), scale=scale, mask=mask,
                bias=np.float64(bias), causal=causal, align=align, empty_row=empty_row)
            return tuple(np.asarray(a, real) for a in found)
        dQ[h], dK[h], dV[h] = found[:3]
        dscale += float(found[3])
    return *(a.reshape(*lead, *a.shape[1:]) for a in (dQ, dK, dV, dbias)), np.asarray(dscale, real)


def causal_linear_attention(g, g_S, g_z, phi_q, phi_k, V, /, *, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros"):
    """Four causal sums: of (1, v) for the denominators and results, and of the cotangents."""
    def kernel(seen, g, g_S, g_z, q, k, V, S, z, dq, dk, dV, dS, dz, deps):
        def sums(q, k, V, state, out):
            """The causal sums; the state after the last position if they had all their digits."""
            q, k, V = map(np.ascontiguousarray, (q, k, V))
            state = np.array(state, order="C")                          # it is written into
            total = np.zeros(k.shape[1], k.dtype)
            least = causal(q, k, V, state, total, 0.0, 0.0, out, False)
            return state if in_range(least, k, V, state, total) else None
        values, DN = with_ones(V), np.empty((len(V), V.shape[1] + 1), V.dtype)
        if sums(q, k, values, np.column_stack([z, S]), DN) is None:
            return False
        D = DN[:, :1] + V.dtype.type(eps)
        dN, dD = ratio_gradient(g, D, ratio(DN[:, 1:], D, 0.0))
        h = np.column_stack([dD, dN])
        if sums(h, values, k, np.vstack([z, S.T]), dq) is None:
            return False
        h, values, q, k = (reversed_rows(a) for a in (h, values, q, k))
        state = sums(values, h, q, np.vstack([g_z, g_S.T]), dk)
        if state is None or sums(k, q, h[:, 1:], g_S, dV) is None:
            return False
        dk[:], dV[:] = dk[::-1].copy(), dV[::-1].copy()
        dS[:], dz[:], deps[:] = state[1:].T, state[0], np.sum(dD)
        return True

    def formula(seen, g, g_S, g_z, q, k, V, S, z):
        *found, deps = attention.causal_linear_attention.formula(
            g, g_S, g_z, q, k, V, S=S, z=z, eps=eps, empty_row=empty_row)
        return *found, deps[None]
    (l, r), v = phi_k.shape[-2:], V.shape[-1]
    *found, deps = by_head(kernel, formula, (g, g_S, g_z, phi_q, phi_k, V), True, S, z,
                           [(l, r), (l, r), (l, v), (r, v), (r,), (1,)])
    return *found, np.sum(deps)
