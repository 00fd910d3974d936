"""Capacities that grow exponentially with the number of components.

References: Demircigil et al. 2017; Ramsauer et al. 2021, theorem 3.  Units and statuses are those
of `hopref.theory.capacity`.
"""
import math
import sys
from typing import NamedTuple

import numpy as np

from hopref.dispatch.domains import Scalar, choice, positive
from hopref.dispatch.operation import op
from hopref.errors import DomainError, naming
from hopref.models.graded import ACTIVATIONS
from hopref.theory.capacity import several, wrong

__all__ = ["rate_function", "capacity_exponential", "capacity_modern", "SphereCapacity"]

probability = Scalar("a number > 0 and <= 1", lambda v: 0 < v <= 1)
unit = Scalar("a number from -1 to 1", lambda v: -1 <= v <= 1)
OMEGA = 0.56714329040978387300          # OMEGA exp(OMEGA) = 1
LARGEST = math.log(sys.float_info.max)


@op("->()", x=unit)
def rate_function(x, /):
    r"""Rate function of random signs: their mean exceeds x with probability about exp(-d I(x)).

    Source: Demircigil et al. 2017, Cramer's theorem [CAP-8].

    .. math:: I(x) = \tfrac12 \big((1 + x) \ln(1 + x) + (1 - x) \ln(1 - x)\big)

    Returns: float in [0, ln 2], in nats.

    Status: read, and derived.

    >>> from hopref import theory
    >>> round(float(theory.rate_function(1.0)), 6)             # ln 2
    0.693147
    """
    return np.float64(ACTIVATIONS["tanh"].integral(np.asarray(x)))


@op("->()", errors=wrong)
def capacity_exponential(*, errors=0.0):
    r"""Supremum of the rates alpha at which an exponential memory stores N = exp(alpha d) + 1.

    Source: Demircigil et al. 2017, as Ramsauer et al. 2021, theorem A10 [CAP-8].

    .. math:: \alpha < \tfrac12 I(1 - 2\rho)

    Parameters
    ----------
    errors : rho, the fraction of wrong components in the cue, which one update corrects

    Returns: float, the supremum in nats per neuron; without errors ln(2)/2, as in the blog's
    2^(d/2).

    Status: read.

    >>> from hopref import theory
    >>> round(float(theory.capacity_exponential()), 6)         # ln(2) / 2
    0.346574
    """
    return rate_function(1 - 2 * errors) / 2


class SphereCapacity(NamedTuple):
    """Result of `capacity_modern`: the base c, the number of patterns, and the constants a and b.
    """
    c: float
    patterns: float
    a: float
    b: float


def capacity_modern(d, /, *, beta, K, p, form="lambert"):
    r"""Lower bound on the number of random patterns on a sphere that are all well separated.

    Source: Ramsauer et al. 2021, theorem 3 = A5; corollary A1 for the closed form [CAP-9, MH-10].

    .. math:: N = \sqrt p \, c^{(d-1)/4}, \quad c = \frac{b}{W_0(e^{a + \ln b})}, \quad
        a = \frac{2}{d - 1} \big(1 + \ln(2 \beta K^2 p (d - 1))\big), \quad b = \tfrac25 K^2 \beta

    Parameters
    ----------
    d : number of components, >= 2
    beta : inverse temperature, > 0
    K : radius of the sphere divided by sqrt(d - 1), > 0
    p : probability of failure, 0 < p <= 1
    form : "lambert", or "closed" for a slightly smaller c without the Lambert function

    Returns
    -------
    SphereCapacity; its number of patterns is not rounded, and infinite beyond the largest float

    Raises
    ------
    DomainError : c < (2 / sqrt(p))^(4 / (d - 1)), that is N < 2, where the theorem does not apply

    Notes
    -----
    Each of these patterns has a fixed point close to it (`required_separation`).  The bound is not
    tight.

    Status: read.

    >>> from hopref import theory
    >>> found = theory.capacity_modern(20, beta=1.0, K=3.0, p=0.001)
    >>> round(found.c, 5), round(found.patterns, 2)
    (3.15461, 7.41)
    """
    with naming("hopref.theory.capacity_modern"):
        d, p = several.validate("d", d), probability.validate("p", p)
        beta, K = positive.validate("beta", beta), positive.validate("K", K)
        log_c_of = forms.validate("form", form)
        scale = math.log(beta) + 2 * math.log(K)
        a = 2 / (d - 1) * (1 + math.log(2) + scale + math.log(p) + math.log(d - 1))
        log_b = math.log(0.4) + scale
        log_c, least = log_c_of(a, log_b), 4 / (d - 1) * (math.log(2) - math.log(p) / 2)
        if log_c < least:
            raise DomainError("c must be at least (2 / sqrt(p))^(4 / (d - 1)), so that the theorem "
                              f"applies; got ln c = {log_c:.6g}, below {least:.6g}")
    log_N = math.log(p) / 2 + (d - 1) / 4 * log_c
    return SphereCapacity(_exp(log_c), _exp(log_N), a, _exp(log_b))


def _by_lambert(a, log_b):
    """ln c of c = b / W(exp(a + ln b)): with w + ln w = a + ln b, ln c = w - a."""
    from scipy.special import wrightomega
    return float(wrightomega(a + log_b)) - a


def _in_closed_form(a, log_b):
    """Lower bound on ln c without the Lambert function."""
    u = a + log_b
    if u > 0:
        return log_b - u / (u + 1) * math.log(u)
    return log_b - math.log(math.log((OMEGA * math.exp(u) + 1) / (OMEGA * (1 + OMEGA))))


forms = choice(lambert=_by_lambert, closed=_in_closed_form)


def _exp(x):
    return math.exp(x) if x < LARGEST else math.inf
