"""Arrays of two values as bits: packing, differences of rows, and sums over the bits that are 1."""
import numpy as np
from llvmlite import ir
from numba import types

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import copy
from hopref.fast.numba._tiles import in_blocks
from hopref.fast.numba._vectors import I64, loop, moved, registers, vector_code

__all__ = ["WORD", "packed", "differing", "pack", "sum_of_ones"]

WORD = 64       # bits in a word
WIDTH = 8       # words in a vector


def packed(x, low=-1.0):
    """Which entries of the rows of x are > 0, as bits, in words; further bits are 0.

    Returns the words of each row, and whether all entries are 1 or ``low``.
    """
    bits = np.empty((len(x), -(-x.shape[1] // WORD)), np.uint64)
    return bits, _pack_rows(np.ascontiguousarray(x), x.dtype.type(low), bits)


@njit
def _pack_rows(x, low, bits):
    (M, d), words, valid = x.shape, x.shape[1] // WORD, True
    rest, entries, flat = np.empty(WORD, x.dtype), x.reshape(-1), bits.reshape(-1)
    for m in range(M):
        valid &= pack(words, entries, m * d, low, flat, m * bits.shape[1])
        if words * WORD < d:
            rest[:] = low
            copy(rest, 0, entries, m * d + words * WORD, d - words * WORD)
            valid &= pack(1, rest, 0, low, flat, m * bits.shape[1] + words)
    return valid


def pack(words, A, a, low, B, b):
    """Fill words of B, from b on, with the bits A[a + i] > 0; whether all are 1 or ``low``."""
    x = A[a:a + WORD * words]
    B[b:b + words] = np.packbits(x > 0, bitorder="little").view(np.uint64)
    return bool(np.all((x == 1) | (x == low)))


def differing(A, a, B, b, words):
    """The number of bits in which ``words`` words of A, from a on, and of B, from b on, differ."""
    return int(np.bitwise_count(A[a:a + words] ^ B[b:b + words]).sum())


def sum_of_ones(states, S, s, size, B, b, words, rows, O, o):
    """``O[o + m WORD words + c] = sum_i S[s + m size + i]`` over the rows i of B with bit c = 1."""
    bits = np.unpackbits(B[b:b + rows * words].view(np.uint8), bitorder="little")
    sums = np.zeros((states, WORD * words), S.dtype)
    for i, row in enumerate(bits.reshape(rows, WORD * words)):
        sums += S[s + i + size * np.arange(states)][:, None] * row
    O[o:o + sums.size] = sums.reshape(-1)


# -- vectors --------------------------------------------------------------------------------------

@vector_code(pack, types.boolean)
def _pack(v, b, words, A, a, low, B, at):
    A, B, one, low = moved(b, A, a), moved(b, B, at), v.constant(1), v.repeated(b, low)
    mask = ir.IntType(v.width)

    def word(k, valid):
        bits, first, every = I64(0), b.mul(k, I64(WORD)), None
        for j in range(0, WORD, v.width):
            x = v.load(b, A, b.add(first, I64(j)))
            ones = b.bitcast(b.fcmp_ordered(">", x, v.constant(0)), mask)
            bits = b.or_(bits, b.shl(b.zext(ones, I64), I64(j)))
            known = b.or_(b.fcmp_ordered("==", x, one), b.fcmp_ordered("==", x, low))
            every = b.and_(every, known) if every else known
        b.store(bits, b.gep(B, [k]))
        return [b.and_(valid[0], b.bitcast(every, mask))]
    valid, = loop(b, words, [mask(-1)], word)
    return b.icmp_signed("==", valid, mask(-1))


@vector_code(sum_of_ones)
def _sum_of_ones(v, b, states, S, s, size, B, at, words, rows, O, o):
    S, B, O = moved(b, S, s), moved(b, B, at), moved(b, O, o)
    span = 8 * v.bytes                  # as many bits of a word are repeated in all lanes
    columns = min(WORD, registers()[1] // 4 * v.width)      # their sums fill half of the registers
    places = [ir.Constant(v.bits, [1 << (j + k) for k in range(v.width)])
              for j in range(0, span, v.width)]

    def of_states(first, several):
        sources = [moved(b, S, b.mul(b.add(first, I64(m)), size)) for m in range(several)]
        targets = [moved(b, O, b.mul(b.add(first, I64(m)), b.mul(words, I64(WORD))))
                   for m in range(several)]

        def of_columns(w, begin):
            def add(i, sums):
                word = b.load(b.gep(B, [b.add(b.mul(i, words), w)]))
                parts = [v.repeated_bits(b, b.trunc(b.lshr(word, I64(first)), ir.IntType(span)))
                         for first in range(begin // span * span, begin + columns, span)]
                terms = [v.repeated(b, b.load(b.gep(source, [i]))) for source in sources]
                added = []
                for j in range(begin, begin + columns, v.width):
                    bits = b.and_(parts[j // span - begin // span], places[j % span // v.width])
                    mask = b.icmp_signed("!=", bits, v.integers(0))
                    for term in terms:
                        total = sums[len(added)]
                        added.append(b.select(mask, b.fadd(total, term), total))
                return added
            sums = loop(b, rows, [v.constant(0)] * (several * columns // v.width), add)
            for k, total in enumerate(sums):
                j, m = divmod(k, several)
                place = b.add(b.mul(w, I64(WORD)), I64(begin + j * v.width))
                v.store(b, total, targets[m], place)

        def of_word(w, carried):
            for begin in range(0, WORD, columns):
                of_columns(w, begin)
            return carried
        loop(b, words, [], of_word)
    in_blocks(b, states, (2, 1), of_states)


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
