"""Bugs of capacities: other units, other logarithms, lost factors."""
import math

import numpy as np

from hopref import theory
from hopref.check.bugs import bug, variant
from hopref.theory.exponential import SphereCapacity

__all__ = []


@bug("the square without its half", "theory.spin_glass_load")
def load_without_a_half(y, /):
    return 2 * theory.spin_glass_load(y)


@bug("2 / sqrt(pi) dropped", "theory.spin_glass_load")
def load_with_one_for_two_over_root_pi(y, /):
    return (math.erf(y) / y - math.exp(-y * y)) ** 2 / 2


@bug("the load at an overlap of 0.999", "theory.capacity_with_errors")
def capacity_at_full_overlap():
    y = 2.3267537655
    return theory.spin_glass_load(y), math.erf(y), math.erfc(y) / 2


@bug("Q(1 / alpha)", "theory.bit_error")
def bit_error_of_the_full_load(load, /, *, errors=0.0):
    return math.erfc((1 - 2 * errors) / (math.sqrt(2) * load)) / 2


@bug("both tails", "theory.bit_error")
def bit_error_twice(load, /, *, errors=0.0):
    return math.erfc((1 - 2 * errors) / math.sqrt(2 * load))


def hebbian(d, n=2, errors=0.0, patterns="most", two=2, log=math.log, odd=3, cue=None):
    factor = {"most": 1, "all": n}[patterns]
    double = math.prod(range(1, 2 * n - odd + 1, 2))
    power = 2 * (n - 1) if cue is None else cue
    return (1 - 2 * errors) ** power * float(d) ** (n - 1) / (two * factor * double * log(d))


@bug("log2 in place of ln", "theory.capacity_storkey")
def storkey_in_bits(d, /):
    return d / math.sqrt(2 * math.log2(d))


@bug("factor 2 dropped", "theory.capacity_storkey")
def storkey_without_two(d, /):
    return d / math.sqrt(math.log(d))


@bug("2 d, that of the best weights", "theory.capacity_projection")
def projection_holds_twice_as_many(d, /):
    return 2 * d


@bug("factor 2 dropped", "theory.capacity_sparse")
def sparse_without_two(p, /):
    return -1 / (p * math.log(p))


@bug("log2 in place of ln", "theory.capacity_sparse")
def sparse_in_bits(p, /):
    return -0.5 / (p * math.log2(p))


@bug("ln in place of log2", "theory.bits_per_synapse")
def bits_in_nats(load, /, *, activity=0.5):
    return theory.bits_per_synapse(load, activity=activity) * math.log(2)


@bug("-p log2 p alone", "theory.bits_per_synapse")
def bits_of_the_active_alone(load, /, *, activity=0.5):
    return -load * activity * math.log2(activity)


@bug("log2 in place of ln", "theory.rate_function")
def rate_in_bits(x, /):
    return theory.rate_function(x) / math.log(2)


@bug("the half dropped", "theory.rate_function")
def rate_without_a_half(x, /):
    return 2 * theory.rate_function(x)


@bug("the half dropped", "theory.capacity_exponential")
def exponential_without_a_half(*, errors=0.0):
    return theory.rate_function(1 - 2 * errors)


@bug("no logarithm of the frequency", "theory.capacity_random_energy")
def random_energy_without_frequency(*, beta=1.0, patterns="spherical"):
    if patterns == "gaussian":
        return theory.capacity_random_energy(beta=beta, patterns=patterns)
    return beta * (1 - (math.sqrt(1 + 4 * beta**2) - 1) / (2 * beta))


@bug("no largest score", "theory.capacity_random_energy")
def random_energy_without_condensation(*, beta=1.0, patterns="spherical"):
    if patterns == "gaussian":
        return beta - beta**2 / 2
    return theory.capacity_random_energy(beta=beta)


@bug("spherical in place of Gaussian patterns", "theory.capacity_random_energy")
def random_energy_on_the_sphere(*, beta=1.0, patterns="spherical"):
    return theory.capacity_random_energy(beta=beta)


