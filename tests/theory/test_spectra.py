"""The spectra of retrieval steps, and the bounds that the catalogue gives them."""
import numpy as np
import pytest

from hopref import classical, modern, performer, sparse, theory
from hopref.errors import DomainError, HoprefError, ShapeError
from tests import rounding
from tests.draw import problems, projected
from tests.laws import law
from tests.rounding import close, g


def slack(X, beta):
    """Of an eigenvalue: as many roundings as the sums have terms, of terms up to beta (2 M)^2."""
    size = 4 * (X * X).sum(-1).max() + 1
    return g(40 * X.size) * beta * size


@law("theory.jacobian_spectrum", id="MH-6", over=problems(max_m=2),
     kills=["spectrum_without_beta", "spectrum_of_what_is_not_centred"])
def test_the_spectrum_is_that_of_the_symmetric_jacobian(rules, xi, X, beta):
    """Weights off by dp move J by at most beta |dp| (2 M)^2 (Weyl)."""
    values = rules.theory.jacobian_spectrum(xi, X, beta=beta)
    J = modern.jacobian(xi, X, beta=beta)
    off = rounding.modern_weights(xi, X, beta).sum(-1)[:, None]
    allowed = slack(X, beta) + 8 * beta * off * 4 * (X * X).sum(-1).max()
    close(values, np.linalg.eigvalsh(J)[:, ::-1], allowed)
    assert np.all(values >= 0) and np.all(np.diff(values, axis=-1) <= 0)


@law("theory.jacobian_spectrum", id="MH-6", over=problems(max_m=2),
     kills=["spectrum_of_what_is_not_centred"])
def test_no_eigenvalue_exceeds_its_bounds(rules, xi, X, beta):
    """beta diam^2 min(1/4, 1 - p_max) and beta max |x_i - mean|^2; both sides are off by their
    rounding, and by that of the weights."""
    top = rules.theory.jacobian_spectrum(xi, X, beta=beta)[..., 0]
    p, apart = modern.weights(xi, X, beta=beta), ((X[:, None] - X) ** 2).sum(-1).max()
    others = p.sum(-1) - p.max(-1)
    away = ((X - X.mean(0)) ** 2).sum(-1).max()
    off = rounding.modern_weights(xi, X, beta).sum(-1)
    allowed = slack(X, beta) + 8 * beta * off * 4 * (X * X).sum(-1).max()
    assert np.all(top <= beta * apart * np.minimum(0.25, others) + allowed)
    assert np.all(top <= beta * away + allowed)
    assert np.all(top <= theory.jacobian_bound(xi, X, beta=beta) + allowed)


@law("theory.jacobian_spectrum", id="MH-6", kills=["spectrum_without_beta"])
def test_the_diameter_bound_is_met(rules):
    """Two patterns of equal weight: beta |x_1 - x_2|^2 / 4; to the rounding of one singular value.
    """
    X = np.array([[3.0, 0.0], [0.0, 4.0]])
    close(rules.theory.jacobian_spectrum([0.0, 0.0], X, beta=2.0), [12.5, 0.0], g(40) * 12.5)


@law("theory.spectrum", "theory.jacobian", id="GR-3", over=projected(max_m=2),
     kills=["spectrum_smallest_first"])
def test_a_spectrum_has_the_trace_of_its_jacobian_and_its_largest_first(rules, xi, X, omega, beta):
    """Sums of eigenvalues err by d^2 roundings of the norm."""
    for update, memory in ((modern.update, (X,)), (sparse.update, (X,)),
                           (performer.update, (X, omega))):
        J = theory.jacobian(update, xi, *memory, beta=beta)
        values = rules.theory.spectrum(update, xi, *memory, beta=beta)
        size = np.linalg.norm(J, axis=(-2, -1))
        close(values.sum(-1), np.trace(J, axis1=-2, axis2=-1) + 0j, g(200) * (1 + size))
        assert np.all(np.diff(np.abs(values), axis=-1) <= g(200) * (1 + size)[:, None])


def test_the_performers_step_comes_from_no_energy():
    X, omega = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]]), np.array([[0.5, -1.0], [1.0, 1.0]])
    J = theory.jacobian(performer.update, [0.3, 0.4], X, omega)
    assert abs(J[0, 1] - J[1, 0]) > 0.01


def test_a_rule_without_a_gradient_is_refused():
    for wrong in (classical.update, modern.energy, modern.weights, np.exp, "modern.update"):
        with pytest.raises(DomainError, match=r"hopref\.theory\.jacobian: update must be .*; got "):
            theory.jacobian(wrong, [1.0], [[1.0]])
    with pytest.raises(ShapeError, match=r"xi must have shape \(\.\.\., d\); got \(\)"):
        theory.spectrum(modern.update, 1.0, [[1.0]])


def test_bad_input_is_refused_in_the_functions_own_name():
    for args, beta in ((([1.0], [[1.0]]), 0.0), (([np.nan], [[1.0]]), 1.0),
                       (([1.0], [[1.0, 2.0]]), 1.0), (([1.0], [[1j]]), 1.0)):
        with pytest.raises(HoprefError, match=r"hopref\.theory\.jacobian_spectrum: .*; got .*\.$"):
            theory.jacobian_spectrum(*args, beta=beta)
