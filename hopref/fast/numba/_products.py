"""Sums of products for the kernels, LANES columns at a time, in blocks of four by four.

LLVM vectorises these loops.  BLAS is not used, so that there is no second thread pool, and the bits
depend on the operands alone.
"""
import numpy as np

from hopref.fast.numba._jit import CONTRACT, REORDER, njit

__all__ = ["LANES", "aligned", "workspace", "multiply_add", "dot"]

LANES = 64      # a constant, so that the compiler can infer that the rows do not overlap


@njit
def aligned(size, like):
    """An uninitialised array that begins on a cache line; unaligned loads cost a third more."""
    raw = np.empty(size + 64 // like.itemsize, like.dtype)
    first = (-raw.ctypes.data % 64) // like.itemsize
    return raw[first:first + size]


@njit
def workspace(rows, columns, like):
    """`aligned`, with rows."""
    return aligned(rows * columns, like).reshape(rows, columns)


@njit(fastmath=CONTRACT)
def multiply_add(C, A, down, along, B):
    """``C[i] += sum_k A[i down + k along] B[k]`` for C and B with rows of LANES."""
    rows, terms = len(C), len(B)
    c, b = C.reshape(-1), B.reshape(-1)
    for i in range(0, rows - rows % 4, 4):
        for k in range(0, terms - terms % 4, 4):
            p = i * down + k * along
            q, r, s = p + down, p + 2 * down, p + 3 * down
            p0, p1, p2, p3 = A[p], A[p + along], A[p + 2 * along], A[p + 3 * along]
            q0, q1, q2, q3 = A[q], A[q + along], A[q + 2 * along], A[q + 3 * along]
            r0, r1, r2, r3 = A[r], A[r + along], A[r + 2 * along], A[r + 3 * along]
            s0, s1, s2, s3 = A[s], A[s + along], A[s + 2 * along], A[s + 3 * along]
            x, y = i * LANES, k * LANES
            for j in range(LANES):
                b0, b1 = b[y + j], b[y + LANES + j]
                b2, b3 = b[y + 2 * LANES + j], b[y + 3 * LANES + j]
                c0, c1 = c[x + j], c[x + LANES + j]
                c2, c3 = c[x + 2 * LANES + j], c[x + 3 * LANES + j]
                c[x + j] = c0 + p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3
                c[x + LANES + j] = c1 + q0 * b0 + q1 * b1 + q2 * b2 + q3 * b3
                c[x + 2 * LANES + j] = c2 + r0 * b0 + r1 * b1 + r2 * b2 + r3 * b3
                c[x + 3 * LANES + j] = c3 + s0 * b0 + s1 * b1 + s2 * b2 + s3 * b3
    for i in range(rows):
        done = terms - terms % 4 if i < rows - rows % 4 else 0
        for k in range(done, terms):
            for j in range(LANES):
                c[i * LANES + j] += A[i * down + k * along] * b[k * LANES + j]


@njit(fastmath=REORDER)
def dot(x, y):
    total = x.dtype.type(0)
    for c in range(x.size):
        total += x[c] * y[c]
    return total
