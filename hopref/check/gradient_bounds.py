"""Tolerances of vector-Jacobian products: running error, with sharper balls for what is bounded.

A weight lies between 0 and 1 and a mean in the hull of what it is taken of, however little is known
of the scores; powers of weights are monotone; logarithms of sums move no further than what they
are of.
"""
import math
from functools import partial

import numpy as np

from hopref import features, gradients, maps
from hopref.check import sparse_bounds
from hopref.check.balls import Ball, exactly
from hopref.check.derived import runner
from hopref.check.kernel_bounds import by_logarithm
from hopref.check.layer_bounds import softmax
from hopref.check.replaced import Replacing
from hopref.dispatch.operation import unchecked
from hopref.gradients import graded
from hopref.gradients import maps as through
from hopref.gradients.features import projected
from hopref.maps import powers, soft
from hopref.maps import sparse as sparse_maps

__all__ = []


def size(x):
    return np.where(np.isfinite(x), np.abs(x), 0).astype(float)


def average(q, g):
    """A mean by weights >= 0 stays among what it is taken of, but for its own rounding."""
    profile = q.profile if isinstance(q, Ball) else g.profile
    q, g = exactly(q, profile), exactly(g, profile)
    plain = through.average(q, g)
    if not np.all(q.value >= 0):
        return plain
    away = np.where((q.value != 0) | (q.radius > 0), np.abs(g.value - plain.value), 0)
    hull = np.max(away.astype(float) + g.radius, axis=-1, keepdims=True, initial=0.0)
    most = np.max(size(g.value) + g.radius, axis=-1, keepdims=True, initial=0.0)
    rounded = 2 * (profile.g(q.shape[-1]) + 2 * profile.u) * most
    radius = np.minimum(plain.radius, hull + rounded)
    return Ball(plain.value, radius, profile)


def spread(q, g):
    """Each entry by itself: the formula's own, with the entry of most weight, is no worse."""
    return q * (g - average(q, g))


def monotone(f, p, e):
    """A power e >= 0 at both ends of the ball."""
    y = f(p.value, e)
    if e < 0:
        return unbounded(y, p, 1 + abs(e))
    top, low = f(p.value + p.radius, e), f(np.maximum(p.value - p.radius, 0), e)
    radius = np.maximum(top - y, y - low).astype(float)
    return Ball(y, radius + 8 * p.profile.u * size(y), p.profile)


def unbounded(y, p, steps):
    """A power e < 0, or a logarithm: known to first order while p is known at all."""
    rate = np.where(p.value > p.radius, p.radius / np.maximum(p.value - p.radius, 1e-300), np.inf)
    rate = np.where(p.radius == 0, 0.0, rate).astype(float)
    radius = np.where(rate == 0, 0.0, size(y) * np.expm1(np.minimum(steps * rate, 700.0)))
    radius = np.where(rate == np.inf, np.inf, radius)
    return Ball(y, radius + 8 * p.profile.u * size(y), p.profile)


def raised(p, e):
    if e == 0:                              # 1 on the support, which may be in doubt
        return p.__array_namespace__().astype(p > 0, float)
    return monotone(powers.raised, p, e)


def raised_log(p, e):
    """p^e log p falls to p = e^(-1/e), then rises: at both ends, and there."""
    y, turn = powers.raised_log(p.value, e), np.exp(-1 / np.longdouble(e))
    top, low = p.value + p.radius, np.maximum(p.value - p.radius, 0)
    ends = [powers.raised_log(x, e) for x in (top, low)]
    ends.append(np.where((low < turn) & (turn < top), powers.raised_log(turn, e), y))
    radius = np.max([np.abs(end - y) for end in ends], axis=0).astype(float)
    return Ball(y, radius + 12 * p.profile.u * size(y), p.profile)


def bend(p, e, a):
    """By either of its forms, or no more than p^(e - a) log(p)^2/2 can be."""
    y = powers.bend(p.value, e, a)
    forms = [np.where(p.value > p.radius, powers.bend(p, e, a).radius, np.inf)]
    if a > 0:
        far = raised(p, e - a) - raised(p, e) + a * raised_log(p, e)
        forms.append((far / a / a).radius)
    if e > a:
        forms.append(np.full(p.shape, 2 * (np.exp(-1.0) / (e - a)) ** 2) + size(y))
    radius = np.where(p.radius == 0, 24 * p.profile.u * size(y), np.min(forms, axis=0))
    return Ball(y, radius, p.profile)


