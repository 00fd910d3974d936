"""The modern continuous network in ball arithmetic.

Reference: Ramsauer et al. 2021, eqs. (1)-(3); the blog, eqs. (21), (22).
"""
import numpy as np

from hopref.certify.balls import columns, dot, exceeds, greatest, log, over_rows
from hopref.certify.maps import logsumexp, softmax

__all__ = ["energy", "update", "weights", "jacobian", "thresholded_update"]


def energy(xi, X, *, beta=1):
    return (-logsumexp(xi @ X.T, beta=beta) + dot(xi, xi) / 2 + logarithm_of(len(X)) / beta
            + squared_radius(X) / 2)


def logarithm_of(n):
    """log n of a positive integer."""
    return log(n)


def squared_radius(X):
    """M^2, the largest squared length of a pattern."""
    return greatest(list(dot(X, X)))


def update(xi, X, *, beta=1):
    return softmax(xi @ X.T, beta=beta) @ X


def weights(xi, X, *, beta=1):
    return softmax(xi @ X.T, beta=beta)


def jacobian(xi, X, *, beta=1):
    p = softmax(xi @ X.T, beta=beta)
    mean = p @ X
    return beta * (X.T @ (p[..., None] * X) - mean[..., :, None] * mean[..., None, :])


def thresholded_update(xi, X, *, beta=1, theta, side):
    return softmax(kept(xi, theta, side) @ columns(kept(X, theta, side)), beta=beta) @ X


def kept(x, theta, side):
    """S_theta(x): components above (or below) theta are 0."""
    def row(values):
        out = [exceeds(v, theta) if side == "above" else exceeds(theta, v) for v in values]
        return [0 if away else v for v, away in zip(values, out, strict=True)]
    return over_rows(row, np.asarray(x, object))
