"""`hopref.models.attention` on a CUDA device.

Softmax attention is computed by tiles of keys (see `_tiles`), without an array of L x S scores, and
linear attention by blocks of positions (see `_linear`), without one of L x r x v.  The launches
depend on the shapes and options alone.
"""
import math

from hopref.fast.cupy._linear import (
    Logarithms,
    Numbers,
    State,
    causal,
    in_blocks,
    quotient,
    rows_of,
    tamed,
    with_ones,
)
from hopref.fast.cupy._tiles import Tiles, arithmetic, attended, in_arithmetic
from hopref.maps import default_scale

__all__ = ["softmax_attention", "key_state", "linear_attention", "association",
           "causal_linear_attention", "log_linear_attention", "log_causal_linear_attention"]


def softmax_attention(Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                      empty_row="zeros"):
    import cupy

    dtype, factor = V.dtype, float(default_scale(scale, K))
    real = arithmetic(dtype, factor)
    offset = align(Q.shape[-2], K.shape[-2]) if causal else None
    Q, K, V = in_arithmetic(cupy, real, Q, K, V)
    bias = None if isinstance(bias, float) else cupy.astype(bias, real, copy=False)
    tiles = Tiles(cupy, Q, K, factor, mask, bias, offset)
    return cupy.astype(attended(tiles, V, float(empty_row))[0], dtype, copy=False)


# ---- linear attention ---------------------------------------------------------------------------

def key_state(phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    import cupy

    r, v = phi_k.shape[-1], V.shape[-1]
    S = S + cupy.zeros((*V.shape[:-2], r, v), dtype=V.dtype)
    z = z + cupy.zeros((*V.shape[:-2], r), dtype=V.dtype)
    for rows in _blocks(phi_k, V):
        keys = _seen(cupy, phi_k[..., rows, :], mask, rows, 0.0)
        S += cupy.matmul(cupy.matrix_transpose(keys), V[..., rows, :])
        z += cupy.sum(keys, axis=-2)
    return S, z


def linear_attention(phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0, empty_row="zeros"):
    import cupy

    queries, keys = Numbers(cupy, phi_q), Numbers(cupy, phi_k)
    unit = tamed(cupy, V, _array(S))
    state = State.of_numbers(keys, S, z, unit)
    _add_all(state, keys, V, unit, mask, 0.0)

    def means(answers, scale, rows):
        return quotient(rows, answers, scale, float(eps), float(empty_row), unit)
    return _answered(state, queries, V, means)


def association(phi_q, phi_k, V, /):
    import cupy

    queries, keys, unit = Numbers(cupy, phi_q), Numbers(cupy, phi_k), tamed(cupy, V)
    state = State.empty(keys, V.shape[-1])
    _add_all(state, keys, V, unit, True, 0.0)

    def products(answers, scale, rows):
        return cupy.ldexp(answers[..., 1:], scale + unit)
    return _answered(state, queries, V, products)


def causal_linear_attention(phi_q, phi_k, V, /, *, S=0.0, z=0.0, eps=0.0, empty_row="zeros"):
    import cupy

    queries, keys = Numbers(cupy, phi_q), Numbers(cupy, phi_k)
    unit = tamed(cupy, V, _array(S))
    state = State.of_numbers(keys, S, z, unit)
    Z = _causally(state, queries, keys, V, unit, float(eps), float(empty_row))
    return Z, *state.numbers(unit)


def log_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True,
                         empty_row="zeros"):
    import cupy

    queries, keys = Logarithms(cupy, log_q, sign_q), Logarithms(cupy, log_k, sign_k)
    state, unit = State.empty(keys, V.shape[-1]), tamed(cupy, V)
    _add_all(state, keys, V, unit, mask, -math.inf)

    def means(answers, scale, rows):
        return quotient(rows, answers, scale, 0.0, float(empty_row), unit)
    return _answered(state, queries, V, means)


def log_causal_linear_attention(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, S=0.0, z=0.0,
                                c=-math.inf, empty_row="zeros"):
    import cupy

    queries, keys = Logarithms(cupy, log_q, sign_q), Logarithms(cupy, log_k, sign_k)
    unit = tamed(cupy, V, _array(S))
    state = State.of_logarithms(keys, S, z, c, unit)
    Z = _causally(state, queries, keys, V, unit, 0.0, float(empty_row))
    return (Z, cupy.ldexp(state.sums[..., 1:], unit), cupy.ascontiguousarray(state.sums[..., 0]),
            state.scale[..., 0, :])


def _array(S):
    """S, or None where it is absent."""
    return None if isinstance(S, float) else S


def _blocks(*arrays):
    return in_blocks(arrays[0].shape, sum(a.shape[-1] for a in arrays), arrays[0].dtype.itemsize)


def _seen(cupy, keys, mask, rows, nothing):
    """Keys of a block, with ``nothing`` in the place of hidden ones."""
    return keys if mask is True else cupy.where(mask[..., rows, None], keys, nothing)


def _add_all(state, keys, V, unit, mask, nothing):
    """Add all visible keys to the state, by blocks."""
    cupy = keys.cupy
    for rows in _blocks(keys.x, V):
        block = rows_of(keys, rows)
        block = block._replace(x=_seen(cupy, block.x, mask, rows, nothing))
        state.add(block, with_ones(cupy, V[..., rows, :], unit))


def _answered(state, queries, V, rule):
    """The results of a rule for the answers to all queries, by blocks."""
    cupy, (*lead, l, _), v = queries.cupy, queries.x.shape, V.shape[-1]
    Z = cupy.empty((*lead, l, v), dtype=V.dtype)
    for rows in in_blocks(queries.x.shape, queries.x.shape[-1] + v, V.dtype.itemsize):
        block = rows_of(queries, rows)
        Z[..., rows, :] = rule(*state.answers(block), block)
    return Z


def _causally(state, queries, keys, V, unit, eps, empty_row):
    """The results of all positions; the state becomes that after the last one."""
    cupy, Z = queries.cupy, queries.cupy.empty(V.shape, dtype=V.dtype)
    for rows in _blocks(keys.x, V):
        q, k = rows_of(queries, rows), rows_of(keys, rows)
        answers, scale = causal(q, k, with_ones(cupy, V[..., rows, :], unit), state)
        Z[..., rows, :] = quotient(q, answers, scale, eps, empty_row, unit)
    return Z
