"""Accuracy of gradients that nearly vanish, large numbers, and preconditions."""
import numpy as np
import pytest

from hopref import certify, gradients
from hopref.errors import DomainError
from tests.rounding import close, g, u


@pytest.mark.parametrize("beta", [0.5, 40.0])
@pytest.mark.parametrize("s", [0.125, 0.375, 1.0, 3.5, 8.0])
def test_a_gradient_that_nearly_vanishes_is_accurate(s, beta):
    """Of two patterns +1 and -1: d xi = 4 beta p (1 - p), where 1 - p may be 1e-250; an error of
    the scores of tau is one of e^tau.

    The kit's tolerance of dxi allows p (a - p.a), the form of automatic differentiation.
    """
    dxi, *_ = gradients.modern.update(np.ones(1), np.array([s]), np.array([[1.0], [-1.0]]),
                                      beta=beta)
    e = np.exp(-2 * beta * s)
    close(dxi[0], 4 * beta * e / (1 + e) ** 2, 16 * u * (2 + 2 * beta * s) * 4 * beta * e)


def test_the_gradient_of_an_unstable_fixed_point_raises():
    saddle = ([1.0], [0.0], [[1.0], [-1.0]])        # J = beta at the saddle
    assert np.all(np.isfinite(gradients.modern.fixed_point(*saddle, beta=0.999)[0]))
    for beta in (1.0, 2.0):
        with pytest.raises(DomainError, match="every eigenvalue of the update's Jacobian is < 1"):
            gradients.modern.fixed_point(*saddle, beta=beta)


def test_large_betas_and_norms_give_no_nan():
    for beta, size in ((1e300, 1.0), (1e-300, 1.0), (1.0, 1e150), (1.0, 1e-160)):
        X = size * np.array([[1.0, 0.5], [1.0, 0.5], [-1.0, 2.0]])
        for f, cotangent in ((gradients.modern.update, np.ones(2)),
                             (gradients.modern.energy, 1.0)):
            found = f(cotangent, X[0] / 2, X, beta=beta)
            assert not any(np.any(np.isnan(d)) for d in found), (f.name, beta, size)


@pytest.mark.parametrize("size, kept", [(60.0, True), (80.0, False)])
def test_features_far_below_one_that_overflows_have_the_documented_derivative(size, kept):
    """Exponents of size x 40 - 800 and of 600, each with a few roundings of its terms."""
    pytest.importorskip("flint", reason="certified values need python-flint (hopref[certify])")
    args = np.ones(2), np.array([40.0]), np.array([[size], [35.0]])
    got, value = (f(*args)[1][:, 0] for f in (
        gradients.features.positive, lambda *a: certify("gradients.features.positive", *a).value))
    assert np.isinf([got[0], value[0]]).all() and np.isfinite(value[1])
    if kept:
        close(np.log(got[1]), np.log(value[1]), g(8) * (40 * size + 800))
    else:
        assert got[1] == 0                          # below e^-1000 of the largest
