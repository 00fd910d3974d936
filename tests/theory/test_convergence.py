"""Energies, steps, distances and basins keep what is promised, and the promises are sharp."""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import modern, retrieve, theory
from hopref.errors import DomainError
from tests import rounding
from tests.draw import arrays
from tests.laws import law
from tests.rounding import close, g
from tests.theory.adversaries import crowds, norms, patterns, room


@law("theory.energy_bounds", id="MH-3", over=crowds(),
     kills=["energy_at_most_two_squares", "energy_at_least_the_difference"])
def test_every_energy_lies_between_the_bounds_which_a_lone_pattern_attains(rules, xi, X, beta):
    low, high = rules.theory.energy_bounds(xi, X)
    E = modern.energy(xi, X, beta=beta)
    slack = rounding.modern_energy(xi, X, beta) + g(X.shape[1] + 6) * (norms(X).max()
                                                                       + norms(xi)) ** 2
    assert np.all(low <= E + slack) and np.all(E <= high + slack)
    for side, bound in zip((1.0, -1.0), rules.theory.energy_bounds(xi[:1] * [[1.0]], xi[:1])):
        E = modern.energy(side * xi[:1], xi[:1], beta=beta)
        close(bound, E, g(X.shape[1] + 6) * 4 * norms(xi[:1]) ** 2)


@law("theory.hull_energy_bound", id="MH-3", over=crowds(),
     kills=["hull_without_the_logarithm", "hull_by_one_square"])
def test_between_the_patterns_no_energy_is_above_the_bound(rules, xi, X, beta):
    bound = rules.theory.hull_energy_bound(X, beta=beta)
    slack = room(theory.hull_energy_bound, X, beta=beta) + g(len(X)) * norms(X).max() ** 2
    for inside in (X, (X + X[::-1]) / 2, X.mean(0)[None]):
        E = modern.energy(inside, X, beta=beta)
        assert np.all(E <= bound + slack + rounding.modern_energy(inside, X, beta))


def test_the_hull_bound_is_nearly_attained_at_either_end():
    X = np.array([[1.0], [-1.0]])
    assert modern.energy([0.0], X, beta=1e9) >= theory.hull_energy_bound(X, beta=1e9) * (1 - 1e-8)
    many = np.array([[1.0]] + [[-1.0]] * 10**6)
    assert modern.energy([1.0], many, beta=0.1) >= 0.98 * theory.hull_energy_bound(many, beta=0.1)


def test_outside_of_the_hull_its_bound_fails():
    assert modern.energy([-1.0], [[1.0]]) > theory.hull_energy_bound([[1.0]])


@law("theory.smallest_step_bound", id="MH-4", over=crowds(),
     kills=["step_bound_without_two", "step_bound_by_the_number_of_steps"])
def test_steps_get_as_short_as_the_energy_allows(rules, xi, X, beta):
    states, steps = xi, []
    for T in range(1, 6):
        after = modern.update(states, X, beta=beta)
        steps.append(norms(after - states))
        slack = norms(rounding.modern_update(states, X, beta)) + g(9) * norms(X).max()
        bound = rules.theory.smallest_step_bound(xi, X, beta=beta, steps=T)
        known = room(theory.smallest_step_bound, xi, X, beta=beta, steps=T)
        assert np.all(np.min(steps, 0) <= bound + known + T * slack)
        states = after


def test_one_step_to_a_lone_pattern_attains_the_bound():
    assert theory.smallest_step_bound([3.0, 4.0], [[0.0, 0.0]], steps=1) == 5.0


@st.composite
def lines(draw):
    """The slowest map that a factor allows: xi -> q xi, from 1."""
    return {"q": draw(st.sampled_from([0.0, 0.25, 0.5, 0.75])), "steps": draw(st.integers(1, 6))}


@law("theory.distance_bound", id="MH-8", over=lines(),
     kills=["distance_without_the_geometric_sum", "distance_one_step_late"])
def test_a_linear_map_attains_the_bound_of_the_distance(rules, q, steps):
    assert rules.theory.distance_bound(1 - q, factor=q, steps=steps) == q**steps


@law("theory.distance_bound", "theory.contraction_factor", id="MH-8", over=crowds(),
     kills=["distance_one_step_late", "contraction_with_an_eighth"])
