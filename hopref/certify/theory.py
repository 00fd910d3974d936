"""Closed forms of the theory in ball arithmetic.

References: Ramsauer et al. 2021; Santos et al. 2024; Hu et al. 2025; McEliece et al. 1987; Amit,
Gutfreund and Sompolinsky 1985; Demircigil et al. 2017.
"""
import math

import numpy as np
from flint import arb

from hopref.certify.balls import (
    clipped_below,
    columns,
    dot,
    each,
    exceeds,
    exp,
    greatest,
    largest_indices,
    log,
    over_rows,
    ratio,
    sqrt,
    total,
    vanishes,
)
from hopref.certify.graded import of_artanh, x_log_x
from hopref.certify.maps import half_square, norm, softmax, tsallis
from hopref.certify.modern import energy, squared_radius
from hopref.certify.sparse import longest, uniform
from hopref.certify.structured import weights as supported_weights

__all__ = ["bit_error", "bits_per_synapse", "capacity_exponential",
           "capacity_exponential_typical", "capacity_feature_memory", "capacity_projection",
           "capacity_random_energy", "capacity_sparse", "capacity_storkey", "capacity_with_margin",
           "capacity_without_errors", "contraction_factor", "contraction_factor_about_mean",
           "cue_separation", "diameter", "distance_bound",
           "dominant_pattern", "effective_patterns", "energy_bounds", "entmax_energy_bound",
           "exact_beta", "exact_retrieval_separation", "fixed_point_distance_bound", "flips_bound",
           "gap_error_bound", "group_error_bound", "group_jacobian_bound", "group_separation",
           "group_sphere", "hull_energy_bound", "information_capacity", "jacobian_bound",
           "jacobian_norm_bound", "k_subsets_energy_bound", "near_error_bound",
           "normmax_energy_bound", "perceptron_capacity", "rate_function", "required_separation",
           "retrieval_error_bound", "separation", "separation_error_bound", "smallest_step_bound",
           "softmax_slope_bound", "sphere_radius", "spin_glass_load", "stability",
           "subset_separation", "support_error_bound", "support_gap_bound", "support_separation",
           "unstable_sites"]


def least(a, b):
    return -clipped_below(-a, -b)


def lengths(x):
    return sqrt(dot(x, x))


# ---- separation ---------------------------------------------------------------------------------

def cue_separation(xi, X):
    def row(i, z):
        return z[i] - greatest(z[:i] + z[i + 1:]) if len(z) > 1 else math.inf
    return np.array([row(i, list(z)) for i, z in enumerate(xi @ X.T)], object)


def separation(X):
    return cue_separation(X, X)


def dominant_pattern(xi, X):
    return np.array([largest_indices(list(z), 1)[0] for z in xi @ X.T], object)


def required_separation(X, *, beta=1):
    n = len(X)
    return 2 / (beta * n) + log(2 * (n - 1) * n * beta * squared_radius(X)) / beta


def exact_retrieval_separation(xi, X, *, beta=1, margin=1):
    return margin / beta + 2 * longest(X) * lengths(xi - X)


def exact_beta(xi, X, *, margin=1):
    def one(lead):
        if isinstance(lead, float):
            return 0.0
        return margin / lead if exceeds(lead, 0) else math.inf
    return each(one)(cue_separation(xi, X))


def subset_separation(xi, X, *, k):
    def row(z):
        order = largest_indices(z, len(z))
        return math.inf if k == len(z) else z[order[k - 1]] - z[order[k]]
    return over_rows(row, xi @ X.T, count=0)


# ---- bounds on errors of retrieval --------------------------------------------------------------

def diameter(X):
    return sqrt(greatest([dot(x - y, x - y) for x in X for y in X]))


def sphere_radius(X, *, beta=1):
    M = longest(X)
    return math.inf if vanishes(M) else 1 / (beta * len(X) * M)


def of_others(p):
    """1 minus the weight of pattern i in row i."""
    return np.array([sum([*row[:i], *row[i + 1:]], start=arb(0)) for i, row in
                     enumerate(p.tolist())], object)


def retrieval_error_bound(xi, X, *, beta=1):
    return diameter(X) * of_others(softmax(xi @ X.T, beta=beta))


def weight_bound(n, gap, most=1):
    """min(most, (n - 1) e^-gap)."""
    def one(g):
        return arb(0) if n == 1 else least((n - 1) * exp(-g), arb(most))
    return each(one)(gap)


def gap_error_bound(xi, X, *, beta=1):
    return 2 * longest(X) * weight_bound(len(X), scaled(beta, cue_separation(xi, X)))


def scaled(beta, gap):
    return each(lambda g: g if isinstance(g, float) else beta * g)(gap)


def least_gap(xi, fixed, X, beta):
    """beta (Delta_i - 2 r_i M), r_i = max(|xi_i - x_i|, |x_i* - x_i|)."""
    r = np.frompyfunc(clipped_below, 2, 1)(lengths(xi - X), lengths(fixed - X))
    if len(X) == 1:
        return separation(X)
    return beta * (separation(X) - 2 * r * longest(X))


