r"""Linear attention's sums over keys, with one log scale a feature [MO-2].

.. math:: c_r = \max_s \log |k'_{sr}|, \quad S = \sum_s e^{-c} k'_s v_s^T, \quad
    z = \sum_s e^{-c} k'_s

Two states are brought to the larger c, feature by feature, and added.  The query's logs absorb c,
so that for features >= 0 no denominator is below 1, whatever the norms; one scale for all features
would lose those that are small beside the largest.  Features that are no logs keep c = 0: their
sums are added as they are.

A query is a tuple: (log q, its signs), or the features (q,) alone.
"""
import math
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps import default_scale, finite_or_zero, masked, ratio
from hopref.models.attention import key_state
from hopref.parts import softmax
from hopref.parts.served import Served

__all__ = ["State", "none", "of", "of_plain", "merge", "read", "value"]


class State(NamedTuple):
    """S (..., r, v) and z (..., r) in units of e^c, c (..., r)."""
    S: Any
    z: Any
    c: Any


def none(log_k, V, /):
    """The state of no key, for features and values with these other axes."""
    return of(log_k[..., :0, :], V[..., :0, :])


def of(log_k, V, /, *, sign_k=1.0):
    """The state of keys by the logs of their features (..., s, r), and values (..., s, v)."""
    xp = namespace(log_k)
    c = softmax.largest(xp.matrix_transpose(log_k))
    keys = sign_k * xp.exp(log_k - finite_or_zero(c)[..., None, :])
    return State(*key_state.formula(keys, V), c)


def of_plain(phi_k, V, /):
    """The state of keys by their features themselves."""
    S, z = key_state.formula(phi_k, V)
    return State(S, z, namespace(z).zeros_like(z))


def merge(a, b, /):
    """The state of the keys of both."""
    xp = namespace(a.z)
    c = xp.maximum(a.c, b.c)
    zero = finite_or_zero(c)
    x, y = xp.exp(a.c - zero), xp.exp(b.c - zero)
    return State(x[..., None] * a.S + y[..., None] * b.S, x * a.z + y * b.z, c)


def read(state, query, /):
    """What queries (..., l, r) draw from the keys: the softmax sums q S and q z, a scale a row."""
    xp, (q, *signs) = namespace(state.z), query
    top = xp.zeros(q.shape[:-1], dtype=q.dtype)
    if signs:
        logs = q + state.c[..., None, :]
        top = softmax.largest(logs)
        q = signs[0] * xp.exp(logs - finite_or_zero(top)[..., None])
    return softmax.State(top, (q @ state.z[..., None])[..., 0], q @ state.S, 1.0)


def value(state, query, /, *, eps=0.0, empty_row=0.0):
    """The attention (..., l, v) of queries; eps is for plain features, which have no scale."""
    sums = read(state, query)
    return ratio(sums.drawn, sums.total[..., None] + eps, empty_row)


# -- the operations -------------------------------------------------------------------------------

def of_features(*, phi_k, V, mask, **_):
    return of_plain(masked(phi_k, mask, 0.0), V)


def plain(state, *, phi_q, S, z, eps, empty_row, **_):
    return value(state._replace(S=state.S + S, z=state.z + z), (phi_q,), eps=eps,
                 empty_row=empty_row)


def sums(state, *, S, z):
    return state.S + S, state.z + z


def of_logs(*, log_k, V, sign_k, mask, **_):
    return of(masked(log_k, mask, -math.inf), V, sign_k=sign_k)


def by_logs(state, *, log_q, sign_q, empty_row, **_):
    return value(state, (log_q, sign_q), empty_row=empty_row)


def of_keys(*, K, V, omega, features, scale, mask, **_):
    log_k, sign_k = features(K, omega, default_scale(scale, K))
    return of_logs(log_k=log_k, V=V, sign_k=sign_k, mask=mask)


def by_queries(state, *, Q, omega, features, scale, empty_row, **_):
    return value(state, features(Q, omega, default_scale(scale, Q)), empty_row=empty_row)


def of_patterns(*, X, omega, beta, features, **_):
    return of_keys(K=X, V=X, omega=omega, features=features, scale=beta, mask=True)


def by_states(state, *, xi, omega, beta, features, empty_row, **_):
    return by_queries(state, Q=xi[..., None, :], omega=omega, features=features, scale=beta,
                      empty_row=empty_row)[..., 0, :]


def of_pairs(*, X, delta, omega, beta, features, **_):
    return of_keys(K=X + delta, V=X, omega=omega, features=features, scale=beta, mask=True)


def of_plain_pairs(*, X, delta, features, **_):
    return of_plain(features(X + delta), X)


def by_plain_states(state, *, xi, features, empty_row):
    return value(state, (features(xi)[..., None, :],), empty_row=empty_row)[..., 0, :]


def of_thresholded(*, X, theta, side, omega, beta, features, **_):
    return of_keys(K=side(X, theta), V=X, omega=omega, features=features, scale=beta, mask=True)


def by_thresholded(state, *, xi, theta, side, **how):
    return by_states(state, xi=side(xi, theta), **how)


SERVED = {
    "attention.key_state": Served("s", of_features, sums),
    "attention.linear_attention": Served("s", of_features, plain),
    "attention.log_linear_attention": Served("s", of_logs, by_logs),
    "structured.linear_update": Served("n", of_plain_pairs, by_plain_states),
    "structured.random_feature_update": Served("n", of_pairs, by_states),
    "performer.attention": Served("s", of_keys, by_queries),
    "performer.update": Served("n", of_patterns, by_states),
    "performer.thresholded_update": Served("n", of_thresholded, by_thresholded),
}
