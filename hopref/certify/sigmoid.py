"""Sigmoid attention and its memory in ball arithmetic.

References: Ramapuram et al. 2025; Krotov and Hopfield 2021.
"""
import numpy as np

from hopref.certify.attention import scale_of, seen_by
from hopref.certify.balls import columns, dot, exp, known, log, shown

__all__ = ["energy", "update", "attention_weights", "attention"]


def energy(xi, X, *, beta=1, offset=0):
    return dot(xi, xi) / 2 - dot(log(1 + exp(beta * (xi @ X.T) + offset)), 1) / beta


def update(xi, X, *, beta=1, offset=0):
    return logistic(beta * (xi @ X.T) + offset) @ X


def logistic(u):
    """1 / (1 + e^-u)."""
    return 1 / (1 + exp(-u))


def attention_weights(Q, K, *, offset=0, scale=None, mask=True, bias=0, causal=False, align="end"):
    seen = shown(bias) & seen_by(Q, K, mask, causal, align)
    u = scale_of(scale, K) * (Q @ columns(K)) + known(bias) + offset
    return np.where(seen, logistic(u), 0)


def attention(Q, K, V, **options):
    return attention_weights(Q, K, **options) @ V
