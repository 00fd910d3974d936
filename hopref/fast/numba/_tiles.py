"""Building blocks of the kernels: products, maxima, weights and masks of tiles.

Arrays are flat, and an argument after an array is the position at which to begin.  A *panel* is a
sequence of rows of `lanes` numbers, one for each of as many queries.  The functions state what they
compute in NumPy; `vector_code` compiles them as blocks of sums in registers.  The bits of a sum do
not depend on the block in which it is computed.
"""
import numpy as np
from numba import types

from hopref.fast.numba._vectors import I64, Vectors, loop, registers, vector_code

__all__ = ["lanes", "multiply", "accumulate", "score", "draw", "raise_tops", "weigh",
           "weigh_less_one", "combine", "shift", "hide", "some_and_all", "transpose"]

TOGETHER = 4                # states that share the loads of a tile


def lanes(x):
    """The length of the rows of a panel with the precision of ``x``."""
    return 64 // x.itemsize


def multiply(rows, A, a, down, along, B, b, C, c, terms):
    """``C[i] = sum_k A[a + i down + k along] B[k]`` for rows C[i] and B[k] of panels."""
    _panel(C, c, rows)[:] = _product(_matrix(A, a, rows, down, terms, along), _panel(B, b, terms))


def accumulate(rows, A, a, down, along, B, b, below, C, c, apart, terms):
    """``C[c + i apart + j] += sum_k A[a + i down + k along] B[b + k below + j]`` for j < lanes."""
    n = lanes(C)
    left, right = _matrix(A, a, rows, down, terms, along), _matrix(B, b, terms, below, n, 1)
    for i, line in enumerate(_product(left, right)):
        C[c + i * apart:c + i * apart + n] += line


def score(states, Q, q, X, x, d, rows, S, s, size):
    """``S[s + m size + i] = sum_c X[x + i d + c] Q[q + m d + c]``."""
    scores = _product(_matrix(Q, q, states, d, d, 1), X[x:x + rows * d].reshape(rows, d).T)
    for m in range(states):
        S[s + m * size:s + m * size + rows] = scores[m]


def draw(states, S, s, size, X, x, d, rows, O, o):
    """``O[o + m d + c] = sum_i S[s + m size + i] X[x + i d + c]``."""
    weights, patterns = _matrix(S, s, states, size, rows, 1), X[x:x + rows * d].reshape(rows, d)
    O[o:o + states * d].reshape(states, d)[:] = _product(weights, patterns)


def raise_tops(T, t, Z, z, rows):
    """``T[j] = max(T[j], max_i Z[i, j])``, which ignores NaN; whether a top has been raised."""
    tops = _panel(T, t, 1)
    new = np.fmax(tops, np.fmax.reduce(_panel(Z, z, rows), axis=0, initial=-np.inf))
    raised = bool(np.any(new > tops))
    tops[:] = new
    return raised


def weigh(Z, z, rows, beta, T, t, L, l):
    """``Z[i, j] = e^(beta (Z[i, j] - T[j]))``, each added to ``L[j]``; NaN is propagated."""
    panel = _panel(Z, z, rows)
    panel[:] = np.exp(np.float64(beta * (panel - _panel(T, t, 1))))
    _panel(L, l, 1)[:] += panel.sum(axis=0)


def weigh_less_one(Z, z, rows, beta, T, t, L, l):
    """`weigh`, and each weight less 1 is added to the row of L that follows."""
    exponents = np.float64(beta * (_panel(Z, z, rows) - _panel(T, t, 1)))
    _panel(L, l, 2)[1] += np.expm1(exponents).astype(L.dtype).sum(axis=0)
    weigh(Z, z, rows, beta, T, t, L, l)


def combine(S, a, b, rows, F):
    """``S[a + i, j] = F[0, j] S[a + i, j] + F[1, j] S[b + i, j]`` for rows of a panel."""
    own, other = _panel(F, 0, 2)
    _panel(S, a, rows)[:] = own * _panel(S, a, rows) + other * _panel(S, b, rows)


def shift(Z, z, rows, beta, B, b):
    """``Z[i, j] = beta Z[i, j] + B[i, j]``."""
    _panel(Z, z, rows)[:] = beta * _panel(Z, z, rows) + _panel(B, b, rows)


def hide(Z, z, rows, M, m):
    """``Z[i, j] = -inf`` where the byte ``M[i, j]`` is 0."""
    n = lanes(Z)
    _panel(Z, z, rows)[M[m:m + rows * n].reshape(rows, n) == 0] = -np.inf


def some_and_all(M, m, rows, along, columns, S, some, every):
    """``S[some + j]`` and ``S[every + j]``: whether some, or all, of M[m + i along + j] are 1."""
    flags = M[m + along * np.arange(rows)[:, None] + np.arange(columns)]
    S[some:some + columns] = flags.max(axis=0, initial=0)
    S[every:every + columns] = flags.min(axis=0, initial=1)


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


