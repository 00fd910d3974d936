"""Tolerances of the functions that vector-Jacobian products are composed of.

A mean with weights >= 0 is in the hull of its values for any error of the weights; powers of
weights are monotone; slopes of activations are bounded.
"""
import math
from functools import partial

import numpy as np

from hopref import features, maps
from hopref.check.tolerance.performer import by_logarithm
from hopref.check.tolerance.softmax import size
from hopref.check.tolerance.sparse import weighted
from hopref.check.tolerance.toleranced import Toleranced, exactly, implements
from hopref.gradients import graded, layers, sums
from hopref.gradients import maps as maps_gradients
from hopref.gradients.features import projected
from hopref.maps import entries

__all__ = []


@implements(maps_gradients.weighted_mean)
def average(q, g):
    """A mean with weights >= 0 is in the hull of its values, up to its own rounding."""
    q, g = together(q, g)
    profile = q.profile
    plain = maps_gradients.weighted_mean.__wrapped__(q, g)
    if not np.all(q.value >= 0):
        return plain
    away = np.where((q.value != 0) | (q.radius > 0), np.abs(g.value - plain.value), 0)
    hull = np.max(away.astype(float) + g.radius, axis=-1, keepdims=True, initial=0.0)
    most = np.max(size(g.value) + g.radius, axis=-1, keepdims=True, initial=0.0)
    rounded = 2 * (profile.g(q.shape[-1]) + 2 * profile.u) * most
    radius = np.minimum(plain.radius, hull + rounded)
    return Toleranced(plain.value, radius, profile)


@implements(maps_gradients.jacobian_product)
def spread(q, g):
    """Differences from the entry of largest weight, or from the mean, have the same accuracy."""
    return q * (g - average(q, g))


@implements(layers.jacobian_product)
def spread_of_layers(A, G):
    """The error of a mean is the sum of errors of the weights times the distances from the mean."""
    plain, profile = layers.jacobian_product.__wrapped__(A, G), A.profile
    mean = np.sum(A.value * G.value, axis=-1, keepdims=True)
    away = np.abs(G.value - mean).astype(float)
    moved = np.sum(A.radius * (away + G.radius) + np.abs(A.value).astype(float) * G.radius,
                   axis=-1, keepdims=True)
    size = np.sum(np.abs(A.value * G.value), axis=-1, keepdims=True).astype(float)
    moved = moved + (profile.g(G.shape[-1]) + 2 * profile.u) * (size + away) + G.radius
    radius = A.radius * (away + moved) + np.abs(A.value).astype(float) * moved + profile.eta
    return Toleranced(plain.value, np.minimum(plain.radius, radius), profile)


def monotone(f, p, e):
    """A power e >= 0 is evaluated at both ends of the interval."""
    y = f(p.value, e)
    if e < 0:
        return unbounded(y, p, 1 + abs(e))
    top, low = f(p.value + p.radius, e), f(np.maximum(p.value - p.radius, 0), e)
    radius = np.maximum(top - y, y - low).astype(float)
    return Toleranced(y, radius + 8 * p.profile.u * size(y), p.profile)


def unbounded(y, p, steps):
    """A power e < 0 or a logarithm has a first-order error, if p has a relative error below 1."""
    rate = np.where(p.value > p.radius, p.radius / np.maximum(p.value - p.radius, 1e-300), np.inf)
    rate = np.where(p.radius == 0, 0.0, rate).astype(float)
    radius = np.where(rate == 0, 0.0, size(y) * np.expm1(np.minimum(steps * rate, 700.0)))
    radius = np.where(rate == np.inf, np.inf, radius)
    return Toleranced(y, radius + 8 * p.profile.u * size(y), p.profile)


@implements(maps.raised)
def raised(p, e):
    if e == 0:                              # 1 on the support, which may be uncertain
        return p.__array_namespace__().astype(p > 0, float)
    return monotone(maps.raised, p, e)


@implements(maps.raised_log)
def raised_log(p, e):
    """p^e log p has its minimum at p = e^(-1/e): it is evaluated there and at both ends."""
    y, turn = maps.raised_log(p.value, e), np.exp(-1 / np.longdouble(e))
    top, low = p.value + p.radius, np.maximum(p.value - p.radius, 0)
    ends = [maps.raised_log(x, e) for x in (top, low)]
    ends.append(np.where((low < turn) & (turn < top), maps.raised_log(turn, e), y))
    radius = np.max([np.abs(end - y) for end in ends], axis=0).astype(float)
    return Toleranced(y, radius + 12 * p.profile.u * size(y), p.profile)


