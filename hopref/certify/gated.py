"""Linear attention with gates and the delta rule, in ball arithmetic, by products of matrices.

Reference: Yang et al. 2025, *Gated Delta Networks*, whose matrix I - beta k k^T erases.
"""
import numpy as np

from hopref.certify.attention import from_logs, full, scale_of

__all__ = ["linear_attention"]


def linear_attention(Q, K, V, *, log_decay=0, log_gates=0, beta=1, rule="linear", scale=None, S=0):
    lead, (length, d) = K.shape[:-2], K.shape[-2:]
    decay = from_logs(full(log_decay, lead, (length,)), 1)[..., None] * from_logs(log_gates, 1)
    decay, beta = full(decay, lead, (length, d)), full(beta, lead, (length,))
    S, O = full(S, lead, (d, V.shape[-1])), np.empty(V.shape, object)
    for t in range(length):
        k = K[..., t, :, None]
        S, write = decay[..., t, :, None] * S, beta[..., t, None, None] * k
        if rule == "delta":
            S = S - write * np.swapaxes(k, -1, -2) @ S
        S = S + write * V[..., t, None, :]
        O[..., t, :] = np.sum(Q[..., t, :, None] * S, axis=-2)
    return scale_of(scale, K) * O, S
