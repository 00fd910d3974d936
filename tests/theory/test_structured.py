"""Bounds of one step over a support hold and are ordered; the printed bounds are violated."""
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from hopref import modern, structured, theory
from tests import rounding
from tests.draw import supported
from tests.rounding import g

U = np.finfo(float).eps / 2


def distances(xi, X, support, beta):
    """|T(xi) - x_mu| for every mu, and a bound on its rounding error."""
    T, tolerance = rounding.of(structured.update, xi, X, support, beta=beta)
    T = structured.update(xi, X, support, beta=beta)
    away = T[:, None] - X
    return np.sqrt((away * away).sum(-1)), np.sqrt((tolerance * tolerance).sum(-1))[:, None]


def slack(xi, X, support, beta):
    """Rounding error of the bounds, from weights and from sums over n distances."""
    p = rounding.of(structured.weights, xi, X, support, beta=beta)[1].sum(-1, keepdims=True)
    size = 2 * np.sqrt((X * X).sum(-1)).max()
    return size * (p + g(len(X) + X.shape[1] + 8))


@given(supported())
def test_separation_over_a_support_is_its_definition(case):
    xi, X, support = case["xi"], case["X"], case["support"]
    got, z = theory.support_separation(xi, X, support), xi @ X.T       # eighths: exact
    for i, mu in np.ndindex(z.shape):
        rivals = [z[i, nu] for nu in range(len(X)) if support[i, nu] and nu != mu]
        assert got[i, mu] == z[i, mu] - max(rivals, default=-np.inf)


@given(supported())
@example({"xi": np.array([[1.0]]), "X": np.array([[0.0]]), "support": np.array([[False]]),
          "beta": 1.0})
def test_the_error_of_every_step_is_within_its_bounds(case):
    """|T - x_mu| <= sum p |x - x_mu| <= diam (1 - p_mu) <= 2 m (k - 1) exp(-beta gap)."""
    xi, X, support, beta = (case[k] for k in ("xi", "X", "support", "beta"))
    error, tolerance = distances(xi, X, support, beta)
    near = theory.support_error_bound(xi, X, support, beta=beta)
    gap = theory.support_gap_bound(xi, X, support, beta=beta)
    own = slack(xi, X, support, beta)
    assert np.all(error <= near + tolerance + own)
    p = structured.weights(xi, X, support, beta=beta)
    for i, seen in enumerate(support):
        M = X[seen]
        diam = np.sqrt(((M[:, None] - M) ** 2).sum(-1)).max(initial=0)
        for mu in np.flatnonzero(seen):
            assert near[i, mu] <= diam * (1 - p[i, mu]) + own[i, 0]
            grown = 1 + 8 * U * beta * np.abs(xi[i]) @ np.abs(X).max(0)     # beta gap, rounded
            assert near[i, mu] <= gap[i, mu] * grown + own[i, 0]
    assert np.all(np.isinf(gap[~support]))


@given(supported(empty=False), st.integers(0, 2**32))
def test_optimised_states_satisfy_the_bounds(case, seed):
    """Hill climbing on error / bound, from the states drawn by hypothesis."""
    X, support, beta = case["X"], case["support"], case["beta"]
    rng, xi = np.random.default_rng(seed), case["xi"]

    def excess(xi):
        error, tolerance = distances(xi, X, support, beta)
        bound = theory.support_error_bound(xi, X, support, beta=beta)
        return (error - bound - tolerance - slack(xi, X, support, beta)).max(-1)
    for _ in range(5):
        tried = xi + rng.standard_normal(xi.shape)
        xi = np.where((excess(tried) > excess(xi))[:, None], tried, xi)
    assert np.all(excess(xi) <= 0)


def test_a_pattern_outside_of_the_support_has_no_gap_bound_and_a_single_one_is_retrieved():
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    bound = theory.support_gap_bound([9.0, 0.0], X, [False, True])
    assert bound.tolist() == [np.inf, 0.0]
    assert np.all(structured.update([9.0, 0.0], X, [False, True]) == X[1])


# -- the printed bounds are false ---------------------------------------------------------------

def printed(xi, X, mu, k, beta):
    """m (M + k - 2) exp(-beta (x_mu.xi - max x_mu.x_nu)), as theorem 4.1 is reported."""
    rivals = np.delete(X @ X[mu], mu)
    m = np.sqrt((X * X).sum(-1)).max()
    return m * (len(X) + k - 2) * np.exp(-beta * (X[mu] @ xi - rivals.max()))


def test_the_printed_bound_is_violated_and_the_corrected_one_is_not():
    rng, violated = np.random.default_rng(0), 0
    for _ in range(500):
        X, xi = rng.standard_normal((5, 3)), rng.standard_normal(3)
        support = np.arange(5) < 3
        error = np.sqrt(((structured.update(xi, X, support) - X[0]) ** 2).sum())
        violated += error > printed(xi, X, 0, 3, 1.0)
        assert error <= theory.support_gap_bound(xi, X, support)[0]
    assert violated


def test_the_error_over_a_smaller_support_can_be_larger():
    """Corollary 4.1.1 reversed: memories 0, v, -v and the state 0."""
    X = np.array([[0.0, 0.0], [0.6, 0.8], [-0.6, -0.8]])
    dense = modern.update([0.0, 0.0], X)
    sparse = structured.update([0.0, 0.0], X, [True, True, False])
    assert np.all(np.abs(dense) <= g(4) * np.abs(X).sum(0) / 3)        # 0 but for rounding
    assert sparse.tolist() == [0.3, 0.4]


# -- capacity -----------------------------------------------------------------------------------

@given(supported(empty=False, max_m=1))
def test_a_pattern_that_is_well_separated_is_so_in_every_support(case):
    """Fewer rivals, a larger gap; and less is required of fewer patterns: 2/n + ln(n (n - 1)) grows
    from n = 2 on.  So the dense capacity is inherited by every support."""
    X, M, beta = case["X"], np.flatnonzero(case["support"][0]), case["beta"]
    assert np.all(theory.separation(X[M]) >= theory.separation(X)[M])
    if len(M) > 1 and X[M].any():
        fewer = theory.required_separation(X[M], beta=beta)
        every = theory.required_separation(X, beta=beta)
        assert fewer <= every + 16 * U * (np.abs(every) + np.abs(fewer) + 8 / beta)
