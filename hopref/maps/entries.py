"""Functions of the entries of rows: quotients, norms, powers, sums, and scaled exponentials."""
import math

from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.overrides import overridable
from hopref.maps.double_double import leading_bit

inf = math.inf
NEAR = 30       # exponent: products with numbers whose power NEAR is in range do not overflow
HALF_PI = 1.5707963267948966, 6.123233995736766e-17     # pi/2 as a sum of two floats
SITES = 32      # block size in which an entry is excluded from a sum by a product with a matrix
TERMS = 24      # terms of the exponential series for x <= 1; the next one is below 2**-64


def ratio(numerator, denominator, otherwise):
    """The quotient; ``otherwise`` where the denominator is 0, which is not divided by: with a
    radius it would be 0 / 0, of unknown value."""
    xp = namespace(denominator)
    none = denominator == 0
    return xp.where(none, otherwise, numerator / xp.where(none, 1.0, denominator))


def seen(z, where):
    """Scores, -inf where hidden."""
    return z if where is True else namespace(z).where(where, z, -inf)


def with_sign(logs, sign):
    """Logarithms, -inf where the sign is 0; NaN stays."""
    return logs if isinstance(sign, float) else seen(logs, (sign != 0) | (logs != logs))


def shown(p, where):
    """Weights, 0 where hidden."""
    return p if where is True else namespace(p).where(where, p, 0.0)


def for_heads(mask):
    """The same mask for every head."""
    return mask if mask is True else mask[..., None, :, :]


@overridable
def kth_largest(z, k):
    """The k-th largest score of each row, with the axis kept."""
    return namespace(z).sort(z)[..., z.shape[-1] - k, None]


def dot(a, b):
    return namespace(a).sum(a * b, axis=-1)


def of_length_one(x, square=0.0):
    """x / sqrt(|x|^2 + square), or 0 where both are 0, without over- or underflow."""
    x, length, _ = _in_units(x, square)
    return ratio(x, length[..., None], 0.0)


def lengths(x, square=0.0):
    """sqrt(|x|^2 + square) of each row, without over- or underflow."""
    _, length, unit = _in_units(x, square)
    return unit[..., 0] * length


def _in_units(x, square):
    """x and sqrt(|x|^2 + square) in units of a power of two, and this unit (..., 1)."""
    unit = unit_of(x, square)
    x, square = x / unit, square / unit[..., 0] / unit[..., 0]
    return x, namespace(x).sqrt(dot(x, x) + square), unit


def unit_of(x, square):
    """A power of two by which |x| of each row, and sqrt(square), are at most 2 after division."""
    xp = namespace(x)
    size = xp.max(xp.abs(x), axis=-1, keepdims=True) if x.shape[-1] else mean(x)
    return binade(xp.maximum(size, xp.full_like(size, math.sqrt(square))))


def binade(x):
    """The largest power of two <= x, or next to it; 1 for 0, inf and NaN."""
    xp = namespace(x)
    k = xp.floor(xp.log2(xp.where((x > 0) & xp.isfinite(x), x, 1.0)))
    half = xp.floor(k / 2)
    return leading_bit(2.0**half) * leading_bit(2.0 ** (k - half))


def mean(x):
    """The mean of each row, with the axis kept; 0 for empty rows."""
    return namespace(x).sum(x, axis=-1, keepdims=True) / max(1, x.shape[-1])


def centred(x):
    """x minus the mean of its row.

    The rounding of the mean shifts all entries alike; subtracting the mean again removes the shift,
    which is many ulp of the differences if the mean is large.
    """
    x = x - mean(x)
    return x - mean(x)


def xlog(x):
    """x log x, which is 0 at 0."""
    return x * log_or_zero(x)


def log_or_zero(x):
    """log x, and 0 at 0, where a power of x replaces it."""
    xp = namespace(x)
    return xp.log(xp.where(x > 0, x, 1.0))


def power(z, n):
    """z^n for an integer n >= 0, by repeated squaring, which is exact for integers.

    z^0 is 1, and NaN where z is NaN.
    """
    xp = namespace(z)
    result = xp.ones_like(z) if n else xp.where(z == z, 1.0, z)
    while n:
        result, n = result * z if n % 2 else result, n // 2
        z = z * z if n else z
    return result


