"""No bound of a retrieval error or of a slope is ever violated; each is attained somewhere."""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import modern, retrieve, theory
from hopref.errors import DomainError, ShapeError
from tests import rounding
from tests.draw import arrays
from tests.laws import law
from tests.rounding import close, g, u
from tests.theory.adversaries import betas, crowds, norms, pairs, patterns, room, spectral, spheres


def missed(xi, X, beta):
    """How far state i ends from pattern i, and what rounding may do to that."""
    return (norms(modern.update(xi, X, beta=beta) - X),
            norms(rounding.modern_update(xi, X, beta)) + g(X.shape[1] + 4) * norms(X).max())


def jacobian(xi, X, beta):
    """Its spectral norm, from the eigenvalues of the covariance; and what rounding does to them."""
    J = modern.jacobian(xi, X, beta=beta)
    tau = rounding.modern_weights(xi, X, beta).sum(-1) + g(X.shape[0] + 40)
    return spectral(J), 8 * len(X) * tau * beta * norms(X).max() ** 2


# -- the miss after one update ------------------------------------------------------------------

@law("theory.retrieval_error_bound", "theory.gap_error_bound", id="MH-9", over=crowds(),
     kills=["error_by_the_largest_norm", "error_without_the_diameter", "gap_bound_without_rivals",
            "gap_bound_without_two"])
def test_one_update_ends_within_the_bounds_and_the_lemma_is_the_weaker(rules, xi, X, beta):
    miss, slack = missed(xi, X, beta)
    sharp = rules.theory.retrieval_error_bound(xi, X, beta=beta)
    loose = rules.theory.gap_error_bound(xi, X, beta=beta)
    slack = slack + room(theory.retrieval_error_bound, xi, X, beta=beta)
    assert np.all(miss <= sharp + slack)
    assert np.all(sharp <= loose + slack + room(theory.gap_error_bound, xi, X, beta=beta))


@law("theory.retrieval_error_bound", id="MH-9", over=pairs(),
     kills=["error_by_twice_the_norm", "error_without_the_diameter"])
def test_two_patterns_attain_the_error_bound(rules, xi, X, beta):
    miss, slack = missed(xi, X, beta)
    bound = rules.theory.retrieval_error_bound(xi, X, beta=beta)
    close(bound, miss, slack + room(theory.retrieval_error_bound, xi, X, beta=beta))


@law("theory.gap_error_bound", "theory.near_error_bound", id="MH-9", over=crowds(),
     kills=["gap_bound_with_every_pattern", "near_bound_without_e"])
def test_the_lemma_and_the_theorem_say_what_they_print_where_they_say_something(rules, xi, X, beta):
    """Twins of the printed formulas, by loops, below the trivial 2 M."""
    N, M = len(X), norms(X).max()
    for i in range(N):
        rivals = np.delete(X, i, 0)
        c = xi[i] @ X[i] - max(rivals @ xi[i], default=-np.inf)
        delta = X[i] @ X[i] - max(rivals @ X[i], default=-np.inf)
        for got, power, op, args in (
                (rules.theory.gap_error_bound(xi, X, beta=beta), -beta * c,
                 theory.gap_error_bound, (xi, X)),
                (rules.theory.near_error_bound(X, beta=beta), 1 - beta * delta,
                 theory.near_error_bound, (X,))):
            want = 2 * M * min(1.0, (N - 1) * np.exp(min(power, 700.0)))
            close(got[i], want, 2 * room(op, *args, beta=beta)[i] + g(8) * want)


@law("theory.separation_error_bound", id="MH-9", over=crowds(),
     kills=["separation_bound_reaches_half_as_far", "separation_bound_forgets_the_distance"])
def test_one_update_ends_within_the_bound_of_theorem_five(rules, xi, X, beta):
    miss, slack = missed(xi, X, beta)
    for fixed in (X, xi):
        bound = rules.theory.separation_error_bound(xi, fixed, X, beta=beta)
        near = room(theory.separation_error_bound, xi, fixed, X, beta=beta)
        assert np.all(miss <= bound + slack + near)


@law("theory.near_error_bound", id="MH-9", over=spheres(),
     kills=["near_bound_without_e"])
def test_near_a_pattern_one_update_ends_within_the_second_half_of_theorem_five(rules, xi, X, beta):
    miss, slack = missed(xi, X, beta)
    bound = rules.theory.near_error_bound(X, beta=beta)
    assert np.all(miss <= bound + slack + room(theory.near_error_bound, X, beta=beta))


def test_far_from_the_pattern_the_second_half_of_theorem_five_fails():
    X, xi = np.array([[3.0], [-3.0]]), np.array([[-0.5], [0.5]])
    assert np.all(missed(xi, X, 1.0)[0] > 1e3 * theory.near_error_bound(X))


