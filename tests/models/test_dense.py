"""Dense associative memories: beyond the range of exp, and what each theorem needs."""
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import dense
from hopref.errors import DomainError
from tests import rounding
from tests.draw import arrays, polar, small
from tests.rounding import close


@st.composite
def overlaps(draw):
    """Integer patterns of length up to 400: exp of an overlap may overflow, its logarithm not."""
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    scale = draw(st.sampled_from([1.0, 100.0]))
    return {"xi": draw(arrays(d, elements=polar)), "X": scale * draw(arrays(n, d, elements=small))}


@given(overlaps())
def test_the_log_energy_is_the_logarithm_of_the_exponential_energy(case):
    """exp, log and a sum of n terms after exact differences."""
    xi, X = case["xi"], case["X"]
    z = [mpmath.mpf(float(x @ xi)) for x in X]
    want = -mpmath.log(mpmath.fsum(mpmath.exp(v) for v in z))
    allowed = (rounding.g(len(X) + 8) + 4 * rounding.u * (np.log(len(X)) + abs(float(want))))
    close(dense.log_energy(xi, X), float(want), allowed)


@st.composite
def tables(draw):
    """Any F at all: one integer for every overlap that polar patterns can have."""
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    return {"xi": draw(arrays(d, elements=polar)), "X": draw(arrays(n, d, elements=polar)),
            "order": draw(st.lists(st.integers(0, d - 1), min_size=1, max_size=8)),
            "F": draw(arrays(2 * d + 1, elements=small))}


@given(tables())
def test_one_site_at_a_time_the_energy_never_rises_whatever_f(case):
    """A table of F is looked up by exact overlaps, which no tolerance engine carries."""
    xi, X, order, F = (case[k] for k in ("xi", "X", "order", "F"))
    d = len(xi)

    def looked_up(z, n):
        return F[(z + d).astype(int)]

    def rise(z, n):
        return (F[np.minimum(z + d + 1, 2 * d).astype(int)] - F[(z + d).astype(int)])

    own = dense.Interaction(looked_up, rise)
    after = dense.asynchronous_update(xi, X, order=order, interaction=own)
    energies = [dense.energy(x, X, interaction=own) for x in (xi, after)]
    assert energies[1] < energies[0] or np.all(after == xi)


@pytest.mark.parametrize("n", [3, 180, 1001])
@pytest.mark.parametrize("interaction", ["polynomial", "rectified"])
def test_signs_of_high_powers_are_those_of_integers(interaction, n):
    """Of an overlap of 64, whose 170th power is the last in range, beside small ones; and of two
    equal powers that cancel at the first site, where the small one decides."""
    d, rng = 64, np.random.default_rng(0)
    X = np.where(rng.random((4, d)) < 0.5, -1, 1)
    half = np.repeat([1, -1], d // 2)
    rivals = np.stack([X[1], np.where(np.arange(d) == 0, -X[1], X[1]), -X[1] * X[1, 0] * half])
    for patterns, xi in (X, X[1]), (X[:1], X[0] * half), (rivals, X[1]):
        parts = patterns * xi                           # r + x and r - x, in the units of the site
        both = [(r + x, r - x) for r, x in zip(parts.sum(axis=1, keepdims=True) - parts, parts)]
        power = [[[max(int(z), 0) ** n if interaction == "rectified" else int(z) ** n for z in side]
                  for side in pair] for pair in both]
        rise = [sum(up[i] - down[i] for up, down in power) for i in range(d)]
        want = np.where([v < 0 for v in rise], -xi, xi)
        assert np.array_equal(dense.update(xi, patterns, interaction=interaction, n=n), want)


def exponentials(z):
    with mpmath.workdps(1200):
        return mpmath.fsum(mpmath.exp(mpmath.mpf(float(v))) for v in z)


@given(overlaps())
def test_exponentials_are_compared_beyond_their_range_and_ties_are_seen(case):
    """Twelve hundred digits hold exp(-2400) beside 1; e is transcendental, so integer overlaps tie
    only as equal multisets, and apart from these the largest difference in rank decides."""
    xi, X = case["xi"], case["X"]
    together = dense.update(xi, X, interaction="exponential")
    for i in range(len(xi)):
        up, down = (np.where(np.arange(len(xi)) == i, s, xi) @ X.T for s in (1.0, -1.0))
        tie = np.array_equal(np.sort(up), np.sort(down))
        want = xi[i] if tie else 1.0 if exponentials(up) > exponentials(down) else -1.0
        alone = dense.asynchronous_update(xi, X, order=[i], interaction="exponential")
        assert alone[i] == together[i] == want


# -- what each theorem needs --------------------------------------------------------------------

def test_together_the_dense_energy_may_rise():
    X, xi = np.array([[2.0, 2.0, 1.0], [0.0, 1.0, -1.0]]), np.array([-1.0, 1.0, -1.0])
    E = [dense.energy(x, X, n=2) for x in (xi, dense.update(xi, X, n=2))]
    assert E == [-5.0, -1.0]


def test_following_the_slope_even_one_site_may_raise_the_energy():
    X, xi = np.array([[3.0, 1.0], [-1.0, -3.0]]), np.array([1.0, -1.0])
    moved = np.array([dense.first_order_update(xi, X, n=3)[0], -1.0])
    assert [dense.energy(x, X, n=3) for x in (xi, moved)] == [-16.0, 0.0]
    assert dense.asynchronous_update(xi, X, order=[0], n=3)[0] == 1.0


def test_an_even_degree_cannot_tell_a_pattern_from_its_negative_an_odd_one_can():
    x = np.array([1.0, -1.0, 1.0])
    for n, same in ((2, True), (3, False)):
        assert (dense.energy(x, [x], n=n) == dense.energy(-x, [x], n=n)) is np.bool_(same)


def test_states_that_are_not_polar_are_refused():
    for rule in (dense.update, dense.first_order_update):
        with pytest.raises(DomainError, match="xi must hold -1 and 1 only"):
            rule([0.5], [[1.0]])
