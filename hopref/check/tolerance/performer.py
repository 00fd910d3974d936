"""The tolerance of the Performer: softmax retrieval with estimated kernels.

Errors ``e_ij`` of the kernels ``kappa_ij = phi(q_i) phi(k_j)`` change the result by at most
``sum_j e_ij |v_j - y| / (|D_i| - sum_j e_ij)``, with the denominator D: the same identity as for
softmax.  Features are evaluated as ``h(x) f(u)``, without logarithms, so that a sine near 0 is as
accurate as any other; the result does not depend on their common scale (of a query; of all keys).
"""
import math

import numpy as np

from hopref.check.tolerance.derivation import (
    REGROUPED,
    by_running_error,
    of_others,
    rule,
    stored,
)
from hopref.check.tolerance.models import given, transposed
from hopref.check.tolerance.running_error import ELEMENTARY
from hopref.check.tolerance.toleranced import Toleranced, exactly, implements, value_of
from hopref.maps import default_scale, ranges

__all__ = []


@implements(ranges.shrunk)
def shrunk(state, factors):
    """Products with powers of two are exact."""
    for factor in (np.asarray(value_of(f))[..., None] for f in factors):
        state = Toleranced(state.value * factor, state.radius * factor.astype(float), state.profile)
    return state


def toleranced_features(kind, x, omega, beta, profile):
    """The exponent of ``h`` and the factors ``f(u)`` of a feature map, as toleranced arrays."""
    x, omega = exactly(x, profile), exactly(omega, profile)
    xp = x.__array_namespace__()
    x = math.sqrt(beta) * x
    u, half = x @ omega.T, xp.sum(x * x, axis=-1, keepdims=True) / 2
    if kind == "positive":
        return u - half, xp.ones_like(u)
    if kind == "hyperbolic":
        return xp.concat([u - half, -u - half], axis=-1), np.ones((*u.shape[:-1], 2 * u.shape[-1]))
    if kind == "relu":
        return 0.0 * u, by_logarithm(xp.where(u > 0, u, 0.0 * u))
    both = xp.concat([xp.sin(u), xp.cos(u)], axis=-1)
    return half + xp.zeros_like(both), by_logarithm(both)


def by_logarithm(f):
    """f with the error of the exponential of its logarithm: |f| (1 + |log |f||) roundings."""
    size = np.abs(f.value).astype(float)
    more = size * (1 + np.abs(np.log(np.where(size > 0, size, 1))))
    return Toleranced(f.value, f.radius + ELEMENTARY * f.profile.u * more, f.profile)


def largest(exponent, axis):
    """A scale that is factored out: the largest exponent along an axis, or 0 if there is none."""
    top = np.max(exponent.value, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, 0)


def kernel_error(it, kind, beta, queries, keys, profile):
    """Kernels (..., l, s) up to a scale for each row, their errors, and their sums of |terms|."""
    profile = profile.regrouped(REGROUPED)
    omega = it["omega"]
    (log_q, f_q), (log_k, f_k) = (toleranced_features(kind, x, omega, beta, profile)
                                  for x in (queries, keys))
    xp, common = log_q.__array_namespace__(), largest(log_k, -2)     # a scale for each feature
    log_q = log_q + common
    q, k = xp.exp(log_q - largest(log_q, -1)) * f_q, xp.exp(log_k - common) * f_k
    kernel = q @ transposed_features(k)
    size = (np.abs(q.value) @ transposed(np.abs(k.value))).astype(float)
    return kernel.value, kernel.radius + ELEMENTARY * profile.u * size, size


def transposed_features(x):
    return x.rearranged(transposed)


def estimated(kernel, error, size, V, y, m, profile):
    """The tolerance of ``kernel @ V / sum(kernel)``, kernels of m features, at the truth ``y``."""
    away = np.abs(V[..., None, :, :] - y[..., :, None, :]).astype(float)
    moved = np.einsum("...ij,...ijv->...iv", error, away)
    share, answer = shares(kernel, size), np.abs(y)
    summed = share @ np.abs(V).astype(float) + np.sum(share, axis=-1, keepdims=True) * answer
    return (moved_mean(kernel, error, moved, np.max(away, axis=-2, initial=0.0))
            + mixed(summed, answer, kernel.shape[-1], m, float(np.sum(np.abs(V))), profile))