def in_common_unit(z, n):
    """z divided by a unit, common to all patterns (axis -2), for which z^n does not overflow.

    The unit is 1 where z^n is in range.
    """
    xp = namespace(z)
    top = xp.max(xp.abs(z), axis=-2, keepdims=True)
    power_of_top = power(top, n)
    plain = (power_of_top > 2.0**-900) & (power_of_top < 2.0**900) | (top == 0)
    unit = 2 * binade(top) if n < 900 else top
    return z / xp.where(plain, 1.0, unit)


def odd_part(r, x, n):
    """((r + x)^n - (r - x)^n)/(2 x), and its limit at x = 0, as a sum of terms of one sign.

    The power of r + x is even + x odd, and (even, odd) is computed by repeated squaring.
    """
    xp, square = namespace(r), x * x
    even, odd, more = xp.ones_like(r), xp.zeros_like(r), xp.ones_like(r)
    while n:
        if n % 2:
            even, odd = even * r + square * (odd * more), even * more + odd * r
        n = n // 2
        if n:
            r, more = r * r + square * (more * more), 2 * (r * more)
    return odd


def power_gain(r, x, n):
    """((r + x)^n - (r - x)^n)/2, up to a factor > 0 common to all patterns (axis -2)."""
    return in_common_range((x,) if n % 2 else (x, r), _quotient, abs(r) + abs(x), r, x, n)


