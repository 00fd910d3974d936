"""Laws of capacities: the equations that they come from, and what their units are."""
import math

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from hopref import storage
from hopref.check.cases.draws import composed, floats, integers, records, sampled
from hopref.check.laws import at_most, equal, holds, law, toleranced

U = 2.0**-53

wrong = sampled([0.0, 0.125, 0.25, 0.375])
sizes = sampled([2, 3, 10, 64, 4096, 10**9])
actives = sampled([0.5, 0.1, 0.01, 1e-5, 1e-100, 1e-300])


def rounded(value, roundings=16):
    """A number with an error of this many roundings."""
    return toleranced(value, roundings * U * abs(value))


# -- small errors allowed -------------------------------------------------------------------------

@law("theory.spin_glass_load", id="CAP-1", over=records(y=floats(2.0**-6, 8.0)),
     kills=("the square without its half", "2 / sqrt(pi) dropped"))
def the_load_solves_the_mean_field_equations(f, y):
    """m = erf(y); C = sqrt(2/(pi alpha r)) e^(-y^2); r = (1 - C)^-2; y = m / sqrt(2 alpha r).

    1 - C cancels below y = 1, where it is 2 y^2 / 3."""
    load, m = f(y), math.erf(y)
    C = 2 / math.sqrt(math.pi) * math.exp(-y * y) * y / m
    found = m * (1 - C) / math.sqrt(2 * load)
    yield equal(toleranced(found, 32 * U * (y + m / math.sqrt(2 * load))), y)


@law("theory.capacity_with_errors", "theory.spin_glass_load", id="CAP-1",
     over=records(y=floats(0.5, 4.0)),
     kills=("the load at an overlap of 0.999", "the square without its half"))
def no_load_is_above_the_capacity_which_its_own_overlap_has(f, y):
    """alpha(y) <= alpha_c = alpha(y_c) for m = erf(y_c), with the errors (1 - m)/2."""
    from scipy.special import erfinv
    load, overlap, errors = f.theory.capacity_with_errors()
    yield at_most(f.theory.spin_glass_load(y), rounded(load, 8), "a maximum")
    yield equal(rounded(errors), rounded((1 - overlap) / 2, 8 / (1 - overlap)), "errors")
    flat = f.theory.spin_glass_load(erfinv(overlap))        # at a maximum: y errs to second order
    yield equal(rounded(flat, 64), load, "attained")


# -- one step -------------------------------------------------------------------------------------

@law("theory.bit_error", id="CB-9",
     over=records(N=integers(2, 400), d=integers(8, 900), errors=wrong),
     kills=("errors of the cue ignored", "Q(1 / alpha)", "both tails"))
