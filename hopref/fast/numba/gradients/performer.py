"""`hopref.gradients.performer`, composed of the gradients of linear attention and of features.

A factor of the features of a query, or of those of all keys, has no effect; queries have none, and
keys a largest one of 1.  Features of which some leave the range of single precision are formed in
double precision, and where they leave that, the formula is used.
"""
import math

import numpy as np

from hopref.fast.numba._feature_gradient import gradient
from hopref.fast.numba._features import KINDS, SLOPES, scale_of, squared_lengths
from hopref.fast.numba._random_features import EXPONENTIALS, formed
from hopref.fast.numba.gradients import by_formula, finite
from hopref.fast.numba.gradients.attention import linear_attention
from hopref.features import projected
from hopref.gradients import performer
from hopref.maps import default_scale

__all__ = ["attention", "update", "thresholded_update"]

# By bytes: bounds of features and factors, with which the products of two features and a value are
# in the range of double precision.
SMALL = {4: 2.0**-110, 8: 2.0**-450}


def attention(g, Q, K, V, omega, /, *, features="positive", scale=None, mask=True,
              empty_row="zeros"):
    h, functions = features.args
    if h in SLOPES and all(f in KINDS for f in functions):
        for real in dict.fromkeys((V.dtype, np.dtype(np.float64))):
            given = (a.astype(real, copy=False) for a in (g, Q, K, V, omega))
            found = _gradients(*given, h, functions, default_scale(scale, K), mask)
            if found is not None:
                return tuple(np.asarray(a, V.dtype) for a in found)
    return by_formula(performer.attention.formula, g, Q, K, V, omega, features=features,
                      scale=scale, mask=mask, empty_row=empty_row)


def update(g, xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    dxi, dkeys, dX, domega, dbeta = _of_states(g, xi, X, X, omega, beta, features)
    return dxi, dkeys + dX, domega, dbeta


def thresholded_update(g, xi, X, omega, /, *, beta=1.0, theta=0.5, side="above",
                       features="positive", empty_row="zeros"):
    S, kept = side
    cue, keys = (S(a, a.dtype.type(theta)) for a in (xi, X))
    dxi, dkeys, dX, domega, dbeta = _of_states(g, cue, keys, X, omega, beta, features)
    return kept(dxi, xi, theta), dX + kept(dkeys, X, theta), domega, dbeta


def _of_states(g, xi, keys, X, omega, beta, features):
    rows = math.prod(xi.shape[:-1]), xi.shape[-1]
    dxi, *others = attention(g.reshape(rows), xi.reshape(rows), keys, X, omega, features=features,
                             scale=beta)
    return dxi.reshape(xi.shape), *others


def _gradients(g, Q, K, V, omega, h, functions, beta, mask):
    """The gradients in Q, K, V, omega and beta in one precision; None if some leave its range."""
    queries, keys = (a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) for a in (Q, K))
    kinds, top = [KINDS[f] for f in functions], 0.0
    if not set(functions) <= EXPONENTIALS:
        top = max(0.0, SLOPES[h][0] * beta) * np.max(squared_lengths(keys), initial=0.0)
    if not top < -math.log(SMALL[V.itemsize]):
        return None
    phi_q, phi_k = (formed(x, omega, kinds, math.sqrt(beta), slope * beta, factor,
                           scale_of(len(omega), halves)) for x, (slope, halves), factor in
                    ((queries, SLOPES[projected.one], 0.0), (keys, SLOPES[h], top)))
    if set(functions) <= EXPONENTIALS and not (_in_range(phi_q) and _in_range(phi_k)):
        return None
    dq, dk, dV, *_ = linear_attention(g, phi_q.reshape(*Q.shape[:-1], phi_q.shape[1]),
                                      phi_k.reshape(*K.shape[:-1], phi_k.shape[1]), V, mask=mask)
    of_queries = gradient(dq.reshape(phi_q.shape), queries, omega, projected.one, kinds, beta)
    of_keys = gradient(dk.reshape(phi_k.shape), keys, omega, h, kinds, beta, top)
    if of_queries is None or of_keys is None or not finite([dV]):
        return None
    (dQ, *rest), (dK, *more) = of_queries, of_keys
    return dQ.reshape(Q.shape), dK.reshape(K.shape), dV, *(a + b for a, b in zip(rest, more))


def _in_range(phi):
    small = SMALL[phi.itemsize]
    return phi.min(initial=1.0) >= small and phi.max(initial=1.0) <= 1 / small
