r"""Vector-Jacobian products of Hopfield layers.

``g`` is the cotangent of the result; the other arguments are those of `hopref.layers`.  Steps are
unrolled, and every association is recomputed in the backward pass.  The gradient of a hidden
pattern is 0, and a state without visible patterns contributes nothing.

References: Ramsauer et al. 2021, eq. (10) and Appendix A; ml-jku/hopfield-layers.
"""
from functools import partial

from hopref.dispatch.domains import nonnegative, state
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.gradients.maps import temperature_gradient
from hopref.layers import association
from hopref.layers.association import iterates, iteration, scores_of, softmax_options
from hopref.maps import centred, default_scale, dot, fold, mean, ratio, softmax, summed, unit_of

__all__ = ["layer_norm", "project", "associations", "read_out", "associate"]


@op("(...,d),(...,d)->(...,d),(d),(d),()", gain=state("(d)"), shift=state("(d)"), eps=nonnegative)
def layer_norm(g, x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    r"""Gradient of `layers.layer_norm`.  Source: Ba et al. 2016, differentiated [HL-1].

    .. math:: dx = \frac{a - \bar a - n\,\overline{a n}}{\sigma}, \quad d\gamma = \sum g \circ n,
        \quad dt = \sum g, \quad d\epsilon = -\sum \frac{a \circ n}{2 \sigma^2}, \quad
        a = \gamma \circ g, \; n = \frac{x - \bar x}{\sigma}

    Returns
    -------
    (dx, dgain, dshift, deps) : constant rows contribute 0 for eps = 0

    >>> from hopref.gradients import layers
    >>> layers.layer_norm([1.0, 3.0], [0.0, 0.0], eps=0.25)[0]
    array([-2.,  2.])
    """
    xp, unit, a = namespace(x), unit_of(x, eps), gain * g
    away = centred(x / unit)
    square = mean(away * away) + eps / unit / unit
    width = xp.sqrt(square)
    n = ratio(away, width, 0.0)
    dx = ratio(centred(a) - n * mean(a * n), width, 0.0) / unit
    deps = -xp.sum(ratio(a * n, 2 * square, 0.0) / unit / unit)
    return dx, summed(g * n, 1), summed(g, 1), deps


@op("(...,h,l,a),(...,l,d),(h,a,d)->(...,l,d),(h,a,d),(h,a)", b=state("(h,a)"))
def project(g, x, W, /, *, b=0.0):
    r"""Gradient of `layers.project`.  Source: Ramsauer et al. 2021, eq. (10) [MH-13, HL-1].

    .. math:: dx_i = \sum_h W^{(h)T} g^{(h)}_i, \quad dW^{(h)} = \sum_i g^{(h)}_i x_i^T, \quad
        db^{(h)} = \sum_i g^{(h)}_i

    >>> from hopref.gradients import layers
    >>> dx, dW, db = layers.project([[[2.0]]], [[3.0, 4.0]], [[[5.0, 6.0]]])
    >>> dx, dW[0], db[0]
    (array([[10., 12.]]), array([[6., 8.]]), array([2.]))
    """
    xp = namespace(x)
    dW = xp.matrix_transpose(g) @ x[..., None, :, :]
    return xp.sum(g @ W, axis=-3), summed(dW, 3), summed(xp.sum(g, axis=-2), 2)


@op("(...,h,l,s),(...,h,l,a),(...,h,s,a)->(...,h,l,a),(...,h,s,a),(h),(...,h,l,s),()",
    scratch="(...,h,l,s)", **iteration)
def associations(g, Q, K, /, *, beta=None, per_head=1.0, steps=1, mask=True, bias=0.0,
                 empty_row="zeros"):
    r"""Gradient of `layers.associations` through all of its steps.

    Source: Ramsauer et al. 2021, Appendix A, differentiated [GR-1, GR-2, HL-2].

    .. math:: w_t = A_t \circ (G_t - \mathrm{rowsum}(A_t \circ G_t)), \quad
        dQ_{t-1} = \beta_h w_t K, \quad G_n = g, \; G_t = dQ_t K^T,

    .. math:: dK = \sum_t \beta_h w_t^T Q_{t-1} + \sum_{t<n} A_t^T dQ_t, \quad
        dB = \sum_t w_t, \quad d\beta_h = \sum_t w_t \cdot Q_{t-1} K^T

    Returns
    -------
    (dQ, dK, dper_head, dbias, dbeta) : dQ is the gradient with respect to Q_0

    >>> from hopref.gradients import layers
    >>> layers.associations([[[1.0, 0.0]]], [[[0.0]]], [[[1.0], [-1.0]]], beta=2.0)[0]
    array([[[1.]]])
    """
    xp, how = namespace(Q), softmax_options(K, beta, per_head, mask, bias)
    states = xp.flip(iterates(Q, K, steps, how), axis=0)
    none = xp.zeros_like(g)
    last = (g, xp.zeros_like(Q), xp.zeros_like(K), none, xp.sum(none, axis=(-2, -1)))
    used, dQ, dK, dbias, slope = fold(partial(backward_step, K=K, how=how), last, states)
    slope = summed(slope, 1)
    return dQ, dK, default_scale(beta, K) * slope, dbias, xp.sum(per_head * slope)


def backward_step(carry, q, *, K, how):
    """Backward pass of one association: cotangents of its state, K, the bias and beta."""
    xp, (G, dq, dK, dbias, slope) = namespace(q), carry
    z = scores_of(q, K)
    A = softmax(z, **how)
    G = G + scores_of(dq, K)
    w = jacobian_product(A, G)
    dz = how["beta"] * w
    dK = dK + xp.matrix_transpose(A) @ dq + xp.matrix_transpose(dz) @ q
    slope = slope + temperature_gradient(w, z, axis=(-2, -1))
    return xp.zeros_like(G), dz @ K, dK, dbias + w, slope


@overridable
def jacobian_product(A, G):
    """Product of the softmax's Jacobian with G, A (G - mean), where the mean is weighted by A."""
    return A * (G - dot(A, G)[..., None])


@op("(...,l,o),(...,h,l,s),(...,h,s,v),(h,o,v)->(...,h,l,s),(...,h,s,v),(h,o,v),(o)",
    b=state("(o)"))
def read_out(g, A, V, W, /, *, b=0.0):
    r"""Gradient of `layers.read_out`.  Source: Ramsauer et al. 2021, eq. (10) [MH-13, HL-1].

    .. math:: dA^{(h)} = g W^{(h)} V^{(h)T}, \quad dV^{(h)} = A^{(h)T} g W^{(h)}, \quad
        dW^{(h)} = g^T A^{(h)} V^{(h)}, \quad db = \sum_i g_i

    >>> from hopref.gradients import layers
    >>> dA, dV, dW, db = layers.read_out([[1.0]], [[[0.5, 0.5]]], [[[1.0], [3.0]]], [[[10.0]]])
    >>> dA[0], dV[0, :, 0], dW[0], db
    (array([[10., 30.]]), array([5., 5.]), array([[2.]]), array([1.]))
    """
    xp, g = namespace(V), g[..., None, :, :]
    through = g @ W
    dW = xp.matrix_transpose(g) @ (A @ V)
    return (scores_of(through, V), xp.matrix_transpose(A) @ through, summed(dW, 3),
            summed(g[..., 0, :, :], 1))


@op("(...,l,o),(...,l,d),(...,s,e),(...,s,p),(h,a,d),(h,a,e),(h,v,p),(h,o,v)"
    "->(...,l,d),(...,s,e),(...,s,p),(h,a,d),(h,a,e),(h,v,p),(h,o,v),"
    "(h,a),(h,a),(h,v),(o),(h),(...,h,l,s),()",
    b_q=state("(h,a)"), b_k=state("(h,a)"), b_v=state("(h,v)"), b_o=state("(o)"),
    scratch="(...,h,l,s)", **iteration)
def associate(g, R, Y, P, W_q, W_k, W_v, W_o, /, *, b_q=0.0, b_k=0.0, b_v=0.0, b_o=0.0, beta=None,
              per_head=1.0, steps=1, mask=True, bias=0.0, empty_row="zeros"):
    r"""Gradient of `layers.associate` through all of its steps.

    Source: Ramsauer et al. 2021, eq. (10), differentiated [GR-1, MH-13, HL-1].

    .. math:: dz \to (dA, dV, dW_o, db_o) \to (dQ, dK) \to (dR, dY, dP, dW, db)

    by the gradients of `read_out`, `associations` and `project`, in this order.

    Returns
    -------
    (dR, dY, dP, dW_q, dW_k, dW_v, dW_o, db_q, db_k, db_v, db_o, dper_head, dbias, dbeta)

    >>> from hopref.gradients import layers
    >>> one = [[[1.0]]]
    >>> dR, *_ = layers.associate([[1.0]], [[0.0]], [[1.0], [-1.0]], [[1.0], [-1.0]], one, one, one,
    ...                           one, beta=2.0)
    >>> dR
    array([[2.]])
    """
    Q, K, V = (association.project(R, W_q, b=b_q), association.project(Y, W_k, b=b_k),
               association.project(P, W_v, b=b_v))
    A = association.associations(Q, K, beta=beta, per_head=per_head, steps=steps, mask=mask,
                                 bias=bias)
    dA, dV, dW_o, db_o = read_out(g, A, V, W_o)
    dQ, dK, dper_head, dbias, dbeta = associations(
        dA, Q, K, beta=beta, per_head=per_head, steps=steps, mask=mask, bias=bias)
    dR, dW_q, db_q = project(dQ, R, W_q)
    dY, dW_k, db_k = project(dK, Y, W_k)
    dP, dW_v, db_v = project(dV, P, W_v)
    return dR, dY, dP, dW_q, dW_k, dW_v, dW_o, db_q, db_k, db_v, db_o, dper_head, dbias, dbeta
