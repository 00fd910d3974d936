"""Classical and graded networks rest, descend and contract as soon as their bounds say."""
import numpy as np
import pytest

from hopref import classical, graded, retrieve, theory
from hopref.errors import DomainError, ShapeError
from tests.draw import analog, networks
from tests.laws import law
from tests.rounding import close, g


def flips(xi, W, b):
    """How many components flip, one site after another, until none wants to."""
    total, d = 0, len(xi)
    while True:
        before = total
        for i in range(d):
            after = classical.asynchronous_update(xi, W, b, order=[i])
            total, xi = total + int(np.any(after != xi)), after
        if total == before:
            return total


@law("theory.flips_bound", id="CB-4", over=networks(diagonal=">=0"),
     kills=["flips_without_the_threshold", "flips_at_four_a_piece", "flips_with_the_diagonal"])
def test_no_more_components_flip_than_the_bound_allows(rules, xi, W, b):
    bound = rules.theory.flips_bound(W, b)
    assert flips(xi, W, b) <= bound
    assert bound == rules.theory.flips_bound(W - np.diag(np.diagonal(W)), b)


@pytest.mark.parametrize("W, b, xi", [
    ([[0.0, -1.0], [-1.0, 0.0]], [0.0, 0.0], [1.0, 1.0]), ([[0.0]], [1.0], [1.0])])
def test_the_number_of_flips_is_attained(W, b, xi):
    assert flips(np.array(xi), W, b) == theory.flips_bound(W, b) == 1


def test_with_a_negative_diagonal_there_is_no_such_bound():
    W, xi = np.array([[-1.0]]), np.array([1.0])
    for _ in range(10):
        after = classical.asynchronous_update(xi, W, order=[0])
        assert after != xi
        xi = after
    assert theory.flips_bound(W) == 0


@law("theory.descent_margin", id="CC-2", over=analog(),
     kills=["margin_of_twice_the_temperature", "margin_of_the_largest_eigenvalue"])
def test_where_the_margin_is_not_negative_the_energy_falls(rules, xi, W, b, activation, beta):
    if rules.theory.descent_margin(W, activation=activation, beta=beta) < 0:
        return
    after = graded.update(xi, W, b, activation=activation, beta=beta)
    E = [graded.energy(x, W, b, activation=activation, beta=beta) for x in (xi, after)]
    size = np.abs(W).sum() * np.maximum(1, (xi**2).sum(-1) + (after**2).sum(-1)) \
        + np.abs(b).sum() * (1 + np.abs(xi).max() + np.abs(after).max()) + 8 * W.shape[0] / beta
    assert np.all(E[1] <= E[0] + g(60) * size)


@pytest.mark.parametrize("activation, slope", [("tanh", 1.0), ("sigmoid", 0.25)])
def test_just_below_the_margin_the_energy_can_rise(activation, slope):
    """From beside the point where f is steepest, with W = -w I and w a little above 1/(beta L)."""
    beta, w = 2.0, 1.02 / (2.0 * slope)
    W, centre = np.array([[-w]]), {"tanh": 0.0, "sigmoid": 0.5}[activation]
    b = np.array([-w * centre])
    assert -0.05 / slope < theory.descent_margin(W, activation=activation, beta=beta) < 0
    xi = np.array([centre + 0.01])
    E = [graded.energy(x, W, b, activation=activation, beta=beta)
         for x in (xi, graded.update(xi, W, b, activation=activation, beta=beta))]
    assert E[1] > E[0]


@law("theory.critical_beta", id="CC-6", over=analog(activations=("tanh",)),
     kills=["critical_beta_by_the_norm", "critical_beta_by_the_trace"])
def test_below_the_critical_beta_only_the_origin_stays_beyond_it_something_is_lower(
        rules, xi, W, b, activation, beta):
    """A fixed point has sum xi artanh(xi) = beta xi.W xi, and beyond the origin is no minimum."""
    critical = rules.theory.critical_beta(W)
    below = min(critical, 1e3)
    inside = xi[np.all(np.abs(xi) < 1, -1) & np.any(xi != 0, -1)]
    left = (inside * np.arctanh(inside)).sum(-1)
    right = below * ((inside @ W) * inside).sum(-1)
    assert np.all(left > right - g(40) * below * np.abs(W).sum() - g(40) * left)
    if critical == np.inf:
        assert np.linalg.eigvalsh(W)[-1] <= g(40) * np.abs(W).sum()
        return
    v = 0.02 * np.linalg.eigh(W)[1][:, -1]
    assert graded.energy(v, W, beta=1.01 * critical) < 0


@law("theory.graded_contraction_factor", id="CC-6", over=analog(),
     kills=["graded_factor_by_the_largest_eigenvalue", "graded_factor_of_half_the_slope"])
def test_two_states_of_a_graded_network_come_closer_by_the_factor(rules, xi, W, b, activation,
                                                                   beta):
    q = rules.theory.graded_contraction_factor(W, activation=activation, beta=beta)
    f = graded.update(xi, W, b, activation=activation, beta=beta)
    slack = g(40) * (1 + beta * (np.abs(W).sum() * np.abs(xi).max() + np.abs(b).sum()))
    for a in range(len(xi)):
        gap = np.linalg.norm(f[a] - f[0])
        assert gap <= q * np.linalg.norm(xi[a] - xi[0]) + slack
    line, values = np.array([[-1.0]]), {"tanh": 0.0, "sigmoid": 0.5, "identity": 0.0}
    centre = values[activation]                                 # attained where f is steepest
    near = np.array([[centre], [centre + 2.0**-20]])
    f = graded.update(near, line, [-centre], activation=activation, beta=beta)
    slope = abs(f[1, 0] - f[0, 0]) / 2.0**-20
    close(rules.theory.graded_contraction_factor(line, activation=activation, beta=beta), slope,
          2.0**-16 * beta)


def test_a_contracting_network_forgets_where_it_began():
    W = np.array([[0.2, -0.7], [-0.7, 0.1]])
    q = theory.graded_contraction_factor(W)
    run = retrieve(graded.update, [[0.9, 0.9], [-0.9, 0.3]], W, [0.1, -0.2], tol=0)
    rounded = np.sqrt(2) * g(12)        # a step: fields below 2 of three products each, and a tanh
    assert q < 1 and np.linalg.norm(run.states[0] - run.states[1]) <= 2 * rounded / (1 - q)


@pytest.mark.parametrize("name", ["descent_margin", "critical_beta", "graded_contraction_factor"])
@pytest.mark.parametrize("W, error, said", [
    ([[1.0, 2.0]], ShapeError, "d must be the same in W"),
    ([[0.0, 1.0], [2.0, 0.0]], DomainError, "W must be finite and symmetric; got W"),
    ([[np.inf]], DomainError, "W must be finite"),
])
def test_weights_without_a_spectrum_are_refused_in_the_function_s_name(name, W, error, said):
    with pytest.raises(error, match=rf"hopref\.theory\.{name}: {said}"):
        getattr(theory, name)(W)


def test_an_unknown_activation_is_refused():
    with pytest.raises(DomainError, match="descent_margin: activation must be one of 'tanh'"):
        theory.descent_margin([[1.0]], activation="relu")
    assert theory.descent_margin(np.zeros((0, 0))) == np.inf
