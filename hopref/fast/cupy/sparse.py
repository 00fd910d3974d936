"""`hopref.models.sparse` on a CUDA device: see `hopref.fast.cupy._rows`."""
import math

import numpy as np

from hopref import maps
from hopref.fast.cupy import _rows
from hopref.models import sparse

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights", "normalized_update",
           "layer_norm_update"]


def energy(xi, X, /, *, beta=1.0, alpha=1.5):
    return _rows.energies(sparse.energy, xi, X, beta=beta, alpha=alpha)


def update(xi, X, /, *, beta=1.0, alpha=1.5):
    return _rows.means(maps.entmax, xi, X, beta=beta, alpha=alpha)


def weights(xi, X, /, *, beta=1.0, alpha=1.5):
    return _rows.weights(maps.entmax, xi, X, beta=beta, alpha=alpha)


def normmax_energy(xi, X, /, *, beta=1.0, gamma=2.0):
    return _rows.energies(sparse.normmax_energy, xi, X, beta=beta, gamma=gamma)


def normmax_update(xi, X, /, *, beta=1.0, gamma=2.0):
    return _rows.means(maps.normmax, xi, X, beta=beta, gamma=gamma)


def normmax_weights(xi, X, /, *, beta=1.0, gamma=2.0):
    return _rows.weights(maps.normmax, xi, X, beta=beta, gamma=gamma)


def k_subsets_energy(xi, X, /, *, k, beta=1.0):
    return _rows.energies(sparse.k_subsets_energy, xi, X, k=k, beta=beta)


def k_subsets_update(xi, X, /, *, k, beta=1.0):
    return _rows.means(maps.k_subsets, xi, X, beta=beta, k=k)


def k_subsets_weights(xi, X, /, *, k, beta=1.0):
    return _rows.weights(maps.k_subsets, xi, X, beta=beta, k=k)


def normalized_update(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    import cupy

    y = cupy.astype(update(xi, X, beta=beta, alpha=alpha), np.float64)
    return cupy.astype(maps.of_length_one(y, eps), xi.dtype, copy=False)


def layer_norm_update(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    import cupy

    y = cupy.astype(update(xi, X, beta=beta, alpha=alpha), np.float64)
    d = xi.shape[-1]
    y = math.sqrt(d) * maps.of_length_one(maps.centred(y), d * eps)
    return cupy.astype(y, xi.dtype, copy=False)