@bug("cosh 1 in place of cosh 2", "theory.capacity_exponential_typical")
def typical_rate_of_half_scores():
    return 2 - math.log(math.cosh(1))


@bug("the variance of one pattern", "theory.capacity_feature_memory")
def features_for_a_pattern_without_its_cue(*, features):
    return theory.capacity_random_energy(beta=2 * features)


@bug("the second moment", "theory.capacity_feature_memory")
def features_for_a_variance(*, features):
    return theory.capacity_random_energy(beta=features / 4)


def cap(d, /, *, beta=1.0, margin=1.0, K=1.0, overlap=1.0, p=0.5, patterns="most", half=0.5,
        less=1, once=False):
    from scipy.special import betainc
    c = overlap - margin / (beta * K * K * (d - 1))
    P = half * float(betainc((d - less) / 2, 0.5, 1 - c * c))
    P = P if c >= 0 else 2 * half - P
    if patterns == "most":
        return 1 + math.log1p(-p) / math.log1p(-min(P, 0.999))
    return (1 + math.sqrt(1 + 4 * p / P * (2 if once or overlap == 1 else 1))) / 2


def sphere(d, beta, K, p, form="lambert", less=1, root=4, square=2, branch=0):
    a = 2 / (d - less) * (1 + math.log(2 * beta * K**square * p * (d - less)))
    b = 0.4 * K**square * beta
    y = a + math.log(b)
    from scipy.special import lambertw
    w = float(np.real(lambertw(np.exp(y), branch)))
    c = abs(b / w)
    log_N = math.log(p) / 2 + (d - 1) / root * math.log(c)
    return SphereCapacity(c, math.exp(min(log_N, 700)), a, b)


@bug("the closed form from above", "theory.capacity_modern")
def closed_form_of_the_other_side(d, /, *, beta, K, p, form="lambert"):
    found = theory.capacity_modern(d, beta=beta, K=K, p=p)
    if form == "lambert":
        return found
    u = found.a + math.log(found.b)
    return found._replace(c=found.b / u if u > 1 else 2 * found.c)


REGISTERED = [
    variant("errors of the cue ignored", "theory.bit_error", theory.bit_error, errors=0.0),
    variant("factor 2 dropped", "theory.capacity_without_errors", hebbian, two=1),
    variant("log2 in place of ln", "theory.capacity_without_errors", hebbian, log=math.log2),
    variant("errors of the cue ignored", "theory.capacity_without_errors", hebbian, errors=0.0),
    variant("all patterns in place of most", "theory.capacity_without_errors", hebbian,
            patterns="all"),
    variant("(2n - 1)!! in place of (2n - 3)!!", "theory.capacity_without_errors", hebbian, odd=1),
    variant("(1 - 2 rho)^2 for every degree", "theory.capacity_without_errors", hebbian, cue=2),
    variant("pairs in place of patterns with themselves", "theory.information_capacity",
            theory.information_capacity, recall="hetero"),
    variant("additive in place of clipped weights", "theory.information_capacity",
            theory.information_capacity, weights="additive"),
    variant("errors of the cue ignored", "theory.capacity_exponential", theory.capacity_exponential,
            errors=0.0),
    variant("both caps", "theory.capacity_with_margin", cap, half=1.0),
    variant("d in place of d - 1", "theory.capacity_with_margin", cap, less=0),
    variant("each pair once", "theory.capacity_with_margin", cap, once=True),
    variant("beta ignored", "theory.capacity_with_margin", theory.capacity_with_margin, beta=1.0),
    variant("errors of the cue ignored", "theory.capacity_with_margin", theory.capacity_with_margin,
            overlap=1.0),
    variant("most patterns in place of all", "theory.capacity_with_margin",
            theory.capacity_with_margin, patterns="most"),
    variant("W of another branch", "theory.capacity_modern", sphere, branch=1),
    variant("d in place of d - 1", "theory.capacity_modern", sphere, less=0),
    variant("c^((d - 1)/2)", "theory.capacity_modern", sphere, root=2),
    variant("K in place of K^2", "theory.capacity_modern", sphere, square=1),
]
