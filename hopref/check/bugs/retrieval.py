"""Bugs of the bounds of one retrieval step, most of which omit a factor."""
import numpy as np

from hopref import maps
from hopref.check.bugs import bug
from hopref.check.cases.adversaries import norms

__all__ = []


def longest(X):
    return np.max(norms(X))


def width(X):
    return np.max(norms(X[:, None] - X))


def weights(xi, X, beta):
    return maps.softmax.formula(xi @ X.T, beta=beta)


def missing(xi, X, beta):
    p = weights(xi, X, beta)
    return np.sum(p, axis=-1, where=~np.eye(len(X), dtype=bool))


def rest(p):
    return np.sum(np.sort(p, axis=-1)[..., :-1], axis=-1)


def gap(xi, X):
    z = xi @ X.T
    own = np.eye(len(X), dtype=bool)
    return np.sum(xi * X, axis=-1) - np.max(np.where(own, -np.inf, z), axis=-1, initial=-np.inf)


# -- the error of one update ----------------------------------------------------------------------

@bug("M in place of the diameter", "theory.retrieval_error_bound")
def error_by_the_largest_norm(xi, X, /, *, beta=1.0):
    return longest(X) * missing(xi, X, beta)


@bug("2 M in place of the diameter", "theory.retrieval_error_bound")
def error_by_twice_the_norm(xi, X, /, *, beta=1.0):
    return 2 * longest(X) * missing(xi, X, beta)


@bug("the missing weight without the diameter", "theory.retrieval_error_bound")
def error_without_the_diameter(xi, X, /, *, beta=1.0):
    return missing(xi, X, beta)


def gap_bound(xi, X, beta, rivals, two=2):
    decay = np.exp(np.minimum(-beta * gap(xi, X), 700))
    return two * longest(X) * np.minimum(1, rivals * decay)


@bug("N in place of N - 1", "theory.gap_error_bound")
def gap_bound_with_every_pattern(xi, X, /, *, beta=1.0):
    return gap_bound(xi, X, beta, len(X))


@bug("one rival, however many there are", "theory.gap_error_bound")
def gap_bound_without_rivals(xi, X, /, *, beta=1.0):
    return gap_bound(xi, X, beta, min(len(X) - 1, 1))


@bug("M in place of 2 M", "theory.gap_error_bound")
def gap_bound_without_two(xi, X, /, *, beta=1.0):
    return gap_bound(xi, X, beta, len(X) - 1, two=1)


def reach(xi, X, beta, factor, center=None):
    """(N - 1) exp(-beta (Delta - factor r M)), at most 1."""
    away = norms(xi - X)
    if center is not None:
        away = np.maximum(away, norms(center - X))
    left = gap(X, X) - factor * away * longest(X)
    return np.minimum(1, (len(X) - 1) * np.exp(np.minimum(-beta * left, 700)))


@bug("r M in place of 2 r M", "theory.separation_error_bound")
def separation_bound_reaches_half_as_far(xi, fixed, X, /, *, beta=1.0):
    return 2 * longest(X) * reach(xi, X, beta, 1, fixed)


@bug("the distance of the state ignored", "theory.separation_error_bound")
def separation_bound_without_the_distance(xi, fixed, X, /, *, beta=1.0):
    return 2 * longest(X) * reach(xi, X, beta, 0)


@bug("factor e dropped", "theory.near_error_bound")
def near_bound_without_e(X, /, *, beta=1.0):
    return 2 * longest(X) * reach(X, X, beta, 0)


def to_fixed(xi, fixed, X, beta, n, two=2, factor=2):
    weight = np.minimum(0.25, reach(xi, X, beta, factor, fixed))
    return two * beta * n * longest(X) ** 2 * weight * norms(xi - fixed)


@bug("N - 1 in place of N", "theory.fixed_point_distance_bound")
def distance_bound_with_one_pattern_less(xi, fixed, X, /, *, beta=1.0):
    return to_fixed(xi, fixed, X, beta, len(X) - 1)


