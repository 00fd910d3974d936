r"""Scatter of patterns about their means, for the covariance rule [CB-12].

.. math:: \bar x = \frac1N \sum_\mu x_\mu, \quad C = \sum_\mu (x_\mu - \bar x)(x_\mu - \bar x)^T

Two scatters add up with that of the two means, and the rule about any p is
:math:`W = C + N (\bar x - p)(\bar x - p)^T`: sums of squares, in which nothing cancels.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.parts.served import Served
from hopref.storage import scaled

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """N, the mean (d,) and C (d, d)."""
    count: int
    mean: Any
    scatter: Any


def none(X, /):
    """The state of no pattern."""
    return of(X[:0, :])


def of(X, /):
    """The state of patterns (n, d)."""
    mean = namespace(X).sum(X, axis=0) / max(1, X.shape[0])
    away = X - mean
    return State(X.shape[0], mean, away.T @ away)


def merge(a, b, /):
    """The state of the patterns of both."""
    count, apart = a.count + b.count, b.mean - a.mean
    share = b.count / max(1, count)
    return State(count, a.mean + share * apart,
                 a.scatter + b.scatter + (a.count * share) * (apart[:, None] * apart))


def value(state, /, *, activity=None):
    """The weights about ``activity``, the mean of all entries if None."""
    p = namespace(state.mean).sum(state.mean) / max(1, state.mean.shape[0])
    away = state.mean - (p if activity is None else activity)
    return state.scatter + state.count * (away[:, None] * away)


def of_patterns(*, X, **_):
    return of(X)


def weights(state, *, activity, zero_diagonal):
    return scaled(value(state, activity=activity), 1.0, zero_diagonal)


SERVED = {
    "storage.covariance": Served("n", of_patterns, weights),
}
