r"""Sigmoid attention and the memory whose update it is: keys and patterns do not compete.

``Q`` (..., l, d) queries, ``K`` (..., s, d) keys, ``V`` (..., s, v) values with equal leading axes;
``xi`` (..., d) states, ``X`` (n, d) stored patterns, one a row; ``offset`` is added to the scaled
scores, and is often -log of the number of keys.  Each weight is that of a softmax over one key and
a sink of -offset.  Weights do not sum to 1, and results are not among the values.

References: Ramapuram et al. 2025, *Theory, Analysis, and Best Practices for Sigmoid
Self-Attention*; Krotov and Hopfield 2021, *Large Associative Memory Problem in Neurobiology and
Machine Learning*, for energies of hidden layers with separate neurons.
"""
from hopref.dispatch.domains import finite, inverse_temperature, real
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    default_scale,
    dot,
    shown,
    sigmoid,
    softplus,
    unhidden,
    visible,
    weighted_sum,
)
from hopref.models.attention import score_options

__all__ = ["energy", "update", "attention_weights", "attention"]

memory = dict(beta=inverse_temperature, offset=real, scratch="(...,n)")
heads = dict(offset=real, **score_options, scratch="(...,l,s)")


@op("(...,d),(n,d)->(...)", **memory, result=finite)
def energy(xi, X, /, *, beta=1.0, offset=0.0):
    r"""Energy of a state of a network of separate hidden neurons.

    Source: Ramapuram et al. 2025; Krotov and Hopfield 2021 [SG-2].

    .. math:: E = \tfrac12 \|\xi\|^2 - \tfrac1\beta \sum_i \ln(1 + e^{\beta x_i^T \xi + b})

    Parameters
    ----------
    offset : b, which is not multiplied by beta

    Returns
    -------
    (...) array, energies >= -(sum |x_i|)^2/2 - N ln(1 + e^b)/beta

    >>> from hopref import sigmoid
    >>> float(sigmoid.energy([0.0], [[1.0]]).round(6))      # -ln 2
    -0.693147
    """
    z = beta * (xi @ X.T) + offset
    return dot(xi, xi) / 2 - namespace(z).sum(softplus(z), axis=-1) / beta


@op("(...,d),(n,d)->(...,d)", **memory, lowers=energy, result=finite)
def update(xi, X, /, *, beta=1.0, offset=0.0):
    r"""One retrieval step by weights that do not compete.

    Source: Ramapuram et al. 2025; Krotov and Hopfield 2021 [SG-2].

    .. math:: \xi^{new} = \sum_i \sigma(\beta x_i^T \xi + b)\, x_i, \quad
        \sigma(u) = \frac{1}{1 + e^{-u}}

    Parameters
    ----------
    offset : b, which is not multiplied by beta

    Notes
    -----
    The energy decreases by exactly |xi_new - xi|^2/2 plus, for each pattern, the divergence of two
    Bernoulli variables of the old and the new weight, over beta.  There is one fixed point, the
    limit from every state, if beta |X|^2 < 4 in the spectral norm.

    >>> from hopref import sigmoid
    >>> sigmoid.update([0.0], [[1.0], [3.0]])
    array([2.])
    """
    return sigmoid(beta * (xi @ X.T) + offset) @ X


@op("(...,l,d),(...,s,d)->(...,l,s)", **heads, result=finite)
def attention_weights(Q, K, /, *, offset=0.0, scale=None, mask=True, bias=0.0, causal=False,
                      align="end"):
    r"""Weights of sigmoid attention.  Source: Ramapuram et al. 2025 [SG-1].

    .. math:: A = \sigma(c\,Q K^T + B + b)

    Parameters
    ----------
    offset : b, added to the scaled scores

    >>> from hopref import sigmoid
    >>> sigmoid.attention_weights([[0.0]], [[1.0], [2.0]])
    array([[0.5, 0.5]])
    """
    return _weights(Q, K, offset, scale, unhidden(visible(Q, K, mask, causal, align), bias), bias)


def _weights(Q, K, offset, scale, seen, bias):
    z = default_scale(scale, K) * (Q @ namespace(K).matrix_transpose(K)) + bias + offset
    return shown(sigmoid(z), seen)


@op("(...,l,d),(...,s,d),(...,s,v)->(...,l,v)", **heads, result=finite)
def attention(Q, K, V, /, *, offset=0.0, scale=None, mask=True, bias=0.0, causal=False,
              align="end"):
    r"""Sigmoid attention.  Source: Ramapuram et al. 2025 [SG-1].

    .. math:: Z = \sigma(c\,Q K^T + B + b)\, V

    Parameters
    ----------
    offset : b, added to the scaled scores; 0 by default, -log of the number of keys in some models
    scale : c; None for 1/sqrt(d)
    mask : True where a key is visible to a query; the weight of a hidden key is 0, not sigma(0)
    bias : B, added to the scaled scores; -inf hides a key

    Notes
    -----
    Weights are not normalised: results of separate keys are added, and a query without visible keys
    has the result 0.  As with every attention of other values, there is no energy.

    >>> from hopref import sigmoid
    >>> sigmoid.attention([[0.0]], [[1.0], [2.0]], [[1.0], [3.0]])
    array([[2.]])
    """
    seen = unhidden(visible(Q, K, mask, causal, align), bias)
    return weighted_sum(_weights(Q, K, offset, scale, seen, bias), V, seen)
