"""Running error analysis: the contribution of each array function to the radius of a `Toleranced`.

One rounding is charged for every operation, ``g(n)`` times the sum of magnitudes for a sum of ``n``
terms in any order, a few roundings for an elementary function, and none while all numbers are
integers that the format holds.  The result of a choice by an uncertain condition includes both
branches.  The result of an ``argmax`` of near ties is uncertain, but an element that is selected by
it has no additional error.  A new operation requires no change of this module.
"""
import math
from functools import partial
from numbers import Number

import numpy as np

from hopref.check.tolerance.toleranced import (
    COMPARISONS,
    RULES,
    Toleranced,
    Uncertain,
    at_most,
    declare,
    some,
    value_and_uncertainty,
)

__all__ = ["ELEMENTARY"]

ELEMENTARY = 4      # roundings in one exp, log or tanh of a vectorised library


def where(profile, condition, a, b):
    truth, uncertain = value_and_uncertainty(condition)
    a, b = operand(a, profile), operand(b, profile)
    radius = np.where(truth, a.radius, b.radius)
    if some(uncertain):
        apart = np.where(uncertain, a.value, 0) - np.where(uncertain, b.value, 0)
        apart = np.abs(apart).astype(float)
        radius = np.where(uncertain, np.maximum(a.radius, b.radius) + apart, radius)
    return Toleranced(np.where(truth, a.value, b.value), radius, profile, a.inexact and b.inexact)


def comparison(name):
    compare = getattr(np, name)

    def rule(profile, a, b):
        a, b = compared(a, profile), compared(b, profile)
        value, reach = compare(a.value, b.value), a.radius + b.radius
        if not some(reach):
            return value
        uncertain = (reach > 0) & ~(np.abs(a.value - b.value) > reach)
        return Uncertain(value, uncertain) if some(uncertain) else value
    return rule


def sign_of(profile, x):
    uncertain = (x.radius > 0) & (np.abs(x.value) <= x.radius)
    return Toleranced(np.sign(x.value), 2.0 * uncertain, profile)


def cast(profile, x, dtype, **kwargs):
    if isinstance(x, Uncertain):
        return Toleranced(x.value.astype(dtype), 1.0 * x.uncertain, profile)
    return x if np.dtype(dtype).kind == "f" else x.value.astype(dtype)


def operand(x, profile):
    """``x`` as a toleranced array; a Python number is rounded in both arithmetics."""
    if isinstance(x, Toleranced):
        return x
    if isinstance(x, Number) and not isinstance(x, np.generic) and math.isfinite(x):
        short = float(math.frexp(x)[0] * 256).is_integer()
        radius = 0.0 if short else abs(x) * (profile.u + 2.0**-53)
        examined = Toleranced.examined if abs(x) <= profile.most else Toleranced
        return examined(x, radius, profile)
    return Toleranced(np.asarray(x), 0.0, profile)


def compared(x, profile):
    """An operand of a comparison: a limit beyond the range is beyond all numbers of the format."""
    if type(x) is float and profile.most < abs(x) < math.inf:
        return Toleranced.examined(x, 0.0, profile)
    return operand(x, profile)


def rounded(value, radius, profile, roundings=1, exact=False):
    """A result with the error of its operands and of roundings; none where it is ``exact``."""
    size, inexact = np.abs(value).astype(float), profile.eta > 0
    grown = radius + roundings * profile.u * (size + radius) + profile.eta
    if exact is not False and some(exact):
        grown, inexact = np.where(exact, 0.0, grown), False
    if at_most(size + grown, profile.most):
        return Toleranced.examined(value, grown, profile, inexact=inexact, sizes=size)
    size = np.where(np.isfinite(value), size, 0.0)
    grown = radius + roundings * profile.u * (size + radius) + profile.eta
    return Toleranced(value, np.where(exact, 0.0, grown), profile, inexact)


def is_exact(x, values):
    """Where a value is one of ``values(x.value)`` without error; False if it is so nowhere."""
    if x.inexact:
        return False
    exact = x.radius == 0
    if some(exact):
        exact = exact & values(x.value)
    return exact if some(exact) else False


