"""Capacities against the equations they come from, and what their units are."""
import math

import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import binom

from hopref import storage, theory
from hopref.errors import CallError, DomainError
from tests.draw import records
from tests.laws import law
from tests.rounding import u

loads = st.sampled_from([2.0**-10, 0.05, 0.138, 0.5, 3.0])
wrong = st.sampled_from([0.0, 0.125, 0.25, 0.375])
sizes = st.sampled_from([2, 3, 10, 64, 4096, 10**9])


def same(got, want, roundings=16):
    assert abs(got - want) <= roundings * u * abs(want), (got, want)


# -- small errors allowed -----------------------------------------------------------------------

@law("theory.spin_glass_load", id="CAP-1", over=records(y=st.floats(2.0**-6, 8.0)),
     kills=["load_without_a_half", "load_with_one_for_two_over_root_pi"])
def test_the_load_solves_the_mean_field_equations(rules, y):
    """m = erf(y); C = sqrt(2/(pi alpha r)) e^(-y^2); r = (1 - C)^-2; y = m / sqrt(2 alpha r).

    1 - C loses digits below y = 1: it is 2 y^2 / 3 there."""
    load, m = rules.theory.spin_glass_load(y), math.erf(y)
    C = 2 / math.sqrt(math.pi) * math.exp(-y * y) * y / m
    assert abs(y - m * (1 - C) / math.sqrt(2 * load)) <= 32 * u * (y + m / math.sqrt(2 * load))


def test_a_small_overlap_loses_no_digit():
    with mpmath.workdps(60):
        for y in (1e-150, 1e-8, 0.01, 1.5, 30.0):
            s = mpmath.erf(y) / y - 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-mpmath.mpf(y) ** 2)
            same(theory.spin_glass_load(y), float(s * s / 2) if y > 1e-9 else float(
                8 / (9 * mpmath.pi) * mpmath.mpf(y) ** 4), 64)


@law("theory.capacity_with_errors", "theory.spin_glass_load", id="CAP-1",
     over=records(y=st.floats(0.5, 4.0)),
     kills=["capacity_at_full_overlap", "load_without_a_half"])
def test_no_load_is_above_the_capacity_which_its_own_overlap_has(rules, y):
    load, overlap, errors = rules.theory.capacity_with_errors()
    assert rules.theory.spin_glass_load(y) <= load * (1 + 8 * u)
    same(errors, (1 - overlap) / 2)
    at = float(mpmath.erfinv(overlap))
    assert abs(rules.theory.spin_glass_load(at) - load) <= 2.0**-40      # flat: a maximum


def test_the_published_numbers_of_the_spin_glass():
    load, overlap, errors = theory.capacity_with_errors()
    assert (round(load, 6), round(overlap, 5), round(100 * errors, 2)) == (0.137906, 0.96742, 1.63)
    assert abs(load - 0.138) < 1e-4


# -- one step -----------------------------------------------------------------------------------

@law("theory.bit_error", id="CB-9", over=records(N=st.integers(2, 400), d=st.integers(8, 900),
                                                  errors=wrong),
     kills=["bit_error_ignores_the_cue", "bit_error_of_the_full_load", "bit_error_twice"])
