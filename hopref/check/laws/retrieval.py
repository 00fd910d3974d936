"""Laws of the bounds of one retrieval step: its error, its slope, and spheres that it keeps."""
import numpy as np

from hopref.check.cases.adversaries import (
    crowds,
    fixed_points,
    norms,
    opposed,
    pairs,
    rows_of_scores,
    spheres,
)
from hopref.check.laws import at_most, equal, holds, law, toleranced

U = 2.0**-53


def error(f, xi, X, beta, target=None):
    """Distance of updated state i from pattern i, or from another target."""
    return norms(f.modern.update(xi, X, beta=beta) - (X if target is None else target))


def spectral(J):
    """Spectral norms; radii move them by at most their Frobenius norm (Weyl), LAPACK in float64 by
    a few roundings of it (d <= 5)."""
    value = J.value.astype(float)
    off = np.sqrt(np.sum(J.radius**2, axis=(-2, -1)))
    own = 64 * U * np.sqrt(np.sum(value**2, axis=(-2, -1)))
    return toleranced(np.linalg.norm(value, 2, axis=(-2, -1)), off + own)


def without(x, i):
    return np.concatenate([x[:i], x[i + 1:]], axis=0)


# -- the error of one update ----------------------------------------------------------------------

@law("theory.retrieval_error_bound", "theory.gap_error_bound", id="MH-9", over=crowds(),
     kills=("M in place of the diameter", "the missing weight without the diameter",
            "one rival, however many there are", "M in place of 2 M"))
def one_update_ends_within_both_error_bounds(f, xi, X, beta):
    """|f(xi_i) - x_i| <= diam (1 - p_i), which is at most the bound of the lemma."""
    sharp = f.theory.retrieval_error_bound(xi, X, beta=beta)
    yield at_most(error(f, xi, X, beta), sharp, "the sharper bound")
    yield at_most(sharp, f.theory.gap_error_bound(xi, X, beta=beta), "the order of the bounds")


@law("theory.retrieval_error_bound", id="MH-9", over=pairs(),
     kills=("2 M in place of the diameter", "the missing weight without the diameter"))
def two_patterns_attain_the_error_bound(f, xi, X, beta):
    """|f(xi_i) - x_i| = diam (1 - p_i) for two patterns."""
    yield equal(f(xi, X, beta=beta), error(f, xi, X, beta))


@law("theory.gap_error_bound", id="MH-9", over=crowds(),
     kills=("N in place of N - 1", "one rival, however many there are", "M in place of 2 M"))
def the_lemma_bounds_the_error_by_the_gap(f, xi, X, beta):
    """2 M min(1, (N - 1) exp(-beta c_i)), c_i = x_i.xi_i - max_j x_j.xi_i."""
    yield from by_the_gap(f(xi, X, beta=beta), xi, X, beta, 0)


@law("theory.near_error_bound", id="MH-9", over=crowds(), kills=("factor e dropped",))
def the_theorem_bounds_the_error_by_the_separation(f, xi, X, beta):
    """2 M min(1, (N - 1) exp(1 - beta Delta_i)), Delta_i = x_i.x_i - max_j x_j.x_i."""
    yield from by_the_gap(f(X, beta=beta), X, X, beta, 1)


def by_the_gap(bound, xi, X, beta, power):
    longest = np.max(norms(X))
    for i in range(len(X)):
        scores = X @ xi[i]
        rivals = without(scores, i)
        decay = np.exp(np.minimum(power - beta * (scores[i] - np.max(rivals)), 700.0)) \
            if len(rivals) else 0.0
        yield equal(bound[i], 2 * longest * np.minimum(1.0, len(rivals) * decay))


@law("theory.separation_error_bound", id="MH-9", over=crowds() | opposed(),
     kills=("r M in place of 2 r M", "the distance of the state ignored"))
def one_update_ends_within_the_bound_by_the_separation(f, xi, X, beta):
    """For states within r of the pattern and of a fixed point."""
    for fixed in (X, xi):
        yield at_most(error(f, xi, X, beta), f(xi, fixed, X, beta=beta))


@law("theory.near_error_bound", id="MH-9", over=spheres(), kills=("factor e dropped",))
def near_a_pattern_one_update_ends_within_the_second_bound(f, xi, X, beta):
    """Where |xi - x_i| <= 1/(2 beta M)."""
    yield at_most(error(f, xi, X, beta), f(X, beta=beta))


@law("theory.fixed_point_distance_bound", id="MH-9", over=fixed_points(),
     kills=("N - 1 in place of N", "factor 2 dropped", "the distance of the state ignored"))
def one_update_ends_within_the_bound_of_a_fixed_point(f, xi, fixed, X, beta):
    """|f(xi) - x*| is at most the slope between them times |xi - x*|."""
    yield at_most(error(f, xi, X, beta, fixed), f(xi, fixed, X, beta=beta))


# -- spheres --------------------------------------------------------------------------------------

@law("theory.sphere_radius", id="MH-9", over=crowds(least=2),
     kills=("N dropped from the radius", "the mean norm in place of M"))
