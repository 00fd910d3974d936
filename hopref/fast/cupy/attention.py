"""`hopref.models.attention` on a CUDA device.

Softmax attention is computed by tiles of keys (see `_tiles`), without an array of L x S scores.
"""
from hopref.fast.cupy._tiles import Tiles, arithmetic, attended, in_arithmetic
from hopref.maps import default_scale

__all__ = ["softmax_attention"]


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
