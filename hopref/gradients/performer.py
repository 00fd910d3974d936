r"""Vector-Jacobian products of the Performer, for one draw of the features.

``g`` is the cotangent of the result; the other arguments are those of `models.performer`.  The draw
``omega`` has a gradient like any operand.

Features are differentiated as f(u) h(x) and not by their logarithms, so that the gradient is also
correct for features of 0.  Common factors of the features of a query cancel, and so does its h.

References: Choromanski et al. 2021; the blog, eqs. (16)-(19), (23), (24).
"""
import math
from typing import Any, NamedTuple

from hopref.dispatch.domains import mask, positive, real, scores, state
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.features.preconditions import state_of_these_features
from hopref.features.projected import derivatives, log_general, random_features
from hopref.gradients.attention import linear_attention, linear_weights
from hopref.gradients.features.projected import projection_gradient
from hopref.gradients.sums import feature_level, log_causal_gradient, query_exponents
from hopref.gradients.thresholds import side
from hopref.maps import default_scale, dot, finite_or_zero, masked, table, zero_denominators

__all__ = ["attention", "causal_attention", "weights", "update", "thresholded_update"]


def feature_slopes(kernel, x, omega, beta):
    """Logs and signs of the features with f' in place of f."""
    h, functions = kernel.args
    return log_general(x, omega, h=h, functions=derivatives(functions), beta=beta)


def feature_gradient(kernel, d, a, slope, height, x, omega, beta):
    """Cotangents of x, omega and beta from d, those of features times e^a, and that of log h."""
    log_slope, sign = slope
    du = d * sign * namespace(x).exp(log_slope + a)
    zero = namespace(x).zeros_like(height)
    return projection_gradient(du, height, zero, kernel.args[0], x, omega, beta)


@overridable
def query_height(dq, q):
    """Cotangent <dq, q> of log h of a query: 0, since a common factor of its features cancels."""
    return namespace(dq).zeros_like(dq[..., 0])


class Scaled(NamedTuple):
    """Features times e^a, and the log and sign of their slopes."""
    phi: Any
    a: Any
    slope: tuple


def logs_and_slopes(kernel, x, omega, beta, mask=True):
    """Logs and signs of the features and of their slopes; hidden features and slopes are 0."""
    (log, sign), (slope, turned) = kernel(x, omega, beta), feature_slopes(kernel, x, omega, beta)
    return (masked(log, mask, -math.inf), sign), (masked(slope, mask, -math.inf), turned)


def level_of(logs):
    (log, sign), (slope, turned) = logs
    return feature_level(log, slope)


def scaled(logs, a):
    (log, sign), slope = logs
    return Scaled(sign * namespace(log).exp(log + a), a, slope)


def scaled_queries(logs, c):
    """Queries times the scales c (..., 1, r) of keys, divided by a scale of each."""
    return scaled(logs, query_exponents(level_of(logs), c))


def scaled_keys(logs, c):
    return scaled(logs, -finite_or_zero(c))


def scaled_features(kernel, Q, K, omega, beta, mask=True):
    """The features of queries and keys, up to a scale of each query and one of all keys."""
    queries = logs_and_slopes(kernel, Q, omega, beta)
    keys = logs_and_slopes(kernel, K, omega, beta, mask)
    c = namespace(K).max(level_of(keys), axis=-2, keepdims=True)
    return scaled_queries(queries, c), scaled_keys(keys, c)


def operand_gradients(kernel, dq, dk, queries, keys, Q, K, omega, beta):
    """Cotangents of Q, K, omega and beta from those of the scaled features."""
    dQ, omega_q, beta_q = query_gradients(kernel, dq, queries, Q, omega, beta)
    dK, omega_k, beta_k = key_gradients(kernel, dk, keys, K, omega, beta)
    return dQ, dK, omega_q + omega_k, beta_q + beta_k


