"""Energies of sparse networks that lose eps over beta, or centre their scores."""
import numpy as np

from hopref import maps, sparse
from tests.mutants import mutant


def subtracted(xi, X, p, Omega, u, beta, k=1):
    z, M2 = xi @ X.T, (X * X).sum(-1).max()
    return ((xi * xi).sum(-1) + k * k * M2) / 2 - (p * z).sum(-1) + (Omega(p) - Omega(u)) / beta


@mutant("sparse.energy")
def sparse_energy_by_subtraction(xi, X, /, *, beta=1.0, alpha=1.5):
    """Omega(p) - Omega(u) of two sums: eps over beta is lost"""
    p = maps.entmax(xi @ X.T, beta=beta, alpha=alpha)
    return subtracted(xi, X, p, lambda p: maps.tsallis(p, alpha=alpha),
                      np.full(len(X), 1 / len(X)), beta)


@mutant("sparse.normmax_energy")
def normmax_energy_by_subtraction(xi, X, /, *, beta=1.0, gamma=2.0):
    """the difference of two norms"""
    p = maps.normmax(xi @ X.T, beta=beta, gamma=gamma)
    return subtracted(xi, X, p, lambda p: maps.norm(p, gamma=gamma),
                      np.full(len(X), 1 / len(X)), beta)


@mutant("sparse.k_subsets_energy")
def k_subsets_energy_by_subtraction(xi, X, /, *, k, beta=1.0):
    """the difference of two squares"""
    mu = maps.k_subsets(xi @ X.T, k=k, beta=beta)
    return subtracted(xi, X, mu, maps.half_square, np.full(len(X), k / len(X)), beta, k)


@mutant("sparse.normalized_energy")
def normalized_energy_by_subtraction(xi, X, /, *, beta=1.0, alpha=1.5):
    """Omega(p) - Omega(u) of two sums, here too"""
    longest = (X * X).sum(-1).max()
    return sparse_energy_by_subtraction(xi, X, beta=beta, alpha=alpha) + np.sqrt(longest) \
        - ((xi * xi).sum(-1) + longest) / 2


@mutant("sparse.layer_norm_energy")
def layer_norm_energy_of_centred_scores(xi, X, /, *, beta=1.0, alpha=1.5):
    """the patterns centred before the scores: the same on the set, not off it"""
    return sparse.layer_norm_energy(xi, X - X.mean(-1, keepdims=True), beta=beta, alpha=alpha)
