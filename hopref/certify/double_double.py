"""Double-double arithmetic on arrays: a pair (h, l) is the number h + l, with |l| <= ulp(h)/2.

The relative error of each operation on pairs is below `DELTA` = 2^-102 in round to nearest: at most
15 u^2 with u = 2^-53 for the quotient, less for the others (Joldes, Muller and Popescu 2017,
algorithms 4, 6, 9, 12 and 17).  A product of two numbers is exact up to `TINY` = 2^-1070, which is
more than five times the smallest number, if it underflows (Ogita, Rump and Oishi 2005).  Operands
are below 2^990 in size.
"""
import math

import numpy as np

__all__ = ["DELTA", "TINY", "EXPONENTIAL", "LEAST", "plus", "product", "added", "times",
           "multiplied", "divided", "exponential", "logarithm", "summed", "depth"]

DELTA, TINY = 2.0**-102, 2.0**-1070
EXPONENTIAL = 2.0**-95          # relative error of `exponential` and absolute one of `logarithm`
LEAST = -620.0                  # exponentials of smaller numbers are 0; they are below 2^-894
SPLIT = 134217729.0
LN2 = (float.fromhex("0x1.62e42fefa2p-1"), float.fromhex("0x1.9ef35793c6p-41"),
       float.fromhex("0x1.673007e5ed5e8p-81"))
TERMS, HALVINGS = 12, 6


def plus(a, b):
    """a + b, exactly."""
    h = a + b
    part = h - a
    return h, (a - (h - part)) + (b - part)


def ordered(a, b):
    """a + b, exactly, for |a| >= |b|."""
    h = a + b
    return h, b - (h - a)


def split(a):
    scaled = SPLIT * a
    high = scaled - (scaled - a)
    return high, a - high


def product(a, b):
    """a b, exactly but for underflow."""
    h = a * b
    (a1, a0), (b1, b0) = split(a), split(b)
    return h, ((a1 * b1 - h) + a1 * b0 + a0 * b1) + a0 * b0


def added(x, y):
    """The sum of two pairs."""
    h, l = plus(x[0], y[0])
    t, f = plus(x[1], y[1])
    h, l = ordered(h, l + t)
    return ordered(h, l + f)


def times(x, b):
    """The product of a pair and a number."""
    h, l = product(x[0], b)
    return ordered(h, l + x[1] * b)


def multiplied(x, y):
    """The product of two pairs."""
    h, l = product(x[0], y[0])
    return ordered(h, l + (x[0] * y[1] + x[1] * y[0]))


def divided(x, y):
    """The quotient of two pairs."""
    q = x[0] / y[0]
    h, l = times(y, q)
    rest = added(x, (-h, -l))
    return ordered(q, (rest[0] + rest[1]) / y[0])


def inverse(k):
    """The pair 1/k of a small integer."""
    h = 1.0 / k
    p, e = product(h, float(k))
    return h, ((1.0 - p) - e) / k


def exponential(x):
    """e^x for pairs x <= 1, and 0 below `LEAST`.

    The relative error is below `EXPONENTIAL`: that of (e^r - 1)/r, r = (x - k log 2)/64, is at most
    2.1 `DELTA`; each of the six steps s -> 2 s + s^2 multiplies it by at most 1 + s/2 and adds 1.25
    `DELTA`, and the error of r is below (|x| + 2) 2^-109 + 4 `DELTA`, which is below 2^-98.
    """
    k = np.rint(np.maximum(x[0], LEAST) / LN2[0])
    r = added((x[0] - k * LN2[0], x[1]), (-k * LN2[1], 0.0 * k))
    r = added(r, (-k * LN2[2], 0.0 * k))
    r = r[0] / 2.0**HALVINGS, r[1] / 2.0**HALVINGS
    one = np.ones_like(k), np.zeros_like(k)
    q = one
    for j in range(TERMS, 1, -1):
        q = added(one, multiplied(multiplied(r, q), inverse(j)))
    s = multiplied(r, q)
    for _ in range(HALVINGS):
        s = added((2 * s[0], 2 * s[1]), multiplied(s, s))
    s, factor, shown = added(one, s), np.ldexp(1.0, k.astype(int)), x[0] >= LEAST
    return np.where(shown, s[0] * factor, 0.0), np.where(shown, s[1] * factor, 0.0)


def logarithm(x):
    """log x for pairs x in [1/2, 2^600], by one step of Newton's method from the logarithm of h."""
    y = np.log(x[0])
    t = added(multiplied(x, exponential((-y, 0.0 * y))), (-np.ones_like(y), 0.0 * y))
    square = multiplied(t, t)
    t = added(t, (-square[0] / 2 + square[0] * t[0] / 3, -square[1] / 2))
    return added((y, 0.0 * y), t)


def summed(x):
    """The sum of pairs along the first axis; its error is `depth` times `DELTA` of sum |x|."""
    h, l = x
    while len(h) > 1:
        half = len(h) // 2
        odd = h[2 * half:], l[2 * half:]
        h, l = added((h[:half], l[:half]), (h[half:2 * half], l[half:2 * half]))
        if len(odd[0]):
            first = added((h[:1], l[:1]), odd)
            h[:1], l[:1] = first
    return (h[0], l[0]) if len(h) else (np.zeros(h.shape[1:]), np.zeros(h.shape[1:]))


def depth(n):
    """An upper bound on the additions that a term of a sum of n terms passes in `summed`."""
    return 2 * math.ceil(math.log2(max(n, 2)))