def is_integer(x):
    return is_exact(x, lambda value: value == np.rint(value))


def all_integers(x):
    whole = is_integer(x)
    return whole is not False and bool(whole.all())


def is_zero(x):
    return is_exact(x, lambda value: value == 0)


def of_integers(value, a, b, profile):
    """Where a sum, difference or product is one of integers that the format holds."""
    exact = is_integer(a)
    return exact if exact is False else \
        exact & is_integer(b) & (np.abs(value) <= profile.integers)


def add(profile, a, b):
    a, b = operand(a, profile), operand(b, profile)
    value = a.value + b.value
    return rounded(value, a.radius + b.radius, profile, exact=of_integers(value, a, b, profile))


def subtract(profile, a, b):
    a, b = operand(a, profile), operand(b, profile)
    value = a.value - b.value
    return rounded(value, a.radius + b.radius, profile, exact=of_integers(value, a, b, profile))


def multiply(profile, a, b):
    a, b = operand(a, profile), operand(b, profile)
    value = a.value * b.value
    exact = of_integers(value, a, b, profile)
    inexact = a.inexact and b.inexact
    if not inexact and np.count_nonzero(np.abs(value) > 0) < value.size:        # NaN too
        exact = exact | is_zero(a) | is_zero(b)
    return rounded(value, product(a, b, np.multiply), profile, exact=exact)


def product(a, b, times):
    """The radius of a product; an exact zero times infinity is zero."""
    times, radius, uncertain = guarded(times, a, b), 0.0, b.inexact or some(b.radius)
    if uncertain:
        radius = times(a.sizes, b.radius)
    if a.inexact or some(a.radius):
        radius = radius + times(a.radius, b.sizes)
        if uncertain:
            radius = radius + times(a.radius, b.radius)
    return radius


def guarded(times, a, b):
    """A product of numbers that are not negative, in which zero times infinity is zero."""
    return times if a.ordinary and b.ordinary else partial(finite_product, times)


def finite_product(times, p, q):
    if times is np.multiply:
        return np.where((p == 0) | (q == 0), 0.0, p * q)
    known = times(np.where(np.isfinite(p), p, 0.0), np.where(np.isfinite(q), q, 0.0))
    lost = times(1.0 * ~np.isfinite(p), 1.0 * (q != 0))
    lost = lost + times(1.0 * (p != 0), 1.0 * ~np.isfinite(q))
    return np.where(lost > 0, np.inf, known)


def divide(profile, a, b):
    a, b = operand(a, profile), operand(b, profile)
    size, quotient = b.sizes, a.value / b.value
    spread = a.radius + np.where(b.radius > 0, np.abs(quotient).astype(float) * b.radius, 0.0)
    radius = np.where(b.radius < size, spread / (size - b.radius), np.inf)
    radius = np.where(spread == 0, 0.0, radius)
    return rounded(quotient, radius, profile, exact=is_zero(a))


def power(profile, a, b):
    if isinstance(b, Number) and b == 2:
        return multiply(profile, a, a)
    if isinstance(b, Number) and b == 0.5:
        return sqrt(profile, a)
    return exp(profile, multiply(profile, log(profile, a), b))


def matmul(profile, a, b):
    a, b = operand(a, profile), operand(b, profile)
    n = a.shape[-1]
    size = guarded(np.matmul, a, b)(a.sizes, b.sizes)
    zeros, products = [is_zero(x) for x in (a, b)], n
    if zeros[0] is not False or zeros[1] is not False:
        products = np.matmul(*(1.0 * ~np.broadcast_to(of, x.shape) for of, x in zip(zeros, (a, b))))
    grown = profile.g(n) * size + products * profile.eta            # no others underflow
    if all_integers(a) and all_integers(b):
        grown = np.where(size <= profile.integers, 0.0, grown)
    radius, inexact = product(a, b, np.matmul) + grown, n > 0 and a.inexact and b.inexact
    return Toleranced(np.matmul(a.value, b.value), radius, profile, inexact)


def count_along(x, axis):
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return math.prod(x.shape[i] for i in axes)


