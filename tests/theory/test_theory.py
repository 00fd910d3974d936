"""The statements of the separation theory hold and are sharp."""
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hopref import storage, theory
from hopref.errors import DomainError, ShapeError
from hopref.models import classical, modern
from hopref.storage import hebbian

U = np.finfo(float).eps / 2
shapes = st.tuples(st.integers(2, 6), st.integers(1, 5))
patterns = hnp.arrays(float, shapes, elements=st.integers(-24, 24).map(lambda k: k / 8))
signs = hnp.arrays(float, shapes, elements=st.sampled_from([-1.0, 1.0]))


def rounding(beta, X):
    """Relative error of a softmax weight: scores of d products each, times beta, n terms."""
    size = np.max((X * X).sum(-1))
    return 4 * U * (2 * beta * size * (X.shape[1] + 2) + len(X) + 8)


def by_loops(xi, X):
    own = [x @ c for c, x in zip(xi, X, strict=True)]
    rivals = [max(x @ c for j, x in enumerate(X) if j != i) for i, c in enumerate(xi)]
    return np.array(own) - np.array(rivals)


@given(patterns)
def test_separation_is_its_definition(X):
    np.testing.assert_array_equal(theory.separation(X), by_loops(X, X))     # eighths: exact


@given(patterns, st.integers(0, 2**32 - 1))
def test_cue_separation_is_its_definition(X, seed):
    xi = np.random.default_rng(seed).integers(-8, 9, X.shape) / 4.0
    np.testing.assert_array_equal(theory.cue_separation(xi, X), by_loops(xi, X))


def test_the_separation_of_a_single_pattern_is_infinite():
    assert theory.separation([[1.0, 2.0]]) == np.inf
    assert theory.smallest_beta([[1.0]], [[1.0]]) == 0.0


@given(patterns)
def test_a_dominated_pattern_has_the_smaller_norm(X):
    delta, taker = theory.separation(X), theory.dominant_pattern(X, X)
    square = (X * X).sum(-1)
    lost = delta < 0
    assert np.all(square[taker][lost] > square[lost])
    assert np.all(taker[delta > 0] == np.flatnonzero(delta > 0))


@given(signs)
def test_patterns_of_equal_norm_are_never_dominated(X):
    assert np.all(theory.separation(X) >= 0)


@given(patterns, st.sampled_from([0.5, 0.1, 1e-3, 1e-9]))
def test_the_weight_is_attained_at_the_smallest_beta(X, tolerance):
    betas = theory.smallest_beta(X, X, tolerance=tolerance)
    kept = theory.separation(X) > 0
    np.testing.assert_array_equal(np.isfinite(betas), kept)
    for i in np.flatnonzero(kept & (betas > 0)):
        others = np.delete(np.exp(-betas[i] * (X[i] @ X[i] - X @ X[i])), i).sum()
        missed = others / (1 + others)
        assert abs(missed - tolerance) <= tolerance * rounding(betas[i], X)
        weight = modern.weights(X[i], X, beta=betas[i])[i]
        assert abs(1 - weight - tolerance) <= rounding(betas[i], X)


@given(patterns)
def test_the_weight_is_not_attained_below_the_smallest_beta(X):
    betas = theory.smallest_beta(X, X, tolerance=0.01)
    for i in np.flatnonzero(np.isfinite(betas) & (betas > 0)):
        assert modern.weights(X[i], X, beta=betas[i] * 0.99)[i] < 0.99
        assert modern.weights(X[i], X, beta=betas[i] * 1.01)[i] > 0.99


@given(patterns)
def test_one_update_at_the_smallest_beta_is_within_the_tolerance(X):
    betas = theory.smallest_beta(X, X, tolerance=0.01)
    for i in np.flatnonzero(np.isfinite(betas) & (betas > 0)):
        away = modern.update(X[i], X, beta=betas[i]) - X[i]
        furthest, size = np.linalg.norm(X - X[i], axis=-1).max(), np.linalg.norm(X, axis=-1).max()
        assert np.linalg.norm(away) <= 0.01 * furthest + rounding(betas[i], X) * size


