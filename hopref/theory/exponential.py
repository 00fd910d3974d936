"""Capacities that grow exponentially with the number of components.

References: Demircigil et al. 2017; Ramsauer et al. 2021, theorem 3; Santos, Niculae, McNamee &
Martins 2024, for the margin.  Units and statuses are those of `hopref.theory.capacity`.
"""
import math
import sys
from typing import NamedTuple

import numpy as np

from hopref.dispatch.domains import Scalar, choice, positive, share
from hopref.dispatch.operation import op
from hopref.errors import DomainError, naming
from hopref.models.graded import ACTIVATIONS
from hopref.theory.capacity import several, wrong

__all__ = ["rate_function", "capacity_exponential", "capacity_modern", "SphereCapacity",
           "capacity_with_margin"]

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


# --- sparse maps: exact retrieval ----------------------------------------------------------------

def _shares(d, overlap, gap):
    """Shares of the sphere at cosines above and below c = overlap - gap from a direction.

    The smaller one is the tail of the distribution of c^2; near c = 0, where the density of c^2 is
    infinite, its bulk is subtracted from 1."""
    from scipy.special import betainc
    c, half = overlap - gap, (d - 1) / 2
    if c * c * d < 1:
        beyond = (1 - betainc(0.5, half, c * c)) / 2
    else:
        beyond = betainc(half, 0.5, max(((1 - overlap) + gap) * (1 + c), 0.0)) / 2
    return (beyond, 1 - beyond) if c > 0 else (1 - beyond, beyond)


def _of_one_pattern(above, below, p, overlap):
    if 0 < above and 0 < below:
        return 1 + math.log1p(-p) / (math.log1p(-above) if above < below else math.log(below))
    return 1.0 if above else math.inf


def _of_all_patterns(above, below, p, overlap):
    """The root N of N (N - 1) = product."""
    product = (2 if overlap == 1 else 1) * p / above if above else math.inf
    return (1 + math.sqrt(1 + 4 * product)) / 2


@op("->()", d=several, beta=positive, margin=positive, K=positive, overlap=unit, p=share,
    patterns=choice(most=_of_one_pattern, all=_of_all_patterns))
def capacity_with_margin(d, /, *, beta=1.0, margin=1.0, K=1.0, overlap=1.0, p=0.5,
                         patterns="most"):
    r"""Number of random patterns on a sphere that a sparse map retrieves exactly in one step.

    Source: the margin of Santos et al. 2024, and the area of a spherical cap [FY-9].

    .. math:: N = 1 + \frac{\ln(1 - p)}{\ln(1 - P)} \text{ (most)}, \quad
        \binom N2 P = p \text{ (all)}, \quad
        P = \tfrac12 I_{1 - c^2}\big(\tfrac{d - 1}2, \tfrac12\big), \quad
        c = q - \frac{m}{\beta K^2 (d - 1)}

    P is the share of the sphere within the angle arccos(c) of the cue, and I the regularised
    incomplete beta function.

    Parameters
    ----------
    d : number of components, >= 2
    beta : inverse temperature, > 0
    margin : m, of the map (see `margin`)
    K : radius of the sphere divided by sqrt(d - 1), > 0, as in `capacity_modern`
    overlap : q, the cosine of the angle between a cue, on the same sphere, and its pattern
    p : probability of failure, between 0 and 1
    patterns : "most" for the N up to which a given pattern is retrieved with probability 1 - p;
        "all" for a lower bound on the N up to which all are, each from a cue of its own

    Returns: float, the number of patterns, >= 1 and not rounded; infinite beyond the largest float.

    Notes: one entry of the map has all the weight if and only if its score leads by the margin.
    The other N - 1 patterns are independent of the pattern and its cue, so that N is exact for
    "most", for every d, and not a limit.  "all" is the bound of the union over the pairs, of which
    there are N (N - 1) unless overlap = 1.  For d -> infinity and a fixed c, N grows as
    (1 - c^2)^(-d/2), for "all" as its square root.  There is no counterpart for softmax, which
    never has an entry of 1.

    Status: derived; measured by the experiment "sparse".

    >>> from hopref import theory
    >>> round(float(theory.capacity_with_margin(3, p=0.75)), 3)             # c = 1/2, P = 1/4
    5.819
    """
    radius = math.sqrt(beta) * K * math.sqrt(d - 1)
    gap = (math.sqrt(margin) / radius) ** 2 if radius > 1e-150 * math.sqrt(margin) else math.inf
    return np.float64(patterns(*_shares(d, overlap, gap), p, overlap))
