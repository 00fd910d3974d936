"""`hopref.models.modern` on a CUDA device, without an array of M x N scores.

Updates are computed by two kernels (see `_attend`), all else, and what these do not take, by tiles
of patterns (see `_tiles`).  A sum is taken in an order that depends on the shapes alone.  The
scores must be in the range of the dtype: where one overflows, the results of the state are NaN.
"""
import math

import numpy as np

from hopref.fast.cupy._attend import attended
from hopref.fast.cupy._gaps import Gaps, longest_square
from hopref.fast.cupy._tiles import (
    Tiles,
    arithmetic,
    exact_threshold,
    in_arithmetic,
    in_tiles,
)
from hopref.maps import log_of_mean

__all__ = ["energy", "update", "weights", "thresholded_update"]


def update(xi, X, /, *, beta=1.0):
    return _rows(_updates, xi, X, beta, xi.shape)


def energy(xi, X, /, *, beta=1.0):
    return _rows(_energies, xi, X, beta, xi.shape[:-1])


def weights(xi, X, /, *, beta=1.0):
    return _rows(_weights, xi, X, beta, (*xi.shape[:-1], len(X)))


def thresholded_update(xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    def means(tiles):
        return attended(tiles, in_arithmetic(tiles.cupy, tiles.Q.dtype, X)[0])
    theta = exact_threshold(theta, xi.dtype, side)
    return _rows(means, side(xi, theta), side(X, theta), beta, xi.shape)


def _rows(rule, xi, X, beta, shape):
    """The results of a rule for `Tiles` of all states, one in each row, in the dtype of the states.
    """
    import cupy

    if math.prod(xi.shape[:-1]) == 0:
        return cupy.zeros(shape, dtype=xi.dtype)
    dtype, real = xi.dtype, arithmetic(xi.dtype, beta)
    (xi,), (X,) = in_arithmetic(cupy, real, xi), in_tiles(cupy, real, X)
    states = cupy.reshape(xi, (math.prod(xi.shape[:-1]), xi.shape[-1]))
    return cupy.astype(cupy.reshape(rule(Tiles(cupy, states, X, float(beta))), shape), dtype,
                       copy=False)


def _updates(tiles):
    """The new states."""
    return attended(tiles, tiles.K)


def _weights(tiles):
    """The weights, in place of the scores."""
    cupy, p = tiles.cupy, tiles.scores(slice(None), slice(None))
    p -= cupy.max(p, axis=-1, keepdims=True)
    p *= tiles.beta
    cupy.exp(p, out=p)
    p /= cupy.sum(p, axis=-1, keepdims=True)
    return p


# ---- energies -----------------------------------------------------------------------------------

def _energies(tiles):
    """|xi - x_t|^2 / 2 + (M^2 - |x_t|^2) / 2 - log(mean e^x) / beta, in double precision."""
    cupy, X, sums, wide = tiles.cupy, tiles.K, Gaps(tiles), np.float64
    for _, patterns in tiles:
        sums.add(tiles, patterns)
    nearest = cupy.astype(cupy.take(X, sums.nearest[:, 0], axis=0), wide)
    total, lack = (cupy.astype(a[:, 0], wide) / len(X) for a in (sums.total, sums.lack))
    offset = tiles.Q - nearest
    return cupy.sum(offset * offset, axis=-1) / 2 - log_of_mean(total, lack) / tiles.beta + (
        longest_square(cupy, X) - cupy.sum(nearest * nearest, axis=-1)) / 2
