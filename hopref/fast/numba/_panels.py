"""Building blocks of the kernels: maxima, weights and masks of panels (see `_tiles`)."""
import numpy as np
from numba import types

from hopref.fast.numba._tiles import lanes, rows_of
from hopref.fast.numba._vectors import I64, Vectors, loop, moved, vector_code

__all__ = ["raise_tops", "weigh", "weigh_less_one", "weigh_both", "pull_back", "combine", "soften",
           "uncap", "logistic", "shift", "hide", "some_and_all"]

LARGEST = {4: float(np.finfo(np.float32).max), 8: float(np.finfo(np.float64).max)}


def raise_tops(T, t, Z, z, rows):
    """``T[j] = max(T[j], max_i Z[i, j])``, which ignores NaN; whether a top has been raised."""
    tops = rows_of(T, t, 1)
    new = np.fmax(tops, np.fmax.reduce(rows_of(Z, z, rows), axis=0, initial=-np.inf))
    raised = bool(np.any(new > tops))
    tops[:] = new
    return raised


def weigh(Z, z, rows, beta, T, t, L, l):
    """``Z[i, j] = e^(beta (Z[i, j] - T[j]))``, each added to ``L[j]``; NaN is propagated."""
    panel = rows_of(Z, z, rows)
    panel[:] = np.exp(np.float64(beta * (panel - rows_of(T, t, 1))))
    rows_of(L, l, 1)[:] += panel.sum(axis=0)


def weigh_less_one(Z, z, rows, beta, T, t, L, l):
    """`weigh`, and each weight less 1 is added to the row of L that follows."""
    exponents = np.float64(beta * (rows_of(Z, z, rows) - rows_of(T, t, 1)))
    rows_of(L, l, 2)[1] += np.expm1(exponents).astype(L.dtype).sum(axis=0)
    weigh(Z, z, rows, beta, T, t, L, l)


def weigh_both(Z, z, A, a, rows, beta, P, p):
    """`weigh` with the first row of P; the sums of the weights, and of their products with
    ``A[i, j]``, are added to the rows that follow."""
    _, totals, along = rows_of(P, p, 3)
    weigh(Z, z, rows, beta, P, p, totals, 0)
    along += (rows_of(Z, z, rows) * rows_of(A, a, rows)).sum(axis=0)


def pull_back(Z, z, A, a, rows, P, p):
    """Weights ``w = R[j] Z[i, j]`` in place of Z, and ``w (A[i, j] - D[j])``, the cotangents of
    scores, in place of A; R and D are the second and the third row of P."""
    _, inverse, mean = rows_of(P, p, 3)
    rows_of(Z, z, rows)[:] *= inverse
    rows_of(A, a, rows)[:] = rows_of(Z, z, rows) * (rows_of(A, a, rows) - mean)


def combine(S, a, b, rows, F):
    """``S[a + i, j] = F[0, j] S[a + i, j] + F[1, j] S[b + i, j]`` for rows of a panel."""
    own, other = rows_of(F, 0, 2)
    rows_of(S, a, rows)[:] = own * rows_of(S, a, rows) + other * rows_of(S, b, rows)


def soften(Z, z, rows, beta, cap):
    """``Z[i, j] = cap tanh(beta Z[i, j] / cap)``, and NaN where Z is not finite."""
    panel = rows_of(Z, z, rows)
    panel[:] = cap * np.tanh(panel * (beta / cap)) + (panel - panel)


def uncap(A, a, Z, z, rows, beta, cap, P, p):
    """``A[i, j] sech(u)^2``, the cotangents of the scores Z before `soften`, in place of A, those
    of capped ones; u = beta Z[i, j] / cap.

    The products ``A[i, j] (tanh u - u sech(u)^2)`` are added to the row of P.
    """
    cotangents, u = rows_of(A, a, rows), rows_of(Z, z, rows) * (beta / cap)
    power = np.exp(-2 * np.abs(u))
    slope = 4 * power / (1 + power) ** 2
    rows_of(P, p, 1)[0] += (cotangents * (np.tanh(u) - u * slope)).sum(axis=0)
    cotangents[:] *= slope


