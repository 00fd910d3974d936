"""Dense memories of entries of any size: what is small counts beside what is large."""
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hopref import dense
from hopref.errors import DomainError, RangeError
from tests.draw import arrays, polar
from tests.rounding import g

SIZES = [5e-324, 1e-320, 1e-200, 1e-9, 1.0, 3.0, 1e8, 1e150, 1e280]
entries = st.builds(lambda s, v: s * v, polar, st.sampled_from([0.0, *SIZES]))
interactions = ("quadratic", "polynomial", "rectified", "exponential")


def value(z, interaction, n):
    if interaction == "quadratic":
        return z * z / 2
    return z**n if interaction == "polynomial" else max(z, Fraction(0))**n


def gain(xi, row, interaction, n, i):
    """F(r + x) - F(r - x) of a pattern, of rationals; x for e^z, which rises."""
    x = Fraction(float(row[i]))
    r = sum((Fraction(float(v)) * int(s) for j, (v, s) in enumerate(zip(row, xi, strict=True))
             if j != i), Fraction(0))
    return x if interaction == "exponential" else \
        value(r + x, interaction, n) - value(r - x, interaction, n)


def decided(xi, X, interaction, n, i):
    """The sign of sum F(r + x) - F(r - x)."""
    total = sum(gain(xi, row, interaction, n, i) for row in X)
    return float((total > 0) - (total < 0)) or xi[i]


@given(xi=arrays(2, elements=polar), X=arrays(1, 2, elements=entries),
       interaction=st.sampled_from(interactions), n=st.integers(1, 5))
def test_two_sites_of_any_size_move_as_rationals_do(xi, X, interaction, n):
    """One pattern: the other site's part is one number, so that nothing is rounded before."""
    together = dense.update(xi, X, interaction=interaction, n=n)
    for i in (0, 1):
        want = decided(xi, X, interaction, n, i)
        alone = dense.asynchronous_update(xi, X, order=[i], interaction=interaction, n=n)
        assert together[i] == alone[i] == want


@given(xi=arrays(2, elements=polar), X=arrays(3, 2, elements=entries),
       interaction=st.sampled_from(interactions[:3]), n=st.integers(1, 5))
@example(xi=np.array([-1.0, 1.0]), X=np.array([[1e200, 0.0], [1e-200, 1e-200]]),
         interaction="polynomial", n=2)
@example(xi=np.array([-1.0, 1.0]), X=np.array([[1e-280, 1e200], [1e30, 0.0]]),
         interaction="polynomial", n=3)
@example(xi=np.array([1.0, 1.0]), X=np.array([[1024.0, -2048.0], [-1024.0, 0.0]]),
         interaction="rectified", n=900)
def test_several_patterns_of_any_size_move_two_sites_as_rationals_do(xi, X, interaction, n):
    """Where the exact sum is zero, or more than what rounding may take from its terms."""
    few = Fraction(g(8 * n + 20))
    for i in (0, 1):
        gains = [gain(xi, row, interaction, n, i) for row in X]
        if (total := sum(gains)) == 0 or abs(total) > few * sum(map(abs, gains)):
            want = float((total > 0) - (total < 0)) or xi[i]
            alone = dense.asynchronous_update(xi, X, order=[i], interaction=interaction, n=n)
            together = dense.update(xi, X, interaction=interaction, n=n)
            assert (total == 0 and any(gains)) or together[i] == alone[i] == want


@pytest.mark.parametrize("n", [4, 6, 10])
def test_even_powers_move_the_sites_of_several_patterns_as_integers_do(n):
    rng = np.random.default_rng(n)
    X, xi = rng.choice([-1.0, 1.0], (5, 6)), rng.choice([-1.0, 1.0], (60, 6))
    X *= rng.integers(1, 4, (5, 6))
    got = dense.update(xi, X, n=n, interaction="polynomial")
    assert np.array_equal(got, [[decided(x, X, "polynomial", n, i) for i in range(6)] for x in xi])


def test_exponentials_of_several_patterns_move_sites_as_sixty_digits_do():
    """Overlaps are integers: a tie is an equality of two multisets of overlaps."""
    rng = np.random.default_rng(3)
    X, xi = rng.integers(-3, 4, (4, 5)).astype(float), rng.choice([-1.0, 1.0], (40, 5))
    got = dense.update(xi, X, interaction="exponential")
    for state, new in zip(xi, got, strict=True):
        for i in range(5):
            up, down = X @ np.where(np.arange(5) == i, 1, state), \
                X @ np.where(np.arange(5) == i, -1, state)
            tie = sorted(up) == sorted(down)
            gain = mpmath.fsum(map(mpmath.exp, up)) - mpmath.fsum(map(mpmath.exp, down))
            assert new[i] == (state[i] if tie else mpmath.sign(gain))


