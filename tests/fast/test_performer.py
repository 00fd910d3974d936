"""The Performer as softmax attention twice: remainders, groups, hidden keys, and large norms."""
import numpy as np
import pytest

from hopref import performer
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
kinds = pytest.mark.parametrize("features", ["positive", "hyperbolic", "trigonometric", "relu"])


def draw(l, s, d, m, dtype, lead=()):
    rng = np.random.default_rng(0)
    Q, K, V = (rng.standard_normal((*lead, n, k)) for n, k in ((l, d), (s, d), (s, 3)))
    return [a.astype(dtype) for a in (Q, K, V, rng.standard_normal((m, d)))]


@precisions
@kinds
@pytest.mark.parametrize("l, s, d, m", [(1, 1, 1, 1), (20, 9, 3, 40), (3, 40, 2, 20)])
def test_few_and_many_queries_and_directions(dtype, features, l, s, d, m):
    args = draw(l, s, d, m, dtype, lead=(2,))
    mask = np.arange(2 * s).reshape(2, s) % 4 != 1
    agrees(performer.attention, args, {"features": features, "scale": 0.5}, dtype)
    agrees(performer.attention, args, {"features": features, "mask": mask}, dtype)


@precisions
def test_groups_of_keys_are_merged(dtype, monkeypatch):
    monkeypatch.setattr("hopref.fast.numba._random_features.GROUP", 7)
    Q, K, V, omega = draw(20, 30, 3, 20, dtype)
    K *= np.linspace(0, 4, 30, dtype=dtype)[:, None]
    agrees(performer.attention, (Q, K, V, omega), {}, dtype)
    agrees(performer.update, (Q, K, omega), {"beta": 0.5}, dtype)


@precisions
@kinds
def test_hidden_keys_have_no_effect_and_an_empty_row_is_the_requested_one(dtype, features):
    Q, K, V, omega = draw(20, 30, 3, 20, dtype)
    mask = np.arange(30) % 3 > 0
    how = {"features": features, "backend": "numba", "nonfinite": "propagate"}
    want = performer.attention(Q, K[mask], V[mask], omega, **how)
    K[~mask], V[~mask] = np.inf, np.nan
    assert np.array_equal(performer.attention(Q, K, V, omega, mask=mask, **how), want)
    for empty_row, answer in ("zeros", 0.0), ("nan", np.nan):
        got = performer.attention(Q, K, V, omega, mask=mask & False, empty_row=empty_row, **how)
        assert np.array_equal(got, np.full((20, 3), answer), equal_nan=True)


@precisions
@pytest.mark.parametrize("features", ["positive", "hyperbolic"])
@pytest.mark.parametrize("size", [30.0, 1e12, 1e25])
def test_large_norms_are_no_obstacle(dtype, features, size):
    """Results are means of means of values.

    A mean is the quotient of two sums of n terms: its error is at most 2 n + 1 roundings of the
    largest value.
    """
    Q, K, V, omega = draw(20, 8, 3, 20, dtype)
    roundings = 2 * len(K) + 1 + 2 * 2 * len(omega) + 1
    slack = roundings * np.finfo(dtype).eps / 2 * np.max(np.abs(V))
    size = Q.dtype.type(size)
    for q, k in (size * Q, K), (Q, size * K):
        got = agrees(performer.attention, (q, k, V, omega), {"features": features}, dtype)
        assert np.all((got >= V.min(axis=0) - slack) & (got <= V.max(axis=0) + slack))


@precisions
def test_extreme_temperatures_are_those_of_the_formula(dtype):
    Q, K, _, omega = draw(5, 8, 3, 4, dtype)
    for beta in 1e-40, 1e40:
        got, want = (performer.update(Q, K, omega, beta=beta, backend=path)
                     for path in ("numba", "formula"))
        assert got.dtype == dtype and np.array_equal(got, want.astype(dtype))


@precisions
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e25])
@pytest.mark.parametrize("name", ["generalized_attention", "stabilized_attention"])
def test_features_with_a_constant_at_any_size(dtype, name, size):
    """Projections of the large vectors overflow single precision."""
    Q, K, V, omega = draw(20, 30, 3, 20, dtype)
    size = Q.dtype.type(size)
    for eps in 1e-3, 0.0:
        agrees(getattr(performer, name), (Q, K, V, size * omega), {"eps": eps}, dtype)
    agrees(getattr(performer, name), (size * Q, size * K, V, size * omega), {"scale": 0.5}, dtype)


@precisions
@pytest.mark.parametrize("activation", ["relu", "abs", "identity", "sigmoid"])
def test_every_activation_of_hidden_and_visible_keys(dtype, activation):
    Q, K, V, omega = draw(20, 30, 3, 20, dtype, lead=(2,))
    mask = np.arange(60).reshape(2, 30) % 3 > 0
    K[~mask], V[~mask] = np.nan, np.inf
    how = {"activation": activation, "mask": mask}
    got = performer.generalized_attention(Q, K, V, omega, **how, nonfinite="propagate",
                                          backend="numba")
    K[~mask], V[~mask] = 0, 0
    want = agrees(performer.generalized_attention, (Q, K, V, omega), how, dtype)
    assert np.array_equal(got, want)


@precisions
@pytest.mark.parametrize("guard", [1e-8, 1e-5, 10.0])
def test_the_guard_is_added_to_the_denominators_up_to_it(dtype, guard):
    """These are 2e-7 to 4e-5: no row, some rows, and all rows."""
    Q, K, V, omega = draw(30, 5, 3, 4, dtype)
    K[1:] *= 4
    mask = np.arange(5) > 0
    agrees(performer.stabilized_attention, (Q, K, V, omega),
           {"eps": 1e-9, "guard": guard, "mask": mask}, dtype)
