"""`hopref.gradients.attention` by tiles of keys and chunks of positions.

Of the arrays of L x S only the gradient of the bias is formed, which is a result.
"""
import math

import numpy as np

from hopref.fast.numba._linear import (
    by_head,
    causal,
    in_range,
    key_sums,
    response,
    visible,
)
from hopref.fast.numba._linear_gradient import linear_gradient
from hopref.fast.numba._softmax_gradient import gradient_of_heads
from hopref.fast.numba.gradients import by_formula
from hopref.gradients import attention
from hopref.gradients.sums import ratio_gradient, reversed_rows
from hopref.maps import ratio
from hopref.models.attention import with_ones

__all__ = ["softmax_attention", "softcapped_attention", "key_state", "linear_attention",
           "association", "causal_linear_attention"]


def softmax_attention(g, Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    found = gradient_of_heads(g, Q, K, V, scale, mask, bias, causal, align)
    if found is None:
        return by_formula(attention.softmax_attention.formula, g, Q, K, V, scale=scale, mask=mask,
                          bias=np.float64(bias), causal=causal, align=align, empty_row=empty_row)
    return found[:5]


def softcapped_attention(g, Q, K, V, /, *, softcap, scale=None, mask=True, bias=0.0, causal=False,
                         align="end", empty_row="zeros"):
    found = gradient_of_heads(g, Q, K, V, scale, mask, bias, causal, align, cap=softcap)
    if found is None:
        return by_formula(attention.softcapped_attention.formula, g, Q, K, V, softcap=softcap,
                          scale=scale, mask=mask, bias=np.float64(bias), causal=causal, align=align,
                          empty_row=empty_row)
    dQ, dK, dV, dbias, dscale, _, dsoftcap = found
    return dQ, dK, dV, dbias, dsoftcap, dscale


def key_state(g_S, g_z, phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    def kernel(seen, g_S, g_z, k, V, S, z, dk, dV, dS, dz):
        dS[:], dz[:] = g_S, g_z
        k, V, ones = (visible(seen, a, 0) for a in (k, V, np.ones((len(V), 1), V.dtype)))
        values, state = np.column_stack([V, ones]), np.vstack([g_S.T, g_z])
        return _response(values, state, dk) and _response(k, g_S, dV)

    def formula(seen, g_S, g_z, k, V, S, z):
        return attention.key_state.formula(g_S, g_z, k, V, mask=seen, S=S, z=z)
    (s, r), v = phi_k.shape[-2:], V.shape[-1]
    return by_head(kernel, formula, (g_S, g_z, phi_k, V), mask, S, z,
                   [(s, r), (s, v), (r, v), (r,)])


def linear_attention(g, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                     empty_row="zeros"):
    def kernel(seen, g, q, k, V, S, z, dq, dk, *others):
        hidden = slice(0) if isinstance(seen, slice) else ~seen
        k, V = visible(seen, k, 0), visible(seen, V, 0)
        valid = linear_gradient(g, q, k, V, S.copy(), z.copy(), float(eps), dq, dk, *others)
        dk[hidden] = 0
        return valid

    def formula(seen, g, q, k, V, S, z):
        *found, deps = attention.linear_attention.formula(g, q, k, V, mask=seen, S=S, z=z, eps=eps,
                                                          empty_row=empty_row)
        return *found, deps[None]
    (l, r), (s, v) = phi_q.shape[-2:], V.shape[-2:]
    *found, deps = by_head(kernel, formula, (g, phi_q, phi_k, V), mask, S, z,
                           [(l, r), (s, r), (s, v), (r, v), (r,), (1,)])
    return *found, np.sum(deps)


def association(g, phi_q, phi_k, V, /):
    def kernel(seen, g, q, k, V, S, z, dq, dk, dV):
        state, G = _state(k, V, S), _state(q, g, S)
        return (state is not None and G is not None and _response(g, state.T, dq)
                and _response(V, G.T, dk) and _response(k, G, dV))

    def formula(seen, g, q, k, V, S, z):
        return attention.association.formula(g, q, k, V)
    (l, r), (s, v) = phi_q.shape[-2:], V.shape[-2:]
    return by_head(kernel, formula, (g, phi_q, phi_k, V), True, 0.0, 0.0, [(l, r), (s, r), (s, v)])


def _state(k, V, S):
    """S + k' V; None if a product lost digits."""
    k, V = map(np.ascontiguousarray, (k, V))
    state, total = S.copy(), np.zeros(len(S), S.dtype)
    key_sums(k, V, state, total)
    return state if in_range(math.inf, k, V, state, total) else None


def _response(q, S, out):
    """Fill ``out`` with q S; whether no product lost digits."""
    return response(*map(np.ascontiguousarray, (q, S)), out)


def causal_linear_attention(g, g_S, g_z, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros"):
    """Four causal sums: of (1, v) for the denominators and results, and of the cotangents."""
    def kernel(seen, g, g_S, g_z, q, k, V, S, z, dq, dk, dV, dS, dz, deps):
        def causal_sums(q, k, V, state, out):
            """The causal sums; the state after the last position if they had all their digits."""
            q, k, V = map(np.ascontiguousarray, (q, k, V))
            state = np.array(state, order="C")                          # it is written into
            total = np.zeros(k.shape[1], k.dtype)
            least = causal(q, k, V, state, total, 0.0, 0.0, out, False)
            return state if in_range(least, k, V, state, total) else None
        k, values = visible(seen, k, 0), visible(seen, with_ones(V), 0)
        DN = np.empty_like(values)
        if causal_sums(q, k, values, np.column_stack([z, S]), DN) is None:
            return False
        D = DN[:, :1] + V.dtype.type(eps)
        dN, dD = ratio_gradient(g, D, ratio(DN[:, 1:], D, 0.0))
        h = np.column_stack([dD, dN])
        if causal_sums(h, values, k, np.vstack([z, S.T]), dq) is None:
            return False
        h, values, q, k = (reversed_rows(a) for a in (h, values, q, k))
        state = causal_sums(values, h, q, np.vstack([g_z, g_S.T]), dk)
        if state is None or causal_sums(k, q, h[:, 1:], g_S, dV) is None:
            return False
        dk[:], dV[:] = dk[::-1].copy(), dV[::-1].copy()
        dS[:], dz[:], deps[:] = state[1:].T, state[0], np.sum(dD)
        return True

    def formula(seen, g, g_S, g_z, q, k, V, S, z):
        *found, deps = attention.causal_linear_attention.formula(
            g, g_S, g_z, q, k, V, mask=seen, S=S, z=z, eps=eps, empty_row=empty_row)
        return *found, deps[None]
    (l, r), v = phi_k.shape[-2:], V.shape[-1]
    *found, deps = by_head(kernel, formula, (g, g_S, g_z, phi_q, phi_k, V), mask, S, z,
                           [(l, r), (l, r), (l, v), (r, v), (r,), (1,)])
    return *found, np.sum(deps)
