"""Rules run through time: why they stop, cycles, independence of companions, sweeps, the flow."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopref import bam, classical, graded, modern, retrieve
from hopref.dynamics import solve_flow, sweep, trace
from hopref.errors import CallError
from tests import rounding
from tests.draw import arrays, networks, polar, problems, records, stores
from tests.laws import law
from tests.rounding import close

COMPANY = st.integers(0, 2**32 - 1).map(np.random.default_rng)


# -- retrieve -----------------------------------------------------------------------------------

@law("dynamics.retrieve", id="CB-6", over=networks(rows=4),
     kills=["all_stop_with_the_first", "cycles_unnoticed", "period_off_by_one",
            "steps_without_the_confirming_one"])
def test_a_binary_state_ends_where_stepping_by_hand_ends(rules, xi, W, b):
    run = rules.dynamics.retrieve(classical.update, xi, W, b)
    for i, x in enumerate(xi):
        seen = [x]
        while not any(np.array_equal(seen[-1], s) for s in seen[:-1]):
            seen.append(classical.update(seen[-1], W, b))
        period = len(seen) - 1 - next(t for t, s in enumerate(seen) if np.array_equal(s, seen[-1]))
        assert np.array_equal(run.states[i], seen[-1])
        assert run.steps[i] == len(seen) - 1 and run.period[i] == period <= 2
        assert run.reason[i] == ("fixed_point" if period == 1 else "cycle")
        assert run.converged[i] == (period == 1)


@law("dynamics.retrieve", id="MH-7", over=records(rng=COMPANY, beta=st.sampled_from([0.5, 8.0])),
     kills=["all_run_with_the_last", "all_stop_with_the_first"])
def test_a_state_is_retrieved_the_same_in_any_company_to_the_last_bit(rules, rng, beta):
    X, xi = rng.standard_normal((7, 5)), rng.standard_normal((9, 5))
    how = {"beta": beta, "max_steps": 30}
    together = rules.dynamics.retrieve(modern.update, xi, X, **how)
    turned = rules.dynamics.retrieve(modern.update, xi[::-1], X, **how)
    for i in (0, 4, 8):
        alone = rules.dynamics.retrieve(modern.update, xi[i], X, **how)
        for other, at in ((together, i), (turned, 8 - i)):
            assert np.array_equal(alone.states, other.states[at])
            assert alone.steps == other.steps[at] and alone.reason == other.reason[at]
            assert np.array_equal(alone.energies, other.energies[:len(alone.energies), at])


@given(rng=COMPANY)
@settings(max_examples=10)
def test_every_rule_answers_a_state_alone_and_in_company_alike(rng):
    """Two axes of companions, strides and all; tanh, sign and softmax rules."""
    d, xi = 6, rng.uniform(-1, 1, (3, 6, 2)).swapaxes(1, 2)
    W = rng.standard_normal((d, d))
    W, X = W + W.T, rng.standard_normal((5, d))
    for rule, memory in ((graded.update, (W,)), (graded.thresholded_update, (X,)),
                         (modern.thresholded_update, (X,)), (classical.low_rank_update, (X,))):
        start = np.sign(xi) if rule is classical.low_rank_update else xi
        run = retrieve(rule, start, *memory, max_steps=20)
        for at in ((0, 0), (2, 1)):
            alone = retrieve(rule, np.ascontiguousarray(start[at]), *memory, max_steps=20)
            assert np.array_equal(alone.states, run.states[at], equal_nan=True)
            assert alone.reason == run.reason[at] and alone.steps == run.steps[at]


@law("dynamics.retrieve", id="MH-4", over=problems(),
     kills=["energies_lag_a_step"])
def test_energies_are_those_of_the_states_on_the_way_and_fall(rules, xi, X, beta):
    run = rules.dynamics.retrieve(modern.update, xi, X, beta=beta, max_steps=8)
    way = trace(modern.update, xi, X, beta=beta, steps=8)
    for t, E in enumerate(run.energies):
        at = np.minimum(t, run.steps)
        states = way.states[at, np.arange(len(xi))]
        room = 2 * rounding.modern_energy(states, X, beta)
        close(E, modern.energy(states, X, beta=beta), room)
        if t:
            assert np.all(E <= run.energies[t - 1] + 2 * room)
    assert len(run.energies) == run.steps.max() + 1


@law("dynamics.retrieve", id="MH-7", over=problems(),
     kills=["converged_at_max_steps", "tolerance_absolute", "fixed_point_for_tolerance"])
def test_each_reason_means_what_it_says(rules, xi, X, beta):
    """In units of 2^40 and of 2^-40 alike: powers of two change no decision."""
    reasons = []
    for unit in (1.0, 2.0**40, 2.0**-40):
        run = rules.dynamics.retrieve(modern.update, unit * xi, unit * X, beta=beta / unit**2,
                                      tol=2.0**-20, max_steps=3)
        once = np.stack([modern.update(x[None], unit * X, beta=beta / unit**2)[0]
                         for x in run.states])
        moved = np.abs(once - run.states).max(-1)
        for reason, converged, step in zip(run.reason, run.converged, moved, strict=True):
            assert reason in ("fixed_point", "tolerance", "max_steps", "cycle")
            assert converged == (reason in ("fixed_point", "tolerance"))
            assert step == 0 or reason != "fixed_point"
        reasons.append(list(run.reason))
    assert reasons[0] == reasons[1] == reasons[2]


def test_not_to_converge_is_an_answer():
    run = retrieve(modern.update, [0.3, 0.1], [[1.0, 0.0], [0.0, 1.0]], max_steps=1, tol=0.0)
    assert run.reason == "max_steps" and not run.converged and run.period == 0 and run.steps == 1


def test_a_lost_state_stops_alone():
    """A cubing gain from 1 stays, from 2 runs to infinity."""
    cube = graded.Activation(lambda y: y**3, np.cbrt, lambda y: 0.75 * np.abs(y) ** (4 / 3))
    run = retrieve(graded.update, [[1.0], [2.0]], [[1.0]], activation=cube, nonfinite="propagate")
    assert run.reason.tolist() == ["fixed_point", "nonfinite"]


def test_a_long_cycle_is_found_with_its_period():
    """Without symmetry: a ring of five sites passes one minus around."""
    d = 5
    W = np.roll(np.eye(d), 1, axis=0)
    xi = np.array([-1.0, 1.0, 1.0, 1.0, 1.0])
    run = retrieve(classical.update, xi, W)
    assert run.reason == "cycle" and run.period == d and run.steps == d


def test_what_states_do_not_share_is_no_memory():
    """A pair's other half may be given for one state; for many, each would need its own."""
    W, y, x = np.eye(2), np.array([1.0, -1.0]), np.array([-1.0, 1.0])
    assert np.array_equal(retrieve(bam.forward, y, x, W).states, x)
    with pytest.raises(CallError, match="hopref.retrieve: x must be the same for all states"):
        retrieve(bam.forward, [y, y, y], [x, x, x], W)
    with pytest.raises(CallError, match="uniforms must be the same"):
        trace(classical.glauber_update, [y], W, steps=1, order=[0], uniforms=[[0.5]])


