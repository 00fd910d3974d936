"""Tolerances of Hopfield layers and of their gradients: running error, but for the softmax.

Its weights are as good as its scores allow, and however bad these are, lie between 0 and 1; plain
running error would leave them open after a step or two.
"""
from dataclasses import replace
from inspect import isfunction
from types import FunctionType

import numpy as np

from hopref import maps
from hopref.check.balls import Ball, exactly
from hopref.check.derived import REGROUPED, depth_error, rule, stored, weighed_within, widened
from hopref.gradients import layers
from hopref.layers import association
from hopref.op import open_door

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


class Room:
    """A module whose formulas take balls."""
    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        return on_balls(getattr(self.module, name))


def on_balls(thing):
    """A formula of the layers, or a room of them, with this softmax in it; others as they are."""
    if thing in (maps.softmax, layers.spread):
        return softmax if thing is maps.softmax else spread
    if thing is association:
        return Room(thing)
    if not isfunction(thing) or thing.__module__ not in (association.__name__, layers.__name__):
        return thing
    it = getattr(thing, "__wrapped__", thing)
    names = {k: on_balls(v) for k, v in it.__globals__.items() if k in it.__code__.co_names}
    made = FunctionType(it.__code__, {**names, "__builtins__": __builtins__})
    made.__kwdefaults__ = it.__kwdefaults__
    return made


@rule("layers.associations", "layers.associate",
      *(f"gradients.layers.{name}" for name in layers.__all__))
def of_formula_with_softmax(op, args, kwargs, exact, profile):
    """The running error of the formula around the softmax."""
    profile = replace(profile, u=profile.u * REGROUPED)
    args, kwargs = widened(op, args, kwargs)
    options = {k: op.domains[k].resolve(v) if k == "empty_row" else v for k, v in kwargs.items()}
    wide = {k: exactly(v, profile) if k in op.arrays and np.ndim(v) and v.dtype.kind == "f" else v
            for k, v in options.items()}
    with open_door():
        y = on_balls(op)(*(exactly(a, profile) for a in args), **wide)
    if isinstance(y, tuple):
        return tuple(stored(ball, e, profile) for ball, e in zip(y, exact, strict=True))
    return stored(y, exact, profile)