def logistic(Z, z, rows, beta, shift):
    """``Z[i, j] = 1 / (1 + e^-(beta Z[i, j] + shift))``, and NaN where Z is inf."""
    panel = rows_of(Z, z, rows)
    above, u = np.maximum(panel, 0), beta * panel + shift
    power = np.exp(-np.abs(u))
    panel[:] = np.where(u >= 0, 1, power) / (1 + power) + (above - above)


def shift(Z, z, rows, beta, B, b):
    """``Z[i, j] = beta Z[i, j] + B[i, j]``."""
    rows_of(Z, z, rows)[:] = beta * rows_of(Z, z, rows) + rows_of(B, b, rows)


def hide(Z, z, rows, M, m):
    """``Z[i, j] = -inf`` where the byte ``M[i, j]`` is 0."""
    n = lanes(Z)
    rows_of(Z, z, rows)[M[m:m + rows * n].reshape(rows, n) == 0] = -np.inf


def some_and_all(M, m, rows, along, columns, S, some, every):
    """``S[some + j]`` and ``S[every + j]``: whether some, or all, of M[m + i along + j] are 1."""
    flags = M[m + along * np.arange(rows)[:, None] + np.arange(columns)]
    S[some:some + columns] = flags.max(axis=0, initial=0)
    S[every:every + columns] = flags.min(axis=0, initial=1)


# -- vectors --------------------------------------------------------------------------------------

def _rows(v, b, count, carried, body):
    """``body`` for each vector of each row of a panel; it returns what is carried for its column.
    """
    half = len(carried) // 2

    def row(k, values):
        first = b.mul(k, I64(2 * v.width))
        return [new for j in (0, 1)
                for new in body(b.add(first, I64(j * v.width)), j,
                                values[j * half:(j + 1) * half])]
    return loop(b, count, carried, row)


@vector_code(raise_tops, types.boolean)
def _raise_tops(v, b, T, t, Z, z, rows):
    T, Z = moved(b, T, t), moved(b, Z, z)
    halves = [I64(0), I64(v.width)]
    old = [v.load(b, T, i) for i in halves]
    tops = _rows(v, b, rows, old,
                 lambda place, j, top: [v.larger(b, v.load(b, Z, place), top[0])])
    for top, i in zip(tops, halves):
        v.store(b, top, T, i)
    return b.or_(*(v.any_above(b, new, top) for new, top in zip(tops, old)))


def _weighing(v, b, less_one, Z, z, rows, beta, T, t, L, l):
    T, Z, L = moved(b, T, t), moved(b, Z, z), moved(b, L, l)
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


@vector_code(weigh_both)
def _weigh_both(v, b, Z, z, A, a, rows, beta, P, p):
    Z, A, P, beta = moved(b, Z, z), moved(b, A, a), moved(b, P, p), v.repeated(b, beta)
    tops, *sums = ([v.load(b, P, I64((2 * k + j) * v.width)) for j in (0, 1)] for k in range(3))

    def one(place, j, sums):
        gap = b.fsub(v.load(b, Z, place), tops[j])
        power = v.powers(b, b.fmul(beta, gap))[0]
        v.store(b, power, Z, place)
        return [b.fadd(sums[0], power), v.multiply_add(b, power, v.load(b, A, place), sums[1])]
    sums = _rows(v, b, rows, [x for column in zip(*sums) for x in column], one)
    for place, total in zip((2, 4, 3, 5), sums):
        v.store(b, total, P, I64(place * v.width))


