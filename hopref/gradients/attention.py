r"""Vector-Jacobian products of attention.

``g`` is the cotangent of the result; the other arguments are those of `models.attention`.  The
gradient of a hidden key is 0, and a query without visible keys contributes nothing.

Causal sums are recomputed, in a forward pass for the queries and a backward pass for keys and
values, each of which carries a matrix of the size of the state.  A reversal of the state by
subtraction of k v^T would lose all accuracy if the norms of keys grow.

References: Vaswani et al. 2017; Choromanski et al. 2021; the blog, eqs. (14)-(18).
"""
import math

from hopref.dispatch.domains import cotangent, mask, nonnegative, positive, scores, state
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import state_with_its_scale
from hopref.gradients.graded import tanh_slope
from hopref.gradients.maps import softmax as softmax_gradient
from hopref.gradients.maps import weighted_mean
from hopref.gradients.sums import (
    causal_gradient,
    joined,
    log_causal_gradient,
    ratio_gradient,
    transposed,
)
from hopref.maps import (
    balanced,
    default_scale,
    masked,
    overlaps,
    ratio,
    softcapped,
    softmax,
    unhidden,
    visible,
    zero_denominators,
)
from hopref.models import attention
from hopref.models.attention import score_options, softmax_options

__all__ = ["softmax_weights", "softmax_attention", "softmax_logsumexp", "softcapped_attention",
           "linear_weights", "key_state", "linear_attention", "association",
           "causal_linear_attention", "log_linear_attention", "log_causal_linear_attention"]


@op("(...,l,s),(...,l,d),(...,s,d)->(...,l,d),(...,s,d),(...,l,s),()", scratch="(...,l,s)",
    **softmax_options)
def softmax_weights(g, Q, K, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end",
                    empty_row="zeros"):
    r"""Gradient of `attention.softmax_weights`.  Source: blog eq. (15), differentiated [GR-1].

    .. math:: W = A \circ (g - \mathrm{rowsum}(A \circ g)), \quad dQ = s\,W K, \quad dK = s\,W^T Q,
        \quad dB = W, \quad ds = \textstyle\sum W \circ Q K^T

    Returns
    -------
    (dQ, dK, dbias, dscale)

    >>> from hopref.gradients import attention
    >>> attention.softmax_weights([[1.0, 0.0]], [[1.0]], [[2.0], [2.0]])[2]
    array([[ 0.25, -0.25]])
    """
    seen = visible(Q, K, mask, causal, align)
    z = overlaps(Q, K, unhidden(seen, bias))
    dz, dbias, dscale = softmax_gradient(g, z, beta=default_scale(scale, K), bias=bias, where=seen)
    return dz @ K, transposed(dz) @ Q, dbias, dscale


@op("(...,l,v),(...,l,d),(...,s,d),(...,s,v)->(...,l,d),(...,s,d),(...,s,v),(...,l,s),()",
    scratch="(...,l,s)", **softmax_options)
def softmax_attention(g, Q, K, V, /, *, scale=None, mask=True, bias=0.0, causal=False,
                      align="end", empty_row="zeros"):
    r"""Gradient of `attention.softmax_attention`.  Source: blog eq. (14), differentiated [GR-1].

    .. math:: dV = A^T g, \quad W = A \circ (g V^T - \mathrm{rowsum}(A \circ g V^T)), \quad
        dQ = s\,W K, \quad dK = s\,W^T Q, \quad dB = W, \quad ds = \textstyle\sum W \circ Q K^T

    Returns
    -------
    (dQ, dK, dV, dbias, dscale) : queries without visible keys contribute 0, for every ``empty_row``

    >>> from hopref.gradients import attention
    >>> dQ, dK, dV, dbias, dscale = attention.softmax_attention(
    ...     [[1.0]], [[0.0]], [[1.0], [2.0]], [[1.0], [3.0]])
    >>> dQ, dV[:, 0]
    (array([[0.5]]), array([0.5, 0.5]))
    """
    A = attention.softmax_weights(Q, K, scale=scale, mask=mask, bias=bias, causal=causal,
                                  align=align)
    dQ, dK, dbias, dscale = softmax_weights(g @ transposed(V), Q, K, scale=scale, mask=mask,
                                            bias=bias, causal=causal, align=align)
    return dQ, dK, transposed(A) @ g, dbias, dscale


@op("(...,l),(...,l,d),(...,s,d)->(...,l,d),(...,s,d),(...,l,s),()", scratch="(...,l,s)",
    **score_options)
