"""`hopref.models.performer` without an array of L x m features, where they are exponential.

The sums over the keys of one exponential feature are a softmax over the keys, of the scores
sqrt(beta) omega_r.k_i - beta |k_i|^2 / 2: the mean of the values, and the logarithm of the sum.  A
result is the mean of these means, with weights that are a softmax over the features.  The Performer
is therefore softmax attention twice, of the directions to the keys and of the queries to the
directions, and all exponents are relative to the largest one.

Features of both signs, and rectified ones, are formed and passed to linear attention.
"""
import math
from functools import partial

import numpy as np

from hopref.fast.numba._features import (
    COS,
    LOG,
    RELU,
    SIN,
    apply_units,
    project,
    squared_lengths,
)
from hopref.fast.numba._softmax import FEW, NO_BEST, TOP, TOTAL, absent, attend, in_range
from hopref.fast.numba._vectors import REDUCED
from hopref.fast.numba.attention import linear_attention, log_causal_linear_attention
from hopref.fast.numba.features import log_hyperbolic, log_positive
from hopref.features import projected
from hopref.maps import default_scale, feature_scale, relu, standard_error
from hopref.models import performer

__all__ = ["attention", "causal_attention", "update", "expected_update", "thresholded_update",
           "generalized_attention", "stabilized_attention"]

EXPONENTIALS = {projected.exp, projected.exp_minus}
BETAS = 2.0**-100, 2.0**100
SMALLEST = 2.0**-400    # of a squared length
GROUP = 2**13           # keys or queries that are copied together


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
        Z[h] = _responses(Q[h], K[h][seen], V[h][seen], omega, beta, Q.shape[-2] < FEW, formula,
                          **how)
    return Z


def causal_attention(Q, K, V, omega, /, *, features="positive", scale=None, S=0.0, z=0.0,
                     c=float("-inf"), empty_row="zeros"):
    beta = default_scale(scale, K)
    for real in dict.fromkeys((V.dtype, np.dtype(np.float64))):
        wide = [np.asarray(a, real) for a in (Q, K, V, omega, S, z, c)]
        q, k, values, directions, *state = wide
        (log_q, sign_q), (log_k, sign_k) = (_logs(x, directions, beta, features) for x in (q, k))
        if log_k.dtype == np.float64 or _finite(log_q) and _finite(log_k):
            break
    results = log_causal_linear_attention(
        log_q, log_k, values.astype(log_k.dtype, copy=False), sign_q=sign_q, sign_k=sign_k,
        **dict(zip("Szc", state)), empty_row=empty_row)
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
    return _of_states(performer.update.formula, xi, xi, X, X, omega, beta, features=features,
                      empty_row=empty_row)


def expected_update(xi, X, omegas, /, *, beta=1.0, features="positive", empty_row="zeros"):
    draws = np.stack([update(xi, X, omega, beta=beta, features=features, empty_row=empty_row)
                      for omega in omegas]).astype(float)
    return draws.mean(axis=0).astype(xi.dtype), standard_error(draws).astype(xi.dtype)


def thresholded_update(xi, X, omega, /, *, beta=1.0, theta=0.5, side="above", features="positive",
                       empty_row="zeros"):
    cue, keys = (side(np.asarray(a, np.float64), theta).astype(a.dtype) for a in (xi, X))
    rule = partial(performer.thresholded_update.formula, theta=theta, side=side)
    return _of_states(rule, xi, cue, keys, X, omega, beta, features=features, empty_row=empty_row)


def _of_states(rule, xi, cue, keys, X, omega, beta, **how):
    """Retrieval of patterns X by keys, for states of which the cues are queries."""
    few, shape = xi.ndim == 1 or xi.shape[-2] < FEW, (math.prod(xi.shape[:-1]), xi.shape[-1])

    def formula(lost):
        arrays = (a.astype(float) for a in (xi.reshape(shape)[lost], X, omega))
        return rule(*arrays, beta=beta, **how)
    return _responses(cue.reshape(shape), keys, X, omega, beta, few, formula, **how
                      ).reshape(xi.shape)


def _responses(q, keys, V, omega, beta, few, formula, *, features, empty_row):
    """Results of queries for visible keys; ``formula(lost)`` gives the rows that are lost."""
    h, functions = features.args
    if not len(keys):
        return np.full((len(q), V.shape[1]), empty_row, V.dtype)
    if not BETAS[0] < beta < BETAS[1]:
        return formula(np.ones(len(q), np.bool_))
    if not set(functions) <= EXPONENTIALS:
        return _by_features(q, keys, V, omega, beta, formula, features, empty_row)
    directions = omega if len(functions) == 1 else np.concatenate([omega, -omega])

    def by_kernel(real):
        return _twice(*(a.astype(real, copy=False) for a in (q, keys, V, directions)),
                      math.sqrt(beta), few)
    return in_range(V.dtype, len(q), math.sqrt(beta), by_kernel, formula)


