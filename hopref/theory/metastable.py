r"""Metastable states of groups of similar patterns, and the classification of fixed points.

``X`` (m, d) is the group, m_x its mean, m_max the largest distance of a member from the mean;
``others`` (n, d) are all other patterns, and M is the largest norm of all.  For `classify` and
`effective_patterns`, ``X`` (n, d) holds all patterns.

References: Ramsauer et al. 2021, Appendix A.1, on metastable states.
"""
import math
from typing import NamedTuple

import numpy as np

from hopref.dispatch.domains import Scalar, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.errors import naming
from hopref.maps import dot, logsumexp, sigmoid, softmax
from hopref.models import modern
from hopref.theory.arguments import validated

__all__ = ["group_separation", "group_sphere", "group_error_bound", "group_jacobian_bound",
           "effective_patterns", "classify", "Kinds"]

at_least_one = Scalar("a finite number >= 1", lambda v: 1 <= v < math.inf)
up_to_one = Scalar("a number > 0 and <= 1", lambda v: 0 < v <= 1)


@op("(m,d),(n,d)->()")
def group_separation(X, others, /):
    r"""Separation of a group: the score of its mean with itself minus the largest other score.

    Source: Ramsauer et al. 2021, lemmas A10 to A12 on metastable states [MH-11].

    .. math:: \Delta_m = m_x^T m_x - \max_j m_x^T o_j, \quad m_x = \tfrac1m \sum_i x_i

    Returns: float; negative where another pattern has the largest score.

    Status: derived, as what `group_sphere` is proved with; the paper's definition was not read.

    >>> from hopref import theory
    >>> float(theory.group_separation([[2.0, 1.0], [2.0, -1.0]], [[-1.0, 0.0]]))
    6.0
    """
    xp = namespace(X)
    mean = xp.mean(X, axis=0)
    return dot(mean, mean) - xp.max(others @ mean)


@op("(m,d),(n,d)->(),()", beta=positive)
def group_sphere(X, others, /, *, beta=1.0):
    r"""Radius of a sphere about a group's mean, and the separation for which it is a basin.

    Source: Ramsauer et al. 2021, definition 4 and lemmas A10 to A12 [MH-11].

    .. math:: \frac{1}{\beta m_{\max}}, \qquad \frac{2M}{\beta m_{\max}} - \frac1\beta
        \ln \frac{1 - \beta m_{\max}^2}{2 \beta n M \max\{m_{\max}, 2M\}},
        \qquad m_{\max} = \max_i \|x_i - m_x\|

    Returns: (radius, required).  If `group_separation` >= required, the update maps the sphere
    into itself and has one fixed point in it, within m_max + 2 gamma M of the group's mean
    (`group_error_bound`).  Required is infinite unless beta m_max^2 < 1 (printed: <=) and
    m_max > 0.

    Notes: the condition is sufficient and not necessary.  It implies beta m_max M >= 1, so that a
    group of nearly equal patterns, which also has a metastable state, does not satisfy it.

    Status: read, with < for the printed <=; derived with it.

    >>> from hopref import theory
    >>> X, others = [[9.0, 0.5], [9.0, -0.5]], [[-9.0, 0.0]]
    >>> radius, required = theory.group_sphere(X, others)
    >>> float(radius), bool(theory.group_separation(X, others) >= required)
    (2.0, True)
    """
    xp = namespace(X)
    spread, M = _radius(X), _largest_norm(X, others)
    margin = 1 - beta * spread**2
    met = (margin > 0) & (spread > 0)
    r = xp.where(spread > 0, spread, 1.0)
    size = 2 * beta * others.shape[0] * M * xp.maximum(spread, 2 * M)
    log = xp.log(xp.where(met, margin / xp.where(size > 0, size, 1.0), 1.0))
    radius = xp.where(spread > 0, 1 / (beta * r), math.inf)
    return radius, xp.where(met, 2 * M / (beta * r) - log / beta, math.inf)


@op("(...,d),(m,d),(n,d)->(...)", beta=positive, scratch="(...,n)")
def group_error_bound(xi, X, others, /, *, beta=1.0):
    r"""Upper bound on the distance from the mean of a group after one update.

    Source: Ramsauer et al. 2021, lemma A9 [MH-11].

    .. math:: \|f(\xi) - m_x\| \leq m_{\max} + 2 \gamma M

    Here gamma is the softmax weight of the patterns outside the group.

    Status: read, and derived.

    >>> from hopref import theory
    >>> float(theory.group_error_bound([0.0], [[1.0]], [[-1.0]]))      # gamma = 1/2
    1.0
    """
    return _radius(X) + 2 * _weight_of_others(xi, X, others, beta) * _largest_norm(X, others)


