"""`hopref.gradients.attention` by tiles of keys; of arrays of L x S only the gradient of the bias
is formed, which is a result.

A call with a bias is computed by the formula.
"""
import math

import numpy as np

from hopref.fast.numba._softmax_gradient import softmax_gradient
from hopref.gradients import attention
from hopref.maps import default_scale

__all__ = ["softmax_attention"]


def softmax_attention(g, Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    lead, l, s, real = Q.shape[:-2], Q.shape[-2], K.shape[-2], V.dtype
    heads, factor = math.prod(lead), default_scale(scale, K)
    given = [a.reshape(heads, *a.shape[-2:]) for a in (g, Q, K, V)]
    seen = np.empty((heads, 0, 0), np.bool_) if mask is True else mask.reshape(heads, l, s)
    offset = align(l, s) if causal else s
    dQ, dK, dV = (np.empty_like(a) for a in given[1:])
    dbias, dscale = np.zeros((heads, l, s), real), 0.0
    for h in range(heads):
        found = None if np.ndim(bias) else softmax_gradient(
            *(a[h] for a in given), factor, seen[h], offset, dbias[h])
        if found is None:
            found = attention.softmax_attention.formula(
                *(np.asarray(a, np.float64) for a in (g, Q, K, V)), scale=scale, mask=mask,
                bias=np.float64(bias), causal=causal, align=align, empty_row=empty_row)
            return tuple(np.asarray(a, real) for a in found)
        dQ[h], dK[h], dV[h] = found[:3]
        dscale += float(found[3])
    return *(a.reshape(*lead, *a.shape[1:]) for a in (dQ, dK, dV, dbias)), np.asarray(dscale, real)
