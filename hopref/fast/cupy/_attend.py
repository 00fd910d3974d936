"""Softmax attention by two kernels: of few queries by ``kernels/attend.cu``, of many by
``kernels/tile.cu``.

A block of the first kernel has a part of the keys and one query, or a tile of queries whose scores
remain in registers; the second kernel, ``merge`` of ``kernels/softmax.cu``, adds the parts.  A
mask or a bias that is broadcast is read by strides of 0.  Keys and values of half precision are
converted as they are read.  What the kernels do not take is processed by `_tiles`.
"""
import functools
import math

import numpy as np

from hopref.fast.cupy import _tiles
from hopref.fast.cupy._sources import source_of

__all__ = ["FEW", "MANY", "WIDTHS", "attended", "source"]

FEW = 16                            # queries for which reading the keys takes most of the time
MANY = 4                            # queries from which a tile, read once, takes less time
WIDTHS = {4: (64, 128), 8: (64,)}   # components that a tile may have, by the bytes of a number
BLOCKS = 512                        # of the first kernel, at most, where parts are long enough
PART = 128                          # keys of a part, at least
THREADS, WARPS, LANES = 128, 4, 32  # as in the source
SHARED_MEMORY = 48 * 1024           # bytes that every device has
GRID = 2**16 - 1                    # blocks of a grid in its second and third direction


def attended(tiles, V, empty_row=0.0):
    """The means of the values of `Tiles`, by kernels where these take them."""
    width = _width(tiles, V)
    if width is None:
        return _tiles.attended(tiles, V, float(empty_row))[0]
    return _by_kernels(tiles, V, empty_row, width)


def _width(tiles, V):
    """The width of the kernel for many queries, 0 for that of few, None if neither takes these
    queries, keys and values."""
    (*lead, l, d), (*heads, N, v), real = tiles.Q.shape, V.shape, tiles.Q.dtype
    stored, several = tiles.K.dtype, tiles.mask is not True or tiles.bias is not None
    if not (l and N and v and 0 < math.prod(lead) <= GRID) or several and len(lead) > 1 \
            or lead != heads or V.dtype != stored or stored != real and real != np.float32:
        return None
    for width in WIDTHS[real.itemsize]:
        if max(d, v) <= width and MANY <= l <= GRID * rows_of(real, width):
            return width
    return 0 if l < FEW and shared_bytes(real, d, v) <= SHARED_MEMORY else None


def _by_kernels(tiles, V, empty_row, width):
    """With v + 2 numbers of scratch for each query and part.

    In the place of an absent mask or bias the kernel takes an array that it does not read.
    """
    cupy, real, size = tiles.cupy, tiles.Q.dtype, np.uint64
    (*lead, l, d), (N, v), heads = tiles.Q.shape, V.shape[-2:], math.prod(tiles.Q.shape[:-2])
    first, merge = _kernels(cupy, real, tiles.K.dtype, width)
    blocks, M = -(-l // rows_of(real, width)), heads * l
    parts, length = _divided(N, heads * blocks)
    sums, totals = cupy.empty((M, parts, v), dtype=real), cupy.empty((M, parts), dtype=real)
    tops, means = cupy.empty((M, parts), dtype=real), cupy.empty((*lead, l, v), dtype=real)
    mask, *mask_strides = (cupy.empty((1,), dtype=bool), 0, 0, 0, 0) if tiles.mask is True \
        else _strided(cupy, tiles.mask, bool)
    bias, *bias_strides = (tiles.Q, 0, 0, 0, 0) if tiles.bias is None \
        else _strided(cupy, tiles.bias, real)
    after = N if tiles.offset is None else max(0, tiles.offset + 1)
    before = 0 if tiles.offset is None else max(0, -tiles.offset - 1)
    numbers = map(size, (*mask_strides, *bias_strides, l, N, d, v, length, after, before))
    first((parts, blocks, heads), (THREADS,),
          (tiles.Q, tiles.K, V, mask, bias, *numbers, real.type(tiles.beta), sums, totals, tops),
          shared_mem=0 if width else (d + WARPS * v) * real.itemsize)
    merge((l, -(-v // THREADS), heads), (THREADS,),
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


def _divided(N, blocks):
    """The number of parts of N keys, and their length, for about BLOCKS blocks."""
    length = max(PART, LANES * math.ceil(N * blocks / (BLOCKS * LANES)))
    return math.ceil(N / length), length


def rows_of(real, width):
    """The queries of a block."""
    if not width:
        return 1
    return WARPS * (8 if real.itemsize * width > 256 else 16)


def shared_bytes(real, d, v):
    """Shared memory of a block for few queries: its query, sums of its warps, weights, maxima and
    totals."""
    return (d + WARPS * v + WARPS * (LANES + 2)) * np.dtype(real).itemsize


def bytes_of_tile(real, width):
    """Shared memory of a block for many: queries, a tile of keys or values, and weights."""
    real, rows = np.dtype(real), rows_of(np.dtype(real), width)
    return (rows + LANES) * (width * real.itemsize + 16) + rows * (LANES + 8) * real.itemsize


def source(kernel="attend"):
    return source_of("numbers", "softmax", *["product"] * (kernel == "tile"), kernel)


@functools.cache
def _kernels(cupy, real, stored, width):
    """The first kernel and `merge`."""
    name = {"float32": "float", "float64": "double"}[np.dtype(real).name]
    options = ["-std=c++17", f"-DREAL={name}"]
    if stored != real:
        options.append(f"-DSTORED={np.dtype(stored).name}")
    if width:
        options.append(f"-DWIDTH={width}")
    module = cupy.RawModule(code=source("tile" if width else "attend"), options=tuple(options))
    return module.get_function("tile" if width else "partial"), module.get_function("merge")
