r"""What the modern energy needs of the patterns: lse merges, N adds, M is the larger [MO-7].

The sums are those of the formula (see `modern.energy`), measured from the largest score:
:math:`\sum_i e^{\beta (z_i - z_t)}` and, for a mean near 1, :math:`\sum_i (e^{\beta (z_i - z_t)} -
1)`, with the pattern t itself.  Of equal scores the first state's pattern leads.
"""
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import dot, finite_or_zero, log_of_mean, rows
from hopref.parts.served import Served
from hopref.parts.softmax import absolute, largest, shrunk

__all__ = ["State", "none", "of", "merge", "value"]


class State(NamedTuple):
    """Largest score, both sums, the pattern (..., d) that leads; M^2 (), N; at this beta."""
    top: Any
    total: Any
    lack: Any
    leader: Any
    longest: Any
    count: int
    beta: float


def none(xi, X, /, *, beta=1.0):
    """The state of no pattern."""
    return of(xi, X[:0, :], beta=beta)


def of(xi, X, /, *, beta=1.0):
    """The state of patterns (n, d) seen from states (..., d)."""
    xp, z = namespace(xi), absolute(xi @ X.T)
    top = largest(z)
    gaps = beta * (z - finite_or_zero(top)[..., None])
    some = X.shape[0] > 0
    return State(top, xp.sum(xp.exp(gaps), axis=-1), xp.sum(xp.expm1(gaps), axis=-1),
                 rows(X, xp.argmax(z, axis=-1)) if some else xp.zeros_like(xi),
                 xp.max(dot(X, X)) if some else xp.zeros((), dtype=X.dtype), X.shape[0], beta)


def merge(a, b, /):
    """The state of the patterns of both.

    .. math:: \\sum_i (e^{a_i + \\delta} - 1) = e^\\delta \\sum_i (e^{a_i} - 1) + n (e^\\delta - 1)
    """
    xp, (top, x, y) = namespace(a.leader), shrunk(a, b)
    zero = finite_or_zero(top)
    lack = sum(w * s.lack + s.count * xp.expm1(s.beta * (s.top - zero))
               for w, s in ((x, a), (y, b)))
    return State(top, x * a.total + y * b.total, lack,
                 xp.where((b.top > a.top)[..., None], b.leader, a.leader),
                 xp.maximum(a.longest, b.longest), a.count + b.count, a.beta)


def value(state, xi, /):
    """The energies (...) of the states xi."""
    away, shorter = xi - state.leader, state.longest - dot(state.leader, state.leader)
    gain = log_of_mean(state.total / state.count, state.lack / state.count)
    return dot(away, away) / 2 + shorter / 2 - gain / state.beta


def of_patterns(*, xi, X, beta):
    return of(xi, X, beta=beta)


def of_states(state, *, xi, **_):
    return value(state, xi)


SERVED = {
    "modern.energy": Served("n", of_patterns, of_states),
}
