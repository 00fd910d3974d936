"""`hopref.models.classical` with patterns in place of W, which is not formed.

The overlaps of a state with the patterns are stored; a visit uses them, and a flip updates them.
64 states are processed together, one in each lane, and visits in blocks: fields and overlaps are
products of matrices, and a flip inside a block corrects the fields of later visits.  Batches of
fewer than FEW states are processed one state at a time.
"""
import math

import numpy as np

from hopref import maps
from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import LANES, dot, multiply_add, workspace

__all__ = ["low_rank_asynchronous_update"]

FEW = 8
BLOCK = 32


def low_rank_asynchronous_update(xi, X, b=0.0, /, *, order, scale=1.0, zero_diagonal=False,
                                 ties="keep", states="polar"):
    carrier, d = _carrier(xi, X), X.shape[1]
    new = xi.astype(carrier)
    diagonal = _squares(X) if zero_diagonal else np.zeros(d)
    rule = diagonal, np.zeros(d) + b, scale, ties is maps.plus, states
    many = xi.ndim > 1 and xi.shape[-2] >= FEW
    visit = _visit_many if many else _visit_one
    visit(new.reshape(math.prod(xi.shape[:-1]), d), X.astype(carrier, copy=False), order, rule)
    return new.astype(xi.dtype, copy=False)


def _carrier(xi, X):
    """float32 if every sum is an integer that float32 represents exactly, otherwise float64."""
    x, s = _largest_integer(X.reshape(-1)), max(1.0, _largest_integer(xi.reshape(-1)))
    return np.float32 if X.size * x * x * s < 2**24 else np.float64


@njit
def _largest_integer(x):
    """The largest |x|, or infinity if an entry is not an integer."""
    largest = 0.0
    for i in range(x.size):
        size = abs(x[i]) if x[i] == np.rint(x[i]) else np.inf
        largest = size if size > largest else largest
    return largest


@njit
def _squares(X):
    squares = np.zeros(X.shape[1])
    for i in range(len(X)):
        for j in range(X.shape[1]):
            squares[j] += np.float64(X[i, j]) * X[i, j]
    return squares


@njit
def _visit_one(xi, X, order, rule):
    N = len(X)
    block, overlaps = workspace(BLOCK, N, X), np.empty(N, X.dtype)
    for m in range(len(xi)):
        for n in range(N):
            overlaps[n] = dot(X[n], xi[m])
        for t in range(0, len(order), BLOCK):
            visits = order[t:t + BLOCK]
            _gather(block, X, visits)
            for i in range(len(visits)):
                old = np.float64(xi[m, visits[i]])
                new = _sign(np.float64(dot(block[i], overlaps)), old, visits[i], rule)
                if new != old:
                    xi[m, visits[i]] = new
                    change = X.dtype.type(new - old)
                    for n in range(N):
                        overlaps[n] += change * block[i, n]


@njit
def _visit_many(xi, X, order, rule):
    (N, d), M = X.shape, len(xi)
    states, overlaps = workspace(d, LANES, X), workspace(N, LANES, X)
    fields, changes = workspace(BLOCK, LANES, X), workspace(BLOCK, LANES, X)
    block, overlap = workspace(BLOCK, N, X), np.empty(BLOCK, X.dtype)
    for first in range(0, M, LANES):
        inside = min(LANES, M - first)
        states[:] = 0
        states[:, :inside] = xi[first:first + inside].T
        overlaps[:] = 0
        multiply_add(overlaps, X.reshape(-1), d, 1, states)
        for t in range(0, len(order), BLOCK):
            visits = order[t:t + BLOCK]
            k = len(visits)
            _gather(block, X, visits)
            fields[:] = 0
            multiply_add(fields[:k], block.reshape(-1), N, 1, overlaps)
            for i in range(k):
                if _visit(states[visits[i]], changes[i], fields[i], visits[i], rule):
                    for later in range(i + 1, k):
                        overlap[later] = dot(block[i], block[later])
                    multiply_add(fields[i + 1:k], overlap[i + 1:k], 1, 1, changes[i:i + 1])
            multiply_add(overlaps, block.reshape(-1), 1, N, changes[:k])
        xi[first:first + inside] = states[:, :inside].T


@njit
def _gather(block, X, visits):
    """Copy the column of X at visit i to row i of ``block``."""
    for n in range(len(X)):
        for i in range(len(visits)):
            block[i, n] = X[n, visits[i]]


@njit
def _visit(states, changes, fields, site, rule):
    """Update one site of all states; return whether any state flipped."""
    for j in range(LANES):
        new = _sign(np.float64(fields[j]), np.float64(states[j]), site, rule)
        changes[j] = new - states[j]
        states[j] = new
    return np.any(changes != 0)


@njit
def _sign(field, old, site, rule):
    """`maps.keep` or `maps.plus` of the local field; NaN is propagated."""
    diagonal, b, scale, plus, low = rule
    h = scale * (field - diagonal[site] * old) - b[site]
    if h > 0 or h == 0 and plus:
        return 1.0
    if h < 0:
        return low
    return old if h == 0 else h
