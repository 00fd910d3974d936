"""Functions of entries and rows: quotients, lengths, powers, and factors from logarithms."""
import math

from hopref.dispatch.namespace import namespace
from hopref.dispatch.overrides import overridable
from hopref.maps.double_double import leading_bit

inf = math.inf
NEAR = 30       # products with numbers whose 30th power is in range do not overflow
SITES = 32      # largest number of entries for which a sum of others is a matrix product
TERMS = 24      # number of terms of the exponential series for x <= 1; the next is below 2**-64


def ratio(numerator, denominator, otherwise):
    """The quotient; ``otherwise`` where the denominator is 0."""
    xp = namespace(denominator)
    none = denominator == 0
    return xp.where(none, otherwise, numerator / xp.where(none, 1.0, denominator))


def dot(a, b):
    return namespace(a).sum(a * b, axis=-1)


def of_length_one(x):
    """x / |x|, and 0 for x = 0, at any size of x."""
    x = x / unit_of(x)
    return ratio(x, namespace(x).sqrt(dot(x, x))[..., None], 0.0)


def lengths(x):
    """|x| of each row, at any size of x."""
    unit = unit_of(x)
    x = x / unit
    return unit[..., 0] * namespace(x).sqrt(dot(x, x))


def unit_of(x, square=0.0):
    """A power of two; each row x, and the root of ``square``, divided by it are at most 2."""
    xp = namespace(x)
    size = xp.max(xp.abs(x), axis=-1, keepdims=True) if x.shape[-1] else mean(x)
    return binade(xp.maximum(size, xp.full_like(size, math.sqrt(square))))


def binade(x):
    """The power of two at or next to x >= 0; 1 for 0, inf and NaN."""
    xp = namespace(x)
    k = xp.floor(xp.log2(xp.where((x > 0) & xp.isfinite(x), x, 1.0)))
    half = xp.floor(k / 2)
    return leading_bit(2.0**half) * leading_bit(2.0 ** (k - half))


def mean(x):
    """The mean of each row, with one entry; 0 for a row without entries."""
    return namespace(x).sum(x, axis=-1, keepdims=True) / max(1, x.shape[-1])


def centred(x):
    """x minus its mean."""
    return x - mean(x)


def xlog(x):
    """x log x, and 0 at x = 0."""
    xp = namespace(x)
    return x * xp.log(xp.where(x > 0, x, 1.0))


def power(z, n):
    """z^n for an integer n >= 0, by repeated squaring, exact for integers in every namespace.

    z^0 is 1, and NaN where z is NaN.
    """
    result = namespace(z).ones_like(z) if n else 1 + 0 * z
    while n:
        result, n = result * z if n % 2 else result, n // 2
        z = z * z if n else z
    return result


def in_common_unit(z, n, size=None):
    """z divided by a unit, common to all patterns (axis -2), with which z^n does not overflow.

    The unit is 1 if z^n is well in range.  If given, ``size`` >= |z| determines the unit.
    """
    xp = namespace(z)
    top = xp.max(xp.abs(z) if size is None else size, axis=-2, keepdims=True)
    power_of_top = power(top, n)
    plain = (power_of_top > 2.0**-900) & (power_of_top < 2.0**900) | (top == 0)
    unit = 2 * binade(top) if n < 900 else top
    return xp.where(plain, z, z / xp.where(plain, 1.0, unit))


def odd_part(r, x, n):
    """((r + x)^n - (r - x)^n)/(2 x), or its limit at x = 0, as a sum of terms of one sign.

    The pair (even, odd), with (r + x)^n = even + x odd, is computed by repeated squaring.
    """
    even, odd, more, square = 1 + 0 * r, 0 * r, 1 + 0 * r, x * x
    while n:
        if n % 2:
            even, odd = even * r + square * (odd * more), even * more + odd * r
        n = n // 2
        if n:
            r, more = r * r + square * (more * more), 2 * (r * more)
    return odd


