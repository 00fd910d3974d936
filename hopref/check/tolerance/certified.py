"""Certified correct values, which take the place of those of the formula.

The formula in long double cannot show that its own text is wrong, and rounds default scales and
roots to float64.  Small cases are certified in ball arithmetic, where python-flint is installed,
and large means by softmax in double-double arithmetic (see `hopref.certify`).  The tolerance is
that of the formula, to which the certified bound of at most 0.51 ulp of float64 is added.
"""
import math
from importlib.util import find_spec

import numpy as np

from hopref.certify import certify
from hopref.certify.evaluation import has_form
from hopref.certify.large import OPERATIONS
from hopref.check.tolerance.arithmetic import U64
from hopref.check.tolerance.toleranced import Toleranced
from hopref.errors import CertificationError

__all__ = ["decided"]

MOST = 600              # numbers of a case that is certified in balls: larger ones take long
LONG = 400              # numbers for each row of a case that is certified in double-double


def decided(op, args, kwargs, results):
    """The correct values of a call, and how they are known.

    Parameters
    ----------
    op, args, kwargs : the operation and its arguments
    results : toleranced results of the formula, or a tuple of them

    Returns
    -------
    results : the certified values, with the sum of tolerance and bound as their radii; the same
        results where there is no certified value at a small cost
    method : "exact", "balls" or "double-double"; "" for the formula in long double
    agree : bool, whether the formula is within the tolerance of float64 of the certified value
    """
    found = certified(op, args, kwargs)
    if found is None:
        return results, "", True
    if not isinstance(results, tuple):
        right, agree = replaced(results, found.value, found.bound)
        return right, found.method, agree
    pairs = [replaced(*three) for three in zip(results, found.value, found.bound, strict=True)]
    return tuple(right for right, _ in pairs), found.method, all(agree for _, agree in pairs)


def certified(op, args, kwargs):
    """The certified value of a call, or None where there is none at a small cost."""
    size = sum(map(np.size, (*args, *kwargs.values())))
    most = MOST / 3 if op.name.startswith("gradients.") else MOST       # derivatives take longer
    small = size <= most and has_form(op.name) and find_spec("flint") is not None
    if not small and (op.name not in OPERATIONS or rows(args) > size / LONG):
        return None
    try:
        return certify(op.name, *args, method=None if small else "double-double", **kwargs)
    except CertificationError:
        return None


def rows(args):
    """The number of results of the first argument, of which each is certified by itself."""
    return math.prod(np.shape(args[0])[:-1])


def replaced(right, value, bound):
    """A result with the certified value, and whether that of the formula is as good as an honest
    one in float64; beyond the range of float64 the formula stays."""
    if right.dtype.kind != "f":
        agree = np.array_equal(right.value, value)
        return (right if agree else Toleranced(value, 0.0, right.profile)), agree
    with np.errstate(all="ignore"):
        own = np.where(right.radius == 0, 0, U64 / right.profile.u * right.radius)
        near = (np.abs(right.value - value) <= bound + own) | (right.value == value)
    near |= np.isnan(right.value) & np.isnan(value) | np.isinf(bound)
    value = np.where(np.isinf(bound), right.value, value)
    radius = right.radius + np.where(np.isinf(bound), 0, bound)
    return Toleranced(value, radius, right.profile), bool(np.all(near))
