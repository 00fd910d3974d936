r"""Means of exp(omega.z) over rows with isotropic distribution, as series of positive terms.

For a row of uniform direction in d dimensions and of any length,

.. math:: E\, e^{\omega^T z} = \sum_k \frac{(|z|^2/2)^k}{k!} \frac{E|\omega|^{2k}}{d (d+2) \cdots
          (d+2k-2)}

so for one row and for a sum of two rows the mean is e^lam times the mean of c_K, where K is
Poisson distributed with mean lam.  Estimators need the difference of E c_K from 1.  A difference
of hypergeometric functions would cancel for small lam; sum p_k (c_k - 1) has terms of one sign.

Sources: for rows of fixed length, the proof of Theorem 1 of Choromanski et al. 2021, eq. (30); for
pairs, the length of the sum of two orthogonal Gaussian rows, whose square has the chi^2
distribution with 2 d degrees of freedom [RF-4, RF-5, RF-9].
"""
import math

import numpy as np

__all__ = ["excess", "pair_excess", "log_mean"]

TERMS = 4096            # terms of the series that are formed at once
NODES = 64              # quadrature nodes in the angle between two chi lengths
LARGE = 64              # from this d on, components of a random direction are nearly normal


def excess(kind, lam, d, damp=0.0):
    r"""e^-damp (e^-lam f(lam) - 1), where f is the mean of e^{omega.z} for rows of this kind.

    "pair" is the sum of two orthogonal Gaussian rows: f = 1F1(d; d/2; lam/2), lam = |z|^2.
    "fixed" is one row of length sqrt(d): f = 0F1(; d/2; d lam/2), lam = |z|^2/2; or the sum of an
    orthogonal pair of them, lam = |z|^2.  lam < 0 denotes the mean of e^{i omega.z}, in which case
    f takes both signs.
    """
    lam, damp = np.broadcast_arrays(np.asarray(lam, float), np.asarray(damp, float))
    series = np.exp(-damp) * _series(kind, np.maximum(lam, -1.0), d)
    return np.where(lam >= -1, series, _oscillating(kind, np.minimum(lam, -1.0), d, damp))


def log_mean(kind, lam, d):
    """log of e^-lam f(lam) for lam >= 0, also where `excess` rounds to -1."""
    total = np.full(np.shape(lam), -np.inf)
    for _, log_p, log_c in _terms(kind, lam, d):
        total = np.logaddexp(total, np.logaddexp.reduce(log_p + log_c, axis=-1))
    return total


def _series(kind, lam, d):
    """sum_k e^-lam lam^k/k! (c_k - 1), for lam >= -1."""
    size, total = np.abs(lam), np.zeros(lam.shape)
    for k, log_p, log_c in _terms(kind, size, d):
        sign = np.where(lam < 0, -1.0, 1.0)[..., None] ** (k % 2)
        total = total + np.sum(sign * np.exp(log_p) * np.expm1(log_c), axis=-1)
    return total * np.exp(size - lam)


def _terms(kind, lam, d):
    """Iterate over blocks of (k, logs of Poisson weights (..., k), logs of c_k)."""
    from scipy.special import gammaln, xlogy
    top, lam = float(np.max(lam, initial=0.0)), np.asarray(lam, float)[..., None]
    terms = int(top + 12 * math.sqrt(top)) + 40      # negligible tail of the Poisson weights
    j = np.arange(terms)
    factors = -j / (d + 2 * j) if kind == "pair" else -2 * j / (d + 2 * j)
    log_c = np.concatenate([[0.0], np.cumsum(np.log1p(factors))])
    for at in range(0, terms, TERMS):
        k = np.arange(at, min(at + TERMS, terms))
        yield k, xlogy(k, lam) - lam - gammaln(k + 1), log_c[k]


def _oscillating(kind, lam, d, damp):
    """`excess` from the hypergeometric functions for lam < -1, where f e^-lam is not near 1."""
    from scipy.special import hyp0f1, hyp1f1
    f = hyp1f1(d, d / 2, lam / 2) if kind == "pair" else \
        hyp0f1(d / 2, d * lam / 2) if d < LARGE else _mean_cosine(np.sqrt(-2 * lam), d)
    return f * np.exp(-lam - damp) - np.exp(-damp)


def _mean_cosine(c, d):
    """E cos(c v), where v/sqrt(d) is a component of a uniform direction and d is large.

    v is nearly normal, and the integral is truncated at 12 standard deviations.  It is computed by
    the trapezoidal rule in the angle with a step that resolves the cosine; scipy's 0F1 would
    multiply an overflow by an underflow.
    """
    step = 2 * math.pi / (1.5 * float(np.max(c, initial=0.0)) + 12)
    angle = np.arange(-12, 12, step) / math.sqrt(d)
    weight = np.cos(angle) ** (d - 2)
    return np.cos(c[..., None] * math.sqrt(d) * np.sin(angle)) @ (weight / np.sum(weight))


def pair_excess(lam, d, cosine, damp=0.0, even=False):
    r"""e^-damp (e^-lam E e^{(omega + omega').z} - 1) for two rows of chi length at a fixed angle.

    With |omega| = sqrt(Q) cos(phi/2) and |omega'| = sqrt(Q) sin(phi/2), the squared length of the
    sum is Q (1 + cosine sin phi).  Q has the chi^2 distribution with 2 d degrees of freedom, and
    the independent angle phi has the density sin^{d-1} phi, so the mean is one integral of 1F1.
    ``even`` averages over omega + omega' and omega - omega'.
    """
    if cosine == 0:
        return excess("pair", lam, d, damp)
    phi, weight = _angles(d)
    lam, damp = np.asarray(lam, float)[..., None], np.asarray(damp, float)[..., None]
    turns = (cosine, -cosine) if even else (cosine,)
    shifts = [lam * turn * np.sin(phi) for turn in turns]
    apart = [excess("pair", lam + shift, d, damp - shift) for shift in shifts]
    own = np.exp(np.abs(shifts[0]) - damp) * np.expm1(-np.abs(shifts[0])) ** 2 / 2 if even \
        else np.exp(-damp) * np.expm1(shifts[0])
    return np.sum(weight * (own + sum(apart) / len(turns)), axis=-1)


def _angles(d):
    """Quadrature nodes in (0, pi/2), half of the symmetric range, and weights of sum 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    phi = (nodes + 1) * math.pi / 4
    weights = weights * np.sin(phi) ** (d - 1)
    return phi, weights / np.sum(weights)