def separation_error_bound(xi, fixed, X, *, beta=1):
    return 2 * longest(X) * weight_bound(len(X), least_gap(xi, fixed, X, beta))


def near_error_bound(X, *, beta=1):
    return 2 * longest(X) * weight_bound(len(X), scaled(beta, separation(X)) - 1)


def fixed_point_distance_bound(xi, fixed, X, *, beta=1):
    weight = weight_bound(len(X), least_gap(xi, fixed, X, beta), arb(1) / 4)
    return 2 * beta * len(X) * squared_radius(X) * weight * lengths(xi - fixed)


def without_largest(p):
    """1 - max p of each row, as the sum of the other entries."""
    def row(entries):
        first = largest_index(entries)
        return sum((v for i, v in enumerate(entries) if i != first), start=arb(0))
    return over_rows(row, p, count=0)


def largest_index(entries):
    """The index of an entry of largest midpoint: all but one may be equal to it."""
    return max(range(len(entries)), key=lambda i: entries[i].mid())


def jacobian_bound(xi, X, *, beta=1):
    rest = each(lambda v: least(v, arb(1) / 2))(without_largest(softmax(xi @ X.T, beta=beta)))
    return beta * diameter(X) * diameter(X) * rest * (1 - rest)


def jacobian_norm_bound(xi, X, *, beta=1):
    return len(X) * squared_radius(X) * softmax_slope_bound(xi @ X.T, beta=beta)


def softmax_slope_bound(z, *, beta=1):
    rest = without_largest(softmax(z, beta=beta))
    return 2 * beta * rest * (1 - rest)


def contraction_factor(X, *, beta=1):
    return beta * diameter(X) * diameter(X) / 4


def from_mean(X):
    """The patterns minus their mean: exactly 0 for a single pattern."""
    return 0 * X if len(X) == 1 else X - np.sum(X, axis=0) / len(X)


def contraction_factor_about_mean(X, *, beta=1):
    return beta * squared_radius(from_mean(X))


# ---- energies and convergence -------------------------------------------------------------------

def energy_bounds(xi, X):
    M, size = longest(X), lengths(xi)
    return (M - size) * (M - size) / 2, (M + size) * (M + size) / 2


def hull_energy_bound(X, *, beta=1):
    square = squared_radius(X)
    return least(2 * square, log(len(X)) / beta + square / 2)


def smallest_step_bound(xi, X, *, beta=1, steps):
    return sqrt(2 * energy(xi, X, beta=beta) / steps)


def distance_bound(step, *, factor, steps):
    grown = arb(0) if vanishes(factor) else exp(steps * log(factor))
    return grown / (1 - factor) * step


def hull_bound(X, k, gain):
    """min(k^2 M (M + |mean|), (k M)^2/2 + gain)."""
    M, mean = longest(X), np.sum(X, axis=0) / len(X)
    return least(k * k * M * (M + lengths(mean)), k * k * squared_radius(X) / 2 + gain)


def entmax_energy_bound(X, *, beta=1, alpha):
    return hull_bound(X, 1, -tsallis(uniform(len(X)), alpha=alpha) / beta)


def normmax_energy_bound(X, *, beta=1, gamma):
    return hull_bound(X, 1, -norm(uniform(len(X)), gamma=gamma) / beta)


def k_subsets_energy_bound(X, *, k, beta=1):
    return hull_bound(X, k, (arb(k) / 2 - half_square(uniform(len(X), k))) / beta)


# ---- groups of patterns -------------------------------------------------------------------------

def group_separation(X, others):
    mean = np.sum(X, axis=0) / len(X)
    return dot(mean, mean) - greatest(list(others @ mean))


def group_sphere(X, others, *, beta=1):
    spread = longest(from_mean(X))
    if vanishes(spread):
        return math.inf, math.inf
    radius = 1 / (beta * spread)
    if not exceeds(1, beta * spread * spread):
        return radius, math.inf
    M = largest_of_both(X, others)
    size = 2 * beta * len(others) * M * clipped_below(spread, 2 * M)
    return radius, 2 * M * radius - log((1 - beta * spread * spread) / size) / beta


def largest_of_both(X, others):
    return sqrt(clipped_below(squared_radius(X), squared_radius(others)))


def outside(xi, X, others, beta):
    """gamma, the softmax weight of the patterns that are not in the group."""
    inner, outer = (total(exp(beta * (xi @ Y.T)))[..., 0] for Y in (X, others))
    return outer / (inner + outer)


def group_error_bound(xi, X, others, *, beta=1):
    gamma = outside(xi, X, others, beta)
    return longest(from_mean(X)) + 2 * gamma * largest_of_both(X, others)


def group_jacobian_bound(xi, X, others, *, beta=1):
    gamma, M = outside(xi, X, others, beta), largest_of_both(X, others)
    return beta * ((1 - gamma) * squared_radius(from_mean(X)) + 2 * gamma * (2 - gamma) * M * M)


