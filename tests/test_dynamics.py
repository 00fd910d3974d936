"""Rules run through time: why they stop, cycles, independence of companions, sweeps, the flow."""
from functools import partial
from types import SimpleNamespace

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopref import bam, classical, graded, modern, retrieve, use_backend
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import Call
from hopref.dynamics import glauber, solve_flow, sweep, trace
from hopref.dynamics.iteration import _digest, _energy_of
from hopref.errors import BackendError, CallError, DomainError, DTypeError, ShapeError
from tests.draw import arrays, polar
from tests.rounding import close, within

COMPANY = st.integers(0, 2**32 - 1).map(np.random.default_rng)


# -- retrieve -----------------------------------------------------------------------------------


@given(rng=COMPANY, beta=st.sampled_from([0.5, 8.0]))
@settings(max_examples=10)
def test_a_state_is_retrieved_the_same_in_any_company_to_the_last_bit(rng, beta):
    X, xi = rng.standard_normal((7, 5)), rng.standard_normal((9, 5))
    how = {"beta": beta, "max_steps": 30}
    together = retrieve(modern.update, xi, X, **how)
    turned = retrieve(modern.update, xi[::-1], X, **how)
    for i in (0, 4, 8):
        alone = retrieve(modern.update, xi[i], X, **how)
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


def test_not_to_converge_is_an_answer():
    run = retrieve(modern.update, [0.3, 0.1], [[1.0, 0.0], [0.0, 1.0]], max_steps=1, tol=0.0)
    assert run.reason == "max_steps" and not run.converged and run.period == 0 and run.steps == 1


def test_a_lost_state_stops_alone():
    """A cubing gain from 1 stays, from 2 runs to infinity."""
    cube = graded.Activation(lambda y: y**3, np.cbrt, lambda y: 0.75 * np.abs(y) ** (4 / 3))
    run = retrieve(graded.update, [[1.0], [2.0]], [[1.0]], activation=cube, nonfinite="propagate")
    assert run.reason.tolist() == ["fixed_point", "nonfinite"]


def test_states_that_stop_for_different_reasons_do_not_stop_each_other():
    """The second component of two states grows to infinity, the others stay."""
    cube = graded.Activation(lambda y: y**3, np.cbrt, lambda y: 0.75 * np.abs(y) ** (4 / 3))
    run = retrieve(graded.update, [[1.0, 1.0], [1.0, 2.0], [1.0, 1.01]], np.eye(2), activation=cube,
                   nonfinite="propagate")
    assert run.reason.tolist() == ["fixed_point", "nonfinite", "nonfinite"]
    assert run.steps[0] == 1 < run.steps[1] < run.steps[2]
    halves = retrieve(graded.update, [[1e6], [1.0]], [[0.5]], activation="identity", tol=0.5,
                      max_steps=3)
    assert halves.reason.tolist() == ["max_steps", "max_steps"]     # each change is the state


def test_an_infinite_state_stops_without_a_warning_and_an_empty_one_is_fixed():
    run = retrieve(graded.update, [np.inf], [[1.0]], activation="identity", nonfinite="propagate")
    assert run.reason == "nonfinite" and run.steps == 1
    run = retrieve(graded.update, np.zeros((2, 0)), np.zeros((0, 0)))
    assert run.reason.tolist() == ["fixed_point"] * 2


def test_zeros_of_both_signs_are_one_state():
    assert _digest(np.array([-0.0, 1.0])) == _digest(np.array([0.0, 1.0]))
    assert _digest(np.array([-0.0, 1.0])) != _digest(np.array([0.0, -1.0]))


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


def test_a_state_that_never_stops_takes_a_thousand_updates():
    run = retrieve(graded.update, [1.0], [[1.0 + 2.0**-9]], activation="identity")
    assert run.steps == 1000 and run.reason == "max_steps" and len(run.energies) == 1001
    run = sweep([1.0, 1.0], [[0.0, 1.0], [-1.0, 0.0]], order="permutation", rng=0)
    assert run.steps == 1000 and run.reason == "max_steps"


def test_a_change_within_the_tolerance_of_the_largest_component_stops_a_state():
    """Each update halves the state: its change is the state itself, and all of its components."""
    W = 0.5 * np.eye(2)
    for tol, steps in ((1.0, 1), (0.999, 1000)):
        run = retrieve(graded.update, [1.0, -4.0], W, activation="identity", tol=tol)
        assert run.steps == steps and (run.reason == "tolerance") == (tol == 1.0)
    run = retrieve(graded.update, [[1.0, -4.0], [0.0, 0.0]], W, activation="identity", tol=1.0)
    assert run.reason.tolist() == ["tolerance", "fixed_point"] and run.period.tolist() == [1, 1]


