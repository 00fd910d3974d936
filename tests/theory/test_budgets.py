"""Counts of features, and what the division of two estimates does to them."""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import attention, features, theory
from hopref.errors import DomainError, ShapeError
from tests.laws import law
from tests.quadrature import gaussian_rows
from tests.rounding import close, g, u


@law("theory.features_needed", "theory.log_relative_mse", id="RF-4",
     over=st.fixed_dictionaries({
         "s": st.floats(0.01, 6.0), "d": st.integers(2, 9), "error": st.floats(0.05, 1.0),
         "kind": st.sampled_from(["positive", "hyperbolic", "trigonometric"]),
         "draw": st.sampled_from(["iid", "orthogonal", "simplex"])}),
     kills=["needed_in_whole_blocks", "needed_for_independent_rows", "error_unsquared"])
def test_the_count_is_enough_and_no_smaller_one_is(rules, s, d, error, kind, draw):
    x, y = np.zeros((2, d))
    x[0] = np.sqrt(s)
    how = {"features": kind, "draw": draw}
    m = rules.theory.features_needed(x, y, error=error, **how)
    assert m == np.floor(m) >= 1
    assert rules.theory.log_relative_mse(x, y, m=int(m), **how) <= 2 * np.log(error) + 2.0**-45
    for k in {*range(max(int(m) - 2 * d, 1), int(m)), *range(1, min(int(m), 9))}:
        assert rules.theory.log_relative_mse(x, y, m=k, **how) > 2 * np.log(error)


@law("theory.features_needed", id="RF-2",
     kills=["needed_for_independent_rows", "error_unsquared"])
def test_independent_rows_take_v1_over_the_squared_error(rules):
    x = np.array([np.sqrt(np.log(2)) / 2])                  # e^s - 1 = 1
    assert rules.theory.features_needed(x, x, error=0.125) == 64
    assert rules.theory.features_needed(x, x, error=0.1249) == 65
    assert rules.theory.features_needed(x, -x, error=1e-9) == 1          # exact
    x = np.full(4, 0.5)
    some = rules.theory.features_needed(x, x, error=0.1, draw="orthogonal")
    assert some < rules.theory.features_needed(x, x, error=0.1)


def test_no_number_of_biased_rows_is_enough_and_astronomic_ones_are_infinite():
    x = np.full(4, 0.5)
    bias = theory.estimator_bias(x, x, draw="regularized") / np.exp(x @ x)
    assert theory.features_needed(x, x, error=-bias * 0.99, draw="regularized") == np.inf
    assert theory.features_needed(x, x, error=-bias * 1.01, draw="regularized") < np.inf
    assert theory.features_needed([5.0], [5.0], error=0.1) == np.inf     # e^100 / 0.01
    assert theory.features_needed(np.zeros((2, 3, 1)), [0.5], error=0.5).shape == (2, 3)


PLACE = np.array([0.25, 0.1]), np.array([[0.5, 0.0], [0.0, 0.5], [-0.3, 0.1]])


@law("theory.ratio_bias", "theory.ratio_variance", "theory.kernel_covariance", id="RF-12",
     kills=["bias_of_the_other_sign", "bias_without_the_denominator", "ratio_of_plain_values",
            "covariance_of_sums_forgotten"])
def test_bias_and_variance_are_the_second_order_terms_of_the_ratio(rules):
    """N/D with k + h e for k: the second difference in h of its mean over N(0, I), by quadrature,
    is twice the bias; the square of the first difference averages to the variance.  h = 2^-13:
    rounding enters as u/h^2 < 1e-8, what is of fourth order in e as h^2 < 2e-8 times its mean."""
    xi, X = PLACE
    omega, p = gaussian_rows(2)
    kernel, V = np.exp(X @ xi), X
    C = rules.theory.kernel_covariance(xi, X, m=1)
    Z = len(omega) * features.positive(xi, omega) * features.positive(X, omega)
    e, h = (Z - kernel[:, None]).T, 2.0**-13

    def ratio(step):
        k = kernel + step * np.clip(e, -200, 200)           # beyond: 1e-12 of the probability
        return (k @ V) / k.sum(-1, keepdims=True)
    second = p @ (ratio(h) + ratio(-h) - 2 * ratio(0.0)) / h**2
    bias = rules.theory.ratio_bias(kernel, V, covariance=C)
    close(second / 2, bias, 1e-4 * np.abs(bias).max())
    first = (ratio(h) - ratio(-h)) / (2 * h)
    variance = rules.theory.ratio_variance(kernel, V, covariance=C)
    close(p @ first**2, variance, 1e-4 * variance.max())


def test_the_delta_method_fails_where_few_features_meet_large_norms():
    """m = 8, norms 0.8: it promises several times the variance that attention really has."""
    rng = np.random.default_rng(4)
    xi, X = rng.standard_normal(3), rng.standard_normal((5, 3))
    xi, X = 1.6 * xi / np.linalg.norm(xi), 1.6 * X / np.linalg.norm(X, axis=1, keepdims=True)
    steps = []
    for _ in range(2000):
        omega = rng.standard_normal((8, 3))
        q, k = features.positive(xi[None], omega), features.positive(X, omega)
        steps.append(attention.linear_attention(q, k, X)[0])
    promised = theory.ratio_variance(np.exp(X @ xi), X,
                                     covariance=theory.kernel_covariance(xi, X, m=8))
    assert np.all(promised > 2 * np.var(steps, axis=0))


@law("theory.uniform_features", id="RF-13",
     over=st.fixed_dictionaries({"R": st.floats(0.25, 2.0), "d": st.integers(1, 64),
                                 "error": st.floats(1e-6, 1e-2)}),
     kills=["uniform_without_the_square", "uniform_h_star_once"])
def test_the_uniform_count_scales_as_theorem_4_says(rules, R, d, error):
    """In eps as eps^-2 up to the logarithm; R enters by exp(2 R^2/sqrt(d)): e^{-l^2} in delta."""
    f = rules.theory.uniform_features
    delta = error * np.exp(-R * R / np.sqrt(d))
    log = np.log(4 * d**0.75 * R / delta)
    close(f(R, d=d, error=error / 2) / f(R, d=d, error=error), 4 * (log + np.log(2)) / log, g(400))
    close(f(R, d=d, error=error) * delta**2 / d, log, g(400) * log)


@pytest.mark.parametrize("call, error, word", [
    (lambda: theory.features_needed([1.0], [1.0], error=0.0), DomainError, "error must be a pos"),
    (lambda: theory.features_needed([1.0], [1.0], error=1.0, draw="qmc"), DomainError, "draw must"),
    (lambda: theory.uniform_features(0.0, d=2, error=1.0), DomainError, "R must be a positive"),
    (lambda: theory.ratio_bias([1.0], [[1.0]], covariance=[[1.0, 2.0]]), ShapeError, "kernel, V"),
    (lambda: theory.ratio_variance([1.0, -1.0], [[1.0], [1.0]], covariance=np.eye(2)), DomainError,
     "kernel must have a sum other than 0"),
])
def test_impossible_budgets_are_refused(call, error, word):
    with pytest.raises(error, match=f"hopref.theory.*: {word}.*; got"):
        call()


def test_a_ratio_of_equal_values_has_neither_bias_nor_spread():
    xi, X = PLACE
    C = theory.kernel_covariance(xi, X, m=4)
    V = np.full((3, 2), 1.75)
    close(theory.ratio_bias(np.exp(X @ xi), V, covariance=C), 0.0, 64 * u * C.sum())
    close(theory.ratio_variance(np.exp(X @ xi), V, covariance=C), 0.0, 64 * u)
