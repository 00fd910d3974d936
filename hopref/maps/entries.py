"""Entries of rows: quotients, lengths, powers, picks and the loops that formulas need."""
import math
from functools import partial

from hopref.dispatch.namespace import namespace


def ratio(numerator, denominator, otherwise):
    """The quotient; ``otherwise`` where the denominator is 0."""
    xp = namespace(denominator)
    none = denominator == 0
    return xp.where(none, otherwise, numerator / xp.where(none, 1.0, denominator))


def dot(a, b):
    return namespace(a).sum(a * b, axis=-1)


def of_length_one(x):
    """x / |x|, 0 where x is."""
    return ratio(x, namespace(x).sqrt(dot(x, x))[..., None], 0.0)


def mean(x):
    """The mean of each row, as a row of one; 0 of none."""
    return namespace(x).sum(x, axis=-1, keepdims=True) / max(1, x.shape[-1])


def centred(x):
    """x less its mean."""
    return x - mean(x)


def xlog(x):
    """x log x, 0 at 0."""
    xp = namespace(x)
    return x * xp.log(xp.where(x > 0, x, 1.0))


def power(z, n):
    """z^n for an integer n >= 0, by repeated squaring: exact for integers, whatever the library."""
    result = namespace(z).ones_like(z)
    while n:
        result, n = result * z if n % 2 else result, n // 2
        z = z * z if n else z
    return result


def common_unit(z, n):
    """A factor for all patterns (axis -2) by which z^n neither over- nor underflows; mostly 1."""
    xp = namespace(z)
    top = xp.max(xp.abs(z), axis=-2, keepdims=True)
    size = power(top, n)
    plain = (size > 2.0**-900) & (size < 2.0**900) | (top == 0)
    return xp.where(plain, 1.0, 1 / xp.where(plain, 1.0, top))


def rows(X, i):
    """Row i of X for every index in i: (n, d), (...) -> (..., d)."""
    xp = namespace(X)
    return xp.reshape(xp.take(X, xp.reshape(i, (-1,)), axis=0), (*i.shape, X.shape[1]))


def table(x):
    """All leading axes as one: (..., d) -> (k, d)."""
    return namespace(x).reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def outer(a, b):
    """The sum of a_i b_j over all leading axes: (..., n), (..., d) -> (n, d)."""
    return table(a).T @ table(b)


def column(a):
    """A vector of sites (k,) as rows (k, 1) for `scan`."""
    return namespace(a).reshape(a, (-1, 1))


def each(function, items):
    """``function`` of every entry of the first axis, stacked."""
    xp = namespace(items)
    return xp.stack([function(items[i, ...]) for i in range(items.shape[0])])


def scan(step, carry, rows):
    """Every y_i, and the last carry, of ``carry, y_i = step(carry, *rows_i)`` along axis -2.

    A step without result returns None for y.  Without rows the result is as empty as the last of
    ``rows``.
    """
    xp, results = namespace(rows[0]), []
    for i in range(rows[0].shape[-2]):
        carry, y = step(carry, *(r[..., i, :] for r in rows))
        results.append(y)
    if not results or results[0] is None:
        return rows[-1], carry
    return xp.stack(results, axis=-2), carry


def in_turn(rule, xi, W, b, order, *rows):
    """xi after the sites of ``order`` took ``rule(field, value, *row)``, one after another."""
    xp = namespace(xi)
    b = b + xp.zeros(xi.shape[-1:], dtype=xi.dtype)
    visit = partial(_visit, rule=rule, W=W, b=b, here=xp.arange(xi.shape[-1]))
    return scan(visit, xi, (column(order), *rows))[1]


def _visit(xi, site, *row, rule, W, b, here):
    xp = namespace(xi)
    h = xi @ xp.take(W, site, axis=0).T - xp.take(b, site, axis=0)
    return xp.where(here == site, rule(h, xp.take(xi, site, axis=-1), *row), xi), None


def fold(step, carry, items):
    """``carry = step(carry, item)`` for every item of the first axis."""
    for i in range(items.shape[0]):
        carry = step(carry, items[i, ...])
    return carry


def summed(x, kept):
    """The sum over all axes but the last ``kept``."""
    return namespace(x).sum(x, axis=tuple(range(x.ndim - kept)))


def standard_error(draws):
    """Of the mean over the first axis."""
    xp, k = namespace(draws), draws.shape[0]
    away = draws - xp.mean(draws, axis=0)
    return xp.sqrt(xp.sum(away * away, axis=0) / (k * (k - 1)))
