"""Exponential features: unbiased for every A, with the second moment that theory says."""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import features, projections, theory
from hopref.check.cases.quadrature import gaussian_rows
from hopref.errors import DomainError
from tests.draw import arrays, projected, records
from tests.laws import law
from tests.rounding import close, dot, eta, g, u

shares = st.sampled_from([-0.5, -0.125, 0.0, 0.0625])


def half(x, beta):
    return beta * (x * x).sum(-1)[:, None] / 2


@law("features.gerf", "features.log_gerf", id="RF-7",
     over=st.tuples(projected(), shares).map(lambda case: case[0] | {"A": case[1]}),
     kills=["gerf_without_D", "gerf_unscaled", "gerf_gaussian_kernel", "gerf_beta_unrooted",
            "gerf_D_to_the_half", "log_gerf_norm_missing"])
def test_gerf_is_the_formula_of_the_paper(rules, xi, X, omega, beta, A):
    """D exp(A w^2 + B w.x - x^2/2), D = (1 - 4A)^(d/4), B = sqrt(1 - 4A); at A = 0 `positive`."""
    m, d = omega.shape
    square, inner = (omega * omega).sum(-1), np.sqrt((1 - 4 * A) * beta) * xi @ omega.T
    log = d / 4 * np.log(1 - 4 * A) + A * square + inner - half(xi, beta) - np.log(m) / 2
    room = (2 * np.sqrt((1 - 4 * A) * beta) * dot(xi, omega)
            + g(d + 9) * (np.abs(inner) + np.abs(A) * square + half(xi, beta) + d + np.log(m) + 1))
    close(rules.features.log_gerf(xi, omega, A=A, beta=beta), log, 2 * room)
    close(rules.features.gerf(xi, omega, A=A, beta=beta), np.exp(log),
          (np.expm1(3 * room) + 8 * u) * np.exp(log))
    plain = rules.features.positive(xi, omega, beta=beta)
    close(rules.features.gerf(xi, omega, beta=beta), plain, 4 * np.expm1(3 * room) * plain)


@st.composite
def quadratic(draw):
    """Rows, and parameters of `derf` with eighths in B and sixteenths in a."""
    case = draw(projected(max_d=3))
    d = case["xi"].shape[-1]
    sixteenths = st.integers(-8, 1).map(lambda k: k / 16)
    return case | draw(records(a=arrays(d, elements=sixteenths), B=arrays(d, d)))


@law("features.derf", "features.log_derf", id="RF-8", over=quadratic(),
     kills=["derf_without_D", "derf_height_of_x", "derf_transposed", "log_derf_norm_missing"])
def test_derf_is_the_formula_of_the_paper(rules, xi, X, omega, beta, a, B):
    """D exp(w^T A w + w^T B x + x^T C x), C = -B^T (I - 4A)^-1 B / 2, D = det(I - 4A)^(1/4)."""
    m, d = omega.shape
    C = -B.T @ np.diag(1 / (1 - 4 * a)) @ B / 2
    height = beta * np.einsum("ni,ij,nj->n", xi, C, xi)[:, None]
    inner, square = np.sqrt(beta) * xi @ B.T @ omega.T, (omega**2) @ a
    log = np.log(1 - 4 * a).sum() / 4 + square + inner + height - np.log(m) / 2
    reach = np.sqrt(beta) * np.abs(xi) @ np.abs(B).T
    size = reach @ np.abs(omega).T + (omega**2) @ np.abs(a) + (reach**2).sum(-1)[:, None]
    room = g(3 * d + 20) * (size + d + np.log(m) + 1)
    close(rules.features.log_derf(xi, omega, a, B, beta=beta), log, room)
    with np.errstate(over="ignore"):
        want = np.exp(log)
    close(rules.features.derf(xi, omega, a, B, beta=beta), want,
          (np.expm1(2 * room) + 8 * u) * want + eta)


def products(phi_x, phi_y):
    """Z for every row of a grid: features carry 1/sqrt(N) each."""
    return len(phi_x) * phi_x * phi_y


