"""`hopref.models.sparse`: see `hopref.fast.numba._supports`."""
import numpy as np

from hopref.fast.numba import maps
from hopref.fast.numba._supports import energies, updates, weights_of
from hopref.maps.potentials import power_divergence
from hopref.models import sparse

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights"]


def energy(xi, X, /, *, beta=1.0, alpha=1.5):
    def gain(support):
        return support.total(lambda p: power_divergence(p, 1 / len(X), alpha))
    return energies(sparse.energy, maps.entmax, gain, xi, X, beta, alpha=alpha)


def update(xi, X, /, *, beta=1.0, alpha=1.5):
    return updates(sparse.update, maps.entmax, xi, X, beta, alpha=alpha)


def weights(xi, X, /, *, beta=1.0, alpha=1.5):
    return weights_of(sparse.weights, maps.entmax, xi, X, beta, alpha=alpha)


def normmax_energy(xi, X, /, *, beta=1.0, gamma=2.0):
    def gain(support):
        """See `hopref.maps.potentials.norm_excess`."""
        n = len(X)
        mean = support.total(lambda p: power_divergence(n * p, 1.0, gamma))
        mean = gamma * (gamma - 1) / n * mean
        return n ** (1 / gamma - 1) * np.expm1(np.log1p(mean) / gamma)
    return energies(sparse.normmax_energy, maps.normmax, gain, xi, X, beta, gamma=gamma)


def normmax_update(xi, X, /, *, beta=1.0, gamma=2.0):
    return updates(sparse.normmax_update, maps.normmax, xi, X, beta, gamma=gamma)


def normmax_weights(xi, X, /, *, beta=1.0, gamma=2.0):
    return weights_of(sparse.normmax_weights, maps.normmax, xi, X, beta, gamma=gamma)


def k_subsets_energy(xi, X, /, *, k, beta=1.0):
    def gain(support):
        return support.total(lambda p: (p - k / len(X)) ** 2 / 2)
    return energies(sparse.k_subsets_energy, maps.k_subsets, gain, xi, X, beta, k=k)


def k_subsets_update(xi, X, /, *, k, beta=1.0):
    return updates(sparse.k_subsets_update, maps.k_subsets, xi, X, beta, k=k)


def k_subsets_weights(xi, X, /, *, k, beta=1.0):
    return weights_of(sparse.k_subsets_weights, maps.k_subsets, xi, X, beta, k=k)