def power_gain(r, x, n, size):
    """((r + x)^n - (r - x)^n)/2, up to a positive factor common to all patterns (axis -2).

    The value is x q (n odd) or r x q (n even) with q > 0.  Each factor is divided by its own unit,
    q by that of ``size`` >= |r| + |x|, so that no product overflows.
    """
    r = namespace(x).where(x == 0, 0 * r, r)        # r has no effect there
    own, other = in_common_unit(x, NEAR), in_common_unit(r, NEAR)
    r, x = in_common_unit(r, n, size), in_common_unit(x, n, size)
    if n % 2:
        return own * odd_part(r, x, n)
    return own * other * odd_part(r * r + x * x, 2 * (r * x), n // 2)


def others(parts):
    """For each entry the sum of the other entries of its row, without a subtraction."""
    xp, d = namespace(parts), parts.shape[-1]
    if d <= SITES:
        return parts @ (1 - xp.eye(d, dtype=parts.dtype))
    near, far = parts[..., :d // 2], parts[..., d // 2:]
    return xp.concat([others(near) + xp.sum(far, axis=-1, keepdims=True),
                      others(far) + xp.sum(near, axis=-1, keepdims=True)], axis=-1)


def rows(X, i):
    """Row i of X for every index in i: (n, d), (...) -> (..., d)."""
    xp = namespace(X)
    return xp.reshape(xp.take(X, xp.reshape(i, (-1,)), axis=0), (*i.shape, X.shape[1]))


def table(x):
    """The array with its leading axes merged: (..., d) -> (k, d)."""
    return namespace(x).reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def outer(a, b):
    """The sum of a_i b_j over all leading axes: (..., n), (..., d) -> (n, d)."""
    return table(a).T @ table(b)


def summed(x, kept):
    """The sum over all axes but the last ``kept``."""
    return namespace(x).sum(x, axis=tuple(range(x.ndim - kept)))


def standard_error(draws):
    """The standard error of the mean over the first axis."""
    xp, k = namespace(draws), draws.shape[0]
    away = draws - xp.mean(draws, axis=0)
    return xp.sqrt(xp.sum(away * away, axis=0) / (k * (k - 1)))


# -- real powers of weights, 0 where a weight is 0 ----------------------------------------------

@overridable
def raised(p, e):
    """p^e, and 0 where p = 0, for any e."""
    xp = namespace(p)
    return xp.where(p > 0, xp.pow(xp.where(p > 0, p, 1.0), e), 0.0)


@overridable
def raised_log(p, e):
    """p^e log p, and 0 where p = 0."""
    xp = namespace(p)
    return raised(p, e) * xp.log(xp.where(p > 0, p, 1.0))


@overridable
def bend(p, e, a):
    """p^e (e^x - 1 - x)/a^2 with x = -a log p, for 0 <= p <= 1; at a = 0, p^e log(p)^2/2."""
    xp = namespace(p)
    logs = xp.log(xp.where(p > 0, p, 1.0))
    x = -a * logs
    near = raised(p, e) * logs * logs * second_remainder(xp.minimum(x, 1.0 + 0.0 * x))
    if a == 0:
        return near
    far = (raised(p, e - a) - raised(p, e) + a * raised_log(p, e)) / a / a
    return xp.where(x <= 1, near, far)


def second_remainder(x):
    """(e^x - 1 - x)/x^2 for 0 <= x <= 1, by its series, which has no cancellation."""
    r = 1.0 + 0.0 * x
    for k in range(TERMS, 2, -1):
        r = 1 + x * r / k
    return r / 2


# -- factors from their logarithms, relative to the largest entry -------------------------------

def balanced(log_q, log_k, sign_q, sign_k):
    """Features from logarithms, scaled so that the largest key of each feature is 1."""
    xp = namespace(log_k)
    c = xp.max(log_k, axis=-2, keepdims=True)
    return sign_q * shifted_exp_of_sum(log_q, c), sign_k * shifted_exp(log_k, -2)


def rescaled(log_q, log_k, c):
    """One step of `balanced` with a running scale: query, key, factor of the state, new scale."""
    xp = namespace(log_k)
    new = xp.maximum(c, log_k)
    zero = finite_or_zero(new)
    return shifted_exp_of_sum(log_q, new), xp.exp(log_k - zero), xp.exp(c - zero), new


def shifted_exp(a, axis):
    """exp(a - max a), and 0 where all entries of a are -inf."""
    xp = namespace(a)
    return xp.exp(a - finite_or_zero(xp.max(a, axis=axis, keepdims=True)))


def shifted_exp_of_sum(a, b):
    """exp(a + b - max(a + b)), computed from halves so that the sum does not overflow."""
    xp, half = namespace(a), a / 2 + b / 2
    return xp.exp(2 * (half - finite_or_zero(xp.max(half, axis=-1, keepdims=True))))


def finite_or_zero(c):
    """A logarithmic scale that can be subtracted: -inf, the scale of a zero, becomes 0."""
    return namespace(c).where(c == -inf, 0.0, c)
