r"""Vector-Jacobian product of gated linear attention.

``g`` and ``g_S`` are the cotangents of the results and of the final memory; the other arguments are
those of `models.gated`.  The memories are recomputed by a forward pass and kept, one for each
token, because a decay that is run backwards would divide by it.
"""
from functools import partial

from hopref.dispatch.domains import cotangent
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients.sums import reversed_rows
from hopref.maps import default_scale, dot, scan
from hopref.models import gated

__all__ = ["linear_attention"]


@op("(...,l,v),(...,d,v),(...,l,d),(...,l,d),(...,l,v)"
    "->(...,l,d),(...,l,d),(...,l,v),(...,l),(...,l,d),(...,l),(...,d,v),()",
    g_S=cotangent, scratch="(...,l,d,v)", **gated.gated_options)
def linear_attention(g, g_S, Q, K, V, /, *, log_decay=0.0, log_gates=0.0, beta=1.0, rule="linear",
                     scale=None, S=0.0):
    r"""Gradient of `gated.linear_attention`.

    Source: the recurrences of GLA, Mamba-2, DeltaNet and Gated DeltaNet, differentiated [GD-7].

    .. math:: D_t = \mathrm{diag}(e^{g_{t+1}}) \bar D_{t+1} + s\, q_t\, do_t^T, \quad
        \bar D_t = D_t - \epsilon \beta_t k_t (D_t^T k_t)^T, \quad
        dv_t = \beta_t D_t^T k_t, \quad d\beta_t = e_t^T D_t^T k_t, \quad
        dk_t = \beta_t D_t e_t - \epsilon \bar S_t\, dv_t, \quad
        dg_t = \mathrm{rowsum}(\bar D_t \circ \bar S_t), \quad dq_t = s\, S_t\, do_t

    where :math:`e_t = v_t - \epsilon \bar S_t^T k_t` is the error of a prediction.

    Parameters
    ----------
    g, g_S : cotangents of the results and of the final memory, which may be 0.0
    log_decay, log_gates : their sum is the log of the factor of the memory
    beta : strength of the write of each token
    rule : "linear" adds values, "delta" errors of their predictions

    Returns
    -------
    (dQ, dK, dV, dlog_decay, dlog_gates, dbeta, dS, dscale)

    >>> from hopref.gradients import gated
    >>> dQ, dK, dV, *_ = gated.linear_attention([[0.0], [1.0]], [[0.0]], [[1.0], [1.0]],
    ...     [[1.0], [1.0]], [[4.0], [8.0]], beta=[1.0, 0.5], rule="delta")
    >>> dQ[:, 0], dV[:, 0]                              # 4 + (8 - 4) / 2
    (array([0., 6.]), array([0.5, 0.5]))
    """
    xp, s, write = namespace(V), default_scale(scale, K), gated.column(K, beta)
    decay = gated.decays(K, log_decay, log_gates)
    before = memories(decay, K, write, V, gated.memory(K, V, S), rule)
    error = V - rule.erased * read(before, K)
    after = before + (write * K)[..., None] * error[..., None, :]
    D, D_0 = cotangents(decay, K, write, s * Q, g, gated.memory(K, V, g_S), rule)
    slope = read(D, K)
    dV = write * slope
    dK = applied(D, write * error) - rule.erased * applied(before, dV)
    dg = xp.sum((D - rule.erased * K[..., None] * dV[..., None, :]) * before, axis=-1)
    by_query = applied(after, g)
    return (s * by_query, dK, dV, xp.sum(dg, axis=-1), dg, dot(error, slope), D_0,
            xp.sum(Q * by_query))


def pairs(K, V):
    """The products (..., l, d v) of the entries of keys and values, one row for each token."""
    return namespace(V).reshape(K[..., :, None] * V[..., None, :],
                                (*K.shape[:-1], K.shape[-1] * V.shape[-1]))


def read(S, K):
    """The rows S_t^T k_t (..., l, v)."""
    return (K[..., None, :] @ S)[..., 0, :]


def applied(S, V):
    """The rows S_t v_t (..., l, d)."""
    return (S @ V[..., None])[..., 0]


def memories(decay, K, write, V, S, rule):
    """The memory (..., l, d, v) at each token, after its decay and before its write."""
    found, _ = scan(partial(_forward, rule=rule), S, (decay, K, write, V, pairs(K, V)))
    return namespace(V).reshape(found, (*K.shape, V.shape[-1]))


def _forward(S, decay, k, write, v, pair, *, rule):
    S = decay[..., None] * S
    return gated.written(S, k, write, v, rule), namespace(S).reshape(S, pair.shape)


def cotangents(decay, K, write, Q, g, D, rule):
    """Those of the memory after the write of each token, and of the memory of earlier tokens."""
    rows = (reversed_rows(decay), reversed_rows(K), reversed_rows(write), reversed_rows(Q),
            reversed_rows(g), reversed_rows(pairs(Q, g)))
    found, D = scan(partial(_backward, rule=rule), D, rows)
    return namespace(g).reshape(reversed_rows(found), (*K.shape, g.shape[-1])), D


def _backward(D, decay, k, write, q, g, pair, *, rule):
    D = D + q[..., :, None] * g[..., None, :]
    before = gated.written(D, k, write, 0.0, rule)
    return decay[..., None] * before, namespace(D).reshape(D, pair.shape)