def total(profile, x, *, axis=None, keepdims=False, dtype=None):
    if isinstance(x, Uncertain):
        x = cast(profile, x, int)           # a count is an integer, also where it is uncertain
    x, n = operand(x, profile), count_along(x, axis)
    size = np.add.reduce(x.sizes, axis=axis, keepdims=keepdims)
    grown, exact = profile.g(max(n - 1, 0)) * size, is_integer(x)
    if exact is not False:
        exact = np.all(exact, axis=axis, keepdims=keepdims) & (size <= profile.integers)
        grown = np.where(exact, 0.0, grown)
    radius = np.add.reduce(x.radius, axis=axis, keepdims=keepdims) + grown
    value = np.add.reduce(x.value, axis=axis, keepdims=keepdims)
    return Toleranced(value, radius, profile, n > 0 and x.inexact)


def mean(profile, x, *, axis=None, keepdims=False):
    return divide(profile, total(profile, x, axis=axis, keepdims=keepdims),
                  np.longdouble(count_along(x, axis)))


def variance(profile, x, *, axis=None, correction=0.0, keepdims=False):
    away = subtract(profile, x, mean(profile, x, axis=axis, keepdims=True))
    squares = total(profile, multiply(profile, away, away), axis=axis, keepdims=keepdims)
    return divide(profile, squares, np.longdouble(count_along(x, axis) - correction))


def deviation(profile, x, **kwargs):
    return sqrt(profile, variance(profile, x, **kwargs))


def running_sum(profile, x, *, axis=-1, include_initial=False):
    size = np.cumsum(x.sizes, axis=axis)
    radius = np.cumsum(x.radius, axis=axis) + profile.g(x.shape[axis]) * size
    return Toleranced(np.cumsum(x.value, axis=axis), radius, profile)


def extreme(name):
    reduce, way = getattr(np, name), 1 if name == "max" else -1

    def rule(profile, x, *, axis=None, keepdims=False):
        """The largest error of the entries that rounding may make the extreme."""
        away = way * x.value
        least = np.max(away - x.radius, axis=axis, keepdims=True)
        radius = np.where(away + x.radius < least, 0.0, x.radius)
        return Toleranced(reduce(x.value, axis=axis, keepdims=keepdims),
                          np.max(radius, axis=axis, keepdims=keepdims), profile, x.inexact)
    return rule


class Index(np.ndarray):
    """Indices of extreme entries; ``radius`` is positive where another entry may be the extreme."""
    radius = 0.0
    __hash__ = None

    def __eq__(self, other):
        """Whether an index is the given one; uncertain where there are several candidates."""
        same = np.asarray(self) == np.asarray(other)
        uncertain = np.broadcast_to(np.asarray(self.radius) > 0, same.shape)
        return Uncertain(same, uncertain) if np.any(uncertain) else same


def place_of(name):
    pick, most = getattr(np, name), 1 if name == "argmax" else -1

    def rule(profile, x, *, axis=None, keepdims=False):
        where = pick(x.value, axis=axis, keepdims=True)
        lead, radius = (np.take_along_axis(a, where, axis) for a in (x.value, x.radius))
        rivals = (x.radius + radius > 0) & (most * (lead - x.value) <= x.radius + radius)
        several = np.sum(rivals, axis=axis, keepdims=keepdims) > 1
        index = pick(x.value, axis=axis, keepdims=keepdims)
        index = np.asarray(index).view(Index)
        index.radius = np.where(several, float(x.shape[axis]), 0.0)
        return index
    return rule


def in_order(profile, x, *, axis=-1):
    """The error of a sorted entry is at most the largest radius of its row."""
    radius = np.broadcast_to(np.max(x.radius, axis=axis, keepdims=True, initial=0.0), x.shape)
    return Toleranced(np.sort(x.value, axis=axis), radius, profile)


