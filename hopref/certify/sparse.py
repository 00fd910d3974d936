"""Sparse modern networks in ball arithmetic.

References: Santos, Niculae, McNamee & Martins 2024; Hu et al. 2023.
"""
import numpy as np
from flint import arb

from hopref.certify.balls import dot, exceeds, greatest, ratio, sqrt, total
from hopref.certify.maps import (
    entmax,
    entmax_conjugate,
    half_square,
    k_subsets,
    k_subsets_conjugate,
    norm,
    normmax,
    normmax_conjugate,
    tsallis,
)
from hopref.certify.modern import squared_radius

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights", "normalized_energy",
           "normalized_update", "layer_norm_energy", "layer_norm_update"]


def uniform(n, k=1):
    """The vector of n entries k/n."""
    return np.full(n, arb(k) / n, object)


def energy(xi, X, *, beta=1, alpha):
    return (-entmax_conjugate(xi @ X.T, beta=beta, alpha=alpha)
            - tsallis(uniform(len(X)), alpha=alpha) / beta + dot(xi, xi) / 2
            + squared_radius(X) / 2)


def update(xi, X, *, beta=1, alpha):
    return entmax(xi @ X.T, beta=beta, alpha=alpha) @ X


def weights(xi, X, *, beta=1, alpha):
    return entmax(xi @ X.T, beta=beta, alpha=alpha)


def normmax_energy(xi, X, *, beta=1, gamma):
    return (-normmax_conjugate(xi @ X.T, beta=beta, gamma=gamma)
            - norm(uniform(len(X)), gamma=gamma) / beta + dot(xi, xi) / 2 + squared_radius(X) / 2)


def normmax_update(xi, X, *, beta=1, gamma):
    return normmax(xi @ X.T, beta=beta, gamma=gamma) @ X


def normmax_weights(xi, X, *, beta=1, gamma):
    return normmax(xi @ X.T, beta=beta, gamma=gamma)


def k_subsets_energy(xi, X, *, k, beta=1):
    return (-k_subsets_conjugate(xi @ X.T, k=k, beta=beta)
            - half_square(uniform(len(X), k)) / beta + dot(xi, xi) / 2
            + k * k * squared_radius(X) / 2)


def k_subsets_update(xi, X, *, k, beta=1):
    return k_subsets(xi @ X.T, k=k, beta=beta) @ X


def k_subsets_weights(xi, X, *, k, beta=1):
    return k_subsets(xi @ X.T, k=k, beta=beta)


def normalized_energy(xi, X, *, beta=1, alpha, eps=0):
    return (-entmax_conjugate(xi @ X.T, beta=beta, alpha=alpha)
            - tsallis(uniform(len(X)), alpha=alpha) / beta
            + sqrt(greatest(list(dot(X, X))) + eps) - slack(xi, 1, eps))


def longest(X):
    """M, the length of the longest pattern."""
    return sqrt(greatest(list(dot(X, X))))


def slack(xi, square, eps):
    """sqrt(eps (square - |xi|^2)), and 0 for longer states."""
    rest = eps * (square - dot(xi, xi))
    some = np.frompyfunc(lambda v: int(exceeds(v, 0)), 1, 1)(rest)
    return some * sqrt(some * rest + (1 - some))


def normalized_update(xi, X, *, beta=1, alpha, eps=0):
    y = update(xi, X, beta=beta, alpha=alpha)
    return ratio(y, sqrt(total(y * y) + eps))


def layer_norm_energy(xi, X, *, beta=1, alpha, eps=0):
    d = X.shape[1]
    longest = greatest(list(d * dot(X, X) - total(X)[:, 0] * total(X)[:, 0])) + d * d * eps
    return (-entmax_conjugate(xi @ X.T, beta=beta, alpha=alpha)
            - tsallis(uniform(len(X)), alpha=alpha) / beta + sqrt(longest)
            - slack(xi, d, d * eps))


def centred(x):
    """x minus the mean of its row: exactly 0 for a single component."""
    return 0 * x if x.shape[-1] == 1 else x - total(x) / max(1, x.shape[-1])


def layer_norm_update(xi, X, *, beta=1, alpha, eps=0):
    away, d = centred(update(xi, X, beta=beta, alpha=alpha)), X.shape[1]
    return sqrt(d) * ratio(away, sqrt(total(away * away) + d * eps))
