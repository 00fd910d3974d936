"""`hopref.models.structured` on a CUDA device.

A support is a mask of softmax attention (see `_attend` and `_tiles`).  The patterns of
the windows of a block of states are gathered.
"""
import math
from functools import partial

import numpy as np

from hopref import maps
from hopref.fast.cupy import _attend, _rows, _tiles, performer
from hopref.fast.cupy._linear import Logarithms, Numbers
from hopref.fast.cupy._linear import attended as attended_by_features
from hopref.fast.cupy._tiles import Tiles, arithmetic, attended, in_arithmetic, in_tiles
from hopref.features import deterministic
from hopref.models import structured

__all__ = ["update", "pair_update", "top_k_energy", "top_k_update", "window_update",
           "listed_update", "linear_update", "random_feature_update"]


def update(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    return pair_update(xi, X, support, beta=beta, empty_row=empty_row)


def pair_update(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                empty_row="zeros"):
    import cupy

    if math.prod(xi.shape[:-1]) == 0:
        return cupy.zeros(xi.shape, dtype=xi.dtype)
    real = arithmetic(xi.dtype, beta)
    states, = in_arithmetic(cupy, real, xi)
    keys, values = in_tiles(cupy, real, _keys(cupy, X, delta), X)
    if xi.ndim == 1:
        states, support = states[None], True if support is True else support[None]
    mask = support                  # with its leading axes, since to merge them may be to copy
    seen = Tiles(cupy, states, keys, float(beta), mask)
    if mask is True or renormalise:
        new = _attend.attended(seen, values, empty_row)
    else:
        new, some = attended(seen, values, empty_row)
        _, every = attended(Tiles(cupy, states, keys, float(beta)), values[:, :0])
        share = cupy.exp(beta * (some.top - every.top)) * some.total / every.total
        new = cupy.where(some.total > 0, share * new, new)
    return cupy.astype(cupy.reshape(new, xi.shape), xi.dtype, copy=False)


def _keys(cupy, X, delta):
    """X + delta, rounded once."""
    return X if isinstance(delta, float) else \
        cupy.astype(cupy.astype(X, np.float64) + delta, X.dtype, copy=False)


def top_k_energy(xi, X, /, *, k, beta=1.0):
    return _rows.energies(structured.top_k_energy, xi, X, k=k, beta=beta)


def top_k_update(xi, X, /, *, k, beta=1.0):
    return _rows.means(maps.top_k, xi, X, beta=beta, k=k)


def window_update(xi, X, /, *, width, dilation=1, causal=False, align="end", beta=1.0,
                  empty_row="zeros"):
    import cupy

    dtype, real, (l, d), n = xi.dtype, arithmetic(xi.dtype, beta), xi.shape, len(X)
    xi, X = in_arithmetic(cupy, real, xi, X)
    reach = min(width, (l + n) // dilation + 1)
    steps = dilation * cupy.arange(-reach, 1 if causal else reach + 1)
    block = max(1, _tiles.SCORES // (max(1, d) * len(steps) * real.itemsize))
    new = cupy.empty((l, d), dtype=real)
    for start in range(0, l, block):
        rows = slice(start, min(l, start + block))
        columns = cupy.arange(rows.start, rows.stop)[:, None] + (steps + align(l, n))
        new[rows] = _in_windows(cupy, xi[rows], X, columns, float(beta), empty_row)
    return cupy.astype(new, dtype, copy=False)


def _in_windows(cupy, xi, X, columns, beta, empty_row):
    """Means over the patterns in these columns, of which those out of range are no patterns."""
    missing = (columns < 0) | (columns >= len(X))
    cupy.copyto(columns, 0, where=missing)
    near = cupy.reshape(cupy.take(X, cupy.reshape(columns, (-1,)), axis=0),
                        (*columns.shape, X.shape[1]))
    keys = Tiles(cupy, xi[:, None, :], near, beta, ~missing[:, None, :])
    return attended(keys, near, empty_row)[0][:, 0, :]


# ---- lists of pairs -----------------------------------------------------------------------------

def listed_update(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    """The largest score, and the sums of the weights and of the weighted patterns of each state,
    from blocks of its pairs."""
    import cupy

    dtype, real, (l, d) = xi.dtype, arithmetic(xi.dtype, beta), xi.shape
    xi, X = in_arithmetic(cupy, real, xi, X)
    i, j, first, start, stop = maps.listed_once(rows, columns, l, len(X))
    top = cupy.full((l, 1), float(np.finfo(real).min), dtype=real)
    sums = cupy.zeros((l, 1 + d), dtype=real)
    step = max(_tiles.LEAST_KEYS, _tiles.SCORES // ((1 + d) * real.itemsize))
    for here in range(0, len(i), step):
        pairs = slice(here, min(len(i), here + step))
        ranges = [cupy.clip(a - here, 0, pairs.stop - here) for a in (start, stop)]
        _add_pairs(cupy, xi, X, i[pairs], j[pairs], first[pairs], ranges, beta, top, sums)
    return cupy.astype(maps.ratio(sums[:, 1:], sums[:, :1], float(empty_row)), dtype, copy=False)


def _add_pairs(cupy, xi, X, i, j, first, ranges, beta, top, sums):
    """Add a block of pairs, of which each state has a range, in place."""
    near = cupy.take(X, j, axis=0)
    z = cupy.sum(cupy.take(xi, i, axis=0) * near, axis=-1, keepdims=True)
    cupy.copyto(z, -math.inf, where=~first[:, None])
    highest = cupy.maximum(top, maps.over_rows(cupy.maximum, z, -math.inf, *ranges))
    weights = cupy.exp(beta * (z - cupy.take(highest, i, axis=0)))
    weighted = cupy.concat([weights, weights * near], axis=-1)
    sums *= cupy.exp(beta * (top - highest))
    sums += maps.over_rows(cupy.add, weighted, 0.0, *ranges)
    top[...] = highest


# ---- features -----------------------------------------------------------------------------------

LOGARITHMS = {deterministic.elu: deterministic.log_elu, deterministic.exponential: lambda x: x}


def linear_update(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    """Features of blocks of patterns and of states, exponentials by their logarithms."""
    import cupy

    d, keys = xi.shape[-1], _keys(cupy, X, delta)
    states, count = cupy.reshape(xi, (math.prod(xi.shape[:-1]), d)), d
    if features is deterministic.quadratic:         # squares of float32 may be out of range
        states, keys, X = (cupy.astype(a, np.float64) for a in (states, keys, X))
        (states, keys, *_), count = maps.evened(states, keys, 0.0), d * d
    kind, phi = (Logarithms, LOGARITHMS[features]) if features in LOGARITHMS else \
        (Numbers, features.formula)

    def formed(x, rows):
        return kind(cupy, phi(cupy.ascontiguousarray(x[rows])))
    new = attended_by_features(kind, partial(formed, states), partial(formed, keys), states, X,
                               count, empty_row)
    return cupy.astype(cupy.reshape(new, xi.shape), xi.dtype, copy=False)


def random_feature_update(xi, X, omega, /, *, delta=0.0, beta=1.0, features="positive",
                          empty_row="zeros"):
    import cupy

    queries = cupy.reshape(xi, (math.prod(xi.shape[:-1]), xi.shape[-1]))
    new = performer.attention(queries, _keys(cupy, X, delta), X, omega, features=features,
                              scale=beta, empty_row=empty_row)
    return cupy.reshape(new, xi.shape)
