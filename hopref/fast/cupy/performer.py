"""`hopref.models.performer` on a CUDA device, in blocks of positions.

Features are formed for a block of keys or queries at a time, from their logarithms (see `_features`
and `_linear`); those with a constant are numbers.
"""
import math
from functools import partial

from hopref.fast.cupy._features import log_features, width
from hopref.fast.cupy._linear import (
    Logarithms,
    Numbers,
    State,
    attended,
    causally,
    hidden_keys,
    in_blocks,
    means,
    nothing,
    tamed,
)
from hopref.fast.cupy._tiles import arithmetic, exact_threshold, in_arithmetic
from hopref.maps import default_scale, dot, feature_scale, masked, standard_error

__all__ = ["attention", "causal_attention", "update", "expected_update", "thresholded_update",
           "stabilized_attention", "generalized_attention"]


def attention(Q, K, V, omega, /, *, features="positive", scale=None, mask=True, empty_row="zeros"):
    import cupy

    dtype, beta = V.dtype, default_scale(scale, K)
    Q, K, V, omega = in_arithmetic(cupy, arithmetic(dtype, beta), Q, K, V, omega)

    def keys(rows):
        block = log_features(features, K[..., rows, :], omega, beta)
        return hidden_keys(block, mask, rows, -math.inf)

    def queries(rows):
        return log_features(features, Q[..., rows, :], omega, beta)
    V = masked(V, mask, 0.0)
    Z = attended(Logarithms, queries, keys, Q, V, width(features, omega), empty_row)
    return cupy.astype(Z, dtype, copy=False)


def causal_attention(Q, K, V, omega, /, *, features="positive", scale=None, mask=True, S=0.0,
                     z=0.0, c=float("-inf"), empty_row="zeros"):
    import cupy

    dtype, beta = V.dtype, default_scale(scale, K)
    real = arithmetic(dtype, beta)
    Q, K, V, omega = in_arithmetic(cupy, real, Q, K, V, omega)
    S, z, c = (a if isinstance(a, float) else cupy.astype(a, real, copy=False) for a in (S, z, c))
    V = masked(V, mask, 0.0)
    unit = tamed(cupy, V, None if isinstance(S, float) else S)
    state = State.of_logarithms(nothing(Logarithms, V, width(features, omega)), S, z, c, unit)

    def formed(x, rows):
        return log_features(features, x[..., rows, :], omega, beta)

    def keys(rows):
        return hidden_keys(formed(K, rows), mask, rows, -math.inf)
    Z = causally(state, partial(formed, Q), keys, V, unit,
                 width(features, omega) + V.shape[-1], means(unit, empty_row))
    return tuple(cupy.astype(a, dtype, copy=False) for a in (Z, *state.logarithms(unit)))


# ---- retrieval ----------------------------------------------------------------------------------

def update(xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    return _retrieved(xi, X, X, omega, beta, features, empty_row)


def expected_update(xi, X, omegas, /, *, beta=1.0, features="positive", empty_row="zeros"):
    import cupy

    draws = cupy.stack([cupy.astype(_retrieved(xi, X, X, omega, beta, features, empty_row), float)
                        for omega in omegas])
    return tuple(cupy.astype(a, xi.dtype, copy=False)
                 for a in (cupy.mean(draws, axis=0), standard_error(draws)))


def thresholded_update(xi, X, omega, /, *, beta=1.0, theta=0.5, side="above", features="positive",
                       empty_row="zeros"):
    theta = exact_threshold(theta, xi.dtype, side)
    return _retrieved(side(xi, theta), side(X, theta), X, omega, beta, features, empty_row)


def _retrieved(cues, keys, X, omega, beta, features, empty_row):
    """Means of the patterns X, with the weights of the keys for the cues."""
    import cupy

    queries = cupy.reshape(cues, (math.prod(cues.shape[:-1]), cues.shape[-1]))
    new = attention(queries, keys, X, omega, features=features, scale=beta, empty_row=empty_row)
    return cupy.reshape(new, cues.shape)


# ---- features with a constant -------------------------------------------------------------------

def generalized_attention(Q, K, V, omega, /, *, activation="relu", scale=None, mask=True, eps=1e-3,
                          empty_row="zeros"):
    import cupy

    dtype, factor = V.dtype, feature_scale(scale, K)
    Q, K, V, omega = in_arithmetic(cupy, arithmetic(dtype, factor), Q, K, V, omega)

    def formed(x, rows):
        u = cupy.matmul(factor * x[..., rows, :], omega.T)
        return Numbers(cupy, activation(u) + eps)

    def keys(rows):
        return hidden_keys(formed(K, rows), mask, rows, 0.0)
    V = masked(V, mask, 0.0)
    Z = attended(Numbers, partial(formed, Q), keys, Q, V, len(omega), empty_row)
    return cupy.astype(Z, dtype, copy=False)


def stabilized_attention(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0,
                         empty_row="zeros"):
    import cupy

    dtype, beta, factor = V.dtype, default_scale(scale, K), 1 / math.sqrt(len(omega))
    Q, K, V, omega = in_arithmetic(cupy, arithmetic(dtype, beta), Q, K, V, omega)
    root = math.sqrt(beta)

    def projections(x, rows):
        return cupy.matmul(root * x[..., rows, :], omega.T)

    def formed(x, rows, top=None):
        u, half = projections(x, rows), root * x[..., rows, :]
        top = cupy.max(u, axis=-1, keepdims=True) if top is None else top
        u -= cupy.expand_dims(dot(half, half), -1) / 2
        u -= top
        cupy.exp(u, out=u)
        u += eps
        u *= factor
        return Numbers(cupy, u)

    def keys(rows):
        return hidden_keys(formed(K, rows, top), mask, rows, 0.0)
    def visible(rows):
        u = projections(K, rows)
        return u if mask is True else masked(u, mask[..., rows], -math.inf)
    tops = [cupy.max(visible(rows), axis=(-2, -1), keepdims=True)
            for rows in in_blocks(K, K.shape[-2], len(omega) + V.shape[-1])]
    top = cupy.max(cupy.concat(tops, axis=-1), axis=-1, keepdims=True)
    V = masked(V, mask, 0.0)
    Z = attended(Numbers, partial(formed, Q), keys, Q, V, len(omega), empty_row, guard)
    return cupy.astype(Z, dtype, copy=False)
