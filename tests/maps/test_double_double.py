"""Double-double arithmetic compared with rationals and interval arithmetic."""
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from hopref.maps import double_double as dd
from tests.draw import arrays

numbers = st.floats(-2, 2).filter(lambda v: v == 0 or abs(v) > 2.0**-400)


def exactly(*parts):
    return sum((Fraction(float(v)) for part in parts for v in np.ravel(part)), Fraction(0))


@given(arrays(2, elements=numbers))
def test_sums_and_products_of_two_numbers_are_exact(ab):
    a, b = ab[:1], ab[1:]
    assert exactly(*dd.plus(a, b)) == exactly(a, b)
    assert exactly(*dd.product(a, b)) == exactly(a) * exactly(b)


@given(st.integers(1, 40).flatmap(lambda n: arrays(2, n, elements=numbers)), st.integers(0, 3))
def test_a_remainder_is_rounded_once_in_any_order(parts, whole):
    """To an ulp, or to the 2^-90 where the last digits are cut off; reversed, to the bit."""
    parts = parts / 2                                                      # in [-1, 1]
    got, want = dd.left(float(whole), *parts)[0], whole - exactly(parts)
    assert abs(exactly(got) - want) <= max(abs(want) * Fraction(2) ** -52, Fraction(2) ** -90)
    assert got == dd.left(float(whole), *parts[:, ::-1])[0]


def test_the_sum_of_a_thousand_entries_is_rounded_once():
    """Near 1, so that their sum has ten bits more than each."""
    parts = 1 - np.random.default_rng(0).random(1000) * 2.0**-10
    want = 1000 - exactly(parts)
    assert abs(exactly(dd.left(1000.0, parts)[0]) - want) <= want * Fraction(2) ** -52


def test_a_sum_that_cancels_leaves_its_last_digits_in_any_order():
    """The remainder of twenty thousand entries of any size from their rounded sum."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 20000) * 2.0 ** -rng.integers(0, 40, 20000)
    whole = float(exactly(x))
    got, want = dd.left(whole, x)[0], Fraction(whole) - exactly(x)
    assert abs(exactly(got) - want) <= abs(want) * Fraction(2) ** -52 and abs(want) < 2.0**-45
    assert got == dd.left(whole, x[::-1])[0]


@pytest.mark.parametrize("spread", [1, 40, 900])
@pytest.mark.parametrize("q", [1 / 9, 0.5, 1 / 1.3, 1.25, 1.9, 20.0])
def test_powers_are_accurate_to_85_bits(spread, q):
    ctx.prec = 300
    rng = np.random.default_rng(0)
    t = 2.0 ** (0.3 - spread * rng.random(300))
    t = t, t * 2.0**-54 * rng.uniform(-1, 1, 300)
    q = q, q * 2.0**-55
    for a, b, *p in zip(*t, *dd.power(t, q), strict=True):
        true = (arb(a) + arb(b)) ** (arb(q[0]) + arb(q[1]))
        if 2.0**-900 < p[0] < 2:
            assert abs((arb(p[0]) + arb(p[1])) / true - 1) < arb(2) ** -85


def test_a_reciprocal_is_a_pair():
    for a in (3.0, 0.1, 1.3, 2.0**-52):
        assert abs(exactly(*dd.reciprocal(a)) * Fraction(a) - 1) < Fraction(2) ** -105


@pytest.mark.usefixtures("inside_an_operation")
@pytest.mark.parametrize("q", [0.5, 3.3])
def test_powers_on_a_device_are_those_in_host_memory(q, monkeypatch):
    """Of powers that may be pairs, and of others: tiny ones and those of 2 and more."""
    t = np.append(np.random.default_rng(0).uniform(0, 2, 50), [0.0, 2.0**-1070, 1.999, 1.0])
    t, q = (t, t * 2.0**-55), (q, q * 2.0**-56)
    host = dd.power(t, q)
    monkeypatch.setattr(dd, "on_host", lambda _: False)
    assert all(np.array_equal(a, b) for a, b in zip(host, dd.power(t, q), strict=True))


def test_the_leading_bit_is_the_power_of_two_beside_a_number():
    exact = 2.0 ** np.arange(-1000, 900)
    for ulps in (-3, 0, 3):
        assert np.array_equal(dd.leading_bit(exact * (1 + ulps * 2.0**-52)), exact)
