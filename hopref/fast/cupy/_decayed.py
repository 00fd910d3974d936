"""Gradients of causal sums whose state shrinks from position to position, in blocks of positions.

The state is kept at the starts of groups of blocks, and formed again between them, so that about
twice the square root of the number of blocks are kept at a time; from the last block to the first,
the gradients of a block follow from its state and the cotangent of the next one.

Of a pair of positions i >= j in a block, the factor by which the state shrinks between them is the
product of two: from j to the end of a block of 1, 2, 4... positions, and from its end to i, in the
next block.  Both are at most 1 where the state never grows, no factor is a quotient, and launches
grow with the logarithm of a block.
"""
import math

import numpy as np

from hopref.fast.cupy._linear import halves, in_blocks, product
from hopref.gradients.sums import (
    Scaled,
    in_initial_units,
    in_running_units,
    initial_state,
    joined,
    lowest_scale,
    ratio_gradient,
    running_features,
    scale_change,
    transposed,
)
from hopref.maps import dot, finite_or_zero, ratio, running_maximum
from hopref.models.attention import joined_state, with_ones

__all__ = ["gradient_in_blocks", "wide"]


def gradient_in_blocks(finish, queries, keys, level, g, g_S, g_z, g_c, V, S, z, c, r):
    """`hopref.gradients.sums.log_causal_gradient`, without the features of all positions.

    ``queries`` and ``keys`` are functions of a slice of positions, whose results begin with the
    logs and signs of r features; ``level`` is a function of such a result.  Of each slice,
    ``finish`` is given these two results, both with their `Scaled`, the cotangents of the largest
    log keys, and those of the values.  The results are the cotangents of the initial state and of
    its scale.
    """
    import cupy

    *lead, positions, v = V.shape
    nothing = cupy.empty((*lead, 0, r))
    initial, first, start = initial_state(
        joined_state(nothing, wide(cupy, V, slice(0)), S, z), c)
    blocks, lowest = in_blocks(initial, positions, r + v), cupy.full_like(first, math.inf)
    size = math.isqrt(max(0, len(blocks) - 1)) + 1
    groups = [blocks[i:i + size] for i in range(0, len(blocks), size)]

    def after(state, rows, found):
        return _state_after(cupy, state, found[0], level(found), wide(cupy, V, rows))
    state, starts, largest = (initial, start), [], (first, cupy.zeros(first.shape, dtype=np.int64))
    for group in groups:
        starts.append(state)
        for rows in group:
            found = keys(rows)
            state, largest = after(state, rows, found), _largest(cupy, largest, rows, *found[0])
    (zS, scale), (last, index) = state, largest
    G = in_running_units(joined(g_z, g_S), scale, last)
    top = g_c - dot(G, zS)
    while groups:
        group, states = groups.pop(), [starts.pop()]
        for rows in group[:-1]:
            states.append(after(states[-1], rows, keys(rows)))
        while group:
            rows, (zS, scale) = group.pop(), states.pop()
            of_q, of_k = queries(rows), keys(rows)
            (log_q, sign_q), (log_k, sign_k) = of_q[0], of_k[0]
            scales = running_maximum(scale, level(of_k))
            lowest = cupy.minimum(lowest, lowest_scale(scales))
            (q, a_q), (k, a_k), decay = running_features(
                (log_q, log_k, sign_q, sign_k), (level(of_q), level(of_k)), scales)
            dq, dk, dV, G = _block_gradient(cupy, wide(cupy, g, rows), q, k, wide(cupy, V, rows),
                                            decay, zS, G)
            here = cupy.arange(rows.start + 1, rows.stop + 1)[:, None] == index[..., None, :]
            finish(rows, (of_q, Scaled(q, a_q, dq)), (of_k, Scaled(k, a_k, dk)),
                   cupy.where(here, top[..., None, :], 0.0), dV)
    dzS = in_initial_units(G, first, start, lowest)
    dc = dot(cupy.where(initial == 0, 0.0, dzS), initial)
    return dzS, dc + cupy.where((index == 0) & (first > -math.inf), top, 0.0)


