"""Sums over tiles of patterns for the modern energy, and the largest length of a pattern."""
import numpy as np

from hopref.fast.cupy import _tiles
from hopref.fast.cupy._tiles import LEAST_KEYS, Sums

__all__ = ["Gaps", "longest_square"]


class Gaps(Sums):
    """Also the sum of the weights less one, and the first pattern of the largest score."""

    def __init__(self, tiles):
        super().__init__(tiles, 0)
        self.count = 0
        self.lack = tiles.cupy.zeros_like(self.total)
        self.nearest = tiles.cupy.zeros(self.total.shape, dtype=np.int64)

    def add(self, tiles, patterns):
        """Add a tile, in place."""
        cupy, gaps = tiles.cupy, tiles.scores(slice(None), patterns)
        first = cupy.argmax(gaps, axis=-1, keepdims=True) + patterns.start
        highest = cupy.maximum(self.top, cupy.max(gaps, axis=-1, keepdims=True))
        cupy.copyto(self.nearest, first, where=highest > self.top)
        for exponents in gaps, self.top:
            exponents -= highest
            exponents *= tiles.factor
        shrink, lack = cupy.exp(self.top), cupy.expm1(self.top)
        self.lack *= shrink
        self.lack += lack * self.count
        self.lack += cupy.sum(cupy.expm1(gaps), axis=-1, keepdims=True)
        self.total *= shrink
        self.total += cupy.sum(cupy.exp(gaps, out=gaps), axis=-1, keepdims=True)
        self.top, self.count = highest, self.count + patterns.stop - patterns.start


def longest_square(cupy, X):
    """M^2, the largest squared length of a pattern, in double precision and in tiles."""
    longest, step = cupy.zeros((), dtype=np.float64), _tiles.SCORES // (8 * max(1, X.shape[1]))
    step = max(LEAST_KEYS, step)
    for start in range(0, len(X), step):
        tile = cupy.astype(X[start:start + step], np.float64)
        tile *= tile
        longest = cupy.maximum(longest, cupy.max(cupy.sum(tile, axis=-1)))
    return longest
