"""Energies of two layers against sixty digits, however small the states and beta are."""
import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf

from hopref import lagrangian
from hopref.errors import DomainError, RangeError
from tests import exact
from tests.draw import arrays
from tests.rounding import close, eta, g

names = st.sampled_from(["quadratic", "tanh", "softmax"])
sizes = st.sampled_from([1e-9, 1e-7, 1e-5, 1e-3, 1.0])
temperatures = st.sampled_from([1e-9, 1e-6, 1e-3, 1.0, 30.0])
cases = given(v=arrays(3), h=arrays(2), X=arrays(2, 3), size=sizes, beta=temperatures,
              visible=names, hidden=names)


# -- the truth ----------------------------------------------------------------------------------

def softmax(u, beta):
    e = [mpmath.exp(beta * (v - max(u))) for v in u]
    return [v / mpmath.fsum(e) for v in e]


def lse(u, beta):
    return max(u) + mpmath.log(mpmath.fsum(mpmath.exp(beta * (v - max(u))) for v in u)) / beta


LAYERS = {
    "quadratic": (lambda u, beta: mpmath.fdot(u, u) / 2, lambda u, beta: u),
    "tanh": (lambda u, beta: mpmath.fsum(mpmath.log(mpmath.cosh(beta * v)) for v in u) / beta,
             lambda u, beta: [mpmath.tanh(beta * v) for v in u]),
    "softmax": (lse, softmax),
}


def transform(name, u, beta):
    L, output = LAYERS[name]
    with mpmath.workdps(400):
        return mpmath.fdot(u, output(u, beta)) - L(u, beta)


def rested(v, X, visible, hidden, beta):
    """The reduced energy, and what it may be off by: some eps of each term, and of what X g is."""
    v, beta = exact.numbers(v), mpf(beta)
    out = LAYERS[visible][1](v, beta)
    h = [mpmath.fdot(exact.numbers(x), out) for x in X]
    received = [mpmath.fdot([abs(w) for w in exact.numbers(x)], [abs(y) for y in out]) for x in X]
    own, theirs = transform(visible, v, beta), LAYERS[hidden][0](h, beta)
    slope = mpmath.fdot([abs(f) for f in LAYERS[hidden][1](h, beta)], received)
    return float(own - theirs), g(40) * float(abs(own) + abs(theirs) + slope) + 100 * eta


# -- accuracy -----------------------------------------------------------------------------------

@cases
def test_the_reduced_energy_is_right_for_small_states_and_small_beta(v, h, X, size, beta, visible,
                                                                     hidden):
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    want, allowed = rested(size * v, X, **how)
    close(lagrangian.reduced_energy(size * v, X, **how), want, allowed)


@cases
def test_the_energy_of_both_layers_is_right_for_small_states(v, h, X, size, beta, visible,
                                                             hidden):
    how, u, w = {"visible": visible, "hidden": hidden, "beta": beta}, size * v, size * h
    b, p, q = mpf(beta), exact.numbers(u), exact.numbers(w)
    out, f = LAYERS[visible][1](p, b), LAYERS[hidden][1](q, b)
    terms = [transform(visible, p, b), transform(hidden, q, b)]
    pairs = [-y * mpf(float(x)) * s for y, row in zip(f, X, strict=True)
             for x, s in zip(row, out, strict=True)]
    allowed = g(40) * float(mpmath.fsum(abs(t) for t in terms + pairs)) + 100 * eta
    close(lagrangian.energy(u, w, X, **how), float(mpmath.fsum(terms + pairs)), allowed)


@cases
def test_the_reduced_energy_falls_for_small_states_too(v, h, X, size, beta, visible, hidden):
    how, v = {"visible": visible, "hidden": hidden, "beta": beta}, size * v
    new = lagrangian.update(v, X, **how)
    before, after = (lagrangian.reduced_energy(x, X, **how) for x in (v, new))
    slack = rested(v, X, **how)[1] + rested(new, X, **how)[1]
    assert after <= before + slack


# -- cases of an audit --------------------------------------------------------------------------

def test_a_small_state_has_half_its_square():
    E = lagrangian.reduced_energy([1e-8], [[0.0]], visible="tanh", hidden="quadratic")
    close(E, 5e-17, g(8) * 5e-17)


def test_a_small_beta_leaves_the_difference_of_two_squares():
    v, X = [0.3, -0.8], [[1.0, 0.5], [-0.7, 0.2]]
    how = {"visible": "tanh", "hidden": "tanh", "beta": 1e-9}
    want, allowed = rested(v, X, **how)
    assert round(want, 12) == 3.65e-10
    close(lagrangian.reduced_energy(v, X, **how), want, allowed)


def test_a_lagrangian_of_ones_own_needs_no_transform():
    own = lagrangian.Lagrangian(lambda u, beta: (u * u).sum(-1) / 2, lambda u, beta: u)
    assert lagrangian.reduced_energy([3.0], [[0.0]], visible=own, hidden=own) == 4.5


def test_an_energy_beyond_the_range_is_refused():
    with pytest.raises(DomainError, match="below 2\\^500"):
        lagrangian.reduced_energy([1e200], [[1.0]])
    with pytest.raises(RangeError, match="in the range of float64"):
        lagrangian.update([1e150], [[1e150], [1e150]], hidden="quadratic")


def test_a_rectified_line_has_the_output_zero_at_zero():
    """The gradient of max(x, 0) at its kink is 0, the limit from below, not 0^0."""
    assert lagrangian.output([-1.0, 0.0, 2.0], layer="repu", n=1).tolist() == [0.0, 0.0, 1.0]
