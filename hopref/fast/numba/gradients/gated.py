"""`hopref.gradients.gated` token by token, with memories in panels (see `_recurrence_gradient`).

Heads are computed one after the other, each in the first precision in which all gradients are
finite, or by the formula if there is none.
"""
import numpy as np

from hopref.fast.numba._linear import by_head
from hopref.fast.numba._recurrence import tokens
from hopref.fast.numba._recurrence_gradient import recur_gradient
from hopref.fast.numba._softmax import LEAST
from hopref.fast.numba.gradients import finite
from hopref.gradients import gated

__all__ = ["linear_attention"]


def linear_attention(g, g_S, Q, K, V, /, *, log_decay=0.0, log_gates=0.0, beta=1.0, rule="linear",
                     scale=None, S=0.0):
    def kernel(seen, logs, gates, write, g, g_S, q, k, values, S, z, *found):
        dq, dk, dV, by_token, dg, dwrite, D, dscale = found
        D[:] = g_S
        decays, real = np.exp(logs[:, None] + gates), values.dtype.type
        recur_gradient(g, q, k, values, decays, np.array(write), real(rule.erased), real(factor), S,
                       D, dq, dk, dV, dg, dwrite, dscale)
        by_token[:] = dg.sum(axis=-1)
        return factor >= LEAST[values.itemsize] and finite(found)

    def formula(seen, logs, gates, write, g, g_S, q, k, values, S, z):
        *found, dscale = gated.linear_attention.formula(
            g, g_S, q, k, values, log_decay=logs, log_gates=gates, beta=write, rule=rule,
            scale=factor, S=S)
        return *found, dscale[None]
    factor, logs, gates, write = tokens(K, log_decay, log_gates, beta, scale)
    (l, d), v = K.shape[-2:], V.shape[-1]
    *found, dscale = by_head(kernel, formula, (logs, gates, write, g, g_S, Q, K, V), True, S, 0.0,
                             [(l, d), (l, d), (l, v), (l,), (l, d), (l,), (d, v), (1,)])
    return *found, np.sum(dscale)
