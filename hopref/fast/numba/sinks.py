"""`hopref.models.sinks`: softmax attention and retrieval, and the weight that the sink leaves.

Results are multiplied by this weight, which is computed in double precision.

See `hopref.fast.numba._heads` and `hopref.fast.numba._retrieval`.
"""
from functools import partial

import numpy as np

from hopref.fast.numba._heads import attention_of_heads, log_sums
from hopref.fast.numba._retrieval import energies, retrieved, scored, weighted
from hopref.fast.numba._softmax import LESS_ONE, TOP, TOTAL
from hopref.maps import shares_without_scores, sigmoid
from hopref.models import sinks

__all__ = ["energy", "update", "attention"]


def energy(xi, X, /, *, beta=1.0, sink=0.0):
    rule = partial(sinks.energy.formula, sink=sink)
    return retrieved(rule, partial(_energies, sink), xi, xi, X, beta).reshape(xi.shape[:-1])


def update(xi, X, /, *, beta=1.0, sink=0.0):
    def means(states, patterns, beta, few):
        return _less_the_sink(*weighted(states, patterns, patterns, beta, few), beta, sink)
    rule = partial(sinks.update.formula, sink=sink)
    return retrieved(rule, means, xi, xi, X, beta).reshape(xi.shape)


def attention(Q, K, V, sink, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    own = sink.reshape(-1).astype(np.float64)

    def formula(h, q, k, values, **options):
        return sinks.attention.formula(q, k, values, own[h], **options)

    def finished(Z, sums, unit):
        return _less_the_sink(Z, sums, unit, own[:, None])
    return attention_of_heads(Q, K, V, scale, mask, bias, causal, align, 0.0, formula, finished)


def _less_the_sink(Z, sums, unit, sink):
    """Means with the weights of a softmax, times the share of these weights."""
    return (sigmoid(log_sums(sums, unit) - sink)[..., None] * Z).astype(Z.dtype)


def _energies(sink, states, X, beta, few):
    """As those of `modern`, with a pattern of zeros, whose weight is ``own`` where all scores are
    0; the larger of its score and of the others is subtracted."""
    sums, best = scored(states, X, beta, few)
    others, own = shares_without_scores(np.empty(len(X) + 1), np.float64(sink))
    below, above = beta * np.minimum(sums[:, TOP], 0), beta * np.maximum(sums[:, TOP], 0)
    mean = others * np.exp(below) * sums[:, TOTAL] / len(X) + own * np.exp(-above)
    lack = others * (np.exp(below) * sums[:, LESS_ONE] / len(X) + np.expm1(below))
    best = np.where(sums[:, TOP] < 0, -1, best)
    return energies(states, X, beta, mean, lack + own * np.expm1(-above), best)
