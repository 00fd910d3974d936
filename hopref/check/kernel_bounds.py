"""The tolerance of the Performer: softmax retrieval with estimated kernels.

Kernels ``kappa_ij = phi(q_i) phi(k_j)`` off by ``e_ij`` move the result by
``sum_j e_ij |v_j - y| / (|D_i| - sum_j e_ij)`` at most, D the denominator: the same identity as for
softmax.  Features are taken as ``h(x) f(u)``, not from logarithms, so that a sine near 0 is known
as well as any other; their common scale (of a query; of all keys) leaves the result alone.
"""
import math
from dataclasses import replace

import numpy as np

from hopref.check.balls import exactly
from hopref.check.bounds import given, transposed
from hopref.check.running_error import ELEMENTARY
from hopref.check.tolerance import REGROUPED, by_running_error, rule, stored
from hopref.maps import default_scale

__all__ = []


def feature_balls(kind, x, omega, beta, profile):
    """The exponent of ``h`` and the parts ``f(u)`` of a feature map, on balls: exponent, factor."""
    x, omega = exactly(x, profile), exactly(omega, profile)
    xp = x.__array_namespace__()
    x = math.sqrt(beta) * x
    u, half = x @ omega.T, xp.sum(x * x, axis=-1, keepdims=True) / 2
    if kind == "positive":
        return u - half, xp.ones_like(u)
    if kind == "hyperbolic":
        return xp.concat([u - half, -u - half], axis=-1), np.ones((*u.shape[:-1], 2 * u.shape[-1]))
    if kind == "relu":
        return 0.0 * u, xp.where(u > 0, u, 0.0 * u)
    both = xp.concat([xp.sin(u), xp.cos(u)], axis=-1)
    return half + xp.zeros_like(both), both


def scaled(balls, axes):
    """exp(exponent - max) * factor: features up to a common scale, with their radius."""
    exponent, factor = balls
    top = np.max(exponent.value, axis=axes, keepdims=True, initial=-np.inf)
    xp = exponent.__array_namespace__()
    return xp.exp(exponent - np.where(np.isfinite(top), top, 0)) * factor


def kernel_error(it, kind, beta, queries, keys, profile):
    """Kernels (..., l, s) up to a scale a row, and how far each may be off."""
    profile = replace(profile, u=profile.u * REGROUPED)
    omega = it["omega"]
    log_q, log_k = (feature_balls(kind, x, omega, beta, profile) for x in (queries, keys))
    top = np.max(log_k[0].value, axis=-2, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    q = scaled((exactly(log_q[0] + top, profile), log_q[1]), -1)
    k = scaled((exactly(log_k[0] - top, profile), log_k[1]), ())
    kernel = q @ transposed_ball(k)
    return kernel.value, kernel.radius + ELEMENTARY * profile.u * np.abs(kernel.value).astype(float)


def transposed_ball(x):
    return x.through(transposed)


def estimated(kernel, error, V, y, profile):
    """The tolerance of ``kernel @ V / sum(kernel)`` at the truth ``y``."""
    away = np.abs(V[..., None, :, :] - y[..., :, None, :]).astype(float)
    left = np.abs(np.sum(kernel, axis=-1)).astype(float) - np.sum(error, axis=-1)
    moved = np.einsum("...ij,...ijv->...iv", error, away)
    slid = np.where(moved == 0, 0.0, np.where(left[..., None] > 0, moved / left[..., None], np.inf))
    if np.all(kernel >= 0):
        slid = np.minimum(slid, np.max(away, axis=-2, initial=0.0))
    return slid + mixed(kernel, V, y, profile)


def mixed(kernel, V, y, profile):
    """What the sums over keys and the division add."""
    total = np.abs(np.sum(kernel, axis=-1, keepdims=True)).astype(float)
    share = np.abs(kernel).astype(float) / np.where(total > 0, total, 1)
    size = share @ np.abs(V).astype(float) + np.sum(share, axis=-1, keepdims=True) * np.abs(y)
    n, answer = kernel.shape[-1], np.abs(y).astype(float)
    return ((profile.g(n) + 4 * profile.u + profile.u_p) * size.astype(float)
            + (profile.u_o + 2 * profile.u) * answer
            + profile.eta * float(np.sum(np.abs(V)) + 1))


def kind_of(op, args, kwargs):
    return kwargs.get("features", "positive")


def of_states(it, kind, X_features, xi_features, V, y, profile):
    queries = xi_features[..., None, :]
    kernel, error = kernel_error(it, kind, it["beta"], queries, X_features, profile)
    return estimated(kernel, error, V, y[..., None, :], profile)[..., 0, :]


@rule("performer.attention")
def of_attention(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    beta = default_scale(it["scale"], it["K"])
    kernel, error = kernel_error(it, kind_of(op, args, kwargs), beta, it["Q"], it["K"], profile)
    seen = np.asarray(it["mask"])[..., None, :] if it["mask"] is not True else True
    return estimated(np.where(seen, kernel, 0), np.where(seen, error, 0), it["V"], exact, profile)


@rule("performer.update")
def of_update(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    return of_states(it, kind_of(op, args, kwargs), it["X"], it["xi"], it["X"], exact, profile)


@rule("performer.weights")
def of_weights(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    each = np.eye(len(it["X"]), dtype=np.longdouble)
    return of_states(it, kind_of(op, args, kwargs), it["X"], it["xi"], each, exact, profile)


@rule("performer.thresholded_update")
def of_thresholded_update(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    X, xi = it["side"](it["X"], it["theta"]), it["side"](it["xi"], it["theta"])
    return of_states(it, kind_of(op, args, kwargs), X, xi, it["X"], exact, profile)


@rule("performer.causal_attention")
def of_causal_attention(op, args, kwargs, exact, profile):
    """Without a state passed in, that of masked attention; the state itself by running error."""
    bounds = by_running_error(op, args, kwargs, exact, profile)
    if {"S", "z", "c"} & set(kwargs):
        return bounds
    it = given(op, args, kwargs)
    beta = default_scale(it["scale"], it["K"])
    kernel, error = kernel_error(it, kind_of(op, args, kwargs), beta, it["Q"], it["K"], profile)
    past = np.tril(np.ones(kernel.shape[-2:], bool))
    kernel, error = np.where(past, kernel, 0), np.where(past, error, 0)
    answer = estimated(kernel, error, it["V"], exact[0], profile)
    return (np.fmin(answer, bounds[0]), *bounds[1:])


@rule("features.trigonometric", "features.relu")
def of_features(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    wide = replace(profile, u=profile.u * REGROUPED)
    kind = op.name.partition(".")[2]
    exponent, factor = feature_balls(kind, it["x"], it["omega"], it.get("beta", 1.0), wide)
    phi = exponent.__array_namespace__().exp(exponent) * factor / math.sqrt(len(it["omega"]))
    return stored(phi, exact, profile)