def test_the_path_is_that_of_the_caller():
    for run in (retrieve, trace):
        steps = {"steps": 1} if run is trace else {}
        with pytest.raises(BackendError, match="hopref.modern.update: backend='cupy' must be"):
            run(modern.update, [1.0], [[1.0]], backend="cupy", **steps)


@pytest.mark.parametrize("backend, wanted", [("numba", "numba"), ("cupy", None), (None, None)])
def test_the_energy_takes_the_path_of_the_update_if_it_has_that(backend, wanted):
    asked = {}

    def prepare(start, *memory, **options):
        asked.update(options, start=start)
        return Call(lambda xi, X: xi[..., 0] + len(X), (start, *memory), {})

    energy = SimpleNamespace(signature=modern.energy.signature, structural=False, prepare=prepare,
                             paths=("formula", "numba"))
    of = _energy_of(SimpleNamespace(lowers=(energy, "always")), np.ones((2, 3)), (np.ones((5, 3)),),
                    backend, {"beta": 2.0, "other": 1})
    assert asked.pop("start").tolist() == [[0.0] * 3] * 2
    assert asked == {"beta": 2.0, "backend": wanted}
    assert of(np.ones((4, 3))).tolist() == [6.0] * 4


@pytest.mark.parametrize("update", [np.tanh, "modern.update", None])
def test_what_is_no_operation_is_refused(update):
    with pytest.raises(CallError, match="update must be an operation of hopref; got"):
        retrieve(update, [1.0], [[1.0]])


def test_states_outside_numpy_are_refused_and_counts_are_integers():
    xi, X = array_api_strict.asarray([1.0]), array_api_strict.asarray([[1.0]])
    with pytest.raises(BackendError, match="retrieve: xi must be a NumPy array; got array_api_st"):
        retrieve(modern.update, xi, X)
    run = retrieve(modern.update, [[1.0], [2.0]], [[1.0]])
    assert run.steps.dtype.kind == run.period.dtype.kind == "i" and run.converged.dtype == bool


# -- trace --------------------------------------------------------------------------------------


def test_a_rule_without_energy_has_none():
    assert trace(modern.thresholded_update, [1.0], [[1.0]], steps=2).energies is None
    assert retrieve(modern.thresholded_update, [1.0], [[1.0]]).energies is None


@given(rng=COMPANY, each=st.booleans())
@settings(max_examples=10)
def test_clamped_components_stay_and_the_others_lower_the_energy(rng, each):
    """The update minimises a bound of the energy that is a sum over the components [HA-2]."""
    X, xi = rng.standard_normal((7, 5)), rng.standard_normal((3, 2, 5))
    clamp = np.broadcast_to(rng.random((3, 2, 5) if each else 5) < 0.5, xi.shape)
    run = trace(modern.update, xi, X, beta=2.0, steps=4, clamp=clamp)
    before = expected("modern.energy", (xi, X), {"beta": 2.0}, PROFILES["float64"])
    for x, y in zip(run.states, run.states[1:]):
        assert np.array_equal(y[clamp], xi[clamp])
        within(np.where(clamp, modern.update(x, X, beta=2.0), y), modern.update, x, X, beta=2.0)
        after = expected("modern.energy", (y, X), {"beta": 2.0}, PROFILES["float64"])
        fallen = before.value - after.value - np.sum((y - x) ** 2, axis=-1) / 2
        assert np.all(fallen >= -before.radius - after.radius)
        before = after
    found = retrieve(modern.update, xi, X, beta=2.0, clamp=clamp)
    assert np.array_equal(found.states[clamp], xi[clamp]) and np.all(found.converged)


def test_a_mask_of_components_is_validated():
    for clamp, error, match in (([1.0, 0.0], DTypeError, "clamp must be an array of bool"),
                                ([True, False, True], ShapeError, r"that broadcasts to \(2,\)"),
                                (np.ones((2, 2), bool), ShapeError, "that of xi")):
        for call in (retrieve, partial(trace, steps=1)):
            with pytest.raises(error, match=match):
                call(modern.update, [1.0, 0.0], [[1.0, 0.0]], clamp=clamp)
    with pytest.raises(ShapeError, match=r"that broadcasts to \(3, 2\)"):
        retrieve(modern.update, np.ones((3, 2)), [[1.0, 0.0]], clamp=np.ones((2, 2), bool))
    one = retrieve(modern.update, np.ones((3, 2)), [[1.0, 0.0]], clamp=np.array([[True, False]]))
    assert np.array_equal(one.states, [[1.0, 0.0]] * 3)
    assert retrieve(classical.update, [1.0], [[-1.0]], clamp=True).reason == "fixed_point"


# -- sweep --------------------------------------------------------------------------------------


