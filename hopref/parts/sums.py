r"""Sums of outer products: Hebb's rule and its kin [MO-5].

.. math:: W = \sum_\mu a_\mu b_\mu^T

Adding is all; for integers it is exact.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.parts.served import Served
from hopref.storage import scaled

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """W (..., e, d)."""
    W: Any


def none(A, B, /):
    """The sum of no pair."""
    return of(A[..., :0, :], B[..., :0, :])


def of(A, B, /):
    """The sum over the pairs of rows (..., n, e), (..., n, d)."""
    return State(namespace(A).matrix_transpose(A) @ B)


def merge(a, b, /):
    """The sum over the pairs of both."""
    return State(a.W + b.W)


def value(state, /):
    """W."""
    return state.W


def of_patterns(*, X, **_):
    return of(X, X)


def hebbian(state, *, scale, zero_diagonal):
    return scaled(state.W, scale, zero_diagonal)


def of_pairs(*, X, Y):
    return of(Y, X)


def weights(state):
    return state.W


def of_keys(*, phi_k, V, **_):
    return of(phi_k, V)


def recalled(state, *, phi_q):
    return phi_q @ state.W


SERVED = {
    "storage.hebbian": Served("n", of_patterns, hebbian),
    "storage.bam": Served("n", of_pairs, weights),
    "attention.association": Served("s", of_keys, recalled),
}
