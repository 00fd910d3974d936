"""The Performer in ball arithmetic.

References: Choromanski et al. 2021; the blog, eqs. (16)-(19), (23), (24).
"""
import math

import numpy as np

from hopref.certify import features as maps_of_features
from hopref.certify.attention import (
    linear_attention,
    linear_weights,
    log_causal_linear_attention,
    scale_of,
)
from hopref.certify.balls import (
    columns,
    each,
    exceeds,
    exp,
    greatest,
    over_rows,
    ratio,
    sqrt,
    total,
)
from hopref.certify.modern import kept

__all__ = ["attention", "causal_attention", "weights", "update", "expected_update",
           "thresholded_update", "stabilized_features", "stabilized_attention",
           "generalized_attention"]


def attention(Q, K, V, omega, *, features, scale=None, mask=True, empty_row="zeros"):
    q, k = (maps_of_features.mapped(features, x, omega, scale_of(scale, K)) for x in (Q, K))
    return linear_attention(q, k, V, mask=mask, empty_row=empty_row)


def causal_attention(Q, K, V, omega, *, features, scale=None, mask=True, S=0, z=0, c=-math.inf,
                     empty_row="zeros"):
    (log_q, sign_q), (log_k, sign_k) = (
        maps_of_features.mapped_logs(features, x, omega, scale_of(scale, K)) for x in (Q, K))
    return log_causal_linear_attention(log_q, log_k, V, sign_q=sign_q, sign_k=sign_k, mask=mask,
                                       S=S, z=z, c=c, empty_row=empty_row)


def weights(xi, X, omega, *, beta=1, features, empty_row="zeros"):
    q, k = (maps_of_features.mapped(features, x, omega, beta) for x in (xi[..., None, :], X))
    return linear_weights(q, k, empty_row=empty_row)[..., 0, :]


def update(xi, X, omega, *, beta=1, features, empty_row="zeros"):
    q, k = (maps_of_features.mapped(features, x, omega, beta) for x in (xi[..., None, :], X))
    return linear_attention(q, k, X, empty_row=empty_row)[..., 0, :]


def expected_update(xi, X, omegas, *, beta=1, features, empty_row="zeros"):
    draws = np.array([update(xi, X, omega, beta=beta, features=features, empty_row=empty_row)
                      for omega in omegas], object)
    k, missing = len(draws), np.frompyfunc(lambda v: isinstance(v, float), 1, 1)(draws)
    draws = np.where(missing, 0, draws)
    mean = np.sum(draws, axis=0) / k
    error = sqrt(np.sum((draws - mean) * (draws - mean), axis=0) / (k * (k - 1)))
    return tuple(np.where(np.any(missing, axis=0), math.nan, y) for y in (mean, error))


def thresholded_update(xi, X, omega, *, beta=1, theta, side, features, empty_row="zeros"):
    q, k = (maps_of_features.mapped(features, kept(x, theta, side), omega, beta)
            for x in (xi[..., None, :], X))
    return linear_attention(q, k, X, empty_row=empty_row)[..., 0, :]


# ---- the published code ------------------------------------------------------------------------

def stabilized_features(x, omega, *, beta=1, eps, over, mask=True):
    u = sqrt(beta) * (x @ columns(omega))
    rows = u if mask is True else np.where(mask[..., None], u, -math.inf)
    rows = rows if over == "row" else rows.reshape((*u.shape[:-2], 1, u.shape[-2] * u.shape[-1]))
    top = over_rows(lambda row: [greatest(row)], rows, count=1) if rows.size else 0
    return (exp(u - beta * total(x * x) / 2 - top) + eps) / sqrt(len(omega))


def stabilized_attention(Q, K, V, omega, *, scale=None, mask=True, eps, guard=0,
                         empty_row="zeros"):
    beta = scale_of(scale, K)
    q = stabilized_features(Q, omega, beta=beta, eps=eps, over="row")
    k = stabilized_features(K, omega, beta=beta, eps=eps, over="all", mask=mask)
    kernel = q @ columns(k)
    kernel = kernel if mask is True else np.where(mask[..., None, :], kernel, 0)
    return ratio(kernel @ V, guarded(total(kernel), guard), empty_row)


def guarded(D, guard):
    """D + 2 gamma where |D| <= gamma."""
    def one(v):
        within = not exceeds(v, guard) and not exceeds(-v, guard)
        return v + 2 * guard if within else v
    return each(one)(D)


ACTIVATIONS = {
    "relu": maps_of_features.rectified,
    "abs": lambda u: each(abs)(u),
    "identity": lambda u: u,
    "sigmoid": lambda u: 1 / (1 + exp(-u)),
}


def generalized_attention(Q, K, V, omega, *, activation, scale=None, mask=True, eps,
                          empty_row="zeros"):
    s = sqrt(scale_of(None, K)) if scale is None else scale
    f = ACTIVATIONS[activation]
    q, k = (f(s * (x @ columns(omega))) + eps for x in (Q, K))
    return linear_attention(q, k, V, mask=mask, empty_row=empty_row)
