"""Scaling by powers of two over the whole range of float64."""
import numpy as np
import pytest

from hopref import maps
from hopref.maps import ranges

EVERY = np.ldexp(1.0, np.arange(-1022, 1024))


@pytest.mark.parametrize("part", [1.0, 1.5, 2 - 2.0**-52])
def test_a_magnitude_of_any_size_is_scaled_to_one_binade(part):
    scaled = part * EVERY * ranges.unit(part * EVERY)
    assert np.array_equal(scaled, np.full(EVERY.shape, part))


def test_zero_and_nan_are_not_scaled():
    assert np.array_equal(ranges.unit(np.array([0.0, np.nan])), [1.0, 1.0])


def test_subnormal_magnitudes_are_scaled_as_far_as_a_power_of_two_reaches():
    for size in (5e-324, 3e-310):
        factor = ranges.unit(np.array(size))
        assert np.frexp(factor)[0] == 0.5 and size < size * factor < 2


@pytest.mark.parametrize("V", [[[1e300], [0.0]], [[-1e300], [0.0]], [[-1e300], [1e300]],
                               [[2.0**900, -3.0], [-2.0**900, 5.0]], [[2.0**900], [1.0]],
                               [[-2.0**900], [1.0]]])
def test_values_beyond_2_to_900_are_scaled_by_column(V):
    V = np.array(V)
    tamed, back = ranges.tame(V)
    assert np.array_equal(tamed * back, V) and np.all(np.abs(tamed) < 2.0**1000 * 2.0**-40)
    assert back[0].tolist() == [2.0**80, 1.0][:V.shape[1]]


def test_values_in_range_are_not_scaled():
    V = 1.5 * 2.0**899 * np.array([[1.0, -1.0]])
    tamed, back = ranges.tame(V)
    assert tamed is V and back == 1.0
    assert ranges.tame(np.zeros((0, 2)))[1] == 1.0


def test_features_and_keys_are_scaled_to_one_binade_whatever_their_sizes():
    """Their factors undo the scaling: q k is q' k' divided by all of them."""
    q = np.array([[1e-300, 1e250], [3e-200, 0.0], [1e5, 2e-7]])
    k = np.array([[1e280, 1e-290], [2e270, 3e-300]])
    for z in (0.0, np.array([0.0, 5e-280])):
        left, right, c, rows = ranges.evened(q, k, z)
        most = np.maximum(np.max(np.abs(right), axis=0), np.abs(z) * c)
        assert np.all((most >= 1) & (most < 2)) and np.array_equal(right, k * c)
        assert np.array_equal(np.frexp(left)[0], np.frexp(np.where(left, q, 0.0))[0])
        size = np.max(np.abs(left), axis=1)
        assert np.all((size >= 1) & (size < 2))
        assert all(np.all(np.frexp(factor)[0] == 0.5) for factor in (c, *rows))
    plain = ranges.evened(np.array([[2.0]]), np.array([[3.0]]), 0.0)
    assert plain[0] == 2 and plain[1] == 3 and plain[2] == 1 and plain[3] == (1.0,)
    sizes = (2.0**-20, 2.0**20)
    assert all(ranges.evened(np.array([[v]]), np.array([[1.0]]), 0.0)[0] == 1 for v in sizes)
    assert all(ranges.evened(np.array([[1.0]]), np.array([[v]]), 0.0)[1] == 1 for v in sizes)
    q, k, z = np.array([[1.0], [5.0]]), np.array([[1e-100], [1e-200]]), 0.0
    assert ranges.evened_in_turn(q, k, z)[4] == ()          # one factor suffices for all rows
    for v in (2.0**-19, -(2.0**19)):
        q, k = np.array([[v]]), np.array([[1.0]])
        assert ranges.evened(q, k, 0.0)[0] is q and ranges.evened(k, q, 0.0)[1] is q


def test_factors_whose_product_overflows_are_undone_one_by_one():
    factors = (2.0**900, 2.0**400, 2.0**-800)
    x = ranges.times(np.array([3 * 2.0**-1000]), factors)
    assert x == 3 * 2.0**-500 and ranges.over(x, factors) == 3 * 2.0**-1000


def test_states_without_further_keys_are_not_scaled():
    q, k, z = np.full((2, 3), 1e300), np.zeros((0, 3)), np.full(3, 1e-300)
    for got in (ranges.evened(q, k, z), ranges.evened_in_turn(q[:0], k, z)):
        assert got[0].shape[-1] == 3 and got[1] is k and got[2].tolist() == [1.0] * 3
    assert ranges.evened(q, k, z)[0] is q and ranges.evened(q[:0], 1e300 + 0 * q, 0.0)[0].size == 0


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7, 8, 9, 33])
def test_the_running_maximum_is_that_of_numpy(rows):
    rng = np.random.default_rng(rows)
    first, a = rng.standard_normal((2, 5)), rng.standard_normal((2, rows, 5))
    a[rng.random(a.shape) < 0.2] = -np.inf
    every = np.concatenate([first[:, None], a], axis=1)
    assert np.array_equal(maps.running_maximum(first, a), np.maximum.accumulate(every, axis=1))