def wide(cupy, a, rows):
    """A slice of positions in double precision."""
    return cupy.astype(a[..., rows, :], np.float64)


def _state_after(cupy, state, features, level, V):
    """The sums after a block of positions, and their scale."""
    (zS, before), (log, sign) = state, features
    scale = cupy.maximum(before, cupy.max(level, axis=-2))
    a = -finite_or_zero(scale)
    keys = sign * cupy.exp(log + a[..., None, :])
    zS = scale_change(before, a)[..., None] * zS
    return zS + transposed(keys) @ with_ones(V), scale


def _largest(cupy, largest, rows, log, sign):
    """The largest logs so far, and the first position of each, counted from 1; 0 at the start."""
    last, index = largest
    here, at = cupy.max(log, axis=-2), cupy.argmax(log, axis=-2)
    return cupy.maximum(last, here), cupy.where(here > last, rows.start + 1 + at, index)


def _block_gradient(cupy, g, q, k, V, decay, zS, G):
    """The cotangents of q, k, V and of the state before the block."""
    block = _Block(cupy, q, k, decay, with_ones(V))
    DN = block.answers(zS)
    D = DN[..., :1]
    dN, dD = ratio_gradient(g, D, ratio(DN[..., 1:], D, 0.0))
    dq, dk, dV1, G = block.cotangents(cupy.concat([dD, dN], axis=-1), zS, G)
    return dq, dk, dV1[..., 1:], G


class _Block:
    """Queries, keys and values of a block of positions, whose number is made a power of two."""

    def __init__(self, cupy, q, k, decay, V1):
        self.cupy, self.positions = cupy, q.shape[-2]
        self.more = 2**math.ceil(math.log2(self.positions)) - self.positions
        self.q, self.k, self.V1 = (self._padded(a, 0.0) for a in (q, k, V1))
        self.decay = self._padded(decay, 1.0)

    def _padded(self, a, value):
        if not self.more:
            return a
        rest = self.cupy.full((*a.shape[:-2], self.more, a.shape[-1]), value, dtype=a.dtype)
        return self.cupy.concat([a, rest], axis=-2)

    def _levels(self):
        """For blocks of 1, 2, 4... positions, functions that view those of the keys and of the
        queries after them, and the factors of queries and keys from and to the state between them.
        Then ``into`` and ``out`` are those from the start and to the end of all.
        """
        self.into, self.out = 1 * self.decay, self.cupy.ones_like(self.decay)
        length = 1
        while length < self.q.shape[-2]:
            left, right = halves(self.cupy, length)
            into, out = right(self.into), left(self.out)
            yield left, right, into, out
            out *= into[..., -1:, :]
            into *= left(self.into)[..., -1:, :]
            length *= 2

    def answers(self, zS):
        """The rows (q z, q S)."""
        DN = dot(self.q, self.k)[..., None] * self.V1
        for left, right, into, out in self._levels():
            rows = right(DN)
            rows += product(self.cupy, right(self.q) * into, left(self.k) * out, left(self.V1))
        DN += (self.q * self.into) @ zS
        return DN[..., :self.positions, :]

    def cotangents(self, h, zS, G):
        """Those of queries, keys and values and of the state before, from those of the rows and of
        the state after."""
        h, V1 = self._padded(h, 0.0), self.V1
        dq, dk = (dot(h, V1)[..., None] * a for a in (self.k, self.q))
        dV1 = dot(self.q, self.k)[..., None] * h
        for left, right, into, out in self._levels():
            q, k, v, dDN = right(self.q) * into, left(self.k) * out, left(V1), right(h)
            rows, keys, values = right(dq), left(dk), left(dV1)
            rows += into * product(self.cupy, dDN, v, k)
            keys += out * product(self.cupy, v, dDN, q)
            values += product(self.cupy, k, q, dDN)
        q, k = self.q * self.into, self.k * self.out
        dq += self.into * (h @ transposed(zS))
        dk += self.out * (V1 @ transposed(G))
        dV1 += k @ G
        G = transposed(self.into[..., -1:, :]) * G + transposed(q) @ h
        return *(a[..., :self.positions, :] for a in (dq, dk, dV1)), G
