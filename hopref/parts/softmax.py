r"""Softmax sums of scores z and values v, at one inverse temperature [MO-1].

.. math:: m = \max_i z_i, \quad \ell = \sum_i e^{\beta (z_i - m)}, \quad
    o = \sum_i e^{\beta (z_i - m)} v_i

Two states are rescaled to the larger maximum and added, which is a commutative monoid up to
rounding.  The maximum is subtracted before the multiplication by beta; it is -inf for the empty
state.
"""
import math
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace, on_host
from hopref.errors import DomainError
from hopref.maps import (
    default_scale,
    finite_or_zero,
    ratio,
    seen,
    sigmoid,
    unhidden,
    weighted_sum,
)
from hopref.maps.preconditions import EMPTY_ROW
from hopref.models.feature_memory import log_features
from hopref.parts.operations import Chunked

__all__ = ["State", "Result", "empty", "from_chunk", "merge", "value", "largest", "rescaling"]


class State(NamedTuple):
    """Maximum m (...), sum l (...) and weighted sum o (..., v), for this beta."""
    top: Any
    total: Any
    weighted: Any
    beta: float


class Result(NamedTuple):
    """Weighted mean of the values (..., v) and logsumexp of the scores (...)."""
    mean: Any
    lse: Any


def empty(z, V, /, *, beta=1.0):
    """The state of no score; the other axes are those of the arguments."""
    return from_chunk(z[..., :0], V[..., :0, :], beta=beta)


def from_chunk(z, V, /, *, beta=1.0, shown=True):
    """The state of scores (..., n), which are -inf if masked, and values (n, v) or (..., n, v).

    ``shown`` is the mask, by which hidden values have no effect even if they are not finite.
    """
    xp, top = namespace(z), largest(z)
    e = xp.exp(beta * (z - finite_or_zero(top)[..., None]))
    return State(top, xp.sum(e, axis=-1), weighted_sum(e, V, shown), beta)


def merge(a, b, /):
    """The state of the scores of both."""
    top, x, y = rescaling(a, b)
    return State(top, x * a.total + y * b.total,
                 x[..., None] * a.weighted + y[..., None] * b.weighted, a.beta)


def value(state, /, *, empty_row=0.0):
    """The softmax mean of the values, ``empty_row`` for rows without scores, and the logsumexp."""
    xp, (top, total, weighted, beta) = namespace(state.weighted), state
    lse = top + xp.log(xp.where(total > 0, total, 1.0)) / beta
    no_scores = empty_row + weighted            # the weighted sum is 0 there, or NaN from a value
    return Result(ratio(weighted, total[..., None], no_scores), lse)


def largest(z):
    """The largest score of each row; -inf for a row without scores."""
    xp = namespace(z)
    lead = z.shape[:-1]
    return xp.max(z, axis=-1) if z.shape[-1] else xp.full(lead, -math.inf, dtype=z.dtype)


def rescaling(a, b):
    """The larger maximum of two states, and the factors that rescale both states to it."""
    xp = namespace(a.total)
    top = xp.maximum(a.top, b.top)
    zero = finite_or_zero(top)
    return top, xp.exp(a.beta * (a.top - zero)), xp.exp(b.beta * (b.top - zero))


def bounded(z):
    """Scores below 2^1023 in size, NaN in place of larger ones, which are refused."""
    xp = namespace(z)
    return xp.where(xp.abs(z) < 2.0**1023, z, math.nan)


# -- the operations -------------------------------------------------------------------------------

def from_patterns(*, xi, X, beta, **_):
    return from_chunk(bounded(xi @ X.T), X, beta=beta)


def from_supported(*, xi, X, support, beta, **_):
    return from_chunk(seen(bounded(xi @ X.T), support), X, beta=beta, shown=support)


def from_thresholded(*, xi, X, beta, theta, side):
    return from_chunk(bounded(side(xi, theta) @ side(X, theta).T), X, beta=beta)


def from_keys(*, Q, K, V, scale, mask, bias, causal, **_):
    refuse_causal(causal)
    z, beta = bounded(Q @ namespace(Q).matrix_transpose(K)), default_scale(scale, K)
    if not isinstance(bias, float):
        z, beta = bounded(beta * z) + bias, 1.0
    shown = unhidden(mask, bias)
    return from_chunk(seen(z, shown), V, beta=beta, shown=shown)


def refuse_causal(causal):
    if causal:
        raise DomainError("causal must be False where keys come in chunks (give a mask); "
                          "got causal=True")


def from_overlaps(*, xi, X):
    return from_scores(z=bounded(xi @ X.T), beta=1.0)


def from_scores(*, z, beta):
    return from_chunk(z, namespace(z).zeros((z.shape[-1], 0), dtype=z.dtype), beta=beta)


def from_features(*, X, omega, beta, kernel):
    return from_scores(z=bounded(log_features(X, omega, beta, kernel)), beta=1.0)


def from_keys_alone(*, K, **given):
    return from_keys(K=K, V=K[..., :0], **given)


def scaled_lse(state, **_):
    xp, some = namespace(state.total), state.total > 0
    lse = state.beta * finite_or_zero(state.top) + xp.log(xp.where(some, state.total, 1.0))
    return xp.where(state.total == 0, -math.inf, lse)


def weighted_mean(state, **_):
    return value(state).mean


def with_sink(state, sink):
    """The mean with a sink, which is counted once, after all scores; 0 for rows without scores."""
    return value(state).mean * sigmoid(scaled_lse(state) - sink)[..., None]


def mean_of_states(state, *, sink, **_):
    return with_sink(state, sink)


def mean_of_heads(state, *, sink, **_):
    return with_sink(state, sink[..., None])


def mean_or_empty(state, *, empty_row, **_):
    if empty_row != "raise":
        return value(state, empty_row=empty_row).mean
    if on_host(state.weighted) and bool(namespace(state.weighted).any(state.total == 0)):
        raise DomainError(EMPTY_ROW)
    return value(state, empty_row=math.nan).mean


def lse(state, **_):
    return value(state).lse


def negative_lse(state, **_):
    return -value(state).lse


def lse_less_features(state, *, omega, **_):
    return value(state).lse - math.log(omega.shape[0])


OPERATIONS = {
    "modern.update": Chunked("n", from_patterns, weighted_mean),
    "modern.thresholded_update": Chunked("n", from_thresholded, weighted_mean),
    "structured.update": Chunked("n", from_supported, mean_or_empty),
    "attention.softmax_attention": Chunked("s", from_keys, mean_or_empty),
    "attention.softmax_logsumexp": Chunked("s", from_keys_alone, scaled_lse),
    "sinks.update": Chunked("n", from_patterns, mean_of_states),
    "sinks.attention": Chunked("s", from_keys, mean_of_heads),
    "dense.log_energy": Chunked("n", from_overlaps, negative_lse),
    "maps.logsumexp": Chunked("n", from_scores, lse),
    "feature_memory.log_sums": Chunked("n", from_features, lse_less_features),
}
