"""Building blocks of the kernels: products of tiles, and transposes.

Arrays are flat, and an argument after an array is the position at which to begin.  A *panel* is a
sequence of rows of `lanes` numbers, one for each of as many queries.  The functions state what they
compute in NumPy; `vector_code` compiles them as blocks of sums in registers.  The bits of a sum do
not depend on the block in which it is computed.
"""
from functools import partial

import numpy as np
from numba import types

from hopref.fast.numba._vectors import I64, loop, moved, registers, vector_code

__all__ = ["lanes", "rows_of", "in_blocks", "multiply", "accumulate", "gather", "score", "draw",
           "transpose"]

TOGETHER = 4                # states that share the loads of a tile
ONE = I64(1)


def lanes(x):
    """The length of the rows of a panel with the precision of ``x``."""
    return 64 // x.itemsize


def multiply(rows, A, a, down, along, B, b, C, c, terms):
    """``C[i] = sum_k A[a + i down + k along] B[k]`` for rows C[i] and B[k] of panels."""
    rows_of(C, c, rows)[:] = _product(_matrix(A, a, rows, down, terms, along), rows_of(B, b, terms))


def accumulate(rows, A, a, down, along, B, b, below, C, c, apart, terms):
    """``C[c + i apart + j] += sum_k A[a + i down + k along] B[b + k below + j]`` for j < lanes."""
    n = lanes(C)
    left, right = _matrix(A, a, rows, down, terms, along), _matrix(B, b, terms, below, n, 1)
    for i, line in enumerate(_product(left, right)):
        C[c + i * apart:c + i * apart + n] += line


def gather(rows, A, a, size, panels, B, b, C, c, apart):
    """``C[c + i apart + j] += sum_pk A[a + p size + i n + k] B[b + (p n + k) n + j]`` for n lanes
    j, sums over the lanes k of panels p."""
    n = lanes(C)
    for p in range(panels):
        accumulate(rows, A, a + p * size, n, 1, B, b + p * n * n, n, C, c, apart, n)


def score(states, Q, q, X, x, d, rows, S, s, size):
    """``S[s + m size + i] = sum_c X[x + i d + c] Q[q + m d + c]``."""
    scores = _product(_matrix(Q, q, states, d, d, 1), X[x:x + rows * d].reshape(rows, d).T)
    for m in range(states):
        S[s + m * size:s + m * size + rows] = scores[m]


def draw(states, S, s, size, X, x, d, rows, O, o):
    """``O[o + m d + c] = sum_i S[s + m size + i] X[x + i d + c]``."""
    weights, patterns = _matrix(S, s, states, size, rows, 1), X[x:x + rows * d].reshape(rows, d)
    O[o:o + states * d].reshape(states, d)[:] = _product(weights, patterns)


def transpose(X, x, rows, along, P, p, columns, down):
    """``P[p + j down + i] = X[x + i along + j]`` for i < rows and j < columns."""
    for j in range(columns):
        P[p + j * down:p + j * down + rows] = X[x + j + along * np.arange(rows)]


def _product(A, B):
    """A B, term by term, so that the bits of a row do not depend on the others."""
    total = np.zeros((A.shape[0], B.shape[1]), B.dtype)
    for k in range(len(B)):
        total += A[:, k:k + 1] * B[k]
    return total


def rows_of(P, p, rows):
    """The rows of a panel, as a view."""
    n = lanes(P)
    return P[p:p + rows * n].reshape(rows, n)


def _matrix(A, a, rows, down, columns, along):
    return A[a + down * np.arange(rows)[:, None] + along * np.arange(columns)]


# -- vectors --------------------------------------------------------------------------------------

def _block_rows():
    """Rows of two vectors each, whose sums fill the registers beside those of the operands."""
    return 12 if registers()[1] == 32 else 6


def in_blocks(b, count, sizes, body):
    """``body(first, size)`` for blocks of these sizes, of which the last is 1, that cover count."""
    first = I64(0)
    for size in sizes:
        blocks = b.sdiv(b.sub(count, first), I64(size))

        def each(k, carried, size=size, first=first):
            body(b.add(first, b.mul(k, I64(size))), size)
            return carried
        loop(b, blocks, [], each)
        first = b.add(first, b.mul(blocks, I64(size)))


