"""Numbers of features, and the bias and variance of ratios of estimates."""
import numpy as np
import pytest

from hopref import attention, features, theory
from hopref.errors import DomainError, ShapeError
from tests.rounding import close, u


def test_unreachable_errors_and_counts_beyond_2_to_53_are_infinite():
    x = np.full(4, 0.5)
    bias = theory.estimator_bias(x, x, draw="regularized") / np.exp(x @ x)
    assert theory.features_needed(x, x, error=-bias * 0.99, draw="regularized") == np.inf
    assert theory.features_needed(x, x, error=-bias * 1.01, draw="regularized") < np.inf
    assert theory.features_needed([5.0], [5.0], error=0.1) == np.inf     # e^100 / 0.01
    assert theory.features_needed(np.zeros((2, 3, 1)), [0.5], error=0.5).shape == (2, 3)


PLACE = np.array([0.25, 0.1]), np.array([[0.5, 0.0], [0.0, 0.5], [-0.3, 0.1]])


def test_the_delta_method_fails_for_few_features_and_large_norms():
    """For m = 8 and norms 0.8 it gives several times the variance of attention."""
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


@pytest.mark.parametrize("call, error, word", [
    (lambda: theory.features_needed([1.0], [1.0], error=0.0), DomainError, "error must be a pos"),
    (lambda: theory.features_needed([1.0], [1.0], error=1.0, draw="qmc"), DomainError, "draw must"),
    (lambda: theory.uniform_features(0.0, d=2, error=1.0), DomainError, "R must be a positive"),
    (lambda: theory.ratio_bias([1.0], [[1.0]], covariance=[[1.0, 2.0]]), ShapeError, "kernel, V"),
    (lambda: theory.ratio_variance([1.0, -1.0], [[1.0], [1.0]], covariance=np.eye(2)), DomainError,
     "kernel must have a sum other than 0"),
])
def test_invalid_arguments_of_budgets_raise(call, error, word):
    with pytest.raises(error, match=f"hopref.theory.*: {word}.*; got"):
        call()


def test_a_ratio_of_equal_values_has_neither_bias_nor_variance():
    xi, X = PLACE
    C = theory.kernel_covariance(xi, X, m=4)
    V = np.full((3, 2), 1.75)
    close(theory.ratio_bias(np.exp(X @ xi), V, covariance=C), 0.0, 64 * u * C.sum())
    close(theory.ratio_variance(np.exp(X @ xi), V, covariance=C), 0.0, 64 * u)