def test_states_come_to_the_one_fixed_point_as_fast_as_promised(rules, xi, X, beta):
    """Two opposite patterns half as steep as may be; twins at the fixed point 0 of X and -X."""
    X = np.concatenate([X, -X])
    X = X / max(1.0, np.sqrt(2 * beta) * norms(X).max())              # diam = 2 M: q <= 1/2
    q = min(float(rules.theory.contraction_factor(X, beta=beta)), 0.5)
    states = xi[:1]
    step = float(norms(modern.update(states, X, beta=beta) - states)[0])
    for T in range(1, 6):
        slack = 2 * norms(rounding.modern_update(states, X, beta))[0] + g(9) * step
        states = modern.update(states, X, beta=beta)
        bound = rules.theory.distance_bound(step, factor=q, steps=T)
        assert norms(states)[0] <= bound * (1 + g(20)) + T * slack


@pytest.mark.parametrize("factor", [1.0, 2.0, -0.1, float("nan")])
def test_no_rate_is_promised_where_nothing_contracts(factor):
    with pytest.raises(DomainError, match="factor must be a number >= 0 and below 1; got factor="):
        theory.distance_bound(1.0, factor=factor, steps=3)


# -- basins -------------------------------------------------------------------------------------

@st.composite
def basins(draw):
    """Patterns, a temperature at which some have basins, directions to leave them by."""
    X = draw(patterns(2, 5))
    return {"X": X, "beta": draw(st.sampled_from([0.5, 2.0, 16.0])),
            "towards": draw(arrays(*X.shape))}


@law("theory.basin_radius", id="MH-9", over=basins(),
     kills=["basin_up_to_the_larger_root", "basin_by_the_nearest_rival", "basin_without_a_check",
            "basin_of_the_paper"])
def test_a_basin_keeps_its_states_and_brings_them_together(rules, X, beta, towards):
    radii = rules.theory.basin_radius(X, beta=beta)
    kept = theory.separation(X) >= theory.required_separation(X, beta=beta) if np.any(X) else []
    for i, rho in enumerate(radii):
        if np.any(kept) and kept[i]:
            assert rho >= theory.sphere_radius(X, beta=beta) * (1 - 1e-12)
        if not 0 < rho < np.inf:
            continue
        rivals = X - X[i]
        ends = np.concatenate([rivals, towards])
        size = norms(ends)[:, None]
        edge = X[i] + rho * (1 - 2.0**-30) * ends / np.where(size > 0, size, 1.0)
        after = modern.update(edge, X, beta=beta)
        slack = norms(rounding.modern_update(edge, X, beta)) + g(9) * (norms(X).max() + rho)
        assert np.all(norms(after - X[i]) <= rho + slack)
        apart = norms(edge[:, None] - edge)
        assert np.all(norms(after[:, None] - after) <= apart + 2 * slack.max())


@pytest.mark.parametrize("beta, share", [(8.0, 0.78), (100.0, 0.96)])
def test_the_basin_is_nearly_the_true_one_at_a_low_temperature(beta, share):
    """Of two opposite patterns each attracts its half line: radius 1."""
    radius = theory.basin_radius([[1.0], [-1.0]], beta=beta)
    assert np.all((share < radius) & (radius < 1))
    run = retrieve(modern.update, [[0.01], [-0.01]], [[1.0], [-1.0]], beta=beta)
    assert np.all(np.sign(run.states[:, 0]) == [1, -1])


def test_equal_patterns_attract_everything_and_a_dominated_one_nothing():
    assert np.all(theory.basin_radius([[1.0, 2.0]] * 3) == np.inf)
    assert theory.basin_radius([[1.0], [2.0]], beta=50.0)[0] == 0
    twin = theory.basin_radius([[2.0], [2.0], [-2.0]], beta=4.0)
    assert np.all(twin > 1) and twin[0] == twin[1]


@pytest.mark.parametrize("beta", [1e-300, 1e-3, 1e300])
def test_basins_are_numbers_at_extreme_temperatures_and_norms(beta):
    for size in (1e-150, 1.0, 1e150):
        radius = theory.basin_radius(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]]) * size,
                                     beta=beta)
        assert np.all(radius >= 0) and not np.any(np.isnan(radius))


def test_a_basin_is_refused_in_its_own_name():
    with pytest.raises(DomainError, match=r"hopref\.theory\.basin_radius: X must be finite; got"):
        theory.basin_radius([[np.nan]])
    with pytest.raises(DomainError, match=r"hopref\.theory\.basin_radius: beta must be a positive"):
        theory.basin_radius([[1.0]], beta=-1)
