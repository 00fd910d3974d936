"""Linear attention by products of matrices, with a scale for each feature and for each query.

Features are numbers (`Numbers`) or given by their logarithms (`Logarithms`).  Before a product, the
keys are divided by the largest one of each feature, and the queries, times that scale, by the
largest of their features.  A scale is a power of two for numbers, so that it changes no rounding.

In the causal form the keys that a query sees are divided into the state before its block of
positions, blocks of 1, 2, 4... positions, and its own position.  Each of these has scales of its
own, which depend on no later key, and the results are added relative to the larger scale of the
query.  The launches of a block of positions do not depend on what it contains, and no sum is taken
as a difference.
"""
import math
from typing import Any, NamedTuple

import numpy as np

from hopref.fast.cupy import _tiles
from hopref.maps import guarded, ratio

__all__ = ["Numbers", "Logarithms", "State", "tamed", "means", "products", "rows_of",
           "hidden_keys", "in_blocks", "add_all", "answered", "attended", "nothing", "causal",
           "causally", "halves", "product", "with_ones"]

LEAST_ROWS = 64         # of a block of positions
NOTHING = -2**20        # binary exponent of 0
MARGIN = {4: 60, 8: 500}  # by bytes: exponent of a given state S relative to its z
LARGE = {4: (96, 32), 8: (900, 80)}     # by bytes: exponents of large values, and of their unit


class Numbers(NamedTuple):
    """Features, whose scales are binary exponents."""
    cupy: Any
    x: Any

    def cut(self, piece):
        return Numbers(self.cupy, piece(self.x))

    def padded(self, rows):
        return Numbers(self.cupy, _padded(self.cupy, self.x, rows, 0.0))

    def top(self):
        """The scale of each feature, that of its largest key; for a query, of its keys alone."""
        largest = self.cupy.max(self.x, axis=-2, keepdims=True)
        return exponents(self.cupy, self.cupy.maximum(
            largest, -self.cupy.min(self.x, axis=-2, keepdims=True)))

    def own(self):
        """The scale of each entry."""
        return exponents(self.cupy, self.x)

    def as_keys(self, scale):
        return self.cupy.ldexp(self.x, -scale)

    def as_rows(self, scale):
        """Queries times the scale, and the scale by which each is divided."""
        cupy, (mantissa, shift) = self.cupy, self.cupy.frexp(self.x)
        shift += scale
        cupy.copyto(shift, NOTHING, where=self.x == 0)
        row = cupy.max(shift, axis=-1, keepdims=True)
        return cupy.ldexp(mantissa, shift - row), row

    def change(self, x, old, new):
        """x in another scale of features."""
        return self.cupy.ldexp(x, old - new)

    change_rows = change

    def constant(self, value, row):
        """A number in the scale of the rows."""
        return self.cupy.ldexp(self.cupy.full(row.shape, value, dtype=self.x.dtype), -row)


class Logarithms(NamedTuple):
    """Features by their logarithms and signs, whose scales are logarithms, of queries half of it.
    """
    cupy: Any
    x: Any
    sign: Any = 1.0

    def cut(self, piece):
        sign = self.sign if isinstance(self.sign, float) else piece(self.sign)
        return Logarithms(self.cupy, piece(self.x), sign)

    def padded(self, rows):
        sign = self.sign if isinstance(self.sign, float) else \
            _padded(self.cupy, self.sign, rows, 1.0)
        return Logarithms(self.cupy, _padded(self.cupy, self.x, rows, -math.inf), sign)

    def top(self):
        return self.cupy.max(self.x, axis=-2, keepdims=True)

    def own(self):
        return self.x

    def as_keys(self, scale):
        return self._signed(self.cupy.exp(self.x - self._finite(scale)))

    def as_rows(self, scale):
        half = self.x / 2
        half += scale / 2
        row = self.cupy.max(half, axis=-1, keepdims=True)
        half -= self._finite(row)
        half *= 2.0
        return self._signed(self.cupy.exp(half, out=half)), row

    def change(self, x, old, new):
        return x * self.cupy.exp(old - self._finite(new))

    def change_rows(self, x, old, new):
        return x * self.cupy.exp((old - self._finite(new)) * 2.0)

    def constant(self, value, row):
        return value

    def _signed(self, x):
        if not isinstance(self.sign, float):
            x *= self.sign
        return x

    def _finite(self, scale):
        """A scale to subtract: 0 where there is no feature."""
        return self.cupy.where(scale == -math.inf, 0.0, scale)


def rows_of(features, rows):
    """The features of a slice of positions, contiguous."""
    return features.cut(lambda x: features.cupy.ascontiguousarray(x[..., rows, :]))


def exponents(cupy, x):
    """Binary exponents of numbers, `NOTHING` for 0."""
    _, found = cupy.frexp(x)
    cupy.copyto(found, NOTHING, where=x == 0)
    return found


def _padded(cupy, x, rows, value):
    """x with more rows that hold a value."""
    more = cupy.full((*x.shape[:-2], rows, x.shape[-1]), value, dtype=x.dtype)
    return cupy.concat([x, more], axis=-2)


