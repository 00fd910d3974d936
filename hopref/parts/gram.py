r"""Gram blocks for the projection rule [MO-5].

.. math:: G = X^T X = \sum_\mu x_\mu x_\mu^T, \qquad \operatorname{span} G = \operatorname{span} X

The (d, d) blocks add; the (n, n) ones, X X^T, would want every pair of chunks.  The weights are
the projection on the rows of G.  Patterns may depend on each other; but G squares their lengths,
so a pattern counts as dependent once less than about sqrt(n d eps) of it, eight digits, is its
own, where the formula, which sees the patterns themselves, tells them apart to n d eps.
"""
from typing import Any, NamedTuple

from hopref.parts.served import Served
from hopref.storage import of_one_unit, onto_span

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """G (d, d) of patterns whose largest entry is 1, and N."""
    gram: Any
    count: int


def none(X, /):
    """The state of no pattern."""
    return of(X[:0, :])


def of(X, /):
    """The state of patterns (n, d), each in a unit of its own."""
    X = of_one_unit(X)
    return State(X.T @ X, X.shape[0])


def merge(a, b, /):
    """The state of the patterns of both."""
    return State(a.gram + b.gram, a.count + b.count)


def value(state, /):
    """The orthogonal projection on the span of the patterns."""
    return onto_span(state.gram, max(state.count, state.gram.shape[0]))


def of_patterns(*, X):
    return of(X)


SERVED = {
    "storage.projection": Served("n", of_patterns, value),
}
