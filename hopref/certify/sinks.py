"""Attention and retrieval with a sink in ball arithmetic: e^sink is added to the denominator.

References: the attention sinks of gpt-oss; Ramsauer et al. 2021, eqs. (2), (3).
"""
import numpy as np

from hopref.certify.attention import attended
from hopref.certify.balls import dot, exp, log, total
from hopref.certify.maps import exponentials
from hopref.certify.modern import squared_radius

__all__ = ["energy", "update", "attention_weights", "attention"]


def energy(xi, X, *, beta=1, sink=0):
    sums = total(exponentials(xi @ X.T, beta))[..., 0] + exp(sink)
    return (-log(sums) / beta + dot(xi, xi) / 2 + log(len(X) + exp(sink)) / beta
            + squared_radius(X) / 2)


def update(xi, X, *, beta=1, sink=0):
    e = exponentials(xi @ X.T, beta)
    return e / (total(e) + exp(sink)) @ X


def attention_weights(Q, K, sink, *, scale=None, mask=True, bias=0, causal=False, align="end"):
    e = attended(Q, K, scale, mask, bias, causal, align)
    return e / (total(e) + np.asarray(exp(sink), object)[..., None, None])


def attention(Q, K, V, sink, **options):
    return attention_weights(Q, K, sink, **options) @ V