@given(patterns)
def test_no_beta_retrieves_a_dominated_pattern(X):
    lost = theory.separation(X) < 0
    for beta in (1e-3, 1.0, 1e3):
        p = modern.weights(X, X, beta=beta)
        assert np.all(np.diagonal(p)[lost] <= 0.5)


@given(patterns, st.sampled_from([0.5, 4.0, 32.0]))
def test_the_sphere_is_invariant_above_the_required_separation(X, beta):
    assume(np.any(X != 0))
    delta = theory.separation(X)
    N, M = len(X), np.linalg.norm(X, axis=-1).max()
    radius = 1 / (beta * N * M)
    for i in np.flatnonzero(delta >= theory.required_separation(X, beta=beta)):
        for corner in np.eye(X.shape[1]):
            for sign in (-1, 1):
                after = modern.update(X[i] + sign * radius * corner, X, beta=beta)
                assert np.linalg.norm(after - X[i]) <= radius + rounding(beta, X) * M


@given(signs, st.booleans())
def test_unstable_sites_are_those_that_the_sign_rule_flips(X, zero_diagonal):
    W = hebbian(X, zero_diagonal=zero_diagonal)
    flipped = (classical.update(X, W) != X).sum(-1)
    np.testing.assert_array_equal(theory.unstable_sites(X, zero_diagonal=zero_diagonal), flipped)


def test_a_wrong_number_of_cues_raises():
    with pytest.raises(ShapeError, match=r"hopref\.theory\.cue_separation: n must be the same"):
        theory.cue_separation([[1.0]], [[1.0], [2.0]])


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -0.1, float("nan"), True])
def test_an_invalid_tolerance_raises(tolerance):
    with pytest.raises(DomainError, match="tolerance must be a number between 0 and 1; got"):
        theory.smallest_beta([[1.0]], [[1.0]], tolerance=tolerance)


def test_patterns_that_are_not_polar_raise():
    with pytest.raises(DomainError, match=r"X must be -1 or \+1; got X\[0, 1\] = 0\.5"):
        theory.unstable_sites([[1.0, 0.5]])


@pytest.mark.parametrize("X", [[[1.0, 2.0]], [[0.0], [0.0]]])
def test_the_required_separation_of_a_single_pattern_raises(X):
    with pytest.raises(DomainError, match="X must hold two patterns or more, not all 0; got"):
        theory.required_separation(X)


# -- clipped memories ---------------------------------------------------------------------------

def test_the_fraction_of_clipped_weights_is_that_of_independent_pairs():
    """The load of a memory is in [0, 1] with mean p, so that its variance is at most p(1 - p)."""
    rng, memories, (k, d) = np.random.default_rng(5), 400, (3, 20)
    loads = [storage.willshaw_pairs(*(supports(rng, 12, k, d) for _ in "xy")).mean()
             for _ in range(memories)]
    p = theory.willshaw_load(12, active=(k, k), sites=(d, d))
    assert abs(np.mean(loads) - p) <= 6 * np.sqrt(p * (1 - p) / memories)
    assert p == pytest.approx(1 - (1 - 9 / 400) ** 12, rel=8 * U)


def supports(rng, n, k, d):
    return (np.argsort(rng.random((n, d)), axis=-1) < k).astype(float)


@pytest.mark.parametrize("pairs, active, sites, word", [
    (0, (1, 1), (2, 2), "pairs"), (1, (3, 1), (2, 2), "at most sites"), (1, 3, (2, 2), "a pair"),
    (1, (1, 0), (2, 2), r"active\[1\]")])
def test_invalid_arguments_of_willshaw_load_raise(pairs, active, sites, word):
    with pytest.raises(DomainError, match=f"hopref.theory.willshaw_load: .*{word}.*; got"):
        theory.willshaw_load(pairs, active=active, sites=sites)


def test_a_pair_with_all_units_active_fills_the_memory():
    assert theory.willshaw_load(3, active=(2, 4), sites=(2, 4)) == 1.0
    assert theory.willshaw_load(1, active=(1, 1), sites=(10**9, 10**9)) \
        == pytest.approx(1e-18, rel=8 * U, abs=0)
