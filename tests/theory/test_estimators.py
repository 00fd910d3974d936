"""Closed forms of the errors of random features, compared with integrals, mpmath and draws."""
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import features, projections, theory
from hopref.errors import DomainError, DTypeError, ShapeError
from tests.rounding import close, g, u

MAPS = ("positive", "hyperbolic", "trigonometric")


def product(kind, x, y, omega, **how):
    """The estimates phi(x).phi(y) for every set of rows omega (..., m, d)."""
    m, d = omega.shape[-2:]
    rows = omega.reshape(-1, d)
    phi = [getattr(features, kind)(v, rows, **how).reshape(-1, len(rows) // m, m)
           for v in (np.array(x), np.array(y))]
    return (phi[0] * phi[1]).sum((0, 2)) * (len(rows) // m)


# -- large s --------------------------------------------------------------------------------------

def exact(s, d, m, kind, draw):
    """Logarithm of the relative error by hypergeometric functions of signed s, to 60 digits."""
    with mpmath.workdps(60 + int(abs(s) / 2)):
        s, d = mpmath.mpf(s), mpmath.mpf(d)
        c = mpmath.mpf(1)
        if draw == "regularized":
            def f(z):
                return mpmath.hyp0f1(d / 2, z, zeroprec=900)
            one, two, pair = f(d * s / 4), f(d * s), f(d * s / 2)
        else:
            one, two = mpmath.exp(s / 2), mpmath.exp(2 * s)
            pair = mpmath.hyp1f1(d, d / 2, s / 2, zeroprec=900) if draw == "orthogonal" else one**2
        r1, r2, r12 = one * mpmath.exp(-s / 2), two * mpmath.exp(-s), pair * mpmath.exp(-s)
        r2 = r2 if kind == "positive" else (mpmath.exp(-s) + r2) / 2
        blocks, rest = divmod(m, int(d))
        share = (blocks * d * (d - 1) + rest * (rest - 1)) / mpmath.mpf(m) ** 2
        return float(mpmath.log((r2 - r1**2) / m + share * (r12 - r1**2) + (r1 - 1) ** 2) * c)


CASES = [(s, d, m, kind, draw) for s in (1e-9, 1e-3, 0.7, 6.0, 90.0, 900.0)
         for d, m in ((1, 3), (2, 2), (7, 9), (64, 64), (1024, 100))
         for kind in MAPS for draw in ("iid", "orthogonal", "regularized")]


def test_errors_are_accurate_for_small_and_large_s():
    """Against mpmath: from s = 1e-9, where 1F1 - e^s cancels, to s = 900, where e^s overflows.
    Poisson weights are exponentials of numbers up to s ln s, and n of them are summed, n about
    2 s + 40; what orthogonality, and one length for small s, take away is known relative to the
    error of one row."""
    for s, d, m, kind, draw in CASES:
        x, y = np.zeros((2, d))
        x[0] = np.sqrt(s)
        signed = -s if kind == "trigonometric" else s
        got = theory.log_relative_mse(x, y, m=m, features=kind, draw=draw)
        want, one = exact(signed, d, m, kind, draw), exact(signed, d, 1, kind, draw)
        one = max(one, exact(signed, d, 1, kind, "iid")) if s < 1 else one
        bound = g(int(2 * s + 40 + 8 * s * np.log1p(s)))
        close(got, want, bound * (1 + np.exp(np.minimum(one - want, 700.0))) + 4 * u * abs(want))


# -- inequalities of the paper --------------------------------------------------------------------


@given(st.floats(0.0, 60.0), st.integers(1, 600))
def test_the_regularized_kernel_is_below_the_softmax_and_decreases_with_s(s, d):
    """Theorem 1's upper half; its lower half is far from sharp: the ratio is about e^(-s^2/4d),
    from above, since ln of the factor k(k-1)/d.. of every term is at most that."""
    x, y = np.zeros((2, d))
    x[0] = np.sqrt(s)
    ratio = theory.regularized_ratio(x, y)
    assert 0 < ratio <= 1 and theory.regularized_ratio(2 * x, y) <= ratio
    assert ratio >= np.exp(-s * s / (4 * d)) * (1 - g(200))


def test_orthogonal_rows_increase_the_error_of_trigonometric_features_at_large_distance():
    """For d = 4 and |x - y|^2 = 16 independent rows have the smaller error."""
    x, y = np.array([2.0, 0, 0, 0]), np.array([-2.0, 0, 0, 0])
    errors = [theory.estimator_mse(x, y, m=4, features="trigonometric", draw=draw)
              for draw in ("orthogonal", "iid")]
    assert errors[0] > errors[1]


def test_simplex_rows_have_less_error_than_orthogonal_and_these_than_independent_rows():
    x = np.full(6, 0.25)
    errors = [theory.estimator_mse(x, x, m=6, draw=draw)
              for draw in ("simplex", "orthogonal", "iid")]
    assert errors[0] < errors[1] < errors[2]


# -- the draws ------------------------------------------------------------------------------------

DRAWS, M = 3000, 4


def test_drawn_blocks_have_the_predicted_error():
    """d = 3, blocks of 3 and 1, along +-1 and off it: six standard errors."""
    one = np.full(3, 0.4)
    for draw in ("simplex", "orthogonal"):
        rng = np.random.default_rng(7)
        omega = np.stack([getattr(projections, draw)(M, 3, rng=rng) for _ in range(DRAWS)])
        for x, y in ((one, one), (-one, -one), (one * [1, 0, 1], one * [0, 1, -1])):
            for kind in MAPS[:2]:
                sample = product(kind, x, y, omega)
                mse = theory.estimator_mse(x, y, m=M, features=kind, draw=draw)
                close(sample.mean(), np.exp(x @ y), 6 * np.sqrt(mse / DRAWS))
                squares = (sample - np.exp(x @ y)) ** 2
                close(squares.mean(), mse, 6 * squares.std() / np.sqrt(DRAWS))


# -- errors ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("how, error, word", [
    ({"draw": "hadamard"}, DomainError, "draw must be one of 'iid'"),
    ({"features": "sigmoid"}, DomainError, "features must be one of"),
    ({"features": "relu", "draw": "orthogonal"}, DomainError, "draw must be 'iid' for ReLU"),
    ({"A": 0.125}, DomainError, "A must be a number below 1/8"),
    ({"A": -0.1, "features": "hyperbolic"}, DomainError, "A must be 0 but for positive"),
    ({"m": 0}, DomainError, "m must be an integer >= 1"),
    ({"beta": -1.0}, DomainError, "beta must be a positive finite number"),
])
def test_options_without_a_closed_form_raise(how, error, word):
    with pytest.raises(error, match=f"hopref.theory.estimator_mse: {word}.*; got"):
        theory.estimator_mse([1.0], [0.5], **({"m": 2} | how))