@given(rng=COMPANY)
@settings(max_examples=20)
def test_a_sweep_of_given_sites_leaves_the_others(rng):
    W = rng.integers(-2, 3, (6, 6)) * (1.0 - np.eye(6))
    W, xi, order = W + W.T, rng.choice([-1.0, 1.0], (4, 6)), [5, 3, 1, 3]
    run, one = sweep(xi, W, order=order), sweep(xi, W, order=order, max_sweeps=1)
    assert np.array_equal(run.states[:, ::2], xi[:, ::2]) and np.all(run.reason == "fixed_point")
    assert np.array_equal(one.states, classical.asynchronous_update(xi, W, order=order))
    after = classical.update(run.states, W)
    assert np.array_equal(after[:, order], run.states[:, order])
    with pytest.raises(DomainError, match="order"):
        sweep(xi, W, order=[6])


@given(st.integers(1, 6).flatmap(lambda d: arrays(1, d, elements=polar)))
def test_a_stored_pattern_without_crosstalk_is_a_fixed_point_of_sweeps(x):
    W = x.T @ x
    for order in ("cyclic", "greedy"):
        assert np.array_equal(sweep(x[0], W, order=order).states, x[0])


def test_without_its_preconditions_a_sweep_need_not_end():
    for W in ([[0.0, 1.0], [-1.0, 0.0]], [[-3.0, 0.0], [0.0, 0.0]]):
        run = sweep([1.0, 1.0], W, max_sweeps=50)
        assert run.reason == "cycle" and not run.converged


def test_a_sweep_at_random_sites_ends_only_where_no_site_would_change():
    """A sweep that changes nothing may have left out a site that would change."""
    X = np.array([[1.0, 1, 1, -1, -1, 1]])
    W, xi = X.T @ X - np.eye(6), X[0] * [1, 1, 1, 1, 1, -1]
    for seed in range(8):
        run = sweep(xi, W, order="random", rng=seed)
        assert run.reason == "fixed_point" and np.array_equal(run.states, X[0])


def test_glauber_dynamics_has_the_alphabet_and_the_temperature_of_its_arguments():
    W, xi = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 0.0])
    run = glauber(xi, W, sweeps=40, rng=0, states="binary")
    assert set(np.unique(run.states)) == {0.0, 1.0}
    same = glauber(xi, W, sweeps=40, rng=0, states="binary", beta=1.0)
    colder = glauber(xi, W, sweeps=40, rng=0, states="binary", beta=2.0)
    assert np.array_equal(run.states, same.states)
    assert not np.array_equal(run.states, colder.states)


def test_each_sweep_at_temperature_zero_starts_from_the_last_one():
    run = glauber([1.0, 1.0], [[0.0, 1.0], [-1.0, 0.0]], beta=1e6, sweeps=3, rng=0)
    assert run.states.tolist() == [[1, 1], [1, -1], [-1, 1], [1, -1]]


# -- the flow -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("rule", [partial(sweep, rng=0), partial(glauber, rng=0, sweeps=1)])
def test_clamped_sites_of_sweeps_are_a_mask_of_sites(rule):
    xi, W = np.ones((2, 3)), -np.ones((3, 3))
    for clamp, error, match in (([1, 0, 0], DTypeError, "clamp must be an array of bool"),
                                ([True], ShapeError, r"clamp must have the shape \(3,\)"),
                                (np.ones((2, 3), bool), ShapeError, r"got \(2, 3\)")):
        with pytest.raises(error, match=match):
            rule(xi, W, clamp=clamp)
    for backend in ("formula", "numba"):
        with use_backend(backend):
            assert np.all(rule(xi, W, clamp=True).states == 1)


def test_greedy_sweeps_have_no_clamped_sites():
    with pytest.raises(CallError, match="clamp must be left out with order='greedy'"):
        sweep([1.0, 1.0], [[0.0, 1.0], [1.0, 0.0]], order="greedy", clamp=[True, False])


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


def test_a_flow_has_the_energies_of_its_states_at_a_hundred_and_one_times():
    W, b = [[0.5, 0.2], [0.2, -0.3]], [0.1, 0.0]
    options = {"beta": 2.0, "activation": "sigmoid"}
    flow = solve_flow([0.7, -0.2], W, b, until=0.5, **options)
    assert flow.times.shape == (101,) and flow.times[[0, -1]].tolist() == [0.0, 0.5]
    assert np.array_equal(flow.energies, graded.energy(flow.states, W, b, **options))
    assert len(solve_flow([0.7, -0.2], W, until=0.5, points=2).times) == 2
    with pytest.raises(DomainError, match="points must be an integer >= 2; got points=1"):
        solve_flow([0.7, -0.2], W, until=0.5, points=1)
