r"""What the papers state as formulas, to be held against what is measured."""
import math
from typing import NamedTuple

import numpy as np

__all__ = ["capacity_with_errors", "bit_error", "capacity_without_errors", "capacity_exponential",
           "capacity_modern", "sphere_radius", "retrieval_error_bound", "separation_error_bound",
           "near_error_bound", "effective_patterns", "estimator_mse"]


def capacity_with_errors():
    """Load, overlap, share of wrong bits: Amit, Gutfreund and Sompolinsky 1985 [CAP-1]."""
    return 0.137906, 0.967417, 0.016291


def bit_error(load):
    r"""Share of bits that one Hebbian step turns wrong, Q(1/sqrt(load)) [CB-9].

    >>> from hopref.experiments.quoted import bit_error
    >>> round(bit_error(0.138), 5)
    0.00355
    """
    return math.erfc(1 / math.sqrt(2 * load)) / 2


def capacity_without_errors(d, *, n=2):
    r"""Krotov and Hopfield 2016 for F = z^n, most patterns: d^(n-1) / (2 (2n-3)!! ln d) [CAP-7].

    >>> from hopref.experiments.quoted import capacity_without_errors
    >>> round(capacity_without_errors(4096), 1)
    246.2
    """
    return d ** (n - 1) / (2 * math.prod(range(1, 2 * n - 2, 2)) * math.log(d))


def capacity_exponential(*, errors=0.0):
    r"""Demircigil et al. 2017: alpha < I(1 - 2 errors) / 2 for N = exp(alpha d) + 1 [CAP-8].

    >>> from hopref.experiments.quoted import capacity_exponential
    >>> round(capacity_exponential(), 6)        # ln(2) / 2
    0.346574
    """
    wrong = errors * math.log(2 * errors) if errors else 0.0
    return ((1 - errors) * math.log(2 * (1 - errors)) + wrong) / 2


class SphereCapacity(NamedTuple):
    """The base of the growth, and the number of patterns."""
    c: float
    patterns: float


def capacity_modern(d, *, beta, K, p):
    r"""Ramsauer et al. 2021, Theorem 3: patterns on a sphere of radius K sqrt(d-1) [MH-10].

    >>> from hopref.experiments.quoted import capacity_modern
    >>> round(capacity_modern(20, beta=1.0, K=3.0, p=0.001).patterns, 2)
    7.41
    """
    from scipy.special import wrightomega
    a = 2 / (d - 1) * (1 + math.log(2 * beta * K * K * p * (d - 1)))
    b = 0.4 * K * K * beta
    log_c = float(wrightomega(a + math.log(b))) - a
    return SphereCapacity(math.exp(log_c), math.sqrt(p) * math.exp((d - 1) / 4 * log_c))


def sphere_radius(X, *, beta=1.0):
    """Ramsauer et al. 2021, Definition 3: 1 / (beta N M) [MH-9]."""
    return 1 / (beta * len(X) * _longest(X))


def retrieval_error_bound(xi, X, *, beta=1.0):
    """diam (1 - p_i), whatever the separation [MH-9]."""
    from hopref.models import modern
    weights = modern.weights(xi, X, beta=beta)
    missed = weights.sum(1, where=~np.eye(len(X), dtype=bool))
    return float(np.sqrt(((X[:, None] - X) ** 2).sum(-1).max())) * missed


def separation_error_bound(xi, fixed, X, *, beta=1.0):
    """Ramsauer et al. 2021, Theorem 5, eq. (8) [MH-9]."""
    from hopref import theory
    M, away = _longest(X), [np.linalg.norm(x - X, axis=1) for x in (xi, fixed)]
    gap = theory.separation(X) - 2 * np.maximum(*away) * M
    return 2 * M * (len(X) - 1) * np.exp(-beta * gap)


def near_error_bound(X, *, beta=1.0):
    """Ramsauer et al. 2021, Theorem 5, second half, eq. (9) [MH-9]."""
    from hopref import theory
    return 2 * _longest(X) * (len(X) - 1) * np.exp(1 - beta * theory.separation(X))


def effective_patterns(xi, X, *, beta=1.0):
    """How many patterns a state mixes, exp(entropy of their weights) [MH-11]."""
    from hopref.maps import tsallis
    from hopref.models import modern
    return np.exp(-tsallis(modern.weights(xi, X, beta=beta), alpha=1.0))


def _longest(X):
    return float(np.linalg.norm(X, axis=1).max())


def estimator_mse(x, y, *, m, features="positive", draw="iid"):
    r"""Mean squared error of an estimate of exp(x.y) from m rows [RF-1 to RF-5].

    Choromanski et al. 2021, Lemma 2; pairs within a block of orthogonal rows, and rows of one
    length, by confluent hypergeometric functions.
    """
    from scipy.special import hyp0f1, hyp1f1
    d, s, gap = len(x), float((x + y) @ (x + y)), float((x - y) @ (x - y))
    kernel, norms = math.exp(float(x @ y)), float(x @ x + y @ y)
    blocks = [min(d, m - i) for i in range(0, m, d)]
    pairs = 0 if draw == "iid" else sum(n * (n - 1) for n in blocks) / m**2
    if draw == "regularized":
        one, two, four = (float(hyp0f1(d / 2, k * d * s / 4)) for k in (1, 2, 4))
        spread = math.exp(-norms) * ((four - one**2) / m + pairs * (two - one**2))
        return spread + (math.exp(-norms / 2) * one - kernel)**2
    if features == "trigonometric":
        return math.exp(s) / kernel**2 * math.expm1(-gap)**2 / 2 / m
    alone = kernel**2 * math.exp(s) * -math.expm1(-s) / m
    half = -math.expm1(-s) / 2 if features == "hyperbolic" else 1.0
    return alone * half + pairs * math.exp(-norms) * (float(hyp1f1(d, d / 2, s / 2)) - math.exp(s))
