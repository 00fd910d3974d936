"""Groups of similar patterns answer together where the lemmas say so; kinds of fixed points."""
import numpy as np
import pytest
from hypothesis import assume

from hopref import modern, retrieve, theory
from hopref.errors import DomainError
from tests import rounding
from tests.laws import law
from tests.rounding import close, g
from tests.theory.adversaries import crowds, groups, metastable, norms, room, spectral


@law("theory.group_error_bound", id="MH-11", over=groups(),
     kills=["group_error_without_two", "group_error_without_the_others",
            "group_error_of_the_first"])
def test_one_update_ends_near_the_mean_of_a_group(rules, xi, X, others, beta):
    every = np.concatenate([X, others])
    miss = norms(modern.update(xi, every, beta=beta) - X.mean(0))
    slack = norms(rounding.modern_update(xi, every, beta)) + g(len(X) + 9) * norms(every).max()
    bound = rules.theory.group_error_bound(xi, X, others, beta=beta)
    known = room(theory.group_error_bound, xi, X, others, beta=beta)
    assert np.all(miss <= bound + slack + known)
    lone = rules.theory.group_error_bound(xi, X[:1], -X[:1], beta=beta)      # attained: x and -x
    f = modern.update(xi, np.concatenate([X[:1], -X[:1]]), beta=beta)
    close(lone, norms(f - X[0]), 2 * slack + room(theory.group_error_bound, xi, X[:1], -X[:1],
                                                  beta=beta))


@law("theory.group_jacobian_bound", id="MH-11", over=groups(),
     kills=["group_slope_to_first_order", "group_slope_without_the_others"])
def test_the_slope_where_a_group_leads_is_within_the_bound(rules, xi, X, others, beta):
    every = np.concatenate([X, others])
    slope = spectral(modern.jacobian(xi, every, beta=beta))
    tau = rounding.modern_weights(xi, every, beta).sum(-1) + g(len(every) + 40)
    slack = 8 * len(every) * tau * beta * norms(every).max() ** 2
    bound = rules.theory.group_jacobian_bound(xi, X, others, beta=beta)
    assert np.all(slope <= bound + slack
                  + room(theory.group_jacobian_bound, xi, X, others, beta=beta))


def test_the_slope_of_two_opposite_patterns_nearly_attains_the_bound():
    """4 gamma (1 - gamma) against 2 gamma (2 - gamma)."""
    slope = spectral(modern.jacobian([1.0], [[1.0], [-1.0]], beta=4.0))
    assert slope >= 0.999 * theory.group_jacobian_bound([1.0], [[1.0]], [[-1.0]], beta=4.0)


@law("theory.group_sphere", "theory.group_separation", id="MH-11", over=metastable(),
     kills=["sphere_without_its_logarithm", "sphere_without_beta", "group_seen_from_the_first"])
def test_a_separated_group_keeps_its_sphere_and_brings_its_states_together(rules, xi, X, others,
                                                                           beta):
    radius, required = rules.theory.group_sphere(X, others, beta=beta)
    mean = X.mean(0)
    separation = rules.theory.group_separation(X, others)
    close(separation, mean @ mean - (others @ mean).max(), g(20) * norms(X).max() ** 2)
    spread, M = norms(X - mean).max(), norms(np.concatenate([X, others])).max()
    close(radius * beta * spread, 1.0, 2.0**-30)        # the mean is rounded, 2^-40 lost
    log = np.log((1 - beta * spread**2) / (2 * beta * len(others) * M * max(spread, 2 * M)))
    close(required, 2 * M * radius - log / beta, 2.0**-30 * (M * radius + abs(log) / beta))
    assume(theory.group_separation(X, others) >= theory.group_sphere(X, others, beta=beta)[1])
    every = np.concatenate([X, others])
    after = modern.update(xi, every, beta=beta)
    slack = norms(rounding.modern_update(xi, every, beta)) + g(20) * M
    assert np.all(norms(after - mean) <= radius + slack)
    assert np.all(norms(after[0] - after) <= norms(xi[0] - xi) + 2 * slack.max())
    assert np.all(beta * radius * spread * M >= spread)       # so beta m_max M >= 1: its caution


