"""Laws of modern networks that map keys to values: the step of attention, and exact decreases."""
import numpy as np

from hopref import maps
from hopref.check.cases.draws import arrays, betas, composed, integers, sampled, small
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.feature_memory import divergence
from hopref.check.laws.modern import square
from hopref.gradients import heteroassociation as gradients
from hopref.models import attention, modern

__all__ = []


@composed
def pairs(draw, width=None):
    """States of keys and of values, pairs of a key and a value, and an inverse temperature."""
    m, n, d = draw(integers(1, 3)), draw(integers(1, 5)), draw(integers(1, 4))
    e = draw(integers(1, 4)) if width is None else d
    return {"eta": draw(arrays(m, e)), "xi": draw(arrays(m, d)), "X": draw(arrays(n, d)),
            "Y": draw(arrays(n, e)), "beta": draw(betas)}


@composed
def linear(draw):
    """States, values, a positive definite G = A^T A + 1 and t, so that x = G (y - t) is exact."""
    m, n, d = draw(integers(1, 3)), draw(integers(1, 5)), draw(integers(1, 3))
    A = draw(arrays(d, d, elements=small))
    return {"xi": draw(arrays(m, d)), "Y": draw(arrays(n, d)), "G": A.T @ A + np.eye(d),
            "t": draw(arrays(d)), "beta": draw(sampled([2.0**-10, 0.0625, 0.25, 1.0]))}


@law("heteroassociation.update", id="HA-1", over=pairs(width="d"),
     kills=("keys and values exchanged", "keys in place of values", "values in place of keys",
            "beta applied twice", "beta ignored"))
def a_step_is_that_of_attention(f, eta, xi, X, Y, beta):
    """f(xi; X, Y) = softmax(beta xi X^T) Y, and the modern update for Y = X."""
    yield equal(f(xi, X, Y, beta=beta),
                f.exact(attention.softmax_attention, xi, X, Y, scale=beta), "attention")
    yield equal(f(xi, X, X, beta=beta), f.exact(modern.update, xi, X, beta=beta), "modern")


@law("heteroassociation.update", id="HA-1", over=pairs(width="d"),
     kills=("keys in place of values", "keys and values exchanged"))
def a_step_ends_near_the_value_of_a_dominant_key(f, eta, xi, X, Y, beta):
    """|f(xi) - y_i| <= diam(Y) (1 - p_i), for each pair i."""
    p = f.exact(modern.weights, xi, X, beta=beta)
    away = square(f(xi, X, Y, beta=beta)[:, None] - Y)
    widest = np.max(square(Y[:, None] - Y))
    yield at_most(away, widest * (1 - p) ** 2)


@law("heteroassociation.update", "heteroassociation.energy", id="HA-3", over=linear(),
     kills=("keys and values exchanged", "keys in place of values", "beta applied twice",
            "energy without 1/beta", "quadratic term without its half",
            "G ignored in the energy", "t ignored in the energy"))
def a_step_to_linear_values_lowers_the_energy_by_an_exact_amount(f, xi, Y, G, t, beta):
    """x_i = G (y_i - t): E(xi) - E(xi') = (xi' - xi)^T G (xi' - xi)/2 + KL(p || p')/beta."""
    X = (Y - t) @ G
    answer = f.heteroassociation.update(xi, X, Y, beta=beta)
    new = f.machine(answer)
    E = [f.heteroassociation.energy(x, X, G, t, beta=beta) for x in (xi, new)]
    step = (new - xi) @ G
    drop = np.sum(step * (new - xi), axis=-1) / 2 + np.sum(step * (answer - new), axis=-1)
    yield equal(E[0] - E[1], drop + divergence(*(beta * (x @ X.T) for x in (xi, new))) / beta)


@law("heteroassociation.energy", id="HA-3", over=linear(),
     kills=("energy without 1/beta", "quadratic term without its half", "G ignored in the energy",
            "t ignored in the energy"))
def the_energy_is_a_square_less_a_log_sum(f, xi, Y, G, t, beta):
    """E = (xi - t)^T G (xi - t)/2 - lse(beta, X xi)."""
    lse = f.exact(maps.logsumexp, xi @ Y.T, beta=beta)
    yield equal(f(xi, Y, G, t, beta=beta), np.sum((xi - t) @ G * (xi - t), axis=-1) / 2 - lse)


