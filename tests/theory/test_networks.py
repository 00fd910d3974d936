"""Classical and graded networks converge, descend and contract as their bounds state."""
import numpy as np
import pytest

from hopref import classical, graded, retrieve, theory
from hopref.errors import DomainError, ShapeError
from tests.rounding import g


def flips(xi, W, b):
    """Number of flips of sequential updates until convergence."""
    total, d = 0, len(xi)
    while True:
        before = total
        for i in range(d):
            after = classical.asynchronous_update(xi, W, b, order=[i])
            total, xi = total + int(np.any(after != xi)), after
        if total == before:
            return total


@pytest.mark.parametrize("W, b, xi", [
    ([[0.0, -1.0], [-1.0, 0.0]], [0.0, 0.0], [1.0, 1.0]), ([[0.0]], [1.0], [1.0])])
def test_the_number_of_flips_is_attained(W, b, xi):
    assert flips(np.array(xi), W, b) == theory.flips_bound(W, b) == 1


def test_the_bound_fails_with_a_negative_diagonal():
    W, xi = np.array([[-1.0]]), np.array([1.0])
    for _ in range(10):
        after = classical.asynchronous_update(xi, W, order=[0])
        assert after != xi
        xi = after
    assert theory.flips_bound(W) == 0


@pytest.mark.parametrize("activation, slope", [("tanh", 1.0), ("sigmoid", 0.25)])
def test_just_below_the_margin_the_energy_can_increase(activation, slope):
    """W = -w I with w slightly above 1/(beta L), near the largest slope of f."""
    beta, w = 2.0, 1.02 / (2.0 * slope)
    W, centre = np.array([[-w]]), {"tanh": 0.0, "sigmoid": 0.5}[activation]
    b = np.array([-w * centre])
    assert -0.05 / slope < theory.descent_margin(W, activation=activation, beta=beta) < 0
    xi = np.array([centre + 0.01])
    E = [graded.energy(x, W, b, activation=activation, beta=beta)
         for x in (xi, graded.update(xi, W, b, activation=activation, beta=beta))]
    assert E[1] > E[0]


def test_a_contraction_converges_to_one_state_from_all_states():
    W = np.array([[0.2, -0.7], [-0.7, 0.1]])
    q = theory.graded_contraction_factor(W)
    run = retrieve(graded.update, [[0.9, 0.9], [-0.9, 0.3]], W, [0.1, -0.2], tol=0)
    rounded = np.sqrt(2) * g(12)        # a step: fields below 2 of three products each, and a tanh
    assert q < 1 and np.linalg.norm(run.states[0] - run.states[1]) <= 2 * rounded / (1 - q)


@pytest.mark.parametrize("name", ["descent_margin", "critical_beta", "graded_contraction_factor"])
@pytest.mark.parametrize("W, error, message", [
    ([[1.0, 2.0]], ShapeError, "d must be the same in W"),
    ([[0.0, 1.0], [2.0, 0.0]], DomainError, "W must be finite and symmetric; got W"),
    ([[np.inf]], DomainError, "W must be finite"),
])
def test_errors_on_invalid_weights_name_the_function(name, W, error, message):
    with pytest.raises(error, match=rf"hopref\.theory\.{name}: {message}"):
        getattr(theory, name)(W)


def test_an_unknown_activation_raises():
    with pytest.raises(DomainError, match="descent_margin: activation must be one of 'tanh'"):
        theory.descent_margin([[1.0]], activation="relu")
    assert theory.descent_margin(np.zeros((0, 0))) == np.inf
