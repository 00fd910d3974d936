"""`hopref.models.modern` on a CUDA device, without an array of M x N scores.

Fewer than FEW states are processed by the two kernels of ``kernels/retrieve.cu``, which divide the
patterns between blocks, if a state fits in shared memory; more states by tiles of patterns, with
products of matrices and a running maximum.  A sum is taken in an order that depends on the shapes
alone.  The scores must be in the range of the dtype: where one overflows, the new state is NaN.
"""
import functools
import math
from importlib import resources

import numpy as np

__all__ = ["update"]

FEW = 16                            # states for which reading the patterns takes most of the time
BLOCKS = 512                        # of the first kernel, at most, where parts are long enough
THREADS, WARPS, LANES = 128, 4, 32  # as in the source
SHARED_MEMORY = 48 * 1024           # bytes that every device has
SCORES = 24 * 2**20                 # bytes of the scores of a tile, to stay in the cache


def update(xi, X, /, *, beta=1.0):
    import cupy

    if xi.size == 0:
        return cupy.zeros(xi.shape, dtype=xi.dtype)
    real = _format(xi.dtype, beta)
    shape = math.prod(xi.shape[:-1]), xi.shape[-1]
    states = cupy.reshape(cupy.ascontiguousarray(cupy.astype(xi, real, copy=False)), shape)
    X = cupy.ascontiguousarray(cupy.astype(X, real, copy=False))
    few = len(states) < FEW and _shared_bytes(real, shape[1]) <= SHARED_MEMORY
    new = (_by_kernels if few else _by_tiles)(cupy, states, X, float(beta))
    return cupy.astype(cupy.reshape(new, xi.shape), xi.dtype, copy=False)


def _format(dtype, beta):
    """The dtype of the arithmetic: float64 where float32 has no normal number near beta."""
    held = np.finfo(np.float32)
    return dtype if held.tiny <= beta <= held.max else np.dtype(np.float64)


# ---- few states ---------------------------------------------------------------------------------

def _by_kernels(cupy, states, X, beta):
    """The new states from two launches, with d + 2 numbers of scratch for each state and part."""
    (M, d), N, real = states.shape, len(X), states.dtype
    partial, merge = _kernels(cupy, real)
    parts, length = _divided(N, M)
    sums, totals = cupy.empty((M, parts, d), dtype=real), cupy.empty((M, parts), dtype=real)
    tops, new = cupy.empty((M, parts), dtype=real), cupy.empty((M, d), dtype=real)
    size = np.uint64
    partial((parts, M), (THREADS,),
            (states, X, size(N), size(d), size(length), real.type(beta), sums, totals, tops),
            shared_mem=(1 + WARPS) * d * real.itemsize)
    merge((-(-d // THREADS), M), (THREADS,),
          (sums, totals, tops, size(parts), size(d), real.type(beta), new))
    return new


def _divided(N, M):
    """The number of parts of N patterns, and their length, for about BLOCKS blocks."""
    length = max(THREADS, math.ceil(N * M / BLOCKS))
    return math.ceil(N / length), length


def _shared_bytes(real, d):
    """Shared memory of a block: its state, sums of its warps, weights, maxima and totals."""
    return ((1 + WARPS) * d + WARPS * (LANES + 2)) * np.dtype(real).itemsize


@functools.cache
def _kernels(cupy, real):
    source = resources.files("hopref.fast.cupy").joinpath("kernels/retrieve.cu").read_text("utf-8")
    name = {"float32": "float", "float64": "double"}[np.dtype(real).name]
    module = cupy.RawModule(code=source, options=("-std=c++17", f"-DREAL={name}"))
    return module.get_function("partial"), module.get_function("merge")


# ---- many states --------------------------------------------------------------------------------

def _by_tiles(cupy, states, X, beta):
    """The new states from products of matrices with tiles of patterns."""
    (M, d), real = states.shape, states.dtype
    rows = max(LANES, SCORES // (M * real.itemsize))
    top = cupy.full((M, 1), -math.inf, dtype=real)
    total, sums = cupy.zeros((M, 1), dtype=real), cupy.zeros((M, d), dtype=real)
    for start in range(0, len(X), rows):
        top = _add_tile(cupy, states, X[start:start + rows], beta, top, total, sums)
    sums /= total
    return sums


def _add_tile(cupy, states, tile, beta, top, total, sums):
    """Add a tile to the sums of weights and patterns, in place; return the largest scores."""
    weights = cupy.matmul(states, tile.T)
    highest = cupy.maximum(top, cupy.max(weights, axis=1, keepdims=True))
    weights -= highest
    weights *= beta
    cupy.exp(weights, out=weights)
    scale = cupy.exp(beta * (top - highest))
    total *= scale
    total += cupy.sum(weights, axis=1, keepdims=True)
    sums *= scale
    sums += cupy.matmul(weights, tile)
    return highest