@st.composite
def with_fixed_points(draw):
    """Fixed points that are known exactly: 0 of patterns that come in pairs, or equal patterns."""
    X = draw(patterns(1, 3))
    n, d = X.shape
    twins = draw(st.booleans())
    X = np.repeat(X[:1], n, 0) if twins else np.concatenate([X, -X])
    xi = draw(arrays(*X.shape)) / draw(st.sampled_from([1.0, 2.0**12]))
    return {"xi": xi, "fixed": X if twins else 0 * X, "X": X, "beta": draw(betas)}


@law("theory.fixed_point_distance_bound", id="MH-9", over=with_fixed_points(),
     kills=["distance_bound_with_one_pattern_less", "distance_bound_without_two",
            "distance_bound_forgets_the_distance"])
def test_one_update_comes_as_near_to_a_fixed_point_as_theorem_four_says(rules, xi, fixed, X, beta):
    bound = rules.theory.fixed_point_distance_bound(xi, fixed, X, beta=beta)
    left = norms(modern.update(xi, X, beta=beta) - fixed)
    slack = norms(rounding.modern_update(xi, X, beta)) + g(X.shape[1] + 4) * norms(X).max()
    known = room(theory.fixed_point_distance_bound, xi, fixed, X, beta=beta)
    assert np.all(left <= bound + slack + known)


def test_theorem_four_is_attained_between_two_opposite_patterns():
    """f(xi) = x tanh(beta x xi): slope beta x^2 at 0, which is 2 beta N M^2 / 4."""
    X, xi = np.array([[2.0], [-2.0]]), np.full((2, 1), 2.0**-20)
    bound = theory.fixed_point_distance_bound(xi, 0 * X, X, beta=0.125)
    close(bound, np.abs(modern.update(xi, X, beta=0.125))[:, 0], 2.0**-40 * bound)     # tanh's cube


def test_without_a_fixed_point_theorem_four_fails():
    X, xi = np.array([[1.0], [-1.0]]), np.zeros((2, 1))
    bound = theory.fixed_point_distance_bound(xi, xi + 2.0**-10, X)
    assert np.all(bound < 2.0**-9) and np.all(np.abs(modern.update(X, X) - 2.0**-10) > 0.5)
    off = theory.fixed_point_distance_bound(X, X, X)         # a pattern is no fixed point
    assert np.all(off == 0) and np.all(missed(X, X, 1.0)[0] > 0.1)


# -- spheres ------------------------------------------------------------------------------------

@law("theory.sphere_radius", "theory.diameter", id="MH-9", over=crowds(least=2),
     kills=["radius_without_the_number_of_patterns", "radius_by_the_mean_norm"])
def test_spheres_about_separated_patterns_are_disjoint_and_kept(rules, xi, X, beta):
    """Eq. (305) of the paper: disjoint if besides 2 (N - 1) N beta M^2 > 1."""
    N, M = len(X), norms(X).max()
    radius = rules.theory.sphere_radius(X, beta=beta)
    if M == 0:
        assert radius == np.inf
        return
    close(radius * beta * N * M, 1.0, g(8))
    kept = theory.separation(X) >= theory.required_separation(X, beta=beta)
    apart = norms(X[:, None] - X)
    disjoint = 2 * (N - 1) * N * beta * M**2 > 1
    for i in np.flatnonzero(kept):
        assert not disjoint or np.delete(apart[i], i).min() > 2 * radius
        for state in (X[i] + radius / max(norms(xi[i]), 2.0**-30) * xi[i], X[i]):
            after = norms(modern.update(state, X, beta=beta) - X[i])
            slack = norms(rounding.modern_update(state[None], X, beta))[0]
            assert norms(state - X[i]) > radius * (1 + 8 * u) or after <= radius + slack


def test_without_the_extra_condition_spheres_of_separated_patterns_may_meet():
    X = np.array([[0.3125, 0.0], [-0.3125, 0.0]])
    assert np.all(theory.separation(X) >= theory.required_separation(X))
    assert 2 * 2 * 0.3125**2 < 1 and 2 * theory.sphere_radius(X) > theory.diameter(X)


# -- slopes -------------------------------------------------------------------------------------

@law("theory.jacobian_bound", "theory.jacobian_norm_bound", id="MH-6", over=crowds(),
     kills=["jacobian_bound_by_the_norm", "jacobian_bound_below_a_half",
            "norm_bound_without_the_number_of_patterns", "norm_bound_without_two"])
def test_the_slope_is_within_the_bounds_and_the_lemma_is_the_weaker(rules, xi, X, beta):
    slope, slack = jacobian(xi, X, beta)
    sharp = rules.theory.jacobian_bound(xi, X, beta=beta)
    loose = rules.theory.jacobian_norm_bound(xi, X, beta=beta)
    slack = slack + room(theory.jacobian_bound, xi, X, beta=beta)
    assert np.all(slope <= sharp + slack)
    assert np.all(sharp <= loose + slack + room(theory.jacobian_norm_bound, xi, X, beta=beta))


