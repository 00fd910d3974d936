"""Polar patterns and states as bits, and the number of bits in which two differ."""
import numpy as np
from llvmlite import ir
from numba import types

from hopref.fast.numba._vectors import I64, loop, vector_code

__all__ = ["packed", "differing"]

WIDTH = 8       # words in a vector


def packed(x):
    """The signs of the rows of x as bits, in words of 64; further bits are 0."""
    some = np.packbits(x > 0, axis=1, bitorder="little")
    rows = np.zeros((len(x), -(-x.shape[1] // 64) * 8), np.uint8)
    rows[:, :some.shape[1]] = some
    return rows.view(np.uint64)


def differing(A, a, B, b, words):
    """The number of bits in which ``words`` words of A, from a on, and of B, from b on, differ."""
    return int(np.bitwise_count(A[a:a + words] ^ B[b:b + words]).sum())


@vector_code(differing, types.int64)
def _differing(v, b, A, a, B, at, words):
    A, B, total, first = b.gep(A, [a]), b.gep(B, [at]), I64(0), I64(0)
    for width in (WIDTH, 1):
        kind = ir.VectorType(I64, width) if width > 1 else I64
        count = b.sdiv(b.sub(words, first), I64(width))

        def add(k, sums, kind=kind, width=width, first=first):
            place = b.add(first, b.mul(k, I64(width)))
            x, y = (b.load(b.bitcast(b.gep(P, [place]), kind.as_pointer()), align=8)
                    for P in (A, B))
            return [b.add(sums[0], b.call(_population(b.module, kind), [b.xor(x, y)]))]
        zero = ir.Constant(kind, [0] * width) if width > 1 else I64(0)
        sums, = loop(b, count, [zero], add)
        lanes = [b.extract_element(sums, ir.IntType(32)(j)) for j in range(width)] \
            if width > 1 else [sums]
        for lane in lanes:
            total = b.add(total, lane)
        first = b.add(first, b.mul(count, I64(width)))
    return total


def _population(module, kind):
    """LLVM's function of the number of bits in each integer of a vector."""
    name = "llvm.ctpop.i64" if kind is I64 else f"llvm.ctpop.v{kind.count}i64"
    return module.globals.get(name) or ir.Function(module, ir.FunctionType(kind, [kind]), name)
