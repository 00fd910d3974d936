r"""The operations of a Hopfield layer as functions of explicit weights.

``R`` (..., l, d) state patterns, ``Y`` (..., s, e) stored patterns, ``P`` (..., s, p) patterns that
are read out; ``W_q`` (h, a, d), ``W_k`` (h, a, e), ``W_v`` (h, v, p) and ``W_o`` (h, o, v), one
matrix for each head, map inputs to outputs; ``Q`` (..., h, l, a), ``K`` (..., h, s, a) and ``V``
(..., h, s, v) are the projections.  A mask is True where a pattern is visible.

References: Ramsauer et al. 2021, *Hopfield Networks is All You Need*, eq. (10); the layers
published with it, ml-jku/hopfield-layers.
"""
from hopref.dispatch.domains import count, factors, mask, nonnegative, positive, scores, state
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.layers.preconditions import pattern_visible
from hopref.maps import (
    centred,
    default_scale,
    empty_rows,
    for_heads,
    mean,
    ratio,
    softmax,
    unhidden,
    unit_of,
    weighted_sum,
)

__all__ = ["layer_norm", "project", "associations", "read_out", "associate"]

iteration = dict(beta=positive, per_head=factors("(h)"), steps=count, mask=mask("(...,l,s)"),
                 bias=scores("(...,h,l,s)"), empty_row=empty_rows, precondition=pattern_visible)


@op("(...,d)->(...,d)", gain=state("(d)"), shift=state("(d)"), eps=nonnegative)
def layer_norm(x, /, *, gain=1.0, shift=0.0, eps=1e-5):
    r"""Layer normalisation.  Source: Ba et al. 2016; ml-jku/hopfield-layers [HL-1].

    .. math:: y = g \odot \frac{x - \bar x}{\sqrt{\overline{(x - \bar x)^2} + \epsilon}} + t

    Parameters
    ----------
    gain, shift : the factor g and the summand t of each normalised component
    eps : added to the variance; with eps = 0, a constant row becomes the shift

    Notes
    -----
    The result for c x and c^2 eps is the same as for x and eps, to the last bit where c is a power
    of two: squares neither over- nor underflow.

    >>> from hopref import layers
    >>> layers.layer_norm([3.0, 1.0], eps=0.0)
    array([ 1., -1.])
    """
    unit = unit_of(x, eps)
    away = centred(x / unit)
    width = namespace(x).sqrt(mean(away * away) + eps / unit / unit)
    return gain * ratio(away, width, 0.0) + shift


@op("(...,l,d),(h,a,d)->(...,h,l,a)", b=state("(h,a)"))
def project(x, W, /, *, b=0.0):
    r"""Project patterns into the association spaces of all heads.

    Source: Ramsauer et al. 2021, eq. (10) [MH-13, HL-1].

    .. math:: q^{(h)}_i = W^{(h)} x_i + b^{(h)}

    Parameters
    ----------
    W : projection matrices, one for each head
    b : biases, one row for each head

    >>> from hopref import layers
    >>> layers.project([[1.0, 2.0]], [[[1.0, 0.0]], [[0.0, 1.0]]])[:, 0, 0]      # two heads
    array([1., 2.])
    """
    return x[..., None, :, :] @ namespace(W).matrix_transpose(W) + rows_of(b)


@op("(...,h,l,a),(...,h,s,a)->(...,h,l,s)", scratch="(...,h,l,s)", **iteration)
def associations(Q, K, /, *, beta=None, per_head=1.0, steps=1, mask=True, bias=0.0,
                 empty_row="zeros"):
    r"""Association matrices of all heads after exactly n = ``steps`` associations.

    Source: Ramsauer et al. 2021, eqs. (3), (10); ml-jku/hopfield-layers [MH-2, MH-13, HL-2, HL-3].

    .. math:: A_t = \mathrm{softmax}(\beta_h Q_{t-1} K^T + B), \quad Q_t = A_t K, \quad
        Q_0 = Q, \quad A = A_n

    Parameters
    ----------
    Q : states projected into the association space of each head
    K : stored patterns projected into the association space of each head
    beta : inverse temperature; None for 1/sqrt(a)
    per_head : factors of beta: beta_h = beta * per_head[h]
    steps : number of softmaxes: 1 is attention; n + 1 associations follow n updates of the modern
        network
    mask : True where a stored pattern is visible to a state
    bias : B, added to the scaled scores; -inf hides a pattern from a head
    empty_row : weights of a state to which no pattern is visible: "zeros" or "nan"; "raise" raises
        DomainError

    Notes
    -----
    Only the states are iterated.  Without a bias the modern energy of every head decreases with
    each step; it does not depend on the patterns that are read out.

    >>> from hopref import layers
    >>> layers.associations([[[0.0, 1.0]]], [[[1.0, 0.0], [-1.0, 0.0]]])[0]
    array([[0.5, 0.5]])
    """
    options = softmax_options(K, beta, per_head, mask, bias)
    last = iterates(Q, K, steps, options)[-1, ...]
    return softmax(scores_of(last, K), **options, empty_row=empty_row)