def _sums(v, b, rows, vectors, A, down, along, B, below, C, apart, terms, onto=False, panels=ONE,
          size=ONE):
    """Sums over k of A[i down + k along] B[k below + j], for a block of rows and vectors j.

    They replace those in C, or are added to them.  Of several panels in A, each begins ``size``
    after the last, and its terms follow those of the last in B.
    """
    places = [b.mul(down, I64(i)) for i in range(rows)]
    targets = [b.add(b.mul(apart, I64(i)), I64(j * v.width))
               for i in range(rows) for j in range(vectors)]

    def add(A, B, k, sums):
        left, right = moved(b, A, b.mul(k, along)), moved(b, B, b.mul(k, below))
        xs = [v.load(b, right, I64(j * v.width)) for j in range(vectors)]
        factors = [v.repeated(b, b.load(b.gep(left, [place]))) for place in places]
        return [v.multiply_add(b, factors[i], xs[j], sums[i * vectors + j])
                for i in range(rows) for j in range(vectors)]
    start = [v.load(b, C, place) if onto else v.constant(0) for place in targets]
    sums = loop(b, panels, start, lambda p, sums: loop(b, terms, sums, partial(
        add, moved(b, A, b.mul(p, size)), moved(b, B, b.mul(b.mul(p, terms), below)))))
    for total, place in zip(sums, targets):
        v.store(b, total, C, place)


@vector_code(lanes, types.int64)
def _lanes(v, b, x):
    return I64(2 * v.width)


@vector_code(multiply)
def _multiply(v, b, rows, A, a, down, along, B, at, C, c, terms):
    A, B, C, lanes = moved(b, A, a), moved(b, B, at), moved(b, C, c), I64(2 * v.width)

    def block(first, size):
        _sums(v, b, size, 2, moved(b, A, b.mul(first, down)), down, along, B, lanes,
              moved(b, C, b.mul(first, lanes)), lanes, terms)
    in_blocks(b, rows, (_block_rows(), 4, 2, 1), block)


@vector_code(accumulate)
def _accumulate(v, b, rows, A, a, down, along, B, at, below, C, c, apart, terms):
    A, B, C = moved(b, A, a), moved(b, B, at), moved(b, C, c)

    def block(first, size):
        _sums(v, b, size, 2, moved(b, A, b.mul(first, down)), down, along, B, below,
              moved(b, C, b.mul(first, apart)), apart, terms, onto=True)
    in_blocks(b, rows, (_block_rows(), 4, 2, 1), block)


@vector_code(gather)
def _gather(v, b, rows, A, a, size, panels, B, at, C, c, apart):
    A, B, C, n = moved(b, A, a), moved(b, B, at), moved(b, C, c), I64(2 * v.width)

    def block(first, count):
        _sums(v, b, count, 2, moved(b, A, b.mul(first, n)), n, I64(1), B, n,
              moved(b, C, b.mul(first, apart)), apart, n, True, panels, size)
    in_blocks(b, rows, (_block_rows(), 4, 2, 1), block)