def test_the_share_of_wrong_components_is_that_of_a_sum_of_signs(rules, N, d, errors):
    """Zero diagonal: the crosstalk is a sum of (N - 1)(d - 1) independent signs, exactly; by Berry
    and Esseen its tail is within 0.48 / sqrt(n) of the normal one."""
    wrong = round(errors * (d - 1))
    signal, n = d - 1 - 2 * wrong, (N - 1) * (d - 1)
    if signal <= 0:
        return
    truth = binom.cdf((n - signal - 1) // 2, n, 0.5)            # crosstalk below -signal
    got = rules.theory.bit_error((N - 1) / (d - 1), errors=wrong / (d - 1))
    assert abs(got - truth) <= 0.48 / math.sqrt(n) + 2.0**-40


def test_random_patterns_have_about_the_bit_error_of_their_load():
    rng, N, d = np.random.default_rng(1), 60, 400
    X = np.where(rng.random((N, d)) < 0.5, -1.0, 1.0)
    flipped = theory.unstable_sites(X, zero_diagonal=True).sum()
    p = theory.bit_error((N - 1) / (d - 1))
    # components share patterns: allow each pattern's flips to move together
    assert abs(flipped / (N * d) - p) <= 0.48 / math.sqrt((N - 1) * (d - 1)) + 6 * math.sqrt(p / N)


# -- no errors ----------------------------------------------------------------------------------

@law("theory.capacity_without_errors", "theory.bit_error", id="CAP-2",
     over=records(d=sizes, errors=wrong),
     kills=["capacity_without_two", "capacity_in_bits", "capacity_ignores_the_cue",
            "capacity_of_all_for_most", "bit_error_ignores_the_cue"])
def test_at_capacity_a_component_is_wrong_as_seldom_as_there_are_components(rules, d, errors):
    """At N = (1 - 2 rho)^2 d / (2 kappa ln d) the bit error is Q(sqrt(2 kappa ln d)), about
    d^-kappa: a pattern (kappa = 1), or all N of them (kappa = 2), have none."""
    for patterns, kappa in (("most", 1), ("all", 2)):
        N = rules.theory.capacity_without_errors(d, errors=errors, patterns=patterns)
        p = rules.theory.bit_error(N / d, errors=errors)
        same(p, math.erfc(math.sqrt(kappa * math.log(d))) / 2, 64 * (1 + kappa * math.log(d)))
        assert p <= d**-kappa / math.sqrt(4 * math.pi * kappa * math.log(d)) * (1 + 2.0**-30)
        assert N * d * p < 0.2 or kappa == 1


@law("theory.capacity_without_errors", id="CAP-7", over=records(d=sizes, n=st.integers(2, 6),
                                                              errors=wrong),
     kills=["capacity_with_the_next_double_factorial", "capacity_without_two",
            "capacity_of_all_for_most", "capacity_ignores_the_degree_of_the_cue"])
def test_a_dense_memory_s_capacity_follows_from_the_moments_of_its_crosstalk(rules, d, n, errors):
    """Signal (d (1 - 2 rho))^(n-1), crosstalk N d^(n-1) E z^(2n-2), z normal: (2n - 3)!!."""
    z, weights = hermegauss(40)
    moment = (weights / weights.sum()) @ z ** (2 * n - 2)
    for patterns, dearer in (("most", 1), ("all", n)):
        N = rules.theory.capacity_without_errors(d, n=n, errors=errors, patterns=patterns)
        noise = N * moment / d ** (n - 1)
        signal = (1 - 2 * errors) ** (2 * n - 2)
        same(noise * 2 * dearer * math.log(d), signal, 4000 * n)         # the quadrature's own


def test_the_published_capacities_without_errors():
    assert round(theory.capacity_without_errors(4096), 1) == 246.2
    assert round(theory.capacity_without_errors(4096, patterns="all"), 1) == 123.1
    for n, share in ((2, 1 / 2), (3, 1 / 6), (4, 1 / 30)):
        same(theory.capacity_without_errors(10, n=n), share * 10 ** (n - 1) / math.log(10), 64)
    assert theory.capacity_without_errors(10**6, n=90) == np.inf


@law("theory.capacity_storkey", "theory.capacity_without_errors", id="CAP-3", over=records(d=sizes),
     kills=["storkey_in_bits", "storkey_without_two"])
def test_storkey_s_number_is_the_geometric_mean_of_hebb_s_and_all(rules, d):
    """A relation of the two printed forms; whether Storkey's holds is not verified."""
    N = rules.theory.capacity_storkey(d)
    same(N * N, d * rules.theory.capacity_without_errors(d), 64)


@law("theory.capacity_projection", id="CAP-4", over=records(d=st.integers(2, 12)),
     kills=["projection_holds_twice_as_many"])
def test_as_many_independent_patterns_are_fixed_points_and_then_everything_is(rules, d):
    N = int(rules.theory.capacity_projection(d))
    X = np.random.default_rng(d).standard_normal((N, d))
    assert np.linalg.matrix_rank(X) == N
    W, condition = storage.projection(X), np.linalg.cond(X)
    assert np.all(np.abs(W - np.eye(d)) <= 64 * d * condition * 2 * u)


# -- sparse -------------------------------------------------------------------------------------

actives = st.sampled_from([0.5, 0.1, 0.01, 1e-5, 1e-100, 1e-300])


@law("theory.capacity_sparse", id="CAP-6", over=records(p=actives),
     kills=["sparse_without_two", "sparse_in_bits"])
def test_at_the_sparse_capacity_false_alarms_are_as_rare_as_active_units(rules, p):
    """Signal p d against noise of variance N d p^3: a tail exp(-1/(2 alpha p)) = p."""
    same(math.exp(-1 / (2 * rules.theory.capacity_sparse(p) * p)), p, 16 * (1 - math.log(p)))


@law("theory.bits_per_synapse", "theory.capacity_sparse", "theory.information_capacity",
     id="CAP-5", over=records(p=actives),
     kills=["sparse_without_two", "bits_in_nats", "bits_of_the_active_alone", "palm_for_auto"])
def test_sparse_patterns_approach_palm_s_information(rules, p):
    """alpha H(p) = bound (1 + (1 - p)|ln(1 - p)| / (p |ln p|)): less than 1 + 1/|ln p|."""
    bound = rules.theory.information_capacity()
    bits = rules.theory.bits_per_synapse(rules.theory.capacity_sparse(p), activity=p)
    same(bits / bound - 1 + 1, 1 + (1 - p) * math.log1p(-p) / (p * math.log(p)), 64)
    same(rules.theory.information_capacity(recall="auto"), 1 / (8 * math.log(2)))


@law("theory.information_capacity", id="CAP-5", over=records(p=st.floats(2.0**-10, 1 - 2.0**-10)),
     kills=["palm_for_clipped", "palm_for_auto"])
def test_no_load_of_a_clipped_memory_gives_more_than_half_of_ones_does(rules, p):
    """k = ln d / -ln p active units keep false alarms off; then the information a synapse is
    log2(p) ln(1 - p), largest at p = 1/2."""
    bound = rules.theory.information_capacity(weights="clipped")
    assert math.log2(p) * math.log1p(-p) <= bound * (1 + 8 * u)
    same(bound, math.log2(0.5) * math.log(0.5))
    same(rules.theory.information_capacity(weights="clipped", recall="auto"), bound / 4)


def test_the_load_of_half_ones_is_where_willshaw_s_information_is_taken():
    """ln 2 of d^2 pairs of 1 active unit clip half of the weights."""
    d = 1000
    N = round(math.log(2) * d * d)
    assert abs(theory.willshaw_load(N, active=(1, 1), sites=(d, d)) - 0.5) < 1e-6


def test_units_are_not_compared_unconverted():
    """0.72 against 0.14 compares bits a synapse of pairs with patterns a neuron: 0.18 with 0.14."""
    auto = theory.information_capacity(recall="auto")
    classical = theory.bits_per_synapse(theory.capacity_with_errors()[0])
    assert round(auto / classical, 1) == 1.3
    assert theory.capacity_sparse(0.001) > 70                # patterns a neuron: far beyond 0.72


# -- exponential --------------------------------------------------------------------------------

@law("theory.rate_function", id="CAP-8", over=records(x=st.integers(-64, 64).map(lambda k: k / 64)),
     kills=["rate_in_bits", "rate_without_a_half"])
def test_the_rate_is_the_legendre_transform_of_log_cosh(rules, x):
    """sup t x - ln cosh t: a lower bound for every t, attained at artanh x."""
    rate = rules.theory.rate_function(x)
    for t in (-3.0, -0.5, 0.0, 1.0, 6.0):
        assert rate >= t * x - math.log(math.cosh(t)) - 16 * u
    if abs(x) < 1:
        t = math.atanh(x)
        size = (abs(t) + 1) * (1 + 1 / (1 - abs(x)))         # artanh is steep near the ends
        assert abs(rate - t * x + math.log(math.cosh(t))) <= 16 * u * size
    else:
        same(rate, math.log(2))


@law("theory.capacity_exponential", "theory.rate_function", id="CAP-8", over=records(errors=wrong),
     kills=["exponential_ignores_the_cue", "exponential_without_a_half", "rate_in_bits"])
def test_an_exponential_memory_grows_with_half_of_what_a_channel_carries(rules, errors):
    """I(1 - 2 rho) = ln 2 - H(rho): half of what a channel with these errors carries, in nats."""
    rate = rules.theory.capacity_exponential(errors=errors)
    p = errors
    entropy = -(p * math.log(p) + (1 - p) * math.log(1 - p)) if p else 0.0
    same(2 * rate, rules.theory.rate_function(1 - 2 * p))
    same(rate, (math.log(2) - entropy) / 2, 64)


# -- modern -------------------------------------------------------------------------------------

@st.composite
def balls(draw):
    return {"d": draw(st.sampled_from([20, 75, 300, 10**4])),
            "beta": draw(st.sampled_from([1.0, 2.0, 8.0])), "K": draw(st.sampled_from([3.0, 6.0])),
            "p": draw(st.sampled_from([0.001, 0.1, 1.0]))}


@law("theory.capacity_modern", id="MH-10", over=balls(),
     kills=["sphere_of_the_other_branch", "sphere_with_d_for_d_less_one", "sphere_in_fourths_of_d",
            "sphere_without_the_square"])
def test_the_base_solves_the_theorem_s_equation(rules, d, beta, K, p):
    found = rules.theory.capacity_modern(d, beta=beta, K=K, p=p)
    a = 2 / (d - 1) * (1 + math.log(2 * beta * K * K * p * (d - 1)))
    b = 0.4 * K * K * beta
    with mpmath.workdps(40):
        c = float(b / mpmath.lambertw(mpmath.exp(a + mpmath.log(b))))
    same(found.c, c, 64)
    same(found.a, a, 200 * (1 + 1 / abs(a)))
    same(found.b, b)
    N = math.exp(min((d - 1) / 4 * math.log(c) + math.log(p) / 2, 709))
    assert found.patterns == np.inf or abs(found.patterns / N - 1) <= 64 * d * u


@law("theory.capacity_modern", id="MH-10", over=balls(),
     kills=["closed_form_of_the_other_side"])
def test_the_closed_form_promises_a_little_less(rules, d, beta, K, p):
    exact = rules.theory.capacity_modern(d, beta=beta, K=K, p=p)
    closed = rules.theory.capacity_modern(d, beta=beta, K=K, p=p, form="closed")
    assert exact.c * 0.75 <= closed.c <= exact.c * (1 + 16 * u)


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


def test_patterns_drawn_as_the_theorem_asks_are_well_separated():
    """All of them but with probability p: of 300 draws at p = 0.1 at most 30, and 6 deviations."""
    rng, d, K, p = np.random.default_rng(0), 20, 3.0, 0.1
    N = math.floor(theory.capacity_modern(d, beta=1.0, K=K, p=p).patterns)
    failed = 0
    for _ in range(300):
        X = rng.standard_normal((N, d))
        X *= K * math.sqrt(d - 1) / np.sqrt((X * X).sum(-1, keepdims=True))
        failed += bool(np.any(theory.separation(X) < theory.required_separation(X)))
    assert failed <= 30 + 6 * math.sqrt(300 * p * (1 - p))
    assert N > d                                             # more than a linear memory holds


# -- refusals -----------------------------------------------------------------------------------

@pytest.mark.parametrize("call, said", [
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
def test_a_capacity_outside_of_its_theorem_is_refused(call, said):
    with pytest.raises(DomainError, match=rf"hopref\.theory\.\w+: {said}.*; got"):
        call()


def test_a_call_without_its_operand_is_refused():
    with pytest.raises(CallError, match="must be called as theory.capacity_storkey"):
        theory.capacity_storkey()