def test_an_exact_tie_of_exponentials_is_kept_beside_a_state_of_rounded_overlaps():
    """The overlaps r + x of the first site are 3/2, 0 and -3/2 for both of its values."""
    large, part = 2.0**50, 0.75
    X = np.array([[part, large + part, large], [part, large - part, large],
                  [-2 * part, large, large]])
    for first in (-1.0, 1.0):
        xi = np.array([[first, 1.0, -1.0], [first, 1.0, 1.0]])
        got = dense.update(xi, X, interaction="exponential")
        assert got[0, 0] == first == dense.update(xi[0], X, interaction="exponential")[0]


# -- cases of an audit --------------------------------------------------------------------------

def test_a_small_entry_is_not_swamped_by_the_sites_own_part():
    assert dense.update([1, -1], [[1e-9, 1e8]], interaction="quadratic").tolist() == [-1, 1]


def test_subnormal_patterns_give_states():
    for interaction in interactions:
        for rule in (dense.update, dense.first_order_update):
            got = rule([1, 1], [[1e-320, 1e-320]], interaction=interaction)
            assert got.tolist() == [1, 1]


@pytest.mark.parametrize("n", [1, 2, 3, 900, 1200])
@pytest.mark.parametrize("interaction", interactions)
def test_a_state_that_is_no_number_gives_none(interaction, n):
    for rule in (dense.update, dense.first_order_update):
        got = rule([np.nan, np.nan], [[1.0, 1.0]] * 3, interaction=interaction, n=n,
                   nonfinite="propagate")
        assert np.isnan(got).all()


def test_an_exponential_energy_is_right_up_to_the_last_float_and_refused_beyond():
    edge = dense.energy([1.0], [[709.78]], interaction="exponential")
    with mpmath.workdps(40):
        want = -mpmath.exp(mpmath.mpf(709.78))
        assert abs(mpmath.mpf(float(edge)) - want) <= 2.0**-50 * -want
    with pytest.raises(RangeError, match="log_energy"):
        dense.energy([1.0], [[710.0]], interaction="exponential")
    assert dense.log_energy([1.0], [[710.0]]) == -710.0
    with pytest.raises(RangeError, match="log_energy"):
        dense.energy([1.0], [[1e200]], n=2)


def test_overlaps_beyond_the_range_are_refused():
    for rule in (dense.update, dense.first_order_update):
        with pytest.raises(DomainError, match="below 2\\^960"):
            rule([1.0, 1.0], [[1e308, 1e308]])


@pytest.mark.parametrize("interaction", interactions)
def test_an_entry_of_zero_keeps_its_site_beside_entries_of_any_size(interaction):
    """The site's own overlap is 0: a tie, though powers of the other's leave the range."""
    for X in ([[0.0, 1e280]], [[-0.0, -1e280]], [[0.0, 1e280], [0.0, 1.0]]):
        for first in (-1.0, 1.0):
            assert dense.update([first, -1.0], X, interaction=interaction, n=2)[0] == first


def test_exponentials_of_few_overlaps_decide_as_their_sum():
    """Overlaps in quarters are exact, and rounding decides no sum of so few exponentials."""
    rng = np.random.default_rng(0)
    for _ in range(150):
        n, d = rng.integers(1, 4, 2)
        X, xi = rng.integers(-9, 10, (n, d)) / 4, rng.choice([-1.0, 1.0], d)
        r = (X @ xi)[:, None] - X * xi
        up, down = np.exp(r + X), np.exp(r - X)
        gain = np.sum(up - down, axis=0)
        clear = np.abs(gain) > 1e-9 * np.sum(up + down, axis=0)
        got = dense.update(xi, X, interaction="exponential")
        assert np.array_equal(got, np.where(clear, np.sign(gain), got)), (xi, X)
        slopes = np.sum(X * np.exp(r), axis=0)
        clear = np.abs(slopes) > 1e-9 * np.sum(np.abs(X) * np.exp(r), axis=0)
        got = dense.first_order_update(xi, X, interaction="exponential")
        assert np.array_equal(got, np.where(clear, np.sign(slopes), got)), (xi, X)
