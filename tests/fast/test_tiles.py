"""Building blocks of kernels: vector code against their definitions in NumPy, and accuracy."""
import numpy as np
import pytest

pytest.importorskip("numba")

from hopref.fast.numba import _linear as linear  # noqa: E402
from hopref.fast.numba import _panels as panels  # noqa: E402
from hopref.fast.numba import _tiles as tiles  # noqa: E402
from hopref.fast.numba._jit import njit  # noqa: E402

precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


@njit
def width(x):
    return tiles.lanes(x)


@njit
def compiled_multiply(rows, A, down, along, B, C, terms):
    tiles.multiply(rows, A, 1, down, along, B, 0, C, 0, terms)


@njit
def compiled_accumulate(rows, A, down, along, B, below, C, apart, terms):
    tiles.accumulate(rows, A, 1, down, along, B, 2, below, C, 3, apart, terms)


@njit
def compiled_gather(rows, A, size, count, B, C, apart):
    tiles.gather(rows, A, 1, size, count, B, 2, C, 3, apart)


@njit
def compiled_score(states, Q, X, d, rows, S, size):
    tiles.score(states, Q, 1, X, 2, d, rows, S, 1, size)


@njit
def compiled_draw(states, S, size, X, d, rows, O):
    tiles.draw(states, S, 1, size, X, 2, d, rows, O, 1)


@njit
def compiled_transpose(X, rows, along, P, columns, down):
    tiles.transpose(X, 1, rows, along, P, 1, columns, down)


@njit
def compiled_some_and_all(M, rows, along, columns, S):
    panels.some_and_all(M, 1, rows, along, columns, S, 0, columns)


@njit
def compiled_panel(Z, rows, beta, B, M, T, L):
    """Scores are shifted and hidden; tops and the weights follow."""
    panels.shift(Z, 0, rows, beta, B, 0)
    panels.hide(Z, 0, rows, M, 0)
    panels.raise_tops(T, 0, Z, 0, rows)
    panels.weigh(Z, 0, rows, beta, T, 0, L, 0)


@njit
def compiled_weigh_both(Z, A, rows, beta, P):
    panels.weigh_both(Z, 0, A, 0, rows, beta, P, 0)


@njit
def compiled_pull_back(Z, A, rows, P):
    panels.pull_back(Z, 0, A, 0, rows, P, 0)


@njit
def compiled_combine(S, rows, F):
    panels.combine(S, 0, rows * tiles.lanes(S), rows, F)


@njit
def compiled_divide(rows, Z, W, O, apart):
    return linear.divide(rows, Z, 1, W, 2, O, 3, apart)


@njit
def compiled_powers(x, power, less_one):
    """Row by row, so that a sum of weights less 1 is that of one weight."""
    n = tiles.lanes(x)
    top, sums = np.zeros(n, x.dtype), np.empty(2 * n, x.dtype)
    power[:] = x
    for i in range(0, x.size, n):
        sums[:] = 0
        panels.weigh_less_one(power, i, 1, 1.0, top, 0, sums, 0)
        less_one[i:i + n] = sums[n:]


def draw(dtype, *sizes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(size).astype(dtype) for size in sizes]


def near(got, want, terms):
    """Sums of ``terms`` products of numbers of order 1, in another order."""
    return np.max(np.abs(got - want), initial=0) <= 4 * (terms + 1) * np.finfo(got.dtype).eps


@precisions
@pytest.mark.parametrize("rows", [1, 5, 12, 27])
@pytest.mark.parametrize("terms", [1, 8])
def test_products_of_panels(dtype, rows, terms):
    n = width(np.empty(1, dtype))
    A, B, C = draw(dtype, 1 + rows * terms, terms * n, (rows + 1) * n)
    for down, along in (terms, 1), (1, rows):
        got, end = C.copy(), C[rows * n:]
        compiled_multiply(rows, A, down, along, B, got, terms)
        left = A[1:].reshape((rows, terms) if along == 1 else (terms, rows))
        want = (left if along == 1 else left.T) @ B.reshape(terms, n)
        assert near(got[:rows * n], want.ravel(), terms) and np.array_equal(got[rows * n:], end)


