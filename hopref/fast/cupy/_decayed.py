"""Gradients of causal sums whose state shrinks from position to position, in blocks of positions.

Of a pair of positions i >= j in a block, the factor by which the state shrinks between them is the
product of two: from j to the end of a block of 1, 2, 4... positions, and from its end to i, in the
next block.  Both are at most 1 where the state never grows, no factor is a quotient, and launches
grow with the logarithm of a block.
"""
import math

from hopref.gradients.sums import ratio_gradient, transposed
from hopref.maps import dot, ratio
from hopref.models.attention import with_ones

__all__ = ["POSITIONS", "decayed_gradient"]

POSITIONS = 128         # of a block, in which all pairs are formed


def decayed_gradient(g, q, k, V, decay, zS, G, eps):
    """`hopref.gradients.sums.causal_gradient`, which has one step for each position."""
    import cupy

    V1, positions = with_ones(V), V.shape[-2]
    dq, dk, h, dV1 = (cupy.empty(a.shape, dtype=a.dtype) for a in (q, k, V1, V1))
    blocks = [slice(start, min(positions, start + POSITIONS))
              for start in range(0, positions, POSITIONS)]

    def block(rows):
        return _Block(cupy, *(a[..., rows, :] for a in (q, k, decay, V1)))
    for rows in blocks:
        here = block(rows)
        DN = here.answers(zS)
        D = DN[..., :1] + eps
        dN, dD = ratio_gradient(g[..., rows, :], D, ratio(DN[..., 1:], D, 0.0))
        h[..., rows, :] = cupy.concat([dD, dN], axis=-1)
        dq[..., rows, :] = here.of_queries(h[..., rows, :], zS)
        zS = here.state_after(zS)
    for rows in reversed(blocks):
        here = block(rows)
        dk[..., rows, :], dV1[..., rows, :] = here.of_keys(h[..., rows, :], G)
        G = here.cotangent_before(h[..., rows, :], G)
    return dq, dk, dV1[..., 1:], h, zS, G


class _Block:
    """Queries, keys and values of a block of positions; ``into`` and ``out`` shrink the state from
    the start of the block to a position, and from a position to its end."""

    def __init__(self, cupy, q, k, decay, V1):
        self.cupy, self.positions = cupy, q.shape[-2]
        self.more = 2**math.ceil(math.log2(self.positions)) - self.positions
        self.q, self.k, self.V1 = (self._padded(a, 0.0) for a in (q, k, V1))
        self.into, self.out = self._padded(decay, 1.0), cupy.ones_like(self.k)
        self.levels = list(self._levels())

    def _padded(self, a, value):
        rest = self.cupy.full((*a.shape[:-2], self.more, a.shape[-1]), value, dtype=a.dtype)
        return self.cupy.concat([a, rest], axis=-2)

    def _levels(self):
        """For blocks of 1, 2, 4... positions, functions that view those of the keys and of the
        queries after them, and factors of queries and keys from and to the state between them."""
        length = 1
        while length < self.q.shape[-2]:
            left, right = _halves(self.cupy, length)
            into, out = right(self.into), left(self.out)
            yield left, right, 1 * into, 1 * out
            whole = 1 * into[..., -1:, :]
            into *= left(self.into)[..., -1:, :]
            out *= whole
            length *= 2

    def answers(self, zS):
        """The rows (q z, q S)."""
        DN = dot(self.q, self.k)[..., None] * self.V1 + (self.q * self.into) @ zS
        for left, right, into, out in self.levels:
            rows = right(DN)
            rows += self._pairs(left, right, into, out) @ left(self.V1)
        return DN[..., :self.positions, :]

    def of_queries(self, h, zS):
        """The cotangents of queries, from those of the rows."""
        h = self._padded(h, 0.0)
        dq = dot(h, self.V1)[..., None] * self.k + self.into * (h @ transposed(zS))
        for left, right, into, out in self.levels:
            rows = right(dq)
            rows += into * ((right(h) @ transposed(left(self.V1))) @ (left(self.k) * out))
        return dq[..., :self.positions, :]

    def of_keys(self, h, G):
        """The cotangents of keys and values, from those of the rows and of the state after all."""
        h = self._padded(h, 0.0)
        dk = dot(h, self.V1)[..., None] * self.q + self.out * (self.V1 @ transposed(G))
        dV1 = dot(self.q, self.k)[..., None] * h + (self.k * self.out) @ G
        for left, right, into, out in self.levels:
            keys, values = left(dk), left(dV1)
            keys += out * ((left(self.V1) @ transposed(right(h))) @ (right(self.q) * into))
            values += transposed(self._pairs(left, right, into, out)) @ right(h)
        return dk[..., :self.positions, :], dV1[..., :self.positions, :]

    def _pairs(self, left, right, into, out):
        """The products of queries and keys."""
        return (right(self.q) * into) @ transposed(left(self.k) * out)

    def state_after(self, zS):
        return self._whole() * zS + transposed(self.k * self.out) @ self.V1

    def cotangent_before(self, h, G):
        return self._whole() * G + transposed(self.q * self.into) @ self._padded(h, 0.0)

    def _whole(self):
        """The factors of the features (..., r, 1) over all of the block."""
        return transposed(self.into[..., -1:, :])


def _halves(cupy, length):
    """Functions of an array of positions: views of every other block of this length, from the first
    and from the second on."""
    def pairs(x):
        return cupy.reshape(x, (*x.shape[:-2], x.shape[-2] // (2 * length), 2 * length,
                                x.shape[-1]))
    return lambda x: pairs(x)[..., :length, :], lambda x: pairs(x)[..., length:, :]
