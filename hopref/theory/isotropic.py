r"""Means of exp(omega.z) over rows without a preferred direction, as series of positive terms.

For a row of uniform direction in d dimensions, whatever its length,

.. math:: E\, e^{\omega^T z} = \sum_k \frac{(|z|^2/2)^k}{k!} \frac{E|\omega|^{2k}}{d (d+2) \cdots
          (d+2k-2)}

so for one row and for a sum of two the mean is e^lam times the mean of c_K, K Poisson with mean
lam.  Estimators need its difference from 1, which a difference of hypergeometric
functions would lose for small lam; sum p_k (c_k - 1) has terms of one sign.

Sources: for rows of fixed length the proof of Theorem 1 of Choromanski et al. 2021, eq. (30); for
pairs the length of the sum of two orthogonal Gaussian rows, whose square is chi^2 of 2 d [RF-4,
RF-5, RF-9].
"""
import math

import numpy as np

__all__ = ["excess", "pair_excess", "log_mean"]

TERMS = 4096            # of the series, at a time
NODES = 64              # of the angle between two chi lengths
LARGE = 64              # dimensions in which a direction's components are nearly normal


def excess(kind, lam, d, damp=0.0):
    r"""e^-damp (e^-lam f(lam) - 1), where f is the mean of e^{omega.z} for rows of this kind.

    "pair": f = 1F1(d; d/2; lam/2), two orthogonal Gaussian rows, lam = |z|^2.
    "fixed": f = 0F1(; d/2; d lam/2), rows of length sqrt(d), lam = |z|^2/2, or an orthogonal pair
    of them, lam = |z|^2.  lam < 0 stands for e^{i omega.z}, where f takes both signs.
    """
    lam, damp = np.broadcast_arrays(np.asarray(lam, float), np.asarray(damp, float))
    series = np.exp(-damp) * _series(kind, np.maximum(lam, -1.0), d)
    return np.where(lam >= -1, series, _oscillating(kind, np.minimum(lam, -1.0), d, damp))


def log_mean(kind, lam, d):
    """log of e^-lam f(lam) for lam >= 0, where `excess` would round to -1."""
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
    """Blocks of k, of the logs of Poisson weights (..., k) and of c_k; c_0 = 1, c_1 = 1."""
    from scipy.special import gammaln, xlogy
    top, lam = float(np.max(lam, initial=0.0)), np.asarray(lam, float)[..., None]
    terms = int(top + 12 * math.sqrt(top)) + 40      # what a Poisson variable exceeds never
    j = np.arange(terms)
    factors = -j / (d + 2 * j) if kind == "pair" else -2 * j / (d + 2 * j)
    log_c = np.concatenate([[0.0], np.cumsum(np.log1p(factors))])
    for at in range(0, terms, TERMS):
        k = np.arange(at, min(at + TERMS, terms))
        yield k, xlogy(k, lam) - lam - gammaln(k + 1), log_c[k]


def _oscillating(kind, lam, d, damp):
    """The same from the functions themselves, for lam < -1, where f e^-lam is not near 1."""
    from scipy.special import hyp0f1, hyp1f1
    f = hyp1f1(d, d / 2, lam / 2) if kind == "pair" else \
        hyp0f1(d / 2, d * lam / 2) if d < LARGE else _mean_cosine(np.sqrt(-2 * lam), d)
    return f * np.exp(-lam - damp) - np.exp(-damp)


def _mean_cosine(c, d):
    """E cos(c v), v/sqrt(d) a component of a uniform direction: nearly normal, cut at 12 of it.

    The trapezoidal rule in the angle, whose step resolves the cosine; scipy's 0F1 would multiply an
    overflow by an underflow here.
    """
    step = 2 * math.pi / (1.5 * float(np.max(c, initial=0.0)) + 12)
    angle = np.arange(-12, 12, step) / math.sqrt(d)
    weight = np.cos(angle) ** (d - 2)
    return np.cos(c[..., None] * math.sqrt(d) * np.sin(angle)) @ (weight / np.sum(weight))


def pair_excess(lam, d, cosine, damp=0.0, even=False):
    r"""e^-damp (e^-lam E e^{(omega + omega').z} - 1), for rows of chi length at this angle.

    With |omega| = sqrt(Q) cos(phi/2) and |omega'| = sqrt(Q) sin(phi/2) the squared length of the
    sum is Q (1 + cosine sin phi), Q is chi^2 of 2 d, and phi, independent of it, has the density
    sin^{d-1} phi: one integral of 1F1.  ``even`` averages omega + omega' and omega - omega'.
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
    """Nodes in (0, pi/2), about which sine is symmetric, and weights of total 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    phi = (nodes + 1) * math.pi / 4
    weights = weights * np.sin(phi) ** (d - 1)
    return phi, weights / np.sum(weights)