def the_share_of_wrong_components_is_that_of_a_sum_of_signs(f, N, d, errors):
    """Zero diagonal: the crosstalk is a sum of n = (N - 1)(d - 1) independent signs; its tail is
    within 0.4748 / sqrt(n) of the normal one (Berry and Esseen; the constant is Shevtsova's), and
    n < 2^19 leaves 2^-17 of 0.48 / sqrt(n) for the rounding of both tails."""
    from scipy.stats import binom
    cue = round(errors * (d - 1))
    signal, n = d - 1 - 2 * cue, (N - 1) * (d - 1)
    if signal > 0:
        truth = binom.cdf((n - signal - 1) // 2, n, 0.5)        # crosstalk below -signal
        got = f((N - 1) / (d - 1), errors=cue / (d - 1))
        yield equal(got, toleranced(truth, 0.48 / math.sqrt(n)))


# -- no errors ------------------------------------------------------------------------------------

@law("theory.capacity_without_errors", "theory.bit_error", id="CAP-2",
     over=records(d=sizes, errors=wrong),
     kills=("factor 2 dropped", "log2 in place of ln", "errors of the cue ignored",
            "all patterns in place of most"))
def at_capacity_a_component_is_wrong_as_seldom_as_there_are_components(f, d, errors):
    """At N = (1 - 2 rho)^2 d / (2 kappa ln d) the bit error is Q(sqrt(2 kappa ln d)), about
    d^-kappa: a pattern (kappa = 1), or all N of them (kappa = 2), have none."""
    for patterns, kappa in (("most", 1), ("all", 2)):
        N = f.theory.capacity_without_errors(d, errors=errors, patterns=patterns)
        exponent = kappa * math.log(d)
        p = rounded(f.theory.bit_error(N / d, errors=errors), 64 * (1 + exponent))
        yield equal(p, math.erfc(math.sqrt(exponent)) / 2, patterns)
        tail = d**-kappa / math.sqrt(4 * math.pi * exponent)
        yield at_most(p, tail, f"tail, {patterns}")


@law("theory.capacity_without_errors", id="CAP-7, SQ-4",
     over=records(d=sizes, n=integers(2, 6), errors=wrong),
     kills=("(2n - 1)!! in place of (2n - 3)!!", "factor 2 dropped",
            "all patterns in place of most", "(1 - 2 rho)^2 for every degree"))
def the_capacity_of_a_dense_memory_follows_from_the_moments_of_its_crosstalk(f, d, n, errors):
    """Signal (d (1 - 2 rho))^(n-1), crosstalk N d^(n-1) E z^(2n-2) with z normal: (2n - 3)!!, by
    Gauss and Hermite's rule, exact but for rounding; of sequences of the degree n - 1 too."""
    z, weights = hermegauss(40)
    moment = (weights / weights.sum()) @ z ** (2 * n - 2)
    for patterns, factor in (("most", 1), ("all", n)):
        N = f(d, n=n, errors=errors, patterns=patterns)
        noise = N * moment / float(d) ** (n - 1) * 2 * factor * math.log(d)
        yield equal(rounded(noise, 4000 * n), (1 - 2 * errors) ** (2 * n - 2), patterns)


@law("theory.capacity_storkey", id="CAP-3", over=records(d=sizes),
     kills=("log2 in place of ln", "factor 2 dropped"))
def storkeys_number_is_the_geometric_mean_of_hebbs_and_all(f, d):
    """A relation of the two printed forms; whether Storkey's holds is not verified."""
    N = f(d)
    yield equal(rounded(N * N, 64), rounded(d * f.theory.capacity_without_errors(d)))


@law("theory.capacity_projection", id="CAP-4", over=records(d=integers(2, 12)),
     kills=("2 d, that of the best weights",))
def as_many_independent_patterns_are_fixed_points_and_then_every_state_is(f, d):
    """N = d independent patterns span everything: W = I, but for rounding times their condition."""
    N = int(f(d))
    X = np.random.default_rng(d).standard_normal((N, d))
    yield holds(np.linalg.matrix_rank(X) == N, "independent")
    radius = 128 * d * np.linalg.cond(X) * U
    yield equal(toleranced(storage.projection(X), radius), np.eye(d), "W = I")


# -- sparse ---------------------------------------------------------------------------------------

@law("theory.capacity_sparse", id="CAP-6", over=records(p=actives),
     kills=("factor 2 dropped", "log2 in place of ln"))
def at_the_sparse_capacity_false_alarms_are_as_rare_as_active_units(f, p):
    """Signal p d against noise of variance N d p^3: a tail exp(-1/(2 alpha p)) = p."""
    yield equal(rounded(math.exp(-1 / (2 * f(p) * p)), 16 * (1 - math.log(p))), p)


@law("theory.bits_per_synapse", "theory.capacity_sparse", "theory.information_capacity",
     id="CAP-5", over=records(p=actives),
     kills=("factor 2 dropped", "ln in place of log2", "-p log2 p alone",
            "pairs in place of patterns with themselves"))
def sparse_patterns_approach_palms_information(f, p):
    """alpha H(p) = bound (1 + (1 - p)|ln(1 - p)| / (p |ln p|)): less than 1 + 1/|ln p|."""
    bound = f.theory.information_capacity()
    bits = f.theory.bits_per_synapse(f.theory.capacity_sparse(p), activity=p)
    excess = (1 - p) * math.log1p(-p) / (p * math.log(p))
    yield equal(rounded(bits / bound, 64), 1 + excess)
    auto = f.theory.information_capacity(recall="auto")
    yield equal(rounded(auto), 1 / (8 * math.log(2)), "patterns with themselves")


@law("theory.information_capacity", id="CAP-5", over=records(p=floats(2.0**-10, 1 - 2.0**-10)),
     kills=("additive in place of clipped weights", "pairs in place of patterns with themselves"))
def no_load_of_a_clipped_memory_gives_more_than_that_of_half_ones(f, p):
    """With k = ln d / -ln p active units there are no false alarms; the information per synapse is
    then log2(p) ln(1 - p), which is largest at p = 1/2."""
    bound = rounded(f(weights="clipped"))
    yield at_most(math.log2(p) * math.log1p(-p), bound)
    yield equal(bound, math.log2(0.5) * math.log(0.5))
    yield equal(rounded(f(weights="clipped", recall="auto")), bound / 4, "with themselves")


# -- exponential ----------------------------------------------------------------------------------

@law("theory.rate_function", id="CAP-8",
     over=records(x=integers(-64, 64).map(lambda k: k / 64)),
     kills=("log2 in place of ln", "the half dropped"))
def the_rate_is_the_legendre_transform_of_log_cosh(f, x):
    """sup t x - ln cosh t: a lower bound for every t, attained at artanh x, which is steep near the
    ends."""
    rate = f(x)
    for t in (-3.0, -0.5, 0.0, 1.0, 6.0):
        yield at_most(t * x - math.log(math.cosh(t)), toleranced(rate, 16 * U), f"t = {t}")
    t = math.atanh(x) if abs(x) < 1 else math.inf
    sup = t * x - math.log(math.cosh(t)) if abs(x) < 1 else math.log(2)
    size = (abs(t) + 1) * (1 + 1 / (1 - abs(x))) if abs(x) < 1 else 1.0
    yield equal(toleranced(rate, 16 * U * size), sup, "attained")


@law("theory.capacity_exponential", "theory.rate_function", id="CAP-8", over=records(errors=wrong),
     kills=("errors of the cue ignored", "the half dropped", "log2 in place of ln"))
def an_exponential_memory_grows_with_half_of_what_a_channel_carries(f, errors):
    """I(1 - 2 rho) = ln 2 - H(rho): half of what a channel with these errors carries, in nats."""
    rate, p = f.theory.capacity_exponential(errors=errors), errors
    entropy = -(p * math.log(p) + (1 - p) * math.log(1 - p)) if p else 0.0
    yield equal(rounded(2 * rate), rounded(f.theory.rate_function(1 - 2 * p)), "rate")
    yield equal(rounded(rate, 64), (math.log(2) - entropy) / 2, "channel")


@law("theory.capacity_random_energy", id="RE-1",
     over=records(beta=sampled([2.0**-20, 0.25, 0.75, 1.0, 1.5, 4.0, 64.0]),
                  patterns=sampled(["spherical", "gaussian"])),
     kills=("no logarithm of the frequency", "no largest score",
            "spherical in place of Gaussian patterns"))
def at_this_rate_the_scores_of_others_add_up_to_the_own_one(f, beta, patterns):
    """The maximum of alpha - I(m) + beta m over the overlaps m that occur, I(m) <= alpha, is beta.

    It is attained where I'(m) = beta, or at the largest m."""
    rate = float(f(beta=beta, patterns=patterns))
    if patterns == "gaussian":
        steepest, largest = beta, math.sqrt(2 * rate)
        frequency = lambda m: m * m / 2                                         # noqa: E731
    else:
        steepest = 2 * beta / (1 + math.sqrt(1 + 4 * beta**2))
        largest = math.sqrt(-math.expm1(-2 * rate))
        frequency = lambda m: -math.log1p(-m * m) / 2                           # noqa: E731
    for m in np.linspace(0.0, largest, 9):
        if frequency(m) <= rate:
            yield at_most(rate - frequency(m) + beta * m, toleranced(beta, 64 * U * (beta + rate)))
    m = min(steepest, largest)
    found = rate - frequency(m) + beta * m
    yield equal(toleranced(found, 64 * U * (1 + beta + rate) ** 2), beta, "attained")


@law("theory.capacity_random_energy", id="RE-2",
     over=records(beta=sampled([0.25, 0.5, 1.0, 4.0]), d=sampled([8, 64, 512])),
     kills=("no logarithm of the frequency",))
def the_rate_is_that_of_the_mean_exponential_on_the_sphere(f, beta, d):
    """With g(beta) = beta - alpha_1: g(beta) <= ln(E e^(beta x.y))/d <= c g(beta/c), c = 1 - 1/d,
    for x, y of squared norm d (bounds of Amos 1974 for ratios of Bessel functions)."""
    from scipy.special import ive
    nu, x, c = d / 2 - 1, beta * d, 1 - 1 / d
    mean = (math.lgamma(nu + 1) - nu * math.log(x / 2) + math.log(ive(nu, x)) + x) / d
    low, high = (beta / k - float(f(beta=beta / k)) for k in (1.0, c))
    slack = 64 * U * (beta + math.log(d))
    yield at_most(toleranced(low, slack), toleranced(mean, slack), "below")
    yield at_most(toleranced(mean, slack), toleranced(c * high, slack), "above")


@law("theory.capacity_exponential_typical", id="RE-4, SQ-4", kills=("cosh 1 in place of cosh 2",))
def noise_equals_the_signal_of_an_exponential_memory(f):
    """N patterns of d signs: the variance of a term is the mean of exp(2 z), cosh(2)^d."""
    rate, d = float(f()), 64
    noise = rate * d / 2 + d / 2 * math.log((math.exp(2) + math.exp(-2)) / 2)
    yield equal(rounded(noise, 64), float(d))
    yield at_most(f.theory.capacity_exponential(), rate, "the sufficient constant is below")


@law("theory.capacity_feature_memory", "theory.capacity_random_energy", id="PE-14",
     over=records(beta=sampled([2.0**-20, 0.25, 0.75, 1.0, 1.5, 4.0, 64.0])),
     kills=("the variance of one pattern", "the second moment"))
def the_draws_of_this_rate_include_the_one_that_has_most_weight(f, beta):
    """A mean of exp(d) ^ mu numbers exp(2 sqrt(beta d) g): those with g = t sqrt(d) contribute
    mu - t^2/2 + 2 sqrt(beta) t, most at t = 2 sqrt(beta), which occurs if t^2/2 <= mu."""
    features = (2 * math.sqrt(beta)) ** 2 / 2
    rate = rounded(f.theory.capacity_feature_memory(features=features), 64)
    yield equal(rate, rounded(f.theory.capacity_random_energy(beta=beta), 64))
    yield at_most(2 * rate, rounded(features), "fewer patterns than the root of the features")


# -- sparse maps ----------------------------------------------------------------------------------

@composed
def caps(draw):
    """A cosine c of a cap, and a temperature with this c."""
    d, K, overlap = (draw(sampled(v)) for v in ([2, 3, 4, 7, 8], [0.5, 1.0, 3.0],
                                                [1.0, 0.875, 0.625]))
    c, margin = draw(sampled([0.5, 0.25, 0.0, -0.5])), draw(sampled([0.5, 1.0, 2.0]))
    return {"d": d, "K": K, "overlap": overlap, "margin": margin, "c": c,
            "beta": margin / (K * K * (d - 1) * (overlap - c)), "p": draw(sampled([0.001, 0.5]))}


@law("theory.capacity_with_margin", id="FY-9", over=caps(),
     kills=("both caps", "d in place of d - 1", "beta ignored", "errors of the cue ignored",
            "most patterns in place of all", "each pair once"))
def no_other_pattern_is_in_the_cap_of_a_cue(f, d, K, overlap, margin, c, beta, p):
    """(1 - P)^(N - 1) = 1 - p; the share P of a cap is a ratio of integrals of sin^(d - 2), here by
    40 nodes.  The rounding of c changes P by d / (1 - c^2) times as much, at most."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    first, rest = ((weights @ np.sin((nodes + 1) * half + start) ** (d - 2)) * half
                   for half, start in ((math.acos(c) / 2, 0.0),
                                       ((math.pi - math.acos(c)) / 2, math.acos(c))))
    P, less = first / (first + rest), rest / (first + rest)
    roundings = 512 + 64 * d / (1 - c * c)
    options = {"beta": beta, "margin": margin, "K": K, "overlap": overlap, "p": p}
    most, all_of_them = f(d, **options), f(d, **options, patterns="all")
    log = -math.log(less)
    yield equal(rounded((most - 1) * log, roundings * P / (less * log) + 64 * most / (most - 1)),
                -math.log1p(-p), "most")
    pairs = all_of_them * (all_of_them - 1) / (2 if overlap == 1 else 1)
    yield equal(rounded(pairs * P, roundings + 64 / (all_of_them - 1)), p, "all")


# -- modern ---------------------------------------------------------------------------------------

@composed
def spheres(draw):
    """Dimension, temperature, size and probability of failure of a theorem about a sphere."""
    return {"d": draw(sampled([20, 75, 300, 10**4])), "beta": draw(sampled([1.0, 2.0, 8.0])),
            "K": draw(sampled([3.0, 6.0])), "p": draw(sampled([0.001, 0.1, 1.0]))}


@law("theory.capacity_modern", id="MH-10", over=spheres(),
     kills=("W of another branch", "d in place of d - 1", "c^((d - 1)/2)", "K in place of K^2"))
def the_base_solves_the_equation_of_the_theorem(f, d, beta, K, p):
    """c = b / W_0(exp(a + ln b)), N = sqrt(p) c^((d - 1)/4).

    W is as well conditioned as its argument; exp loses |a + ln b| roundings."""
    from scipy.special import lambertw
    c, N, a, b = f(d, beta=beta, K=K, p=p)
    exact = 2 / (d - 1) * (1 + math.log(2 * beta * K * K * p * (d - 1)))
    yield equal(rounded(a, 200 * (1 + 1 / abs(exact))), exact, "a")
    yield equal(rounded(b), 0.4 * K * K * beta, "b")
    exponent = exact + math.log(0.4 * K * K * beta)
    base = 0.4 * K * K * beta / float(np.real(lambertw(math.exp(exponent))))
    yield equal(rounded(c, 64 * (1 + abs(exponent))), base, "c")
    log = (d - 1) / 4 * math.log(base) + math.log(p) / 2
    if log < 700:
        yield equal(rounded(N, 64 * d), math.exp(log), "patterns")
    else:                                                       # practically infinite
        yield at_most(rounded(math.exp(700), 64 * d), N, "many patterns")


@law("theory.capacity_modern", id="MH-10", over=spheres(), kills=("the closed form from above",))
def the_closed_form_promises_a_little_less(f, d, beta, K, p):
    """A lower bound of c, of at least three quarters of it here."""
    exact, *_ = f(d, beta=beta, K=K, p=p)
    closed, *_ = f(d, beta=beta, K=K, p=p, form="closed")
    yield at_most(exact * 0.75, closed, "not far below")
    yield at_most(closed, rounded(exact), "below")
