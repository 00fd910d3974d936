r"""What the papers state as numbers, to be held against what is measured.

Sources are named with each; the ids are those of the ledger.
"""
import math

import numpy as np

__all__ = ["HEBBIAN_LIMIT", "bit_error", "exact_bit_error", "dense_capacity", "dense_stable",
           "exponential_rate", "sphere_capacity", "one_update_error", "margin_needed",
           "squared_error"]

HEBBIAN_LIMIT = 0.137906        # Amit, Gutfreund and Sompolinsky 1985, replica-symmetric [CAP-1]


def bit_error(load):
    r"""Chance that one step of the Hebbian rule flips a bit of a stored pattern [CB-9].

    .. math:: Q(1 / \sqrt\alpha), \quad \alpha = N / d

    >>> from hopref.experiments.quoted import bit_error
    >>> round(bit_error(0.138), 5)
    0.00355
    """
    from scipy.special import ndtr
    return float(ndtr(-1 / math.sqrt(load)))


def exact_bit_error(N, d):
    r"""The same for finite N and d, diagonal zeroed: crosstalk is a sum of (N-1)(d-1) signs [CB-9].

    >>> from hopref.experiments.quoted import exact_bit_error
    >>> exact_bit_error(3, 2)               # two signs, both negative
    0.25
    """
    from scipy.stats import binom
    signs = (N - 1) * (d - 1)
    return float(binom.cdf(math.ceil((signs - (d - 1)) / 2) - 1, signs, 0.5))


def dense_capacity(d, n):
    r"""Krotov and Hopfield 2016 for F = z^n, most patterns without an error [CAP-7].

    .. math:: \frac{d^{n-1}}{2 (2n-3)!! \ln d}

    >>> from hopref.experiments.quoted import dense_capacity
    >>> round(dense_capacity(4096, 2), 1)
    246.2
    """
    return d ** (n - 1) / (2 * math.prod(range(1, 2 * n - 2, 2)) * math.log(d))


def dense_stable(ratio, d):
    r"""Chance that all d bits of a pattern stand, Gaussian crosstalk, at N = ratio * capacity.

    .. math:: \left(1 - Q\big(\sqrt{2 \ln d / r}\big)\right)^d
    """
    from scipy.special import log_ndtr
    return np.exp(d * log_ndtr(np.sqrt(2 * math.log(d) / np.asarray(ratio, dtype=float))))


def exponential_rate(errors=0.0):
    r"""Demircigil et al. 2017: N = exp(alpha d) + 1 patterns, alpha below this [CAP-8].

    .. math:: I(1 - 2\rho) / 2, \quad
        I(x) = \tfrac12 [(1 + x) \ln (1 + x) + (1 - x) \ln (1 - x)]

    >>> from hopref.experiments.quoted import exponential_rate
    >>> bool(abs(exponential_rate() - math.log(2) / 2) < 1e-15)
    True
    """
    from scipy.special import xlogy
    x = 1 - 2 * errors
    return float(xlogy(1 + x, 1 + x) + xlogy(1 - x, 1 - x)) / 4


def sphere_capacity(d, *, beta, K, p):
    r"""Ramsauer et al. 2021, Theorem 3: patterns on a sphere of radius K sqrt(d-1) [MH-10].

    .. math:: N \ge \sqrt p\, c^{(d-1)/4}, \quad c = b / W_0(e^{a + \ln b})

    >>> from hopref.experiments.quoted import sphere_capacity
    >>> round(sphere_capacity(20, beta=1.0, K=3.0, p=0.001), 2)
    7.41
    """
    from scipy.special import lambertw
    a = 2 / (d - 1) * (1 + math.log(2 * beta * K * K * p * (d - 1)))
    b = 2 * K * K * beta / 5
    c = b / float(lambertw(math.exp(a + math.log(b))).real)
    return math.sqrt(p) * c ** ((d - 1) / 4)


def one_update_error(separation, away, N, M, beta):
    r"""Ramsauer et al. 2021, Theorem 5 (eqs. 8, 9), ``away`` the larger of the distances of the
    state and of the fixed point from the pattern [MH-9].

    .. math:: 2 (N - 1) M e^{-\beta (\Delta_i - 2 r M)}
    """
    return 2 * (N - 1) * M * np.exp(-beta * (separation - 2 * away * M))


def margin_needed(away, M, *, beta, margin):
    r"""The separation from which on one update gives the pattern back exactly [FY-5].

    .. math:: \Delta_i \ge m / \beta + 2 M \|\xi - x_i\|
    """
    return margin / beta + 2 * M * np.asarray(away)


def squared_error(estimator, x, y, m):
    r"""Mean squared error of an estimate of exp(x.y) from m rows [RF-1 to RF-5].

    Choromanski et al. 2021, Lemma 2 for independent rows; the terms of pairs within a block of
    orthogonal rows, and those of rows of one length (SMREG), by confluent hypergeometric functions.
    """
    from scipy.special import hyp0f1, hyp1f1
    d, s, gap = len(x), float((x + y) @ (x + y)), float((x - y) @ (x - y))
    kernel, norms = math.exp(float(x @ y)), float(x @ x + y @ y)
    blocks = [min(d, m - i) for i in range(0, m, d)]
    pairs = sum(n * (n - 1) for n in blocks) / m**2
    positive = kernel**2 * math.exp(s) * -math.expm1(-s)
    return {
        "positive": lambda: positive / m,
        "hyperbolic": lambda: positive * -math.expm1(-s) / 2 / m,
        "trigonometric": lambda: math.exp(s) / kernel**2 * math.expm1(-gap)**2 / 2 / m,
        "orthogonal": lambda: positive / m + pairs * math.exp(-norms) * (
            float(hyp1f1(d, d / 2, s / 2)) - math.exp(s)),
        "regularized": lambda: math.exp(-norms) * (
            (float(hyp0f1(d / 2, d * s)) - float(hyp0f1(d / 2, d * s / 4))**2) / m
            + pairs * (float(hyp0f1(d / 2, d * s / 2)) - float(hyp0f1(d / 2, d * s / 4))**2))
        + (math.exp(-norms / 2) * float(hyp0f1(d / 2, d * s / 4)) - kernel)**2,
    }[estimator]()
