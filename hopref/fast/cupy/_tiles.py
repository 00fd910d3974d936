"""Softmax over keys in tiles with a running maximum, without an array of all scores.

Queries (..., l, d), keys (..., s, d) and values (..., s, v) have equal leading axes.  A mask and a
bias have the shape (..., l, s) and are read in tiles: if they are broadcast, they are not copied.
Tiles that no query sees under a causal mask are left out, as are the queries that see no key of a
tile.  A sum is taken in an order that depends on the shapes alone.

The scores must be in the range of the dtype: where one overflows, the result of its query is NaN.
"""
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hopref.maps import above, below, ratio

__all__ = ["SCORES", "LEAST_KEYS", "Tiles", "Sums", "attended", "arithmetic",
           "in_arithmetic", "in_dtype", "in_tiles", "exact_threshold"]

SCORES = 24 * 2**20                 # bytes of the scores of a tile, to stay in the cache
LEAST_KEYS = 32                     # of a tile
LEAST = 2.0**-100                   # factor of the scores that float32 takes
HALF = 2                            # bytes of float16 and bfloat16


def arithmetic(dtype, factor):
    """The dtype of the arithmetic: float32 for half precision, and float64 where a factor of the
    scores is too small or too large for float32."""
    dtype = np.dtype(np.float32) if dtype.itemsize == HALF else dtype
    return dtype if LEAST <= factor <= np.finfo(np.float32).max else np.dtype(np.float64)


def in_arithmetic(cupy, real, *arrays):
    """The arrays with contiguous rows in the dtype of the arithmetic."""
    return [cupy.ascontiguousarray(cupy.astype(a, real, copy=False)) for a in arrays]


def in_tiles(cupy, real, *arrays):
    """The arrays in the dtype of the arithmetic, but those of half precision, which are converted
    tile by tile."""
    return [cupy.ascontiguousarray(in_dtype(cupy, real, a)) for a in arrays]


def in_dtype(cupy, real, a):
    """An array in the dtype of the arithmetic, or in half precision; a broadcast one stays so."""
    return a if a.dtype.itemsize == HALF else cupy.astype(a, real, copy=False)


def exact_threshold(theta, dtype, side):
    """The number of the dtype that divides its numbers as theta does, which has more digits."""
    near = np.asarray(theta, np.float64).astype(dtype)
    if side is above and float(near) > theta:
        near = np.nextafter(near, dtype.type(-math.inf))
    if side is below and float(near) < theta:
        near = np.nextafter(near, dtype.type(math.inf))
    return float(near)


@dataclass(frozen=True, eq=False)
class Tiles:
    """Scores beta Q K' + bias, a tile of keys at a time; query i sees the keys up to i + offset.

    Q has the dtype of the arithmetic, to which tiles of K and of values are converted.
    """
    cupy: Any
    Q: Any
    K: Any
    beta: float
    mask: Any = True
    bias: Any = None
    offset: Any = None              # None: every key

    @property
    def factor(self):
        """The remaining factor of the scores in the exponent."""
        return self.beta if self.bias is None else 1.0

    def converted(self, a, keys):
        """A tile of the keys, or of values, in the dtype of the arithmetic."""
        return self.cupy.astype(a[..., keys, :], self.Q.dtype, copy=False)

    @property
    def restricted(self):
        return self.mask is not True or self.bias is not None or self.offset is not None

    def __iter__(self):
        """Pairs (queries, keys) of slices that contain a visible score."""
        l, s = self.Q.shape[-2], self.K.shape[-2]
        rows = math.prod(self.Q.shape[:-1]) * self.Q.dtype.itemsize
        step = max(LEAST_KEYS, SCORES // max(1, rows))
        for start in range(0, s, step):
            first = 0 if self.offset is None else max(0, start - self.offset)
            if first < l:
                yield slice(first, l), slice(start, min(s, start + step))

    def scores(self, queries, keys):
        """The scores of a tile, in a new array; -inf where a key is hidden."""
        cupy = self.cupy
        z = cupy.matmul(self.Q[..., queries, :],
                        cupy.matrix_transpose(self.converted(self.K, keys)))
        if self.bias is not None:
            z *= self.beta
        hidden = self._hidden(queries, keys)
        if hidden is not None or self.bias is not None:
            cupy.copyto(z, math.nan, where=z == -math.inf)      # an overflow, which hides no key
        if self.bias is not None:
            z += self.bias[..., queries, keys]
        if hidden is not None:
            cupy.copyto(z, -math.inf, where=hidden)
        return z

    def _hidden(self, queries, keys):
        """True where a key of the tile is hidden; None if all are visible."""
        cupy, hidden = self.cupy, []
        if self.mask is not True:
            hidden.append(~self.mask[..., queries, keys])
        if self.bias is not None:
            hidden.append(self.bias[..., queries, keys] == -math.inf)
        if self.offset is not None and queries.start + self.offset < keys.stop - 1:
            last = cupy.arange(queries.start + self.offset, queries.stop + self.offset)
            hidden.append(cupy.arange(keys.start, keys.stop) > last[:, None])
        for more in hidden[1:]:
            hidden[0] = hidden[0] | more
        return hidden[0] if hidden else None


class Sums:
    """The largest score, the sum of the weights, and the sum of the weighted values of each query.

    The weights are relative to the largest score; before a key is visible, this is the lowest
    number of the dtype.
    """

    def __init__(self, tiles, v):
        cupy, shape, real = tiles.cupy, tiles.Q.shape[:-1], tiles.Q.dtype
        self.top = cupy.full((*shape, 1), float(np.finfo(real).min), dtype=real)
        self.total = cupy.zeros((*shape, 1), dtype=real)
        self.drawn = cupy.zeros((*shape, v), dtype=real)

    def add(self, tiles, V, queries, keys):
        """Add a tile, in place."""
        cupy, values = tiles.cupy, tiles.converted(V, keys)
        top, total, drawn = (a[..., queries, :] for a in (self.top, self.total, self.drawn))
        weights = tiles.scores(queries, keys)
        highest = cupy.maximum(top, cupy.max(weights, axis=-1, keepdims=True))
        for exponents in weights, top:
            exponents -= highest
            if tiles.factor != 1.0:
                exponents *= tiles.factor
            cupy.exp(exponents, out=exponents)
        total *= top
        total += cupy.sum(weights, axis=-1, keepdims=True)
        drawn *= top
        drawn += cupy.matmul(weights, values)
        top[...] = highest


def attended(tiles, V, empty_row=0.0):
    """The means of the values, ``empty_row`` where no key is visible; and the sums."""
    sums = Sums(tiles, V.shape[-1])
    for queries, keys in tiles:
        sums.add(tiles, V, queries, keys)
    if tiles.restricted:
        return ratio(sums.drawn, sums.total, empty_row), sums
    sums.drawn /= sums.total
    return sums.drawn, sums
