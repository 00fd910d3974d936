"""Exact fused multiply-add in all directions of rounding, and flushing of subnormal numbers.

The fused operation in double precision is that of Boldo and Melquiond (2008): error-free products
and sums, the last but one rounded to odd.  Numbers near the ends of the range go through fractions.
"""
import math
from fractions import Fraction

import numpy as np

__all__ = ["flush", "fma", "DIRECTIONS"]

DIRECTIONS = ("rn", "rz", "rm", "rp")
_SPLIT = 2.0**27 + 1.0
_TINY = np.finfo(np.float32).tiny
_HALF_WAY = 2**28                           # in the 29 bits that single precision does not have


def flush(x):
    """Subnormal numbers of single precision as zeros of the same sign."""
    return np.where(np.abs(x) < _TINY, np.copysign(np.float32(0), x), x)


def fma(a, b, c, direction="rn"):
    """a * b + c, rounded once in the ``direction``: nearest, to zero, down or up."""
    if direction == "rn" and a.dtype == np.float32:
        s = np.multiply(a, b, dtype=np.float64) + c
        if not _between_singles(s).any():
            return s.astype(np.float32)
    a, b, c = np.broadcast_arrays(a, b, c)
    return (_fma32 if a.dtype == np.float32 else _fma64)(a, b, c, direction)


def _two_sum(a, b):
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _two_product(a, b):
    p, s, t = a * b, _SPLIT * a, _SPLIT * b
    a1, b1 = s - (s - a), t - (t - b)
    a2, b2 = a - a1, b - b1
    return p, a2 * b2 - (((p - a1 * b1) - a2 * b1) - a1 * b2)


def _to_odd(s, error):
    """The sum s + error, rounded to odd; s is the sum rounded to nearest."""
    s = np.array(s, np.float64)
    bits = s.view(np.int64)
    bits += np.where((error != 0) & np.isfinite(s) & (bits & 1 == 0),
                     np.where((error > 0) == (s > 0), 1, -1), 0)
    return s


def _fma32(a, b, c, direction):
    """The product is exact in double precision, and a sum rounded to odd may be rounded again."""
    s, error = _two_sum(np.multiply(a, b, dtype=np.float64), c.astype(np.float64))
    s = _to_odd(s, np.where(np.isfinite(s), error, 0))
    near = s.astype(np.float32)
    if direction == "rn":
        return near
    back = near.astype(np.float64)
    down = np.where(back > s, np.nextafter(near, np.float32(-np.inf)), near)
    up = np.where(back < s, np.nextafter(near, np.float32(np.inf)), near)
    return {"rm": down, "rp": up, "rz": np.where(s > 0, down, up)}[direction]


def _between_singles(s):
    """Whether a rounded sum may be half-way between two numbers of single precision.

    Where it is not, it is on the side on which the exact sum is.
    """
    return (s.view(np.int64) & _HALF_WAY * 2 - 1 == _HALF_WAY) | (np.abs(s) < _TINY) & (s != 0)


def _fma64(a, b, c, direction):
    if direction != "rn":
        safe = np.zeros(a.shape, bool)
        result = np.empty(a.shape)
    else:
        product, low = _two_product(a, b)
        high, rest = _two_sum(c, low)
        total, left = _two_sum(product, high)
        result = total + _to_odd(*_two_sum(rest, left))
        zero = (a == 0) | (b == 0)
        result = np.where(zero, product + c, result)
        in_range = (np.abs(product) < 1e290) & (np.abs(product) > 1e-250) & (np.abs(c) < 1e290)
        factors = (np.abs(a) < 1e290) & (np.abs(b) < 1e290)
        safe = factors & (in_range | zero)
    for i in zip(*np.nonzero(~safe)):
        result[i] = exactly(float(a[i]), float(b[i]), float(c[i]), direction)
    return result


def exactly(a, b, c, direction="rn"):
    """a * b + c in double precision by fractions."""
    if not all(map(math.isfinite, (a, b, c))):
        finite_product = math.isfinite(a) and math.isfinite(b)
        return c if finite_product else float(np.float64(a) * np.float64(b) + np.float64(c))
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return a * b + c                          # the sign of a zero
    try:
        near = exact.numerator / exact.denominator
    except OverflowError:
        near = math.inf if exact > 0 else -math.inf
    return _directed(near, exact, direction)


def _directed(near, exact, direction):
    if direction == "rz":
        direction = "rm" if exact > 0 else "rp"
    if direction == "rm" and near > exact:
        return math.nextafter(near, -math.inf)
    if direction == "rp" and near < exact:
        return math.nextafter(near, math.inf)
    return near
