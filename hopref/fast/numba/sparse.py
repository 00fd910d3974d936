"""`hopref.models.sparse`: see `hopref.fast.numba._supports`."""
import math

import numpy as np

from hopref import maps
from hopref.fast.numba import maps as kernels
from hopref.fast.numba._supports import energies, updates, weights_of
from hopref.models import sparse

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights", "normalized_update",
           "layer_norm_update"]


def energy(xi, X, /, *, beta=1.0, alpha=1.5):
    return energies(sparse.energy, maps.entmax, xi, X, beta, alpha=alpha)


def update(xi, X, /, *, beta=1.0, alpha=1.5):
    return updates(sparse.update, maps.entmax, xi, X, beta, alpha=alpha)


def weights(xi, X, /, *, beta=1.0, alpha=1.5):
    return weights_of(sparse.weights, kernels.entmax, xi, X, beta, alpha=alpha)


def normmax_energy(xi, X, /, *, beta=1.0, gamma=2.0):
    return energies(sparse.normmax_energy, maps.normmax, xi, X, beta, gamma=gamma)


def normmax_update(xi, X, /, *, beta=1.0, gamma=2.0):
    return updates(sparse.normmax_update, maps.normmax, xi, X, beta, gamma=gamma)


def normmax_weights(xi, X, /, *, beta=1.0, gamma=2.0):
    return weights_of(sparse.normmax_weights, kernels.normmax, xi, X, beta, gamma=gamma)


def k_subsets_energy(xi, X, /, *, k, beta=1.0):
    return energies(sparse.k_subsets_energy, maps.k_subsets, xi, X, beta, k=k)


def k_subsets_update(xi, X, /, *, k, beta=1.0):
    return updates(sparse.k_subsets_update, maps.k_subsets, xi, X, beta, k=k)


def k_subsets_weights(xi, X, /, *, k, beta=1.0):
    return weights_of(sparse.k_subsets_weights, kernels.k_subsets, xi, X, beta, k=k)


def normalized_update(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    y = update(xi, X, beta=beta, alpha=alpha).astype(np.float64)
    return maps.of_length_one(y, eps).astype(xi.dtype)


def layer_norm_update(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    y = update(xi, X, beta=beta, alpha=alpha).astype(np.float64)
    d = xi.shape[-1]
    return (math.sqrt(d) * maps.of_length_one(maps.centred(y), d * eps)).astype(xi.dtype)
