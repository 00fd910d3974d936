"""Double-double arithmetic: numbers as unevaluated sums of two, with about 100 bits.

A pair ``(h, l)`` represents h + l, where h is the nearest number.  Thresholds of sparse maps
require this precision: where an entry is a root of a remainder, an ulp of a sum is many ulp of that
entry.  The control flow does not depend on values.  Sums of numbers in [-1, 1] are exact, so that
the result does not depend on the order of summation.

References: Dekker 1971 (products); Knuth, TAOCP 2, 4.2.2 (sums); Rump, Ogita & Oishi 2008 (sums of
many).
"""
import math
from fractions import Fraction

from hopref.dispatch.namespace import namespace, on_host

EXTRACTIONS = 3
LN2 = (float.fromhex("0x1.62e42fefa3800p-1"), float.fromhex("0x1.ef35793c76000p-45"),
       float.fromhex("0x1.cc01f97b57a08p-87"))      # 42 bits each: exact times exponents
EIGHTHS = ((1.0, 0.0, 0.0),                         # c and the pair -log c
           (0.875, 0.13353139262452263, -3.664457663660085e-18),
           (0.75, 0.2876820724517809, 2.607160616442564e-17),
           (0.625, 0.4700036292457356, -2.3229412495470032e-17),
           (0.5, 0.6931471805599453, 2.3190468138462996e-17))


def reciprocal(a):
    """The pair 1 / a of a number a."""
    h = 1 / a
    return h, float(1 / Fraction(*a.as_integer_ratio()) - Fraction(*h.as_integer_ratio()))


ODD = tuple(reciprocal(odd) for odd in (9.0, 7.0, 5.0, 3.0))


def plus(a, b):
    """The pair a + b, exactly."""
    h = a + b
    of_b = h - a
    return h, (a - (h - of_b)) + (b - of_b)


def ordered(h, l):
    """The normalised pair h + l, for |l| <= |h|."""
    top = h + l
    return top, l - (top - h)


def product(a, b):
    """The pair a b, exactly, unless one of its parts under- or overflows."""
    h = a * b
    far = 2.0 ** math.ceil(digits(h) / 2) + 1
    (a1, a0), (b1, b0) = halves(a, far * a), halves(b, far * b)
    return h, a0 * b0 - (((h - a1 * b1) - a0 * b1) - a1 * b0)


def digits(a):
    return 1 - math.log2(namespace(a).finfo(a.dtype).eps)


def tiny(a):
    """Magnitude below which the second part of a product may underflow."""
    return 2.0**62 * namespace(a).finfo(a.dtype).smallest_normal


def halves(a, far):
    top = far - (far - a)
    return top, a - top


def added(x, y):
    """The sum of two pairs, accurate unless their leading parts cancel."""
    h, l = plus(x[0], y[0])
    return ordered(h, l + (x[1] + y[1]))


def multiplied(x, y):
    h, l = product(x[0], y[0])
    return ordered(h, l + (x[0] * y[1] + x[1] * y[0]))


def divided(x, y):
    s = x[0] / y[0]
    h, l = product(s, y[0])
    return ordered(s, (((x[0] - h) - l) + (x[1] - s * y[1])) / y[0])


def scaled_by(x, c):
    """The pair x times a number c > 0 of any magnitude."""
    unit = 2.0 ** (math.frexp(float(c))[1] - 1)
    return multiplied((x[0] * unit, x[1] * unit), (c / unit, 0.0))


def total(a):
    return namespace(a).sum(a, axis=-1, keepdims=True)


def left(whole, *parts):
    """``whole - sum of all parts`` along the last axis, for entries in [-1, 1]; rounded once.

    The leading digits of all entries are extracted on a common grid, on which sums are exact.
    Formats that are too narrow for the grid use ordinary sums.
    """
    x, *more = parts
    xp = namespace(x)
    x = xp.concat([x, *more], axis=-1) if more else x
    eps = float(xp.finfo(x.dtype).eps)
    grid = 2.0 ** (2 * x.shape[-1]).bit_length()
    unit = grid
    for _ in range(EXTRACTIONS) if grid * eps < 1 else ():
        piece = (unit + x) - unit
        x = x - piece
        whole = whole - total(piece)
        unit = unit * grid * eps
    return whole - total(x)


def power(t, q):
    """t^q for a pair t in [0, 2) and a pair q > 0; the library's power where that is 2 or more.

    The result is the library's power p times 1 + (q log t - log p).
    """
    xp = namespace(t[0])
    p = xp.pow(t[0], q[0])
    known = (t[0] > tiny(p)) & (p > tiny(p)) & (p < 2)
    if on_host(p):                                      # no others are evaluated
        more = xp.zeros_like(p)
        more[known] = power_excess([part[known] for part in t], p[known], q)
        return p, more
    return p, xp.where(known, power_excess(t, p, q), 0.0)


def power_excess(t, p, q):
    """t^q - p for a pair t and the library's power p."""
    xp = namespace(p)
    log = logarithm((xp.stack([t[0], p]), xp.stack([t[1], 0.0 * p])))
    (of_t, more_t), (of_p, more_p) = ([part[i, ...] for part in log] for i in (0, 1))
    h, l = product(of_t, q[0])
    return p * ((h - of_p) + (l + (q[0] * more_t + q[1] * of_t) - more_p))


def logarithm(x):
    """The pair log x = k log 2 - log c + 2 atanh s, for x <= 2 that is not `tiny`."""
    xp = namespace(x[0])
    k = xp.floor(xp.log2(x[0]))
    unit = leading_bit(2.0**-k)
    m = (x[0] * unit, x[1] * unit)                      # in [1, 2], nearly
    c, *log_c = (xp.full_like(k, v) for v in EIGHTHS[0])
    for (larger, *_), (now, *log_now) in zip(EIGHTHS, EIGHTHS[1:], strict=False):
        beyond = m[0] * m[0] * (larger * now) > 1       # m times `now` is nearer to 1
        c = xp.where(beyond, now, c)
        log_c = [xp.where(beyond, v, old) for v, old in zip(log_now, log_c, strict=True)]
    m = multiplied(m, (c, 0.0))                         # within 12 % of 1
    s = divided(ordered(m[0] - 1, m[1]), added(m, (xp.ones_like(k), 0.0)))
    small = added(twice_atanh(s), log_c)
    top, rest = plus(k * LN2[0], small[0])
    middle, low = plus(k * LN2[1], rest)
    return ordered(top, middle + (low + (small[1] + k * LN2[2])))


def leading_bit(a):
    """The power of two next to a library's approximation of it."""
    far = 2.0 ** (digits(a) - 3) * a
    return (far + a) - far


def twice_atanh(s):
    """2 (s + s^3 / 3 + s^5 / 5 + ...) for |s| < 0.06, with pairs for the first terms."""
    square, series = multiplied(s, s), 0.0
    for odd in range(27, 9, -2):
        series = series * square[0] + 1 / odd
    series = (series, 0.0)
    for h, l in ODD:
        series = added((namespace(s[0]).full_like(s[0], h), l), multiplied(series, square))
    double = (2 * s[0], 2 * s[1])
    return added(double, multiplied(double, multiplied(square, series)))
