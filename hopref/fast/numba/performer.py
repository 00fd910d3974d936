"""`hopref.models.performer`: see `hopref.fast.numba._random_features`.

Features with a constant are formed.
"""
import math
from functools import partial

import numpy as np

from hopref.fast.numba._features import LOG, RELU, apply_units, squared_lengths
from hopref.fast.numba._random_features import EXPONENTIALS, formed, of_states, responses
from hopref.fast.numba._softmax import FEW
from hopref.fast.numba.attention import linear_attention, log_causal_linear_attention
from hopref.fast.numba.features import log_hyperbolic, log_positive
from hopref.maps import default_scale, feature_scale, masked, relu, standard_error
from hopref.models import performer

__all__ = ["attention", "causal_attention", "update", "expected_update", "thresholded_update",
           "generalized_attention", "stabilized_attention"]


def attention(Q, K, V, omega, /, *, features="positive", scale=None, mask=True,
              empty_row="zeros"):
    beta, Z = default_scale(scale, K), np.empty((*Q.shape[:-1], V.shape[-1]), V.dtype)
    how = {"features": features, "empty_row": empty_row}
    for h in np.ndindex(Q.shape[:-2]):
        def formula(lost, h=h):
            arrays = (a.astype(float) for a in (Q[h][lost], K[h], V[h], omega))
            return performer.attention.formula(
                *arrays, mask=True if mask is True else mask[h], scale=beta, **how)
        seen = slice(None) if mask is True or mask[h].all() else mask[h]
        Z[h] = responses(Q[h], K[h][seen], V[h][seen], omega, beta, Q.shape[-2] < FEW, formula,
                          **how)
    return Z


def causal_attention(Q, K, V, omega, /, *, features="positive", scale=None, mask=True, S=0.0,
                     z=0.0, c=float("-inf"), empty_row="zeros"):
    beta = default_scale(scale, K)
    for real in dict.fromkeys((V.dtype, np.dtype(np.float64))):
        wide = [np.asarray(a, real) for a in (Q, K, V, omega, S, z, c)]
        q, k, values, directions, *state = wide
        (log_q, sign_q), (log_k, sign_k) = (_logs(x, directions, beta, features) for x in (q, k))
        if log_k.dtype == np.float64 or _finite(log_q) and _finite(log_k):
            break
    results = log_causal_linear_attention(
        log_q, log_k, values.astype(log_k.dtype, copy=False), sign_q=sign_q, sign_k=sign_k,
        mask=mask, **dict(zip("Szc", state)), empty_row=empty_row)
    return tuple(y.astype(V.dtype, copy=False) for y in results)


def _logs(x, omega, beta, features):
    """Logarithms of features, in double precision unless they are exponential, and their signs."""
    functions = features.args[1]
    if set(functions) <= EXPONENTIALS:
        rule = log_positive if len(functions) == 1 else log_hyperbolic
        return rule(x, omega, beta=beta), 1.0
    return features(x.astype(float), omega.astype(float), beta)


def _finite(x):
    return bool(np.isfinite(x).all())


def update(xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    return of_states(performer.update.formula, xi, xi, X, X, omega, beta, features=features,
                      empty_row=empty_row)


def expected_update(xi, X, omegas, /, *, beta=1.0, features="positive", empty_row="zeros"):
    draws = np.stack([update(xi, X, omega, beta=beta, features=features, empty_row=empty_row)
                      for omega in omegas]).astype(float)
    return draws.mean(axis=0).astype(xi.dtype), standard_error(draws).astype(xi.dtype)


def thresholded_update(xi, X, omega, /, *, beta=1.0, theta=0.5, side="above", features="positive",
                       empty_row="zeros"):
    cue, keys = (side(np.asarray(a, np.float64), theta).astype(a.dtype) for a in (xi, X))
    rule = partial(performer.thresholded_update.formula, theta=theta, side=side)
    return of_states(rule, xi, cue, keys, X, omega, beta, features=features, empty_row=empty_row)


# -- features with a constant ---------------------------------------------------------------------

def generalized_attention(Q, K, V, omega, /, *, activation="relu", scale=None, mask=True, eps=1e-3,
                          empty_row="zeros"):
    kind, factor = RELU if activation is relu else LOG, feature_scale(scale, K)

    def features(x, directions):
        u = _projections(x, directions, factor, kind)
        u = u if activation is relu else activation(u)
        u += eps
        return u
    return _in_a_precision(features, features, Q, K, V, omega, mask, 0.0, empty_row)


def stabilized_attention(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0,
                         empty_row="zeros"):
    beta = default_scale(scale, K)

    def features(x, directions, axis, seen=True):
        """Those of the formula, times sqrt(m)."""
        u = _projections(x, directions, math.sqrt(beta), LOG)
        top = np.max(masked(u, seen, -math.inf), axis=axis, keepdims=True)
        half = beta / 2 * squared_lengths(_rows(x)).reshape(*x.shape[:-1], 1)
        u -= half + top
        apply_units(u.reshape(-1), 0, u.reshape(-1))
        u += eps
        return u
    return _in_a_precision(partial(features, axis=-1), partial(features, axis=(-2, -1), seen=mask),
                           Q, K, V, omega, mask, guard * len(omega), empty_row)


def _projections(x, omega, factor, kind):
    """factor omega x of all rows, or its positive part."""
    return formed(_rows(x), omega, [kind], factor).reshape(*x.shape[:-1], len(omega))


def _rows(x):
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _in_a_precision(of_queries, of_keys, Q, K, V, omega, mask, guard, empty_row):
    """Linear attention of features, in the first precision in which the visible ones are finite."""
    for real in dict.fromkeys((V.dtype, np.dtype(np.float64))):
        q, k, values, directions = (a.astype(real, copy=False) for a in (Q, K, V, omega))
        q, k = of_queries(q, directions), of_keys(k, directions)
        if _finite(q) and _finite(k if mask is True else k[mask]):
            break
    Z = linear_attention(q, k, values, mask=mask, empty_row=empty_row)
    if guard > 0:
        seen = k if mask is True else np.where(mask[..., None], k, 0)
        D = np.einsum("...lr,...r->...l", q, seen.sum(axis=-2))[..., None]
        low = D <= guard
        if low.any():
            Z = np.where(low, linear_attention(q, k, values, mask=mask, eps=2 * guard,
                                               empty_row=empty_row), Z)
    return Z.astype(V.dtype, copy=False)
