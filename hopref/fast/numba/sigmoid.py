"""`hopref.models.sigmoid` in one pass over the keys, without an array of L x S weights.

See `hopref.fast.numba._logistic`.
"""
from functools import partial

import numpy as np

from hopref.fast.numba._heads import attention_of_heads
from hopref.fast.numba._logistic import add_up
from hopref.fast.numba._retrieval import retrieved
from hopref.fast.numba._softmax import NO_BEST, absent
from hopref.models import sigmoid

__all__ = ["update", "attention"]


def update(xi, X, /, *, beta=1.0, offset=0.0):
    def sums(states, patterns, beta, few):
        new, totals = np.empty_like(states), np.empty((len(states), 3), states.dtype)
        add_up(states, patterns, patterns, beta, few, absent(bool), absent(states.dtype), len(X),
               new, totals, NO_BEST, shift=offset)
        return new
    rule = partial(sigmoid.update.formula, offset=offset)
    return retrieved(rule, sums, xi, xi, X, beta).reshape(xi.shape)


def attention(Q, K, V, /, *, offset=0.0, scale=None, mask=True, bias=0.0, causal=False,
              align="end"):
    def formula(h, q, k, values, **options):
        return sigmoid.attention.formula(q, k, values, offset=offset, **options)
    return attention_of_heads(Q, K, V, scale, mask, bias, causal, align, 0.0, formula,
                              kernel=partial(add_up, shift=offset))
