"""Factors from their logarithms: everything is measured from a largest entry."""
import math

from hopref.dispatch.namespace import namespace, on_host

inf = math.inf


def balanced(log_q, log_k, sign_q, sign_k):
    """Features from logs: every feature's largest key is 1, and so is a query's largest weight."""
    xp = namespace(log_k)
    c = xp.max(log_k, axis=-2, keepdims=True)
    return sign_q * shifted_exp_of_sum(log_q, c), sign_k * shifted_exp(log_k, -2)


def rescaled(log_q, log_k, c):
    """One step of `balanced` with a running scale: query, key, how the past shrinks, new scale."""
    xp = namespace(log_k)
    new = xp.maximum(c, log_k)
    zero = finite_or_zero(new)
    return shifted_exp_of_sum(log_q, new), xp.exp(log_k - zero), xp.exp(c - zero), new


def shifted_exp(a, axis):
    """exp(a - max a); 0 where all of a is -inf."""
    xp = namespace(a)
    return xp.exp(a - finite_or_zero(xp.max(a, axis=axis, keepdims=True)))


def shifted_exp_of_sum(a, b):
    """exp(a + b - max (a + b)), in halves, so that the sum does not overflow."""
    xp, half = namespace(a), a / 2 + b / 2
    return xp.exp(2 * (half - finite_or_zero(xp.max(half, axis=-1, keepdims=True))))


def unit(size):
    """The power of two that brings a size into [1, 2); 1 for 0 and for what is no number."""
    xp, one = namespace(size), namespace(size).ones_like(size)
    factor = one
    for k in (512, 256, 128, 64, 32, 16, 8, 4, 2, 1):
        large, little = size >= 2.0**k, (size > 0) & (size < 2.0**(1 - k))
        step = xp.where(large, 2.0**-k, xp.where(little, 2.0**k, one))
        size, factor = size * step, factor * step
    return factor


def evened(q, k, z):
    """Features q and k of equal products, but for powers of two: a factor a row of q.

    Returns q, k, the factors of the features, of k and of the sum z of earlier keys, and those of
    the rows.  The largest key of each feature, or z, is then in [1, 2), and so is the largest
    feature of a query: no product that counts under- or overflows.  Where all are near 1 they stay
    as they are, and the results are the same bit for bit elsewhere.
    """
    xp = namespace(k)
    most = abs(z) + xp.zeros((*k.shape[:-2], k.shape[-1]), dtype=k.dtype)
    if 0 in q.shape or 0 in k.shape:
        return q, k, xp.ones_like(most), (1.0,)
    most = xp.maximum(most, xp.max(xp.abs(k), axis=-2))
    if on_host(k) and _near_one(most) and _near_one(xp.max(xp.abs(q), axis=-1)):
        return q, k, xp.ones_like(most), (1.0,)
    c = unit(most)
    part = xp.maximum(xp.minimum(c, 2.0**500), 2.0**-500)
    a, b = part[..., None, :], (c / part)[..., None, :]
    row = xp.max(xp.abs(q / a / b), axis=-1, keepdims=True)
    one = xp.ones_like(row)
    first = xp.where(row < 2.0**-900, 2.0**900, xp.where(row < 2.0**1000, one, 2.0**-900))
    second = xp.where(row < 2.0**-900, 2.0**400, xp.where(row < 2.0**1000, one, 2.0**-400))
    q = q * first / a * second / b
    third = unit(xp.max(xp.abs(q), axis=-1, keepdims=True))
    return q * third, k * c[..., None, :], c, (first, second, third)


def _near_one(size):
    """Whether all sizes but 0 are within 2^20 of 1."""
    xp = namespace(size)
    return bool(xp.all((size == 0) | ((size > 2.0**-20) & (size < 2.0**20))))


def times(x, factors):
    """x times one factor after the other: their product alone may overflow."""
    for factor in factors:
        x = x * factor
    return x


def over(x, factors):
    """x over one factor after the other, the last first."""
    for factor in reversed(factors):
        x = x / factor
    return x


def tame(V):
    """The values, and the factor by which a column that nears the largest number is divided."""
    xp = namespace(V)
    if 0 in V.shape:
        return V, 1.0
    most = xp.max(xp.abs(V), axis=-2, keepdims=True)
    down = xp.where(most < 2.0**900, xp.ones_like(most), 2.0**-80)
    return V * down, 1 / down


def finite_or_zero(c):
    """A log scale to subtract: 0 where it is -inf, the scale of nothing."""
    return namespace(c).where(c == -inf, 0.0, c)
