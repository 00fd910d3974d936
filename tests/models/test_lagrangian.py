"""Two layers and their Lagrangians: what reduces to which network (DA-4), verified here.

Allowed differences are the derived tolerances of the operations themselves (`rounding.of`).
"""
import numpy as np
from hypothesis import strategies as st

from hopref import graded, lagrangian, modern, storage
from hopref.models.lagrangian import LAGRANGIANS
from tests import rounding
from tests.draw import arrays, records
from tests.laws import law
from tests.rounding import close, of

names = st.sampled_from(["quadratic", "tanh", "softmax"])
gains = st.sampled_from([0.25, 1.0, 3.0])
layers = {"v": arrays(3), "h": arrays(4), "X": arrays(4, 3), "beta": gains}
one_layer = {k: s for k, s in layers.items() if k != "h"}
SOFT = {"visible": "quadratic", "hidden": "softmax"}


@law("lagrangian.update", "lagrangian.reduced_energy", id="DA-4", over=records(**one_layer),
     kills=["hidden_beta_twice", "hidden_not_normalised", "visible_term_with_its_half_only",
            "reduced_energy_without_beta"])
def test_quadratic_and_softmax_layers_are_the_modern_network(rules, v, X, beta):
    """E = modern.energy - log(n)/beta - M^2/2: the constants are modern's own."""
    got = rules.lagrangian.update(v, X, beta=beta, **SOFT)
    close(got, modern.update(v, X, beta=beta), 2 * rounding.modern_update(v[None], X, beta)[0])
    constants = np.log(len(X)) / beta + (X * X).sum(-1).max() / 2
    E, room = of(lagrangian.reduced_energy, v, X, beta=beta)
    got = rules.lagrangian.reduced_energy(v, X, beta=beta, **SOFT)
    want = modern.energy(v, X, beta=beta)
    close(got, want - constants, room + rounding.modern_energy(v[None], X, beta)[0]
          + 8 * rounding.u * (constants + np.abs(want)))


@law("lagrangian.update", "lagrangian.reduced_energy", id="DA-4", over=records(**one_layer),
     kills=["tanh_without_its_gain", "log_cosh_without_its_gain",
            "visible_term_with_its_half_only"])
def test_tanh_and_quadratic_layers_are_the_graded_hebbian_network(rules, v, X, beta):
    """xi = tanh(beta v): v g - L_v(v) is the integral of the inverse activation."""
    how, W = {"visible": "tanh", "hidden": "quadratic", "beta": beta}, storage.hebbian(X)
    xi = np.tanh(beta * v)
    _, room = of(lagrangian.update, v, X, **how)
    spread = rounding.g(8) * (np.abs(xi) @ np.abs(W))       # of W xi, formed another way
    new = rules.lagrangian.update(v, X, **how)
    close(new, W @ xi, room + spread)
    E, room = of(lagrangian.reduced_energy, v, X, **how)
    slope = np.abs(v) + np.abs(W) @ np.abs(xi)              # of both energies in xi, here rounded
    other, theirs = of(graded.energy, xi, W, beta=beta)
    close(rules.lagrangian.reduced_energy(v, X, **how), other,
          room + theirs + 8 * rounding.u * (slope.sum() + len(v) / beta))


@law("lagrangian.energy", "lagrangian.reduced_energy", id="DA-4",
     over=records(**one_layer, visible=names, hidden=names),
     kills=["hidden_term_forgotten", "synapses_counted_half", "log_cosh_without_its_gain"])
def test_hidden_neurons_at_rest_leave_the_reduced_energy(rules, v, X, beta, visible, hidden):
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    h = LAGRANGIANS[visible].g(v, beta) @ X.T
    E, room = of(lagrangian.energy, v, h, X, **how)
    R, less = of(lagrangian.reduced_energy, v, X, **how)
    g = rounding.g(len(v) + 8) * (np.abs(h) + np.abs(v).sum() * np.abs(X).sum(-1)).sum()
    close(rules.lagrangian.energy(v, h, X, **how), rules.lagrangian.reduced_energy(v, X, **how),
          room + less + g)


@law("lagrangian.energy", id="DA-4", over=records(**layers, visible=names, hidden=names),
     kills=["synapses_counted_half", "visible_legendre_turned_round"])
def test_visible_neurons_that_come_to_rest_pay_a_bregman_divergence(rules, v, h, X, beta, visible,
                                                                   hidden):
    """E(v', h) - E(v, h) = -(L(v') - L(v) - (v' - v) g(v)) <= 0 at v' = X^T f(h)."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    layer = LAGRANGIANS[visible]
    new = LAGRANGIANS[hidden].g(h, beta) @ X
    E = rules.lagrangian.energy
    paid = layer.L(new, beta) - layer.L(v, beta) - (new - v) @ layer.g(v, beta)
    room = sum(of(lagrangian.energy, x, h, X, **how)[1] for x in (v, new))
    size = np.abs(new).sum() + np.abs(v).sum() + 1 / beta
    room = room + rounding.g(40) * (size * (1 + size) + 1)
    close(E(new, h, X, **how) - E(v, h, X, **how), -paid, room)
    assert paid >= -room


@law("lagrangian.update", "lagrangian.reduced_energy", id="DA-4",
     over=records(**one_layer, visible=names, hidden=names),
     kills=["hidden_not_normalised", "update_against_the_synapses"])
def test_fast_hidden_neurons_never_raise_the_reduced_energy(rules, v, X, beta, visible, hidden):
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    new = rules.lagrangian.update(v, X, **how)
    before, after = (rules.lagrangian.reduced_energy(x, X, **how) for x in (v, new))
    room = sum(of(lagrangian.reduced_energy, x, X, **how)[1] for x in (v, new))
    gap = rounding.g(40) * (np.abs(new).sum() + np.abs(v).sum() + 1) ** 2   # v' itself is rounded
    assert after <= before + room + gap


@law("lagrangian.flow", id="DA-4", over=records(**layers, visible=names, hidden=names,
                                                tau_v=st.sampled_from([0.5, 2.0]),
                                                tau_h=st.sampled_from([0.25, 4.0])),
     kills=["time_constants_swapped", "flow_without_its_leak"])
def test_a_step_of_its_time_constant_brings_a_layer_to_rest(rules, v, h, X, beta, visible, hidden,
                                                            tau_v, tau_h):
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    dv, dh = rules.lagrangian.flow(v, h, X, tau_v=tau_v, tau_h=tau_h, **how)
    rest_v = LAGRANGIANS[hidden].g(h, beta) @ X
    rest_h = LAGRANGIANS[visible].g(v, beta) @ X.T
    heard_v, heard_h = np.abs(X).sum(0) * (1 + abs(h).max()), np.abs(X).sum(-1) * (1 + abs(v).max())
    close(v + tau_v * dv, rest_v, rounding.g(20) * (np.abs(v) + heard_v))
    close(h + tau_h * dh, rest_h, rounding.g(20) * (np.abs(h) + heard_h))


def test_at_rest_in_both_layers_the_modern_network_rests_too():
    X = np.array([[3.0, 0.0], [0.0, 3.0]])
    v = np.array([3.0, 0.1])
    for _ in range(60):
        v = lagrangian.update(v, X, beta=2.0)
    h = v @ X.T
    dv, dh = lagrangian.flow(v, h, X, beta=2.0)
    close(dv, 0.0, rounding.modern_update(v[None], X, 2.0)[0] * 2)
    assert np.all(dh == 0) and np.array_equal(lagrangian.update(v, X, beta=2.0), v)