@precisions
@pytest.mark.parametrize("rows, terms", [(1, 1), (5, 8), (27, 3), (4, 0)])
def test_products_are_added_to_rows_with_gaps(dtype, rows, terms):
    n = width(np.empty(1, dtype))
    A, B, C = draw(dtype, 1 + rows * terms, 2 + terms * (n + 1), 3 + rows * (n + 2))
    got, gaps = C.copy(), np.ones(C.size, bool)
    compiled_accumulate(rows, A, 1, rows, B, n + 1, got, n + 2, terms)
    right, old = B[2:].reshape(terms, n + 1)[:, :n], C[3:].reshape(rows, n + 2)[:, :n]
    want = old + A[1:].reshape(terms, rows).T @ right
    assert near(got[3:].reshape(rows, n + 2)[:, :n], want, terms)
    gaps[3:].reshape(rows, n + 2)[:, :n] = False
    assert np.array_equal(got[gaps], C[gaps])


@precisions
@pytest.mark.parametrize("rows, count", [(1, 1), (5, 3), (27, 2), (4, 0)])
def test_products_of_several_panels_are_added(dtype, rows, count):
    n = width(np.empty(1, dtype))
    size, apart = rows * n + 3, n + 2
    A, B, C = draw(dtype, 1 + count * size, 2 + count * n * n, 3 + rows * apart)
    got, gaps = C.copy(), np.ones(C.size, bool)
    compiled_gather(rows, A, size, count, B, got, apart)
    weights = A[1:].reshape(count, size)[:, :rows * n].reshape(count, rows, n)
    want = C[3:].reshape(rows, apart)[:, :n] + sum(weights @ B[2:].reshape(count, n, n))
    assert near(got[3:].reshape(rows, apart)[:, :n], want, count * n)
    gaps[3:].reshape(rows, apart)[:, :n] = False
    assert np.array_equal(got[gaps], C[gaps])


@precisions
@pytest.mark.parametrize("states", [1, 3, 9])
@pytest.mark.parametrize("rows, d", [(1, 1), (7, 31), (16, 16), (33, 100)])
def test_scores_and_sums_of_lines(dtype, states, rows, d):
    size = rows + 3
    Q, X, S, O = draw(dtype, 1 + states * d, 2 + rows * d, 1 + states * size, 2 + states * d)
    scores, drawn = S.copy(), O.copy()
    compiled_score(states, Q, X, d, rows, scores, size)
    compiled_draw(states, S, size, X, d, rows, drawn)
    patterns, lines = X[2:].reshape(rows, d), S[1:].reshape(states, size)
    got, want = scores[1:].reshape(states, size), Q[1:].reshape(states, d) @ patterns.T
    assert near(got[:, :rows], want, d) and np.array_equal(got[:, rows:], lines[:, rows:])
    assert near(drawn[1:-1], (lines[:, :rows] @ patterns).ravel(), rows)
    assert scores[0] == S[0] and drawn[0] == O[0] and drawn[-1] == O[-1]


@precisions
def test_the_bits_of_a_state_do_not_depend_on_its_block(dtype):
    rows, d = 23, 37
    Q, X, S = draw(dtype, 1 + 5 * d, 2 + rows * d, 1 + 5 * rows)
    for kernel, given, inner in (compiled_score, Q, d), (compiled_draw, S, rows):
        outer = rows if kernel is compiled_score else d
        together, alone = np.zeros(1 + 5 * outer, dtype), np.zeros(1 + outer, dtype)
        for states, result, values in (5, together, given), (1, alone, given[3 * inner:]):
            order = (values, X, d, rows, result, rows) if kernel is compiled_score else \
                (values, rows, X, d, rows, result)
            kernel(states, *order)
        assert np.array_equal(together[1 + 3 * outer:1 + 4 * outer], alone[1:])


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("rows, columns", [(1, 1), (16, 8), (17, 35), (3, 40)])
def test_transposes(dtype, rows, columns):
    along, down = columns + 1, rows + 2
    X = (100 * np.random.default_rng(0).random(1 + rows * along)).astype(dtype)
    got = np.zeros(1 + columns * down, dtype)
    compiled_transpose(X, rows, along, got, columns, down)
    block = X[1:].reshape(rows, along)[:, :columns]
    assert np.array_equal(got[1:].reshape(columns, down)[:, :rows], block.T)
    assert not got[1:].reshape(columns, down)[:, rows:].any()


@pytest.mark.parametrize("rows, columns", [(0, 3), (1, 16), (3, 37)])
def test_flags_of_columns(rows, columns):
    M = np.random.default_rng(0).integers(0, 2, 1 + rows * (columns + 2)).astype(np.uint8)
    S = np.full(2 * columns, 7, np.uint8)
    compiled_some_and_all(M, rows, columns + 2, columns, S)
    flags = M[1:].reshape(rows, columns + 2)[:, :columns]
    assert np.array_equal(S, np.concatenate([flags.any(axis=0), flags.all(axis=0)]))


