"""Exponential features: what each statement needs; laws are the kit's."""
import numpy as np
import pytest

from hopref import features, projections, theory
from hopref.check.cases.quadrature import gaussian_rows
from hopref.errors import DomainError
from tests.rounding import g


def products(phi_x, phi_y):
    """Z for every row of a grid: features carry 1/sqrt(N) each."""
    return len(phi_x) * phi_x * phi_y


def test_for_negative_A_features_are_bounded_and_for_positive_ones_not():
    far = np.linspace(-60, 60, 200)[:, None]
    x, A = np.array([1.0]), -0.25
    most = 2**0.25 * np.exp((1 - 4 * A) / (-4 * A) - 0.5)     # the vertex of the parabola
    assert features.gerf(x, far, A=A).max() * np.sqrt(200) <= most * (1 + g(400))
    assert features.gerf(x, far, A=0.1).max() > 1e100


def test_another_A_for_the_keys_is_biased():
    omega, p = gaussian_rows(1)
    Z = products(features.gerf([0.5], omega, A=-0.25), features.gerf([0.5], omega, A=0.0))
    assert abs(p @ Z / np.exp(0.25) - 1) > 0.04


def test_rows_of_one_length_are_biased_for_every_A():
    omega = projections.regularized(4000, 2, rng=0)
    for A in (-0.25, 0.05):
        phi = features.gerf([0.0, 0.0], omega, A=A)
        assert abs(phi @ phi - 1) > 0.01                         # each Z is the same


@pytest.mark.parametrize("A", [0.125, 0.2, float("nan"), float("inf")])
def test_from_one_eighth_on_the_variance_is_infinite_and_A_refused(A):
    with pytest.raises(DomainError, match="A must be a number below 1/8; got A="):
        features.gerf([1.0], [[1.0]], A=A)
    with pytest.raises(DomainError, match=r"a must be finite and below 1/8; got a\[0\]"):
        features.derf([1.0], [[1.0]], [A], [[1.0]])
    if np.isfinite(A):
        with pytest.raises(DomainError, match="a must be"):
            theory.derf_log_second_moment([1.0], [1.0], ([A], [[1.0]], [[1.0]]))
