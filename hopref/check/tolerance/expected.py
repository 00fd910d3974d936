"""Correct values, and the tolerances of honest candidates.

Tolerances are derived from the inputs and the arithmetic of the candidate.  The correct value,
`truth`, is the formula in long double; `tolerance` is the running error of this formula, with each
rounding counted twice, because an honest candidate may group the operations differently.  The
running error has the correct value as well, which `evaluated` takes from it.  Where a sharper
bound, or one for any algorithm, is known, it is implemented as a rule:

* softmax retrieval and attention: the exact identity
  ``y~ - y = sum_i p_i (v_i - y)(e^{d_i} - 1) / sum_j p_j e^{d_j}`` for scores with errors ``d_i``;
* the Performer: the same identity for estimated kernels with errors ``e_ij``;
* sign rules: both signs are accepted only where ``|field| <= g(d+1)(|W||xi| + |b|)``, and only one
  where all terms are integers;
* energies: the direct form is also honest, in spite of its cancellation.

An operation, or a function that formulas call, may also have other honest algorithms (see
`hopref.check.tolerance.alternatives`): the tolerance is the largest of their running errors.

Where long double is no wider than float64, the error of the correct value may be that of an honest
candidate in float64, and this tolerance is added.
"""
import numpy as np

from hopref.check.tolerance import (  # noqa: F401
    alternatives,
    gated,
    gradients,
    models,
    performer,
    sigmoid,
    sinks,
    sparse,
    structured,
    turns,
)
from hopref.check.tolerance.arithmetic import PROFILES, U64, Profile
from hopref.check.tolerance.derivation import BOUNDS, by_running_error, running, stored, widened
from hopref.check.tolerance.memory import remembered
from hopref.check.tolerance.toleranced import Toleranced, value_of
from hopref.dispatch.operation import load

__all__ = ["EXACT", "WIDER", "evaluated", "expected", "honest", "tolerance", "truth"]

WIDER = np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant
EXACT = Profile("exact", float(np.finfo(np.longdouble).eps) / 2 if WIDER else U64)


def expected(op, args, kwargs, profile):
    """The truth, with the tolerance of an honest candidate as its radius."""
    op = load()[op] if isinstance(op, str) else op
    exact, radii = evaluated(op, args, kwargs, profile)
    if isinstance(exact, tuple):
        return tuple(Toleranced(y, r, profile) for y, r in zip(exact, radii))
    return Toleranced(exact, radii, profile)


@remembered
def truth(op, args, kwargs):
    """Evaluate the formula of an operation in long double.

    Parameters
    ----------
    op : the operation
    args, kwargs : its arguments, which are converted to long double without rounding

    Returns
    -------
    long double array, or a tuple of them
    """
    args, kwargs = widened(op, args, kwargs)
    with np.errstate(all="ignore"):
        y = op.formula(*args, **kwargs)
    return tuple(map(np.asarray, y)) if isinstance(y, tuple) else np.asarray(y)


@remembered
def evaluated(op, args, kwargs, profile):
    """The correct value, and bounds on the errors of an honest candidate with this arithmetic.

    Returns
    -------
    value, bounds : long double array and its bounds entry by entry, or a tuple of each
    """
    bound = BOUNDS.get(op.name, by_running_error)
    with np.errstate(all="ignore"):
        if bound is by_running_error:
            results = running(op, args, kwargs, profile)
            exact = values(results)
            radii = stored(results, exact, profile)
        else:
            exact = truth(op, args, kwargs)
            radii = bound(op, args, kwargs, exact, profile)
        if not WIDER:
            ours = bound(op, args, kwargs, exact, PROFILES["float64"])
            radii = tuple(map(np.add, radii, ours)) if isinstance(radii, tuple) else radii + ours
    return exact, radii


def values(results):
    """The numbers of toleranced results."""
    if isinstance(results, tuple):
        return tuple(map(values, results))
    return np.asarray(value_of(results))


def tolerance(op, args, kwargs, profile):
    """Bounds on the errors of an honest candidate with this arithmetic, entry by entry."""
    return evaluated(op, args, kwargs, profile)[1]


def honest(op, *args, **kwargs):
    """The value of an operation, with the tolerance of an honest implementation in float64."""
    return expected(op, args, kwargs, PROFILES["float64"])
