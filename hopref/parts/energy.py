r"""Sums of the modern energy over patterns: the logsumexp, their number, the largest norm [MO-7].

The sums are those of the formula (see `modern.energy`), relative to the largest score:
:math:`\sum_i e^{\beta (z_i - z_t)}` and, for a mean near 1, :math:`\sum_i (e^{\beta (z_i - z_t)} -
1)`, with the dominant pattern t itself.  If scores are equal, that of the first state is taken.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import dot, finite_or_zero, log_of_mean, rows
from hopref.parts.operations import Chunked
from hopref.parts.softmax import bounded, largest, rescaling

__all__ = ["State", "empty", "from_chunk", "merge", "value"]


class State(NamedTuple):
    """Largest score, both sums, the dominant pattern (..., d), M^2, N, for this beta."""
    top: Any
    total: Any
    total_m1: Any
    dominant: Any
    longest: Any
    count: int
    beta: float


def empty(xi, X, /, *, beta=1.0):
    """The state of no pattern."""
    return from_chunk(xi, X[:0, :], beta=beta)


def from_chunk(xi, X, /, *, beta=1.0):
    """The state of patterns (n, d), for states xi (..., d)."""
    xp, z = namespace(xi), bounded(xi @ X.T)
    top = largest(z)
    gaps = beta * (z - finite_or_zero(top)[..., None])
    some = X.shape[0] > 0
    return State(top, xp.sum(xp.exp(gaps), axis=-1), xp.sum(xp.expm1(gaps), axis=-1),
                 rows(X, xp.argmax(z, axis=-1)) if some else xp.zeros_like(xi),
                 xp.max(dot(X, X)) if some else xp.zeros((), dtype=X.dtype), X.shape[0], beta)


def merge(a, b, /):
    """The state of the patterns of both states.

    .. math:: \\sum_i (e^{a_i + \\delta} - 1) = e^\\delta \\sum_i (e^{a_i} - 1) + n (e^\\delta - 1)
    """
    xp, (top, x, y) = namespace(a.dominant), rescaling(a, b)
    zero = finite_or_zero(top)
    total_m1 = sum(w * s.total_m1 + s.count * xp.expm1(s.beta * (s.top - zero))
               for w, s in ((x, a), (y, b)))
    return State(top, x * a.total + y * b.total, total_m1,
                 xp.where((b.top > a.top)[..., None], b.dominant, a.dominant),
                 xp.maximum(a.longest, b.longest), a.count + b.count, a.beta)


def value(state, xi, /):
    """The energies (...) of the states xi."""
    away, shorter = xi - state.dominant, state.longest - dot(state.dominant, state.dominant)
    gain = log_of_mean(state.total / state.count, state.total_m1 / state.count)
    return dot(away, away) / 2 + shorter / 2 - gain / state.beta


def from_patterns(*, xi, X, beta):
    return from_chunk(xi, X, beta=beta)


def from_states(state, *, xi, **_):
    return value(state, xi)


OPERATIONS = {
    "modern.energy": Chunked("n", from_patterns, from_states),
}
