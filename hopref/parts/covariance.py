r"""Scatter of patterns about their means, for the covariance rule [CB-12].

.. math:: \bar x = \frac1N \sum_\mu x_\mu, \quad C = \sum_\mu (x_\mu - \bar x)(x_\mu - \bar x)^T

The scatter of a union is the sum of the two scatters and of that of the two means.  The rule about
any p is :math:`W = C + N (\bar x - p)(\bar x - p)^T`, a sum without cancellation.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.parts.operations import Chunked
from hopref.storage import scaled

__all__ = ["State", "empty", "from_chunk", "merge", "value"]


class State(NamedTuple):
    """The number N, the mean (d,) and the scatter C (d, d)."""
    count: int
    mean: Any
    scatter: Any


def empty(X, /):
    """The state of no pattern."""
    return from_chunk(X[:0, :])


def from_chunk(X, /):
    """The state of patterns (n, d)."""
    mean = namespace(X).sum(X, axis=0) / max(1, X.shape[0])
    away = X - mean
    return State(X.shape[0], mean, away.T @ away)


def merge(a, b, /):
    """The state of the patterns of both states."""
    count, apart = a.count + b.count, b.mean - a.mean
    share = b.count / max(1, count)
    return State(count, a.mean + share * apart,
                 a.scatter + b.scatter + (a.count * share) * (apart[:, None] * apart))


def value(state, /, *, activity=None):
    """The weights about ``activity``, which is the mean of all entries if None."""
    p = namespace(state.mean).sum(state.mean) / max(1, state.mean.shape[0])
    away = state.mean - (p if activity is None else activity)
    return state.scatter + state.count * (away[:, None] * away)


def from_patterns(*, X, **_):
    return from_chunk(X)


def weights(state, *, activity, zero_diagonal):
    return scaled(value(state, activity=activity), 1.0, zero_diagonal)


OPERATIONS = {
    "storage.covariance": Chunked("n", from_patterns, weights),
}