def softmax_logsumexp(g, Q, K, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    r"""Gradient of `attention.softmax_logsumexp`.

    Source: Choromanski et al. 2021, eq. (1), differentiated [GR-1].

    .. math:: W = \mathrm{diag}(g)\, A, \quad dQ = s\,W K, \quad dK = s\,W^T Q, \quad dB = W, \quad
        ds = \textstyle\sum W \circ Q K^T

    Returns
    -------
    (dQ, dK, dbias, dscale)

    >>> from hopref.gradients import attention
    >>> attention.softmax_logsumexp([1.0], [[0.0]], [[1.0], [3.0]])[0]
    array([[2.]])
    """
    A = attention.softmax_weights(Q, K, scale=scale, mask=mask, bias=bias, causal=causal,
                                  align=align)
    W, s = g[..., None] * A, default_scale(scale, K)
    dscale = namespace(Q).sum(W * (Q @ transposed(K)))
    return s * (W @ K), s * (transposed(W) @ Q), W, dscale


@op("(...,l,v),(...,l,d),(...,s,d),(...,s,v)->(...,l,d),(...,s,d),(...,s,v),(...,l,s),(),()",
    scratch="(...,l,s)", softcap=positive, **softmax_options)
def softcapped_attention(g, Q, K, V, /, *, softcap, scale=None, mask=True, bias=0.0, causal=False,
                         align="end", empty_row="zeros"):
    r"""Gradient of `attention.softcapped_attention`.

    Source: the models Gemma 2 and Grok, differentiated [SC-2].

    .. math:: dV = A^T g, \quad dB = A \circ (g V^T - \mathrm{rowsum}(A \circ g V^T)), \quad
        W = dB \circ \mathrm{sech}^2 u, \quad u = s\,Q K^T / c, \quad dQ = s\,W K, \quad
        dK = s\,W^T Q, \quad ds = \textstyle\sum W \circ Q K^T, \quad
        dc = \textstyle\sum dB \circ (\tanh u - u\, \mathrm{sech}^2 u)

    Parameters
    ----------
    softcap : c, which no capped score exceeds in size

    Returns
    -------
    (dQ, dK, dV, dbias, dsoftcap, dscale)

    >>> from hopref.gradients import attention
    >>> attention.softcapped_attention([[1.0]], [[0.0]], [[1.0], [2.0]], [[1.0], [3.0]],
    ...                                softcap=5.0)[0]
    array([[0.5]])
    """
    xp, seen, s = namespace(Q), visible(Q, K, mask, causal, align), default_scale(scale, K)
    scores = Q @ transposed(K)
    u = s * scores / softcap
    z, slope = softcapped(s * scores, softcap), tanh_slope(u)
    A = softmax(z, bias=bias, where=seen)
    dz, dbias, _ = softmax_gradient(g @ transposed(V), z, bias=bias, where=seen)
    W, bend = dz * slope, xp.tanh(u) - u * slope
    return (s * (W @ K), s * (transposed(W) @ Q), transposed(A) @ g, dbias,
            xp.sum(dz * bend), xp.sum(W * scores))


@op("(...,l,s),(...,l,r),(...,s,r)->(...,l,r),(...,s,r)", empty_row=zero_denominators,
    scratch="(...,l,s)")
def linear_weights(g, phi_q, phi_k, /, *, empty_row="zeros"):
    r"""Gradient of `attention.linear_weights`.  Source: blog eq. (16), differentiated [GR-4].

    .. math:: W = D^{-1} (g - \mathrm{rowsum}(A \circ g)), \quad dQ' = W K', \quad dK' = W^T Q'

    >>> from hopref.gradients import attention
    >>> attention.linear_weights([[1.0, 0.0]], [[1.0]], [[1.0], [1.0]])
    (array([[0.]]), array([[ 0.25],
           [-0.25]]))
    """
    kernel = phi_q @ transposed(phi_k)
    D = namespace(g).sum(kernel, axis=-1, keepdims=True)
    W = ratio(g - weighted_mean(kernel, g), D, 0.0)
    return W @ phi_k, transposed(W) @ phi_q


@op("(...,r,v),(...,r),(...,s,r),(...,s,v)->(...,s,r),(...,s,v),(...,r,v),(...,r)",
    mask=mask("(...,s)"), S=state("(...,r,v)"), z=state("(...,r)"))
def key_state(g_S, g_z, phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    r"""Gradient of `attention.key_state`.  Source: blog eq. (17), differentiated [GR-4].

    .. math:: dK' = V g_S^T + 1 g_z^T, \quad dV = K' g_S, \quad dS = g_S, \quad dz = g_z

    >>> from hopref.gradients import attention
    >>> attention.key_state([[1.0]], [2.0], [[3.0]], [[5.0]])[:2]
    (array([[7.]]), array([[3.]]))
    """
    dkeys = V @ transposed(g_S) + g_z[..., None, :]
    return (masked(dkeys, mask, 0.0), masked(phi_k, mask, 0.0) @ g_S, 1.0 * g_S, 1.0 * g_z)


@op("(...,l,v),(...,l,r),(...,s,r),(...,s,v)->(...,l,r),(...,s,r),(...,s,v),(...,r,v),(...,r),()",
    mask=mask("(...,s)"), S=state("(...,r,v)"), z=state("(...,r)"), eps=nonnegative,
    empty_row=zero_denominators)
def linear_attention(g, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                     empty_row="zeros"):
    r"""Gradient of `attention.linear_attention`.

    Source: Choromanski et al. 2021, eq. (4), differentiated [GR-4].

    .. math:: dN = D^{-1} g, \quad dD = -D^{-1} \mathrm{rowsum}(g \circ Z), \quad
        dQ' = dN\, S^T + dD\, z^T, \quad dS = Q'^T dN, \quad dz = Q'^T dD, \quad
        dK' = V dS^T + 1 dz^T, \quad dV = K' dS

    Returns
    -------
    (dphi_q, dphi_k, dV, dS, dz, deps) : a query contributes 0 if its |D| is below 2^-1000 or
        its cotangent overflows

    >>> from hopref.gradients import attention
    >>> dq, dk, *_ = attention.linear_attention([[1.0]], [[1.0]], [[1.0], [1.0]], [[2.0], [6.0]])
    >>> dq, dk[:, 0]
    (array([[0.]]), array([-1.,  1.]))
    """
    S, z = attention.key_state(phi_k, V, mask=mask, S=S, z=z)
    D = phi_q @ z[..., None] + eps
    dN, dD = ratio_gradient(g, D, ratio(phi_q @ S, D, 0.0))
    dS, dz = transposed(phi_q) @ dN, (transposed(phi_q) @ dD)[..., 0]
    dphi_q = dN @ transposed(S) + dD * z[..., None, :]
    return dphi_q, *key_state(dS, dz, phi_k, V, mask=mask), namespace(g).sum(dD)


@op("(...,l,v),(...,l,r),(...,s,r),(...,s,v)->(...,l,r),(...,s,r),(...,s,v)")
def association(g, phi_q, phi_k, V, /):
    r"""Gradient of `attention.association`.  Source: blog eq. (18), differentiated [GR-4].

    .. math:: dQ' = g\, V^T K', \quad dK' = V g^T Q', \quad dV = K' Q'^T g

    >>> from hopref.gradients import attention
    >>> attention.association([[1.0]], [[2.0]], [[3.0]], [[5.0]])
    (array([[15.]]), array([[10.]]), array([[6.]]))
    """
    dS = transposed(phi_q) @ g
    return g @ (transposed(V) @ phi_k), V @ transposed(dS), phi_k @ dS


@op("(...,l,v),(...,r,v),(...,r),(...,l,r),(...,l,r),(...,l,v)"
    "->(...,l,r),(...,l,r),(...,l,v),(...,r,v),(...,r),()",
    g_S=cotangent, g_z=cotangent, mask=mask("(...,l)"), S=state("(...,r,v)"), z=state("(...,r)"),
    eps=nonnegative, empty_row=zero_denominators)
def causal_linear_attention(g, g_S, g_z, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                            empty_row="zeros"):
    r"""Gradient of `attention.causal_linear_attention`.

    Source: Choromanski et al. 2021, eq. (11), differentiated [GR-5].

    .. math:: dq'_i = S_i\, dN_i + dD_i\, z_i, \quad dk'_j = G_j v_j + u_j, \quad
        dv_j = G_j^T k'_j, \quad G_j = g_S + \sum_{i \ge j} q'_i dN_i^T, \quad
        u_j = g_z + \sum_{i \ge j} dD_i\, q'_i

    with dN and dD as in `linear_attention`.

    Parameters
    ----------
    g, g_S, g_z : cotangents of the results and of the final state, which may be 0.0

    Returns
    -------
    (dphi_q, dphi_k, dV, dS, dz, deps) : a query contributes 0 if its |D| is below 2^-1000 or
        its cotangent overflows

    >>> from hopref.gradients import attention
    >>> dq, dk, *_ = attention.causal_linear_attention([[0.0], [1.0]], 0.0, 0.0,
    ...     [[1.0], [1.0]], [[1.0], [1.0]], [[2.0], [6.0]])
    >>> dq[:, 0], dk[:, 0]
    (array([0., 0.]), array([-1.,  1.]))
    """
    zS, ones = attention.joined_state(phi_k, V, S, z), namespace(V).ones_like(phi_k)
    keys = masked(phi_k, mask, 0.0)
    dq, dk, dV, h, zS, G = causal_gradient(g, phi_q, keys, V, ones, zS, joined(g_z, g_S), eps)
    return dq, masked(dk, mask, 0.0), dV, G[..., 1:], G[..., 0], namespace(V).sum(h[..., 0])


@op("(...,l,v),(...,l,r),(...,s,r),(...,s,v)->(...,l,r),(...,s,r),(...,s,v)", log_q=scores(),
    log_k=scores(), sign_q=state("(...,l,r)"), sign_k=state("(...,s,r)"), mask=mask("(...,s)"),
    empty_row=zero_denominators)
def log_linear_attention(g, log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, mask=True,
                         empty_row="zeros"):
    r"""Gradient of `attention.log_linear_attention`: finite for all norms.

    Source: Choromanski et al. 2021, eq. (4), differentiated [GR-4, MO-2].

    .. math:: d\log q = q' \circ dq', \quad d\log k = k' \circ dk'

    with the features and cotangents of `linear_attention`, which may have any common scale.

    Returns
    -------
    (dlog_q, dlog_k, dV), where the signs are constants

    >>> from hopref.gradients import attention
    >>> attention.log_linear_attention([[1.0]], [[1e6]], [[-1e6], [-1e6]], [[1.0], [3.0]])[1]
    array([[-0.5],
           [ 0.5]])
    """
    q, keys = balanced(log_q, masked(log_k, mask, -math.inf), sign_q, sign_k)
    dq, dk, dV, dS, dz, deps = linear_attention(g, q, keys, V)
    return q * dq, keys * dk, dV


@op("(...,l,v),(...,r,v),(...,r),(...,r),(...,l,r),(...,l,r),(...,l,v)"
    "->(...,l,r),(...,l,r),(...,l,v),(...,r,v),(...,r),(...,r)",
    g_S=cotangent, g_z=cotangent, g_c=cotangent, log_q=scores(), log_k=scores(),
    sign_q=state("(...,l,r)"), sign_k=state("(...,l,r)"), mask=mask("(...,l)"),
    S=state("(...,r,v)"), z=state("(...,r)"), c=scores("(...,r)"),
    shape_rule=state_with_its_scale, empty_row=zero_denominators)
def log_causal_linear_attention(g, g_S, g_z, g_c, log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0,
                                mask=True, S=0.0, z=0.0, c=-math.inf, empty_row="zeros"):
    r"""Gradient of `attention.log_causal_linear_attention`: finite for all norms.

    Source: Choromanski et al. 2021, eq. (11), differentiated [GR-5, MO-2].

    .. math:: G_j = e^{c_j - c_{j+1}} G_{j+1} + q'_j\, h_j^T, \quad
        d\log k_j = e^{\log k_j - c_j} \circ G_j (1, v_j)

    where h is the cotangent of (D, N) relative to the running scale c, so that no factor exceeds 1.

    Parameters
    ----------
    g, g_S, g_z, g_c : cotangents of the results and of the final state, which may be 0.0.  The
        final scale is a maximum; its gradient is assigned to the first of the largest entries

    Returns
    -------
    (dlog_q, dlog_k, dV, dS, dz, dc) : a query contributes 0 if its |D|, relative to its scale, is
        below 2^-1000 or its cotangent overflows

    >>> from hopref.gradients import attention
    >>> attention.log_causal_linear_attention([[0.0], [1.0]], [[0.0]], [0.0], [0.0],
    ...     [[0.0], [0.0]], [[-2000.0], [-2000.0]], [[2.0], [6.0]])[1]
    array([[-1.],
           [ 1.]])
    """
    log_k = masked(log_k, mask, -math.inf)
    features = log_q, log_k, sign_q, sign_k
    queries, keys, top, dV, dzS, dc = log_causal_gradient(g, g_S, g_z, g_c, features,
                                                          (log_q, log_k), V, S, z, c)
    return (queries.phi * queries.d, keys.phi * keys.d + top, dV, dzS[..., 1:], dzS[..., 0], dc)