@pytest.mark.parametrize("x, error, word", [
    ([1.0, np.nan], DomainError, r"x must be finite; got x\[1\] = nan"),
    ([True, False], DTypeError, "x must hold real numbers"), ([[1], [2, 3]], ShapeError, "rectang"),
    (1.0, ShapeError, "x must have shape"), ([1.0], ShapeError, "x and y must agree in d"),
    (np.ones((3, 2)), ShapeError, "x and y must agree"), ([], ShapeError, "no axis empty")])
def test_invalid_vectors_raise(x, error, word):
    with pytest.raises(error, match=f"hopref.theory.estimator_bias: .*{word}"):
        theory.estimator_bias(x, np.ones((2, 2)))


def test_invalid_dimensions_of_a_simplex_and_a_bound_raise():
    with pytest.raises(DomainError, match="d must be at least 2 for a simplex"):
        theory.estimator_mse([1.0], [1.0], m=2, draw="simplex")
    with pytest.raises(DomainError, match="m must be at most d = 1, one block; got m=2"):
        theory.orthogonal_mse_bound([1.0], [1.0], m=2)
    for kind, y in (("positive", [800.0]), ("trigonometric", [-800.0])):
        with pytest.raises(DomainError, match=r"must be at most 100000 but for independent rows"):
            theory.estimator_mse([800.0], y, m=1, features=kind, draw="orthogonal")
    with pytest.raises(ShapeError, match=r"xi must be \(d,\) and X \(n, d\)"):
        theory.kernel_covariance([[1.0]], [[1.0]], m=2)


def test_errors_broadcast_and_overflow_to_infinity():
    x, y = np.zeros((4, 1, 2)), np.linspace(0, 1, 6).reshape(3, 2)
    assert theory.estimator_mse(x, y, m=3, draw="simplex").shape == (4, 3)
    assert theory.estimator_mse([1e3], [1e3], m=2) == np.inf
    assert theory.estimator_bias([1e3], [1e3]) == 0.0
    assert projections.iid(1, 1, rng=0).shape == (1, 1)
