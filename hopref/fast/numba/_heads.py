"""Softmax attention of every head, also for queries that see no key (see `_softmax`).

A value whose key is hidden from a query has no effect on it, even if it is not finite.
"""
import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._softmax import NO_BEST, TOTAL, attend, in_range
from hopref.models.attention import softmax_attention

__all__ = ["attended"]


def attended(Q, K, V, factor, few, mask, bias, offset, empty_row):
    """The means of the values (heads, s, v) for queries (heads, l, d).

    The precision is that of the values.  See `hopref.fast.numba._softmax.attend` for the other
    arguments, which have the axis of heads too, and ``empty_row`` is the result where no key is
    visible.
    """
    (heads, l, _), (_, s, v), empty = Q.shape, V.shape, np.zeros(Q.shape[:2], np.bool_)

    def by_kernel(real):
        Z, sums = np.empty((heads, l, v), real), np.empty((heads, l, 3), real)
        wide = [a.astype(real, copy=False) for a in (Q, K, V, bias)]
        for h in range(heads):
            q, k, values, b = (a[h] for a in wide)
            attend(q, k, values, factor, few, mask[h], b, offset, Z[h], sums[h], NO_BEST)
        if not sums[..., TOTAL].all():
            _find_empty_rows(empty, sums, mask, bias, offset, s)
            Z[empty] = 0
        return Z.reshape(heads * l, v)

    def by_formula(lost):
        rows = []
        for h, i in zip(*np.nonzero(lost.reshape(heads, l))):
            seen = np.arange(s) <= i + offset
            seen = seen & mask[h, i] if mask.size else seen
            given = {"bias": bias[h, i, None]} if bias.size else {}
            rows.append(softmax_attention.formula(
                Q[h, i, None], K[h], V[h], scale=factor, mask=seen[None], **given))
        return np.concatenate(rows) if rows else np.empty((0, v))
    Z = in_range(V.dtype, heads * l, factor, by_kernel, by_formula).reshape(heads, l, v)
    if empty.any():
        Z[empty] = empty_row
    return Z


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
