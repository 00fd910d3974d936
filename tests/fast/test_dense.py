"""Signs of dense networks are those of exact sums, from tables for polar patterns."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import dense
from hopref.fast.numba import dense as kernel
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
interactions = pytest.mark.parametrize("interaction", list(dense.INTERACTIONS))
RULES = [(dense.update, {}), (dense.asynchronous_update, {"order": [0, 3, 1, 3, 2, 4, 0, 1] * 4})]
rules = pytest.mark.parametrize("op, options", RULES, ids=["all", "in turn"])


def draw(M, N, d, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return [rng.choice([-1.0, 1.0], size).astype(dtype) for size in ((M, d), (N, d))]


def left_to_formula(monkeypatch, op):
    """A list to which each call of the formula adds its number of states."""
    left, formula = [], op.formula

    def counted(xi, *args, **kwargs):
        left.append(len(xi))
        return formula(xi, *args, **kwargs)
    monkeypatch.setattr(op, "formula", counted)
    return left


@rules
@interactions
@precisions
@given(data=st.data())
def test_small_sums_give_the_signs_of_the_formula(op, options, interaction, dtype, data):
    M, N, d = (data.draw(st.sampled_from(sizes)) for sizes in ([1, 7, 9], [1, 4, 30], [5, 64, 70]))
    n = data.draw(st.integers(1, 4))
    args = draw(M, N, d, dtype, data.draw(st.integers(0, 2**32 - 1)))
    options = {**options, "interaction": interaction, "n": n}
    got = op(*args, **options, backend="numba")
    assert got.dtype == dtype and np.array_equal(got, op(*args, **options))


@rules
@interactions
@pytest.mark.parametrize("seed", [1, 59, 68])
def test_the_largest_exponentials_cancel_in_single_precision(op, options, interaction, seed):
    """With overlaps of 11, 11, -7 and -17, e^11 - e^11 hides the others from a sum of float32."""
    xi, X = draw(9, 4, 64, "float32", seed)
    options = {**options, "interaction": interaction, "n": 11}
    assert np.array_equal(op(xi, X, **options, backend="numba"), op(xi, X, **options))


@rules
@pytest.mark.parametrize("n", [19, 30])
def test_sums_beyond_double_precision_have_the_signs_of_integers(op, options, n, monkeypatch):
    """The largest terms cancel, to 1e-26 of their size; even powers of r and -r are equal too."""
    left, decided = left_to_formula(monkeypatch, op), 0
    for seed in range(20):
        (xi,), X = draw(1, 7, 40, seed=seed)
        left.clear()
        got, whole = op(xi, X, **options, n=n, backend="numba"), X.astype(int).astype(object)
        state, start = xi.astype(int).astype(object), xi.astype(int).astype(object)
        for site in options.get("order", range(40)):
            old = start if op is dense.update else state
            r = whole @ old - whole[:, site] * old[site]
            gain = sum((r + whole[:, site])**n - (r - whole[:, site])**n)
            state[site] = int(np.sign(gain)) or old[site]
        decided += not left
        assert left or np.array_equal(got, state.astype(float))
    assert decided > 10


@pytest.mark.parametrize("n", [2, 3, 4])
def test_sums_beyond_single_precision_have_the_signs_of_integers(n):
    """The terms of two patterns that differ in one site cancel there: of all pairs, or but one."""
    for seed in range(10):
        xi, X = draw(3, 200, 65, "float32", seed)
        X[100:] = X[:100] * np.where(np.arange(65) == seed, 1, -1)
        X[-1] *= (-1)**seed
        got, state = dense.update(xi, X, n=n, backend="numba"), xi.astype(np.int64)
        whole = X.astype(np.int64)
        r = (state @ whole.T)[:, :, None] - state[:, None] * whole
        h = np.sum((r + whole)**n - (r - whole)**n, axis=1)
        assert np.array_equal(got, np.where(h == 0, xi, np.sign(h)))


@rules
def test_exponentials_that_cancel_leave_the_decision_to_the_smaller_ones(op, options, monkeypatch):
    """Two patterns with the same overlap elsewhere, and the opposite value of a site, cancel."""
    left = left_to_formula(monkeypatch, op)
    one = np.ones(70)
    X = np.stack([one, one, np.r_[-1.0, one[:40], -one[:29]], np.r_[1.0, -one[:69]]])
    X[1, 0] = -1.0
    for start in 1.0, -1.0:
        xi = np.r_[start, one[1:]]
        got = op(xi, X, **options, interaction="exponential", backend="numba")
        assert np.array_equal(got, np.r_[-1.0, one[1:]])
        tie = op(xi, X[:2], **options, interaction="exponential", backend="numba")
        assert np.array_equal(tie, xi)
    assert not left


@rules
@precisions
def test_other_patterns_are_left_to_the_formula_a_few_at_a_time(op, options, dtype, monkeypatch):
    left = left_to_formula(monkeypatch, op)
    monkeypatch.setattr(kernel, "FORMED", 2 * 4 * 6)
    xi, X = draw(5, 4, 6, dtype)
    X = (X * np.random.default_rng(0).random(X.shape)).astype(dtype)
    want = op(xi, X, **options)
    left.clear()
    assert np.array_equal(op(xi, X, **options, backend="numba"), want)
    assert left == [2, 2, 1]


@rules
def test_other_interactions_and_powers_that_overflow_are_left_to_the_formula(op, options):
    fifth = dense.Interaction(lambda z, n: z**5, lambda z, n: 5 * z**4)
    for how in {"interaction": fifth}, {"n": 3000}, {"n": 3000, "interaction": "rectified"}:
        agrees(op, draw(3, 4, 6), options | how, "float64")


@rules
@interactions
def test_a_state_that_is_not_finite_is_left_to_the_formula(op, options, interaction):
    xi, X = draw(10, 4, 6)
    xi[3, 2], how = np.nan, options | {"interaction": interaction, "nonfinite": "propagate"}
    got, want = (op(xi, X, **how, backend=path) for path in ("numba", "formula"))
    assert np.array_equal(got, want, equal_nan=True)
