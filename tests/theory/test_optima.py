"""Parameters of exponential features: accuracy of the optimum, and the reduction of the error."""
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import features, projections, theory
from hopref.check.laws.optima import clouds
from hopref.errors import DomainError, ShapeError
from tests.rounding import close, g, u

phis = st.floats(1e-30, 1e30)


@given(phis, st.integers(1, 1000))
def test_the_parameter_solves_its_equation_to_machine_precision(s, d):
    """With 120 digits the formula makes d/dA [log(1 - 4A) - log(1 - 8A)/2 + phi/(1 - 8A)] vanish;
    ours is that formula to 16 u, at any phi."""
    with mpmath.workdps(120):
        phi = mpmath.mpf(s) / d
        want = (1 - 2 * phi - mpmath.sqrt((2 * phi + 1) ** 2 + 8 * phi)) / 16
        slope = -4 / (1 - 4 * want) + 4 / (1 - 8 * want) + 8 * phi / (1 - 8 * want) ** 2
        assert abs(slope) <= 1e-40 * (1 + phi)
        got = theory.gerf_parameter(s, d=d)
        assert got < 0 and abs(got - want) <= 16 * u * abs(want)


def test_the_inverse_of_psi_is_unbiased_and_worse_than_no_scaling():
    """A published code uses the inverse: the variance shows it, the mean does not."""
    X, Y = clouds(5, shift=0.0)
    a, B, C = theory.derf_parameters(X, Y, kind="saderf")
    wrong = (a, np.diag(np.diagonal(C)), np.diag(np.diagonal(B)))
    close(wrong[1].T @ np.diag(1 / (1 - 4 * a)) @ wrong[2], np.eye(3), g(100))
    A = theory.gerf_parameter(theory.mean_squared_sum(X, Y), d=3)
    none = (np.full(3, A), np.sqrt(1 - 4 * A) * np.eye(3), np.sqrt(1 - 4 * A) * np.eye(3))
    right, plain, inverted = (np.mean(theory.derf_log_second_moment(X[:, None], Y, p))
                              for p in ((a, B, C), none, wrong))
    assert right < plain < inverted


def test_an_axis_that_is_always_zero_is_not_scaled():
    X, Y = np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[1.0, 3.0], [1.0, -3.0]])
    a, B, C = theory.derf_parameters(X, Y, kind="saderf")
    assert B[1, 1] == C[1, 1] and np.all(np.isfinite([B, C]))
    with pytest.raises(DomainError, match="second moments of full rank for kind='aderf'"):
        theory.derf_parameters(X, Y, kind="aderf")


def test_the_published_form_has_the_wrong_sign_at_small_s():
    """(1 - 1/rho)/8 with rho = (sqrt((2s + d)^2 + 8ds) - 2s - d)/4s: at s = 1e-9, d = 16 it is
    positive; the exact value is -s/2d to first order."""
    s, d = 1e-9, 16
    rho = (np.sqrt((2 * s + d) ** 2 + 8 * d * s) - 2 * s - d) / (4 * s)
    assert (1 - 1 / rho) / 8 > 0
    want = -Fraction(s) / (2 * d)
    assert abs(theory.gerf_parameter(s, d=d) / float(want) - 1) < 1e-9


@given(st.floats(0.0, 1e6), st.integers(1, 100))
def test_the_parameter_tends_to_zero_with_s_and_decreases(s, d):
    assert theory.gerf_parameter(0.0, d=d) == 0.0
    assert theory.gerf_parameter(2 * s + 1, d=d) < theory.gerf_parameter(s, d=d) <= 0


def test_gerf_features_of_orthogonal_rows_have_the_predicted_error():
    """The features, the draw, the parameter and the formula together: six standard errors."""
    x, y, m, draws = np.array([0.6, 0.2, 0.1]), np.array([0.3, 0.5, -0.2]), 3, 2000
    A = theory.gerf_parameter((x + y) @ (x + y), d=3)
    rng = np.random.default_rng(2)
    omega = np.concatenate([projections.orthogonal(m, 3, rng=rng) for _ in range(draws)])
    phi = [features.gerf(v, omega, A=A).reshape(draws, m) for v in (x, y)]
    sample = (phi[0] * phi[1]).sum(-1) * draws
    squares = (sample - np.exp(x @ y)) ** 2
    mse = theory.estimator_mse(x, y, m=m, draw="orthogonal", A=A)
    close(sample.mean(), np.exp(x @ y), 6 * np.sqrt(mse / draws))
    close(squares.mean(), mse, 6 * squares.std() / np.sqrt(draws))
    assert mse < theory.estimator_mse(x, y, m=m, draw="orthogonal")


@pytest.mark.parametrize("call, error, word", [
    (lambda: theory.gerf_parameter(-1.0, d=2), DomainError, "s must be a finite number >= 0"),
    (lambda: theory.gerf_parameter(1.0, d=0), DomainError, "d must be a positive finite number"),
    (lambda: theory.mean_squared_sum([[1.0]], [[1.0, 2.0]]), ShapeError, "X and Y must agree in d"),
    (lambda: theory.derf_parameters([1.0], [[1.0]]), ShapeError, r"X must have shape \(n,d\)"),
    (lambda: theory.derf_parameters([[1.0]], [[1.0]], kind="b"), DomainError, "kind must be one"),
    (lambda: theory.derf_log_second_moment([1.0], [1.0], ([0.0], [1.0], [[1.0]])), ShapeError,
     r"a, B and C must be \(d,\), \(d, d\) and \(d, d\)"),
])
def test_invalid_arguments_of_optima_raise(call, error, word):
    with pytest.raises(error, match=f"hopref.theory.*: {word}.*; got"):
        call()