def larger(name):
    pick = getattr(np, name)

    def rule(profile, a, b):
        """The error of the operand that is picked; of either, where rounding may exchange them."""
        a, b = operand(a, profile), operand(b, profile)
        value, radius = pick(a.value, b.value), np.maximum(a.radius, b.radius)
        apart = np.abs(a.value - b.value) > a.radius + b.radius
        radius = np.where(apart, np.where(value == a.value, a.radius, b.radius), radius)
        return Toleranced(value, radius, profile, a.inexact and b.inexact)
    return rule


def elementary(name, spread, roundings=ELEMENTARY):
    """The rule of a function of one variable; ``spread(v, r)`` bounds its change for an error r."""
    function = getattr(np, name)

    def rule(profile, x):
        value = function(x.value)
        v, r = x.value.astype(float), x.radius
        if x.inexact:
            return rounded(value, spread(v, r), profile, roundings)
        exact = not x.ordinary and (r == 0) & ~np.isfinite(v)           # exp(-inf) is 0
        return rounded(value, np.where(r == 0, 0.0, spread(v, r)), profile, roundings, exact)
    return rule


def sines(profile, x, function):
    reach = np.minimum(x.radius, 2.0) + ELEMENTARY * profile.u
    reach = np.where(is_zero(x) & (function is np.sin), 0.0, reach)
    return Toleranced(function(x.value), reach, profile)


sqrt = elementary("sqrt", lambda v, r: np.where(
    v > r, r / (np.sqrt(np.abs(v)) + np.sqrt(np.abs(v - r))), np.sqrt(np.abs(v) + r)), 1)
exp = elementary("exp", lambda v, r: np.exp(v + r) * -np.expm1(-r))
log = elementary("log", lambda v, r: np.where(v > r, -np.log1p(-r / v), np.inf))
ARRAY_FUNCTIONS = declare({
    "add": add, "subtract": subtract, "multiply": multiply, "divide": divide,
    "true_divide": divide, "pow": power, "power": power, "matmul": matmul,
    "negative": lambda profile, x: -x, "positive": lambda profile, x: x,
    "abs": lambda profile, x: abs(x), "absolute": lambda profile, x: abs(x),
    "square": lambda profile, x: multiply(profile, x, x), "sqrt": sqrt, "exp": exp, "log": log,
    "expm1": elementary("expm1", lambda v, r: np.exp(v + r) * -np.expm1(-r)),
    "log1p": elementary("log1p", lambda v, r: np.where(1 + v > r, -np.log1p(-r / (1 + v)), np.inf)),
    "tanh": elementary("tanh", lambda v, r: np.minimum(         # steepest nearest to 0
        r * (1 - np.tanh(np.maximum(np.abs(v) - r, 0)) ** 2), 2)),
    "atanh": elementary("arctanh", lambda v, r: np.where(
        np.abs(v) + r < 1, r / (1 - (np.abs(v) + r) ** 2), np.inf)),
    "sin": lambda profile, x: sines(profile, x, np.sin),
    "cos": lambda profile, x: sines(profile, x, np.cos),
    "sinh": elementary("sinh", lambda v, r: np.cosh(np.abs(v) + r) * r),
    "cosh": elementary("cosh", lambda v, r: np.sinh(np.abs(v) + r) * r),
    "sum": total, "mean": mean, "var": variance, "std": deviation,
    "cumulative_sum": running_sum, "max": extreme("max"), "min": extreme("min"),
    "amax": extreme("max"), "amin": extreme("min"),
    "argmax": place_of("argmax"), "argmin": place_of("argmin"),
    "sort": in_order, "maximum": larger("maximum"), "minimum": larger("minimum"),
    "astype": cast, "where": where, "sign": sign_of,
    "logical_and": lambda profile, a, b: a & b, "logical_or": lambda profile, a, b: a | b,
    "logical_not": lambda profile, a: ~a, "bitwise_and": lambda profile, a, b: a & b,
    "bitwise_or": lambda profile, a, b: a | b, "bitwise_invert": lambda profile, a: ~a,
    **{name: comparison(name) for name in COMPARISONS.values()},
    "asarray": lambda profile, x, **kwargs: x,
    "vecdot": lambda profile, a, b, axis=-1: total(profile, multiply(profile, a, b), axis=axis),
})
RULES["arctanh"] = RULES["atanh"]
