"""`hopref.models.attention` on a CUDA device.

Softmax attention is computed by two kernels (see `_attend`), or by tiles of keys (see `_tiles`)
where these do not take it, without an array of L x S scores; linear attention by blocks of
positions (see `_linear`), or the causal form by a kernel (see `_causal`), without one of L x r x v.
The launches depend on the shapes and options alone.
"""
import math
from functools import partial

from hopref.fast.cupy import _causal
from hopref.fast.cupy._attend import attended
from hopref.fast.cupy._linear import (
    Logarithms,
    Numbers,
    State,
    add_all,
    answered,
    causally,
    hidden_keys,
    in_blocks,
    means,
    products,
    rows_of,
    tamed,
)
from hopref.fast.cupy._tiles import (
    Tiles,
    arithmetic,
    in_arithmetic,
    in_dtype,
    in_tiles,
)
from hopref.maps import default_scale, masked

__all__ = ["softmax_attention", "key_state", "linear_attention", "association",
           "causal_linear_attention", "log_linear_attention", "log_causal_linear_attention"]


def softmax_attention(Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    import cupy

    dtype, factor = V.dtype, float(default_scale(scale, K))
    real = arithmetic(dtype, factor)
    offset = align(Q.shape[-2], K.shape[-2]) if causal else None
    (Q,), (K, V) = in_arithmetic(cupy, real, Q), in_tiles(cupy, real, K, V)
    bias = None if isinstance(bias, float) else in_dtype(cupy, real, bias)
    tiles = Tiles(cupy, Q, K, factor, mask, bias, offset)
    return cupy.astype(attended(tiles, V, empty_row), dtype, copy=False)


# ---- linear attention ---------------------------------------------------------------------------

def key_state(phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    import cupy

    r, v = phi_k.shape[-1], V.shape[-1]
    V = masked(V, mask, 0.0)
    S = S + cupy.zeros((*V.shape[:-2], r, v), dtype=V.dtype)
    z = z + cupy.zeros((*V.shape[:-2], r), dtype=V.dtype)
    seen = _seen(Numbers(cupy, phi_k), mask, 0.0)
    for rows in in_blocks(V, V.shape[-2], r + v):
        keys = seen(rows).x
        S += cupy.matmul(cupy.matrix_transpose(keys), V[..., rows, :])
        z += cupy.sum(keys, axis=-2)
    return S, z


def linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0, empty_row="zeros"):
    import cupy

    queries, keys, V = Numbers(cupy, phi_q), Numbers(cupy, phi_k), masked(V, mask, 0.0)
    unit = tamed(cupy, V, _array(S))
    state = State.of_numbers(keys, S, z, unit)
    add_all(state, _seen(keys, mask, 0.0), V, unit, _width(keys, V))
    return answered(state, partial(rows_of, queries), phi_q.shape[-2], _width(queries, V),
                    means(unit, empty_row, eps))


def association(phi_q, phi_k, V, /):
    import cupy

    queries, keys, unit = Numbers(cupy, phi_q), Numbers(cupy, phi_k), tamed(cupy, V)
    state = State.empty(keys, V.shape[-1])
    add_all(state, partial(rows_of, keys), V, unit, _width(keys, V))
    return answered(state, partial(rows_of, queries), phi_q.shape[-2], _width(queries, V),
                    products(unit))


def causal_linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros"):
    import cupy

    V = masked(V, mask, 0.0)
    if _causal.possible(phi_k, V):
        phi_k = masked(phi_k, mask, 0.0)
        return _causal.attended(phi_q, phi_k, V, S, z, float(eps), float(empty_row))
    queries, keys = Numbers(cupy, phi_q), Numbers(cupy, phi_k)
    unit = tamed(cupy, V, _array(S))
    state = State.of_numbers(keys, S, z, unit)
    Z = causally(state, partial(rows_of, queries), _seen(keys, mask, 0.0), V, unit,
                 _width(keys, V), means(unit, empty_row, eps))
    return Z, *state.numbers(unit)


def log_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True,
                         empty_row="zeros"):
    import cupy

    queries, keys = Logarithms(cupy, log_q, sign_q), Logarithms(cupy, log_k, sign_k)
    V = masked(V, mask, 0.0)
    state, unit = State.empty(keys, V.shape[-1]), tamed(cupy, V)
    add_all(state, _seen(keys, mask, -math.inf), V, unit, _width(keys, V))
    return answered(state, partial(rows_of, queries), log_q.shape[-2], _width(queries, V),
                    means(unit, empty_row))


def log_causal_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True, S=0.0,
                                z=0.0, c=-math.inf, empty_row="zeros"):
    import cupy

    queries, keys = Logarithms(cupy, log_q, sign_q), Logarithms(cupy, log_k, sign_k)
    V = masked(V, mask, 0.0)
    unit = tamed(cupy, V, _array(S))
    state = State.of_logarithms(keys, S, z, c, unit)
    Z = causally(state, partial(rows_of, queries), _seen(keys, mask, -math.inf), V, unit,
                 _width(keys, V), means(unit, empty_row))
    return Z, *state.logarithms(unit)


def _array(S):
    """S, or None where it is absent."""
    return None if isinstance(S, float) else S


def _width(features, V):
    return features.x.shape[-1] + V.shape[-1]


def _seen(keys, mask, nothing):
    """A function of a slice of positions: its keys, with ``nothing`` in the place of hidden ones.
    """
    return lambda rows: hidden_keys(rows_of(keys, rows), mask, rows, nothing)
