r"""Exponents of growth: :math:`c(L) \propto L^p`, with an interval, and the class of the growth.

The exponent is the slope of the logarithm of the cost against that of the size.  Terms of lower
order, such as overhead that does not grow, bend the curve, and the last slopes are nearest to the
growth for large sizes.

* With noise, the exponent is that of the least-squares fit, and its interval that of the fit (95 %,
  Student's t of the residuals), extended to the slope between the two largest sizes.
* Without noise, the exponent is that of the three largest sizes.  Its interval contains both slopes
  between them, and is extended by three times their change: a curve that still bends has not
  reached its exponent.  A sum of powers 1 and 2 is then never taken for a power between them.

Only NumPy is imported at the top: the benchmarks load this file by its path.
"""
import math
from typing import NamedTuple

import numpy as np

__all__ = ["CLASSES", "Exponent", "class_of", "fitted", "slope"]

# Upper ends of the classes of an exponent; n log n is linear here.
CLASSES = {"constant": 0.25, "below linear": 0.75, "linear": 1.25, "between": 1.75,
           "quadratic": 2.25, "above quadratic": math.inf}
LEVEL = 0.975           # of both ends: an interval of 95 %


class Exponent(NamedTuple):
    """The fitted exponent and its interval."""
    value: float
    low: float
    high: float


def slope(sizes, costs):
    """The slope of log cost against log size, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def fitted(sizes, costs, rounds=(), *, exact=False):
    """The exponent with its interval; costs of 0 grow with the exponent 0.

    Parameters
    ----------
    sizes : at least three sizes, ascending
    costs : cost for each size
    rounds : further measurements of the costs, whose exponents extend the interval
    exact : bool, whether the costs are without noise

    Returns
    -------
    Exponent
    """
    costs = np.asarray(costs, float)
    if not np.any(costs):
        return Exponent(0.0, 0.0, 0.0)
    costs = np.maximum(costs, np.max(costs) * np.finfo(float).eps)
    x, y = np.log(np.asarray(sizes, float)), np.log(costs)
    before, last = (np.diff(y) / np.diff(x))[-2:]
    if exact:
        p, ends = slope(sizes[-3:], costs[-3:]), [before, last, last + 3 * (last - before)]
    else:
        p = slope(sizes, costs)
        half = _half_width(x, y, p)
        ends = [p - half, p + half, last, *(slope(sizes, c) for c in rounds)]
    return Exponent(p, float(min(p, *ends)), float(max(p, *ends)))


def _half_width(x, y, p):
    """Half of the interval of the slope, by the residuals of the fit."""
    from scipy import special
    away = x - np.mean(x)
    residuals = y - np.mean(y) - p * away
    freedom = len(x) - 2
    error = math.sqrt(np.sum(residuals**2) / freedom / np.sum(away**2))
    return float(special.stdtrit(freedom, LEVEL)) * error


def class_of(low, high, classes=None):
    """The class that contains the exponents from ``low`` to ``high``; "undecided" if none does."""
    names = [next(name for name, end in (classes or CLASSES).items() if p < end)
             for p in (low, high)]
    return names[0] if names[0] == names[1] else "undecided"