def spheres_about_separated_patterns_are_disjoint_and_kept(f, xi, X, beta):
    """r = 1/(beta N M); disjoint where besides 2 (N - 1) N beta M^2 > 1 (eq. 305)."""
    N, M, radius = len(X), np.max(norms(X)), f(X, beta=beta)
    if float(M.value) == 0:
        yield holds(radius.value == np.inf)
        return
    yield equal(radius * beta * N * M, 1.0)
    kept = f.theory.separation(X) - f.theory.required_separation(X, beta=beta)
    disjoint = 2 * (N - 1) * N * beta * float(M.value) ** 2 > 1 + 2.0**-40
    for i in np.flatnonzero(kept.value > kept.radius):
        if disjoint:
            yield at_most(2 * radius, np.min(norms(without(X, i) - X[i])), "disjoint")
        stored = f.machine(X[i] + radius * (1 - 2.0**-20) * xi[i] / max(
            float(norms(xi[i]).value), 2.0**-30) * (1 - 2.0**-40))
        inside = norms(stored - X[i])
        if float(inside.value) <= float(radius.value):
            yield at_most(norms(f.modern.update(stored, X, beta=beta) - X[i]), radius, "kept")


# -- slopes ---------------------------------------------------------------------------------------

@law("theory.jacobian_bound", "theory.jacobian_norm_bound", id="MH-6", over=crowds(),
     kills=("M in place of the diameter", "q (1 - q) also beyond q = 1/2",
            "N dropped", "factor 2 dropped"))
def the_slope_is_within_both_bounds(f, xi, X, beta):
    """|J| <= beta diam^2 q (1 - q) for q = min(1 - p_max, 1/2), at most the bound by norms."""
    sharp = f.theory.jacobian_bound(xi, X, beta=beta)
    yield at_most(spectral(f.modern.jacobian(xi, X, beta=beta)), sharp, "the sharper bound")
    yield at_most(sharp, f.theory.jacobian_norm_bound(xi, X, beta=beta), "the order of the bounds")


@law("theory.jacobian_bound", id="MH-6", over=pairs(),
     kills=("1/4 wherever the state is", "M in place of the diameter",
            "min(1/4, 1 - p), true but not sharp"))
def two_patterns_attain_the_bound_of_the_slope(f, xi, X, beta):
    """|J| = beta diam^2 p (1 - p) for two patterns."""
    yield equal(f(xi, X, beta=beta), spectral(f.modern.jacobian(xi, X, beta=beta)))


@law("theory.softmax_slope_bound", id="MH-6", over=rows_of_scores(),
     kills=("factor 2 dropped", "beta / 2 wherever the scores are"))
def the_softmax_is_no_steeper_than_its_bound_which_two_scores_attain(f, z, beta):
    """beta |diag(p) - p p^T| <= 2 beta q (1 - q) <= beta / 2."""
    p = f.maps.softmax(z, beta=beta)
    slope = spectral(beta * p[..., None] * (np.eye(z.shape[-1]) - p[..., None, :]))
    bound = f(z, beta=beta)
    yield at_most(slope, bound)
    yield at_most(bound, beta / 2)
    if z.shape[-1] == 2:
        yield equal(bound, slope, "attained")


@law("theory.contraction_factor", "theory.contraction_factor_about_mean", id="MH-8", over=crowds(),
     kills=("M in place of the diameter", "1/8 in place of 1/4", "distances from the first pattern",
            "the mean square distance in place of the largest"))
def any_two_states_come_closer_by_the_factor(f, xi, X, beta):
    """|f(xi) - f(eta)| <= q |xi - eta|, q = beta diam^2 / 4, at most beta max |x_i - mean|^2."""
    q = f.theory.contraction_factor(X, beta=beta)
    about = f.theory.contraction_factor_about_mean(X, beta=beta)
    away = X - np.mean(X, axis=0)
    yield equal(about, beta * np.max(np.sum(away * away, axis=-1)), "about the mean")
    yield at_most(q, about, "the order of the factors")
    new = f.modern.update(xi, X, beta=beta)
    for a, b in ((0, -1), (0, len(xi) // 2)):
        yield at_most(norms(new[a] - new[b]), q * norms(xi[a] - xi[b]), "closer")


@law("theory.contraction_factor", id="MH-8", over=pairs(),
     kills=("M in place of the diameter", "1/8 in place of 1/4"))
def two_patterns_attain_the_factor_midway(f, xi, X, beta):
    """|J| = beta diam^2 / 4 where two patterns of equal length have equal weights."""
    X = np.concatenate([X[:1], -X[:1]], axis=0)
    J = f.modern.jacobian(np.zeros(X.shape[1]), X, beta=beta)
    yield equal(f(X, beta=beta), spectral(J))


@law("theory.diameter", id="MH-6", over=crowds(),
     kills=("the largest distance from the first pattern", "the square of the distance"))
def the_diameter_is_the_largest_distance(f, xi, X, beta):
    """diam = max |x_i - x_j|."""
    yield equal(f(X), np.max(norms(X[:, None] - X)))
