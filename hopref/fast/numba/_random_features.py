"""Retrieval by random features without an array of s x m features, where they are exponential.

The sums over the keys of one exponential feature are a softmax over the keys, of the scores
sqrt(beta) omega_r.k_i - beta |k_i|^2 / 2: the mean of the values, and the logarithm of the sum.  A
result is the mean of these means, with weights that are a softmax over the features.  The Performer
is therefore softmax attention twice, of the directions to the keys and of the queries to the
directions, and all exponents are relative to the largest one.

Features of both signs, and rectified ones, are formed and passed to linear attention.
"""
import math

import numpy as np

from hopref.fast.numba._features import COS, RELU, SIN, project, squared_lengths
from hopref.fast.numba._softmax import FEW, NO_BEST, TOP, TOTAL, absent, attend, in_range
from hopref.fast.numba._vectors import REDUCED
from hopref.fast.numba.attention import linear_attention
from hopref.features import projected

__all__ = ["EXPONENTIALS", "formed", "of_states", "responses"]

EXPONENTIALS = {projected.exp, projected.exp_minus}
BETAS = 2.0**-100, 2.0**100
SMALLEST = 2.0**-400    # of a squared length
GROUP = 2**13           # keys or queries that are copied together


def of_states(rule, xi, cue, keys, X, omega, beta, **how):
    """Retrieval of patterns X by keys, for states of which the cues are queries."""
    few, shape = xi.ndim == 1 or xi.shape[-2] < FEW, (math.prod(xi.shape[:-1]), xi.shape[-1])

    def formula(lost):
        arrays = (a.astype(float) for a in (xi.reshape(shape)[lost], X, omega))
        return rule(*arrays, beta=beta, **how)
    return responses(cue.reshape(shape), keys, X, omega, beta, few, formula, **how
                      ).reshape(xi.shape)


def responses(q, keys, V, omega, beta, few, formula, *, features, empty_row):
    """Results of queries for visible keys; ``formula(lost)`` gives the rows that are lost."""
    h, functions = features.args
    if not len(keys):
        return np.full((len(q), V.shape[1]), empty_row, V.dtype)
    if not BETAS[0] < beta < BETAS[1]:
        return formula(np.ones(len(q), np.bool_)).astype(V.dtype, copy=False)
    if not set(functions) <= EXPONENTIALS:
        return _by_features(q, keys, V, omega, beta, formula, features, empty_row)
    directions = omega if len(functions) == 1 else np.concatenate([omega, -omega])

    def by_kernel(real):
        return _twice(*(a.astype(real, copy=False) for a in (q, keys, V, directions)),
                      math.sqrt(beta), few)
    return in_range(V.dtype, len(q), math.sqrt(beta), by_kernel, formula)


def _twice(q, keys, V, directions, root, few):
    """Softmax attention of directions to keys, and of queries to directions, in one precision."""
    Z = np.empty((len(q), V.shape[1]), V.dtype)
    means, logs = _merged(_with(directions, 1.0), keys, V, root)
    directions, means = _with(directions, (logs - np.max(logs)) / root), means.astype(V.dtype)
    for first in range(0, len(q), GROUP):
        group = slice(first, first + GROUP)
        Z[group] = _attended(_with(q[group], 1.0), directions, means, root, few)[0]
    return Z


def _merged(directions, keys, V, root):
    """Means of the values for each direction, and logarithms of the sums, in double precision.

    They are merged from those of groups of keys.
    """
    means, logs = np.zeros((len(directions), V.shape[1])), np.full(len(directions), -math.inf)
    for first in range(0, len(keys), GROUP):
        k = keys[first:first + GROUP]
        wide = _with(k, -root / 2 * squared_lengths(k))
        more, log = _attended(directions, wide, V[first:first + GROUP], root,
                              len(directions) < FEW)
        new = np.logaddexp(logs, log)
        old, share = (np.exp(part - new)[:, None] for part in (logs, log))
        means = np.where(share > 0, old * means + share * more, means)
        logs = new
    return means, logs


def _with(x, last):
    """Rows with a further component."""
    wide = np.empty((len(x), x.shape[1] + 1), x.dtype)
    wide[:, :-1], wide[:, -1] = x, last
    return wide


def _attended(Q, K, V, beta, few):
    """softmax(beta Q K') V and the logarithms of the sums, in double precision."""
    out, sums = np.empty((len(Q), V.shape[1]), V.dtype), np.empty((len(Q), 3), V.dtype)
    attend(Q, K, V, beta, few, absent(np.bool_), absent(V.dtype), len(K), out, sums, NO_BEST)
    return out, beta * sums[:, TOP].astype(float) + np.log(sums[:, TOTAL].astype(float))


def _by_features(q, keys, V, omega, beta, formula, features, empty_row):
    """Linear attention of features that are formed, up to a factor for each query and for all keys.
    """
    h, functions = features.args
    kinds = [RELU] if functions == (projected.rectifier,) else [SIN, COS]
    longest = [np.max(squared_lengths(a), initial=SMALLEST) for a in (q, keys, omega)]
    if not beta * max(longest[:2]) * longest[2] <= REDUCED[V.itemsize] ** 2:
        return formula(np.ones(len(q), np.bool_)).astype(V.dtype, copy=False)
    slope, root = 0.5 * beta if h is projected.growth else 0.0, math.sqrt(beta)
    phi_q = formed(q, omega, kinds, root)
    phi_k = formed(keys, omega, kinds, root, slope, slope * longest[1])
    return linear_attention(phi_q, phi_k, V, empty_row=empty_row)


def formed(x, omega, kinds, factor, slope=0.0, top=0.0, scale=(1.0, 0.0)):
    """The functions of ``factor omega x`` of all rows, times e^(slope |x|^2 - top).

    Exponential ones are not divided by e^top.  ``scale`` is a factor and its logarithm.
    """
    m, real = len(omega), x.dtype
    phi, lost = np.empty((len(x), m * len(kinds)), real), np.empty(len(x), np.bool_)
    project(x, omega, np.zeros(m, real), factor, slope, scale[1], scale[0], top, np.array(kinds),
            np.inf, phi, lost)
    return phi