@law("theory.jacobian_bound", id="MH-6", over=pairs(),
     kills=["jacobian_bound_by_a_quarter", "jacobian_bound_by_the_norm",
            "jacobian_bound_by_the_missing_weight"])
def test_two_patterns_attain_the_bound_of_the_slope(rules, xi, X, beta):
    slope, slack = jacobian(xi, X, beta)
    bound = rules.theory.jacobian_bound(xi, X, beta=beta)
    close(bound, slope, slack + room(theory.jacobian_bound, xi, X, beta=beta))


@st.composite
def scores(draw):
    return {"z": draw(arrays(2, draw(st.integers(1, 5)))), "beta": draw(betas)}


@law("theory.softmax_slope_bound", id="MH-6", over=scores(),
     kills=["softmax_slope_without_two", "softmax_slope_by_a_half"])
def test_the_softmax_is_no_steeper_than_its_bound_which_two_scores_attain(rules, z, beta):
    p = np.exp(beta * (z - z.max(-1, keepdims=True)))
    p = p / p.sum(-1, keepdims=True)
    slope = beta * spectral(p[..., None] * (np.eye(z.shape[-1]) - p[..., None, :]))
    bound = rules.theory.softmax_slope_bound(z, beta=beta)
    slack = room(theory.softmax_slope_bound, z, beta=beta) + beta * g(20 * z.shape[-1])
    assert np.all(slope <= bound + slack) and np.all(bound <= beta / 2 + slack)
    if z.shape[-1] == 2:
        close(bound, slope, slack)


@law("theory.contraction_factor", "theory.contraction_factor_about_mean", id="MH-8", over=crowds(),
     kills=["contraction_by_the_norm", "contraction_with_an_eighth", "contraction_about_the_first",
            "contraction_by_the_mean_distance"])
def test_any_two_states_come_closer_by_the_factor_and_the_lemma_is_the_weaker(rules, xi, X, beta):
    q = rules.theory.contraction_factor(X, beta=beta)
    about = rules.theory.contraction_factor_about_mean(X, beta=beta)
    mean = X.mean(0)
    close(about, beta * max((x - mean) @ (x - mean) for x in X),
          2 * room(theory.contraction_factor_about_mean, X, beta=beta)
          + beta * g(len(X) + 8) * norms(X).max() ** 2)
    assert q <= about * (1 + g(8)) + beta * g(len(X) + 8) * norms(X).max() ** 2
    f, slack = modern.update(xi, X, beta=beta), norms(rounding.modern_update(xi, X, beta)).max()
    for a, b in ((0, -1), (0, len(xi) // 2)):
        assert norms(f[a] - f[b]) <= q * norms(xi[a] - xi[b]) * (1 + g(20)) + 2 * slack
    if len(X) == 2:
        at = modern.jacobian(X.mean(0), X, beta=beta)                       # attained midway
        if norms(X[0]) == norms(X[1]):
            assert spectral(at) >= q * (1 - 2.0**-20) - beta * 2.0**-20


def test_beyond_the_factor_one_there_are_three_fixed_points():
    X = np.array([[1.0], [-1.0]])
    assert theory.contraction_factor(X, beta=1.5) == 1.5
    run = retrieve(modern.update, [[0.5], [0.0], [-0.5]], X, beta=1.5)
    assert np.all(run.converged) and np.all(np.diff(run.states[:, 0]) < -0.8)


@law("theory.diameter", id="MH-6", over=crowds(),
     kills=["diameter_from_the_first", "diameter_squared"])
def test_the_diameter_is_the_largest_distance(rules, xi, X, beta):
    want = max(norms(a - b) for a in X for b in X)
    close(rules.theory.diameter(X), want, g(X.shape[1] + 6) * want)


def test_an_offset_costs_the_diameter_no_digit():
    X = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]])
    assert theory.diameter(X + 2.0**40) == 5.0


@pytest.mark.parametrize("beta", [1e-300, 1e300])
def test_bounds_stay_numbers_at_extreme_temperatures(beta):
    X = np.array([[1.0, 0.0], [0.5, 0.5], [-2.0, 0.0]])
    for op in (theory.retrieval_error_bound, theory.gap_error_bound):
        assert np.all(op(X, X, beta=beta) <= 2 * 2.0)
    assert np.all(theory.near_error_bound(X, beta=beta) <= 4.0)
    assert np.all(theory.separation_error_bound(X, X, X, beta=beta) <= 4.0)
    assert np.all(np.isfinite(theory.jacobian_bound(X, X, beta=beta)))


def test_a_state_for_each_pattern_is_asked_for():
    with pytest.raises(ShapeError, match=r"theory\.retrieval_error_bound: n must be the same in"):
        theory.retrieval_error_bound([[1.0]], [[1.0], [2.0]])
    with pytest.raises(DomainError, match="beta must be a positive finite number; got beta=0"):
        theory.contraction_factor([[1.0]], beta=0)
