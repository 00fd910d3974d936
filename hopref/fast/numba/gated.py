"""`hopref.models.gated` token by token, with the memory in panels (see `_recurrence`).

Heads are computed one after the other, each in the first precision in which the results of finite
queries are finite, or by the formula if there is none.
"""
import numpy as np

from hopref.fast.numba._linear import by_head
from hopref.fast.numba._recurrence import recur, tokens
from hopref.fast.numba._softmax import LEAST
from hopref.models import gated

__all__ = ["linear_attention"]


def linear_attention(Q, K, V, /, *, log_decay=0.0, log_gates=0.0, beta=1.0, rule="linear",
                     scale=None, S=0.0):
    factor, logs, gates, write = tokens(K, log_decay, log_gates, beta, scale)

    def kernel(seen, logs, gates, write, q, k, values, S, z, out, new_S):
        new_S[:] = S
        decays, real = np.exp(logs[:, None] + gates), values.dtype.type
        recur(q, k, values, decays, np.array(write), real(rule.erased), real(factor), new_S, out)
        valid = factor >= LEAST[values.itemsize] and np.isfinite(new_S).all()
        return valid and (np.isfinite(out).all() or np.all(_finite_rows(out) >= _finite_rows(q)))

    def formula(seen, logs, gates, write, q, k, values, S, z):
        return gated.linear_attention.formula(q, k, values, log_decay=logs, log_gates=gates,
                                              beta=write, rule=rule, scale=factor, S=S)
    shapes = [V.shape[-2:], (K.shape[-1], V.shape[-1])]
    return by_head(kernel, formula, (logs, gates, write, Q, K, V), True, S, 0.0, shapes)


def _finite_rows(x):
    return np.isfinite(x).all(axis=1)
