"""Clipped (Willshaw) weights, merged by the idempotent OR [MO-5]."""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.parts.operations import Chunked
from hopref.storage import willshaw_pairs

__all__ = ["State", "empty", "from_chunk", "merge", "value"]


class State(NamedTuple):
    """The weights W (e, d), zeros and ones."""
    W: Any


def empty(X, Y, /):
    """The weights of no pair."""
    return from_chunk(X[:0, :], Y[:0, :])


def from_chunk(X, Y, /):
    """The weights of binary pairs X (n, d), Y (n, e)."""
    return State(willshaw_pairs.formula(X, Y))


def merge(a, b, /):
    """The weights that are 1 in at least one of the states."""
    return State(namespace(a.W).maximum(a.W, b.W))


def value(state, /):
    """The weights W."""
    return state.W


def from_patterns(*, X):
    return from_chunk(X, X)


def from_pairs(*, X, Y):
    return from_chunk(X, Y)


OPERATIONS = {
    "storage.willshaw": Chunked("n", from_patterns, value),
    "storage.willshaw_pairs": Chunked("n", from_pairs, value),
}
