r"""Triangular roots of Gram blocks, for the projection rule [MO-5].

.. math:: R^T R = X^T X = \sum_\mu x_\mu x_\mu^T, \qquad
    \operatorname{span} R = \operatorname{span} X

The (d, d) Gram blocks of chunks add; the (n, n) ones, X X^T, would want every pair of chunks.  But
a Gram matrix squares the condition of its patterns, half their digits, so its root is kept: that of
two roots, one above the other, is the root of the sum.  The weights are the projection on the rows
of R.  Patterns may depend on each other: what is left of one besides the others counts only beyond
n d roundings of the largest.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import dot, ratio
from hopref.parts.served import Served
from hopref.storage import of_one_unit, onto_span, roundings

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """R, d rows at most, of patterns whose largest entry is 1; and N."""
    root: Any
    count: int


def none(X, /):
    """The state of no pattern."""
    return of(X[:0, :])


def of(X, /):
    """The state of patterns (n, d), each in a unit of its own."""
    return State(_root(of_one_unit(X)), X.shape[0])


def merge(a, b, /):
    """The state of the patterns of both."""
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
    """Upper triangular, with the Gram matrix of X: by Householder reflections."""
    xp, (n, d) = namespace(X), X.shape
    here = xp.arange(n)
    for j in range(min(n - 1, d)):
        x = xp.where(here >= j, X[:, j], 0.0)
        length = xp.sqrt(dot(x, x))
        v = xp.where(here == j, x + xp.where(x < 0, -length, length), x)
        X = X - v[:, None] * (ratio(2.0, dot(v, v), 0.0) * (v @ X))
    return xp.triu(X)[:min(n, d), :]


def of_patterns(*, X):
    return of(X)


SERVED = {
    "storage.projection": Served("n", of_patterns, value),
}
