"""`hopref.gradients.features` in one pass: a tile of projections, and sums of their functions.

Where rows leave the range of single precision, all are computed in double precision, and where they
leave that, by the formula.
"""
import math

import numpy as np

from hopref.fast.numba._feature_gradient import gradient
from hopref.fast.numba._features import KINDS, SLOPES
from hopref.fast.numba.gradients import by_formula
from hopref.features import projected
from hopref.gradients import features

__all__ = ["general", "positive", "hyperbolic", "trigonometric", "relu"]


def general(g, x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    rows, d = math.prod(x.shape[:-1]), x.shape[-1]
    if h in SLOPES and all(f in KINDS for f in functions):
        for real in dict.fromkeys((x.dtype, np.dtype(np.float64))):
            given = (a.astype(real, copy=False) for a in (g.reshape(rows, g.shape[-1]),
                                                          x.reshape(rows, d), omega))
            found = gradient(*given, h, [KINDS[f] for f in functions], beta)
            if found is not None:
                dx, *others = (np.asarray(a, x.dtype) for a in found)
                return dx.reshape(x.shape), *others
    return by_formula(features.general.formula, g, x, omega, h=h, functions=functions, beta=beta)


def positive(g, x, omega, /, *, beta=1.0):
    return general(g, x, omega, h=projected.decay, functions=(projected.exp,), beta=beta)


def hyperbolic(g, x, omega, /, *, beta=1.0):
    functions = projected.exp, projected.exp_minus
    return general(g, x, omega, h=projected.half_decay, functions=functions, beta=beta)


def trigonometric(g, x, omega, /, *, beta=1.0):
    return general(g, x, omega, h=projected.growth, functions=(projected.sin, projected.cos),
                   beta=beta)


def relu(g, x, omega, /):
    return general(g, x, omega, h=projected.one, functions=(projected.rectifier,))[:2]