# ---- values -------------------------------------------------------------------------------------

def tamed(cupy, V, S=None):
    """Binary exponents of the units of the values' columns, 0 but for large ones."""
    large, unit = LARGE[V.dtype.itemsize]
    if 0 in V.shape:
        return cupy.zeros((*V.shape[:-2], 1, V.shape[-1]), dtype=np.int32)
    top = Numbers(cupy, V).top()
    if S is not None:
        top = cupy.maximum(top, Numbers(cupy, S).top())
    return cupy.astype(top > large, np.int32) * unit


def with_ones(cupy, V, unit):
    """The values in these units, after a column of ones."""
    ones = cupy.ones((*V.shape[:-1], 1), dtype=V.dtype)
    return cupy.concat([ones, cupy.ldexp(V, -unit)], axis=-1)


class State:
    """The sums (z, S) of features times (1, values), (..., r, 1 + v), divided by their scales."""

    def __init__(self, kind, sums, scale):
        self.kind, self.sums, self.scale = kind, sums, scale        # scale (..., 1, r)

    @classmethod
    def empty(cls, features, v):
        """The state before the first key."""
        cupy, x = features.cupy, features.x
        lead, r = x.shape[:-2], x.shape[-1]
        nothing = (NOTHING, np.int32) if isinstance(features, Numbers) else (-math.inf, x.dtype)
        return cls(features, cupy.zeros((*lead, r, 1 + v), dtype=x.dtype),
                   cupy.full((*lead, 1, r), nothing[0], dtype=nothing[1]))

    @classmethod
    def of_numbers(cls, features, S, z, unit):
        """A given state, whose S is at most 2^MARGIN relative to the scale of z."""
        cupy, x = features.cupy, features.x
        empty = cls.empty(features, unit.shape[-1])
        z = z + empty.sums[..., 0]
        S = cupy.ldexp(S + empty.sums[..., 1:], -unit)
        scale = exponents(cupy, z)
        if S.shape[-1]:
            scale = cupy.maximum(scale, cupy.max(exponents(cupy, S), axis=-1)
                                 - MARGIN[x.dtype.itemsize])
        sums = cupy.concat([z[..., None], S], axis=-1)
        return cls(features, cupy.ldexp(sums, -scale[..., None]), scale[..., None, :])

    @classmethod
    def of_logarithms(cls, features, S, z, c, unit):
        """A given state, divided by e^c."""
        cupy, empty = features.cupy, cls.empty(features, unit.shape[-1])
        sums = [(z + empty.sums[..., 0])[..., None],
                cupy.ldexp(S + empty.sums[..., 1:], -unit)]
        scale = c + cupy.zeros_like(empty.scale[..., 0, :])
        return cls(features, cupy.concat(sums, axis=-1), scale[..., None, :])

    def add(self, keys, V1):
        """Add keys, whose values follow a one."""
        cupy, old = keys.cupy, self.scale
        self.scale = cupy.maximum(old, keys.top())
        self.sums = keys.change(self.sums, *(cupy.matrix_transpose(c) for c in (old, self.scale)))
        self.sums += cupy.matmul(cupy.matrix_transpose(keys.as_keys(self.scale)), V1)

    def answers(self, queries):
        """The products of queries with the sums, and the scales of the queries."""
        rows, scale = queries.as_rows(self.scale)
        return queries.cupy.matmul(rows, self.sums), scale

    def numbers(self, unit):
        """S and z of `Numbers`."""
        cupy = self.kind.cupy
        sums = cupy.ldexp(self.sums, cupy.matrix_transpose(self.scale))
        return cupy.ldexp(sums[..., 1:], unit), cupy.ascontiguousarray(sums[..., 0])

    def logarithms(self, unit):
        """S, z and c of `Logarithms`."""
        cupy = self.kind.cupy
        return (cupy.ldexp(self.sums[..., 1:], unit), cupy.ascontiguousarray(self.sums[..., 0]),
                self.scale[..., 0, :])


def means(unit, empty_row, eps=0.0, guard=0.0):
    """A rule: the means of the values, from sums of which the first is the denominator."""
    def rule(queries, answers, scale):
        cupy, D = queries.cupy, answers[..., :1]
        if eps:
            D = D + queries.constant(float(eps), scale)
        if guard:
            D = guarded(D, queries.constant(float(guard), scale))
        return cupy.ldexp(ratio(answers[..., 1:], D, float(empty_row)), unit)
    return rule


def products(unit):
    """A rule: the sums of the values, without a denominator."""
    def rule(queries, answers, scale):
        return queries.cupy.ldexp(answers[..., 1:], scale + unit)
    return rule


# ---- blocks of positions ------------------------------------------------------------------------

