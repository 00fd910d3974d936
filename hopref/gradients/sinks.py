r"""Vector-Jacobian products of attention and retrieval with a sink.

``g`` is the cotangent of the result; the other arguments are those of `models.sinks`.  The sink is
one more score, whose key and value are 0 and do not depend on anything; its gradient is that of its
bias.  The gradient of a sink is summed over the queries of its head, that of the sink of a memory
over all states.
"""
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients.maps import gaps, with_last
from hopref.gradients.maps import softmax as softmax_gradient
from hopref.gradients.modern import energy_gradient
from hopref.gradients.sums import transposed
from hopref.maps import (
    beside_sink,
    default_scale,
    dot,
    outer,
    overlaps_and_zero,
    shares_without_scores,
    sink_gain,
    softmax_and_sink,
    strongest,
    unhidden,
    visible,
)
from hopref.models import sinks
from hopref.models.sinks import heads, memory

__all__ = ["energy", "update", "attention_weights", "attention"]


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", **memory)
def energy(g, xi, X, /, *, beta=1.0, sink=0.0):
    r"""Gradient of `sinks.energy`.  Source: Ramsauer et al. 2021, eq. (2), differentiated [SK-4].

    .. math:: d\xi = g\, (\xi - X^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, \mathrm{KL}(p \,\|\, u) / \beta^2, \quad ds = g\, (u_s - p_s) / \beta

    m is the indicator of the first pattern of largest norm, and u the weights where all scores
    are 0; both p and u include the sink.

    Parameters
    ----------
    sink : score of the sink, in the units of the scaled scores

    >>> from hopref.gradients import sinks
    >>> sinks.energy(1.0, [0.5], [[1.0], [-1.0]], beta=1e9)[0]
    array([-0.5])
    """
    z = overlaps_and_zero(xi, X)
    p = softmax_and_sink(z, sink, beta, 0.0, True)
    dxi, dX = energy_gradient(g, xi, X, p[..., :-1], strongest(dot(X, X)))
    kl = dot(p, gaps(z)) - sink_gain(gaps(z), beta, sink)
    xp, share = namespace(z), shares_without_scores(z, sink)[1]
    return dxi, dX, -xp.sum(g * (kl / beta)), xp.sum(g * ((share - p[..., -1]) / beta))


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", **memory)
def update(g, xi, X, /, *, beta=1.0, sink=0.0):
    r"""Gradient of `sinks.update`.  Source: Ramsauer et al. 2021, eq. (3), differentiated [SK-2].

    .. math:: w = p \circ (a - p^T a), \quad a = X g, \quad d\xi = \beta X^T w, \quad
        dX = p\,g^T + \beta\, w\, \xi^T, \quad d\beta = w^T X \xi, \quad ds = -p_s\, p^T a

    Parameters
    ----------
    sink : score of the sink, in the units of the scaled scores

    >>> from hopref.gradients import sinks
    >>> sinks.update([1.0], [0.0], [[1.0]])[3]              # -p_s p
    np.float64(-0.25)
    """
    z = overlaps_and_zero(xi, X)
    p = softmax_and_sink(z, sink, beta, 0.0, True)
    bias, where = beside_sink(z, sink, 0.0, True)
    dz, dbias, dbeta = softmax_gradient(with_last(g @ X.T, 0.0), z, beta=beta, bias=bias)
    dz = dz[..., :-1]
    return dz @ X, outer(p[..., :-1], g) + outer(dz, xi), dbeta, namespace(z).sum(dbias[..., -1])


@op("(...,l,s),(...,l,d),(...,s,d),(...)->(...,l,d),(...,s,d),(...),(...,l,s),()", **heads)
def attention_weights(g, Q, K, sink, /, *, scale=None, mask=True, bias=0.0, causal=False,
                      align="end"):
    r"""Gradient of `sinks.attention_weights`.  Source: the attention sinks of gpt-oss [SK-2].

    .. math:: W = A \circ (g - \mathrm{rowsum}(A \circ g)), \quad dQ = c\,W K, \quad dK = c\,W^T Q,
        \quad dB = W, \quad ds = -\textstyle\sum p_s\, \mathrm{rowsum}(A \circ g)

    Parameters
    ----------
    sink : score of the sink, in the units of the scaled scores

    Returns
    -------
    (dQ, dK, dsink, dbias, dscale)

    >>> from hopref.gradients import sinks
    >>> sinks.attention_weights([[1.0]], [[1.0]], [[0.0]], 0.0)[2]
    np.float64(-0.25)
    """
    seen = visible(Q, K, mask, causal, align)
    z = overlaps_and_zero(Q, K, unhidden(seen, bias))
    bias, seen = beside_sink(z, sink[..., None, None], bias, seen)
    dz, dbias, dscale = softmax_gradient(with_last(g, 0.0), z, beta=default_scale(scale, K),
                                         bias=bias, where=seen)
    dz, dsink = dz[..., :-1], namespace(z).sum(dbias[..., -1], axis=-1)
    return dz @ K, transposed(dz) @ Q, dsink, dbias[..., :-1], dscale


@op("(...,l,v),(...,l,d),(...,s,d),(...,s,v),(...)"
    "->(...,l,d),(...,s,d),(...,s,v),(...),(...,l,s),()", **heads)
def attention(g, Q, K, V, sink, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    r"""Gradient of `sinks.attention`.  Source: the attention sinks of gpt-oss [SK-2].

    .. math:: dV = A^T g, \quad W = A \circ (g V^T - \mathrm{rowsum}(g \circ Z)), \quad dQ = c\,W K,
        \quad dK = c\,W^T Q, \quad dB = W, \quad
        ds = -\textstyle\sum p_s\,\mathrm{rowsum}(g \circ Z)

    Parameters
    ----------
    sink : score of the sink, in the units of the scaled scores

    Returns
    -------
    (dQ, dK, dV, dsink, dbias, dscale) : a query without visible keys contributes 0

    >>> from hopref.gradients import sinks
    >>> dQ, dK, dV, dsink, *_ = sinks.attention([[1.0]], [[0.0]], [[1.0]], [[2.0]], 0.0)
    >>> dQ, dV, float(dsink)                                # -p_s g z, z = 1
    (array([[0.5]]), array([[0.5]]), -0.5)
    """
    A = sinks.attention_weights(Q, K, sink, scale=scale, mask=mask, bias=bias, causal=causal,
                                align=align)
    dQ, dK, dsink, dbias, dscale = attention_weights(
        g @ transposed(V), Q, K, sink, scale=scale, mask=mask, bias=bias, causal=causal,
        align=align)
    return dQ, dK, transposed(A) @ g, dsink, dbias, dscale
