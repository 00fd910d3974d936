r"""Perceptron storage: the stability of patterns, and how many patterns a margin allows.

References: Gardner 1988; Gardner and Derrida 1988; Cover 1965.
"""
import math

import numpy as np

from hopref.dispatch.domains import polar, real
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot, ratio

__all__ = ["stability", "perceptron_capacity"]


@op("(n,d),(d,d)->(n,d)", X=polar, scratch="(n,d)")
def stability(X, W, /):
    r"""Stability of each component of each polar pattern, the distance from its hyperplane.

    Source: Gardner and Derrida 1988 [GA-3].

    .. math:: \gamma_i^\mu = x_i^\mu \, w_i^T x^\mu / \|w_i\|

    Parameters
    ----------
    X : polar patterns, one in each row
    W : weights, of which the row w_i yields the field of component i

    Returns: (n, d) stabilities; a pattern is a fixed point of the sign update if all of its own are
    > 0.  Components without weights have the stability 0.

    Status: read (abstract).

    >>> from hopref import theory
    >>> theory.stability([[1.0, -1.0]], [[0.0, -2.0], [3.0, 0.0]])
    array([[ 1., -1.]])
    """
    return ratio(X * (X @ W.T), namespace(W).sqrt(dot(W, W)), 0.0)


@op("->()", margin=real)
def perceptron_capacity(margin, /):
    r"""Random polar patterns per neuron for which weights of this stability exist.

    Source: Gardner and Derrida 1988; Cover 1965, for a margin of 0 [GA-1, GA-2].

    .. math:: \alpha_c(\kappa) = 1 \Big/ \int_{-\kappa}^\infty \frac{(t + \kappa)^2}{\sqrt{2\pi}}
        e^{-t^2/2} dt = \frac{1}{(1 + \kappa^2)\, \Phi(\kappa) + \kappa\, \varphi(\kappa)}

    Parameters
    ----------
    margin : kappa, in units of the length of the weights of a neuron

    Returns: float, patterns per neuron; 2 for a margin of 0, infinite beyond the largest float.

    Notes: the limit is d -> infinity.  For a margin of 0 and every d, half of all sets of 2 d
    patterns in general position are separable (Cover 1965).  For margins < 0 the sum cancels, and
    the integral is evaluated as a parabolic cylinder function.

    Status: secondary; the value 2 is read (abstract), and the integral is derived.

    >>> from hopref import theory
    >>> [round(float(theory.perceptron_capacity(k)), 6) for k in (0.0, 0.5, 1.0)]
    [2.0, 0.961205, 0.519572]
    """
    k = float(margin)
    density = math.exp(-k * k / 2) / math.sqrt(2 * math.pi)
    if k >= 0:
        return np.float64(1 / ((1 + k * k) * math.erfc(-k / math.sqrt(2)) / 2 + k * density))
    from scipy.special import pbdv
    tail = 2 * math.exp(-k * k / 4) / math.sqrt(2 * math.pi) * pbdv(-3.0, -k)[0]
    return np.float64(1 / tail if tail > 0 else math.inf)