def test_a_separated_group_has_one_metastable_state():
    X, others = np.array([[9.0, 0.5], [9.0, -0.5]]), np.array([[-9.0, 0.0]])
    radius, required = theory.group_sphere(X, others)
    assert theory.group_separation(X, others) >= required
    run = retrieve(modern.update, [[9.0 - 1.9, 0.0], [9.0, 1.9]], np.concatenate([X, others]))
    assert np.all(norms(run.states - [9.0, 0.0]) < 1e-5)
    kinds = theory.classify(run.states, np.concatenate([X, others]))
    assert np.all(kinds.kind == "metastable") and np.all(kinds.residual < 1e-9)


def test_without_the_separation_the_sphere_is_left_and_without_beta_it_is_not_promised():
    X, others = np.array([[1.0, 0.5], [1.0, -0.5]]), np.array([[8.0, 0.0]])
    radius, required = theory.group_sphere(X, others)
    assert theory.group_separation(X, others) < required
    after = modern.update(X.mean(0), np.concatenate([X, others]))
    assert norms(after - X.mean(0)) > radius
    assert theory.group_sphere(X, others, beta=4.0)[1] == np.inf         # beta m_max^2 = 1
    assert theory.group_sphere(X[:1], others) == (np.inf, np.inf)        # a lone pattern


@law("theory.effective_patterns", id="MH-11", over=crowds(),
     kills=["patterns_by_the_sum_of_squares", "patterns_in_bits", "entropy_of_the_scores"])
def test_the_effective_number_is_the_exponential_of_the_entropy(rules, xi, X, beta):
    p = modern.weights(xi, X, beta=beta)
    logs = np.log(np.where(p > 0, p, 1.0))
    got = rules.theory.effective_patterns(xi, X, beta=beta)
    tau = 2 * rounding.modern_weights(xi, X, beta).sum(-1)              # |dH| <= sum |dp| |log p|
    slack = len(X) * tau * (1 + np.abs(np.log(np.maximum(tau, 2.0**-1000)))) + g(60) * len(X)
    close(got, np.exp(-(p * logs).sum(-1)), slack + room(theory.effective_patterns, xi, X,
                                                         beta=beta))
    assert np.all((got >= 1 - slack) & (got <= len(X) + slack))


def test_clusters_give_the_three_kinds():
    """Two groups of three and a loner, far apart: cold it is one, warmer a group, then all."""
    rng = np.random.default_rng(3)
    centres = 10 * np.eye(8)[[0, 0, 0, 1, 1, 1, 2]]
    X = centres + 0.3 * rng.standard_normal((7, 8))
    for beta, kind, number in ((60.0, "single", 1), (0.1, "metastable", 3), (1e-3, "global", 7)):
        run = retrieve(modern.update, X[:3], X, beta=beta, max_steps=10**4)
        found = theory.classify(run.states, X, beta=beta)
        assert np.all(found.kind == kind), (beta, found)
        assert np.all(np.abs(found.patterns - number) < 0.35) and np.all(found.residual < 1e-9)


def test_the_thresholds_of_the_kinds_are_as_stated():
    two = [[1.0], [-1.0]]
    assert theory.classify([0.0], two).kind == "global"
    assert theory.classify([0.0], two, single=2.0).kind == "single"
    assert theory.classify([0.3], two, share=1.0).kind == "metastable"
    assert theory.classify([5.0], [[1.0]]).kind == "single"
    found = theory.classify([[0.5], [0.0]], two)
    assert found.residual[1] == 0 < found.residual[0]                    # 0.5 is no fixed point


@pytest.mark.parametrize("given, said", [
    (dict(single=0.5), "single must be a finite number >= 1; got single=0.5"),
    (dict(share=0.0), "share must be a number > 0 and <= 1; got share=0.0"),
    (dict(beta=0.0), "beta must be a finite number >= 1e-300; got beta=0.0"),
])
def test_a_kind_without_a_meaning_is_refused(given, said):
    with pytest.raises(DomainError, match=rf"hopref\.theory\.classify: {said}"):
        theory.classify([0.0], [[1.0], [-1.0]], **given)