def _quotient(r, x, n):
    """q > 0 with ((r + x)^n - (r - x)^n)/2 = x q for odd n, and r x q for even n."""
    return odd_part(r, x, n) if n % 2 else odd_part(r * r + x * x, 2 * (r * x), n // 2)


def in_common_range(factors, quotient, size, r, x, n):
    """The product of factors and quotient(r, x, n), up to a factor common to all patterns.

    The quotient is homogeneous in r and x, of degree n less the number of factors, and near a power
    of ``size``.  If the largest product of all patterns (axis -2) may have over- or underflowed,
    each factor is divided by its own power of two, and r and x by one near their size, or for large
    n by the largest size; the products are then multiplied by these powers, relative to the
    largest.
    """
    xp = namespace(x)
    product = math.prod((*factors, quotient(r, x, n)))
    top = xp.max(xp.abs(product), axis=-2, keepdims=True)
    plain = (top > 2.0**-900) & (top < 2.0**900)
    if on_host(product) and bool(xp.all(plain)):
        return product
    for factor in factors:
        size = xp.where(factor == 0, 0.0, size)
    r, x = xp.where(size == 0, 0 * r, r), xp.where(size == 0, 0 * x, x)
    top = xp.max(size, axis=-2, keepdims=True)
    unit = 2 * binade(size) if n < 900 else xp.where(top == 0, 1.0, top)
    scaled, exponent = quotient(r / unit, x / unit, n), (n - len(factors)) * xp.log2(unit)
    for factor in factors:
        unit = binade(xp.abs(factor))
        scaled, exponent = scaled * (factor / unit), exponent + xp.log2(unit)
    top = xp.max(xp.where(scaled == 0, -inf, exponent), axis=-2, keepdims=True)
    fall = xp.minimum(exponent - finite_or_zero(top), 0.0)
    return xp.where(plain, product, scaled * leading_bit(xp.exp(math.log(2) * fall)))


def others(parts):
    """The sum of all other entries of a row for each of its entries, without subtraction."""
    xp, d = namespace(parts), parts.shape[-1]
    if d <= SITES:
        return parts @ (1 - xp.eye(d, dtype=parts.dtype))
    near, far = parts[..., :d // 2], parts[..., d // 2:]
    return xp.concat([others(near) + xp.sum(far, axis=-1, keepdims=True),
                      others(far) + xp.sum(near, axis=-1, keepdims=True)], axis=-1)


def others_or_all(parts, without):
    """The sum of the other entries of a row for each entry, or, with the axis kept, of all."""
    return others(parts) if without else namespace(parts).sum(parts, axis=-1, keepdims=True)


def followers(X, loop):
    """The row after each row; after the last one the first, or zeros."""
    xp, n = namespace(X), X.shape[0]
    following = xp.roll(X, -1, axis=0)
    return following if loop else xp.where(xp.arange(n)[:, None] == n - 1, 0.0, following)


@overridable
def quarter_turns(x, length):
    """Cosines and sines (s, 1) of pi i / (2 M), i = 0, 1, ...; M is the number of rows if None."""
    xp, s = namespace(x), x.shape[-2]
    M, i = length or s, xp.arange(s, dtype=x.dtype)[:, None]
    return tuple(xp.sin((HALF_PI[0] * k + HALF_PI[1] * k) / M) for k in (M - i, i))


def rows(X, i):
    """Row i of X for every index in i: (n, d), (...) -> (..., d)."""
    xp = namespace(X)
    return xp.reshape(xp.take(X, xp.reshape(i, (-1,)), axis=0), (*i.shape, X.shape[1]))


def table(x):
    """Merge all leading axes into one: (..., d) -> (k, d)."""
    return namespace(x).reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def outer(a, b):
    """The sum of a_i b_j over all leading axes: (..., n), (..., d) -> (n, d)."""
    return table(a).T @ table(b)


def summed(x, kept):
    """The sum over all axes but the last ``kept``."""
    return namespace(x).sum(x, axis=tuple(range(x.ndim - kept)))


def standard_error(draws):
    """Standard error of the mean over the first axis."""
    xp, k = namespace(draws), draws.shape[0]
    away = draws - xp.mean(draws, axis=0)
    return xp.sqrt(xp.sum(away * away, axis=0) / (k * (k - 1)))


# -- real powers of weights, 0 where a weight is 0 ----------------------------------------------

@overridable
def raised(p, e):
    """p^e, or 0 where p is 0, for every e."""
    xp = namespace(p)
    return xp.where(p > 0, xp.pow(p, e), 0.0)


@overridable
def raised_log(p, e):
    """p^e log p, or 0 where p is 0."""
    return raised(p, e) * log_or_zero(p)


@overridable
def power_remainder(p, e, a):
    """p^e (e^x - 1 - x)/a^2 with x = -a log p, for 0 <= p <= 1; at a = 0, p^e log(p)^2/2."""
    xp, logs = namespace(p), log_or_zero(p)
    x = -a * logs
    near = raised(p, e) * logs * logs * second_remainder(xp.minimum(x, 1.0))
    if a == 0:
        return near
    far = (raised(p, e - a) - raised(p, e) + a * raised_log(p, e)) / a / a
    return xp.where(x <= 1, near, far)


@overridable
def second_remainder(x):
    """(e^x - 1 - x)/x^2 for 0 <= x <= 1, by its series, without cancellation."""
    r = 1.0
    for k in range(TERMS, 2, -1):
        r = 1 + x * r / k
    return r / 2


# -- exponentials of logarithms, relative to a largest entry ------------------------------------

def balanced(log_q, log_k, sign_q, sign_k):
    """Features from their logs, scaled so that the largest key and query features are 1."""
    xp = namespace(log_k)
    c = xp.max(log_k, axis=-2, keepdims=True)
    return sign_q * shifted_exp_of_sum(log_q, c), sign_k * shifted_exp(log_k, -2)


def unless_lost(otherwise, log_q, log_k, q, keys, signs):
    """``otherwise``, or NaN for queries with products that a sum of all their products may lose.

    These are below eps, where the largest is 1.  The sum of products of one sign is at least 1.
    """
    if all(isinstance(sign, float) for sign in signs):
        return otherwise
    xp, here = namespace(keys), log_k > -inf
    least = xp.min(xp.where(here, xp.abs(keys), inf), axis=-2, keepdims=True)
    some = (log_q > -inf) & xp.any(here, axis=-2, keepdims=True)
    lost = xp.any(some & (xp.abs(q) * least < xp.finfo(keys.dtype).eps), axis=-1, keepdims=True)
    return xp.where(lost, xp.full_like(least[..., :1], math.nan), otherwise)


def balanced_in_turn(log_q, log_k, c):
    """Features from their logs, and the factors of the state, for the running scales c of each row.

    The first of the l + 1 rows of c is the scale of the past.
    """
    xp, before, here = namespace(log_k), c[..., :-1, :], c[..., 1:, :]
    zero = finite_or_zero(here)
    return shifted_exp_of_sum(log_q, here), xp.exp(log_k - zero), xp.exp(before - zero)


def shifted_exp(a, axis):
    """exp(a - max a), or 0 where all of a is -inf."""
    xp = namespace(a)
    return xp.exp(a - finite_or_zero(xp.max(a, axis=axis, keepdims=True)))


def shifted_exp_of_sum(a, b):
    """exp(a + b - max (a + b)), computed from a/2 + b/2, which does not overflow."""
    xp, half = namespace(a), a / 2 + b / 2
    return xp.exp(2 * (half - finite_or_zero(xp.max(half, axis=-1, keepdims=True))))


def finite_or_zero(c):
    """A log scale to subtract: c, or 0 where c is -inf."""
    return namespace(c).where(c == -inf, 0.0, c)