# -- trace --------------------------------------------------------------------------------------

@law("dynamics.trace", id="MH-2", over=problems(),
     kills=["trace_without_its_start", "trace_repeats"])
def test_a_trace_is_one_step_after_another(rules, xi, X, beta):
    way = rules.dynamics.trace(modern.update, xi, X, beta=beta, steps=3)
    assert way.states.shape == (4, *xi.shape) and np.array_equal(way.states[0], xi)
    for x, y in zip(way.states, way.states[1:], strict=False):
        close(y, modern.update(x, X, beta=beta), 2 * rounding.modern_update(x, X, beta))
    for E, x in zip(way.energies, way.states, strict=True):
        close(E, modern.energy(x, X, beta=beta), 2 * rounding.modern_energy(x, X, beta))


def test_a_rule_without_energy_has_none():
    assert trace(modern.thresholded_update, [1.0], [[1.0]], steps=2).energies is None
    assert retrieve(modern.thresholded_update, [1.0], [[1.0]]).energies is None


# -- sweep --------------------------------------------------------------------------------------

ORDERS = st.sampled_from(["cyclic", "permutation", "random", "greedy"])


@st.composite
def swept(draw, diagonal=">=0"):
    return {**draw(networks(diagonal=diagonal, rows=3)), "order": draw(ORDERS)}


@law("dynamics.sweep", "classical.asynchronous_update", id="CB-4", over=swept(),
     kills=["sweep_is_synchronous", "sweep_skips_the_last_site"])
def test_a_sweep_ends_with_every_site_stable_and_never_climbs(rules, xi, W, b, order):
    """W = W.T, w_ii >= 0: integers, so exactly; and a fixed point of all orders is one."""
    run = rules.dynamics.sweep(xi, W, b, order=order, rng=4)
    assert np.all(run.reason == "fixed_point") and np.all(run.converged)
    assert np.array_equal(classical.update(run.states, W, b), run.states)
    assert np.all(np.diff(run.energies, axis=0) <= 0)
    assert np.array_equal(run.energies[-1], classical.energy(run.states, W, b))


@law("dynamics.sweep", id="CB-4", over=swept(diagonal="0"),
     kills=["sweep_never_rests"])
