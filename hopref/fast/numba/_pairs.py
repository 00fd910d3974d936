"""Numbers as unevaluated sums of two, one at a time, as in `hopref.maps.double_double`.

Sums and products are exact and need no fused multiplication.  Multiplications are exact while the
operands and results are between 2^-900 and 2^900 in size, or 0.
"""
import math

from hopref.fast.numba._jit import njit
from hopref.maps.double_double import EIGHTHS, LN2

__all__ = ["two_sum", "two_product", "real_power"]

FAR = 2.0**27 + 1


@njit
def two_sum(a, b):
    h = a + b
    of_b = h - a
    return h, (a - (h - of_b)) + (b - of_b)


@njit
def two_product(a, b):
    h = a * b
    a1, b1 = FAR * a, FAR * b
    a1, b1 = a1 - (a1 - a), b1 - (b1 - b)
    a0, b0 = a - a1, b - b1
    return h, a0 * b0 - (((h - a1 * b1) - a0 * b1) - a1 * b0)


@njit
def real_power(t, q):
    """t^q for a pair t in (0, 2) and a pair q, as a pair: the library's power, corrected."""
    p = t[0] ** q[0]
    of_t, of_p = _logarithm(t), _logarithm((p, 0.0))
    h, l = two_product(of_t[0], q[0])
    return p, p * ((h - of_p[0]) + (l + (q[0] * of_t[1] + q[1] * of_t[0]) - of_p[1]))


@njit
def _logarithm(x):
    """The pair log x = k log 2 - log c + 2 atanh s, with an error of 2^-66."""
    m, k = math.frexp(x[0])
    m, k = 2 * m, k - 1                                         # in [1, 2)
    low = x[1] * (m / x[0])
    c, log_c, more_c = EIGHTHS[0]
    for i in range(1, len(EIGHTHS)):
        if m * m * (EIGHTHS[i - 1][0] * EIGHTHS[i][0]) > 1:     # m times this c is nearer to 1
            c, log_c, more_c = EIGHTHS[i]
    m, more = two_product(m, c)
    m, low = two_sum(m - 1, more + low * c)                     # m - 1 is exact: m is near 1
    whole, more = two_sum(m, 2.0)
    s = m / whole
    h, l = two_product(s, whole)
    square, series = s * s, 0.0
    for odd in range(23, 1, -2):
        series = (series + 1.0 / odd) * square
    rest = 2 * ((((m - h) - l) + low - s * (low + more)) / whole + s * series)
    small, d = two_sum(log_c, 2 * s)
    top, e = two_sum(k * LN2[0], small)
    return two_sum(top, k * LN2[1] + (e + (d + more_c + rest)))
