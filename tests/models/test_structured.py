"""Structured networks through time, where they have no energy, and at extreme inputs."""
import numpy as np
import pytest

from hopref import retrieve, structured
from hopref.errors import CallError, DomainError


def test_retrieval_runs_with_a_support_of_one_state_and_among_the_k_best():
    X = np.array([[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]])
    run = retrieve(structured.update, [0.9, 0.1], X, [True, True, False], beta=9.0)
    assert np.abs(run.states - X[0]).max() < 1e-2 and run.converged
    assert np.all(np.diff(run.energies) <= 1e-15)
    many = retrieve(structured.top_k_update, X + 0.25, X, k=2, beta=9.0)
    assert many.converged.all() and np.all(np.diff(many.energies, axis=0) <= 1e-13)
    with pytest.raises(CallError, match="support must be the same for all states"):
        retrieve(structured.update, X, X, np.ones((3, 3), bool))


@pytest.mark.parametrize("update", [structured.window_update, structured.listed_update])
def test_states_in_order_are_not_run_one_by_one(update):
    with pytest.raises(CallError, match="must map states to states"):
        retrieve(update, np.ones((2, 2)), np.eye(2))


@pytest.mark.parametrize("op, options", [
    (structured.pair_update, {"delta": [[0.0, 2.0], [1.0, 0.0], [0.0, -1.0]]}),
    (structured.pair_update, {"support": [True, True, False], "renormalise": False}),
    (structured.linear_update, {}),
    (structured.random_feature_update, {"omega": [[1.0, 0.5], [-0.5, 1.0]]}),
])
def test_these_have_no_energy_for_their_jacobian_is_not_symmetric(op, options):
    """By symmetric differences; their error is h^2 + u/h, both below 1e-9."""
    assert op.lowers is None
    X, xi, h = np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0]]), np.array([0.3, -0.2]), 2.0**-18
    operands = [options.pop(k) for k in ("support", "omega") if k in options]
    f = lambda x: op(x, X, *operands, **options)
    J = np.stack([(f(xi + h * e) - f(xi - h * e)) / (2 * h) for e in np.eye(2)], -1)
    assert abs(J[0, 1] - J[1, 0]) > 1e-3


def test_a_support_drawn_anew_at_every_step_has_no_energy():
    """Two supports in turn lead from a to b and from b to a: nothing falls at every step."""
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    b = structured.update(X[0], X, [False, True])
    assert np.all(b == X[1]) and np.all(structured.update(b, X, [True, False]) == X[0])


def test_without_renormalising_the_answer_leaves_the_hull():
    y = structured.pair_update([0.0], [[1.0], [2.0]], [True, False], renormalise=False)
    assert y.tolist() == [0.5]


def test_an_empty_support_is_answered_as_asked():
    X, none = np.eye(2), [False, False]
    assert np.isnan(structured.update([1.0, 0.0], X, none, empty_row="nan")).all()
    with pytest.raises(DomainError, match="every state must attend to a pattern; got an empty row"):
        structured.update([1.0, 0.0], X, none, empty_row="raise")
    assert structured.energy([2.0, 0.0], X, none) == 2.0


def test_large_numbers_and_extreme_temperatures_stay_finite():
    X = np.array([[1e150, 0.0], [-1e150, 1.0], [0.0, 1e150]])
    seen = np.array([True, False, True])
    for beta in (1e-300, 1e300):
        for y in (structured.update(X[1], X, seen, beta=beta),
                  structured.top_k_update(X[1], X, k=2, beta=beta),
                  structured.window_update(X, X, width=1, beta=beta),
                  structured.listed_update(X, X, [0, 0, 2], [1, 2, 1], beta=beta)):
            assert np.isfinite(y).all()
    assert np.isfinite(structured.energy(X[1] / 1e10, X / 1e10, seen, beta=1e-300))