def query_gradients(kernel, dq, queries, Q, omega, beta):
    """Cotangents of Q, omega and beta from those of scaled queries."""
    return feature_gradient(kernel, dq, queries.a, queries.slope, query_height(dq, queries.phi), Q,
                            omega, beta)


def key_gradients(kernel, dk, keys, K, omega, beta):
    """Cotangents of K, omega and beta from those of scaled keys."""
    return feature_gradient(kernel, dk, keys.a, keys.slope, dot(dk, keys.phi), K, omega, beta)


@op("(...,l,v),(...,l,d),(...,s,d),(...,s,v),(m,d)->(...,l,d),(...,s,d),(...,s,v),(m,d),()",
    features=random_features, scale=positive, mask=mask("(...,s)"), empty_row=zero_denominators)
def attention(g, Q, K, V, omega, /, *, features="positive", scale=None, mask=True,
              empty_row="zeros"):
    r"""Gradient of `performer.attention`.

    Source: Choromanski et al. 2021, eqs. (4), (5), differentiated [GR-4, GR-6].

    .. math:: dQ = \phi'(Q)^T dQ', \quad dK = \phi'(K)^T dK', \quad dV = K' dS

    with the cotangents of the features from `gradients.attention.linear_attention` and the
    derivatives of the features as in `gradients.features.general`.

    Returns
    -------
    (dQ, dK, dV, domega, dscale)

    >>> from hopref.gradients import performer
    >>> dQ, dK, dV, *_ = performer.attention([[1.0]], [[9.0]], [[1.0], [1.0]], [[1.0], [3.0]],
    ...                                      [[0.5]])
    >>> dQ, dV[:, 0]
    (array([[0.]]), array([0.5, 0.5]))
    """
    beta = default_scale(scale, K)
    queries, keys = scaled_features(features, Q, K, omega, beta, mask)
    dq, dk, dV, *_ = linear_attention(g, queries.phi, keys.phi, V, mask=mask)
    dQ, dK, domega, dbeta = operand_gradients(features, dq, dk, queries, keys, Q, K, omega, beta)
    return dQ, dK, dV, domega, dbeta


@op("(...,l,v),(...,r,v),(...,r),(...,r),(...,l,d),(...,l,d),(...,l,v),(m,d)"
    "->(...,l,d),(...,l,d),(...,l,v),(m,d),(...,r,v),(...,r),(...,r),()", features=random_features,
    scale=positive, mask=mask("(...,l)"), S=state("(...,r,v)"), z=state("(...,r)"),
    c=scores("(...,r)"), shape_rule=state_of_these_features, empty_row=zero_denominators)
def causal_attention(g, g_S, g_z, g_c, Q, K, V, omega, /, *, features="positive", scale=None,
                     mask=True, S=0.0, z=0.0, c=float("-inf"), empty_row="zeros"):
    r"""Gradient of `performer.causal_attention`.

    Source: Choromanski et al. 2021, eqs. (5), (11), differentiated [GR-5, GR-6].

    .. math:: dq_i = \phi'(q_i)^T dq'_i, \quad dk_j = \phi'(k_j)^T dk'_j

    with the cotangents of the features from `gradients.attention.log_causal_linear_attention`.

    Returns
    -------
    (dQ, dK, dV, domega, dS, dz, dc, dscale) : a query contributes 0 if its denominator, relative to
        its scale, is below 2^-1000 or its cotangent overflows

    >>> from hopref.gradients import performer
    >>> Q = K = [[1.0], [1.0]]
    >>> performer.causal_attention([[0.0], [1.0]], [[0.0]], [0.0], [0.0], Q, K, [[1.0], [3.0]],
    ...                            [[0.5]])[2]
    array([[0.5],
           [0.5]])
    """
    beta = default_scale(scale, K)
    of_q = logs_and_slopes(features, Q, omega, beta)
    of_k = logs_and_slopes(features, K, omega, beta, mask)
    (log_q, sign_q), (log_k, sign_k) = of_q[0], of_k[0]
    queries, keys, top, dV, dzS, dc = log_causal_gradient(
        g, g_S, g_z, g_c, (log_q, log_k, sign_q, sign_k), (level_of(of_q), level_of(of_k)), V, S, z,
        c)
    dQ, dK, domega, dbeta = operand_gradients(
        features, queries.d, keys.d + sign_k * top, Scaled(queries.phi, queries.a, of_q[1]),
        Scaled(keys.phi, keys.a, of_k[1]), Q, K, omega, beta)
    return (dQ, dK, dV, domega, dzS[..., 1:], dzS[..., 0], dc, dbeta)


