r"""Sums over patterns, for Hebb's rule, association and sigmoid attention [MO-5].

.. math:: W = \sum_\mu a_\mu b_\mu^T

States are merged by addition, which is exact for integers.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.errors import DomainError
from hopref.maps import unhidden, weighted_sum
from hopref.models import sigmoid
from hopref.parts.operations import Chunked
from hopref.storage import scaled

__all__ = ["State", "empty", "from_chunk", "merge", "value"]


class State(NamedTuple):
    """The sum W (..., e, d)."""
    W: Any


def empty(A, B, /):
    """The sum over no pair."""
    return from_chunk(A[..., :0, :], B[..., :0, :])


def from_chunk(A, B, /):
    """The sum over the pairs of rows (..., n, e), (..., n, d)."""
    return State(namespace(A).matrix_transpose(A) @ B)


def merge(a, b, /):
    """The sum over the pairs of both states."""
    return State(a.W + b.W)


def value(state, /):
    """The weights W."""
    return state.W


def from_patterns(*, X, **_):
    return from_chunk(X, X)


def hebbian(state, *, scale, zero_diagonal):
    return scaled(state.W, scale, zero_diagonal)


def from_pairs(*, X, Y):
    return from_chunk(Y, X)


def weights(state):
    return state.W


def from_keys(*, phi_k, V, **_):
    return from_chunk(phi_k, V)


def recalled_values(state, *, phi_q):
    return phi_q @ state.W


def from_states(*, xi, X, beta, offset):
    return State(sigmoid.update.formula(xi, X, beta=beta, offset=offset))


def from_queries(*, Q, K, V, causal, align, mask, bias, **options):
    if causal:
        raise DomainError("causal must be False where keys come in chunks (give a mask); "
                          "got causal=True")
    A = sigmoid.attention_weights.formula(Q, K, mask=mask, bias=bias, **options)
    return State(weighted_sum(A, V, unhidden(mask, bias)))


def results(state, **_):
    return state.W


OPERATIONS = {
    "storage.hebbian": Chunked("n", from_patterns, hebbian),
    "storage.bam": Chunked("n", from_pairs, weights),
    "attention.association": Chunked("s", from_keys, recalled_values),
    "sigmoid.update": Chunked("n", from_states, results),
    "sigmoid.attention": Chunked("s", from_queries, results),
}