def in_blocks(like, positions, width):
    """Slices of positions whose ``width`` numbers each take about `_tiles.SCORES` bytes.

    ``like`` has the leading axes and the dtype of the arrays.
    """
    each = max(1, math.prod(like.shape[:-2]) * width * like.dtype.itemsize)
    rows = max(LEAST_ROWS, 2**int(math.log2(max(1, _tiles.SCORES // each))))
    return [slice(start, min(positions, start + rows)) for start in range(0, positions, rows)]


def hidden_keys(keys, mask, rows, nothing):
    """Keys of a slice of positions, with ``nothing`` in the place of hidden ones."""
    if mask is True:
        return keys
    return keys._replace(x=keys.cupy.where(mask[..., rows, None], keys.x, nothing))


def add_all(state, keys, V, unit, width):
    """Add the keys of all positions to the state; ``keys`` is a function of a slice of them."""
    cupy = state.kind.cupy
    for rows in in_blocks(V, V.shape[-2], width):
        state.add(keys(rows), with_ones(cupy, V[..., rows, :], unit))


def answered(state, queries, positions, width, rule):
    """``rule(queries, answers, scale)`` of all positions; ``queries`` is a function of a slice."""
    cupy, (*lead, _, v), real = state.kind.cupy, state.sums.shape, state.sums.dtype
    Z = cupy.empty((*lead, positions, v - 1), dtype=real)
    for rows in in_blocks(Z, positions, width):
        block = queries(rows)
        Z[..., rows, :] = rule(block, *state.answers(block))
    return Z


def attended(kind, queries, keys, Q, V, count, empty_row, guard=0.0):
    """Linear attention of features of this kind, given by functions of slices of positions."""
    import cupy

    unit = tamed(cupy, V)
    state = State.empty(nothing(kind, V, count), V.shape[-1])
    add_all(state, keys, V, unit, count + V.shape[-1])
    return answered(state, queries, Q.shape[-2], count + V.shape[-1],
                    means(unit, empty_row, guard=guard))


def nothing(kind, V, count):
    """Features of no positions."""
    import cupy

    return kind(cupy, cupy.empty((*V.shape[:-2], 0, count), dtype=V.dtype))


def causally(state, queries, keys, V, unit, width, rule):
    """The same for queries that see the keys up to their position, which are added to the state."""
    cupy, Z = state.kind.cupy, state.kind.cupy.empty(V.shape, dtype=V.dtype)
    for rows in in_blocks(V, V.shape[-2], width):
        block, V1 = queries(rows), with_ones(cupy, V[..., rows, :], unit)
        Z[..., rows, :] = rule(block, *causal(block, keys(rows), V1, state))
    return Z


def causal(queries, keys, V1, state):
    """The answers of a block of positions and the scales of its queries; add it to the state."""
    positions = V1.shape[-2]
    more = 2**math.ceil(math.log2(positions)) - positions
    if more:
        queries, keys = queries.padded(more), keys.padded(more)
        V1 = _padded(keys.cupy, V1, more, 0.0)
    answers, scale = _own_position(queries, keys, V1)
    length = 1
    while length < V1.shape[-2]:
        _add_blocks(queries, keys, V1, length, answers, scale)
        length *= 2
    _merge(queries, answers, scale, *state.answers(queries))
    state.add(keys, V1)
    return answers[..., :positions, :], scale[..., :positions, :]


def _own_position(queries, keys, V1):
    """The key of each position, seen by its query."""
    own = keys.own()
    rows, scale = queries.as_rows(own)
    rows *= keys.as_keys(own)
    return keys.cupy.sum(rows, axis=-1, keepdims=True) * V1, scale


def _add_blocks(queries, keys, V1, length, answers, scale):
    """Add the keys of every other block of this length, seen by the queries of the next block."""
    left, right = halves(keys.cupy, length)
    keys, values = keys.cut(left), left(V1)
    top = keys.top()
    rows, row_scale = queries.cut(right).as_rows(top)
    _merge(queries, right(answers), right(scale),
           product(keys.cupy, rows, keys.as_keys(top), values), row_scale)


def halves(cupy, length):
    """Functions of an array of positions: views of every other block of this length, from the first
    and from the second on."""
    def pairs(x):
        return cupy.reshape(x, (*x.shape[:-2], x.shape[-2] // (2 * length), 2 * length,
                                x.shape[-1]))
    return lambda x: pairs(x)[..., :length, :], lambda x: pairs(x)[..., length:, :]


def product(cupy, a, b, c):
    """a b^T c for equal numbers of rows, in the order that takes fewer operations."""
    (l, r), v, transposed = a.shape[-2:], c.shape[-1], cupy.matrix_transpose(b)
    if l * (r + v) <= 2 * r * v:
        return cupy.matmul(cupy.matmul(a, transposed), c)
    return cupy.matmul(a, cupy.matmul(transposed, c))


def _merge(kind, answers, scale, more, more_scale):
    """Add answers in other scales, in place."""
    larger = kind.cupy.maximum(scale, more_scale)
    answers[...] = kind.change_rows(answers, scale, larger)
    answers += kind.change_rows(more, more_scale, larger)
    scale[...] = larger
