"""Bounds of sparse networks, wrong."""
import numpy as np

from hopref import theory
from tests.mutants import mutant


@mutant("theory.support_size_bound")
def support_size_without_m(xi, X, /, *, beta=1.0):
    """the first M left out"""
    return theory.support_size_bound(xi, X, beta=beta) - np.sqrt((X * X).sum(-1).max())


@mutant("theory.support_size_bound")
def support_size_without_root_d(xi, X, /, *, beta=1.0):
    """no sqrt(d)"""
    M = np.sqrt((X * X).sum(-1).max())
    return M + (theory.support_size_bound(xi, X, beta=beta) - M) / np.sqrt(X.shape[1])


@mutant("theory.support_size_bound")
def support_size_of_the_mean(xi, X, /, *, beta=1.0):
    """all patterns in the support"""
    z, M = xi @ X.T, np.sqrt((X * X).sum(-1).max())
    return M * (1 + np.sqrt(X.shape[1]) * (1 + beta * len(X) * (z.max(-1) - z.min(-1))))


# -- potentials ---------------------------------------------------------------------------------
