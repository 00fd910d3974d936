"""Tolerances are derived from the inputs and the candidate's arithmetic, never picked.

`measured(op, args, kwargs, profile)` is the truth, the formula in long double, with the derived
tolerance as its radius; `truth` and `tolerance` are its two halves.  Every op has one: the running
error of its own formula, each rounding counted twice because an honest candidate may group the
operations otherwise.  Where a sharper bound, or one for any algorithm, is known, a rule gives it
(see `hopref.check.derived`):

* softmax retrieval and attention: the exact identity
  ``y~ - y = sum_i p_i (v_i - y)(e^{d_i} - 1) / sum_j p_j e^{d_j}`` for scores off by ``d_i``;
* the Performer: the same identity for estimated kernels off by ``e_ij``;
* sign rules: both signs pass only where ``|field| <= g(d+1)(|W||xi| + |b|)``, nothing is open for
  integers;
* energies: the direct form, with all its cancellation, is honest too.

Where long double is no wider than float64 the truth may be off as far as an honest candidate in
float64, and that tolerance is added.
"""
import numpy as np

from hopref.check import (  # noqa: F401  they declare rules
    bounds,
    gradient_bounds,
    kernel_bounds,
    layer_bounds,
    sparse_bounds,
    structured_bounds,
)
from hopref.check.arithmetic import PROFILES, U64, Profile
from hopref.check.balls import Ball
from hopref.check.derived import RULES, by_running_error, widened
from hopref.dispatch.operation import load

__all__ = ["EXACT", "WIDER", "measured", "tolerance", "truth"]

WIDER = np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant
EXACT = Profile("exact", float(np.finfo(np.longdouble).eps) / 2 if WIDER else U64)


def measured(op, args, kwargs, profile):
    """The truth, each output a `Ball` whose radius is the tolerance of an honest candidate."""
    op = load()[op] if isinstance(op, str) else op
    exact = truth(op, args, kwargs)
    radii = tolerance(op, args, kwargs, exact, profile)
    if isinstance(exact, tuple):
        return tuple(Ball(y, r, profile) for y, r in zip(exact, radii))
    return Ball(exact, radii, profile)


def truth(op, args, kwargs):
    """The formula in long double at exactly these machine numbers."""
    args, kwargs = widened(op, args, kwargs)
    with np.errstate(all="ignore"):
        y = op.formula(*args, **kwargs)
    return tuple(map(np.asarray, y)) if isinstance(y, tuple) else np.asarray(y)


def tolerance(op, args, kwargs, exact, profile):
    """How far an honest candidate with this arithmetic may be from the truth, entry by entry."""
    bound = RULES.get(op.name, by_running_error)
    with np.errstate(all="ignore"):
        radii = bound(op, args, kwargs, exact, profile)
        if not WIDER:
            ours = bound(op, args, kwargs, exact, PROFILES["float64"])
            radii = tuple(map(np.add, radii, ours)) if isinstance(radii, tuple) else radii + ours
    return radii