@bug("factor 2 dropped", "theory.fixed_point_distance_bound")
def distance_bound_without_two(xi, fixed, X, /, *, beta=1.0):
    return to_fixed(xi, fixed, X, beta, len(X), two=1)


@bug("the distance of the state ignored", "theory.fixed_point_distance_bound")
def distance_bound_without_the_distance(xi, fixed, X, /, *, beta=1.0):
    return to_fixed(xi, fixed, X, beta, len(X), factor=0)


@bug("N dropped from the radius", "theory.sphere_radius")
def radius_without_the_number_of_patterns(X, /, *, beta=1.0):
    return 1 / (beta * longest(X))


@bug("the mean norm in place of M", "theory.sphere_radius")
def radius_by_the_mean_norm(X, /, *, beta=1.0):
    return 1 / (beta * len(X) * np.mean(norms(X)))


# -- slopes ---------------------------------------------------------------------------------------

def slope(xi, X, beta, size, share):
    return beta * size**2 * share(rest(weights(xi, X, beta)))


@bug("M in place of the diameter", "theory.jacobian_bound")
def jacobian_bound_by_the_norm(xi, X, /, *, beta=1.0):
    return slope(xi, X, beta, longest(X), lambda q: np.minimum(q, 0.5) * (1 - np.minimum(q, 0.5)))


@bug("1/4 wherever the state is", "theory.jacobian_bound")
def jacobian_bound_by_a_quarter(xi, X, /, *, beta=1.0):
    return slope(xi, X, beta, width(X), lambda q: 0.25 + 0 * q)


@bug("min(1/4, 1 - p), true but not sharp", "theory.jacobian_bound")
def jacobian_bound_by_the_missing_weight(xi, X, /, *, beta=1.0):
    return slope(xi, X, beta, width(X), lambda q: np.minimum(0.25, q))


@bug("q (1 - q) also beyond q = 1/2", "theory.jacobian_bound")
def jacobian_bound_below_a_half(xi, X, /, *, beta=1.0):
    return slope(xi, X, beta, width(X), lambda q: q * (1 - q))


@bug("N dropped", "theory.jacobian_norm_bound")
def norm_bound_without_the_number_of_patterns(xi, X, /, *, beta=1.0):
    return slope(xi, X, beta, longest(X), lambda q: 2 * q * (1 - q))


@bug("factor 2 dropped", "theory.jacobian_norm_bound")
def norm_bound_without_two(xi, X, /, *, beta=1.0):
    return slope(xi, X, beta, longest(X), lambda q: len(X) * q * (1 - q))


@bug("factor 2 dropped", "theory.softmax_slope_bound")
def softmax_slope_without_two(z, /, *, beta=1.0):
    q = rest(maps.softmax.formula(z, beta=beta))
    return beta * q * (1 - q)


@bug("beta / 2 wherever the scores are", "theory.softmax_slope_bound")
def softmax_slope_by_a_half(z, /, *, beta=1.0):
    return beta / 2 + 0 * z[..., 0]


@bug("M in place of the diameter", "theory.contraction_factor")
def contraction_by_the_norm(X, /, *, beta=1.0):
    return beta * longest(X) ** 2 / 4


@bug("1/8 in place of 1/4", "theory.contraction_factor")
def contraction_with_an_eighth(X, /, *, beta=1.0):
    return beta * width(X) ** 2 / 8


@bug("distances from the first pattern", "theory.contraction_factor_about_mean")
def contraction_about_the_first(X, /, *, beta=1.0):
    return beta * np.max(norms(X - X[0])) ** 2


@bug("the mean square distance in place of the largest", "theory.contraction_factor_about_mean")
def contraction_by_the_mean_distance(X, /, *, beta=1.0):
    return beta * np.mean(norms(X - np.mean(X, axis=0)) ** 2)


@bug("the largest distance from the first pattern", "theory.diameter")
def diameter_from_the_first(X, /):
    return np.max(norms(X - X[0]))


@bug("the square of the distance", "theory.diameter")
def diameter_squared(X, /):
    return width(X) ** 2
