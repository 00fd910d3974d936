"""Softmax attention for few queries by the two kernels of ``kernels/attend.cu``.

The kernels divide the keys between blocks and read each key once for each query.  A mask or a bias
that is broadcast is read by strides of 0.  Keys and values of half precision are converted as they
are read.
"""
import functools
import math
from importlib import resources

import numpy as np

__all__ = ["FEW", "possible", "attended"]

FEW = 16                            # queries for which reading the keys takes most of the time
BLOCKS = 512                        # of the first kernel, at most, where parts are long enough
THREADS, WARPS, LANES = 128, 4, 32  # as in the source
SHARED_MEMORY = 48 * 1024           # bytes that every device has
HEADS = 2**16 - 1                   # that a grid takes


def possible(tiles, v):
    """Whether the kernels take these queries, keys and values of v components."""
    *lead, l, d = tiles.Q.shape
    several = len(lead) > 1 and (tiles.mask is not True or tiles.bias is not None)
    known = tiles.K.dtype == tiles.Q.dtype or tiles.Q.dtype == np.float32
    return known and 0 < l < FEW and 0 < math.prod(lead) <= HEADS and not several \
        and 0 < v and shared_bytes(tiles.Q.dtype, d, v) <= SHARED_MEMORY


def attended(tiles, V, empty_row=0.0):
    """The means of the values of `Tiles`, with v + 2 numbers of scratch for each query and part.

    In the place of an absent mask or bias the kernel takes an array that it does not read.
    """
    cupy, real, size = tiles.cupy, tiles.Q.dtype, np.uint64
    (*lead, l, d), (N, v), heads = tiles.Q.shape, V.shape[-2:], math.prod(tiles.Q.shape[:-2])
    M = heads * l
    partial, merge = _kernels(cupy, real, tiles.K.dtype)
    parts, length = _divided(N, M)
    sums, totals = cupy.empty((M, parts, v), dtype=real), cupy.empty((M, parts), dtype=real)
    tops, means = cupy.empty((M, parts), dtype=real), cupy.empty((*lead, l, v), dtype=real)
    mask, *mask_strides = (cupy.empty((1,), dtype=bool), 0, 0, 0, 0) if tiles.mask is True \
        else _strided(cupy, tiles.mask, bool)
    bias, *bias_strides = (tiles.Q, 0, 0, 0, 0) if tiles.bias is None \
        else _strided(cupy, tiles.bias, real)
    after = N if tiles.offset is None else max(0, tiles.offset + 1)
    before = 0 if tiles.offset is None else max(0, -tiles.offset - 1)
    numbers = map(size, (*mask_strides, *bias_strides, N, d, v, length, after, before))
    partial((parts, l, heads), (THREADS,),
            (tiles.Q, tiles.K, V, mask, bias, *numbers, real.type(tiles.beta), sums, totals, tops),
            shared_mem=(d + WARPS * v) * real.itemsize)
    merge((-(-v // THREADS), l, heads), (THREADS,),
          (sums, totals, tops, size(parts), size(v), real.type(tiles.factor),
           real.type(empty_row), means))
    return means


def _strided(cupy, a, dtype):
    """The distinct numbers of a (..., l, s), a one, and the strides of its axes in elements."""
    a = a if a.ndim == 3 else a[None]
    a = cupy.ascontiguousarray(a[tuple(slice(None) if step else slice(1) for step in a.strides)])
    a = cupy.astype(a, dtype, copy=False)
    steps = math.prod(a.shape[1:]), a.shape[2], 1
    return a, 1, *(step if n > 1 else 0 for step, n in zip(steps, a.shape))


def _divided(N, M):
    """The number of parts of N keys, and their length, for about BLOCKS blocks."""
    length = max(THREADS, math.ceil(N * M / BLOCKS))
    return math.ceil(N / length), length


def shared_bytes(real, d, v):
    """Shared memory of a block: its query, sums of its warps, weights, maxima and totals."""
    return (d + WARPS * v + WARPS * (LANES + 2)) * np.dtype(real).itemsize


def source():
    return resources.files("hopref.fast.cupy").joinpath("kernels/attend.cu").read_text("utf-8")


@functools.cache
def _kernels(cupy, real, stored):
    name = {"float32": "float", "float64": "double"}[np.dtype(real).name]
    options = ["-std=c++17", f"-DREAL={name}"]
    if stored != real:
        options.append(f"-DSTORED={np.dtype(stored).name}")
    module = cupy.RawModule(code=source(), options=tuple(options))
    return module.get_function("partial"), module.get_function("merge")
