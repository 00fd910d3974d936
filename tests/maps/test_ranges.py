"""Scaling by powers of two over the whole range of float64."""
import numpy as np
import pytest

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
