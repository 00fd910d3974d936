"""Bounds on energies, steps, distances and basins hold and are sharp."""
import numpy as np
import pytest

from hopref import modern, retrieve, theory
from hopref.errors import DomainError


def test_the_hull_bound_is_nearly_attained_for_small_and_large_beta():
    X = np.array([[1.0], [-1.0]])
    assert modern.energy([0.0], X, beta=1e9) >= theory.hull_energy_bound(X, beta=1e9) * (1 - 1e-8)
    many = np.array([[1.0]] + [[-1.0]] * 10**6)
    assert modern.energy([1.0], many, beta=0.1) >= 0.98 * theory.hull_energy_bound(many, beta=0.1)


def test_the_hull_bound_fails_outside_of_the_hull():
    assert modern.energy([-1.0], [[1.0]]) > theory.hull_energy_bound([[1.0]])


def test_one_step_to_a_single_pattern_attains_the_bound():
    assert theory.smallest_step_bound([3.0, 4.0], [[0.0, 0.0]], steps=1) == 5.0


@pytest.mark.parametrize("factor", [1.0, 2.0, -0.1, float("nan")])
def test_a_factor_of_one_or_more_raises(factor):
    with pytest.raises(DomainError, match="factor must be a number >= 0 and below 1; got factor="):
        theory.distance_bound(1.0, factor=factor, steps=3)


# -- basins -------------------------------------------------------------------------------------

@pytest.mark.parametrize("beta, share", [(8.0, 0.78), (100.0, 0.96)])
def test_the_basin_radius_is_nearly_exact_at_low_temperature(beta, share):
    """Each of two opposite patterns attracts a half-line, so that the radius is 1."""
    radius = theory.basin_radius([[1.0], [-1.0]], beta=beta)
    assert np.all((share < radius) & (radius < 1))
    run = retrieve(modern.update, [[0.01], [-0.01]], [[1.0], [-1.0]], beta=beta)
    assert np.all(np.sign(run.states[:, 0]) == [1, -1])


def test_the_basin_of_equal_patterns_is_infinite_and_of_a_dominated_one_empty():
    assert np.all(theory.basin_radius([[1.0, 2.0]] * 3) == np.inf)
    assert theory.basin_radius([[1.0], [2.0]], beta=50.0)[0] == 0
    equal = theory.basin_radius([[2.0], [2.0], [-2.0]], beta=4.0)
    assert np.all(equal > 1) and equal[0] == equal[1]


@pytest.mark.parametrize("beta", [1e-300, 1e-3, 1e300])
def test_basin_radii_are_finite_at_extreme_temperatures_and_norms(beta):
    for size in (1e-150, 1.0, 1e150):
        radius = theory.basin_radius(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]]) * size,
                                     beta=beta)
        assert np.all(radius >= 0) and not np.any(np.isnan(radius))


def test_errors_name_basin_radius():
    with pytest.raises(DomainError, match=r"hopref\.theory\.basin_radius: X must be finite; got"):
        theory.basin_radius([[np.nan]])
    with pytest.raises(DomainError, match=r"hopref\.theory\.basin_radius: beta must be a positive"):
        theory.basin_radius([[1.0]], beta=-1)
