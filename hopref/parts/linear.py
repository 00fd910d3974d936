r"""Sums of linear attention over keys, with one log scale for each feature [MO-2].

.. math:: c_r = \max_s \log |k'_{sr}|, \quad S = \sum_s e^{-c} k'_s v_s^T, \quad
    z = \sum_s e^{-c} k'_s

Two states are rescaled to the larger c of each feature and added.  The scale c is added to the
logarithms of the query, so that for features >= 0 no denominator is below 1, whatever the norms; a
common scale would lose features that are small relative to the largest.  Features that are not
given as logarithms have c = 0.  With features of both signs, a denominator that is lost beside
terms that cancel counts as 0, where `attention.log_linear_attention` refuses a result.

A query is a tuple: (log q, signs), or the features (q,) alone.
"""
import math
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import default_scale, finite_or_zero, masked, ratio
from hopref.models.attention import key_state
from hopref.parts import softmax
from hopref.parts.operations import Chunked

__all__ = ["State", "empty", "from_chunk", "from_features", "merge", "read", "value"]


class State(NamedTuple):
    """Sums S (..., r, v) and z (..., r) in units of e^c, and c (..., r)."""
    S: Any
    z: Any
    c: Any


def empty(log_k, V, /):
    """The state of no key; the other axes are those of the arguments."""
    return from_chunk(log_k[..., :0, :], V[..., :0, :])


def from_chunk(log_k, V, /, *, sign_k=1.0):
    """The state of keys, from logarithms of features (..., s, r) and values (..., s, v)."""
    xp = namespace(log_k)
    c = softmax.largest(xp.matrix_transpose(log_k))
    keys = sign_k * xp.exp(log_k - finite_or_zero(c)[..., None, :])
    return State(*key_state.formula(keys, V), c)


def from_features(phi_k, V, /):
    """The state of keys, from features (..., s, r) and values (..., s, v)."""
    S, z = key_state.formula(phi_k, V)
    return State(S, z, namespace(z).zeros_like(z))


def merge(a, b, /):
    """The state of the keys of both states."""
    xp = namespace(a.z)
    c = xp.maximum(a.c, b.c)
    zero = finite_or_zero(c)
    x, y = xp.exp(a.c - zero), xp.exp(b.c - zero)
    return State(x[..., None] * a.S + y[..., None] * b.S, x * a.z + y * b.z, c)


def read(state, query, /):
    """The sums q S and q z of queries (..., l, r), as a `softmax` state with a scale per row."""
    xp, (q, *signs) = namespace(state.z), query
    top = xp.zeros(q.shape[:-1], dtype=q.dtype)
    if signs:
        logs = q + state.c[..., None, :]
        top = softmax.largest(logs)
        q = signs[0] * xp.exp(logs - finite_or_zero(top)[..., None])
    return softmax.State(top, (q @ state.z[..., None])[..., 0], q @ state.S, 1.0)


def value(state, query, /, *, eps=0.0, empty_row=0.0):
    """The attention (..., l, v) of queries; eps applies to features without a scale."""
    sums = read(state, query)
    return ratio(sums.weighted, sums.total[..., None] + eps, empty_row)


# -- the operations -------------------------------------------------------------------------------

def from_masked_features(*, phi_k, V, mask, **_):
    return from_features(masked(phi_k, mask, 0.0), masked(V, mask, 0.0))


def attention_of_features(state, *, phi_q, S, z, eps, empty_row, **_):
    return value(state._replace(S=state.S + S, z=state.z + z), (phi_q,), eps=eps,
                 empty_row=empty_row)


def key_sums(state, *, S, z):
    return state.S + S, state.z + z


def from_logs(*, log_k, V, sign_k, mask, **_):
    return from_chunk(masked(log_k, mask, -math.inf), masked(V, mask, 0.0), sign_k=sign_k)


def attention_of_logs(state, *, log_q, sign_q, empty_row, **_):
    return value(state, (log_q, sign_q), empty_row=empty_row)


def from_keys(*, K, V, omega, features, scale, mask, **_):
    log_k, sign_k = features(K, omega, default_scale(scale, K))
    return from_logs(log_k=log_k, V=V, sign_k=sign_k, mask=mask)


def attention_of_queries(state, *, Q, omega, features, scale, empty_row, **_):
    return value(state, features(Q, omega, default_scale(scale, Q)), empty_row=empty_row)


def from_patterns(*, X, omega, beta, features, **_):
    return from_keys(K=X, V=X, omega=omega, features=features, scale=beta, mask=True)


def attention_of_states(state, *, xi, omega, beta, features, empty_row, **_):
    return attention_of_queries(state, Q=xi[..., None, :], omega=omega, features=features,
                                scale=beta, empty_row=empty_row)[..., 0, :]


def from_pairs(*, X, delta, omega, beta, features, **_):
    return from_keys(K=X + delta, V=X, omega=omega, features=features, scale=beta, mask=True)


def from_pairs_of_features(*, X, delta, features, **_):
    return from_features(features(X + delta), X)


def attention_of_feature_states(state, *, xi, features, empty_row):
    return value(state, (features(xi)[..., None, :],), empty_row=empty_row)[..., 0, :]


def from_thresholded(*, X, theta, side, omega, beta, features, **_):
    return from_keys(K=side(X, theta), V=X, omega=omega, features=features, scale=beta, mask=True)


def attention_of_thresholded(state, *, xi, theta, side, **how):
    return attention_of_states(state, xi=side(xi, theta), **how)


OPERATIONS = {
    "attention.key_state": Chunked("s", from_masked_features, key_sums),
    "attention.linear_attention": Chunked("s", from_masked_features, attention_of_features),
    "attention.log_linear_attention": Chunked("s", from_logs, attention_of_logs),
    "structured.linear_update": Chunked("n", from_pairs_of_features, attention_of_feature_states),
    "structured.random_feature_update": Chunked("n", from_pairs, attention_of_states),
    "performer.attention": Chunked("s", from_keys, attention_of_queries),
    "performer.update": Chunked("n", from_patterns, attention_of_states),
    "performer.thresholded_update": Chunked("n", from_thresholded, attention_of_thresholded),
}
