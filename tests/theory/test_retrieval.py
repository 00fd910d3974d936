"""Bounds on retrieval errors and on Jacobians hold, and each is attained."""
import numpy as np
import pytest

from hopref import modern, retrieve, theory
from hopref.check.cases.adversaries import norms
from hopref.errors import DomainError, ShapeError
from tests import rounding
from tests.rounding import close, g


def missed(xi, X, beta):
    """Distance of updated state i from pattern i, and a bound on its rounding error."""
    return (norms(modern.update(xi, X, beta=beta) - X),
            norms(rounding.modern_update(xi, X, beta)) + g(X.shape[1] + 4) * norms(X).max())


# -- error after one update ---------------------------------------------------------------------


def test_the_second_half_of_theorem_five_fails_far_from_the_pattern():
    X, xi = np.array([[3.0], [-3.0]]), np.array([[-0.5], [0.5]])
    assert np.all(missed(xi, X, 1.0)[0] > 1e3 * theory.near_error_bound(X))


def test_theorem_four_is_attained_between_two_opposite_patterns():
    """f(xi) = x tanh(beta x xi): slope beta x^2 at 0, which is 2 beta N M^2 / 4."""
    X, xi = np.array([[2.0], [-2.0]]), np.full((2, 1), 2.0**-20)
    bound = theory.fixed_point_distance_bound(xi, 0 * X, X, beta=0.125)
    close(bound, np.abs(modern.update(xi, X, beta=0.125))[:, 0], 2.0**-40 * bound)     # tanh's cube


def test_theorem_four_fails_without_a_fixed_point():
    X, xi = np.array([[1.0], [-1.0]]), np.zeros((2, 1))
    bound = theory.fixed_point_distance_bound(xi, xi + 2.0**-10, X)
    assert np.all(bound < 2.0**-9) and np.all(np.abs(modern.update(X, X) - 2.0**-10) > 0.5)
    off = theory.fixed_point_distance_bound(X, X, X)         # a pattern is no fixed point
    assert np.all(off == 0) and np.all(missed(X, X, 1.0)[0] > 0.1)


# -- spheres ------------------------------------------------------------------------------------


def test_without_the_extra_condition_spheres_of_separated_patterns_may_meet():
    X = np.array([[0.3125, 0.0], [-0.3125, 0.0]])
    assert np.all(theory.separation(X) >= theory.required_separation(X))
    assert 2 * 2 * 0.3125**2 < 1 and 2 * theory.sphere_radius(X) > theory.diameter(X)


# -- Jacobians ----------------------------------------------------------------------------------


def test_above_the_factor_one_there_are_three_fixed_points():
    X = np.array([[1.0], [-1.0]])
    assert theory.contraction_factor(X, beta=1.5) == 1.5
    run = retrieve(modern.update, [[0.5], [0.0], [-0.5]], X, beta=1.5)
    assert np.all(run.converged) and np.all(np.diff(run.states[:, 0]) < -0.8)


def test_the_diameter_is_accurate_with_a_common_offset():
    X = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]])
    assert theory.diameter(X + 2.0**40) == 5.0


@pytest.mark.parametrize("beta", [1e-300, 1e300])
def test_bounds_are_not_nan_at_extreme_temperatures(beta):
    X = np.array([[1.0, 0.0], [0.5, 0.5], [-2.0, 0.0]])
    for op in (theory.retrieval_error_bound, theory.gap_error_bound):
        assert np.all(op(X, X, beta=beta) <= 2 * 2.0)
    assert np.all(theory.near_error_bound(X, beta=beta) <= 4.0)
    assert np.all(theory.separation_error_bound(X, X, X, beta=beta) <= 4.0)
    assert np.all(np.isfinite(theory.jacobian_bound(X, X, beta=beta)))


def test_a_wrong_number_of_states_raises():
    with pytest.raises(ShapeError, match=r"theory\.retrieval_error_bound: n must be the same in"):
        theory.retrieval_error_bound([[1.0]], [[1.0], [2.0]])
    with pytest.raises(DomainError, match="beta must be a positive finite number; got beta=0"):
        theory.contraction_factor([[1.0]], beta=0)
