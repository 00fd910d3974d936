"""Tolerances of the softmax and of its potentials, whose weights sum to one.

The error of a weight follows from those of the scores, and the weight is between 0 and 1; the error
of a logarithm of a sum of exponentials is at most that of the least accurate score.
"""
import numpy as np

from hopref import maps
from hopref.check.tolerance.derivation import depth_error, weighed_within
from hopref.check.tolerance.toleranced import Toleranced, implements
from hopref.maps import soft

__all__ = ["softmax"]


@implements(maps.weighted_sum)
def weighted_sum(A, V, seen=True):
    """A V; values are finite in all cases."""
    return A @ V


def size(x):
    return np.where(np.isfinite(x), np.abs(x), 0).astype(float)


@implements(maps.softmax)
def softmax(z, *, beta=1.0, bias=0.0, where=True, empty_row=0.0):
    """Softmax of toleranced scores."""
    profile = z.profile
    s = beta * z + bias if np.ndim(bias) else beta * z
    scores = np.where(where, s.value, -np.inf)
    p = maps.softmax.formula(scores, empty_row=empty_row)
    size = np.where(np.isfinite(scores), np.abs(scores), 0).astype(float)
    tau = np.where(np.isfinite(scores), s.radius, 0.0) + profile.u_s * size
    tau = tau + depth_error(scores, profile)
    return Toleranced(p, weighed_within(tau, scores, p, profile), profile)


@implements(maps.logsumexp)
def logsumexp(z, *, beta=1.0):
    """Logsumexp of toleranced scores, whose error is at most that of the least accurate score."""
    y = maps.logsumexp.formula(z.value, beta=beta)
    own = z.radius + 2 * z.profile.u * size(z.value)
    rounded = (z.profile.g(z.shape[-1]) + 8 * z.profile.u) * (size(y) + 1 / beta)
    most = np.max(np.where(np.isfinite(z.value), own, 0), axis=-1)
    return Toleranced(y, most + rounded, z.profile)


@implements(soft.logmeanexp)
def logmeanexp(z, where=True):
    y = soft.logmeanexp(z.value, where)
    rounded = (z.profile.g(z.shape[-1]) + 16 * z.profile.u) * size(y)
    moved = np.max(np.where(where, z.radius, 0.0), axis=-1)
    return Toleranced(y, moved + rounded, z.profile)


@implements(soft.sink_gain)
def sink_gain(gaps, beta, sink):
    """A mean of exponentials moves by no more than the largest error of an exponent."""
    y, n = soft.sink_gain.__wrapped__(gaps.value, beta, sink), gaps.shape[-1]
    profile = gaps.profile
    rounded = (profile.g(n) + (16 + 2 * (abs(sink) + np.log(n))) * profile.u) * size(y)
    return Toleranced(y, np.max(gaps.radius, axis=-1) + rounded, profile)


@implements(soft.softmax_among)
def softmax_among(z, beta, support, renormalise, empty_row):
    p = softmax(z, beta=beta, where=soft.among(support, renormalise))
    return Toleranced(np.where(support, p.value, 0), np.where(support, p.radius, 0), z.profile)