def effective_patterns(xi, X, *, beta=1):
    return exp(-total(each(x_log_x)(softmax(xi @ X.T, beta=beta)))[..., 0])


# ---- supports -----------------------------------------------------------------------------------

def support_separation(xi, X, support=True):
    z = xi @ X.T

    def row(scores, seen):
        others = [[v for j, v in enumerate(scores) if seen[j] and j != i]
                  for i in range(len(scores))]
        return [v - greatest(rest) if rest else math.inf
                for v, rest in zip(scores, others, strict=True)]
    return over_rows(row, z, np.broadcast_to(support, z.shape))


def support_gap_bound(xi, X, support=True, *, beta=1):
    gaps, squares = support_separation(xi, X, support), list(dot(X, X))

    def row(gap, seen):
        inside = [i for i in range(len(gap)) if seen[i]]
        if not inside:
            return [math.inf] * len(gap)
        m = sqrt(greatest([squares[i] for i in inside]))
        return [2 * m * weight_bound(len(inside), scaled(beta, gap[i])) if seen[i] else math.inf
                for i in range(len(gap))]
    return over_rows(row, gaps, np.broadcast_to(support, gaps.shape))


def support_error_bound(xi, X, support=True, *, beta=1):
    apart = sqrt(dot(X[:, None, :] - X, X[:, None, :] - X))
    bound = supported_weights(xi, X, support, beta=beta) @ columns(apart)
    seen = np.any(np.broadcast_to(support, bound.shape), axis=-1, keepdims=True)
    return np.where(seen, bound, lengths(X))


# ---- capacities ---------------------------------------------------------------------------------

def spin_glass_load(y):
    root = y.erf() / y - 2 / arb.pi().sqrt() * exp(-y * y)
    return root * root / 2


def bit_error(load, *, errors=0):
    return ((1 - 2 * errors) / sqrt(2 * load)).erfc() / 2


def capacity_without_errors(d, *, n=2, errors=0, patterns):
    odd = exp((n - 1) * log(2)) * (arb(n) - arb(1) / 2).gamma() / arb.pi().sqrt()    # (2n - 3)!!
    size = exp((n - 1) * (log(d) + 2 * log(1 - 2 * errors)))
    return size / (2 * (n if patterns == "all" else 1) * odd * log(d))


def stability(X, W):
    return ratio(X * (X @ W.T), sqrt(dot(W, W)))


def perceptron_capacity(margin):
    k, root = margin, sqrt(arb(2))
    normal = exp(-k * k / 2) / sqrt(2 * arb.pi())
    return 1 / ((1 + k * k) * (arb(-k) / root).erfc() / 2 + k * normal)


def capacity_storkey(d):
    return d / sqrt(2 * log(d))


def capacity_projection(d):
    return d


def information_capacity(*, weights, recall):
    bits = 1 / (2 * log(2)) if weights == "additive" else log(2)
    return bits if recall == "hetero" else bits / 4


def bits_per_synapse(load, *, activity):
    p = activity
    return -load * (x_log_x(p) + x_log_x(1 - p)) / log(2)


def capacity_sparse(p):
    return -1 / (2 * p * log(p))


def rate_function(x):
    return of_artanh(x)


def capacity_exponential(*, errors=0):
    return of_artanh(1 - 2 * errors) / 2


def capacity_exponential_typical():
    return log(exp(arb(2)) / arb(2).cosh())


def capacity_random_energy(*, beta=1, patterns="spherical"):
    if patterns == "gaussian":
        return beta - beta**2 / 2 if exceeds(1, beta) else arb(1) / 2
    m = (sqrt(1 + 4 * beta**2) - 1) / (2 * beta)
    return beta * (1 - m) - log(1 - m**2) / 2


def capacity_feature_memory(*, features):
    return capacity_random_energy(beta=features / 2)


def capacity_with_margin(d, *, beta=1, margin=1, K=1, overlap=1, p, patterns):
    c = overlap - margin / (beta * K**2 * (d - 1))
    half = (1 - c**2).beta_lower(arb(d - 1) / 2, arb(1) / 2, regularized=True) / 2
    cap = 1 - half if exceeds(0, c) else half
    if patterns == "most":
        return 1 + log(1 - p) / log(1 - cap)
    return (1 + sqrt(1 + (8 if overlap == 1 else 4) * p / cap)) / 2


def unstable_sites(X, *, zero_diagonal=False):
    W = X.T @ X
    W = np.where(np.eye(len(W), dtype=bool), 0, W) if zero_diagonal else W
    flips = np.frompyfunc(lambda v: int(exceeds(0, v)), 1, 1)(X * (X @ W))
    return np.sum(flips, axis=-1)


def flips_bound(W, b=0):
    beside = np.where(np.eye(len(W), dtype=bool), 0, each(abs)(W))
    return np.sum(beside) / 2 + (np.sum(each(abs)(b)) if np.ndim(b) else len(W) * abs(b))
