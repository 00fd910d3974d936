r"""Means by softmax and by kernels, with a-posteriori bounds on the error.

For computed weights ``w_i`` whose exact values are ``w_i e^{d_i}`` with ``|d_i| <= tau_i``, and
their mean ``m = sum w_i v_i / sum w_i``, the exact mean y obeys, without neglected terms,

    y - m = sum w_i (v_i - m) (e^{d_i} - 1) / sum w_i e^{d_i}.

The bounds below are sums of float64 numbers >= 0, multiplied by `SLACK`, which covers their
rounding for up to 10^9 terms.  Weights below e^-620 of the largest are 0, and their part of the
mean is bounded by 2^-890 of the largest |v_i - y|.
"""
from typing import Any, NamedTuple

import numpy as np

from hopref.certify import double_double as dd
from hopref.certify.double_double import DELTA, EXPONENTIAL, TINY, depth

__all__ = ["Enclosed", "Unreachable", "mean_by_softmax", "log_sum_exp", "mean_by_kernel",
           "scores_of", "in_range", "Scores", "moved"]

SLACK = 1 + 2.0**-10
BLOCK = 1 << 14                 # numbers of a block, which stays in the cache
LARGEST = 2.0**480              # products and sums of operands up to here stay in range
DROPPED = 2.0**-890             # bound on a weight that is set to 0, relative to the largest


class Unreachable(ArithmeticError):
    """The operands are beyond the range of this arithmetic."""


class Enclosed(NamedTuple):
    """Float64 numbers with bounds on their distances from the exact ones."""
    value: Any
    bound: Any


class Scores(NamedTuple):
    """Scaled scores as pairs, with bounds on their errors."""
    high: Any
    low: Any
    tau: Any


def in_range(*arrays):
    """Raise `Unreachable` unless all numbers are below `LARGEST` in size."""
    if not all(np.all(np.abs(a) < LARGEST) for a in arrays):
        raise Unreachable


