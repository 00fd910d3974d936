"""Derivatives of a rule along a direction, by central differences in long double.

For a direction v of all arguments and cotangents g of all results, ``<J^T g, v>`` is the derivative
of ``<g, rule(arguments + t v)>`` at t = 0.  Five-point stencils of step h, h/2 and h/4 have errors
O(h^4).  If the last change is at most a quarter of the previous one, it is a bound on the remaining
error.  The other contribution is the rounding of the rule divided by h/4.

Where the stencil contains a kink, or the rule is not close to a polynomial of low degree, the
changes or the second difference do not decrease at this rate, and no derivative is returned.
"""
import inspect

import numpy as np

from hopref.check.tolerance.expected import EXACT, tolerance, truth
from hopref.check.tolerance.toleranced import toleranced
from hopref.dispatch.domains import Scalar
from hopref.dispatch.operation import gradient_of

__all__ = ["STEP", "ROOT", "arguments_by_kind", "cotangents", "derivative", "differentiated",
           "symmetric"]

CONSTANT = {"sign_q", "sign_k", "theta"}        # signs and thresholds have no cotangents
STEP = 2.0**-10
STENCIL = ((1, 2 / 3), (2, -1 / 12))
ROOT = 2.0**-52         # rules compute roots of numbers in float64, also in long double
PRECISE = 1e-8          # a derivative with a larger relative error is not returned


def differentiated(rule):
    """The arguments that have cotangents: real arrays in order, then numbers."""
    named = [k for k in rule.signature.parameters if k not in CONSTANT]
    return ([k for k in named if k in rule.arrays and rule.domains[k].kind == "real"]
            + [k for k in named if isinstance(rule.domains[k], Scalar)
               and rule.domains[k].kind is float])


def cotangents(rule):
    """Names of the leading arguments of the gradient that the rule lacks."""
    return [k for k in gradient_of(rule).signature.parameters if k not in rule.signature.parameters]


def symmetric(rule, k):
    """Whether an argument must be a symmetric matrix."""
    return getattr(rule.domains.get(k), "structural", None) is not None


def arguments_by_kind(op, given):
    """Positional and keyword arguments of an operation, from arguments by name."""
    kinds = op.signature.parameters
    modifiers = [k for k in given if kinds[k].kind is inspect.Parameter.KEYWORD_ONLY]
    return [given[k] for k in kinds if k in given and k not in modifiers], \
        {k: given[k] for k in modifiers}


def derivative(rule, given, direction):
    """The derivative of ``<g, rule>`` along a direction, within its error; None if differences do
    not determine it.  ``given`` holds the arguments of the gradient by name."""
    g = [given[k] for k in cotangents(rule)]
    at = {k: x for k, x in given.items() if k in rule.signature.parameters}

    def total(t):
        moved = {k: np.longdouble(x) + np.longdouble(t) * direction[k] if k in direction else x
                 for k, x in at.items()}
        return paired(g, results(truth, rule, moved))

    h, here = STEP, total(0.0)
    F = {t: (total(t), total(-t)) for t in (h / 4, h / 2, h, 2 * h)}
    rough, middle, fine = (sum(c * (F[k * s][0] - F[k * s][1]) for k, c in STENCIL) / s
                           for s in (h, h / 2, h / 4))
    bends = [abs(F[s][0] - 2 * here + F[s][1]) / s for s in (h, h / 2)]
    exact = results(truth, rule, at)
    if any(np.any(np.isnan(y)) for y in exact):         # NaN was requested: no derivative
        return None
    radii = results(tolerance, rule, at, EXACT)
    noise = 4 * sum(float(np.sum(np.abs(a) * r)) for a, r in zip(g, radii, strict=False)) / (h / 4)
    changes = float(abs(rough - middle)), float(abs(middle - fine))
    error = changes[1] + noise
    scale = float(abs(fine)) + sum(float(np.sum(np.abs(a))) for a in g)
    shown = (error < PRECISE * scale + 1e-300 and changes[1] <= changes[0] / 4 + noise
             and bends[1] <= 0.75 * bends[0] + 8 * noise)       # NaN: not determined
    return toleranced(fine, error) if shown else None


def results(function, rule, given, *more):
    """What ``function(rule, operands, options, ...)`` returns, as a tuple."""
    y = function(rule, *arguments_by_kind(rule, given), *more)
    return y if isinstance(y, tuple) else (y,)


def paired(g, y):
    """<g, y>, without results of -inf."""
    return sum(np.sum(a * np.where(np.isfinite(b), b, 0)) for a, b in zip(g, y, strict=False))