def _twice(q, keys, V, directions, root, few):
    """Softmax attention of directions to keys, and of queries to directions, in one precision."""
    Z = np.empty((len(q), V.shape[1]), V.dtype)
    means, logs = _merged(_with(directions, 1.0), keys, V, root)
    directions, means = _with(directions, (logs - np.max(logs)) / root), means.astype(V.dtype)
    for first in range(0, len(q), GROUP):
        group = slice(first, first + GROUP)
        Z[group] = _attended(_with(q[group], 1.0), directions, means, root, few)[0]
    return Z


def _merged(directions, keys, V, root):
    """Means of the values for each direction, and logarithms of the sums, in double precision.

    They are merged from those of groups of keys.
    """
    means, logs = np.zeros((len(directions), V.shape[1])), np.full(len(directions), -math.inf)
    for first in range(0, len(keys), GROUP):
        k = keys[first:first + GROUP]
        wide = _with(k, -root / 2 * squared_lengths(k))
        more, log = _attended(directions, wide, V[first:first + GROUP], root,
                              len(directions) < FEW)
        new = np.logaddexp(logs, log)
        old, share = (np.exp(part - new)[:, None] for part in (logs, log))
        means = np.where(share > 0, old * means + share * more, means)
        logs = new
    return means, logs


def _with(x, last):
    """Rows with a further component."""
    wide = np.empty((len(x), x.shape[1] + 1), x.dtype)
    wide[:, :-1], wide[:, -1] = x, last
    return wide


def _attended(Q, K, V, beta, few):
    """softmax(beta Q K') V and the logarithms of the sums, in double precision."""
    out, sums = np.empty((len(Q), V.shape[1]), V.dtype), np.empty((len(Q), 3), V.dtype)
    attend(Q, K, V, beta, few, absent(np.bool_), absent(V.dtype), len(K), out, sums, NO_BEST)
    return out, beta * sums[:, TOP].astype(float) + np.log(sums[:, TOTAL].astype(float))


def _by_features(q, keys, V, omega, beta, formula, features, empty_row):
    """Linear attention of features that are formed, up to a factor for each query and for all keys.
    """
    h, functions = features.args
    kinds = [RELU] if functions == (projected.rectifier,) else [SIN, COS]
    longest = [np.max(squared_lengths(a), initial=SMALLEST) for a in (q, keys, omega)]
    if not beta * max(longest[:2]) * longest[2] <= REDUCED[V.itemsize] ** 2:
        return formula(np.ones(len(q), np.bool_))
    slope = 0.5 if h is projected.growth else 0.0

    def formed(x, slope, top):
        out, lost = np.empty((len(x), len(kinds) * len(omega)), x.dtype), np.empty(len(x), np.bool_)
        project(x, omega, np.zeros(len(omega), x.dtype), math.sqrt(beta), slope * beta, 0.0, 1.0,
                top, np.array(kinds), np.inf, out, lost)
        return out
    phi_q, phi_k = formed(q, 0.0, 0.0), formed(keys, slope, slope * beta * longest[1])
    return linear_attention(phi_q, phi_k, V, empty_row=empty_row)


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

    def features(x, directions, axis):
        """Those of the formula, times sqrt(m)."""
        u = _projections(x, directions, math.sqrt(beta), LOG)
        top = np.max(u, axis=axis, keepdims=True)
        half = beta / 2 * squared_lengths(_rows(x)).reshape(*x.shape[:-1], 1)
        u -= half + top
        apply_units(u.reshape(-1), 0, u.reshape(-1))
        u += eps
        return u
    return _in_a_precision(partial(features, axis=-1), partial(features, axis=(-2, -1)), Q, K, V,
                           omega, mask, guard * len(omega), empty_row)


def _projections(x, omega, factor, kind):
    """factor omega x of all rows, or its positive part."""
    rows, m = _rows(x), len(omega)
    u, lost = np.empty((len(rows), m), x.dtype), np.empty(len(rows), np.bool_)
    project(rows, omega, np.zeros(m, x.dtype), factor, 0.0, 0.0, 1.0, 0.0, np.array([kind]), np.inf,
            u, lost)
    return u.reshape(*x.shape[:-1], m)


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
        low = (D <= guard) & (D > 0)
        if low.any():
            Z = np.where(low, linear_attention(q, k, values, mask=mask, eps=2 * guard,
                                               empty_row=empty_row), Z)
    return Z.astype(V.dtype, copy=False)
