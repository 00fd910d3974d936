"""Accuracy of logmeanexp, thresholds, and the exact softmax of the tests."""
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import maps
from hopref.maps import potentials
from tests import exact, rounding
from tests.rounding import g


@given(st.lists(st.one_of(st.floats(-50, 0), st.floats(-320, 0).map(lambda k: -(10.0**k))),
                max_size=8))
def test_log_mean_exp_is_accurate_near_zero_and_far_from_it(gaps):
    """mean expm1 errs by g(n + 2) of a sum of one sign; log1p above -1/2 and log below 1/2 then
    amplify by at most 1/(2 log 2) < 1, resp. 1/log 2 < 2; each function rounds 4 u."""
    z = np.array([0.0, *gaps])
    terms = [mpmath.expm1(mpmath.mpf(v)) for v in z]
    want = mpmath.log1p(mpmath.fsum(terms) / len(z))
    got = maps.logmeanexp(z)
    assert abs(mpmath.mpf(float(got)) - want) <= 2 * g(len(z) + 10) * abs(want) + 4 * rounding.eta


def test_thresholds_keep_components_equal_to_theta():
    x = np.array([-1.0, -0.5, 0.0, 0.5])
    assert maps.above(x, -0.5).tolist() == [-1.0, -0.5, 0.0, 0.0]
    assert maps.below(x, -0.5).tolist() == [0.0, -0.5, 0.0, 0.5]
    assert np.all(maps.above(maps.above(x, -0.5), -0.5) == maps.above(x, -0.5))


def test_exact_weights_agree_with_a_hand_computed_case():
    """The exact softmax that others are compared with: that of (log 1, log 3) is (1/4, 3/4)."""
    p = exact.weights([mpmath.log(1), mpmath.log(3)], 1.0)
    assert abs(p[0] - mpmath.mpf(1) / 4) < mpmath.mpf(10) ** -55


@pytest.mark.parametrize("a", [1.0, 1.5, 3.0])
def test_a_divergence_of_neighbours_has_all_of_its_digits(a):
    """p - u is exact, y = log(p/u) errs by 6 roundings, y^2 by 13 and u^a by 2.  For |a y| <= 1,
    26 terms of the series err by 52 of their sizes, whose sum is below e^2 < 8 times the series."""
    u = 0.3
    for p in [u * (1 + s * 2.0**-k) for s in (-1, 1) for k in range(3, 45)]:
        with mpmath.workdps(80):
            x, v, b = mpmath.mpf(p), mpmath.mpf(u), mpmath.mpf(a)
            want = x * mpmath.log(x / v) - x + v if a == 1 else \
                (x**b - v**b - b * v ** (b - 1) * (x - v)) / (b * (b - 1))
            got = potentials.power_divergence(np.array(p), u, a)
            assert abs(mpmath.mpf(float(got)) - want) <= g(15 + 8 * 52) * want


def test_gaps_whose_product_with_beta_underflows_keep_their_mean_beside_others():
    gaps = np.array([[0.0, -2e-215], [0.0, -2.0]])
    assert maps.mean_gain(gaps, 1e-100)[0] == -1e-215       # beta times it has few digits left
    assert maps.mean_gain(gaps[:1], 1e-100)[0] == -1e-215


def test_a_tiny_mean_beside_a_sink_has_all_of_its_digits():
    """log(1 + m) for m = -2e-12/3, which is m to a relative 1e-12."""
    got = maps.sink_gain.__wrapped__(np.array([[0.0, -2e-12, 0.0]]), 1.0, np.zeros(1))
    assert abs(got[0] / (-2e-12 / 3) - 1) < 4e-12