@op("(...,d),(m,d),(n,d)->(...)", beta=positive, scratch="(...,n)")
def group_jacobian_bound(xi, X, others, /, *, beta=1.0):
    r"""Upper bound on the spectral norm of the update's Jacobian for a group of patterns.

    Source: Ramsauer et al. 2021, lemma A8 [MH-11].

    .. math:: \|J\| \leq \beta \big((1 - \gamma) m_{\max}^2 + 2 \gamma (2 - \gamma) M^2\big)

    Here gamma is the softmax weight of the patterns outside the group.

    Status: read, and derived.

    >>> from hopref import theory
    >>> float(theory.group_jacobian_bound([0.0], [[1.0]], [[-1.0]]))   # gamma = 1/2
    1.5
    """
    gamma, M = _weight_of_others(xi, X, others, beta), _largest_norm(X, others)
    return beta * ((1 - gamma) * namespace(X).square(_radius(X))
                   + 2 * gamma * (2 - gamma) * namespace(X).square(M))


# --- kinds of fixed points -----------------------------------------------------------------------

@op("(...,d),(n,d)->(...)", beta=positive, scratch="(...,n)")
def effective_patterns(xi, X, /, *, beta=1.0):
    r"""Effective number of patterns in a state: the exponential of the entropy of their weights.

    Source: a measure for the three types of fixed points of Ramsauer et al. 2021 [MH-11].

    .. math:: e^{H(p)}, \quad H(p) = -\sum_i p_i \ln p_i = \ln \sum_i e^{-\beta g_i}
        + \beta \sum_i p_i g_i, \quad g_i = \max z - z_i

    Returns: (...) from 1, for one pattern, to n, for equal weights.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.effective_patterns([0.0], [[1.0], [-1.0]]))
    2.0
    """
    xp, z = namespace(X), xi @ X.T
    g = beta * (xp.max(z, axis=-1, keepdims=True) - z)
    return xp.sum(xp.exp(-g), axis=-1) * xp.exp(dot(softmax(-g), g))


class Kinds(NamedTuple):
    """Result of `classify`, with one entry for each state.

    ``kind`` is "single", "metastable" or "global", ``patterns`` is exp(H(p)), and ``residual`` is
    |f(xi) - xi|, which is 0 at a fixed point.
    """
    kind: np.ndarray
    patterns: np.ndarray
    residual: np.ndarray


def classify(xi, X, /, *, beta=1.0, single=1.5, share=0.9):
    r"""Classify states as one pattern, an average of some patterns, or an average of all.

    Source: the three types of fixed points of Ramsauer et al. 2021, by exp(H(p)) [MH-11].

    Parameters
    ----------
    xi : (..., d) states
    X : (n, d) stored patterns, one a row
    beta : inverse temperature, > 0
    single : largest number of effective patterns of a "single" state, >= 1
    share : smallest fraction of the n patterns in a "global" state, > 0 and <= 1; other states
        above ``single`` are "metastable"

    Returns
    -------
    Kinds; the residual shows whether the state is a fixed point

    Notes
    -----
    The default thresholds are a convention.

    >>> from hopref import theory
    >>> X = [[4.0, 0.1], [4.0, -0.1], [-4.0, 0.0]]
    >>> theory.classify([4.0, 0.0], X, beta=1.0).kind
    array('metastable', dtype='<U10')
    """
    xi, X = validated(modern.weights, "classify", xi, X, beta=beta)
    with naming("hopref.theory.classify"):
        single, share = at_least_one.validate("single", single), up_to_one.validate("share", share)
    patterns = np.asarray(effective_patterns(xi, X, beta=beta))
    away = modern.update(xi, X, beta=beta) - xi
    kind = np.where(patterns <= single, "single",
                    np.where(patterns >= share * len(X), "global", "metastable"))
    return Kinds(kind, patterns, np.sqrt((away * away).sum(-1)))


def _radius(X):
    """m_max, the largest distance of a member from the group's mean."""
    xp = namespace(X)
    away = X - xp.mean(X, axis=0)
    return xp.sqrt(xp.max(dot(away, away)))


def _largest_norm(X, others):
    xp = namespace(X)
    return xp.sqrt(xp.maximum(xp.max(dot(X, X)), xp.max(dot(others, others))))


def _weight_of_others(xi, X, others, beta):
    """gamma, the softmax weight of the other patterns."""
    lead = logsumexp(xi @ others.T, beta=beta) - logsumexp(xi @ X.T, beta=beta)
    return sigmoid(beta * lead)