def logsumexp(z, *, beta=1.0):
    """Moves no further than the score that moves most."""
    y = maps.logsumexp.formula(z.value, beta=beta)
    own = z.radius + 2 * z.profile.u * size(z.value)
    rounded = (z.profile.g(z.shape[-1]) + 8 * z.profile.u) * (size(y) + 1 / beta)
    return Ball(y, np.max(np.where(np.isfinite(z.value), own, 0), axis=-1) + rounded, z.profile)


def logmeanexp(z, where=True):
    y = soft.logmeanexp(z.value, where)
    rounded = (z.profile.g(z.shape[-1]) + 16 * z.profile.u) * size(y)
    moved = np.max(np.where(where, z.radius, 0.0), axis=-1)
    return Ball(y, moved + rounded, z.profile)


def softmax_among(z, beta, support, renormalise, empty_row):
    p = softmax(z, beta=beta, where=soft.among(support, renormalise))
    return Ball(np.where(support, p.value, 0), np.where(support, p.radius, 0), z.profile)


def gentle(f, slope, most):
    """A function that moves at most ``slope`` times its argument, and no further than ``most``."""
    def on_ball(u):
        y = f(u.value)
        return Ball(y, np.minimum(slope * u.radius, most) + 24 * u.profile.u * size(y), u.profile)
    return on_ball


def free(mu):
    """Open where moved scores reach a bound or leave it; that a 1 is stored inexactly is no doubt.
    """
    profile, stored = mu.profile, sparse_bounds.weighted(mu, mu.value, 0.0).radius
    moved = mu.radius - stored > stored / 8
    inside = (mu.value > 0) & (mu.value < 1)
    near = (mu.value <= mu.radius) | (1 - mu.value <= mu.radius)
    return Ball(inside.astype(float), 1.0 * np.where(inside, near, moved), profile)


def general(x, omega, *, h, functions, beta=1.0):
    """h(x) f(u), not from logarithms where f is plain: a sine near 0 is known as any other."""
    xp, x = x.__array_namespace__(), math.sqrt(beta) * x
    u, high = x @ omega.T, h.log(x)[..., None] - math.log(omega.shape[0]) / 2
    return xp.concat([feature(f, u, high) for f in functions], axis=-1)


def beyond(x, omega, h, functions, beta):
    """A scale that is taken out and put back: whatever it is, it is no error."""
    return projected.beyond(x.value, np.asarray(getattr(omega, "value", omega)), h, functions, beta)


def over(log):
    """The same."""
    return projected.over(log.value)


def feature(f, u, high):
    xp = u.__array_namespace__()
    if isinstance(f.log, partial):                      # the logarithm of a plain function
        return xp.exp(high) * by_logarithm(exactly(f.log.args[0](u), u.profile))
    return f.sign(u) * xp.exp(high + f.log(u))


REPLACED = {       # a function of hopref -> the same on balls
    **{getattr(maps, name): f for name, f in sparse_bounds.MAPS.items() if hasattr(maps, name)},
    sparse_maps.kth_largest: sparse_bounds.kth_largest, maps.softmax: softmax,
    features.general: general, projected.beyond: beyond, projected.over: over,
    maps.logsumexp: logsumexp, soft.logmeanexp: logmeanexp,
    soft.softmax_among: softmax_among, through.average: average, through.spread: spread,
    through.free: free, powers.raised: raised, powers.raised_log: raised_log, powers.bend: bend,
    graded.tanh_slope: gentle(graded.tanh_slope, 0.77, 1.0),
    graded.sigmoid_slope: gentle(graded.sigmoid_slope, 0.1, 0.25),
}
on_balls = Replacing(REPLACED, ("hopref.models.", "hopref.gradients.", "hopref.maps.potentials"))


@runner(*(f"gradients.{room}.{name}" for room in gradients.__all__ if room != "layers"
          for name in getattr(gradients, room).__all__))
def with_replacements(op):
    """The op's formula on balls, with the replacements in it and in the formulas that it calls."""
    return unchecked()(on_balls(op))
