"""`hopref.gradients.attention` by tiles of keys and blocks of positions.

Of the arrays of L x S only the gradient of the bias is formed, which is a result.  The gradients of
causal linear attention are causal sums themselves, those of keys and values in reversed order; of
logarithms of features they have a running scale, in double precision (see `_decayed`).
"""
import functools
import math

import numpy as np

from hopref.fast.cupy import _linear
from hopref.fast.cupy._decayed import gradient_in_blocks, wide
from hopref.fast.cupy._linear import (
    Numbers,
    State,
    causal,
    in_blocks,
    nothing,
    products,
    tamed,
)
from hopref.fast.cupy._rows import in_double
from hopref.fast.cupy._softmax_gradient import softmax_gradient
from hopref.fast.cupy._tiles import Tiles, arithmetic, in_arithmetic
from hopref.gradients import attention
from hopref.gradients.sums import ratio_gradient, transposed
from hopref.maps import default_scale, masked, ratio
from hopref.models.attention import joined_state, with_ones

__all__ = ["softmax_attention", "key_state", "linear_attention", "association",
           "causal_linear_attention", "log_linear_attention", "log_causal_linear_attention"]


def softmax_attention(g, Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    import cupy

    dtype, factor = V.dtype, float(default_scale(scale, K))
    real = arithmetic(dtype, factor)
    offset = align(Q.shape[-2], K.shape[-2]) if causal else None
    g, Q, K, V = in_arithmetic(cupy, real, g, Q, K, V)
    bias = None if isinstance(bias, float) else cupy.astype(bias, real, copy=False)
    dbias = cupy.zeros((*Q.shape[:-1], K.shape[-2]), dtype=dtype)
    tiles = Tiles(cupy, Q, K, factor, mask, bias, offset)
    dQ, dK, dV, dscale = (cupy.astype(a, dtype, copy=False)
                          for a in softmax_gradient(tiles, g, V, dbias))
    return dQ, dK, dV, dbias, dscale


# ---- linear attention, by the products of the formulas in the dtype of the arguments ------------

def key_state(g_S, g_z, phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    return attention.key_state.formula(g_S, g_z, phi_k, V, mask=mask, S=S, z=z)


def linear_attention(g, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                     empty_row="zeros"):
    return attention.linear_attention.formula(g, phi_q, phi_k, V, mask=mask, S=S, z=z, eps=eps)


def association(g, phi_q, phi_k, V, /):
    return attention.association.formula(g, phi_q, phi_k, V)


def log_linear_attention(g, log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True,
                         empty_row="zeros"):
    return attention.log_linear_attention.formula(g, log_q, log_k, V, sign_q=sign_q, sign_k=sign_k,
                                                  mask=mask)


def causal_linear_attention(g, g_S, g_z, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros"):
    """With the state (z, S)_i, h_i = (dD, dN)_i and (1, v)_i as rows of one matrix each.

    In the place of its results, dN is kept from the forward pass to the backward pass.
    """
    import cupy

    zS, G = joined_state(phi_k, V, S, z), cupy.concat([g_z[..., None], g_S], axis=-1)
    dq, dk, dV = (cupy.empty(a.shape, dtype=a.dtype) for a in (phi_q, phi_k, V))
    dD, dzS = cupy.empty((*V.shape[:-1], 1), dtype=V.dtype), 1 * G
    (l, r), v = phi_k.shape[-2:], V.shape[-1]
    blocks = in_blocks(V, l, r + v)

    def part(a, rows):
        return cupy.ascontiguousarray(a[..., rows, :])

    def keys(rows):
        seen = True if mask is True else mask[..., rows]
        return [masked(a, seen, 0.0) for a in (part(phi_k, rows), with_ones(part(V, rows)))]
    to_DN = _Sums(V, r, 1 + v, (keys(rows)[1] for rows in blocks))
    to_dq = _Sums(V, 1 + v, r, (keys(rows)[0] for rows in blocks))

    def cotangents_of_sums(k, V1, rows):
        q = part(phi_q, rows)
        DN = to_DN.add(q, k, V1) + cupy.matmul(q, zS)
        D = DN[..., :1] + eps
        dN, dD = ratio_gradient(part(g, rows), D, ratio(DN[..., 1:], D, 0.0))
        return cupy.concat([dD, dN], axis=-1)
    for rows in blocks:
        k, V1 = keys(rows)
        h = cotangents_of_sums(k, V1, rows)
        dq[..., rows, :] = to_dq.add(h, V1, k) + cupy.matmul(h, transposed(zS))
        dD[..., rows, :], dV[..., rows, :] = h[..., :1], h[..., 1:]
    to_dk, to_dV = _Sums(V, 1 + v, r, [phi_q]), _Sums(V, r, v, [dV])
    for rows in reversed(blocks):
        q, (k, V1) = part(phi_q, rows), keys(rows)
        h = cupy.concat([dD[..., rows, :], dV[..., rows, :]], axis=-1)
        dk[..., rows, :] = to_dk.add_reversed(V1, h, q) + cupy.matmul(V1, transposed(G))
        dV[..., rows, :] = to_dV.add_reversed(k, q, h[..., 1:]) + cupy.matmul(k, g_S)
        dzS += cupy.matmul(transposed(q), h)
    return dq, dk, dV, cupy.ascontiguousarray(dzS[..., 1:]), \
        cupy.ascontiguousarray(dzS[..., 0]), cupy.sum(dD)


def log_causal_linear_attention(g, g_S, g_z, g_c, log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0,
                                mask=True, S=0.0, z=0.0, c=-math.inf, empty_row="zeros"):
    import cupy

    dq, dk, dV = (cupy.empty(a.shape, dtype=a.dtype) for a in (log_q, log_k, V))

    def part(a, rows):
        return a if isinstance(a, float) else wide(cupy, a, rows)

    def queries(rows):
        return ((wide(cupy, log_q, rows), part(sign_q, rows)),)

    def keys(rows):
        seen = True if mask is True else mask[..., rows]
        return ((masked(wide(cupy, log_k, rows), seen, -math.inf), part(sign_k, rows)),)

    def finish(rows, of_q, of_k, top, dv):
        (_, q), (_, k) = of_q, of_k
        dq[..., rows, :], dk[..., rows, :], dV[..., rows, :] = q.phi * q.d, k.phi * k.d + top, dv
    g_S, g_z, g_c, S, z, c = in_double(cupy, g_S, g_z, g_c, S, z, c)
    dzS, dc = gradient_in_blocks(finish, queries, keys, lambda found: found[0][0], g, g_S, g_z, g_c,
                                 V, S, z, c, log_k.shape[-1])
    return dq, dk, dV, *(cupy.astype(a, V.dtype) for a in (dzS[..., 1:], dzS[..., 0], dc))


class _Sums:
    """The values of the keys up to each position, weighted by the products with its query, for one
    block of positions after the other; of values from which units follow."""

    def __init__(self, like, r, v, values):
        import cupy

        unit = cupy.zeros((*like.shape[:-2], 1, v), dtype=np.int32)
        self.unit = functools.reduce(cupy.maximum, (tamed(cupy, a) for a in values), unit)
        self.state = State.empty(nothing(Numbers, like, r), v)

    def add(self, queries, keys, values):
        """The sums of a block, whose keys are added to the state."""
        cupy, queries = self.state.kind.cupy, self.state.kind._replace(x=queries)
        V1 = _linear.with_ones(cupy, values, self.unit)
        return products(self.unit)(queries, *causal(queries, queries._replace(x=keys), V1,
                                                    self.state))

    def add_reversed(self, *arrays):
        """The same for the keys from each position on."""
        turned = (self.state.kind.cupy.ascontiguousarray(a[..., ::-1, :]) for a in arrays)
        return self.add(*turned)[..., ::-1, :]
