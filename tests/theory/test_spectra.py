"""Spectra of retrieval steps, and their bounds in the catalogue."""
import numpy as np
import pytest

from hopref import classical, modern, performer, theory
from hopref.errors import DomainError, HoprefError, ShapeError


def test_the_jacobian_of_the_performer_is_not_symmetric():
    X, omega = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]]), np.array([[0.5, -1.0], [1.0, 1.0]])
    J = theory.jacobian(performer.update, [0.3, 0.4], X, omega)
    assert abs(J[0, 1] - J[1, 0]) > 0.01


def test_an_update_without_a_gradient_raises():
    for wrong in (classical.update, modern.energy, modern.weights, np.exp, "modern.update"):
        with pytest.raises(DomainError, match=r"hopref\.theory\.jacobian: update must be .*; got "):
            theory.jacobian(wrong, [1.0], [[1.0]])
    with pytest.raises(ShapeError, match=r"xi must have shape \(\.\.\., d\); got \(\)"):
        theory.spectrum(modern.update, 1.0, [[1.0]])


def test_errors_name_the_function():
    for args, beta in ((([1.0], [[1.0]]), 0.0), (([np.nan], [[1.0]]), 1.0),
                       (([1.0], [[1.0, 2.0]]), 1.0), (([1.0], [[1j]]), 1.0)):
        with pytest.raises(HoprefError, match=r"hopref\.theory\.jacobian_spectrum: .*; got .*\.$"):
            theory.jacobian_spectrum(*args, beta=beta)
