"""Continuous classical networks: blog eqs. (7)-(13) and (20), Hopfield 1984."""
import math
from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hopref
from hopref import graded
from hopref.dynamics import solve_flow
from hopref.errors import DomainError, ShapeError
from tests import exact
from tests.draw import analog
from tests.rounding import close, eta, u

# -- the integral and the energy, to the digit --------------------------------------------------

inside = st.one_of(
    st.floats(-1, 1), st.integers(-64, 64).map(lambda k: k / 64),
    st.floats(1, 150).map(lambda k: 10.0**-k), st.integers(1, 53).map(lambda k: 1 - 2.0**-k),
    st.floats(0.4999, 0.5001), st.integers(1, 53).map(lambda k: 0.5 + 2.0**-k))


@given(x=inside, activation=st.sampled_from(["tanh", "sigmoid"]))
def test_the_integral_is_right_to_three_eps(x, activation):
    x = abs(x) if activation == "sigmoid" else x
    want = exact.integral(x, activation)
    got = graded.energy(np.array([x]), np.zeros((1, 1)), activation=activation)
    assert abs(mpmath.mpf(float(got)) - want) <= 3 * 2 * u * abs(want) + 2 * eta


@given(analog())
def test_energy_is_right_to_three_eps_of_its_terms(case):
    W, b, activation, beta = (case[k] for k in ("W", "b", "activation", "beta"))
    for x in case["xi"]:
        terms = exact.graded_energy_terms(x, W, b, activation, beta)
        got = graded.energy(x, W, b, activation=activation, beta=beta)
        error = abs(mpmath.mpf(float(got)) - sum(terms))
        assert error <= 3 * 2 * u * sum(abs(t) for t in terms)


# -- what each theorem needs --------------------------------------------------------------------

def test_one_site_may_climb_where_its_own_weight_is_too_negative():
    W = np.array([[-2.0]])              # below -1/beta
    new = graded.asynchronous_update([0.5], W, order=[0])
    assert graded.energy(new, W) > graded.energy([0.5], W)


def test_a_gain_of_ones_own():
    """An activation is any increasing f with its inverse and integral: here u^3 is the inverse."""
    cubic = graded.Activation(np.cbrt, lambda y: y**3, lambda y: y**4 / 4)
    W = np.array([[0.0, 8.0], [8.0, 0.0]])
    assert graded.update([1.0, 0.0], W, activation=cubic).tolist() == [0.0, 2.0]
    assert graded.energy([2.0, 0.0], np.zeros((2, 2)), activation=cubic, beta=2.0) == 2.0


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


def test_retrieval_and_the_flow_with_a_leak_end_in_the_same_state():
    """Both set the gradient of one energy to 0.  The solver's error is 1e-9 |u| a step, of which
    the last 300/4 steps count for each 1/leak; |u| is at most 6."""
    W, leak = np.array([[0.0, 1.0], [1.0, 0.5]]), np.array([0.25, 4.0])
    found = hopref.retrieve(graded.update, np.array([0.5, 0.5]), W, leak=leak, tol=0.0)
    flow = solve_flow([0.5, 0.5], W, until=200.0, leak=leak)
    assert np.max(np.abs(found.states - flow.states[-1])) <= 300 / 4 / 0.25 * 6e-9
    other = hopref.retrieve(graded.update, [0.5, 0.5], W)
    assert np.max(np.abs(found.states - other.states)) > 0.25


@pytest.mark.parametrize("leak, error", [
    ([1.0, 0.0], DomainError), ([1.0, -1.0], DomainError), ([1.0, np.inf], DomainError),
    ([1.0, np.nan], DomainError), ([1.0], ShapeError), (2.0, ShapeError)])
def test_leaks_are_positive_and_one_for_each_site(leak, error):
    for call in (graded.energy, graded.update, graded.flow, partial(solve_flow, until=1.0)):
        with pytest.raises(error, match="leak"):
            call([0.5, 0.5], np.eye(2), leak=leak)


@pytest.mark.parametrize("activation, y, x", [
    ("tanh", 0.6, math.log(2)), ("tanh", -0.6, -math.log(2)), ("identity", 0.6, 0.6),
    ("sigmoid", 0.75, math.log(3)), ("sigmoid", 0.25, -math.log(3))])
def test_an_inverse_is_that_of_its_activation(activation, y, x):
    rule = graded.ACTIVATIONS[activation]
    close(rule.inverse(np.array(y)), x, 8 * u * abs(x))
    close(rule.f(np.array(x)), y, 8 * u)


@pytest.mark.parametrize("rule", ["graded", "modern"])
def test_thresholded_rules_have_no_energy(rule):
    """Eqs. (20), (22) descend neither their own rule's energy nor any: the step has rotation."""
    op = getattr(hopref, rule).thresholded_update
    assert op.lowers is None
    X = np.array([[-1.0, 0.5], [0.25, -2.0], [-0.75, -1.0]])
    xi, h = np.array([-0.75, -0.875]), 2.0**-20
    J = np.stack([(op(xi + h * e, X) - op(xi - h * e, X)) / (2 * h) for e in np.eye(2)], -1)
    assert abs(J[0, 1] - J[1, 0]) > 1e-3                  # no gradient has such a slope
