"""Nonparametric and sparse-structured networks in ball arithmetic.

Reference: Hu et al. 2025; Ramsauer et al. 2021, eq. (2).
"""
import numpy as np

from hopref.certify import performer, supports
from hopref.certify.attention import linear_attention
from hopref.certify.balls import (
    columns,
    dot,
    each,
    greatest,
    log,
    over_rows,
    ratio,
    total,
    vanishes,
)
from hopref.certify.deterministic import MAPS
from hopref.certify.maps import among_largest, exponentials
from hopref.certify.modern import squared_radius

__all__ = ["energy", "update", "weights", "pair_update", "top_k_energy", "top_k_update",
           "top_k_weights", "window_update", "listed_update", "linear_update",
           "random_feature_update"]


def energy(xi, X, support=True, *, beta=1):
    z = xi @ X.T
    support = np.broadcast_to(support, z.shape)
    e, count = exponentials(z, beta, where=support), np.sum(support, axis=-1)
    lse = log_or_zero(total(e)[..., 0])
    longest = over_rows(lambda row, seen: greatest([v for v, s in zip(row, seen, strict=True) if s]
                                                   or [0]), dot(X, X), support, count=0)
    return dot(xi, xi) / 2 - lse / beta + log_or_zero(each(int)(count)) / beta + longest / 2


def log_or_zero(x):
    """The logarithm, 0 at 0."""
    return each(lambda v: 0 if vanishes(v) else log(v))(x)


def update(xi, X, support=True, *, beta=1, empty_row="zeros"):
    return pair_update(xi, X, support, beta=beta, empty_row=empty_row)


def weights(xi, X, support=True, *, delta=0, beta=1, renormalise=True, empty_row="zeros"):
    e, whole = kernels(xi, X, support, delta, beta, renormalise)
    return ratio(e, whole, empty_row)


def kernels(xi, X, support, delta, beta, renormalise):
    """exp(beta (x + delta).xi) within the support, and the sum that divides them: 0 if empty."""
    z = xi @ columns(X + delta)
    seen = np.broadcast_to(support, z.shape)
    e = exponentials(z, beta, where=seen)
    whole = total(e if renormalise else exponentials(z, beta))
    return e, np.where(np.any(seen, axis=-1, keepdims=True), whole, 0)


def pair_update(xi, X, support=True, *, delta=0, beta=1, renormalise=True, empty_row="zeros"):
    e, whole = kernels(xi, X, support, delta, beta, renormalise)
    return ratio(e @ X, whole, empty_row)


def top_k_energy(xi, X, *, k, beta=1):
    z = xi @ X.T
    e = exponentials(z, beta, where=among_largest(z, k))
    return (-log(total(e)[..., 0]) / beta + dot(xi, xi) / 2 + log(k) / beta
            + squared_radius(X) / 2)


def top_k_weights(xi, X, *, k, beta=1):
    e = exponentials(xi @ X.T, beta, where=among_largest(xi @ X.T, k))
    return ratio(e, total(e))


def top_k_update(xi, X, *, k, beta=1):
    z = xi @ X.T
    e = exponentials(z, beta, where=among_largest(z, k))
    return ratio(e @ X, total(e))


def window_update(xi, X, *, width, dilation=1, causal=False, align, beta=1, empty_row="zeros"):
    seen = supports.window(len(xi), len(X), width=width, dilation=dilation, causal=causal,
                           align=align)
    return update(xi, X, seen, beta=beta, empty_row=empty_row)


def listed_update(xi, X, rows, columns, *, beta=1, empty_row="zeros"):
    seen = np.zeros((len(xi), len(X)), bool)
    seen[np.asarray(rows, int), np.asarray(columns, int)] = True
    return update(xi, X, seen, beta=beta, empty_row=empty_row)


def linear_update(xi, X, *, delta=0, features, empty_row="zeros"):
    q, k = MAPS[features](xi[..., None, :]), MAPS[features](X + delta)
    return linear_attention(q, k, X, empty_row=empty_row)[..., 0, :]


def random_feature_update(xi, X, omega, *, delta=0, beta=1, features, empty_row="zeros"):
    return performer.attention(xi[..., None, :], X + delta, X, omega, features=features,
                               scale=beta, empty_row=empty_row)[..., 0, :]