def summed(p, terms, logs):
    """Rounding of sum p terms: as many terms, each the exponential of a sum about as large."""
    return g(len(p) + 8 * logs) * np.sum(p * np.abs(terms))


PLACES = [(np.array([0.5]), np.array([0.75])), (np.array([-1.0]), np.array([0.5])),
          (np.array([0.5, 0.25]), np.array([0.25, 0.5])),
          (np.array([0.5, 0.0]), np.array([-1.0, 0.5]))]
LOGS = 200              # |log| of any factor on the grid, whose rows are at most 17 long


@law("features.gerf", "theory.derf_log_second_moment", id="RF-7",
     kills=["gerf_without_D", "gerf_unscaled", "gerf_gaussian_kernel", "gerf_D_to_the_half",
            "second_moment_without_norms"])
def test_gerf_has_the_mean_and_the_second_moment_of_the_paper(rules):
    """E Z = exp(x.y) and E Z^2 = exp(2 x.y + r), by quadrature: for every A, up to rounding."""
    for x, y in PLACES:
        omega, p = gaussian_rows(len(x))
        for A in (-0.4, -0.1, 0.0, 0.03):
            Z = products(*(rules.features.gerf(v, omega, A=A) for v in (x, y)))
            close(p @ Z, np.exp(x @ y), summed(p, Z, LOGS))
            one = np.eye(len(x))
            r = rules.theory.derf_log_second_moment(
                x, y, (A + 0 * x, np.sqrt(1 - 4 * A) * one, np.sqrt(1 - 4 * A) * one))
            close(p @ Z**2, np.exp(2 * x @ y + r), summed(p, Z**2, 2 * LOGS))


@law("features.derf", "theory.derf_log_second_moment", id="RF-8",
     kills=["derf_without_D", "derf_height_of_x", "second_moment_without_norms"])
def test_derf_has_the_mean_and_the_second_moment_of_the_paper(rules):
    """B^T (I - 4A)^-1 C = I is all that unbiasedness asks: B is any invertible matrix."""
    B, a = np.array([[1.0, 0.5], [-0.25, 0.75]]), np.array([-0.2, 0.02])
    C = np.diag(1 - 4 * a) @ np.linalg.inv(B).T
    omega, p = gaussian_rows(2)
    for x, y in PLACES[2:]:
        Z = products(rules.features.derf(x, omega, a, B), rules.features.derf(y, omega, a, C))
        close(p @ Z, np.exp(x @ y), summed(p, Z, LOGS))
        r = rules.theory.derf_log_second_moment(x, y, (a, B, C))
        close(p @ Z**2, np.exp(2 * x @ y + r), summed(p, Z**2, 2 * LOGS))


@law("features.gerf", "features.derf", id="RF-8", over=projected(),
     kills=["gerf_unscaled", "derf_without_D"])
def test_equal_numbers_on_the_diagonal_make_derf_gerf(rules, xi, X, omega, beta):
    d, A = xi.shape[-1], -0.1875                            # sqrt(1 - 4A) is no eighth
    B = np.sqrt(1 - 4 * A) * np.eye(d)
    logs = 2 * beta * (np.abs(xi) @ np.abs(omega).T + (xi * xi).sum(-1)[:, None]) + 9 * d + 9
    got = rules.features.derf(xi, omega, np.full(d, A), B, beta=beta)
    want = rules.features.gerf(xi, omega, A=A, beta=beta)
    close(got, want, np.expm1(4 * g(d + 20) * logs) * want)


@law("features.log_gerf", "features.log_derf", id="RF-7", over=projected(),
     kills=["log_gerf_of_the_exponential", "log_derf_of_the_exponential"])
def test_logs_stay_finite_as_long_as_beta_x2_does(rules, xi, X, omega, beta):
    big, d = (xi + 0.125) * 1e148, xi.shape[-1]
    assert np.all(np.isfinite(rules.features.log_gerf(big, omega, A=-0.25, beta=beta)))
    assert np.all(np.isfinite(
        rules.features.log_derf(big, omega, np.zeros(d), np.eye(d), beta=beta)))


# -- what each statement needs ------------------------------------------------------------------

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
