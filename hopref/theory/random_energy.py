"""Capacities of exponential memories by the threshold model.

The scores of all other patterns are independent energies: their sum of exponentials is dominated by
the scores that are most frequent, or by the largest that occurs.  The setting is that of the
abstract of Lucibello & Mézard 2024; the thresholds are derived here.  Units and statuses are those
of `hopref.theory.capacity`.
"""
import math

import numpy as np

from hopref.dispatch.domains import choice, positive
from hopref.dispatch.operation import op

__all__ = ["capacity_random_energy", "capacity_exponential_typical", "capacity_feature_memory"]


def _spherical(beta):
    """beta (1 - m) - ln(1 - m^2)/2, where 1 - m^2 = m / beta."""
    t = 1 / (2 * beta)
    m = 1 / (t + math.hypot(1, t))
    apart = m * (t + t * (t / (1 + math.hypot(1, t)))) if t < 1 else 1 - m
    return beta * apart + math.log1p(beta * m) / 2


def _gaussian(beta):
    return beta * (1 - beta / 2) if beta < 1 else 0.5


PATTERNS = choice(spherical=_spherical, gaussian=_gaussian)


@op("->()", beta=positive, patterns=PATTERNS)
def capacity_random_energy(*, beta=1.0, patterns="spherical"):
    r"""Rate alpha up to which a typical one of N = exp(alpha d) patterns outweighs all others.

    Source: the threshold model of Lucibello & Mézard 2024, derived here [RE-1, RE-2,
    RE-3].

    .. math:: \alpha_1 = \min \{\alpha : \max_{I(m) \le \alpha} (\alpha - I(m) + \beta m) \ge
        \beta\}

    For patterns on the sphere, :math:`I(m) = -\tfrac12 \ln(1 - m^2)`, with
    :math:`m = (\sqrt{1 + 4 \beta^2} - 1) / (2 \beta)`:

    .. math:: \alpha_1 = \beta (1 - m) - \tfrac12 \ln(1 - m^2)

    which is beta less the limit of :math:`d^{-1} \ln E e^{\beta x^T y}` for two of them.

    For Gaussian patterns, :math:`I(m) = m^2 / 2`, and :math:`\alpha_1 = \beta - \beta^2 / 2` below
    :math:`\beta = 1`, one half above.

    Parameters
    ----------
    beta : inverse temperature > 0 of the update of `modern.update`, for patterns of squared norm d
    patterns : "spherical" or "gaussian"

    Returns: float, the supremum in nats per neuron.

    Notes: the cue is the pattern itself; above, its softmax weight tends to 0 for d -> infinity.
    This is neither the capacity at which all patterns are retrieved nor one with damaged cues.

    Status: derived, without a proof of concentration; measured by the experiment "threshold".

    >>> from hopref import theory
    >>> round(float(theory.capacity_random_energy(beta=1.0)), 6)
    0.622572
    """
    return np.float64(patterns(beta))


@op("->()")
def capacity_exponential_typical():
    r"""Rate at which the noise of one step of an exponential memory equals the signal.

    Source: the threshold model of Lucibello & Mézard 2024, derived here; Chaudhry et al. 2023,
    for sequences [RE-4, SQ-4].

    .. math:: \sqrt{N \cosh(2)^d} = e^d \iff \alpha = \ln \frac{e^2}{\cosh 2}

    Returns: float, in nats per neuron, for random signs and cues without errors.  The constant
    ln(2)/2 of `capacity_exponential` is sufficient; this one is where recall is lost.  It is also
    that of `sequences.update` with the exponential interaction.

    Status: derived, without a proof of concentration, from the variance of the noise;
    measured by the experiment "threshold".

    >>> from hopref import theory
    >>> round(float(theory.capacity_exponential_typical()), 6)
    0.674997
    """
    return np.float64(2 - math.log(math.cosh(2)))


@op("->()", features=positive)
def capacity_feature_memory(*, features):
    r"""Rate alpha of the patterns that m = exp(mu d) positive random features can store.

    Source: Ben Arous, Bogachev & Molchanov 2005, for sums of random exponentials; the threshold
    model, derived here [PE-14, RE-1].

    .. math:: \alpha = \max_{\beta \le \mu/2} \alpha_1(\beta) = \alpha_1(\mu/2) < \mu/2

    Parameters
    ----------
    features : mu = ln(m)/d, the rate of the number of features of `feature_memory`

    Returns: float, the supremum in nats per neuron, for patterns of squared norm d; N is smaller
    than sqrt(m).

    Notes: at a pattern, the kernel of `feature_memory.energy` is a mean of m exponentials of
    Gaussian numbers with the variance 4 beta d.  It tends to its expectation if
    ln m > 2 beta d; below, one draw dominates, whose direction is not that of the pattern.  Larger
    beta stores more patterns, by alpha_1 of `capacity_random_energy`, and needs more features.  Up
    to this rate one full step from a pattern ends within o(sqrt(d)) of it.  The limit is approached
    slowly: the distance is about sqrt(d / (beta n)), where n = 1 / sum p^2 is the effective number
    of draws.

    Status: the law of large numbers is read (abstract); the capacity is derived, without a proof of
    concentration; measured by the experiment "draws".

    >>> from hopref import theory
    >>> round(float(theory.capacity_feature_memory(features=2.0)), 6)       # beta = 1
    0.622572
    """
    return np.float64(_spherical(features / 2))