@law("heteroassociation.update", id="HA-4, SQ-5", over=integers(3, 5).map(lambda n: {"n": n}),
     kills=("keys in place of values", "values in place of keys"))
def keys_and_the_next_ones_as_values_are_visited_in_a_cycle(f, n):
    """x_i = 8 e_i and y_i = x_(i+1), beta = 1: from x_1, step k ends within 8 n e^(-64) of x_(k+1),
    so that no energy exists."""
    X = 8 * np.eye(n)
    Y, state = np.roll(X, -1, axis=0), X[0]
    for k in range(n):
        new = f(state, X, Y, beta=1.0)
        yield at_most(np.max(np.abs(new - Y[k])), 8 * n * np.exp(np.longdouble(-64)))
        state = f.machine(new)


@law("heteroassociation.joint_update", "heteroassociation.joint_energy", id="HA-2", over=pairs(),
     kills=("cue ignored", "state of the values ignored", "beta applied twice",
            "energy without 1/beta", "quadratic term without its half"))
def a_step_of_the_values_lowers_the_energy_by_an_exact_amount(f, eta, xi, X, Y, beta):
    """E(eta) - E(eta') = |eta' - eta|^2/2 + KL(p || p')/beta."""
    answer = f.heteroassociation.joint_update(eta, xi, X, Y, beta=beta)
    new = f.machine(answer)
    E = [f.heteroassociation.joint_energy(x, xi, X, Y, beta=beta) for x in (eta, new)]
    drop = square(new - eta) / 2 + np.sum((new - eta) * (answer - new), axis=-1)
    z = [beta * (xi @ X.T + x @ Y.T) for x in (eta, new)]
    yield equal(E[0] - E[1], drop + divergence(*z) / beta)


@law("heteroassociation.joint_update", "heteroassociation.joint_energy", id="HA-2", over=pairs(),
     kills=("cue ignored", "state of the values ignored", "quadratic term without its half",
            "square of the cue in the energy"))
def values_with_a_cue_are_half_of_a_modern_network(f, eta, xi, X, Y, beta):
    """With patterns (x_i, y_i): the step is its second half, and E is the modern energy less
    |xi|^2/2 and its constants."""
    both, joint = np.concatenate([xi, eta], axis=-1), np.concatenate([X, Y], axis=-1)
    new = f.exact(modern.update, both, joint, beta=beta)
    constants = np.log(np.longdouble(len(X))) / beta + np.max(square(joint)) / 2
    E = f.exact(modern.energy, both, joint, beta=beta) - square(xi) / 2 - constants
    yield equal(f.heteroassociation.joint_update(eta, xi, X, Y, beta=beta), new[:, xi.shape[1]:])
    yield equal(f.heteroassociation.joint_energy(eta, xi, X, Y, beta=beta), E, "energy")


@law("heteroassociation.joint_update", "heteroassociation.update", id="HA-2",
     over=pairs(width="d"), kills=("cue ignored", "keys and values exchanged"))
def the_first_step_from_zero_is_the_read_out(f, eta, xi, X, Y, beta):
    """f(0; xi) = Y^T softmax(beta X xi)."""
    yield equal(f.heteroassociation.joint_update(0 * eta, xi, X, Y, beta=beta),
                f.heteroassociation.update(xi, X, Y, beta=beta))


@law("heteroassociation.update", id="HA-3", over=linear(),
     kills=("keys and values exchanged", "keys in place of values", "beta applied twice"))
def a_step_to_linear_values_is_along_the_gradient(f, xi, Y, G, t, beta):
    """x_i = G (y_i - t): the gradient of the energy is G (xi - f(xi))."""
    X = (Y - t) @ G
    dxi = f.exact(gradients.energy, np.ones(len(xi), np.longdouble), xi, X, G, t, beta=beta)[0]
    yield equal((xi - f(xi, X, Y, beta=beta)) @ G, dxi)


@law("heteroassociation.joint_update", id="HA-2", over=pairs(),
     kills=("cue ignored", "state of the values ignored", "beta applied twice"))
def a_step_of_the_values_is_the_gradient_step(f, eta, xi, X, Y, beta):
    """The gradient of the energy in the values is eta - f(eta)."""
    ones = np.ones(len(eta), np.longdouble)
    yield equal(eta - f(eta, xi, X, Y, beta=beta),
                f.exact(gradients.joint_energy, ones, eta, xi, X, Y, beta=beta)[0])