@precisions
def test_panels_are_shifted_hidden_and_weighed(dtype):
    n, rows, beta = width(np.empty(1, dtype)), 5, 0.5
    Z, B, T, L = draw(dtype, rows * n, rows * n, n, n)
    M = (np.arange(rows * n) % 3 > 0).astype(np.uint8)
    z = np.where(M, beta * Z + B, -np.inf).reshape(rows, n)
    top = np.maximum(T, z.max(axis=0))
    p = np.exp(beta * (z - top))
    total = L + p.sum(axis=0)
    compiled_panel(Z, rows, beta, B, M, T, L)
    assert near(T, top, 1) and near(Z, p.ravel(), 2) and near(L, total, rows)
    assert not Z[M == 0].any()


@precisions
def test_panels_are_combined(dtype):
    n, rows = width(np.empty(1, dtype)), 7
    S, F = draw(dtype, 2 * rows * n, 2 * n)
    first, second = S.reshape(2, rows, n).copy()
    compiled_combine(S, rows, F)
    assert near(S[:rows * n], (F[:n] * first + F[n:] * second).ravel(), 2)
    assert np.array_equal(S[rows * n:], second.ravel())


@precisions
def test_rows_are_divided_and_results_that_are_not_finite_are_found(dtype):
    n, rows = width(np.empty(1, dtype)), 5
    Z, W, O = draw(dtype, 1 + rows * n, 2 + rows, 3 + rows * (n + 2))
    got, gaps = O.copy(), np.ones(O.size, bool)
    assert compiled_divide(rows, Z, W, got, n + 2)
    quotients = Z[1:].reshape(rows, n) / W[2:, None]
    assert np.array_equal(got[3:].reshape(rows, n + 2)[:, :n], quotients)
    gaps[3:].reshape(rows, n + 2)[:, :n] = False
    assert np.array_equal(got[gaps], O[gaps])
    for place in 1, n, rows * n:
        for value in np.nan, np.inf, -np.inf:
            lost = Z.copy()
            lost[place] = value
            assert not compiled_divide(rows, lost, W, got, n + 2)


@precisions
def test_powers_are_within_an_ulp_down_to_the_smallest_subnormal(dtype):
    """And so is e^x - 1 from 0 to -1; against long double.

    1.5 ulp: half for the last rounding, the rest for r and the polynomial, each below half.
    """
    floor = {"float32": -110.0, "float64": -760.0}[dtype]
    x = np.concatenate([np.linspace(floor, 0, 20001), -np.logspace(-30, 0, 287),
                        [np.nan, -np.inf] + [0.0] * 30]).astype(dtype)
    power, less_one = np.empty_like(x), np.empty_like(x)
    compiled_powers(x, power, less_one)
    assert np.isnan(power[-32]) and power[-31] == 0 and np.all(power[-30:] == 1)
    assert np.isnan(less_one[-32]) and less_one[-31] == -1 and not less_one[-30:].any()
    wide = x[:-32].astype(np.longdouble)
    for got, want in (power, np.exp(wide)), (less_one, np.expm1(wide)):
        ulp = np.spacing(np.abs(want).astype(dtype)).astype(np.longdouble)
        assert np.all(np.abs(got[:-32] - want) <= 1.5 * ulp)


@precisions
def test_weights_with_their_sums_and_cotangents_of_scores(dtype):
    """A hidden score has weight 0, and adds nothing to a sum."""
    n, rows, beta = width(np.empty(1, dtype)), 9, np.dtype(dtype).type(0.5)
    Z, A, P = draw(dtype, rows * n, rows * n, 3 * n)
    Z[::7] = -np.inf
    P[:n] = np.max(Z.reshape(rows, n), axis=0)
    weights, cotangents, sums = Z.copy(), A.copy(), P.copy()
    compiled_weigh_both(weights, cotangents, rows, beta, sums)
    Z, A, (top, total, along) = Z.reshape(rows, n), A.reshape(rows, n), P.reshape(3, n)
    p = np.exp(beta * (Z - top))
    assert near(weights.reshape(rows, n), p, 2) and np.all(weights[::7] == 0)
    assert np.array_equal(sums[:n], top) and np.array_equal(cotangents, A.reshape(-1))
    assert near(sums[n:2 * n], total + p.sum(axis=0), rows)
    assert near(sums[2 * n:], along + (p * A).sum(axis=0), rows)
    compiled_pull_back(weights, cotangents, rows, P)
    assert near(weights.reshape(rows, n), total * p, 4) and np.all(weights[::7] == 0)
    assert near(cotangents.reshape(rows, n), total * p * (A - along), 6)
