"""Bounds of modern networks, wrong: mostly by the factor that a careless proof loses."""
import numpy as np

from hopref import modern, theory
from tests.mutants import mutant


def longest(X):
    return np.sqrt((X * X).sum(-1)).max()


def width(X):
    return theory.diameter(X)


def missing(xi, X, beta):
    p = modern.weights(xi, X, beta=beta)
    return 1 - np.diagonal(p)


def rest(xi, X, beta):
    p = np.sort(modern.weights(xi, X, beta=beta), -1)
    return p[..., :-1].sum(-1)


def distance(a, b):
    return np.sqrt(((a - b) ** 2).sum(-1))


# -- the miss after one update ------------------------------------------------------------------

@mutant("theory.retrieval_error_bound")
def error_by_the_largest_norm(xi, X, /, *, beta=1.0):
    """M in place of the diameter"""
    return longest(X) * missing(xi, X, beta)


@mutant("theory.retrieval_error_bound")
def error_by_twice_the_norm(xi, X, /, *, beta=1.0):
    """2 M in place of the diameter"""
    return 2 * longest(X) * missing(xi, X, beta)


@mutant("theory.retrieval_error_bound")
def error_without_the_diameter(xi, X, /, *, beta=1.0):
    """the missing weight alone"""
    return missing(xi, X, beta)


def gap_bound(xi, X, beta, rivals=-1, two=2):
    few = max(len(X) + rivals, 0)
    decay = np.exp(np.minimum(-beta * theory.cue_separation(xi, X), 700))
    return two * longest(X) * np.minimum(1, few * decay)


@mutant("theory.gap_error_bound")
def gap_bound_with_every_pattern(xi, X, /, *, beta=1.0):
    """N for N - 1"""
    return gap_bound(xi, X, beta, rivals=0)


@mutant("theory.gap_error_bound")
def gap_bound_without_rivals(xi, X, /, *, beta=1.0):
    """one rival, however many there are"""
    return gap_bound(xi, X, beta, rivals=1 - len(X))


@mutant("theory.gap_error_bound")
def gap_bound_without_two(xi, X, /, *, beta=1.0):
    """M for the 2 M between two patterns"""
    return gap_bound(xi, X, beta, two=1)


def reach(xi, X, beta, factor):
    gap = theory.separation(X) - factor * distance(xi, X) * longest(X)
    return np.minimum(1, (len(X) - 1) * np.exp(np.minimum(-beta * gap, 700)))


@mutant("theory.separation_error_bound")
def separation_bound_reaches_half_as_far(xi, fixed, X, /, *, beta=1.0):
    """r M for 2 r M"""
    return 2 * longest(X) * reach(xi, X, beta, 1)


@mutant("theory.separation_error_bound")
def separation_bound_forgets_the_distance(xi, fixed, X, /, *, beta=1.0):
    """every state at its pattern"""
    return 2 * longest(X) * reach(xi, X, beta, 0)


@mutant("theory.near_error_bound")
def near_bound_without_e(X, /, *, beta=1.0):
    """no e"""
    return 2 * longest(X) * reach(X, X, beta, 0)


def to_fixed(xi, fixed, X, beta, n, two=2, factor=2):
    weight = np.minimum(0.25, reach(xi, X, beta, factor))
    return two * beta * n * longest(X) ** 2 * weight * distance(xi, fixed)


@mutant("theory.fixed_point_distance_bound")
def distance_bound_with_one_pattern_less(xi, fixed, X, /, *, beta=1.0):
    """N - 1 for N"""
    return to_fixed(xi, fixed, X, beta, len(X) - 1)


@mutant("theory.fixed_point_distance_bound")
def distance_bound_without_two(xi, fixed, X, /, *, beta=1.0):
    """no 2"""
    return to_fixed(xi, fixed, X, beta, len(X), two=1)


@mutant("theory.fixed_point_distance_bound")
def distance_bound_forgets_the_distance(xi, fixed, X, /, *, beta=1.0):
    """every state at its pattern"""
    return to_fixed(xi, fixed, X, beta, len(X), factor=0)


