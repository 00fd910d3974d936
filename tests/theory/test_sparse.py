"""The statements of the theory of sparse maps hold and are sharp.

Patterns and states are multiples of 1/8, beta and margins powers of two: scores are exact.
"""
import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hopref import maps, sparse, theory
from hopref.errors import DomainError, ShapeError
from tests.draw import arrays
from tests.rounding import close, g

alphas = st.sampled_from([1.25, 1.5, 2.0, 3.0, 5.0])
gammas = st.sampled_from([1.25, 1.5, 2.0, 3.0, 5.0])
betas = st.sampled_from([2.0**-6, 0.25, 1.0, 4.0, 64.0])


@st.composite
def stored(draw):
    """Patterns and a state near each of them, in some cases the pattern itself."""
    n, d = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    X = draw(arrays(n, d))
    return X, X + draw(arrays(n, d)) / draw(st.sampled_from([1.0, 4.0, 32.0]))


def maps_with(alpha, gamma):
    return [("entmax", lambda z, beta=1.0: maps.entmax(z, alpha=alpha, beta=beta)),
            ("sparsemax", lambda z, beta=1.0: maps.sparsemax(z, beta=beta)),
            ("normmax", lambda z, beta=1.0: maps.normmax(z, gamma=gamma, beta=beta)),
            ("k_subsets", lambda z, beta=1.0: maps.k_subsets(z, k=1, beta=beta))]


@given(st.integers(2, 6), alphas, gammas, betas)
def test_one_entry_has_weight_one_exactly_from_the_margin_on(n, alpha, gamma, beta):
    for rule, f in maps_with(alpha, gamma):
        m = theory.margin(rule, alpha=alpha)
        lead = np.zeros(n)
        lead[0] = m / beta
        np.testing.assert_array_equal(f(lead, beta), np.eye(n)[0])
        assert np.all(f(lead * (1 - 2.0**-20), beta)[1:] > 0)


def test_softmax_has_no_margin():
    assert theory.margin("softmax") == theory.margin("entmax", alpha=1.0) == np.inf
    assert maps.softmax(np.array([30.0, 0.0]))[1] > 0


@given(stored(), alphas, gammas, betas)
def test_a_pattern_with_enough_separation_is_retrieved_exactly_in_one_step(case, alpha, gamma,
                                                                           beta):
    X, xi = case
    for rule, f in maps_with(alpha, gamma):
        m = theory.margin(rule, alpha=alpha)
        enough = theory.separation(X) >= theory.exact_retrieval_separation(
            xi, X, beta=beta, margin=m) * (1 + g(X.shape[1] + 8))
        got = f(xi @ X.T, beta) @ X
        np.testing.assert_array_equal(got[enough], X[enough])


@given(stored(), alphas, betas)
def test_a_pattern_that_leads_by_its_margin_is_a_fixed_point(case, alpha, beta):
    X, m = case[0], theory.margin("entmax", alpha=alpha)
    still = theory.separation(X) >= theory.exact_retrieval_separation(X, X, beta=beta, margin=m)
    np.testing.assert_array_equal(sparse.update(X, X, beta=beta, alpha=alpha)[still], X[still])


@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0, 3.0])
def test_the_required_separation_is_the_smallest_sufficient_one(alpha):
    """Patterns x, -x and state t x: m/beta + 2 (1 - t) is required, Delta = 2, the lead is 2 t."""
    X, m = np.array([[1.0], [-1.0]]), theory.margin("entmax", alpha=alpha)
    for t in (1.0, 0.5, 0.25):
        beta, xi = m / (2 * t), np.full((2, 1), t)
        assert theory.exact_retrieval_separation(xi, X, beta=beta, margin=m)[0] == 2.0
        assert sparse.update(xi[0], X, beta=beta, alpha=alpha) == X[0]
        assert sparse.weights(xi[0], X, beta=beta * (1 - 2.0**-20), alpha=alpha)[1] > 0


@given(stored(), alphas)
def test_one_pattern_has_all_the_weight_exactly_from_the_exact_beta_on(case, alpha):
    X, xi = case
    m = theory.margin("entmax", alpha=alpha)
    beta, ahead = theory.exact_beta(xi, X, margin=m), theory.cue_separation(xi, X) > 0
    np.testing.assert_array_equal(np.isfinite(beta), ahead)
    for i in np.flatnonzero(ahead & (beta > 0)):
        p = sparse.weights(xi[i], X, beta=beta[i] * (1 + 2.0**-40), alpha=alpha)
        np.testing.assert_array_equal(p, np.eye(len(X))[i])
        p = sparse.weights(xi[i], X, beta=beta[i] * (1 - 2.0**-20), alpha=alpha)
        assert (p > 0).sum() > 1


