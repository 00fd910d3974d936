"""Both modules of double-double arithmetic against flint on adversarial bit patterns.

Ties of rounding, cancellation to the last bit, significands that are hard to split, subnormal
numbers, and operands next to the end of the documented range.  Wrong versions of each operation
fail on the same patterns.
"""
import itertools

import numpy as np
import pytest

pytest.importorskip("flint", reason="the exact results come from python-flint (hopref[certify])")

from flint import arb  # noqa: E402

from hopref.certify import double_double as proved  # noqa: E402
from hopref.certify.balls import precision  # noqa: E402
from hopref.maps import double_double as mapped  # noqa: E402

BITS = 4600                     # from 2^-2148 to 2^1024 times 2^1024, exactly
U = 2.0**-53
# Significands: few bits, all bits, both halves of a split full or next to half, and a tie.
SIGNIFICANDS = [1.0, 1 + 2 * U, 2 - 2 * U, 1.5, 1 + 2.0**-26, 1 + 2.0**-27, 1 + 2.0**-26 - 2 * U,
                1 + 2.0**-27 + 2 * U, 2 - 2.0**-26, 2 - 2.0**-27 + 2 * U, 4 / 3, 5 / 3]
FACTORS = [c * s for c in SIGNIFICANDS for s in (1.0, -1.0)]
OFFSETS = [0.0, 0.5, -0.5, 0.25, -0.25, 0.5 + U, 0.5 - U, 1.0, -1.0, 1.5, 2.5]      # in ulp


def sums(scale):
    """Pairs of numbers near ``scale``: ties of every kind, equal and opposite ones."""
    a = np.array(FACTORS) * scale
    near = [(x, k * np.spacing(abs(x))) for x in a for k in OFFSETS]
    apart = [(x, y * 2.0**-e) for x, y in itertools.product(a, FACTORS) for e in (0, 52, 53, 54)]
    opposite = [(x, -x + k * np.spacing(abs(x))) for x in a for k in (0, 1, -1, 2, -3)]
    both = np.array(near + [(x, y * scale) for x, y in apart] + opposite)
    both = np.concatenate([both, both[:, ::-1]])
    return tuple(both[np.all(np.isfinite(both), axis=1)].T)


def products(size, other):
    a, b = zip(*itertools.product(FACTORS, FACTORS), strict=True)
    return np.array(a) * size, np.array(b) * other


def pairs(scale):
    """Normalised pairs: each significand with low parts of half an ulp, none, and few bits."""
    h, k = zip(*itertools.product(np.array(FACTORS) * scale, (0.0, 0.5, -0.5, 0.25 + U, 2.0**-30)),
               strict=True)
    h = np.array(h)
    return proved.ordered(h, np.array(k) * np.spacing(np.abs(h)))


def two_pairs(scale):
    """All pairs with each other, and with their opposites but for a few of the last bits."""
    h, l = pairs(scale)
    at = np.arange(len(h))
    i, j = (x.ravel() for x in np.meshgrid(at, at))
    near = proved.ordered(-h - np.spacing(l) * (at % 5 - 2), -l * (1 - 2 * U * (at % 3)))
    a, ulp = np.array(FACTORS) * scale, np.spacing(scale)   # the low parts cancel the high ones
    low = 0 * a - ulp * (0.5 - 3 * 2.0**-56), 0 * a - ulp * (0.5 - 5 * 2.0**-58)
    return (np.concatenate([h[i], h, a]), np.concatenate([l[i], l, low[0]])), \
        (np.concatenate([h[j], near[0], ulp - a]), np.concatenate([l[j], near[1], low[1]]))


def value(x):
    """The exact values of numbers or of pairs."""
    if isinstance(x, tuple):
        return [a + b for a, b in zip(*map(value, x), strict=True)]
    return [arb(v) for v in np.asarray(x, float).tolist()]


def failures(operation, rule, given, relative=0.0, absolute=0.0, of_operands=False):
    """The number of results that are not within the bounds of the exact ones, or not normalised.

    The relative bound is of the result, or of the sum of the sizes of the operands.  Results with
    an absolute error, for underflow, need not be normalised.
    """
    with precision(BITS):
        with np.errstate(all="ignore"):
            h, l = operation(*given)
        count = 0
        for g, x, y in zip(value((h, l)), *map(value, given), strict=True):
            wanted = rule(x, y)
            size = abs(x) + abs(y) if of_operands else abs(wanted)
            count += not abs(g - wanted) <= arb(relative) * size + arb(absolute)
        return count + int(np.sum(np.abs(l) > np.spacing(np.abs(h)) / 2)) * (absolute == 0)


