"""The memory with the log-sum-ReLU energy, in ball arithmetic.

Reference: Hoover et al. 2025, eq. (3).
"""
import math

import numpy as np

from hopref.certify.balls import clipped_below, dot, exceeds, total, vanishes

__all__ = ["energy", "update"]


def energy(xi, X, *, beta=1, eps=0):
    parts = np.frompyfunc(clipped_below, 1, 1)(margins(xi, X, beta))
    sums = total(parts)[..., 0] + eps
    return np.frompyfunc(lambda s: math.inf if vanishes(s) else -s.log() / beta, 1, 1)(sums)


def update(xi, X, *, beta=1):
    near = np.frompyfunc(lambda u: int(exceeds(u, 0)), 1, 1)(margins(xi, X, beta))
    count = np.sum(near, axis=-1, keepdims=True).astype(int)
    return np.where(count > 0, near @ X / np.maximum(count, 1).astype(object), xi)


def margins(xi, X, beta):
    """1 - beta |xi - x|^2/2, positive in the neighbourhood."""
    away = xi[..., None, :] - X
    return 1 - beta * dot(away, away) / 2
