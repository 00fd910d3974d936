"""Tolerances of Hopfield layers and of their gradients: running error, but for the softmax.

Its weights are as good as its scores allow, and however bad these are, lie between 0 and 1; plain
running error would leave them open after a step or two.
"""
import numpy as np

from hopref import maps
from hopref.check.balls import Ball
from hopref.check.derived import depth_error, runner, weighed_within
from hopref.check.replaced import Replacing
from hopref.dispatch.operation import unchecked
from hopref.gradients import layers
from hopref.layers import association

__all__ = []


def softmax(z, *, beta=1.0, bias=0.0, where=True, empty_row=0.0):
    """Softmax of balls."""
    profile = z.profile
    s = beta * z + bias if np.ndim(bias) else beta * z
    scores = np.where(where, s.value, -np.inf)
    p = maps.softmax.formula(scores, empty_row=empty_row)
    size = np.where(np.isfinite(scores), np.abs(scores), 0).astype(float)
    tau = np.where(np.isfinite(scores), s.radius, 0.0) + profile.u_s * size
    tau = tau + depth_error(scores, profile)
    return Ball(p, weighed_within(tau, scores, p, profile), profile)


def spread(A, G):
    """Weights that sum to 1 move a mean by their own errors times the distances from it."""
    plain, profile = layers.spread(A, G), A.profile
    mean = np.sum(A.value * G.value, axis=-1, keepdims=True)
    away = np.abs(G.value - mean).astype(float)
    moved = np.sum(A.radius * (away + G.radius) + np.abs(A.value).astype(float) * G.radius,
                   axis=-1, keepdims=True)
    size = np.sum(np.abs(A.value * G.value), axis=-1, keepdims=True).astype(float)
    moved = moved + (profile.g(G.shape[-1]) + 2 * profile.u) * (size + away) + G.radius
    radius = A.radius * (away + moved) + np.abs(A.value).astype(float) * moved + profile.eta
    return Ball(plain.value, np.minimum(plain.radius, radius), profile)


on_balls = Replacing({maps.softmax: softmax, layers.spread: spread},
                     (association.__name__, layers.__name__))


@runner("layers.associations", "layers.associate",
        *(f"gradients.layers.{name}" for name in layers.__all__))
def with_softmax_of_balls(op):
    """The formula, and those that it calls, around the softmax."""
    return unchecked()(on_balls(op))