@op("(...,n),(...,d),(n,d),(m,d)->(...,d),(n,d),(m,d),()", features=random_features, beta=positive,
    empty_row=zero_denominators, scratch="(...,n)")
def weights(g, xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    r"""Gradient of `performer.weights`.

    Source: blog eq. (23), differentiated [GR-4, GR-6].

    .. math:: d\xi = \phi'(\xi)^T dq', \quad dX = \phi'(X)^T dK'

    >>> from hopref.gradients import performer
    >>> performer.weights([1.0, 0.0], [1.0], [[2.0], [2.0]], [[0.3]])[0]
    array([0.])
    """
    Q = table(xi)
    queries, keys = scaled_features(features, Q, X, omega, beta)
    dq, dk = linear_weights(table(g), queries.phi, keys.phi)
    dQ, dX, domega, dbeta = operand_gradients(features, dq, dk, queries, keys, Q, X, omega, beta)
    return namespace(X).reshape(dQ, xi.shape), dX, domega, dbeta


@op("(...,d),(...,d),(n,d),(m,d)->(...,d),(n,d),(m,d),()", features=random_features, beta=positive,
    empty_row=zero_denominators)
def update(g, xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    r"""Gradient of `performer.update`: that of attention with patterns as keys and values.

    Source: blog eq. (23), inside the expectation, differentiated [GR-4, GR-6].

    .. math:: d\xi = \phi'(\xi)^T dq', \quad dX = \phi'(X)^T dK' + K' dS

    >>> from hopref.gradients import performer
    >>> performer.update([1.0], [1.0], [[2.0], [2.0]], [[0.3]])[1]
    array([[0.5],
           [0.5]])
    """
    dQ, dK, dV, domega, dbeta = attention(table(g), table(xi), X, X, omega, features=features,
                                          scale=beta)
    return namespace(X).reshape(dQ, xi.shape), dK + dV, domega, dbeta


@op("(...,d),(...,d),(n,d),(m,d)->(...,d),(n,d),(m,d),()", features=random_features, beta=positive,
    theta=real, side=side, empty_row=zero_denominators)
def thresholded_update(g, xi, X, omega, /, *, beta=1.0, theta=0.5, side="above",
                       features="positive", empty_row="zeros"):
    r"""Gradient of `performer.thresholded_update`, which is 0 for thresholded components.

    Source: blog eq. (24), differentiated [GR-4, GR-6, PF-7].

    .. math:: d\xi = 1_{\xi \le \theta} \circ \phi'(S_\theta(\xi))^T dq', \quad
        dX = 1_{X \le \theta} \circ \phi'(S_\theta(X))^T dK' + K' dS

    >>> from hopref.gradients import performer
    >>> performer.thresholded_update([1.0], [0.9], [[2.0], [3.0]], [[0.3]])[1]
    array([[0.5],
           [0.5]])
    """
    S, kept = side
    dQ, dK, dV, domega, dbeta = attention(table(g), table(S(xi, theta)), S(X, theta), X, omega,
                                          features=features, scale=beta)
    dxi = kept(namespace(X).reshape(dQ, xi.shape), xi, theta)
    return dxi, kept(dK, X, theta) + dV, domega, dbeta