@implements(entries.second_remainder)
def second_remainder(x):
    """Its slope is at most e - 1 - 2 (e - 2) < 0.3; the roundings of later terms of the series are
    fractions of those of the first."""
    y = entries.second_remainder(x.value)
    return Toleranced(y, 0.3 * x.radius + 8 * x.profile.u * size(y), x.profile)


@implements(maps.power_remainder)
def bend(p, e, a):
    """The error of either form, or the bound p^(e - a) log(p)^2/2."""
    y = maps.power_remainder(p.value, e, a)
    forms = [np.where(p.value > p.radius, maps.power_remainder.__wrapped__(p, e, a).radius, np.inf)]
    if a > 0:
        far = raised(p, e - a) - raised(p, e) + a * raised_log(p, e)
        forms.append((far / a / a).radius)
    if e > a:
        forms.append(np.full(p.shape, 2 * (np.exp(-1.0) / (e - a)) ** 2) + size(y))
    radius = np.where(p.radius == 0, 24 * p.profile.u * size(y), np.min(forms, axis=0))
    return Toleranced(y, radius, p.profile)


def bounded_slope(f, slope, most):
    """A function whose slope is at most ``slope`` and whose values differ by at most ``most``."""
    def implementation(u):
        y = f(u.value)
        radius = np.minimum(slope * u.radius, most) + 24 * u.profile.u * size(y)
        return Toleranced(y, radius, u.profile)
    return implementation


@implements(maps_gradients.interior)
def free(mu):
    """Uncertain where rounding of the scores could move an entry onto or off 0 or 1."""
    profile, stored = mu.profile, weighted(mu, mu.value, 0.0).radius
    moved = mu.radius - stored > stored / 8
    inside = (mu.value > 0) & (mu.value < 1)
    near = (mu.value <= mu.radius) | (1 - mu.value <= mu.radius)
    return Toleranced(inside.astype(float), 1.0 * np.where(inside, near, moved), profile)


@implements(features.general)
def general(x, omega, *, h, functions, beta=1.0):
    """h(x) f(u), without logarithms if f is smooth: a sine near 0 is as accurate as any other.
    """
    x, omega = together(x, omega)
    xp, x = x.__array_namespace__(), math.sqrt(beta) * x
    u, high = x @ omega.T, h.log(x)[..., None] - math.log(omega.shape[0]) / 2
    return xp.concat([feature(f, u, high) for f in functions], axis=-1)


@implements(projected.log_excess)
def beyond(x, omega, h, functions, beta):
    """A scale that is factored out and multiplied again has no error."""
    x, omega = together(x, omega)
    return projected.log_excess(x.value, omega.value, h, functions, beta)


@implements(projected.row_excess)
def over(log):
    """A scale has no error, as in `beyond`."""
    return projected.row_excess(log.value)


@implements(sums.times_exp)
def grown(a, excess):
    """A product whose 0 is exact where the other factor is infinite, so that no entry is uncertain.
    """
    a, excess = together(a, excess)
    y = sums.times_exp.__wrapped__(a.value, excess.value)
    return Toleranced(y, (a * np.exp(excess)).radius, a.profile)


def together(*arrays):
    """All arrays as toleranced arrays; plain arrays have radius 0."""
    profile = next(a.profile for a in arrays if isinstance(a, Toleranced))
    return [exactly(a, profile) for a in arrays]


def feature(f, u, high):
    xp = u.__array_namespace__()
    if isinstance(f.log, partial):                      # the logarithm of a plain function
        return xp.exp(high) * by_logarithm(exactly(f.log.args[0](u), u.profile))
    return f.sign(u) * xp.exp(high + f.log(u))


tanh_slope = implements(graded.tanh_slope)(bounded_slope(graded.tanh_slope, 0.77, 1.0))
sigmoid_slope = implements(graded.sigmoid_slope)(bounded_slope(graded.sigmoid_slope, 0.1, 0.25))