def test_flips_are_no_more_than_the_energy_affords(rules, xi, W, b, order):
    """Integer weights, zero diagonal: a flip costs 2 |h| >= 2 of at most sum |w|/2 + sum |b| on
    each side of 0; the energy of the start less the least, half of it, bounds the flips."""
    run = rules.dynamics.sweep(xi, W, b, order="greedy")
    most = np.abs(W).sum() / 2 + np.abs(b).sum()
    assert np.all(run.steps - 1 <= most)


@law("dynamics.sweep", id="CB-4", over=swept(),
     kills=["sweep_of_one_seed_a_state"])
def test_a_swept_state_does_not_know_its_companions(rules, xi, W, b, order):
    run = rules.dynamics.sweep(xi, W, b, order=order, rng=9)
    for i, x in enumerate(xi):
        alone = rules.dynamics.sweep(x, W, b, order=order, rng=9)
        assert np.array_equal(alone.states, run.states[i]) and alone.steps == run.steps[i]


@given(stores(elements=polar))
def test_stored_patterns_without_crosstalk_survive_a_sweep(case):
    x = case["X"][:1]
    W = x.T @ x
    for order in ("cyclic", "greedy"):
        assert np.array_equal(sweep(x[0], W, order=order).states, x[0])


def test_without_its_preconditions_a_sweep_need_not_end():
    for W in ([[0.0, 1.0], [-1.0, 0.0]], [[-3.0, 0.0], [0.0, 0.0]]):
        run = sweep([1.0, 1.0], W, max_sweeps=50)
        assert run.reason == "cycle" and not run.converged


# -- the flow -----------------------------------------------------------------------------------

@st.composite
def flows(draw):
    d = draw(st.integers(1, 3))
    W = draw(arrays(d, d))
    return {"u": draw(arrays(2, d)), "W": np.tril(W) + np.tril(W, -1).T, "b": draw(arrays(d)),
            "tau": draw(st.sampled_from([0.5, 2.0]))}


@law("dynamics.solve_flow", "graded.flow", id="CC-5", over=flows(),
     kills=["flow_solved_backwards", "flow_by_long_euler_steps"])
def test_along_the_solved_flow_the_energy_falls_and_time_is_counted_in_tau(rules, u, W, b, tau):
    """The solver's error per component is rtol |u| + atol, times a few steps; the energy's slope is
    at most |u'| <= |u| + |W| + |b|."""
    flow = rules.dynamics.solve_flow(u, W, b, until=4 * tau, points=9, tau=tau)
    reach = np.abs(u).max() + np.abs(W).sum() + np.abs(b).sum() + 1
    slack = 1e3 * (1e-9 * reach + 1e-12) * reach * len(b)       # rtol, atol: the solver's defaults
    assert np.all(np.diff(flow.energies, axis=0) <= slack)
    assert np.array_equal(flow.internal[0], u) and flow.times[-1] == 4 * tau
    still = rules.dynamics.solve_flow(u, 0 * W, b, until=4 * tau, points=9, tau=tau)
    decay = np.exp(-still.times / tau)[:, None, None]
    close(still.internal, -b + (u + b) * decay, 1e2 * (1e-9 * reach + 1e-12))


def test_a_flow_does_not_know_its_companions():
    W, u = np.array([[1.0, -0.5], [-0.5, 0.0]]), np.array([[0.3, 0.1], [5.0, -7.0], [0.0, 2.0]])
    together = solve_flow(u, W, until=3.0, points=4)
    for i, u_0 in enumerate(u):
        alone = solve_flow(u_0, W, until=3.0, points=4)
        assert np.array_equal(alone.internal, together.internal[:, i])
        assert np.array_equal(alone.energies, together.energies[:, i])


def test_a_flow_that_runs_away_ends_in_nan_and_one_without_symmetry_goes_round():
    lost = solve_flow([1.0], [[3.0]], until=1e4, points=3, activation="identity")
    assert lost.internal[0] == 1.0 and np.isnan(lost.states[-1]) and np.isnan(lost.energies[-1])
    turning = solve_flow([1.0, 0.0], [[1.0, 2.0], [-2.0, 1.0]], until=20.0, beta=4.0)
    assert np.ptp(turning.states[-30:, 0]) > 1.0


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_flow_rests_where_the_map_does(beta):
    W = np.array([[1.0, 0.5], [0.5, 1.0]])
    end = solve_flow([0.7, -0.2], W, until=80.0, beta=beta, points=2)
    x = end.states[-1]
    close(graded.update(x, W, beta=beta), x, 1e-8)             # rtol 1e-9 through |J| < 10


@pytest.mark.parametrize("shape", [(2, 0), (0, 3), (0,)])
def test_a_flow_of_nothing_is_empty(shape):
    d = shape[-1]
    flow = solve_flow(np.zeros(shape), np.zeros((d, d)), until=1.0, points=3)
    assert flow.internal.shape == flow.states.shape == (3, *shape)
    assert np.all(flow.energies == 0) and flow.energies.shape == (3, *shape[:-1])