def moved_mean(kernel, error, moved, hull):
    """The change of a mean by errors of its kernels; positive kernels leave it in the hull."""
    left = np.abs(np.sum(kernel, axis=-1)).astype(float) - np.sum(error, axis=-1)
    slid = np.where(moved == 0, 0.0, np.where(left[..., None] > 0, moved / left[..., None], np.inf))
    return np.minimum(slid, hull) if np.all(kernel >= 0) else slid


def shares(kernel, size):
    """The sums of |terms| of the kernels as fractions of the denominator."""
    total = np.abs(np.sum(kernel, axis=-1, keepdims=True)).astype(float)
    return size / np.where(total > 0, total, 1)


def mixed(summed, answer, n, m, values, profile):
    """The error of the sums over n keys and m features, in any order, and of the division."""
    return ((profile.g(n) + profile.g(m) + 4 * profile.u + profile.u_p) * summed.astype(float)
            + (profile.u_o + 2 * profile.u) * answer.astype(float) + profile.eta * (values + 1))


def kind_of(op, args, kwargs):
    return kwargs.get("features", "positive")


def of_states(it, kind, X_features, xi_features, V, y, profile):
    queries = xi_features[..., None, :]
    found = kernel_error(it, kind, it["beta"], queries, X_features, profile)
    return estimated(*found, V, y[..., None, :], len(it["omega"]), profile)[..., 0, :]


@rule("performer.attention")
def of_attention(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    beta = default_scale(it["scale"], it["K"])
    found = seen_kernels(it, kind_of(op, args, kwargs), beta, profile)
    return estimated(*found, it["V"], exact, len(it["omega"]), profile)


def seen_kernels(it, kind, beta, profile):
    """`kernel_error` of queries and keys, 0 for hidden keys.

    A hidden key is replaced by the first visible one, so that it takes no part in the common scale.
    """
    keys, mask = it["K"], it["mask"]
    if mask is True or not mask.size:
        return kernel_error(it, kind, beta, it["Q"], keys, profile)
    visible = np.take_along_axis(keys, np.argmax(mask, axis=-1)[..., None, None], axis=-2)
    keys = np.where(mask[..., None], keys, visible)
    found = kernel_error(it, kind, beta, it["Q"], keys, profile)
    return [np.where(mask[..., None, :], part, 0) for part in found]


@rule("performer.update")
def of_update(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    return of_states(it, kind_of(op, args, kwargs), it["X"], it["xi"], it["X"], exact, profile)


@rule("performer.weights")
def of_weights(op, args, kwargs, exact, profile):
    """`estimated` with the values ``v_ij = (i == j)``."""
    it = given(op, args, kwargs)
    found = kernel_error(it, kind_of(op, args, kwargs), it["beta"], it["xi"][..., None, :], it["X"],
                         profile)
    kernel, error, size = (part[..., 0, :] for part in found)
    answer, away, n = np.abs(exact), np.abs(1 - exact).astype(float), kernel.shape[-1]
    hull = np.maximum(away, answer.astype(float) * (n > 1))
    share = shares(kernel, size)
    summed = share + np.sum(share, axis=-1, keepdims=True) * answer
    return (moved_mean(kernel, error, error * away + of_others(error) * answer.astype(float), hull)
            + mixed(summed, answer, n, len(it["omega"]), n, profile))


@rule("performer.thresholded_update")
def of_thresholded_update(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    X, xi = it["side"](it["X"], it["theta"]), it["side"](it["xi"], it["theta"])
    return of_states(it, kind_of(op, args, kwargs), X, xi, it["X"], exact, profile)


@rule("performer.causal_attention")
def of_causal_attention(op, args, kwargs, exact, profile):
    """Without a given state, that of masked attention; the running error for the state itself."""
    bounds = by_running_error(op, args, kwargs, exact, profile)
    if {"S", "z", "c"} & set(kwargs):
        return bounds
    it = given(op, args, kwargs)
    beta = default_scale(it["scale"], it["K"])
    found = seen_kernels(it, kind_of(op, args, kwargs), beta, profile)
    answer = estimated(*map(np.tril, found), it["V"], exact[0], len(it["omega"]), profile)
    return (np.fmin(answer, bounds[0]), *bounds[1:])


@rule("features.trigonometric", "features.relu")
def of_features(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    wide = profile.regrouped(REGROUPED)
    kind = op.name.partition(".")[2]
    exponent, factor = toleranced_features(kind, it["x"], it["omega"], it.get("beta", 1.0), wide)
    phi = exponent.__array_namespace__().exp(exponent) * factor / math.sqrt(len(it["omega"]))
    return stored(phi, exact, profile)
