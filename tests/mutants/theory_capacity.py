"""Capacities, wrong: other units, other logarithms, lost factors."""
import math

import numpy as np
from scipy.special import lambertw

from hopref import theory
from hopref.theory.exponential import SphereCapacity
from tests.mutants import mutant


@mutant("theory.spin_glass_load")
def load_without_a_half(y, /):
    """the square without its half"""
    return 2 * theory.spin_glass_load(y)


@mutant("theory.spin_glass_load")
def load_with_one_for_two_over_root_pi(y, /):
    """e^(-y^2) without 2 / sqrt(pi)"""
    return (math.erf(y) / y - math.exp(-y * y)) ** 2 / 2


@mutant("theory.capacity_with_errors")
def capacity_at_full_overlap():
    """the load at which the overlap is 0.999"""
    y = 2.3267537655
    return theory.spin_glass_load(y), math.erf(y), math.erfc(y) / 2


@mutant("theory.bit_error")
def bit_error_ignores_the_cue(load, /, *, errors=0.0):
    """a clean cue, always"""
    return math.erfc(1 / math.sqrt(2 * load)) / 2


@mutant("theory.bit_error")
def bit_error_of_the_full_load(load, /, *, errors=0.0):
    """Q(1 / alpha)"""
    return math.erfc((1 - 2 * errors) / (math.sqrt(2) * load)) / 2


@mutant("theory.bit_error")
def bit_error_twice(load, /, *, errors=0.0):
    """both tails"""
    return math.erfc((1 - 2 * errors) / math.sqrt(2 * load))


def hebbian(d, n=2, errors=0.0, patterns="most", two=2, log=math.log, odd=3, cue=None):
    dearer = {"most": 1, "all": n}[patterns]
    double = math.prod(range(1, 2 * n - odd + 1, 2))
    power = 2 * (n - 1) if cue is None else cue
    return (1 - 2 * errors) ** power * float(d) ** (n - 1) / (two * dearer * double * log(d))


@mutant("theory.capacity_without_errors")
def capacity_without_two(d, /, *, n=2, errors=0.0, patterns="most"):
    """d / ln d"""
    return hebbian(d, n, errors, patterns, two=1)


@mutant("theory.capacity_without_errors")
def capacity_in_bits(d, /, *, n=2, errors=0.0, patterns="most"):
    """log2 for ln"""
    return hebbian(d, n, errors, patterns, log=math.log2)


@mutant("theory.capacity_without_errors")
def capacity_ignores_the_cue(d, /, *, n=2, errors=0.0, patterns="most"):
    """a clean cue, always"""
    return hebbian(d, n, 0.0, patterns)


@mutant("theory.capacity_without_errors")
def capacity_of_all_for_most(d, /, *, n=2, errors=0.0, patterns="most"):
    """the number of all patterns for that of most"""
    return hebbian(d, n, errors, "all")


@mutant("theory.capacity_without_errors")
def capacity_with_the_next_double_factorial(d, /, *, n=2, errors=0.0, patterns="most"):
    """(2n - 1)!! for (2n - 3)!!"""
    return hebbian(d, n, errors, patterns, odd=1)


@mutant("theory.capacity_without_errors")
def capacity_ignores_the_degree_of_the_cue(d, /, *, n=2, errors=0.0, patterns="most"):
    """(1 - 2 rho)^2 for every degree"""
    return hebbian(d, n, errors, patterns, cue=2)


@mutant("theory.capacity_storkey")
def storkey_in_bits(d, /):
    """log2 for ln"""
    return d / math.sqrt(2 * math.log2(d))


@mutant("theory.capacity_storkey")
def storkey_without_two(d, /):
    """d / sqrt(ln d)"""
    return d / math.sqrt(math.log(d))


@mutant("theory.capacity_projection")
def projection_holds_twice_as_many(d, /):
    """the 2 d of the best weights, not of this rule"""
    return 2 * d


@mutant("theory.capacity_sparse")
def sparse_without_two(p, /):
    """the blog's 1 / (p |ln p|)"""
    return -1 / (p * math.log(p))


@mutant("theory.capacity_sparse")
def sparse_in_bits(p, /):
    """log2 for ln"""
    return -0.5 / (p * math.log2(p))


@mutant("theory.bits_per_synapse")
def bits_in_nats(load, /, *, activity=0.5):
    """ln for log2"""
    return theory.bits_per_synapse(load, activity=activity) * math.log(2)


@mutant("theory.bits_per_synapse")
def bits_of_the_active_alone(load, /, *, activity=0.5):
    """-p log2 p"""
    return -load * activity * math.log2(activity)


@mutant("theory.information_capacity")
def palm_for_auto(*, weights="additive", recall="hetero"):
    """the value of pairs for patterns with themselves"""
    return theory.information_capacity(weights=weights)


@mutant("theory.information_capacity")
def palm_for_clipped(*, weights="additive", recall="hetero"):
    """the value of additive weights for clipped ones"""
    return theory.information_capacity(recall=recall)


@mutant("theory.rate_function")
def rate_in_bits(x, /):
    """log2 for ln"""
    return theory.rate_function(x) / math.log(2)


@mutant("theory.rate_function")
def rate_without_a_half(x, /):
    """no 1/2"""
    return 2 * theory.rate_function(x)


@mutant("theory.capacity_exponential")
def exponential_ignores_the_cue(*, errors=0.0):
    """a clean cue, always"""
    return math.log(2) / 2


@mutant("theory.capacity_exponential")
def exponential_without_a_half(*, errors=0.0):
    """I for I / 2"""
    return theory.rate_function(1 - 2 * errors)


def sphere(d, beta, K, p, less=1, root=4, square=2, branch=0):
    a = 2 / (d - less) * (1 + math.log(2 * beta * K**square * p * (d - less)))
    b = 0.4 * K**square * beta
    y = a + math.log(b)
    w = float(np.real(lambertw(np.exp(y), branch)))
    c = abs(b / w)
    log_N = math.log(p) / 2 + (d - 1) / root * math.log(c)
    return SphereCapacity(c, math.exp(min(log_N, 700)), a, b)


@mutant("theory.capacity_modern")
def sphere_of_the_other_branch(d, /, *, beta, K, p, form="lambert"):
    """W of another branch"""
    return sphere(d, beta, K, p, branch=1)


@mutant("theory.capacity_modern")
def sphere_with_d_for_d_less_one(d, /, *, beta, K, p, form="lambert"):
    """d for d - 1"""
    return sphere(d, beta, K, p, less=0)


@mutant("theory.capacity_modern")
def sphere_in_fourths_of_d(d, /, *, beta, K, p, form="lambert"):
    """c^((d - 1)/2)"""
    return sphere(d, beta, K, p, root=2)


@mutant("theory.capacity_modern")
def sphere_without_the_square(d, /, *, beta, K, p, form="lambert"):
    """K for K^2"""
    return sphere(d, beta, K, p, square=1)


@mutant("theory.capacity_modern")
def closed_form_of_the_other_side(d, /, *, beta, K, p, form="lambert"):
    """b u^(-1): from above"""
    found = theory.capacity_modern(d, beta=beta, K=K, p=p)
    if form == "lambert":
        return found
    u = found.a + math.log(found.b)
    return found._replace(c=found.b / u if u > 1 else 2 * found.c)
