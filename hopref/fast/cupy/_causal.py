"""Causal linear attention in float32 by the kernel of ``kernels/causal.cu``, in double precision.

A block processes the positions of one head one after the other, so that the kernel is chosen only
if there are many blocks.
"""
import functools
import math

import numpy as np

from hopref.fast.cupy._sources import source_of
from hopref.maps import ratio

__all__ = ["possible", "attended"]

BLOCKS = 64                                         # at least, to occupy a device
COLUMNS, GROUPS, POSITIONS = 16, 8, 8               # as in the source
SHARED_MEMORY = 48 * 1024                           # bytes that every device has
HEADS = 2**16 - 1                                   # that a grid takes


def possible(phi_k, V):
    """Whether the kernel takes these keys and values."""
    heads = math.prod(V.shape[:-2])
    blocks = heads * _tiles(V.shape[-1])
    return V.dtype == np.float32 and V.shape[-2] > 0 and blocks >= BLOCKS and heads <= HEADS \
        and shared_bytes(phi_k.shape[-1]) <= SHARED_MEMORY


def attended(phi_q, phi_k, V, S, z, eps, empty_row):
    """The results, S and z, from sums of 1 + v double-precision numbers for each position."""
    import cupy

    (*lead, l, d), v = phi_k.shape, V.shape[-1]
    state = cupy.empty((*lead, d, 1 + v), dtype=np.float64)
    state[..., 0], state[..., 1:] = z, S
    sums = cupy.empty((*lead, l, 1 + v), dtype=np.float64)
    q, k, values = (cupy.ascontiguousarray(a) for a in (phi_q, phi_k, V))
    _kernel(cupy)((_tiles(v), math.prod(lead)), (COLUMNS * GROUPS,), (
        q, k, values, *map(np.uint64, (l, d, v)), state, sums), shared_mem=8 * d * COLUMNS)
    Z = ratio(sums[..., 1:], sums[..., :1] + eps, empty_row)
    return tuple(cupy.astype(a, V.dtype) for a in (Z, state[..., 1:], state[..., 0]))


def _tiles(v):
    """The number of blocks of a head."""
    return math.ceil((1 + v) / COLUMNS)


def shared_bytes(d):
    """Shared memory of a block: its columns of the state, and the products of some positions."""
    return 8 * COLUMNS * (d + POSITIONS * GROUPS)


def source():
    return source_of("causal")


@functools.cache
def _kernel(cupy):
    return cupy.RawModule(code=source(), options=("-std=c++17", "-DREAL=float")).get_function(
        "causal")