def scores_of(q, K, scale, bias):
    """The `Scores` of one query; ``scale`` is a pair, ``bias`` an array or 0."""
    n, d = K.shape
    s, c, size = (np.zeros(n) for _ in range(3))
    step = max(1, BLOCK // max(1, d))
    for start in range(0, n, step):
        part = slice(start, start + step)
        products = dd.product(np.ascontiguousarray(K[part].T), q[:, None])
        size[part] = np.sum(np.abs(products[0]), axis=0)
        s[part], c[part] = dd.summed(products)
    error = SLACK * abs(scale[0]) * (depth(d) * DELTA * size + d * TINY)
    s, c = dd.added(dd.multiplied((s, c), scale), (bias + np.zeros(n), np.zeros(n)))
    size = SLACK * abs(scale[0]) * size + np.abs(bias)
    return Scores(s, c, error + 4 * DELTA * size + TINY)


def weighted(scores):
    """The weights relative to the largest score as pairs, their tau, and the largest score."""
    top, n = np.max(scores.high), len(scores.high)
    tau = scores.tau + DELTA * np.abs(scores.high - top) * 2 + EXPONENTIAL
    if not np.max(tau) < 1:
        raise Unreachable
    w = np.empty(n), np.empty(n)
    for start in range(0, n, BLOCK):
        part = slice(start, start + BLOCK)
        t = dd.added((scores.high[part], scores.low[part]), (-top, 0.0))
        w[0][part], w[1][part] = dd.exponential(t)
    return w, tau, top


def mean_by_softmax(scores, V):
    """The `Enclosed` mean of the rows of V, of which at least one is visible."""
    w, tau, _ = weighted(scores)
    n, e = V.shape
    total = dd.summed(w)
    above, size = _weighted_sum(w, V)
    y = dd.divided(above, (total[0] + np.zeros(e), total[1] + np.zeros(e)))
    rounding = SLACK * ((depth(n) + 8) * DELTA * (size / total[0] + np.abs(y[0])) + n * TINY)
    away, widest = moved(w[0] * np.expm1(tau), V, y[0])
    left, near = np.sum(w[0] * np.exp(-tau)) * (2 - SLACK), rounding + np.abs(y[1])
    shifted = away + near * np.sum(w[0] * np.expm1(tau))
    dropped = n * DROPPED * (widest + near)
    return _rounded(y, SLACK * (shifted + dropped) / left + rounding)


def _weighted_sum(w, V):
    """sum w_i v_i as a pair, and sum w_i |v_i|."""
    n, e = V.shape
    size, parts = np.zeros(e), []
    step = max(1, BLOCK // max(1, e))
    for start in range(0, n, step):
        part = slice(start, start + step)
        terms = dd.times((w[0][part, None], w[1][part, None]), V[part])
        size += np.sum(np.abs(terms[0]), axis=0)
        parts.append(dd.summed(terms))
    return dd.summed(tuple(np.array([p[i] for p in parts]) for i in (0, 1))), size


def moved(factors, V, y):
    """sum_i factors_i |v_i - y|, and the largest |v_i - y|."""
    total, widest = np.zeros(len(y)), np.zeros(len(y))
    step = max(1, BLOCK // max(1, len(y)))
    for start in range(0, len(V), step):
        away = np.abs(V[start:start + step] - y)
        total += factors[start:start + step] @ away
        widest = np.maximum(widest, np.max(away, axis=0))
    return SLACK * total, SLACK * widest


def log_sum_exp(scores, beta):
    """The `Enclosed` log(sum exp)/beta of the scaled scores."""
    w, tau, top = weighted(scores)
    total = dd.summed(w)
    log = dd.logarithm((total[0][None], total[1][None]))
    y = dd.added((log[0], log[1]), (np.full(1, top), np.zeros(1)))
    spread = SLACK * np.sum(w[0] * np.expm1(tau)) / total[0]
    lost = (depth(len(w[0])) * DELTA + len(w[0]) * DROPPED + EXPONENTIAL) * SLACK
    error = spread + lost + 2 * DELTA * (np.abs(log[0]) + np.abs(y[0]))
    y = dd.divided(y, (np.full(1, beta), np.zeros(1)))
    found = _rounded(y, SLACK * error / beta + DELTA * np.abs(y[0]) + TINY)
    return Enclosed(found.value[0], found.bound[0])


def mean_by_kernel(phi_q, phi_k, V, S, z, eps):
    """The `Enclosed` rows q S/(q z + eps), where S and z include the sums over the keys."""
    values = np.concatenate([V, np.ones((len(V), 1))], axis=1)
    first = np.concatenate([S, z[:, None]], axis=1)
    S, error = _state(phi_k, values, first)
    rows = [_quotient(q, S, error, eps) for q in phi_q]
    return Enclosed(*(np.array([row[i] for row in rows]).reshape(len(phi_q), V.shape[1])
                      for i in (0, 1)))


def _state(K, V, first):
    """The sums over the keys, with those of earlier keys, as a pair, and bounds on the errors."""
    (s, r), e = K.shape, V.shape[1]
    parts, size = [(first, np.zeros_like(first))], np.abs(first)
    step = max(1, BLOCK // max(1, r * e))
    for start in range(0, s, step):
        part = slice(start, start + step)
        terms = dd.product(K[part, :, None], V[part, None, :])
        size = size + np.sum(np.abs(terms[0]), axis=0)
        parts.append(dd.summed(terms))
    passed = depth(step) + depth(len(parts))
    return dd.summed(tuple(np.array([p[i] for p in parts]) for i in (0, 1))), \
        SLACK * (passed * DELTA * size + s * TINY)


def _quotient(q, S, error, eps):
    """One row of the result, and its bound."""
    terms = dd.times((S[0], S[1]), q[:, None])
    size, y = np.sum(np.abs(terms[0]), axis=0), dd.summed(terms)
    y_error = SLACK * ((depth(len(q)) + 3) * DELTA * size + np.abs(q) @ error + len(q) * TINY)
    D = dd.added((y[0][-1:], y[1][-1:]), (np.full(1, eps), np.zeros(1)))
    D_error = y_error[-1] + DELTA * np.abs(D[0][0])
    left = np.abs(D[0][0]) * (1 - DELTA) - D_error
    if not left > 0:
        raise Unreachable
    found = dd.divided((y[0][:-1], y[1][:-1]), (D[0] + 0 * y[0][:-1], D[1] + 0 * y[0][:-1]))
    return _rounded(found, SLACK * ((y_error[:-1] + np.abs(found[0]) * D_error) / left
                                    + 2 * DELTA * np.abs(found[0]) + TINY))


def _rounded(y, error):
    """The nearest numbers of pairs, with bounds rounded upward."""
    value = y[0] + y[1]
    bound = np.nextafter(np.nextafter(np.abs((y[0] - value) + y[1]), np.inf) + error, np.inf)
    if not np.all(np.isfinite(bound)):
        raise Unreachable
    return Enclosed(value, bound)