@mutant("theory.sphere_radius")
def radius_without_the_number_of_patterns(X, /, *, beta=1.0):
    """1 / (beta M)"""
    M = longest(X)
    return 1 / (beta * M) if M else np.inf


@mutant("theory.sphere_radius")
def radius_by_the_mean_norm(X, /, *, beta=1.0):
    """the mean norm for M"""
    mean = np.sqrt((X * X).sum(-1)).mean()
    return 1 / (beta * len(X) * mean) if mean else np.inf


# -- slopes -------------------------------------------------------------------------------------

@mutant("theory.jacobian_bound")
def jacobian_bound_by_the_norm(xi, X, /, *, beta=1.0):
    """M in place of the diameter"""
    q = np.minimum(rest(xi, X, beta), 0.5)
    return beta * longest(X) ** 2 * q * (1 - q)


@mutant("theory.jacobian_bound")
def jacobian_bound_by_a_quarter(xi, X, /, *, beta=1.0):
    """1/4 wherever the state is"""
    return beta * width(X) ** 2 / 4 + 0 * rest(xi, X, beta)


@mutant("theory.jacobian_bound")
def jacobian_bound_by_the_missing_weight(xi, X, /, *, beta=1.0):
    """min(1/4, 1 - p): true, and not sharp"""
    return beta * width(X) ** 2 * np.minimum(0.25, rest(xi, X, beta))


@mutant("theory.jacobian_bound")
def jacobian_bound_below_a_half(xi, X, /, *, beta=1.0):
    """p (1 - p) also where no pattern has half of the weight"""
    q = rest(xi, X, beta)
    return beta * width(X) ** 2 * q * (1 - q)


@mutant("theory.jacobian_norm_bound")
def norm_bound_without_the_number_of_patterns(xi, X, /, *, beta=1.0):
    """no N"""
    q = rest(xi, X, beta)
    return 2 * beta * longest(X) ** 2 * q * (1 - q)


@mutant("theory.jacobian_norm_bound")
def norm_bound_without_two(xi, X, /, *, beta=1.0):
    """no 2"""
    q = rest(xi, X, beta)
    return beta * len(X) * longest(X) ** 2 * q * (1 - q)


def softmax_rest(z, beta):
    p = np.exp(beta * (z - z.max(-1, keepdims=True)))
    return 1 - (p / p.sum(-1, keepdims=True)).max(-1)


@mutant("theory.softmax_slope_bound")
def softmax_slope_without_two(z, /, *, beta=1.0):
    """no 2"""
    q = softmax_rest(z, beta)
    return beta * q * (1 - q)


@mutant("theory.softmax_slope_bound")
def softmax_slope_by_a_half(z, /, *, beta=1.0):
    """beta / 2 wherever the scores are"""
    return beta / 2 + 0 * softmax_rest(z, beta)


@mutant("theory.contraction_factor")
def contraction_by_the_norm(X, /, *, beta=1.0):
    """M in place of the diameter"""
    return beta * longest(X) ** 2 / 4


@mutant("theory.contraction_factor")
def contraction_with_an_eighth(X, /, *, beta=1.0):
    """1/8 for 1/4"""
    return beta * width(X) ** 2 / 8


@mutant("theory.contraction_factor_about_mean")
def contraction_about_the_first(X, /, *, beta=1.0):
    """distances from the first pattern"""
    return beta * ((X - X[0]) ** 2).sum(-1).max()


@mutant("theory.contraction_factor_about_mean")
def contraction_by_the_mean_distance(X, /, *, beta=1.0):
    """the mean square distance for the largest"""
    return beta * ((X - X.mean(0)) ** 2).sum(-1).mean()


@mutant("theory.diameter")
def diameter_from_the_first(X, /):
    """the largest distance from the first pattern"""
    return distance(X, X[0]).max()


@mutant("theory.diameter")
def diameter_squared(X, /):
    """no root"""
    return (distance(X[:, None], X) ** 2).max()
