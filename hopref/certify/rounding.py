"""The nearest machine numbers of balls, and bounds on the distances."""
import math
from typing import Any, NamedTuple

import numpy as np
from flint import arb

__all__ = ["Rounded", "certified", "nearest", "upward"]


class Rounded(NamedTuple):
    """Machine numbers near balls.

    Attributes
    ----------
    value, bound : arrays, or tuples of arrays
    reached : whether every bound is as tight as requested
    exact : whether every ball has the radius 0
    """
    value: Any
    bound: Any
    reached: bool
    exact: bool


def certified(results, max_ulp, count):
    """The `Rounded` values of the results of a form."""
    parts = [_part(y, max_ulp) for y in (results if count > 1 else (results,))]
    value, bound, reached, exact = (tuple(p[i] for p in parts) for i in range(4))
    if count == 1:
        value, bound = value[0], bound[0]
    return Rounded(value, bound, all(reached), all(exact))


def _part(y, max_ulp):
    y = np.asarray(y)
    if y.dtype == bool:
        return y, np.zeros(y.shape), True, True
    rows = [_entry(v, max_ulp) for v in y.ravel().tolist()]
    value, bound = (np.array([row[i] for row in rows], float).reshape(y.shape)[()] for i in (0, 1))
    return value, bound, all(row[2] for row in rows), all(row[3] for row in rows)


def _entry(v, max_ulp):
    """The nearest float, the bound, whether the bound suffices, and whether the ball is a point."""
    if isinstance(v, int | float):
        return float(v), 0.0, True, True
    if not v.is_finite():
        return math.nan, math.inf, False, False
    value = nearest(v.mid())
    if math.isinf(value):
        beyond = bool(abs(v) > arb(math.ldexp(1 - 2.0**-54, 1024 - 1)) * 2)
        return value, math.inf, beyond, beyond and v.is_exact()
    away = abs(v - value).abs_upper()
    reached = bool(away <= arb(max_ulp) * arb(math.ulp(value)))
    return value, upward(away), reached, v.is_exact()


def nearest(x):
    """The float nearest to a number that is a ball of radius 0."""
    mantissa, exponent = (int(part) for part in x.man_exp())
    top = mantissa.bit_length() + exponent
    if top < -1076 or not mantissa:
        return 0.0
    infinite = math.inf if mantissa > 0 else -math.inf
    if top > 1025:
        return infinite
    try:
        return float(mantissa << exponent) if exponent >= 0 else mantissa / (1 << -exponent)
    except OverflowError:
        return infinite


def upward(x):
    """The smallest float that is not below a number >= 0."""
    y = nearest(x)
    return y if arb(y) >= x else math.nextafter(y, math.inf)
