r"""Attention and retrieval with a sink: a score of no key takes part of the weight.

``Q`` (..., l, d) queries, ``K`` (..., s, d) keys, ``V`` (..., s, v) values with equal leading axes,
``sink`` (...) one score for each head, in the units of the scaled scores; ``xi`` (..., d) states,
``X`` (n, d) stored patterns, one a row.  A sink of 0 is softmax_1, a sink of log n adds n to the
denominator.  A sink is a pattern, or a key with a value, of zeros whose score has the bias s.

References: the attention sinks of gpt-oss, as in the library transformers; Miller 2023, *Attention
is off by one*; Ramsauer et al. 2021, *Hopfield Networks is All You Need*, for the energy without
a sink.
"""
from hopref.dispatch.domains import finite, inverse_temperature, real
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    default_scale,
    dot,
    overlaps_and_zero,
    rows,
    shorter,
    sink_gain,
    softmax_and_sink,
    unhidden,
    visible,
    weighted_sum,
)
from hopref.models.attention import score_options

__all__ = ["energy", "update", "attention_weights", "attention"]

memory = dict(beta=inverse_temperature, sink=real, scratch="(...,n)")
heads = dict(**score_options, scratch="(...,l,s)")


@op("(...,d),(n,d)->(...)", **memory, result=finite)
def energy(xi, X, /, *, beta=1.0, sink=0.0):
    r"""Energy of a state of a network with a sink.

    Source: Ramsauer et al. 2021, eq. (2), with a pattern of zeros that has a bias [SK-4].

    .. math:: E = -\tfrac1\beta \ln\Bigl(e^s + \sum_i e^{\beta x_i^T \xi}\Bigr)
        + \tfrac12 \|\xi\|^2 + \tfrac1\beta \ln(N + e^s) + \tfrac12 M^2

    Parameters
    ----------
    sink : s, the score of the sink, which is not multiplied by beta

    Returns
    -------
    (...) array, energies >= (M - |xi|)^2/2

    Notes
    -----
    The energy is computed as the sum of three terms >= 0, as that of `modern.energy`, with a mean
    of N + e^s patterns, e^s of which are 0.

    >>> from hopref import sinks
    >>> float(sinks.energy([0.0], [[1.0]]))                 # M^2/2: all scores are 0
    0.5
    """
    xp, z = namespace(xi), overlaps_and_zero(xi, X)
    X = with_zero(X)
    nearest, gaps = rows(X, xp.argmax(z, axis=-1)), z - xp.max(z, axis=-1, keepdims=True)
    offset = xi - nearest
    return dot(offset, offset) / 2 + shorter(X, nearest) / 2 - sink_gain(gaps, beta, sink)


@op("(...,d),(n,d)->(...,d)", **memory, lowers=energy, result=finite)
def update(xi, X, /, *, beta=1.0, sink=0.0):
    r"""One retrieval step with a sink.

    Source: Ramsauer et al. 2021, eq. (3), with a pattern of zeros that has a bias [SK-4, SK-5].

    .. math:: \xi^{new} = \sum_i p_i x_i, \quad
        p_i = e^{\beta x_i^T \xi} / \bigl(e^s + \sum_j e^{\beta x_j^T \xi}\bigr)

    Parameters
    ----------
    sink : s, the score of the sink, which is not multiplied by beta

    Notes
    -----
    The result is in the convex hull of the patterns and 0.  The energy decreases by exactly
    |xi_new - xi|^2/2 + KL(p(xi) || p(xi_new))/beta, where p includes the weight of the sink.

    >>> from hopref import sinks
    >>> sinks.update([0.0], [[1.0]])
    array([0.5])
    """
    return softmax_and_sink(overlaps_and_zero(xi, X), sink, beta, 0.0, True) @ with_zero(X)


def with_zero(X):
    """The patterns or keys, with one more of zeros for the sink."""
    xp = namespace(X)
    return xp.concat([X, xp.zeros_like(X[..., :1, :])], axis=-2)


@op("(...,l,d),(...,s,d),(...)->(...,l,s)", **heads, result=finite)
def attention_weights(Q, K, sink, /, *, scale=None, mask=True, bias=0.0, causal=False,
                      align="end"):
    r"""Attention matrix of heads with sinks.  Source: the attention sinks of gpt-oss [SK-1].

    .. math:: A_{ij} = e^{z_{ij}} / \bigl(e^s + \sum_j e^{z_{ij}}\bigr), \quad z = c\,Q K^T + B

    Parameters
    ----------
    sink : s, one score for each head, which is neither multiplied by the scale nor masked

    >>> from hopref import sinks
    >>> sinks.attention_weights([[0.0]], [[1.0]], 0.0)
    array([[0.5]])
    """
    return _weights(Q, K, sink, scale, unhidden(visible(Q, K, mask, causal, align), bias), bias)


def _weights(Q, K, sink, scale, seen, bias):
    z = overlaps_and_zero(Q, K, seen)
    return softmax_and_sink(z, sink[..., None, None], default_scale(scale, K), bias,
                            seen)[..., :-1]


@op("(...,l,d),(...,s,d),(...,s,v),(...)->(...,l,v)", **heads, result=finite)
def attention(Q, K, V, sink, /, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
    r"""Attention of heads with sinks.  Source: the attention sinks of gpt-oss [SK-1].

    .. math:: Z = A V, \quad
        A_{ij} = e^{z_{ij}} / \bigl(e^s + \sum_j e^{z_{ij}}\bigr), \quad z = c\,Q K^T + B

    Parameters
    ----------
    sink : s, one score for each head, which is neither multiplied by the scale nor masked
    scale : c; None for 1/sqrt(d)
    bias : B, added to the scaled scores; -inf hides a key

    Returns
    -------
    (..., l, v) array: the result of `attention.softmax_attention` times the logistic function of
    lse - s, where lse is the logsumexp of the visible scores; 0 for a query without visible keys

    Notes
    -----
    As with every attention of other values, there is no energy.

    >>> from hopref import sinks
    >>> sinks.attention([[0.0]], [[1.0], [2.0]], [[1.0], [5.0]], 0.0)
    array([[2.]])
    """
    seen = unhidden(visible(Q, K, mask, causal, align), bias)
    return weighted_sum(_weights(Q, K, sink, scale, seen, bias), V, seen)
