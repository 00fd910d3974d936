"""Vector-Jacobian products of softmax attention in two passes over tiles of keys (see `_tiles`).

With the cotangents a_j = g v_j of the weights p_j, the gradient of a score is w_j = p_j (a_j - a_m
- c), where m is the key of the largest score and c the mean of a_j - a_m.  The first pass computes
c and the sums of the softmax, the second w and its products.  Where one key has nearly all the
weight, no difference cancels, since its own term of c is 0.
"""
import numpy as np

from hopref.maps import ratio

__all__ = ["softmax_gradient"]


def softmax_gradient(tiles, g, V, dbias=None):
    """The gradients of Q, K, V and the factor of the scores; fill ``dbias``, which is 0 before.

    V (..., s, v) and g (..., l, v) have the leading axes of the queries.
    """
    cupy = tiles.cupy
    sums = _Means(tiles)
    for queries, keys in tiles:
        sums.add(tiles, _cotangents(cupy, g, V, queries, keys), queries, keys)
    sums.finish()
    gradients = [cupy.zeros_like(a) for a in (tiles.Q, tiles.K, V)]
    for queries, keys in tiles:
        _add_tile(tiles, sums, g, V, queries, keys, *gradients, dbias)
    dQ, dK, dV = gradients
    dfactor = cupy.sum(cupy.sum(tiles.Q * dQ, axis=-1), dtype=np.float64)
    dQ *= tiles.beta
    dK *= tiles.beta
    return dQ, dK, dV, cupy.astype(dfactor, dQ.dtype)


def _add_tile(tiles, sums, g, V, queries, keys, dQ, dK, dV, dbias):
    """Add the products of a tile to the gradients."""
    cupy = tiles.cupy
    w, p = sums.weights(tiles, _cotangents(cupy, g, V, queries, keys), queries, keys)
    if dbias is not None:
        dbias[..., queries, keys] = w
    dV[..., keys, :] = cupy.matmul(cupy.matrix_transpose(p), g[..., queries, :])
    dQ[..., queries, :] += cupy.matmul(w, tiles.K[..., keys, :])
    dK[..., keys, :] = cupy.matmul(cupy.matrix_transpose(w), tiles.Q[..., queries, :])


def _cotangents(cupy, g, V, queries, keys):
    """The cotangents of the weights of a tile."""
    return cupy.matmul(g[..., queries, :], cupy.matrix_transpose(V[..., keys, :]))


class _Means:
    """The sums of the softmax, and the mean of the cotangents minus that of the largest score."""

    def __init__(self, tiles):
        cupy, shape, real = tiles.cupy, (*tiles.Q.shape[:-1], 1), tiles.Q.dtype
        self.cupy = cupy
        self.top = cupy.full(shape, float(np.finfo(real).min), dtype=real)
        self.total, self.level, self.mean = (cupy.zeros(shape, dtype=real) for _ in range(3))

    def add(self, tiles, a, queries, keys):
        """Add a tile, in place."""
        cupy, weights = self.cupy, tiles.scores(queries, keys)
        top, total, level, mean = (x[..., queries, :] for x in (
            self.top, self.total, self.level, self.mean))
        here = cupy.argmax(weights, axis=-1, keepdims=True)
        highest = cupy.max(weights, axis=-1, keepdims=True)
        new = cupy.where(highest > top, cupy.take_along_axis(a, here, axis=-1), level)
        highest = cupy.maximum(top, highest)
        mean += total * (level - new)           # relative to the new level
        for exponents in weights, top:
            exponents -= highest
            if tiles.factor != 1.0:
                exponents *= tiles.factor
            cupy.exp(exponents, out=exponents)
        for x in total, mean:
            x *= top
        total += cupy.sum(weights, axis=-1, keepdims=True)
        a -= new
        a *= weights
        mean += cupy.sum(a, axis=-1, keepdims=True)
        top[...] = highest
        level[...] = new

    def finish(self):
        self.mean = ratio(self.mean, self.total, 0.0)
        self.total = self.cupy.where(self.total == 0, 1.0, self.total)

    def weights(self, tiles, a, queries, keys):
        """The gradients of the scores, in place of their cotangents, and the weights of a tile."""
        cupy, p = self.cupy, tiles.scores(queries, keys)
        top, total, level, mean = (x[..., queries, :] for x in (
            self.top, self.total, self.level, self.mean))
        p -= top
        if tiles.factor != 1.0:
            p *= tiles.factor
        cupy.exp(p, out=p)
        p /= total
        a -= level
        a -= mean
        a *= p
        return a, p
