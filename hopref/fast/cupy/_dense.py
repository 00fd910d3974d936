"""Sweeps over the sites of dense memories by the kernel of ``kernels/dense.cu``, in one launch."""
import functools
import math

import numpy as np

from hopref.fast.cupy._sources import source_of
from hopref.models import dense

__all__ = ["KINDS", "swept"]

BLOCKS = 512                        # of which each has the numbers of all patterns
THREADS, WARPS = 128, 4             # as in the source
SQUARE = 2                          # the power that decides as the quadratic interaction
KINDS = {dense.INTERACTIONS[name]: (kind, rows) for name, kind, rows in (
    ("quadratic", 0, 3), ("polynomial", 0, 3), ("rectified", 1, 3), ("exponential", 2, 5))}


def swept(xi, X, order, interaction, n):
    """The states after an update of the sites in this order, in double precision."""
    import cupy

    (count, d), many = X.shape, math.prod(xi.shape[:-1])
    kind, rows = KINDS[interaction]
    degree = SQUARE if interaction is dense.INTERACTIONS["quadratic"] else n
    new = cupy.ascontiguousarray(cupy.astype(xi, np.float64, copy=True))
    if many and d and count and len(order):
        blocks = min(many, BLOCKS)
        numbers, patterns = cupy.empty((blocks, rows, count)), cupy.empty((d, count))
        patterns[...] = X.T
        _kernel(cupy)((blocks,), (THREADS,), (
            patterns, cupy.ascontiguousarray(order),
            *map(np.uint64, (len(order), many, count, d, kind, degree)), numbers, new))
    return cupy.astype(new, xi.dtype, copy=False)


def shared_bytes():
    """Shared memory of a block: a maximum and three sums of each warp."""
    return (1 + 3) * WARPS * 8


def source():
    return source_of("dense")


@functools.cache
def _kernel(cupy):
    return cupy.RawModule(code=source(), options=("-std=c++17",)).get_function("dense")
