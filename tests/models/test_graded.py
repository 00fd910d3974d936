"""Continuous classical networks: blog eqs. (7)-(13) and (20), Hopfield 1984."""
import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import graded
from tests import exact, rounding
from tests.draw import analog, records, thresholded, visits
from tests.laws import law
from tests.rounding import close, eta, g, u

F = {"tanh": np.tanh, "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)), "identity": lambda x: x}
CURVATURE = {"tanh": 1.0, "sigmoid": 4.0, "identity": 1.0}      # beta G'' is at least this
OPTIONS = ("activation", "beta")


def floor(activation, beta):
    """Down to here the smallest eigenvalue may go: synchronous descent still holds."""
    return -CURVATURE[activation] / beta


def integrals(rules, xi, **how):
    """sum_i G(xi_i) / beta, which is the energy without weights."""
    return rules.graded.energy(xi, np.zeros((xi.shape[-1],) * 2), **how)


def in_update(xi, W, b, activation, beta):
    h = xi @ W.T - b
    return rounding.monotone(F[activation], beta * h,
                             beta * rounding.classical_field(xi, W, b) + 2 * u * np.abs(beta * h))


def in_energy(rules, xi, W, b, **how):
    """Quadratic and linear terms; each G within 3 eps = 6 u, their sum g(d + 2)."""
    size = integrals(rules, xi, **how)
    size = np.abs(size) if how["activation"] != "sigmoid" else -size
    return rounding.classical_energy(xi, W, b) + g(W.shape[0] + 12) * size


# -- the integral and the energy, to the digit --------------------------------------------------

inside = st.one_of(
    st.floats(-1, 1), st.integers(-64, 64).map(lambda k: k / 64),
    st.floats(1, 150).map(lambda k: 10.0**-k), st.integers(1, 53).map(lambda k: 1 - 2.0**-k),
    st.floats(0.4999, 0.5001), st.integers(1, 53).map(lambda k: 0.5 + 2.0**-k))


@law("graded.energy", id="CC-1",
     over=records(x=inside, activation=st.sampled_from(["tanh", "sigmoid"])),
     kills=["tanh_integral_by_artanh", "tanh_integral_by_logs", "integral_with_log_cosh"])
def test_the_integral_is_right_to_three_eps(rules, x, activation):
    x = abs(x) if activation == "sigmoid" else x
    want = exact.integral(x, activation)
    got = rules.graded.energy(np.array([x]), np.zeros((1, 1)), activation=activation)
    assert abs(mpmath.mpf(float(got)) - want) <= 3 * 2 * u * abs(want) + 2 * eta


@law("graded.energy", id="CC-1", over=analog(),
     kills=["graded_energy_without_half", "integral_times_beta", "graded_energy_b_sign"])
def test_energy_is_right_to_three_eps_of_its_terms(rules, xi, W, b, activation, beta):
    for x in xi:
        terms = exact.graded_energy_terms(x, W, b, activation, beta)
        got = rules.graded.energy(x, W, b, activation=activation, beta=beta)
        error = abs(mpmath.mpf(float(got)) - sum(terms))
        assert error <= 3 * 2 * u * sum(abs(t) for t in terms)


# -- identities ---------------------------------------------------------------------------------

@law("graded.update", id="CC-2", over=analog(),
     kills=["gain_ignored", "gain_squared", "threshold_added", "threshold_outside"])
def test_the_new_state_is_the_activation_of_the_field(rules, xi, W, b, activation, beta):
    got = rules.graded.update(xi, W, b, activation=activation, beta=beta)
    want = F[activation](beta * (xi @ W.T - b))
    close(got, want, 2 * in_update(xi, W, b, activation, beta))


@law("graded.update", "graded.energy", id="CC-2", over=analog(),
     kills=["gain_ignored", "gain_squared", "integral_times_beta", "integral_with_log_cosh",
            "threshold_added"])
def test_the_new_state_minimises_the_convexified_energy(rules, xi, W, b, activation, beta):
    """CCCP: G(y)/beta - h.y is least at y = xi', and there it is -F(beta h)/beta, F' = f."""
    how = {"activation": activation, "beta": beta}
    h = xi @ W.T - b
    a = beta * h
    potential = {"tanh": np.logaddexp(a, -a) - np.log(2), "sigmoid": np.logaddexp(a, 0),
                 "identity": a * a / 2}[activation]
    after = rules.graded.update(xi, W, b, **how)
    least = integrals(rules, after, **how) - (h * after).sum(-1)
    dh = rounding.classical_field(xi, W, b)
    room = in_update(xi, W, b, activation, beta)
    allowed = ((dh + 4 * u * np.abs(h)) * (np.abs(after) + room)).sum(-1) * 3 + g(30) * (
        (np.abs(potential) + 1) / beta + np.abs(h * after)).sum(-1)
    spread = (room * (dh + room * _steepness(after, activation, beta))).sum(-1)
    close(least, -potential.sum(-1) / beta, allowed + spread)
    for y in (xi, after / 2):
        assert np.all(integrals(rules, y, **how) - (h * y).sum(-1) >= least - 2 * allowed - spread)


def _steepness(y, activation, beta):
    """G'' / beta near y; at saturation a rounding of y costs about itself times a log."""
    slope = {"tanh": 1 - y * y, "sigmoid": y * (1 - y), "identity": np.ones_like(y)}[activation]
    return 1 / (beta * np.maximum(slope, u))


@law("graded.update", "graded.energy", id="CC-2", over=analog(floor=floor),
     kills=["gain_ignored", "gain_squared", "threshold_added", "update_away"])
def test_together_the_energy_falls_while_the_weights_are_not_too_negative(
        rules, xi, W, b, activation, beta):
    """lambda_min(W) >= -c/beta, G'' >= c/beta:  E - E' = D.W D/2 + D_G >= D.(W + c/beta) D/2."""
    how = {"activation": activation, "beta": beta}
    after = rules.graded.update(xi, W, b, **how)
    E = rules.graded.energy
    step, room = after - xi, in_update(xi, W, b, activation, beta)
    least = ((step @ W) * step).sum(-1) / 2 + CURVATURE[activation] / beta * (step**2).sum(-1) / 2
    h = np.abs(xi @ W.T - b) + np.abs(xi) @ np.abs(W).T
    slack = (in_energy(rules, xi, W, b, **how) + in_energy(rules, after, W, b, **how)
             + (room * (h + np.abs(step @ W) + np.abs(step) / beta * 4 + 40 / beta)).sum(-1)
             + g(2 * W.shape[0] + 8) * ((np.abs(step) @ np.abs(W)) * np.abs(step)
                                        + 4 / beta * step**2).sum(-1))
    assert np.all(E(xi, W, b, **how) - E(after, W, b, **how) >= least - slack)


@law("graded.asynchronous_update", id="CC-4", over=visits(analog()),
     kills=["graded_sweep_done_at_once", "graded_sweep_skips_the_last", "graded_sweep_gain_squared",
            "graded_sweep_in_order_of_sites"])
def test_each_visited_site_takes_the_activation_of_its_field_now(
        rules, xi, W, b, activation, beta, order):
    how = {"activation": activation, "beta": beta}
    want, drift = xi.copy(), np.zeros_like(xi)
    for i in order:                     # a wrong field moves f by at most its slope times as much
        h, dh = (want @ W.T - b)[:, i], rounding.classical_field(want, W, b)[:, i]
        dh = dh + drift @ np.abs(W[i]) + 2 * u * np.abs(h)
        want[:, i], drift[:, i] = F[activation](beta * h), rounding.monotone(
            F[activation], beta * h, beta * dh)
    close(rules.graded.asynchronous_update(xi, W, b, order=order, **how), want, 2 * drift)


@law("graded.asynchronous_update", "graded.energy", id="CC-4",
     over=visits(analog(floor=lambda activation, beta: floor(activation, beta) / 2)),
     kills=["graded_sweep_gain_squared", "graded_sweep_threshold_added"])
def test_one_site_pays_its_own_weight_and_a_bregman_divergence(
        rules, xi, W, b, activation, beta, order):
    """E - E' = w_ii delta^2/2 + D_G(xi_i, new_i) >= (w_ii + c/beta) delta^2/2, c the curvature."""
    how, i = {"activation": activation, "beta": beta}, order[0]
    after = rules.graded.asynchronous_update(xi, W, b, order=[i], **how)
    E, step = rules.graded.energy, after - xi
    least = (W[i, i] + CURVATURE[activation] / beta) * step[:, i] ** 2 / 2
    h = np.abs(xi @ W.T - b) + np.abs(xi) @ np.abs(W).T
    room = in_update(xi, W, b, activation, beta)
    slack = (in_energy(rules, xi, W, b, **how) + in_energy(rules, after, W, b, **how)
             + (room * (h + np.abs(step @ W) + np.abs(step) / beta * 4 + 40 / beta)).sum(-1)
             + g(2 * W.shape[0] + 8) * np.abs(least))
    assert np.all(E(xi, W, b, **how) - E(after, W, b, **how) >= least - slack)


def test_one_site_may_climb_where_its_own_weight_is_too_negative():
    W = np.array([[-2.0]])              # below -1/beta
    new = graded.asynchronous_update([0.5], W, order=[0])
    assert graded.energy(new, W) > graded.energy([0.5], W)


@law("graded.two_step_energy", "graded.update", id="CC-3", over=analog(),
     kills=["graded_two_step_with_half", "graded_two_step_one_integral", "gain_ignored",
            "update_away"])
def test_together_the_two_step_energy_never_rises(rules, xi, W, b, activation, beta):
    """L(t+1) - L(t) = G(xi(t+1)) - G(xi(t-1)) - h(t).(xi(t+1) - xi(t-1)) <= 0, any symmetric W."""
    how = {"activation": activation, "beta": beta}
    f, L = rules.graded.update, rules.graded.two_step_energy
    now = f(xi, W, b, **how)
    after = f(now, W, b, **how)
    h = now @ W.T - b
    rise = L(after, now, W, b, **how) - L(now, xi, W, b, **how)
    paid = (integrals(rules, after, **how) - integrals(rules, xi, **how)
            - (h * (after - xi)).sum(-1))
    size = np.maximum(np.abs(xi), np.maximum(np.abs(now), np.abs(after)))
    allowed = 8 * rounding.classical_energy(size, W, b) + g(W.shape[0] + 16) * sum(
        np.abs(integrals(rules, y, **how)) for y in (xi, now, after)) * 2
    close(rise, paid, allowed)
    room = in_update(now, W, b, activation, beta)
    slack = allowed + (room * (np.abs(h) + 40 / beta + room / beta)).sum(-1)
    assert np.all(rise <= slack)


@law("graded.flow", "graded.update", id="CC-5", over=analog(),
     kills=["flow_reversed", "flow_without_tau", "flow_without_decay", "flow_without_gain"])
def test_an_euler_step_of_tau_is_the_map(rules, xi, W, b, activation, beta):
    """u + tau du/dt = W f(beta u) - b, so that f(beta .) of it is the update of f(beta u)."""
    x, tau = F[activation](beta * xi), 4.0
    velocity = rules.graded.flow(xi, W, b, activation=activation, beta=beta, tau=tau)
    h, dx = x @ W.T - b, 16 * u * np.abs(x) @ np.abs(W).T
    allowed = 2 * rounding.classical_field(x, W, b) + dx + 8 * u * (np.abs(h) + np.abs(xi))
    close(xi + tau * velocity, h, allowed)


@law("graded.flow", "graded.energy", id="CC-5", over=analog(activations=("tanh", "sigmoid")),
     kills=["flow_reversed", "flow_without_decay", "flow_without_gain"])
def test_along_the_flow_the_energy_falls_at_its_rate(rules, xi, W, b, activation, beta):
    """dE/dt = -tau beta sum f'(beta u_i) u'_i^2 <= 0, as an equality over a short step s.

    The rest is s^2/2 times d^2E/ds^2 <= beta (1 + beta |W| + beta |u - h|) |u'|^2, as |f'|, |f''|
    <= 1, and u - h = -tau u' changes little: twice is enough.
    """
    how = {"activation": activation, "beta": beta}
    f, E, s = F[activation], rules.graded.energy, 2.0**-20
    v = rules.graded.flow(xi, W, b, **how)
    here, there = f(beta * xi), f(beta * (xi + s * v))
    change = E(there, W, b, **how) - E(here, W, b, **how)
    slope = 1 - here**2 if activation == "tanh" else here * (1 - here)
    rest = s**2 * beta * (1 + beta * np.abs(W).sum() + beta * np.abs(v).max()) * (v * v).sum(-1)
    noise = (in_energy(rules, here, W, b, **how) + in_energy(rules, there, W, b, **how)
             + 16 * u * (np.abs(v) + 1 / beta).sum(-1))           # the rounding of both states
    close(change, -s * beta * (slope * v * v).sum(-1), rest + noise)


# -- symmetries and limits ----------------------------------------------------------------------

@law("graded.update", "graded.energy", id="CC-6", over=analog(),
     kills=["last_neuron_clamped"])
def test_relabelling_sites_relabels_the_answer_and_a_batch_is_its_rows(
        rules, xi, W, b, activation, beta):
    how, turn = {"activation": activation, "beta": beta}, np.arange(len(b))[::-1]
    room = 2 * in_update(xi, W, b, activation, beta)
    got = rules.graded.update(xi[:, turn], W[np.ix_(turn, turn)], b[turn], **how)
    close(got[:, turn], rules.graded.update(xi, W, b, **how), room)
    for x, y, r in zip(xi, rules.graded.update(xi, W, b, **how), room, strict=True):
        close(rules.graded.update(x, W, b, **how), y, r)


@law("graded.update", "graded.energy", id="CC-6", over=analog(activations=("tanh", "identity")),
     kills=["sigmoid_for_tanh"])
def test_without_a_threshold_an_odd_network_is_odd(rules, xi, W, b, activation, beta):
    how = {"activation": activation, "beta": beta}
    assert np.all(rules.graded.update(-xi, W, **how) == -rules.graded.update(xi, W, **how))
    assert np.all(rules.graded.energy(-xi, W, **how) == rules.graded.energy(xi, W, **how))


@law("graded.update", id="CC-6", over=analog(activations=("tanh", "sigmoid")),
     kills=["gain_ignored", "update_away", "threshold_added"])
def test_at_infinite_gain_sites_take_the_sign_of_their_field(rules, xi, W, b, activation, beta):
    """Fields are multiples of 1/64; at gain 2^12 a non-zero one is at least 64: f is its limit."""
    h = xi @ W.T - b
    low = {"tanh": -1.0, "sigmoid": 0.0}[activation]
    want = np.where(h == 0, (1 + low) / 2, np.where(h > 0, 1.0, low))
    got = rules.graded.update(xi, W, b, activation=activation, beta=2.0**12)
    close(got, want, np.exp(-64.0))


@law("graded.update", id="CC-6", over=analog(activations=("tanh",)),
     kills=["gain_squared", "gain_ignored"])
def test_below_unit_gain_every_state_decays_to_the_origin(rules, xi, W, b, activation, beta):
    """|tanh'| <= 1: with b = 0 a step contracts by beta |W|, here made 1/2 in the maximum norm."""
    beta = 0.5 / max(1 / 16, np.abs(W).sum(-1).max())
    after = rules.graded.update(xi, W, beta=beta)
    assert np.all(np.abs(after).max(-1) <= np.abs(xi).max(-1) / 2 * (1 + g(W.shape[0] + 8)))


# -- thresholded patterns, eq. (20) -------------------------------------------------------------

@law("graded.thresholded_update", id="CC-7", over=thresholded(),
     kills=["theta_itself_dropped", "side_swapped", "outer_patterns_thresholded",
            "state_not_thresholded"])
def test_only_what_lies_beyond_theta_is_compared_and_theta_itself_is_kept(
        rules, xi, X, beta, theta, side):
    seen = (lambda x: x <= theta) if side == "above" else (lambda x: x >= theta)
    scores = np.array([[sum(a * c for a, c in zip(x, y, strict=True) if seen(a) and seen(c))
                        for y in X] for x in xi])
    how = {"theta": theta, "side": side, "activation": "identity", "beta": beta}
    got = rules.graded.thresholded_update(xi, X, **how)
    assert np.all(got == beta * scores @ X)               # eighths: every product and sum is exact


def test_a_gain_of_ones_own():
    """An activation is any increasing f with its inverse and integral: here u^3 is the inverse."""
    cubic = graded.Activation(np.cbrt, lambda y: y**3, lambda y: y**4 / 4)
    W = np.array([[0.0, 8.0], [8.0, 0.0]])
    assert graded.update([1.0, 0.0], W, activation=cubic).tolist() == [0.0, 2.0]
    assert graded.energy([2.0, 0.0], np.zeros((2, 2)), activation=cubic, beta=2.0) == 2.0


# -- what each theorem needs --------------------------------------------------------------------

def test_together_an_indefinite_network_climbs_and_swings():
    W, how = np.array([[-8.0]]), {"activation": "tanh", "beta": 1.0}
    once = graded.update([0.5], W, **how)
    assert graded.energy(once, W, **how) > graded.energy([0.5], W, **how)
    for _ in range(50):
        once = graded.update(once, W, **how)
    twice = graded.update(once, W, **how)
    assert twice == pytest.approx(-once, rel=8 * u) and abs(once) > 0.99


def test_the_bound_on_negative_weights_is_sharp():
    """Just beyond -1/beta a small state already climbs: E ~ (W + 1/beta) xi^2 / 2 there."""
    for slope, rises in ((-1.0, False), (-1.01, True)):
        xi, W = np.array([2.0**-8]), np.array([[slope]])
        change = graded.energy(graded.update(xi, W), W) - graded.energy(xi, W)
        assert (change > 0) == rises


@pytest.mark.parametrize("rule", ["graded", "modern"])
def test_thresholded_rules_have_no_energy(rule):
    """Eqs. (20), (22) descend neither their own rule's energy nor any: the step has rotation."""
    import hopref
    op = getattr(hopref, rule).thresholded_update
    assert op.lowers is None
    X = np.array([[-1.0, 0.5], [0.25, -2.0], [-0.75, -1.0]])
    xi, h = np.array([-0.75, -0.875]), 2.0**-20
    J = np.stack([(op(xi + h * e, X) - op(xi - h * e, X)) / (2 * h) for e in np.eye(2)], -1)
    assert abs(J[0, 1] - J[1, 0]) > 1e-3                  # no gradient has such a slope
