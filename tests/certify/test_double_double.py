"""Double-double operations against balls, on random and adversarial bit patterns."""
import numpy as np
import pytest

pytest.importorskip("flint", reason="the exact results come from python-flint (hopref[certify])")

from flint import arb  # noqa: E402

from hopref.certify import double_double as dd  # noqa: E402
from hopref.certify.balls import precision  # noqa: E402

RNG = np.random.default_rng(5)


def numbers(n=600):
    """Significands of few and of all bits, next to powers of two, and random ones."""
    ends = np.array([1.0, 1 + 2.0**-52, 2 - 2.0**-52, 1.5, 1 + 2.0**-26, 1 + 2.0**-27 - 2.0**-52,
                     4 / 3, 134217729.0 / 2**27])
    x = np.where(RNG.random(n) < 0.5, RNG.choice(ends, n), RNG.uniform(1, 2, n))
    return x * RNG.choice([-1.0, 1.0], n) * 2.0 ** RNG.integers(-40, 40, n)


def pairs(n=600):
    """Normalised pairs, also with a low part of half an ulp or of 0."""
    h = numbers(n)
    share = RNG.choice([0.0, 0.5, -0.5, 0.25], n) + RNG.uniform(-0.2, 0.2, n) * (RNG.random(n) < .8)
    return dd.ordered(h, share * np.spacing(np.abs(h)))


def exact(x):
    return [arb(float(h)) + arb(float(l)) for h, l in zip(*x, strict=True)]


def relative_errors(got, wanted):
    """Upper bounds on |got - wanted|/|wanted|, as floats."""
    return [0.0 if w == 0 and g == 0 else float((abs(g - w) / abs(w)).upper())
            for g, w in zip(exact(got), wanted, strict=True)]


@pytest.fixture(autouse=True)
def _enough_bits():
    with precision(500):
        yield


@pytest.mark.parametrize("operation, rule", [
    (dd.added, lambda a, b: a + b), (dd.multiplied, lambda a, b: a * b),
    (dd.divided, lambda a, b: a / b)], ids=["added", "multiplied", "divided"])
def test_operations_on_pairs_are_accurate_to_delta(operation, rule):
    x, y = pairs(), pairs()
    wanted = [rule(a, b) for a, b in zip(exact(x), exact(y), strict=True)]
    assert max(relative_errors(operation(x, y), wanted)) < dd.DELTA


def test_sums_of_pairs_that_nearly_cancel_are_accurate_to_delta():
    x = pairs()
    y = -x[0] * (1 + 2.0**-52 * RNG.integers(-2, 3, len(x[0]))), -x[1]
    y = dd.ordered(*y)
    wanted = [a + b for a, b in zip(exact(x), exact(y), strict=True)]
    assert max(relative_errors(dd.added(x, y), wanted)) < dd.DELTA


def test_products_of_numbers_are_exact():
    a, b = numbers(), numbers()
    assert exact(dd.product(a, b)) == [arb(float(x)) * arb(float(y)) for x, y in zip(a, b)]
    assert exact(dd.plus(a, b)) == [arb(float(x)) + arb(float(y)) for x, y in zip(a, b)]


def test_products_that_underflow_are_exact_up_to_tiny():
    a, b = numbers() * 2.0**-500, numbers() * 2.0**-540
    off = [abs(g - arb(float(x)) * arb(float(y)))
           for g, x, y in zip(exact(dd.product(a, b)), a, b, strict=True)]
    assert all(v <= arb(dd.TINY) for v in off) and any(v > 0 for v in off)


def test_the_exponential_is_accurate_to_its_bound():
    h = -np.abs(RNG.standard_normal(600)) * np.exp(RNG.uniform(-25, 6, 600))
    multiples = -np.arange(1, 880) * np.log(2)              # where the reduction cancels
    h = np.concatenate([h, multiples, np.nextafter(multiples, 0), multiples / 2])
    h = np.maximum(h, dd.LEAST)
    x = dd.ordered(h, RNG.uniform(-0.5, 0.5, len(h)) * np.spacing(np.abs(h)))
    wanted = [v.exp() for v in exact(x)]
    assert max(relative_errors(dd.exponential(x), wanted)) < dd.EXPONENTIAL
    assert dd.exponential((np.array([-700.0]), np.zeros(1)))[0] == 0


def test_the_logarithm_is_accurate_to_its_bound():
    h = np.concatenate([np.exp(RNG.uniform(-0.6, 400, 400)), 1 + 2.0**-RNG.integers(1, 53, 200)])
    x = dd.ordered(h, RNG.uniform(-0.5, 0.5, len(h)) * np.spacing(h))
    off = [abs(g - v.log()) / (1 + abs(v.log()))
           for g, v in zip(exact(dd.logarithm(x)), exact(x), strict=True)]
    assert max(float(v.upper()) for v in off) < dd.EXPONENTIAL


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 77])
def test_sums_are_accurate_to_their_depth(n):
    h = numbers(n * 20).reshape(n, 20)
    found = dd.summed((h.copy(), np.zeros_like(h)))
    for column in range(20):
        wanted = sum((arb(float(v)) for v in h[:, column]), start=arb(0))
        off = abs(arb(found[0][column]) + arb(found[1][column]) - wanted)
        assert off <= arb(dd.depth(n) * dd.DELTA * float(np.sum(np.abs(h[:, column]))))