@given(stored(), betas, st.data())
def test_a_subset_that_leads_by_1_over_beta_is_summed_exactly(case, beta, data):
    X, xi = case
    k = data.draw(st.integers(1, len(X)))
    lead, mu = theory.subset_separation(xi, X, k=k), sparse.k_subsets_weights(xi, X, k=k, beta=beta)
    whole = np.all((mu == 0) | (mu == 1), axis=-1)
    np.testing.assert_array_equal(whole, lead >= 1 / beta)
    best = np.argsort(-(xi @ X.T), axis=-1)[:, :k]
    sums = X[best].sum(-2)                                             # eighths: exact
    got = sparse.k_subsets_update(xi, X, k=k, beta=beta)
    np.testing.assert_array_equal(got[whole], sums[whole])


# --- energies ------------------------------------------------------------------------------------

def energies(x, X, beta, alpha, gamma, k):
    return (sparse.energy(x, X, beta=beta, alpha=alpha),
            sparse.normmax_energy(x, X, beta=beta, gamma=gamma),
            sparse.k_subsets_energy(k * x, X, beta=beta, k=k))


def tolerance(X, k, beta):
    n, d = X.shape
    return g(8 * n + 4 * d + 60) * (4 * k * k * (X * X).sum(-1).max() + (k + np.log(n)) / beta)


@given(stored(), st.sampled_from([1.0, 1.25, 1.5, 2.0, 3.0]), gammas, betas, st.data())
def test_energies_in_the_hull_satisfy_their_bounds(case, alpha, gamma, beta, data):
    X = case[0]
    n = len(X)
    k = data.draw(st.integers(1, n))
    subsets = np.array([[float(i in s) for i in range(n)]
                        for s in itertools.combinations(range(n), k)]) / k
    share = data.draw(arrays(3, len(subsets), elements=st.integers(0, 4).map(float)))
    share[:, 0] += 1
    mu = np.concatenate([share / share.sum(-1, keepdims=True) @ subsets, subsets])
    bounds = (theory.entmax_energy_bound(X, beta=beta, alpha=alpha),
              theory.normmax_energy_bound(X, beta=beta, gamma=gamma),
              theory.k_subsets_energy_bound(X, beta=beta, k=k))
    for E, most, size in zip(energies(mu @ X, X, beta, alpha, gamma, k), bounds, (1, 1, k),
                             strict=True):
        assert np.all(E >= -tolerance(X, size, beta))
        assert np.all(E <= most + tolerance(X, size, beta))


@pytest.mark.parametrize("beta, state", [(2.0**-30, 1.0), (2.0**30, 0.0)])
def test_both_bounds_of_the_energy_are_attained_in_their_limits(beta, state):
    X = np.array([[1.0], [-1.0], [-1.0], [-1.0]])
    bounds = (theory.entmax_energy_bound(X, beta=beta), theory.normmax_energy_bound(X, beta=beta),
              theory.k_subsets_energy_bound(X, beta=beta, k=1))
    close(energies(np.array([state]), X, beta, 1.5, 2.0, 1), bounds, 2.0**-20)


def test_the_energy_is_unbounded_outside_of_the_hull():
    X = np.array([[1.0], [-1.0]])
    assert sparse.energy([4.0], X) > theory.entmax_energy_bound(X)
    assert sparse.normmax_energy([4.0], X) > theory.normmax_energy_bound(X)
    assert sparse.k_subsets_energy([4.0], X, k=1) > theory.k_subsets_energy_bound(X, k=1)


def test_invalid_arguments_of_margins_raise():
    with pytest.raises(DomainError, match=r"theory.margin: rule must be one of .*; got"):
        theory.margin("hardmax")
    with pytest.raises(DomainError, match=r"theory.margin: alpha must be a finite number >= 1"):
        theory.margin("entmax", alpha=0.5)
    with pytest.raises(ShapeError, match="k must be at most 2"):
        theory.subset_separation([1.0], [[1.0], [2.0]], k=3)


@given(stored())
def test_a_state_at_equal_scores_is_never_retrieved_exactly(case):
    X = case[0]
    assume(len(X) > 1)
    beta = theory.exact_beta(np.zeros_like(X), X)
    assert np.all(np.isinf(beta))
