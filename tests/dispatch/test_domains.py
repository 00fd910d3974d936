"""Each named domain has its description, and its edge is where that says."""
import math

import numpy as np
import pytest

from hopref.dispatch import domains
from hopref.errors import DomainError

TINY = 5e-324
SCALARS = [              # domain, its description, numbers in it, and numbers outside
    (domains.positive, "a positive finite number", [TINY, 1.7e308], [0.0, -TINY, math.inf]),
    (domains.inverse_temperature, "a finite number >= 1e-300", [1e-300, 1.7e308],
     [0.99e-300, math.inf]),
    (domains.nonnegative, "a finite number >= 0", [0.0, 1.7e308], [-TINY, math.inf]),
    (domains.real, "a finite number", [-1.7e308, 1.7e308], [math.inf, -math.inf]),
    (domains.share, "a number between 0 and 1", [TINY, 1 - 2.0**-53], [0.0, 1.0]),
    (domains.below_an_eighth, "a number below 1/8", [-1e300, 0.1249], [0.125, math.inf]),
    (domains.count, "an integer >= 1", [1, 10**30], [0, -1]),
]
ARRAYS = [
    (domains.finite, "finite", [-1.7e308, 0.0, 1.7e308], [math.inf, -math.inf, math.nan]),
    (domains.phi, "finite and >= 0", [0.0, 1.7e308], [-TINY, math.inf, math.nan]),
    (domains.binary, "0 or 1", [0.0, 1.0], [-1.0, 0.5, 2.0, math.nan]),
    (domains.each_below_an_eighth, "finite and below 1/8", [-1e300, 0.1249],
     [0.125, math.inf, -math.inf, math.nan]),
    (domains.scores(), "finite or -inf", [-math.inf, 0.0, 1.7e308], [math.inf, math.nan]),
]


def described(entry):
    return entry[1].replace(" ", "-")


@pytest.mark.parametrize("domain, description, inside, outside", SCALARS,
                         ids=map(described, SCALARS))
def test_the_edge_of_a_domain_of_numbers(domain, description, inside, outside):
    assert domain.description == description
    assert [domain.validate("x", v) for v in inside] == inside
    for v in [*outside, math.nan]:
        with pytest.raises(DomainError, match="x must be"):
            domain.validate("x", v)


@pytest.mark.parametrize("domain, description, inside, outside", ARRAYS, ids=map(described, ARRAYS))
def test_the_edge_of_a_domain_of_arrays(domain, description, inside, outside):
    assert domain.description == description
    assert domain.holds(np, np.array(inside)).all()
    assert not domain.holds(np, np.array(outside)).any()
    assert all(math.isfinite(v) for v in inside if v * v < domain.squares)


@pytest.mark.parametrize("power", [40, 480, 511, 512, 960])
def test_squares_below_a_power_of_two_need_no_look_at_the_entries(power):
    domain = domains.no_larger_than(power)
    assert domain.squares == 2.0 ** min(2 * power, 1023)
    assert domain.holds(np, np.array([-np.nextafter(2.0**power, 0)])).all()
    assert not domain.holds(np, np.array([2.0**power, -2.0**power])).any()
