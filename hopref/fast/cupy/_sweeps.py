"""Sweeps over the sites of binary states by the kernel of ``kernels/sweep.cu``, in one launch."""
import functools
import math

import numpy as np

from hopref import maps
from hopref.fast.cupy._sources import source_of

__all__ = ["possible", "swept"]

THREADS, WARPS, LANES = 128, 4, 32  # as in the source
SHARED_MEMORY = 48 * 1024           # bytes that every device has


def possible(xi):
    """Whether a state fits in shared memory."""
    return shared_bytes(xi.dtype, xi.shape[-1]) <= SHARED_MEMORY


def swept(xi, W, b, order, *, ties=maps.keep, states=-1.0, uniforms=None, steepness=0.0):
    """The states after an update of the sites in this order, with random values if there are
    ``uniforms``."""
    import cupy

    real, d, size = xi.dtype, xi.shape[-1], np.uint64
    new, rows = cupy.ascontiguousarray(cupy.astype(xi, real, copy=True)), math.prod(xi.shape[:-1])
    W, order = cupy.ascontiguousarray(W), cupy.ascontiguousarray(order)
    b = cupy.ascontiguousarray(b + cupy.zeros((d,), dtype=real))
    drawn = uniforms is not None
    draws = cupy.ascontiguousarray(uniforms) if drawn else b
    if rows and d and len(order):
        _kernel(cupy, real)((rows,), (THREADS,), (
            W, b, order, draws, size(drawn), size(len(order)), size(d), size(ties is maps.plus),
            real.type(states), np.float64(steepness), new), shared_mem=d * real.itemsize)
    return new


def shared_bytes(real, d):
    """Shared memory of a block: its state, and the sums of its warps."""
    return d * np.dtype(real).itemsize + WARPS * 8


def source():
    return source_of("sweep")


@functools.cache
def _kernel(cupy, real):
    name = {"float32": "float", "float64": "double"}[np.dtype(real).name]
    return cupy.RawModule(code=source(), options=("-std=c++17", f"-DREAL={name}")).get_function(
        "sweep")