def _panel(P, p, rows):
    """The rows of a panel, as a view."""
    n = lanes(P)
    return P[p:p + rows * n].reshape(rows, n)


def _matrix(A, a, rows, down, columns, along):
    return A[a + down * np.arange(rows)[:, None] + along * np.arange(columns)]


# -- vectors --------------------------------------------------------------------------------------

def _block_rows():
    """Rows of two vectors each, whose sums fill the registers beside those of the operands."""
    return 12 if registers()[1] == 32 else 6


def _moved(b, address, *places):
    """An address moved by the sum of places."""
    for place in places:
        address = b.gep(address, [place])
    return address


def _in_blocks(b, count, sizes, body):
    """``body(first, size)`` for blocks of these sizes, of which the last is 1, that cover count."""
    first = I64(0)
    for size in sizes:
        blocks = b.sdiv(b.sub(count, first), I64(size))

        def each(k, carried, size=size, first=first):
            body(b.add(first, b.mul(k, I64(size))), size)
            return carried
        loop(b, blocks, [], each)
        first = b.add(first, b.mul(blocks, I64(size)))


def _sums(v, b, rows, vectors, A, down, along, B, below, C, apart, terms, onto=False):
    """Sums over k of A[i down + k along] B[k below + j], for a block of rows and vectors j.

    They replace those in C, or are added to them.
    """
    places = [b.mul(down, I64(i)) for i in range(rows)]
    targets = [b.add(b.mul(apart, I64(i)), I64(j * v.width))
               for i in range(rows) for j in range(vectors)]

    def add(k, sums):
        left, right = _moved(b, A, b.mul(k, along)), _moved(b, B, b.mul(k, below))
        xs = [v.load(b, right, I64(j * v.width)) for j in range(vectors)]
        factors = [v.repeated(b, b.load(b.gep(left, [place]))) for place in places]
        return [v.multiply_add(b, factors[i], xs[j], sums[i * vectors + j])
                for i in range(rows) for j in range(vectors)]
    start = [v.load(b, C, place) if onto else v.constant(0) for place in targets]
    for total, place in zip(loop(b, terms, start, add), targets):
        v.store(b, total, C, place)


@vector_code(lanes, types.int64)
def _lanes(v, b, x):
    return I64(2 * v.width)


@vector_code(multiply)
def _multiply(v, b, rows, A, a, down, along, B, at, C, c, terms):
    A, B, C, lanes = _moved(b, A, a), _moved(b, B, at), _moved(b, C, c), I64(2 * v.width)

    def block(first, size):
        _sums(v, b, size, 2, _moved(b, A, b.mul(first, down)), down, along, B, lanes,
              _moved(b, C, b.mul(first, lanes)), lanes, terms)
    _in_blocks(b, rows, (_block_rows(), 4, 2, 1), block)


@vector_code(accumulate)
def _accumulate(v, b, rows, A, a, down, along, B, at, below, C, c, apart, terms):
    A, B, C = _moved(b, A, a), _moved(b, B, at), _moved(b, C, c)

    def block(first, size):
        _sums(v, b, size, 2, _moved(b, A, b.mul(first, down)), down, along, B, below,
              _moved(b, C, b.mul(first, apart)), apart, terms, onto=True)
    _in_blocks(b, rows, (_block_rows(), 4, 2, 1), block)


