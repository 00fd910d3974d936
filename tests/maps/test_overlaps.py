"""Scores of states and patterns of any magnitude, compared with results of sixty digits."""
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import attention, maps
from hopref.dispatch.operation import unchecked
from tests import exact, rounding
from tests.draw import arrays, records

SIZES = st.sampled_from([1e-300, 1e-200, 1e-155, 1.0, 1e155, 1e200, 1e300, 1.7e308])
cases = records(xi=arrays(3, elements=st.floats(-1, 1)), X=arrays(4, 3, elements=st.floats(-1, 1)),
                size=SIZES, sizes=arrays(4, elements=SIZES),
                beta=st.sampled_from([1e-300, 1e-200, 1e-100, 1.0, 1e100, 1e300]))


def overlaps(xi, X, *which, **options):
    with unchecked():
        return maps.overlaps(np.array(xi), np.array(X), *which, **options)


def weights(xi, X, beta, where=True):
    return maps.softmax.formula(overlaps(xi, X, where), beta=beta, where=where)


def test_large_scores_are_moved_in_every_format():
    for dtype in (float, np.longdouble):
        xi, X = np.full(1, 2.0**600, dtype), np.array([[2.0**600], [0.0]], dtype)
        assert overlaps(xi, X).tolist() == [0.0, -2.0**1023]
        assert overlaps(np.ones((0, 1), dtype), X).shape == (0, 2)


@given(cases)
def test_weights_are_accurate_at_any_magnitude(case):
    """A score errs by g(d + 1) of its terms and by underflow, its weight by e to beta times it."""
    xi, X, beta = case["size"] * case["xi"], case["sizes"][:, None] * case["X"], case["beta"]
    z = [exact.dot(xi, x) for x in X]
    want = exact.weights(z, beta)
    reach = [exact.dot(abs(xi), abs(x)) for x in X]
    top = max(range(4), key=z.__getitem__)
    for got, p, size in zip(weights(xi, X, beta), want, reach, strict=True):
        off = mpmath.mpf(beta) * (size + reach[top]) * rounding.g(5) + 3 * 2.0**-50
        allowed = mpmath.expm1(2 * min(off, 1)) * min(p + off, 1)
        assert off > 1 or abs(mpmath.mpf(float(got)) - p) <= allowed


@pytest.mark.parametrize("xi, X, beta, want", [
    ([1e155], [[1e155], [2e155]], 1.0, [0, 1]),
    ([-1e155], [[1e155], [2e155]], 1.0, [1, 0]),
    ([2e154], [[2e154], [-2e154]], 1.0, [1, 0]),
    ([1e308, 1e308], [[1e308, -1e308], [0, 1]], 1e-300, [0, 1]),           # inf - inf inside
    ([1e200, 1.0], [[-1e300, 0], [0, 2.0**-997], [0, -(2.0**-997)]], 2.0**997,
     [0, 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))]),      # the distant score is not the reference
    ([1.7e308], [[1.0], [-1.0]], 1e-300, [1, 0]),
])
def test_weights_by_hand(xi, X, beta, want):
    """Scores are exact; on both sides an exponential errs by 2u, its sum and the quotient by u."""
    np.testing.assert_allclose(weights(np.array(xi), np.array(X), beta), want, rtol=8 * rounding.u)


def test_hidden_scores_are_not_the_reference():
    """The score 1 + log 3 errs by 3u and its exponential by 2u, times 1 - p; then as above."""
    X = [[1e300, 0], [0, 1.0], [0, 1.0 + np.log(3)]]
    p = weights([1e200, 1.0], X, 1.0, np.array([False, True, True]))
    np.testing.assert_allclose(p, [0, 0.25, 0.75], rtol=6 * rounding.u)


def test_the_kth_largest_score_is_the_reference():
    """k-subsets of two: the second and third scores are 1/4 apart, the first is far above."""
    r = 2.0**664                                            # products and sums are exact
    z = overlaps([r], [[r], [3 / r], [2.75 / r], [-r]], k=2)
    np.testing.assert_array_equal(maps.k_subsets(z, k=2), [1, 0.625, 0.375, 0])


@given(records(xi=arrays(5, 3), X=arrays(4, 3)))
def test_scores_in_range_are_bitwise_unchanged_by_overflow_in_other_rows(case):
    xi, X = np.vstack([case["xi"], [[1e308] * 3]]), case["X"]
    with np.errstate(over="ignore"):
        plain = xi @ X.T
    assert np.array_equal(overlaps(xi, X)[:5], plain[:5])
    assert np.array_equal(overlaps(xi[:5], X), xi[:5] @ X.T)


def test_nan_does_not_propagate_to_other_rows():
    with np.errstate(invalid="ignore"):
        z = overlaps([[np.nan, 0.0], [1e200, 0.0]], [[1e200, 1.0], [1.0, 1.0]])
    assert np.isnan(z[0]).all() and np.isfinite(z[1]).all()


def test_sums_of_seen_values_are_those_of_ieee_arithmetic():
    """Each sum is that over the values that are seen, of which one of weight 0 may be NaN."""
    rng, special = np.random.default_rng(0), [np.nan, np.inf, -np.inf, 0.0, 1.0, -2.0, 3.0, 0.5]
    for _ in range(200):
        seen = rng.random((6, 4)) < 0.6
        A = np.where(seen, rng.integers(0, 3, (6, 4)) / 4, 0.0)
        V = rng.choice(special, (4, 3))
        with unchecked():
            want = [sum((A[i, j] * V[j] for j in range(4) if seen[i, j]), np.zeros(3))
                    for i in range(6)]
            np.testing.assert_array_equal(maps.weighted_sum(A, V, seen), want)
            np.testing.assert_array_equal(maps.weighted_sum(A, V), A @ V)


def test_a_key_that_the_bias_hides_is_no_reference_for_scores_out_of_range():
    """Relative to the hidden score of 2^1200 the others would be equal."""
    K, V = np.array([[2.0**600], [1.0], [2.0]]), np.array([[5.0], [1.0], [2.0]])
    for options in {"bias": np.array([-np.inf, 0.0, 0.0])}, {"mask": np.array([False, True, True])}:
        given = {k: v[None, :] for k, v in options.items()}
        got = attention.softmax_attention([[2.0**600]], K, V, scale=1.0, **given)
        assert got.tolist() == [[2.0]]


def test_without_a_mask_scores_and_weights_are_not_copied():
    z = np.ones(2)
    assert maps.seen(z, True) is z is maps.shown(z, True)
    assert maps.seen(z, np.array([True, False])).tolist() == [1.0, -np.inf]
    assert maps.shown(z, np.array([True, False])).tolist() == [1.0, 0.0]


def test_scores_in_range_are_neither_moved_nor_formed_again(monkeypatch):
    """Up to 2^1022, also where their squares overflow, without patterns, and in long double."""
    monkeypatch.delattr(sys.modules["hopref.maps.overlaps"], "moved")
    for size in (1.0, 2.0**600, 0.999 * 2.0**1022):
        for sign in (1.0, -1.0):
            assert overlaps([[sign * size, 0.0]], [[1.0, 2.0]]).tolist() == [[sign * size]]
    assert overlaps(np.ones((2, 3)), np.ones((0, 3))).shape == (2, 0)
    assert overlaps(np.ones((1, 1), np.longdouble), np.ones((1, 1), np.longdouble)) == 1
    for size in (2.0**1022, -(2.0**1022), np.inf, np.nan):
        with pytest.raises(NameError):
            overlaps([[size]], [[1.0], [0.5]])