@vector_code(draw)
def _draw(v, b, states, S, s, size, X, x, d, rows, O, o):
    S, X, O = moved(b, S, s), moved(b, X, x), moved(b, O, o)
    most = registers()[1] // 2

    def block(first, count):
        weights, out = moved(b, S, b.mul(first, size)), moved(b, O, b.mul(first, d))
        column = I64(0)
        halves = [most // count >> k for k in range((most // count).bit_length())]
        for vectors, w in [*((vectors, v) for vectors in halves), *((1, w) for w in v.narrower())]:
            wide = vectors * w.width
            blocks = b.sdiv(b.sub(d, column), I64(wide))

            def each(k, carried, vectors=vectors, w=w, wide=wide, column=column):
                place = b.add(column, b.mul(k, I64(wide)))
                _sums(w, b, count, vectors, weights, size, I64(1), moved(b, X, place), d,
                      moved(b, out, place), d, rows)
                return carried
            loop(b, blocks, [], each)
            column = b.add(column, b.mul(blocks, I64(wide)))
    in_blocks(b, states, (TOGETHER, 1), block)


@vector_code(score)
def _score(v, b, states, Q, q, X, x, d, rows, S, s, size):
    Q, X, S = moved(b, Q, q), moved(b, X, x), moved(b, S, s)
    most = registers()[1] // 2

    def of_states(first, count):
        query, scores = moved(b, Q, b.mul(first, d)), moved(b, S, b.mul(first, size))

        def of_rows(row, together):
            _dots(v, b, count, together, query, moved(b, X, b.mul(row, d)), d,
                  moved(b, scores, row), size)
        in_blocks(b, rows, (min(4, most // count), 1), of_rows)
    in_blocks(b, states, (TOGETHER, 1), of_states)


def _dots(v, b, states, rows, Q, X, d, S, size):
    """Scores of some states and rows; their sums are in vectors along d.

    One row is read after the other, because the processor fetches what follows in memory.
    """
    down = [b.mul(d, I64(i)) for i in range(max(rows, states))]
    full = b.sdiv(d, I64(v.width))

    def add(w, place, i, sums):
        pattern = _load(v, w, b, X, b.add(down[i], place))
        return [v.multiply_add(b, pattern, _load(v, w, b, Q, b.add(down[m], place)), total)
                for m, total in enumerate(sums)]
    lines = [loop(b, full, [v.constant(0)] * states,
                  lambda k, sums, i=i: add(v, b.mul(k, I64(v.width)), i, sums))
             for i in range(rows)]
    place = b.mul(full, I64(v.width))
    for w in v.narrower():
        one = b.and_(b.sdiv(d, I64(w.width)), I64(1))
        lines = _split(loop(b, one, sum(lines, []), lambda k, sums, w=w, place=place: [
            total for i, line in enumerate(_split(sums, states))
            for total in add(w, place, i, line)]), states)
        place = b.add(place, b.mul(one, I64(w.width)))
    totals = v.totals(b, [line[m] for m in range(states) for line in lines])
    quad = totals[0].type.count
    for k in range(0, states * rows, quad if rows >= quad else 1):
        m, i = divmod(k, rows)
        place, total = b.add(b.mul(size, I64(m)), I64(i)), totals[k // quad]
        v.store(b, total if rows >= quad else b.extract_element(total, I64(k % quad)), S, place)


def _split(values, size):
    return [values[i:i + size] for i in range(0, len(values), size)]


def _load(v, w, b, address, i):
    """A vector of the entries at i, as many as ``w`` is wide, and zeros."""
    x = w.load(b, address, i)
    return x if w is v else v.padded(b, x)


@vector_code(transpose)
def _transpose(v, b, X, x, rows, along, P, p, columns, down):
    X, P, n = moved(b, X, x), moved(b, P, p), v.width

    def places(i, j):
        return moved(b, X, b.mul(i, along), j), moved(b, P, b.mul(j, down), i)

    def block(i, j):
        source, target = places(i, j)
        lines = [v.load(b, source, b.mul(along, I64(k))) for k in range(n)]
        for k, line in enumerate(v.interleaved(b, lines)):
            v.store(b, line, target, b.mul(down, I64(k)))

    def entry(i, j):
        source, target = places(i, j)
        b.store(b.load(source), target)
    wide, tall = (b.mul(b.sdiv(count, I64(n)), I64(n)) for count in (columns, rows))
    _for_each(b, I64(0), tall, n, I64(0), wide, n, block)
    _for_each(b, I64(0), tall, 1, wide, columns, 1, entry)
    _for_each(b, tall, rows, 1, I64(0), columns, 1, entry)


def _for_each(b, low, high, step, left, right, stride, body):
    """``body(i, j)`` for i in range(low, high, step) and j in range(left, right, stride)."""
    def row(k, _):
        i = b.add(low, b.mul(k, I64(step)))

        def column(m, _):
            body(i, b.add(left, b.mul(m, I64(stride))))
            return []
        loop(b, b.sdiv(b.sub(right, left), I64(stride)), [], column)
        return []
    loop(b, b.sdiv(b.sub(high, low), I64(step)), [], row)