@vector_code(draw)
def _draw(v, b, states, S, s, size, X, x, d, rows, O, o):
    S, X, O = _moved(b, S, s), _moved(b, X, x), _moved(b, O, o)
    most = registers()[1] // 2

    def block(first, count):
        weights, out = _moved(b, S, b.mul(first, size)), _moved(b, O, b.mul(first, d))
        column = I64(0)
        halves = [most // count >> k for k in range((most // count).bit_length())]
        for vectors, w in [*((vectors, v) for vectors in halves), *((1, w) for w in v.narrower())]:
            wide = vectors * w.width
            blocks = b.sdiv(b.sub(d, column), I64(wide))

            def each(k, carried, vectors=vectors, w=w, wide=wide, column=column):
                place = b.add(column, b.mul(k, I64(wide)))
                _sums(w, b, count, vectors, weights, size, I64(1), _moved(b, X, place), d,
                      _moved(b, out, place), d, rows)
                return carried
            loop(b, blocks, [], each)
            column = b.add(column, b.mul(blocks, I64(wide)))
    _in_blocks(b, states, (TOGETHER, 1), block)


@vector_code(score)
def _score(v, b, states, Q, q, X, x, d, rows, S, s, size):
    Q, X, S = _moved(b, Q, q), _moved(b, X, x), _moved(b, S, s)
    most = registers()[1] // 2

    def of_states(first, count):
        query, scores = _moved(b, Q, b.mul(first, d)), _moved(b, S, b.mul(first, size))

        def of_rows(row, together):
            _dots(v, b, count, together, query, _moved(b, X, b.mul(row, d)), d,
                  _moved(b, scores, row), size)
        _in_blocks(b, rows, (min(4, most // count), 1), of_rows)
    _in_blocks(b, states, (TOGETHER, 1), of_states)


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


def _rows(v, b, count, carried, body):
    """``body`` for each vector of each row of a panel; it returns what is carried for its column.
    """
    def row(k, values):
        first = b.mul(k, I64(2 * v.width))
        return [new for j in (0, 1)
                for new in body(b.add(first, I64(j * v.width)), j, values[j::2])]
    return loop(b, count, carried, row)


@vector_code(raise_tops, types.boolean)
def _raise_tops(v, b, T, t, Z, z, rows):
    T, Z = _moved(b, T, t), _moved(b, Z, z)
    halves = [I64(0), I64(v.width)]
    old = [v.load(b, T, i) for i in halves]
    tops = _rows(v, b, rows, old,
                 lambda place, j, top: [v.larger(b, v.load(b, Z, place), top[0])])
    for top, i in zip(tops, halves):
        v.store(b, top, T, i)
    return b.or_(*(v.any_above(b, new, top) for new, top in zip(tops, old)))


def _weighing(v, b, less_one, Z, z, rows, beta, T, t, L, l):
    T, Z, L = _moved(b, T, t), _moved(b, Z, z), _moved(b, L, l)
    count = 4 if less_one else 2
    beta, tops = v.repeated(b, beta), [v.load(b, T, I64(j * v.width)) for j in (0, 1)]

    def row(k, sums):
        sums = list(sums)
        for j in (0, 1):
            place = b.add(b.mul(k, I64(2 * v.width)), I64(j * v.width))
            gap = b.fsub(v.load(b, Z, place), tops[j])
            power, reduced = v.powers(b, b.fmul(beta, gap))
            v.store(b, power, Z, place)
            sums[j] = b.fadd(sums[j], power)
            if less_one:
                sums[2 + j] = b.fadd(sums[2 + j], reduced)
        return sums
    sums = loop(b, rows, [v.load(b, L, I64(j * v.width)) for j in range(count)], row)
    for j, total in enumerate(sums):
        v.store(b, total, L, I64(j * v.width))


@vector_code(weigh)
def _weigh(v, b, *args):
    _weighing(v, b, False, *args)


@vector_code(weigh_less_one)
def _weigh_less_one(v, b, *args):
    _weighing(v, b, True, *args)


@vector_code(combine)
def _combine(v, b, S, first, second, rows, F):
    S, other = _moved(b, S, first), _moved(b, S, second)
    factors = [v.load(b, F, I64(j * v.width)) for j in range(4)]

    def one(place, j, carried):
        scaled = b.fmul(factors[2 + j], v.load(b, other, place))
        v.store(b, v.multiply_add(b, factors[j], v.load(b, S, place), scaled), S, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(shift)
def _shift(v, b, Z, z, rows, beta, B, at):
    Z, B, beta = _moved(b, Z, z), _moved(b, B, at), v.repeated(b, beta)

    def one(place, j, carried):
        v.store(b, v.multiply_add(b, beta, v.load(b, Z, place), v.load(b, B, place)), Z, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(hide)
def _hide(v, b, Z, z, rows, M, m):
    Z, M = _moved(b, Z, z), _moved(b, M, m)
    flags, hidden = Vectors(types.uint8, v.width), v.constant(float("-inf"))

    def one(place, j, carried):
        seen = b.icmp_unsigned("!=", flags.load(b, M, place), flags.constant(0))
        v.store(b, b.select(seen, v.load(b, Z, place), hidden), Z, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(some_and_all)
def _some_and_all(v, b, M, m, rows, along, columns, S, some, every):
    M, some, every, column = _moved(b, M, m), _moved(b, S, some), _moved(b, S, every), I64(0)
    for w in [v, *v.narrower()]:
        blocks = b.sdiv(b.sub(columns, column), I64(w.width))

        def each(k, carried, w=w, column=column):
            place = b.add(column, b.mul(k, I64(w.width)))

            def row(i, flags):
                more = w.load(b, M, b.add(b.mul(i, along), place))
                return [b.or_(flags[0], more), b.and_(flags[1], more)]
            for address, flags in zip(
                    (some, every), loop(b, rows, [w.constant(0), w.constant(1)], row)):
                w.store(b, flags, address, place)
            return carried
        loop(b, blocks, [], each)
        column = b.add(column, b.mul(blocks, I64(w.width)))


@vector_code(transpose)
def _transpose(v, b, X, x, rows, along, P, p, columns, down):
    X, P, n = _moved(b, X, x), _moved(b, P, p), v.width

    def places(i, j):
        return _moved(b, X, b.mul(i, along), j), _moved(b, P, b.mul(j, down), i)

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
