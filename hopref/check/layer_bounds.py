"""Tolerances of Hopfield layers: running error, but for the softmax.

Its weights are as good as its scores allow, and however bad these are, lie between 0 and 1; plain
running error would leave them open after a step or two.
"""
from dataclasses import replace
from types import FunctionType

import numpy as np

from hopref import maps
from hopref.check.balls import Ball, exactly
from hopref.check.derived import REGROUPED, depth_error, rule, stored, weighed_within, widened
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


def on_balls(formula):
    """The same formula, with this softmax in it, and in the formulas that it calls."""
    names = {k: on_balls(v.__wrapped__) if k in association.__all__ else v
             for k, v in formula.__globals__.items() if k in formula.__code__.co_names}
    made = FunctionType(formula.__code__, {**names, "__builtins__": __builtins__,
                                           **({"softmax": softmax} if "softmax" in names else {})})
    made.__kwdefaults__ = formula.__kwdefaults__
    return made


@rule("layers.associations", "layers.associate")
def of_formula_with_softmax(op, args, kwargs, exact, profile):
    """The running error of the formula around the softmax."""
    profile = replace(profile, u=profile.u * REGROUPED)
    args, kwargs = widened(op, args, kwargs)
    options = {k: op.domains[k].resolve(v) if k == "empty_row" else v for k, v in kwargs.items()}
    wide = {k: exactly(v, profile) if k in op.arrays and np.ndim(v) and v.dtype.kind == "f" else v
            for k, v in options.items()}
    with open_door():
        y = on_balls(op.__wrapped__)(*(exactly(a, profile) for a in args), **wide)
    return stored(y, exact, profile)