@vector_code(pull_back)
def _pull_back(v, b, Z, z, A, a, rows, P, p):
    Z, A, P = moved(b, Z, z), moved(b, A, a), moved(b, P, p)
    inverse, mean = ([v.load(b, P, I64((2 * k + j) * v.width)) for j in (0, 1)] for k in (1, 2))

    def one(place, j, carried):
        weight = b.fmul(v.load(b, Z, place), inverse[j])
        v.store(b, weight, Z, place)
        v.store(b, b.fmul(weight, b.fsub(v.load(b, A, place), mean[j])), A, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(combine)
def _combine(v, b, S, first, second, rows, F):
    S, other = moved(b, S, first), moved(b, S, second)
    factors = [v.load(b, F, I64(j * v.width)) for j in range(4)]

    def one(place, j, carried):
        scaled = b.fmul(factors[2 + j], v.load(b, other, place))
        v.store(b, v.multiply_add(b, factors[j], v.load(b, S, place), scaled), S, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(soften)
def _soften(v, b, Z, z, rows, beta, cap):
    """The tangent of -|x| is (e^-2|x| - 1) / (e^-2|x| + 1)."""
    Z, slope, cap = moved(b, Z, z), v.repeated(b, b.fdiv(beta, cap)), v.repeated(b, cap)

    def one(place, j, carried):
        score = v.load(b, Z, place)
        x = b.fmul(slope, score)
        negative = b.fsub(v.constant(-0.0), x)
        size = v.larger(b, negative, x)
        less_one = v.powers(b, b.fmul(v.constant(-2), size))[1]
        tangent = b.fdiv(b.fmul(cap, less_one), b.fadd(less_one, v.constant(2)))
        positive = b.fsub(v.constant(-0.0), tangent)
        capped = b.select(b.fcmp_ordered(">", x, negative), positive, tangent)
        v.store(b, b.fadd(capped, b.fsub(score, score)), Z, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(uncap)
def _uncap(v, b, A, a, Z, z, rows, beta, cap, P, p):
    """sech(u)^2 = 4 e^-2|u| / (1 + e^-2|u|)^2; its tangent is that of `soften`."""
    A, Z, P = moved(b, A, a), moved(b, Z, z), moved(b, P, p)
    along = [v.load(b, P, I64(j * v.width)) for j in (0, 1)]
    scale = v.repeated(b, b.fdiv(beta, cap))

    def one(place, j, total):
        u = b.fmul(scale, v.load(b, Z, place))
        negative = b.fsub(v.constant(-0.0), u)
        size = v.larger(b, negative, u)
        power, less_one = v.powers(b, b.fmul(v.constant(-2), size))
        below = b.fadd(less_one, v.constant(2))
        slope = b.fdiv(b.fmul(v.constant(4), power), b.fmul(below, below))
        tangent = b.fdiv(less_one, below)
        positive = b.fsub(v.constant(-0.0), tangent)
        tangent = b.select(b.fcmp_ordered(">", u, negative), positive, tangent)
        cotangent = v.load(b, A, place)
        v.store(b, b.fmul(cotangent, slope), A, place)
        bend = b.fsub(tangent, b.fmul(u, slope))
        return [v.multiply_add(b, cotangent, bend, total[0])]
    for j, total in enumerate(_rows(v, b, rows, along, one)):
        v.store(b, total, P, I64(j * v.width))


@vector_code(logistic)
def _logistic(v, b, Z, z, rows, beta, shift):
    Z, beta, shift = moved(b, Z, z), v.repeated(b, beta), v.repeated(b, shift)
    zero, one = v.constant(0), v.constant(1)

    def weight(place, j, carried):
        score = v.load(b, Z, place)
        u = v.multiply_add(b, beta, score, shift)
        negative = b.fsub(v.constant(-0.0), u)
        power = v.powers(b, b.select(b.fcmp_ordered(">", u, zero), negative, u))[0]
        above = b.select(b.fcmp_ordered(">", u, zero), one, power)
        positive = v.larger(b, score, zero)
        y = b.fadd(b.fdiv(above, b.fadd(power, one)), b.fsub(positive, positive))
        v.store(b, y, Z, place)
        return []
    _rows(v, b, rows, [], weight)


@vector_code(shift)
def _shift(v, b, Z, z, rows, beta, B, at):
    Z, B, beta = moved(b, Z, z), moved(b, B, at), v.repeated(b, beta)

    def one(place, j, carried):
        v.store(b, v.multiply_add(b, beta, v.load(b, Z, place), v.load(b, B, place)), Z, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(hide)
def _hide(v, b, Z, z, rows, M, m):
    Z, M = moved(b, Z, z), moved(b, M, m)
    flags, hidden = Vectors(types.uint8, v.width), v.constant(float("-inf"))

    def one(place, j, carried):
        seen = b.icmp_unsigned("!=", flags.load(b, M, place), flags.constant(0))
        v.store(b, b.select(seen, v.load(b, Z, place), hidden), Z, place)
        return []
    _rows(v, b, rows, [], one)


@vector_code(some_and_all)
def _some_and_all(v, b, M, m, rows, along, columns, S, some, every):
    M, some, every, column = moved(b, M, m), moved(b, S, some), moved(b, S, every), I64(0)
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
