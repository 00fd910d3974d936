"""`hopref.gradients.sparse` on a CUDA device: see `hopref.fast.cupy._rows`.

The patterns are copied in double precision.
"""
from hopref.fast.cupy._rows import gradients
from hopref.gradients import sparse

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights"]


def energy(g, xi, X, /, *, beta=1.0, alpha=1.5):
    return gradients(sparse.energy, g, xi, X, beta=beta, alpha=alpha)


def update(g, xi, X, /, *, beta=1.0, alpha=1.5):
    return gradients(sparse.update, g, xi, X, beta=beta, alpha=alpha)


def weights(g, xi, X, /, *, beta=1.0, alpha=1.5):
    return gradients(sparse.weights, g, xi, X, beta=beta, alpha=alpha)


def normmax_energy(g, xi, X, /, *, beta=1.0, gamma=2.0):
    return gradients(sparse.normmax_energy, g, xi, X, beta=beta, gamma=gamma)


def normmax_update(g, xi, X, /, *, beta=1.0, gamma=2.0):
    return gradients(sparse.normmax_update, g, xi, X, beta=beta, gamma=gamma)


def normmax_weights(g, xi, X, /, *, beta=1.0, gamma=2.0):
    return gradients(sparse.normmax_weights, g, xi, X, beta=beta, gamma=gamma)


def k_subsets_energy(g, xi, X, /, *, k, beta=1.0):
    return gradients(sparse.k_subsets_energy, g, xi, X, beta=beta, k=k)


def k_subsets_update(g, xi, X, /, *, k, beta=1.0):
    return gradients(sparse.k_subsets_update, g, xi, X, beta=beta, k=k)


def k_subsets_weights(g, xi, X, /, *, k, beta=1.0):
    return gradients(sparse.k_subsets_weights, g, xi, X, beta=beta, k=k)
