"""Ball arithmetic on arrays of objects: a midpoint and a radius that contains the exact number.

The entries are `flint.arb`, or `Variable` where derivatives are taken; a score of -inf stays a
Python float.  An operation on balls contains the exact result for all numbers in its operands.
Sums and products of machine numbers have the radius 0 once the precision holds all their bits, so
that a comparison of equal numbers is decided at a sufficient precision.
"""
import functools
import math
from contextlib import contextmanager

import numpy as np
from flint import arb, ctx

from hopref.certify.derivatives import Variable, detached

__all__ = ["Undecided", "precision", "ball", "known", "shown", "each", "exp", "log", "sqrt", "tanh",
           "sin", "cos", "total", "dot", "columns", "ratio", "exceeds", "vanishes", "greatest",
           "clipped_below", "raised", "power", "over_rows", "largest_indices", "answer_of",
           "sum_of_exponentials"]


class Undecided(ArithmeticError):
    """A comparison of two balls that overlap: a higher precision may decide it."""


@contextmanager
def precision(bits):
    """Context in which the midpoints of balls have so many bits."""
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before


def ball(x):
    """The balls of radius 0 of an array or of a number; -inf stays a float."""
    return np.frompyfunc(_exact, 1, 1)(np.asarray(x)) if np.ndim(x) else _exact(x)


def _exact(v):
    high = float(v)
    if math.isinf(high):
        return high
    rest = float(v - high) if isinstance(v, np.longdouble) else 0.0
    return arb(high) + arb(rest) if rest else arb(high)


def shown(x):
    """True where an entry is not -inf."""
    return np.frompyfunc(lambda v: not isinstance(v, float), 1, 1)(x).astype(bool) \
        if np.ndim(x) else not isinstance(x, float)


def known(x):
    """The entries, with 0 in the place of -inf."""
    return np.where(shown(x), x, 0) if np.ndim(x) else x


def each(function):
    """The function of a ball as a function of arrays of balls."""
    entries = np.frompyfunc(function, 1, 1)
    return lambda x: entries(x) if isinstance(x, np.ndarray) else function(x)


def _as_ball(v):
    return v if isinstance(v, (arb, Variable)) else arb(v)


exp = each(lambda v: _as_ball(v).exp())
tanh = each(lambda v: _as_ball(v).tanh())
sin = each(lambda v: _as_ball(v).sin())
cos = each(lambda v: _as_ball(v).cos())
log = each(lambda v: _as_ball(v).log())


@each
def sqrt(v):
    """The root of a number >= 0, whose ball may contain negative numbers."""
    v = _as_ball(v)
    return v.sqrt() if isinstance(v, Variable) or v >= 0 else arb(0).union(v.abs_upper().sqrt())


def total(x, axis=-1):
    """The sum along an axis, which is kept."""
    return np.sum(np.asarray(x, object), axis=axis, keepdims=True)


def dot(a, b):
    """The sum of the products along the last axis."""
    return np.sum(np.asarray(a * b, object), axis=-1)


def columns(x):
    """The matrix transpose."""
    return np.swapaxes(x, -1, -2)


EMPTY = {"zeros": 0, "nan": math.nan, "raise": math.nan}


def ratio(a, b, empty_row="zeros"):
    """a / b, and the result of an empty row where b is exactly 0."""
    return np.frompyfunc(lambda p, q: EMPTY[empty_row] if vanishes(q) else p / q, 2, 1)(a, b)


def answer_of(empty_row):
    """The result of an empty row."""
    return EMPTY[empty_row]


# ---- decisions ----------------------------------------------------------------------------------

def exceeds(a, b):
    """Whether a > b; `Undecided` where the balls do not show it."""
    a, b = detached(a), detached(b)
    gap = _as_ball(a) - b
    if gap > 0:
        return True
    if gap <= 0:
        return False
    raise Undecided


def vanishes(v):
    """Whether a ball is exactly 0; a ball that contains other numbers is not."""
    v = detached(v)
    return v == 0 if isinstance(v, int) else v.is_zero()


def greatest(values):
    """The largest of a list of numbers."""
    return functools.reduce(_greater, values)


def _greater(a, b):
    if isinstance(a, float):
        return b
    if isinstance(b, float):
        return a
    if isinstance(a, Variable) or isinstance(b, Variable):
        return b if exceeds(b, a) else a
    return _as_ball(a).max(_as_ball(b))


def clipped_below(v, least=0):
    """max(v, least) of one number."""
    return _greater(v, arb(least) if isinstance(least, int) else least)


def raised(z, n):
    """z^n for an integer n >= 0, by multiplication."""
    result = 1 + 0 * z
    for digit in bin(n)[2:]:
        result = result * result * (z if digit == "1" else 1)
    return result


def power(t, q):
    """t^q for t >= 0 and q > 0, also where the ball of t contains 0."""
    v = detached(t)
    if vanishes(v):
        return arb(0)
    if _as_ball(v) > 0:
        return (_as_ball(t).log() * q).exp()
    if isinstance(t, Variable) or isinstance(q, Variable):
        raise Undecided
    return arb(0).union((v.abs_upper().log() * detached(q)).exp())


def sum_of_exponentials(exponents, factors):
    """sum factor e^exponent, in which the factors of equal exponents are added first.

    By the theorem of Lindemann and Weierstrass a sum over different exponents, with factors other
    than 0, is not 0.  `Undecided` where an exponent or a factor is not exact.
    """
    gathered, values = {}, {}
    for v, factor in zip(exponents, factors, strict=True):
        v, factor = _as_ball(v), _as_ball(factor)
        if not (v.is_exact() and factor.is_exact()):
            raise Undecided
        key = v.man_exp()
        values[key], gathered[key] = v, gathered.get(key, arb(0)) + factor
    return sum((factor * values[key].exp() for key, factor in gathered.items()
                if not factor.is_zero()), start=arb(0))


# ---- rows ---------------------------------------------------------------------------------------

def over_rows(function, *arrays, count=None):
    """The function of every row of the arrays (..., n), stacked: lists of ``count`` numbers.

    The count is that of the first array if it is None; with 0 the results are single numbers.
    """
    arrays = [np.asarray(a, object) for a in arrays]
    lead = np.broadcast_shapes(*(a.shape[:-1] for a in arrays))
    arrays = [np.broadcast_to(a, (*lead, a.shape[-1])) for a in arrays]
    single, count = count == 0, arrays[0].shape[-1] if count is None else count
    result = np.empty(lead if single else (*lead, count), object)
    for at in np.ndindex(lead):
        found = function(*(list(a[at]) for a in arrays))
        if single:
            result[at] = found
        else:
            result[at][:] = found
    return result[()]


def largest_indices(values, k):
    """The indices of the k largest numbers, of equal numbers those that come first."""
    def order(i, j):
        return -1 if exceeds(values[i], values[j]) else 1 if exceeds(values[j], values[i]) \
            else i - j
    at = [i for i, v in enumerate(values) if not isinstance(v, float)]
    chosen = sorted(at, key=functools.cmp_to_key(order))[:k]
    hidden = [i for i, v in enumerate(values) if isinstance(v, float)]
    return chosen + hidden[:max(0, k - len(chosen))]
