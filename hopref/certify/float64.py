"""The counterparts of `sums` in float64, with worst-case bounds for numbers of any size.

The model of arithmetic is that of Higham 2002: each operation has a relative error of at most
u = 2^-53 or underflows, sums of n terms in any order have the error n u/(1 - n u) of the sum of the
absolute values, and the library's exponential and logarithm are accurate to 4 ulp.
"""
import numpy as np

from hopref.certify.sums import Enclosed, Scores, Unreachable, moved

__all__ = ["in_range", "scores_of", "mean_by_softmax", "log_sum_exp", "mean_by_kernel"]

U, ETA = 2.0**-53, 2.0**-1074
LIBRARY = 8 * U                 # relative error of exp and log
SLACK = 1 + 2.0**-10


def in_range(*arrays):
    """Numbers of any size are taken; results that are not finite raise `Unreachable`."""


def gamma(n):
    """The error of n roundings."""
    return n * U / (1 - n * U)


def scores_of(q, K, scale, bias):
    """The `Scores` of one query."""
    s, size = K @ q * scale[0] + bias, np.abs(K) @ np.abs(q) * abs(scale[0]) + np.abs(bias)
    error = SLACK * (gamma(len(q) + 4) * size + (len(q) + 2) * ETA * (1 + abs(scale[0])))
    return Scores(s, np.zeros_like(s), error)


def weighted(scores):
    top = np.max(scores.high)
    t = scores.high - top
    tau = scores.tau + U * np.abs(t) + LIBRARY
    if not np.max(tau) < 1:
        raise Unreachable
    return np.exp(t), tau, top


def mean_by_softmax(scores, V):
    """The `Enclosed` mean of the rows of V."""
    w, tau, _ = weighted(scores)
    n, total = len(V), np.sum(w)
    y = w @ V / total
    size = w @ np.abs(V) / total
    rounding = SLACK * ((2 * gamma(n + 2)) * (size + np.abs(y)) + 4 * n * ETA)
    away, widest = moved(w * np.expm1(tau), V, y)
    left = np.sum(w * np.exp(-tau)) * (2 - SLACK)
    shifted = away + rounding * np.sum(w * np.expm1(tau)) + 4 * n * ETA * widest
    return _finite(y, SLACK * shifted / left + rounding)


def log_sum_exp(scores, beta):
    """The `Enclosed` log(sum exp)/beta."""
    w, tau, top = weighted(scores)
    total = np.sum(w)
    log = np.log(total)
    y = (top + log) / beta
    spread = SLACK * (np.sum(w * np.expm1(tau)) / total + gamma(len(w)) + len(w) * ETA)
    error = (spread + LIBRARY * np.abs(log) + U * np.abs(top + log)) / beta
    return _finite(y, SLACK * error + 2 * U * np.abs(y) + ETA)


def mean_by_kernel(phi_q, phi_k, V, S, z, eps):
    """The `Enclosed` rows q S/(q z + eps), where S and z include the sums over the keys."""
    s, r = phi_k.shape
    above, D = phi_q @ (phi_k.T @ V + S), phi_q @ (np.sum(phi_k, axis=0) + z) + eps
    q, k = np.abs(phi_q), np.abs(phi_k)
    rounds, tiny = gamma(s + r + 4), (s + r) * ETA * (1 + np.sum(q, axis=1))
    above_error = SLACK * (rounds * (q @ (k.T @ np.abs(V) + np.abs(S))) + tiny[:, None])
    D_error = SLACK * (rounds * (q @ (np.sum(k, axis=0) + np.abs(z)) + eps) + tiny)
    left = np.abs(D) - D_error
    if not np.all(left > 0):
        raise Unreachable
    y = above / D[:, None]
    error = (above_error + np.abs(y) * D_error[:, None]) / left[:, None]
    return _finite(y, SLACK * error + 2 * U * np.abs(y) + ETA)


def _finite(value, bound):
    if not np.all(np.isfinite(bound)):
        raise Unreachable
    return Enclosed(value, bound)
