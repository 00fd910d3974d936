r"""Vector-Jacobian product of the energy of the Energy Transformer.

``g`` is the cotangent of the energy; the other arguments are those of `models.energy_transformer`.
Gradients of weights, memories and numbers are summed over all sets of tokens.

References: Hoover et al. 2023; Ba et al. 2016; differentiated.
"""
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients.layers import layer_norm as layer_norm_gradient
from hopref.gradients.sums import transposed
from hopref.maps import (
    default_scale,
    dot,
    finite_or_zero,
    for_heads,
    logsumexp,
    outer,
    overlaps,
    relu,
    seen,
    softmax,
    summed,
)
from hopref.models.energy_transformer import block, flow, normalised, projected, received

__all__ = ["energy"]


@op("(...),(...,k,d),(h,a,d),(h,a,d),(m,d)->(...,k,d),(h,a,d),(h,a,d),(m,d),(),(),()", **block)
def energy(g, x, W_q, W_k, X, /, *, beta=None, gain=1.0, eps=1e-5, mask=True):
    r"""Gradient of `energy_transformer.energy`.

    Source: Hoover et al. 2023, differentiated [GR-1, ET-3].

    .. math:: dx_i = -g\, J_i v_i, \quad dW_q = -g \sum_i (A K)_i\, y_i^T, \quad
        dW_k = -g \sum_i (A^T Q)_i\, y_i^T, \quad dX = -g \max(0, X y) y^T, \quad
        d\beta = \frac{g}\beta \sum_{hi} \bigl(\mathrm{lse}_i - \textstyle\sum_j A_{ij} z_{ij}\bigr)

    where v is the flow, J_i the Jacobian of the layer norm, and z = q.k.

    Parameters
    ----------
    x : tokens, one in each row
    W_q : projections of the queries, one matrix for each head
    W_k : projections of the keys, one matrix for each head
    X : memories, one in each row
    beta : inverse temperature of the attention; None for 1/sqrt(a)
    gain : factor of the normalised tokens, one for all components
    eps : stabiliser, added to the variance of a token
    mask : True where a token (column) is visible to a token (row), in all heads

    Returns
    -------
    (dx, dW_q, dW_k, dX, dbeta, dgain, deps)

    >>> from hopref.gradients import energy_transformer
    >>> W = [[[0.0, 0.0]]]
    >>> energy_transformer.energy(1.0, [[5.0, 3.0]], W, W, [[2.0, 0.0]], eps=0.0)[3]
    array([[-2.,  2.]])
    """
    xp, y = namespace(x), normalised(x, gain, eps)
    Q, K = projected(y, W_q), projected(y, W_k)
    scale, z, where = default_scale(beta, K), Q @ transposed(K), for_heads(mask)
    velocity = flow(x, W_q, W_k, X, beta=beta, gain=gain, eps=eps, mask=mask)
    dx, dgain, _, deps = layer_norm_gradient(-g[..., None, None] * velocity, x, gain=gain, eps=eps)
    to_queries, to_keys = received(Q, K, beta, mask)
    dX = -outer(g[..., None, None] * relu(y @ X.T), y)
    A = softmax(overlaps(Q, K, where), beta=scale, where=where)
    gap = finite_or_zero(logsumexp(seen(z, where), beta=scale)) - dot(A, z)
    return (dx, by_heads(g, to_queries, y), by_heads(g, to_keys, y), dX,
            xp.sum(g[..., None, None] * gap) / scale, xp.sum(dgain), deps)


def by_heads(g, received, y):
    """-g sum_i r_i y_i^T for what the tokens receive in each head, summed over leading axes."""
    return -summed(transposed(g[..., None, None, None] * received) @ y[..., None, :, :], 3)
