"""Attention by softmax of every head, also for queries that see no key (see `_softmax`).

A value whose key is hidden from a query has no effect on it, even if it is not finite.
"""
import math

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._softmax import FEW, NO_BEST, TOP, TOTAL, attend, in_range
from hopref.maps import default_scale
from hopref.models import attention

__all__ = ["attended", "attention_of_heads", "log_sums"]


def softmax_attention(h, q, k, values, **options):
    return attention.softmax_attention.formula(q, k, values, **options)


def means(Z, sums, unit):
    return Z


def attention_of_heads(Q, K, V, scale, mask, bias, causal, align, empty_row,
                       formula=softmax_attention, finished=means, kernel=attend):
    """Results (..., l, c) for the operands and options of softmax attention; see `attended`."""
    lead, (l, d), (s, v) = Q.shape[:-2], Q.shape[-2:], V.shape[-2:]
    heads, factor = math.prod(lead), default_scale(scale, K)
    Q, K, V = Q.reshape(heads, l, d), K.reshape(heads, s, d), V.reshape(heads, s, v)
    mask = np.empty((heads, 0, 0), np.bool_) if mask is True else mask.reshape(heads, l, s)
    bias = np.empty((heads, 0, 0), V.dtype) if np.ndim(bias) == 0 else bias.reshape(heads, l, s)
    Z = attended(Q, K, V, factor, l < FEW, mask, bias, align(l, s) if causal else s, empty_row,
                 formula, finished, kernel)
    return Z.reshape(*lead, l, Z.shape[-1])


def attended(Q, K, V, factor, few, mask, bias, offset, empty_row, formula=softmax_attention,
             finished=means, kernel=attend):
    """Results for queries (heads, l, d), by default the means of the values (heads, s, v).

    The precision is that of the values.  See `hopref.fast.numba._softmax.attend`, the default of
    ``kernel``, for the other arguments, which have the axis of heads too.

    Parameters
    ----------
    empty_row : the result where no key is visible
    formula : ``formula(h, q, k, values, **options)`` is the result of one query of the head h
    finished : ``finished(means, sums, unit)`` are the results; the score of TOP is ``unit`` TOP
    """
    (heads, l, _), (_, s, v), empty = Q.shape, V.shape, np.zeros(Q.shape[:2], np.bool_)
    unit = 1.0 if bias.size else factor

    def by_kernel(real):
        Z, sums = np.empty((heads, l, v), real), np.empty((heads, l, 3), real)
        wide = [a.astype(real, copy=False) for a in (Q, K, V, bias)]
        for h in range(heads):
            q, k, values, b = (a[h] for a in wide)
            kernel(q, k, values, factor, few, mask[h], b, offset, Z[h], sums[h], NO_BEST)
        Z = finished(Z, sums, unit)
        if not sums[..., TOTAL].all():
            _find_empty_rows(empty, sums, mask, bias, offset, s)
            Z[empty] = 0
        return Z.reshape(heads * l, Z.shape[-1])

    def by_formula(lost):
        rows = []
        for h, i in zip(*np.nonzero(lost.reshape(heads, l))):
            seen = np.arange(s) <= i + offset
            seen = seen & mask[h, i] if mask.size else seen
            given = {"bias": bias[h, i, None].astype(float)} if bias.size else {}
            operands = (a.astype(float) for a in (Q[h, i, None], K[h], V[h]))
            rows.append(formula(h, *operands, scale=factor, mask=seen[None], **given))
        return np.concatenate(rows) if rows else np.empty((0, v))
    Z = in_range(V.dtype, heads * l, factor, by_kernel, by_formula)
    Z = Z.reshape(heads, l, Z.shape[-1])
    if empty.any():
        Z[empty] = empty_row
    return Z


def log_sums(sums, unit):
    """Logarithms of the sums of e^score, in double precision; -inf where no key is visible."""
    top, total = (sums[..., row].astype(np.float64) for row in (TOP, TOTAL))
    return unit * top + np.log(total)


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
