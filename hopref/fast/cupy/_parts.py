"""Mergeable partial results of chunks on a CUDA device (see `hopref.parts`), in tiles.

The states are those of `hopref.parts`, in the dtype of the arguments, or in float64 where a factor
of the scores is too small or too large for it, and for energies.  A state is computed without an
array of all scores or features of the chunk.
"""
import math

import numpy as np

from hopref.fast.cupy._features import log_features, width
from hopref.fast.cupy._gaps import Gaps, longest_square
from hopref.fast.cupy._linear import Logarithms, State, add_all, hidden_keys, rows_of, tamed
from hopref.fast.cupy._tiles import (
    Sums,
    Tiles,
    arithmetic,
    exact_threshold,
    in_arithmetic,
    in_dtype,
    in_tiles,
)
from hopref.fast.cupy.attention import key_state
from hopref.maps import default_scale, masked
from hopref.parts import energy, linear, softmax
from hopref.parts.operations import Chunked

__all__ = ["OPERATIONS"]


def in_dtype_of(k, value):
    """The result of the kind, in the dtype of the argument k."""
    def stored(state, **given):
        import cupy

        return cupy.astype(value(state, **given), given[k].dtype, copy=False)
    return stored


# ---- softmax ------------------------------------------------------------------------------------

def summed(tiles, V):
    """The softmax state of the keys of `Tiles` with values V."""
    cupy, sums = tiles.cupy, Sums(tiles, V.shape[-1])
    for queries, keys in tiles:
        sums.add(tiles, V, queries, keys)
    top, total = sums.top[..., 0], sums.total[..., 0]
    return softmax.State(cupy.where(total == 0, -math.inf, top), total, sums.drawn, tiles.factor)


def of_states(xi, X, V, support, beta):
    """The state of patterns X with values V, for states xi (..., d)."""
    import cupy

    *lead, d = xi.shape
    rows = lead if lead and support is not True else [math.prod(lead)]
    real = arithmetic(xi.dtype, beta)
    (xi,), (X, V) = in_arithmetic(cupy, real, xi), in_tiles(cupy, real, X, V)
    mask = support if support is True else cupy.reshape(support, (*rows, len(X)))
    top, total, weighted, beta = summed(
        Tiles(cupy, cupy.reshape(xi, (*rows, d)), X, float(beta), mask), V)
    return softmax.State(cupy.reshape(top, lead), cupy.reshape(total, lead),
                         cupy.reshape(weighted, (*lead, V.shape[-1])), beta)


def from_patterns(*, xi, X, beta, **_):
    return of_states(xi, X, X, True, beta)


def from_supported(*, xi, X, support, beta, **_):
    return of_states(xi, X, X, support, beta)


def from_thresholded(*, xi, X, beta, theta, side):
    theta = exact_threshold(theta, xi.dtype, side)
    return of_states(side(xi, theta), side(X, theta), X, True, beta)


def from_keys(*, Q, K, V, scale, mask, bias, causal, **_):
    import cupy

    softmax.refuse_causal(causal)
    factor = float(default_scale(scale, K))
    real = arithmetic(V.dtype, factor)
    (Q,), (K, V) = in_arithmetic(cupy, real, Q), in_tiles(cupy, real, K, V)
    bias = None if isinstance(bias, float) else in_dtype(cupy, real, bias)
    return summed(Tiles(cupy, Q, K, factor, mask, bias), V)


# ---- energies -----------------------------------------------------------------------------------

def from_chunk_of_energy(*, xi, X, beta):
    import cupy

    real, wide, (*lead, d) = arithmetic(xi.dtype, beta), np.float64, xi.shape
    xi, X = in_arithmetic(cupy, real, xi, X)
    tiles = Tiles(cupy, cupy.reshape(xi, (math.prod(lead), d)), X, float(beta))
    sums = Gaps(tiles)
    for _, patterns in tiles:
        sums.add(tiles, patterns)
    top, total, total_m1 = (cupy.reshape(cupy.astype(a, wide), lead)
                            for a in (sums.top, sums.total, sums.lack))
    nearest = cupy.take(X, sums.nearest[:, 0], axis=0) if len(X) else cupy.zeros_like(xi)
    return energy.State(top if len(X) else cupy.full_like(top, -math.inf), total, total_m1,
                        cupy.reshape(cupy.astype(nearest, wide), (*lead, d)),
                        longest_square(cupy, X), len(X), float(beta))


# ---- linear attention ---------------------------------------------------------------------------

def from_features(*, phi_k, V, mask, **_):
    S, z = key_state(phi_k, V, mask=mask)
    return linear.State(S, z, 0 * z)


def of_logarithms(nothing, keys, V):
    """The state of keys, given by a function of slices of positions."""
    import cupy

    state, unit = State.empty(nothing, V.shape[-1]), tamed(cupy, V)
    if V.shape[-2]:
        add_all(state, keys, V, unit, nothing.x.shape[-1] + V.shape[-1])
    return linear.State(*state.logarithms(unit))


def from_logs(*, log_k, V, sign_k, mask, **_):
    import cupy

    keys = Logarithms(cupy, log_k, sign_k)
    return of_logarithms(keys, lambda rows: hidden_keys(rows_of(keys, rows), mask, rows, -math.inf),
                         masked(V, mask, 0.0))


def from_random_features(*, K, V, omega, features, scale, mask, **_):
    import cupy

    beta = default_scale(scale, K)
    K, V, omega = in_arithmetic(cupy, arithmetic(V.dtype, beta), K, V, omega)
    nothing = cupy.empty((*V.shape[:-2], 0, width(features, omega)), dtype=V.dtype)

    def keys(rows):
        return hidden_keys(log_features(features, K[..., rows, :], omega, beta), mask, rows,
                           -math.inf)
    return of_logarithms(Logarithms(cupy, nothing), keys, masked(V, mask, 0.0))


def from_random_features_of_patterns(*, X, omega, beta, features, **_):
    return from_random_features(K=X, V=X, omega=omega, features=features, scale=beta, mask=True)


OPERATIONS = {
    "modern.update": Chunked("n", from_patterns, in_dtype_of("xi", softmax.weighted_mean)),
    "modern.thresholded_update": Chunked("n", from_thresholded,
                                         in_dtype_of("xi", softmax.weighted_mean)),
    "modern.energy": Chunked("n", from_chunk_of_energy, in_dtype_of("xi", energy.from_states)),
    "structured.update": Chunked("n", from_supported, in_dtype_of("xi", softmax.mean_or_empty)),
    "attention.softmax_attention": Chunked("s", from_keys, in_dtype_of("Q", softmax.mean_or_empty)),
    "attention.key_state": Chunked("s", from_features, linear.key_sums),
    "attention.linear_attention": Chunked("s", from_features, linear.attention_of_features),
    "attention.log_linear_attention": Chunked("s", from_logs, linear.attention_of_logs),
    "performer.attention": Chunked("s", from_random_features,
                                   in_dtype_of("Q", linear.attention_of_queries)),
    "performer.update": Chunked("n", from_random_features_of_patterns,
                                in_dtype_of("xi", linear.attention_of_states)),
}
