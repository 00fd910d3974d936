r"""Triangular roots of Gram blocks, for the projection rule [MO-5].

.. math:: R^T R = X^T X = \sum_\mu x_\mu x_\mu^T, \qquad
    \operatorname{span} R = \operatorname{span} X

The (d, d) Gram matrices of chunks could be added, whereas the (n, n) matrix X X^T requires every
pair of chunks.  A Gram matrix has the squared condition number of the patterns, which costs half of
the digits, so the triangular root R is kept instead.  The root of two roots, one above the other,
is that of the sum.  The weights are the projection on the row space of R.  The patterns may be
linearly dependent: the component of a pattern outside the span of the others is taken as 0 if it is
below n d roundings of the largest.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.errors import DomainError
from hopref.maps import dot, ratio
from hopref.parts.operations import Chunked
from hopref.storage import of_one_unit, onto_span, projected, roundings

__all__ = ["State", "empty", "from_chunk", "merge", "value"]


class State(NamedTuple):
    """The root R, of at most d rows, of patterns scaled to a largest entry of 1, and N."""
    root: Any
    count: int


def empty(X, /):
    """The state of no pattern."""
    return from_chunk(X[:0, :])


def from_chunk(X, /):
    """The state of patterns (n, d), each scaled separately."""
    return State(_root(of_one_unit(X)), X.shape[0])


def merge(a, b, /):
    """The state of the patterns of both states."""
    both = namespace(a.root).concat([a.root, b.root], axis=0)
    alone = 0 in (a.root.shape[0], b.root.shape[0])
    return State(both if alone else _root(both), a.count + b.count)


def value(state, /):
    """The orthogonal projection on the span of the patterns."""
    R, count = state
    if 0 in R.shape:
        return R.T @ R
    size = dot(R, R)
    noise = roundings(max(count, R.shape[1]), R) * namespace(R).max(size)
    return onto_span(R, noise + 0 * size)


def _root(X):
    """The upper triangular matrix with the Gram matrix of X, by Householder reflections."""
    xp, (n, d) = namespace(X), X.shape
    here = xp.arange(n)
    for j in range(min(n - 1, d)):
        x = xp.where(here >= j, X[:, j], 0.0)
        length = xp.sqrt(dot(x, x))
        v = xp.where(here == j, x + xp.where(x < 0, -length, length), x)
        X = X - v[:, None] * (ratio(2.0, dot(v, v), 0.0) * (v @ X))
    return xp.triu(X)[:min(n, d), :]


def from_patterns(*, X, sequence):
    if sequence is not projected:
        name = "loop" if sequence.keywords["loop"] else "open"
        raise DomainError('sequence must be "none" where patterns come in chunks; '
                          f"got sequence={name!r}")
    return from_chunk(X)


def weights(state, **_):
    return value(state)


OPERATIONS = {
    "storage.projection": Chunked("n", from_patterns, weights),
}
