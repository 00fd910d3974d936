"""Clipped (Willshaw) weights: an OR of ANDs merges by OR, and repeating adds nothing [MO-5]."""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.parts.served import Served
from hopref.storage import willshaw_pairs

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """W (e, d) of zeros and ones."""
    W: Any


def none(X, Y, /):
    """The weights of no pair."""
    return of(X[:0, :], Y[:0, :])


def of(X, Y, /):
    """The weights of pairs (n, d) -> (n, e) of zeros and ones."""
    return State(willshaw_pairs.formula(X, Y))


def merge(a, b, /):
    """The weights that either has."""
    return State(namespace(a.W).maximum(a.W, b.W))


def value(state, /):
    """W."""
    return state.W


def of_patterns(*, X):
    return of(X, X)


def of_pairs(*, X, Y):
    return of(X, Y)


SERVED = {
    "storage.willshaw": Served("n", of_patterns, value),
    "storage.willshaw_pairs": Served("n", of_pairs, value),
}
