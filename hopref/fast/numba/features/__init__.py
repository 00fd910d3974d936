"""`hopref.features` in one pass: a tile of projections, and their functions.

Rows whose exponents or angles leave the range of the kernel are computed by the formula.
"""
import math

import numpy as np

from hopref import features
from hopref.fast.numba._features import (
    BETAS,
    EXP,
    KINDS,
    LOG,
    LOG_MINUS,
    RELU,
    SLOPES,
    project,
    reach_of,
    scale_of,
    squared_lengths,
)
from hopref.features import projected

__all__ = ["general", "positive", "log_positive", "hyperbolic", "log_hyperbolic", "trigonometric",
           "relu", "gerf", "log_gerf"]

def general(x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    def formula(x, omega):
        return features.general.formula(x, omega, h=h, functions=functions, beta=beta)
    if h not in SLOPES or not all(f in KINDS for f in functions):
        return formula(x.astype(float), omega.astype(float)).astype(x.dtype)
    return _mapped(x, omega, beta, h, [KINDS[f] for f in functions], formula)


def positive(x, omega, /, *, beta=1.0):
    return general(x, omega, h=projected.decay, functions=(projected.exp,), beta=beta)


def log_positive(x, omega, /, *, beta=1.0):
    def formula(x, omega):
        return features.log_positive.formula(x, omega, beta=beta)
    return _mapped(x, omega, beta, projected.decay, [LOG], formula)


def hyperbolic(x, omega, /, *, beta=1.0):
    functions = projected.exp, projected.exp_minus
    return general(x, omega, h=projected.half_decay, functions=functions, beta=beta)


def log_hyperbolic(x, omega, /, *, beta=1.0):
    def formula(x, omega):
        return features.log_hyperbolic.formula(x, omega, beta=beta)
    return _mapped(x, omega, beta, projected.half_decay, [LOG, LOG_MINUS], formula)


def trigonometric(x, omega, /, *, beta=1.0):
    return general(x, omega, h=projected.growth, functions=(projected.sin, projected.cos),
                   beta=beta)


def relu(x, omega, /):
    return _mapped(x, omega, 1.0, projected.one, [RELU], features.relu.formula)


def gerf(x, omega, /, *, A=0.0, beta=1.0):
    def formula(x, omega):
        return features.gerf.formula(x, omega, A=A, beta=beta)
    return _mapped(x, omega, beta, projected.decay, [EXP], formula, A)


def log_gerf(x, omega, /, *, A=0.0, beta=1.0):
    def formula(x, omega):
        return features.log_gerf.formula(x, omega, A=A, beta=beta)
    return _mapped(x, omega, beta, projected.decay, [LOG], formula, A)


def _mapped(x, omega, beta, h, kinds, formula, A=0.0):
    """Features of these kinds with the factor h; A is that of `features.gerf`."""
    (m, d), real = omega.shape, x.dtype
    rows, (slope, halves) = x.reshape(math.prod(x.shape[:-1]), d), SLOPES[h]
    out, lost = np.empty((len(rows), m * len(kinds)), real), np.ones(len(rows), np.bool_)
    squares = squared_lengths(omega)
    if BETAS[0] < beta < BETAS[1] and np.isfinite(A * squares).all():
        factor, (scale, level) = math.sqrt((1 - 4 * A) * beta), scale_of(m, halves)
        constant = d / 4 * math.log1p(-4 * A) + level
        longest = math.sqrt((1 - 4 * A) * np.max(squares))
        reach = reach_of(kinds, beta, slope, longest, real.itemsize)
        project(rows, omega, (A * squares).astype(real), factor, slope * beta, constant, scale,
                0.0, np.array(kinds), reach, out, lost)
    if lost.any():
        out[lost] = formula(rows[lost].astype(float), omega.astype(float))
    return out.reshape(*x.shape[:-1], out.shape[1])
