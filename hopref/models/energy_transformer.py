r"""Energy Transformer: tokens move along the gradient of one energy of attention and memories.

``x`` (..., k, d) tokens, a token a row; ``W_q`` and ``W_k`` (h, a, d) projections, one matrix for
each head; ``X`` (m, d) memories, one a row.  The tokens enter by their layer norm with a scalar
gain, y = gain (x - mean)/s, which is the gradient of a convex function of x.  Every token attends
to all that the mask shows, by default itself included, and there are no values.

References: Hoover et al. 2023, *Energy Transformer*.  The text of the paper was not available: the
energy is that of its published code, and the flow is its gradient, derived here.
"""
from hopref.dispatch.domains import finite, mask, no_larger_than, nonnegative, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    Lagrangian,
    default_scale,
    dot,
    finite_or_zero,
    for_heads,
    logsumexp,
    overlaps,
    relu,
    seen,
    softmax,
    weighted_sum,
)

__all__ = ["energy", "flow"]

moderate = no_larger_than(250)
block = dict(beta=positive, gain=nonnegative, eps=nonnegative, mask=mask("(...,k,k)"), x=moderate,
             W_q=moderate, W_k=moderate, X=moderate, scratch="(...,h,k,k)", result=finite)


@op("(...,k,d),(h,a,d),(h,a,d),(m,d)->(...)", **block)
def energy(x, W_q, W_k, X, /, *, beta=None, gain=1.0, eps=1e-5, mask=True):
    r"""Energy of the tokens.  Source: Hoover et al. 2023, as published in code [ET-1, ET-2].

    .. math:: E = -\tfrac1\beta \sum_{h,i} \ln \sum_j e^{\beta q_{hi}^T k_{hj}}
        - \tfrac12 \sum_{i,\mu} \max(0, x_\mu^T y_i)^2, \quad
        q_{hi} = W^{(h)}_q y_i, \; k_{hj} = W^{(h)}_k y_j

    where y_i is the layer norm of token i, and j are the tokens that the mask shows to i; a token
    to which none is shown has no term in the first sum.

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

    >>> from hopref import energy_transformer
    >>> W = [[[0.0, 0.0]]]
    >>> float(energy_transformer.energy([[5.0, 3.0]], W, W, [[2.0, 0.0]], eps=0.0))  # y = (1, -1)
    -2.0
    """
    y = normalised(x, gain, eps)
    Q, K = projected(y, W_q), projected(y, W_k)
    xp, hidden = namespace(x), relu(y @ X.T)
    z = seen(Q @ xp.matrix_transpose(K), for_heads(mask))
    attended = finite_or_zero(logsumexp(z, beta=default_scale(beta, K)))
    return -xp.sum(attended, axis=(-2, -1)) - xp.sum(dot(hidden, hidden), axis=-1) / 2


@op("(...,k,d),(h,a,d),(h,a,d),(m,d)->(...,k,d)", lowers=(energy, "along the flow"), **block)
def flow(x, W_q, W_k, X, /, *, beta=None, gain=1.0, eps=1e-5, mask=True):
    r"""Velocity of the tokens, minus the gradient of the energy in the normalised tokens.

    Source: Hoover et al. 2023; the gradient is derived here [ET-1, ET-2, ET-3, ET-5].

    .. math:: \dot x_i = -\nabla_{y_i} E = \sum_h \Bigl(W_q^{(h)T} \sum_j A^{(h)}_{ij} k_{hj}
        + W_k^{(h)T} \sum_j A^{(h)}_{ji} q_{hj}\Bigr) + \sum_\mu \max(0, x_\mu^T y_i)\, x_\mu

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

    Notes
    -----
    Along the flow the energy decreases at the rate of sum_i v_i^T J_i v_i, where J_i >= 0 is the
    Jacobian of the layer norm and v_i the velocity.  Attention has the first term in A alone.  A
    step of finite size may increase the energy.  Without attention, with W_q = 0, every step
    lowers it, because it is a concave function of the normalised tokens.

    >>> from hopref import energy_transformer
    >>> W = [[[0.0, 0.0]]]
    >>> energy_transformer.flow([[5.0, 3.0]], W, W, [[2.0, 0.0]], eps=0.0)
    array([[4., 0.]])
    """
    y = normalised(x, gain, eps)
    Q, K = projected(y, W_q), projected(y, W_k)
    to_queries, to_keys = received(Q, K, beta, mask)
    heads = to_queries @ W_q + to_keys @ W_k
    return namespace(x).sum(heads, axis=-3) + relu(y @ X.T) @ X


def normalised(x, gain, eps):
    return Lagrangian.named("layer_norm", gain=gain, eps=eps).g(x, 1.0)


def projected(y, W):
    """W y of all tokens and heads: (..., h, k, a)."""
    return y[..., None, :, :] @ namespace(W).matrix_transpose(W)


def received(Q, K, beta, mask):
    """A K and A^T Q for the weights A of the tokens."""
    xp, where = namespace(Q), for_heads(mask)
    A = softmax(overlaps(Q, K, where), beta=default_scale(beta, K), where=where)
    shows = xp.ones_like(A, dtype=xp.bool) & where
    return (weighted_sum(A, K, shows),
            weighted_sum(xp.matrix_transpose(A), Q, xp.matrix_transpose(shows)))