def plus(x, y):
    return x + y


def times(x, y):
    return x * y


def over(x, y):
    return x / y


MODULES = pytest.mark.parametrize("module", [proved, mapped], ids=["certify", "maps"])
SCALES = [1.0, 2.0**-1000, 2.0**-1021, 2.0**-1060, 2.0**988]


@MODULES
@pytest.mark.parametrize("scale", SCALES)
def test_a_sum_of_two_numbers_is_exact(module, scale):
    assert failures(module.plus, plus, sums(scale)) == 0


@MODULES
@pytest.mark.parametrize("sizes", [(1.0, 1.0), (2.0**480, 2.0**505), (2.0**988, 2.0**-900),
                                   (2.0**-480, 2.0**-480)])
def test_a_product_of_two_numbers_is_exact(module, sizes):
    assert failures(module.product, times, products(*sizes)) == 0


@pytest.mark.parametrize("sizes", [(2.0**-500, 2.0**-500), (2.0**-540, 2.0**-500),
                                   (2.0**-1060, 1.0), (2.0**-1040, 2.0**-20)])
def test_a_product_that_underflows_is_exact_up_to_tiny(sizes):
    given = products(*sizes)
    assert failures(proved.product, times, given, absolute=proved.TINY) == 0


@pytest.mark.parametrize("name, rule", [("added", plus), ("multiplied", times), ("divided", over)])
@pytest.mark.parametrize("scale", [1.0, 2.0**-400, 2.0**490])
def test_operations_on_pairs_are_accurate_to_delta(name, rule, scale):
    given = two_pairs(scale)
    assert failures(getattr(proved, name), rule, given, relative=proved.DELTA) == 0


@pytest.mark.parametrize("name, rule", [("added", plus), ("multiplied", times), ("divided", over)])
def test_operations_on_pairs_of_maps_are_accurate_to_delta(name, rule):
    """But for a sum, which is so relative to the sizes of its terms."""
    given = two_pairs(1.0)
    assert failures(getattr(mapped, name), rule, given, relative=proved.DELTA,
                    of_operands=name == "added") == 0


# -- wrong versions --------------------------------------------------------------------------------

def plus_in_order_only(a, b):
    return proved.ordered(a, b)


def product_split_by(factor):
    def split(a):
        high = factor * a - (factor * a - a)
        return high, a - high

    def wrong(a, b):
        h = a * b
        (a1, a0), (b1, b0) = split(a), split(b)
        return h, ((a1 * b1 - h) + a1 * b0 + a0 * b1) + a0 * b0
    return wrong


def product_without_the_last_term(a, b):
    h = a * b
    (a1, a0), (b1, b0) = proved.split(a), proved.split(b)
    return h, (a1 * b1 - h) + a1 * b0 + a0 * b1


def added_without_the_low_error(x, y):
    h, l = proved.plus(x[0], y[0])
    return proved.ordered(h, l + (x[1] + y[1]))


def multiplied_without_a_cross_term(x, y):
    h, l = proved.product(x[0], y[0])
    return proved.ordered(h, l + x[0] * y[1])


def divided_without_the_low_part(x, y):
    q = x[0] / y[0]
    h, l = proved.product(y[0], q)
    return proved.ordered(q, ((x[0] - h) - l + x[1]) / y[0])


@pytest.mark.parametrize("wrong, rule, given", [
    (plus_in_order_only, plus, sums(1.0)),
    (product_split_by(2.0**26 + 1), times, products(1.0, 1.0)),
    (product_split_by(2.0**29 + 1), times, products(1.0, 1.0)),
    (product_without_the_last_term, times, products(1.0, 1.0))],
    ids=["plus in order only", "split at 26 bits", "split at 29 bits", "no last term"])
def test_a_wrong_exact_operation_fails(wrong, rule, given):
    assert failures(wrong, rule, given) > 0


@pytest.mark.parametrize("wrong, rule", [
    (added_without_the_low_error, plus), (multiplied_without_a_cross_term, times),
    (divided_without_the_low_part, over)])
def test_a_wrong_operation_on_pairs_fails(wrong, rule):
    assert failures(wrong, rule, two_pairs(1.0), relative=proved.DELTA) > 0


def test_an_underflow_that_is_not_allowed_for_is_found():
    given = products(2.0**-540, 2.0**-500)
    assert failures(proved.product, times, given, absolute=2.0**-1076) > 0
