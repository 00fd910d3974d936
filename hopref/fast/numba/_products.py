"""Aligned arrays, copies, and sums of products, in loops that LLVM vectorises.

BLAS is not used, so that there is no second thread pool, and the bits depend on the operands alone.
"""
import numpy as np

from hopref.fast.numba._jit import REORDER, njit

__all__ = ["LANES", "aligned", "copy", "dot", "squared_length"]

LANES = 64      # a constant, so that the compiler can infer that the rows do not overlap


@njit
def aligned(size, like):
    """An uninitialised array that begins on a cache line; unaligned loads cost a third more."""
    raw = np.empty(size + 64 // like.itemsize, like.dtype)
    first = (-raw.ctypes.data % 64) // like.itemsize
    return raw[first:first + size]


@njit
def copy(A, a, B, b, count):
    """``A[a + j] = B[b + j]`` for ``count`` entries.

    An assignment between slices takes two seconds longer to compile, for a message about shapes.
    """
    for j in range(count):
        A[a + j] = B[b + j]


@njit(fastmath=REORDER)
def dot(x, y):
    total = x.dtype.type(0)
    for c in range(x.size):
        total += x[c] * y[c]
    return total


@njit(fastmath=REORDER)
def squared_length(x):
    """|x|^2 in double precision."""
    square = 0.0
    for c in range(x.size):
        square += np.float64(x[c]) * x[c]
    return square
