r"""Softmax sums of scores z and values v, at one inverse temperature [MO-1].

.. math:: m = \max_i z_i, \quad \ell = \sum_i e^{\beta (z_i - m)}, \quad
    o = \sum_i e^{\beta (z_i - m)} v_i

Two states are brought to the larger maximum and added: a commutative monoid, up to rounding.  The
maximum is subtracted before beta multiplies, and what has seen nothing has the maximum -inf.
"""
import math
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace, on_host
from hopref.errors import DomainError
from hopref.maps import default_scale, finite_or_zero, ratio, seen
from hopref.maps.preconditions import EMPTY_ROW
from hopref.parts.served import Served

__all__ = ["State", "Answer", "none", "of", "merge", "value", "largest", "shrunk"]


class State(NamedTuple):
    """m (...), l (...) and o (..., v) of scores at this beta."""
    top: Any
    total: Any
    drawn: Any
    beta: float


class Answer(NamedTuple):
    """The weighted mean of the values (..., v), and the logsumexp of the scores (...)."""
    drawn: Any
    lse: Any


def none(z, V, /, *, beta=1.0):
    """The state of no score, for scores and values with these other axes."""
    return of(z[..., :0], V[..., :0, :], beta=beta)


def of(z, V, /, *, beta=1.0):
    """The state of scores (..., n), -inf where hidden, and their values (n, v) or (..., n, v)."""
    xp, top = namespace(z), largest(z)
    e = xp.exp(beta * (z - finite_or_zero(top)[..., None]))
    return State(top, xp.sum(e, axis=-1), e @ V, beta)


def merge(a, b, /):
    """The state of the scores of both."""
    top, x, y = shrunk(a, b)
    return State(top, x * a.total + y * b.total,
                 x[..., None] * a.drawn + y[..., None] * b.drawn, a.beta)


def value(state, /, *, empty_row=0.0):
    """What softmax draws from the values, ``empty_row`` where nothing was seen; and the lse."""
    xp, (top, total, drawn, beta) = namespace(state.drawn), state
    lse = top + xp.log(xp.where(total > 0, total, 1.0)) / beta
    nothing = empty_row + drawn                 # 0 is drawn there, or the NaN of a value
    return Answer(ratio(drawn, total[..., None], nothing), lse)


def largest(z):
    """The largest score of each row, -inf of none."""
    xp = namespace(z)
    lead = z.shape[:-1]
    return xp.max(z, axis=-1) if z.shape[-1] else xp.full(lead, -math.inf, dtype=z.dtype)


def shrunk(a, b):
    """The larger maximum of two states, and the factors that bring both to it."""
    xp = namespace(a.total)
    top = xp.maximum(a.top, b.top)
    zero = finite_or_zero(top)
    return top, xp.exp(a.beta * (a.top - zero)), xp.exp(b.beta * (b.top - zero))


def absolute(z):
    """Scores that all chunks measure alike; NaN, which is refused, where they reach 2^1023."""
    xp = namespace(z)
    return xp.where(xp.abs(z) < 2.0**1023, z, math.nan)


# -- the operations -------------------------------------------------------------------------------

def of_patterns(*, xi, X, beta):
    return of(absolute(xi @ X.T), X, beta=beta)


def of_supported(*, xi, X, support, beta, **_):
    return of(seen(absolute(xi @ X.T), support), X, beta=beta)


def of_thresholded(*, xi, X, beta, theta, side):
    return of(absolute(side(xi, theta) @ side(X, theta).T), X, beta=beta)


def of_keys(*, Q, K, V, scale, mask, bias, causal, **_):
    if causal:
        raise DomainError("causal must be False where keys come in chunks, which do not know their "
                          "place (give a mask); got causal=True")
    z, beta = absolute(Q @ namespace(Q).matrix_transpose(K)), default_scale(scale, K)
    if not isinstance(bias, float):
        z, beta = absolute(beta * z) + bias, 1.0
    return of(seen(z, mask), V, beta=beta)


def of_overlaps(*, xi, X):
    return of_scores(z=absolute(xi @ X.T), beta=1.0)


def of_scores(*, z, beta):
    return of(z, namespace(z).zeros((z.shape[-1], 0), dtype=z.dtype), beta=beta)


def drawn(state, **_):
    return value(state).drawn


def drawn_or_empty(state, *, empty_row, **_):
    if empty_row != "raise":
        return value(state, empty_row=empty_row).drawn
    if on_host(state.drawn) and bool(namespace(state.drawn).any(state.total == 0)):
        raise DomainError(EMPTY_ROW)
    return value(state, empty_row=math.nan).drawn


def lse(state, **_):
    return value(state).lse


def minus_lse(state, **_):
    return -value(state).lse


SERVED = {
    "modern.update": Served("n", of_patterns, drawn),
    "modern.thresholded_update": Served("n", of_thresholded, drawn),
    "structured.update": Served("n", of_supported, drawn_or_empty),
    "attention.softmax_attention": Served("s", of_keys, drawn_or_empty),
    "dense.log_energy": Served("n", of_overlaps, minus_lse),
    "maps.logsumexp": Served("n", of_scores, lse),
}
