"""`hopref.gradients.attention` by tiles of keys and blocks of positions.

Of the arrays of L x S only the gradient of the bias is formed, which is a result.  The gradients of
causal linear attention are causal sums themselves, those of keys and values in reversed order; of
logarithms of features they have a running scale, in double precision (see `_decayed`).
"""
import math
from functools import partial

from hopref.fast.cupy._decayed import gradient_in_blocks, wide
from hopref.fast.cupy._linear import (
    Numbers,
    State,
    causally,
    products,
    rows_of,
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
    """With the state (z, S)_i, h_i = (dD, dN)_i and (1, v)_i as rows of one matrix each."""
    import cupy

    zS = joined_state(phi_k, V, S, z)
    phi_k, V1 = (masked(a, mask, 0.0) for a in (phi_k, with_ones(V)))
    DN = _sums(cupy, phi_q, phi_k, V1) + cupy.matmul(phi_q, zS)
    D = DN[..., :1] + eps
    dN, dD = ratio_gradient(g, D, ratio(DN[..., 1:], D, 0.0))
    h = cupy.concat([dD, dN], axis=-1)
    G = cupy.concat([g_z[..., None], g_S], axis=-1)
    dq = _sums(cupy, h, V1, phi_k) + cupy.matmul(h, transposed(zS))
    dk = _later_sums(cupy, V1, h, phi_q) + cupy.matmul(V1, transposed(G))
    dV = _later_sums(cupy, phi_k, phi_q, dN) + cupy.matmul(phi_k, g_S)
    G += cupy.matmul(transposed(phi_q), h)
    return dq, dk, dV, cupy.ascontiguousarray(G[..., 1:]), cupy.ascontiguousarray(G[..., 0]), \
        cupy.sum(dD)


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


def _sums(cupy, queries, keys, V):
    """The values of the keys up to each position, weighted by the products with its query."""
    queries, keys, unit = Numbers(cupy, queries), Numbers(cupy, keys), tamed(cupy, V)
    return causally(State.empty(keys, V.shape[-1]), partial(rows_of, queries),
                    partial(rows_of, keys), V, unit, keys.x.shape[-1] + V.shape[-1],
                    products(unit))


def _later_sums(cupy, *arrays):
    """The same for the keys from each position on."""
    return _sums(cupy, *(a[..., ::-1, :] for a in arrays))[..., ::-1, :]
