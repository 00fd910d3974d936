"""Metastable states of groups of similar patterns, and the classification of fixed points."""
import numpy as np
import pytest

from hopref import modern, retrieve, theory
from hopref.check.cases.adversaries import norms
from hopref.errors import DomainError


def test_the_jacobian_of_two_opposite_patterns_nearly_attains_the_bound():
    """The norm is 4 gamma (1 - gamma), the bound 2 gamma (2 - gamma)."""
    slope = np.linalg.norm(modern.jacobian([1.0], [[1.0], [-1.0]], beta=4.0), 2)
    assert slope >= 0.999 * theory.group_jacobian_bound([1.0], [[1.0]], [[-1.0]], beta=4.0)


def test_a_separated_group_has_one_metastable_state():
    X, others = np.array([[9.0, 0.5], [9.0, -0.5]]), np.array([[-9.0, 0.0]])
    radius, required = theory.group_sphere(X, others)
    assert theory.group_separation(X, others) >= required
    run = retrieve(modern.update, [[9.0 - 1.9, 0.0], [9.0, 1.9]], np.concatenate([X, others]))
    assert np.all(norms(run.states - [9.0, 0.0]) < 1e-5)
    kinds = theory.classify(run.states, np.concatenate([X, others]))
    assert np.all(kinds.kind == "metastable") and np.all(kinds.residual < 1e-9)


def test_the_sphere_is_not_invariant_without_the_separation():
    X, others = np.array([[1.0, 0.5], [1.0, -0.5]]), np.array([[8.0, 0.0]])
    radius, required = theory.group_sphere(X, others)
    assert theory.group_separation(X, others) < required
    after = modern.update(X.mean(0), np.concatenate([X, others]))
    assert norms(after - X.mean(0)) > radius
    assert theory.group_sphere(X, others, beta=4.0)[1] == np.inf         # beta m_max^2 = 1
    assert theory.group_sphere(X[:1], others) == (np.inf, np.inf)        # a single pattern


def test_clusters_have_the_three_kinds_of_states():
    """Two groups of three and a single pattern, at three temperatures."""
    rng = np.random.default_rng(3)
    centres = 10 * np.eye(8)[[0, 0, 0, 1, 1, 1, 2]]
    X = centres + 0.3 * rng.standard_normal((7, 8))
    for beta, kind, number in ((60.0, "single", 1), (0.1, "metastable", 3), (1e-3, "global", 7)):
        run = retrieve(modern.update, X[:3], X, beta=beta, max_steps=10**4)
        found = theory.classify(run.states, X, beta=beta)
        assert np.all(found.kind == kind), (beta, found)
        assert np.all(np.abs(found.patterns - number) < 0.35) and np.all(found.residual < 1e-9)


def test_the_thresholds_of_the_kinds_are_inclusive():
    two = [[1.0], [-1.0]]
    assert theory.classify([0.0], two).kind == "global"
    assert theory.classify([0.0], two, single=2.0).kind == "single"
    assert theory.classify([0.3], two, share=1.0).kind == "metastable"
    assert theory.classify([5.0], [[1.0]]).kind == "single"
    found = theory.classify([[0.5], [0.0]], two)
    assert found.residual[1] == 0 < found.residual[0]                    # 0.5 is no fixed point


@pytest.mark.parametrize("given, message", [
    (dict(single=0.5), "single must be a finite number >= 1; got single=0.5"),
    (dict(share=0.0), "share must be a number > 0 and <= 1; got share=0.0"),
    (dict(beta=0.0), "beta must be a finite number >= 1e-300; got beta=0.0"),
])
def test_invalid_thresholds_raise(given, message):
    with pytest.raises(DomainError, match=rf"hopref\.theory\.classify: {message}"):
        theory.classify([0.0], [[1.0], [-1.0]], **given)
