"""Capacities compared with their equations, and conversion of their units."""
import math

import mpmath
import numpy as np
import pytest

from hopref import theory
from hopref.errors import CallError, DomainError
from tests.rounding import u


def same(got, want, roundings=16):
    assert abs(got - want) <= roundings * u * abs(want), (got, want)


# -- small errors allowed -----------------------------------------------------------------------


def test_the_load_is_accurate_for_small_overlaps():
    with mpmath.workdps(60):
        for y in (1e-150, 1e-8, 0.01, 1.5, 30.0):
            s = mpmath.erf(y) / y - 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-mpmath.mpf(y) ** 2)
            same(theory.spin_glass_load(y), float(s * s / 2) if y > 1e-9 else float(
                8 / (9 * mpmath.pi) * mpmath.mpf(y) ** 4), 64)


def test_the_published_numbers_of_the_spin_glass():
    load, overlap, errors = theory.capacity_with_errors()
    assert (round(load, 6), round(overlap, 5), round(100 * errors, 2)) == (0.137906, 0.96742, 1.63)
    assert abs(load - 0.138) < 1e-4


# -- one step -----------------------------------------------------------------------------------


def test_random_patterns_have_the_bit_error_of_their_load():
    rng, N, d = np.random.default_rng(1), 60, 400
    X = np.where(rng.random((N, d)) < 0.5, -1.0, 1.0)
    flipped = theory.unstable_sites(X, zero_diagonal=True).sum()
    p = theory.bit_error((N - 1) / (d - 1))
    # components share patterns: allow each pattern's flips to move together
    assert abs(flipped / (N * d) - p) <= 0.48 / math.sqrt((N - 1) * (d - 1)) + 6 * math.sqrt(p / N)


# -- no errors ----------------------------------------------------------------------------------


def test_the_published_capacities_without_errors():
    assert round(theory.capacity_without_errors(4096), 1) == 246.2
    assert round(theory.capacity_without_errors(4096, patterns="all"), 1) == 123.1
    for n, share in ((2, 1 / 2), (3, 1 / 6), (4, 1 / 30)):
        same(theory.capacity_without_errors(10, n=n), share * 10 ** (n - 1) / math.log(10), 64)
    assert theory.capacity_without_errors(10**6, n=90) == np.inf


# -- sparse -------------------------------------------------------------------------------------


def test_willshaw_s_information_is_that_at_load_one_half():
    """ln 2 of d^2 pairs of 1 active unit clip half of the weights."""
    d = 1000
    N = round(math.log(2) * d * d)
    assert abs(theory.willshaw_load(N, active=(1, 1), sites=(d, d)) - 0.5) < 1e-6


def test_capacities_are_compared_after_conversion_of_units():
    """0.72 bits per synapse (pairs) and 0.14 patterns per neuron are 0.18 and 0.14 bits."""
    auto = theory.information_capacity(recall="auto")
    classical = theory.bits_per_synapse(theory.capacity_with_errors()[0])
    assert round(auto / classical, 1) == 1.3
    assert theory.capacity_sparse(0.001) > 70                # patterns per neuron, far above 0.72


# -- modern -------------------------------------------------------------------------------------


@pytest.mark.parametrize("d, K, c, closed, N", [(20, 3.0, 3.15461, 3.1444, 7.41),
                                                (75, 1.0, 1.37188, 1.2585, 10.97)])
def test_the_published_bases_are_reproduced(d, K, c, closed, N):
    found = theory.capacity_modern(d, beta=1.0, K=K, p=0.001)
    assert (round(found.c, 5), round(found.patterns, 2)) == (c, N)
    assert round(theory.capacity_modern(d, beta=1.0, K=K, p=0.001, form="closed").c, 4) == closed


def test_large_arguments_of_lambert_s_function_do_not_overflow():
    found = theory.capacity_modern(20, beta=1e150, K=1e100, p=0.5)
    assert math.isfinite(found.c) and found.b == np.inf and found.c > 1e300 or found.c == np.inf
    assert theory.capacity_modern(10**6, beta=1.0, K=3.0, p=0.5).patterns == np.inf


def test_patterns_drawn_as_in_the_theorem_are_well_separated():
    """The probability of failure is at most p: of 300 draws at p = 0.1, 30 + 6 deviations."""
    rng, d, K, p = np.random.default_rng(0), 20, 3.0, 0.1
    N = math.floor(theory.capacity_modern(d, beta=1.0, K=K, p=p).patterns)
    failed = 0
    for _ in range(300):
        X = rng.standard_normal((N, d))
        X *= K * math.sqrt(d - 1) / np.sqrt((X * X).sum(-1, keepdims=True))
        failed += bool(np.any(theory.separation(X) < theory.required_separation(X)))
    assert failed <= 30 + 6 * math.sqrt(300 * p * (1 - p))
    assert N > d                                             # the capacity of a linear memory


# -- errors -------------------------------------------------------------------------------------

@pytest.mark.parametrize("call, message", [
    (lambda: theory.capacity_without_errors(1), "d must be an integer from 2 to"),
    (lambda: theory.capacity_without_errors(10, errors=0.5), "errors must be a number >= 0 and be"),
    (lambda: theory.capacity_without_errors(10, patterns="some"), "patterns must be one of 'most'"),
    (lambda: theory.capacity_sparse(1.0), "p must be a number between 0 and 1"),
    (lambda: theory.capacity_sparse(0), "p must be a number between 0 and 1"),
    (lambda: theory.rate_function(1.5), "x must be a number from -1 to 1"),
    (lambda: theory.capacity_modern(2, beta=1.0, K=1.0, p=0.001), r"c must be at least \(2 / sqrt"),
    (lambda: theory.capacity_modern(1, beta=1.0, K=1.0, p=0.1), "d must be an integer from 2"),
    (lambda: theory.capacity_modern(20, beta=1.0, K=3.0, p=0.0), "p must be a number > 0 and <= 1"),
    (lambda: theory.capacity_modern(20, beta=1.0, K=3.0, p=0.1, form="w"), "form must be one of"),
])
def test_arguments_outside_of_the_theorem_raise(call, message):
    with pytest.raises(DomainError, match=rf"hopref\.theory\.\w+: {message}.*; got"):
        call()


def test_a_call_without_its_operand_raises():
    with pytest.raises(CallError, match="must be called as theory.capacity_storkey"):
        theory.capacity_storkey()
