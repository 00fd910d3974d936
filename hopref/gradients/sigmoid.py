r"""Vector-Jacobian products of sigmoid attention and of its memory.

``g`` is the cotangent of the result; the other arguments are those of `models.sigmoid`.
"""
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients.graded import sigmoid_slope
from hopref.gradients.sums import transposed
from hopref.maps import default_scale, dot, outer, shown, sigmoid, softplus, visible
from hopref.models import sigmoid as model
from hopref.models.sigmoid import heads, memory

__all__ = ["energy", "update", "attention_weights", "attention"]


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", **memory)
def energy(g, xi, X, /, *, beta=1.0, offset=0.0):
    r"""Gradient of `sigmoid.energy`.

    Source: Krotov and Hopfield 2021, differentiated [SG-2].

    .. math:: d\xi = g\,(\xi - X^T p), \quad dX = -g\, p\, \xi^T, \quad
        d\beta = g \textstyle\sum_i (\mathrm{softplus}(z_i) - p_i (z_i - b)) / \beta^2, \quad
        db = -g \textstyle\sum_i p_i / \beta, \quad p = \sigma(z)

    Parameters
    ----------
    offset : b, which is not multiplied by beta

    >>> from hopref.gradients import sigmoid
    >>> sigmoid.energy(1.0, [0.5], [[1.0], [-1.0]], beta=1e9)[0]
    array([-0.5])
    """
    xp, z = namespace(xi), beta * (xi @ X.T)
    p, g = sigmoid(z + offset), g[..., None]
    dbeta = (softplus(z + offset) - p * z) / beta
    return g * (xi - p @ X), -outer(p, g * xi), xp.sum(g * dbeta / beta), -xp.sum(g * p / beta)


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", **memory)
def update(g, xi, X, /, *, beta=1.0, offset=0.0):
    r"""Gradient of `sigmoid.update`.  Source: Ramapuram et al. 2025, differentiated [SG-4].

    .. math:: w = p \circ (1 - p) \circ X g, \quad d\xi = \beta X^T w, \quad
        dX = p\,g^T + \beta\, w\, \xi^T, \quad d\beta = w^T X \xi, \quad db = \textstyle\sum w

    Parameters
    ----------
    offset : b, which is not multiplied by beta

    >>> from hopref.gradients import sigmoid
    >>> sigmoid.update([1.0], [0.0], [[1.0]])[0]
    array([0.25])
    """
    xp, z = namespace(xi), xi @ X.T
    u = beta * z + offset
    w = sigmoid_slope(u) * (g @ X.T)
    dX = outer(sigmoid(u), g) + outer(beta * w, xi)
    return beta * w @ X, dX, xp.sum(dot(w, z)), xp.sum(w)


@op("(...,l,s),(...,l,d),(...,s,d)->(...,l,d),(...,s,d),(...,l,s),(),()", **heads)
def attention_weights(g, Q, K, /, *, offset=0.0, scale=None, mask=True, bias=0.0, causal=False,
                      align="end"):
    r"""Gradient of `sigmoid.attention_weights`.

    Source: Ramapuram et al. 2025, differentiated [SG-4].

    .. math:: W = A \circ (1 - A) \circ g, \quad dQ = c\,W K, \quad dK = c\,W^T Q, \quad dB = W,
        \quad db = \textstyle\sum W, \quad dc = \textstyle\sum W \circ Q K^T

    Parameters
    ----------
    offset : b, added to the scaled scores

    Returns
    -------
    (dQ, dK, dbias, doffset, dscale)

    >>> from hopref.gradients import sigmoid
    >>> sigmoid.attention_weights([[1.0]], [[0.0]], [[2.0]])[0]
    array([[0.5]])
    """
    xp, c, z = namespace(Q), default_scale(scale, K), Q @ transposed(K)
    W = shown(sigmoid_slope(c * z + bias + offset) * g, visible(Q, K, mask, causal, align))
    return c * (W @ K), c * (transposed(W) @ Q), W, xp.sum(W), xp.sum(W * z)


@op("(...,l,v),(...,l,d),(...,s,d),(...,s,v)->(...,l,d),(...,s,d),(...,s,v),(...,l,s),(),()",
    **heads)
def attention(g, Q, K, V, /, *, offset=0.0, scale=None, mask=True, bias=0.0, causal=False,
              align="end"):
    r"""Gradient of `sigmoid.attention`.  Source: Ramapuram et al. 2025, differentiated [SG-4].

    .. math:: dV = A^T g, \quad W = A \circ (1 - A) \circ g V^T, \quad dQ = c\,W K, \quad
        dK = c\,W^T Q, \quad dB = W, \quad db = \textstyle\sum W, \quad
        dc = \textstyle\sum W \circ Q K^T

    Parameters
    ----------
    offset : b, added to the scaled scores

    Returns
    -------
    (dQ, dK, dV, dbias, doffset, dscale)

    >>> from hopref.gradients import sigmoid
    >>> sigmoid.attention([[1.0]], [[0.0]], [[1.0]], [[3.0]])[2]
    array([[0.5]])
    """
    A = model.attention_weights(Q, K, offset=offset, scale=scale, mask=mask, bias=bias,
                                causal=causal, align=align)
    dQ, dK, dbias, doffset, dscale = attention_weights(
        g @ transposed(V), Q, K, offset=offset, scale=scale, mask=mask, bias=bias, causal=causal,
        align=align)
    return dQ, dK, transposed(A) @ g, dbias, doffset, dscale