@op("(...,h,l,s),(...,h,s,v),(h,o,v)->(...,l,o)", b=state("(o)"))
def read_out(A, V, W, /, *, b=0.0):
    r"""Combine the results of all heads into one output.

    Source: Ramsauer et al. 2021, eq. (10); ml-jku/hopfield-layers [MH-13, HL-1].

    .. math:: z_i = \sum_h W^{(h)} V^{(h)T} a^{(h)}_i + b

    Parameters
    ----------
    A : association matrices, one for each head
    W : output matrices, one for each head
    b : bias of the output

    >>> from hopref import layers
    >>> layers.read_out([[[0.5, 0.5]]], [[[1.0], [3.0]]], [[[10.0]]])
    array([[20.]])
    """
    return combined(A @ V, W, b)


def combined(Z, W, b):
    """The output for the results of all heads."""
    xp = namespace(Z)
    return xp.sum(Z @ xp.matrix_transpose(W), axis=-3) + b


@op("(...,l,d),(...,s,e),(...,s,p),(h,a,d),(h,a,e),(h,v,p),(h,o,v)->(...,l,o)",
    b_q=state("(h,a)"), b_k=state("(h,a)"), b_v=state("(h,v)"), b_o=state("(o)"),
    scratch="(...,h,l,s)", **iteration)
def associate(R, Y, P, W_q, W_k, W_v, W_o, /, *, b_q=0.0, b_k=0.0, b_v=0.0, b_o=0.0, beta=None,
              per_head=1.0, steps=1, mask=True, bias=0.0, empty_row="zeros"):
    r"""Multi-head Hopfield association: project, associate, read out.

    Source: Ramsauer et al. 2021, eq. (10); ml-jku/hopfield-layers [MH-13, HL-1, HL-2].

    .. math:: z_i = \sum_h W_o^{(h)} (W_v^{(h)} P^T + b_v^{(h)}) a^{(h)}_i + b_o, \quad
        A^{(h)} = \mathrm{associations}(R W_q^{(h)T} + b_q^{(h)}, Y W_k^{(h)T} + b_k^{(h)})

    Parameters
    ----------
    R : state patterns, one in each row
    Y : stored patterns, one in each row
    P : patterns that are read out, one for each stored pattern
    W_q, W_k, W_v : projections of the states, the stored patterns and the patterns that are read
        out, one matrix for each head
    W_o : output matrices, one for each head
    b_q, b_k, b_v, b_o : biases of the four matrices
    beta : inverse temperature; None for 1/sqrt(a)
    per_head : factors of beta: beta_h = beta * per_head[h]
    steps : number of softmaxes
    mask : True where a stored pattern is visible to a state
    bias : added to the scaled scores; -inf hides a pattern from a head
    empty_row : weights of a state to which no pattern is visible, as in `associations`

    >>> from hopref import layers
    >>> one = [[[1.0]]]
    >>> layers.associate([[0.0]], [[1.0], [2.0]], [[1.0], [3.0]], one, one, one, one, b_o=[4.0])
    array([[6.]])
    """
    A = associations(project(R, W_q, b=b_q), project(Y, W_k, b=b_k), beta=beta, per_head=per_head,
                     steps=steps, mask=mask, bias=bias, empty_row=empty_row)
    seen = unhidden(for_heads(mask), bias)
    return combined(weighted_sum(A, project(P, W_v, b=b_v), seen), W_o, b_o)


def softmax_options(K, beta, per_head, mask, bias):
    """Keyword arguments of every softmax: inverse temperatures of the heads, bias and mask."""
    return {"beta": default_scale(beta, K) * heads_of(per_head), "bias": bias,
            "where": unhidden(for_heads(mask), bias)}


def scores_of(Q, K):
    """The products of all states and stored patterns, head by head."""
    return Q @ namespace(K).matrix_transpose(K)


def iterates(Q, K, steps, options):
    """The states before each association, stacked: Q and its updates."""
    states = [Q]
    for _ in range(steps - 1):
        A = softmax(scores_of(states[-1], K), **options)
        states.append(weighted_sum(A, K, options["where"]))
    return namespace(Q).stack(states)


def rows_of(b):
    """Broadcast one row for each head over the patterns of that head; keep a number unchanged."""
    return b if isinstance(b, float) else b[..., None, :]


def heads_of(b):
    """Broadcast one number for each head over its scores; keep a single number unchanged."""
    return b if isinstance(b, float) else b[..., None, None]
