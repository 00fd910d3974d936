"""Softmax and kernel means of large arrays, one row at a time, by double-double or by float64.

``by`` is the module of the arithmetic, `sums` or `float64`.
"""
import math
from fractions import Fraction

import numpy as np

from hopref.certify.sums import Enclosed, Unreachable

__all__ = ["OPERATIONS", "evaluate"]


def logsumexp(by, z, *, beta):
    rows = z.reshape(-1, z.shape[-1])
    found = [_lse(by, row[row > -np.inf], beta) for row in rows]
    return _stacked(found, z.shape[:-1])


def _lse(by, z, beta):
    if not len(z):
        return Enclosed(-math.inf, 0.0)
    by.in_range(z, beta)
    scores = by.scores_of(np.array([beta]), z[:, None], (1.0, 0.0), 0.0)
    return by.log_sum_exp(scores, beta)


def update(by, xi, X, *, beta):
    by.in_range(xi, X, beta)
    rows = xi.reshape(-1, xi.shape[-1])
    found = [by.mean_by_softmax(by.scores_of(q, X, (beta, 0.0), 0.0), X) for q in rows]
    return _stacked(found, xi.shape)


def softmax_attention(by, Q, K, V, *, scale, mask, bias, causal, align, empty_row):
    beta = _inverse_root(K.shape[-1]) if scale is None else (scale, 0.0)
    by.in_range(Q, K, V, beta[0], np.where(np.isneginf(bias), 0, bias))
    (l, s), lead = (Q.shape[-2], K.shape[-2]), Q.shape[:-2]
    seen = np.broadcast_to(np.asarray(mask) & (np.asarray(bias) > -np.inf), (*lead, l, s))
    if causal:
        seen = seen & (np.arange(s) <= np.arange(l)[:, None] + (s - l) * (align == "end"))
    bias, answer = np.broadcast_to(bias, seen.shape), 0.0 if empty_row == "zeros" else math.nan
    found = []
    for at in np.ndindex(*lead, l):
        rows = seen[at]
        keys, values = K[at[:-1]], V[at[:-1]]
        if not np.any(rows):
            found.append(Enclosed(np.full(V.shape[-1], answer), np.zeros(V.shape[-1])))
            continue
        scores = by.scores_of(Q[at], keys[rows], beta, bias[at][rows])
        found.append(by.mean_by_softmax(scores, values[rows]))
    return _stacked(found, (*lead, l, V.shape[-1]))


def linear_attention(by, phi_q, phi_k, V, *, mask, S, z, eps, empty_row):
    by.in_range(phi_q, phi_k, V, S, z, eps)
    lead, s = phi_q.shape[:-2], phi_k.shape[-2]
    seen = np.broadcast_to(mask, (*lead, s))
    S = np.broadcast_to(S, (*lead, phi_k.shape[-1], V.shape[-1])).astype(float)
    z = np.broadcast_to(z, (*lead, phi_k.shape[-1])).astype(float)
    found = [by.mean_by_kernel(phi_q[at], phi_k[at][seen[at]], V[at][seen[at]], S[at], z[at], eps)
             for at in np.ndindex(lead)]
    return _stacked(found, (*phi_q.shape[:-1], V.shape[-1]))


OPERATIONS = {"maps.logsumexp": logsumexp, "modern.update": update,
              "attention.softmax_attention": softmax_attention,
              "attention.linear_attention": linear_attention}


def evaluate(op, given, by):
    """The `Enclosed` result; `Unreachable` where the arguments are beyond the range."""
    if any(getattr(v, "dtype", None) == np.longdouble and np.any(v != v.astype(float))
           for v in given.values()):
        raise Unreachable
    given = {k: v.astype(float) if getattr(v, "dtype", None) == np.longdouble else v
             for k, v in given.items()}
    with np.errstate(all="ignore"):
        return OPERATIONS[op.name](by, *[given[k] for k in op.operands],
                                   **{k: v for k, v in given.items() if k not in op.operands})


def _inverse_root(d):
    """The pair of 1/sqrt(d)."""
    d = max(1, d)
    exact = Fraction(math.isqrt((1 << 240) // d), 1 << 120)
    high = float(exact)
    return high, float(exact - Fraction(high))


def _stacked(found, shape):
    return Enclosed(*(np.array([row[i] for row in found], float).reshape(shape)[()]
                      for i in (0, 1)))
