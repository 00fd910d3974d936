"""Spectra of retrieval steps and their bounds, wrong."""
import numpy as np

from hopref import modern, theory
from tests.mutants import mutant


@mutant("theory.jacobian_spectrum")
def spectrum_without_beta(xi, X, /, *, beta=1.0):
    """the covariance, without beta"""
    return theory.jacobian_spectrum(xi, X, beta=beta) / beta


@mutant("theory.jacobian_spectrum")
def spectrum_of_what_is_not_centred(xi, X, /, *, beta=1.0):
    """X^T diag(p) X, without - x x^T"""
    rows = np.sqrt(modern.weights(xi, X, beta=beta))[..., None] * X
    values = np.zeros((*rows.shape[:-2], X.shape[1]))
    sizes = np.linalg.svd(rows, compute_uv=False)
    values[..., :sizes.shape[-1]] = beta * sizes**2
    return values


@mutant("theory.spectrum")
def spectrum_smallest_first(update, xi, /, *memory, **parameters):
    """ascending, as eigvalsh gives them"""
    return theory.spectrum(update, xi, *memory, **parameters)[..., ::-1]
