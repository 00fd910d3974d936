"""Bugs of bounds on convergence: energies, steps, basins, groups of patterns, flips."""
import numpy as np

from hopref import modern, theory
from hopref.check.bugs import bug, variant
from hopref.check.bugs.retrieval import longest, weights
from hopref.check.cases.adversaries import norms

__all__ = []


def square(x):
    return np.sum(x * x, axis=-1)


# -- energies and steps ---------------------------------------------------------------------------

@bug("2 M^2 for states of every length", "theory.energy_bounds")
def energy_at_most_two_squares(xi, X, /):
    low = (longest(X) - norms(xi)) ** 2 / 2
    return low, 0 * low + 2 * longest(X) ** 2


@bug("the half dropped", "theory.energy_bounds")
def energy_at_least_the_difference(xi, X, /):
    return (longest(X) - norms(xi)) ** 2, (longest(X) + norms(xi)) ** 2 / 2


@bug("log N / beta dropped", "theory.hull_energy_bound")
def hull_without_the_logarithm(X, /, *, beta=1.0):
    return longest(X) ** 2 / 2


@bug("M^2 in place of 2 M^2", "theory.hull_energy_bound")
def hull_by_one_square(X, /, *, beta=1.0):
    return np.minimum(longest(X) ** 2, np.log(len(X)) / beta + longest(X) ** 2 / 2)


@bug("factor 2 dropped", "theory.smallest_step_bound")
def step_bound_without_two(xi, X, /, *, beta=1.0, steps):
    return np.sqrt(modern.energy.formula(xi, X, beta=beta) / steps)


@bug("T outside of the root", "theory.smallest_step_bound")
def step_bound_by_the_number_of_steps(xi, X, /, *, beta=1.0, steps):
    return np.sqrt(2 * modern.energy.formula(xi, X, beta=beta)) / steps


@bug("the geometric sum dropped", "theory.distance_bound")
def distance_without_the_geometric_sum(step, /, *, factor, steps):
    return factor**steps * step


@bug("one step late", "theory.distance_bound")
def distance_one_step_late(step, /, *, factor, steps):
    return factor ** (steps + 1) / (1 - factor) * step


# -- basins ---------------------------------------------------------------------------------------

def scanned(X, beta, good):
    """The largest of many radii at which ``good(g, slope)`` holds."""
    D, gap = norms(X[:, None] - X), np.stack([(x - X) @ x for x in X])
    radii = []
    for i in range(len(X)):
        rho = np.linspace(0, 2 * D[i].max(), 400)[1:, None]
        e = D[i] * np.exp(-beta * (gap[i] - rho * D[i]))
        g, slope = np.sum(e, axis=-1) - rho[:, 0], beta * np.sum(e * D[i], axis=-1)
        radii.append(max(rho[good(g, slope), 0], default=0.0))
    return np.array(radii)


@bug("the larger zero of g, beyond its minimum", "theory.basin_radius")
def basin_up_to_the_larger_root(X, /, *, beta=1.0):
    return scanned(X, beta, lambda g, slope: g <= 0)


@bug("the minimum of g, whatever its sign", "theory.basin_radius")
def basin_without_a_check(X, /, *, beta=1.0):
    return scanned(X, beta, lambda g, slope: slope <= 1)


@bug("half of the distance to the next pattern", "theory.basin_radius")
def basin_by_the_nearest_rival(X, /, *, beta=1.0):
    D = norms(X[:, None] - X)
    return np.min(np.where(D > 0, D, np.inf), axis=-1) / 2


@bug("the sphere of separated patterns for all", "theory.basin_radius")
def basin_of_the_paper(X, /, *, beta=1.0):
    return np.full(len(X), 0.5 * theory.sphere_radius(X, beta=beta))


# -- groups ---------------------------------------------------------------------------------------

def terms(xi, X, others, beta):
    """The weight of the others, the spread of the group, the largest norm."""
    every = np.concatenate([X, others])
    gamma = np.sum(weights(xi, every, beta)[..., len(X):], axis=-1)
    return gamma, np.max(norms(X - np.mean(X, axis=0))), longest(every)


@bug("gamma M in place of 2 gamma M", "theory.group_error_bound")
def group_error_without_two(xi, X, others, /, *, beta=1.0):
    gamma, spread, M = terms(xi, X, others, beta)
    return spread + gamma * M


@bug("the weight of the others dropped", "theory.group_error_bound")
def group_error_without_the_others(xi, X, others, /, *, beta=1.0):
    gamma, spread, _ = terms(xi, X, others, beta)
    return spread + 0 * gamma


@bug("half the distance of the first member", "theory.group_error_bound")
def group_error_of_the_first(xi, X, others, /, *, beta=1.0):
    gamma, _, M = terms(xi, X, others, beta)
    return norms(X[0] - np.mean(X, axis=0)) / 2 + 2 * gamma * M


@bug("gamma M^2 in place of 2 gamma (2 - gamma) M^2", "theory.group_jacobian_bound")
def group_slope_to_first_order(xi, X, others, /, *, beta=1.0):
    gamma, spread, M = terms(xi, X, others, beta)
    return beta * ((1 - gamma) * spread**2 + gamma * M**2)


@bug("the weight of the others dropped", "theory.group_jacobian_bound")
def group_slope_without_the_others(xi, X, others, /, *, beta=1.0):
    gamma, spread, _ = terms(xi, X, others, beta)
    return beta * (1 - gamma) * spread**2


@bug("the first member in place of the mean", "theory.group_separation")
def group_seen_from_the_first(X, others, /):
    return X[0] @ X[0] - np.max(others @ X[0])


def sphere(X, others, beta=1.0, log=1.0):
    """The radius and the required separation, its logarithm weighted."""
    spread, M = np.max(norms(X - np.mean(X, axis=0))), longest(np.concatenate([X, others]))
    size = 2 * beta * len(others) * M * max(spread, 2 * M)
    met = beta * spread**2 < 1 and spread > 0
    needed = 2 * M / spread - log * np.log((1 - beta * spread**2) / size) if met else np.inf
    return 1 / (beta * spread) if spread else np.inf, needed / beta


@bug("radius 1 / m_max", "theory.group_sphere")
def sphere_without_beta(X, others, /, *, beta=1.0):
    radius, needed = sphere(X, others, beta)
    return radius * beta, needed


# -- the number of patterns -----------------------------------------------------------------------

def entropy(p):
    return -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)


@bug("1 / sum p^2", "theory.effective_patterns")
def patterns_by_the_sum_of_squares(xi, X, /, *, beta=1.0):
    return 1 / square(weights(xi, X, beta))


@bug("2 to the entropy in nats", "theory.effective_patterns")
def patterns_in_bits(xi, X, /, *, beta=1.0):
    return 2 ** entropy(weights(xi, X, beta))


# -- classical and graded networks ----------------------------------------------------------------

def bound_of_flips(W, b=0.0, share=1.0, diagonal=0.0):
    size = np.abs(W)
    beside = np.sum(size, axis=-1) - (1 - diagonal) * np.diagonal(size)
    return share * np.sum(beside / 2 + np.abs(b))


@bug("threshold ignored", "theory.flips_bound")
def flips_without_the_threshold(W, b=0.0, /):
    return bound_of_flips(W, 0.0)


@bug("2 / beta in place of 1 / beta", "theory.descent_margin")
def margin_of_twice_the_temperature(W, /, *, activation="tanh", beta=1.0):
    return theory.descent_margin(W, activation=activation, beta=beta / 2)


@bug("the largest eigenvalue", "theory.descent_margin")
def margin_of_the_largest_eigenvalue(W, /, *, activation="tanh", beta=1.0):
    return np.linalg.eigvalsh(W)[-1] + (4 if activation == "sigmoid" else 1) / beta


@bug("the norm in place of the largest eigenvalue", "theory.critical_beta")
def critical_beta_by_the_norm(W, /):
    return 1 / max(np.max(np.abs(np.linalg.eigvalsh(W))), 1e-300)


@bug("the mean eigenvalue", "theory.critical_beta")
def critical_beta_by_the_trace(W, /):
    mean = np.trace(W) / len(W)
    return 1 / mean if mean > 0 else np.inf


@bug("the largest eigenvalue in place of the norm", "theory.graded_contraction_factor")
def graded_factor_by_the_largest_eigenvalue(W, /, *, activation="tanh", beta=1.0):
    slope = 0.25 if activation == "sigmoid" else 1.0
    return beta * slope * max(np.linalg.eigvalsh(W)[-1], 0.0)


@bug("half of the slope of f", "theory.graded_contraction_factor")
def graded_factor_of_half_the_slope(W, /, *, activation="tanh", beta=1.0):
    return theory.graded_contraction_factor(W, activation=activation, beta=beta) / 2


# -- spectra --------------------------------------------------------------------------------------

@bug("beta dropped", "theory.jacobian_spectrum")
def spectrum_without_beta(xi, X, /, *, beta=1.0):
    return theory.jacobian_spectrum(xi, X, beta=beta) / beta


@bug("p p^T not subtracted", "theory.jacobian_spectrum")
def spectrum_that_is_not_centred(xi, X, /, *, beta=1.0):
    rows = np.sqrt(weights(xi, X, beta))[..., None] * X
    values = np.zeros((*rows.shape[:-2], X.shape[1]))
    sizes = np.linalg.svd(rows, compute_uv=False)
    values[..., :sizes.shape[-1]] = beta * sizes**2
    return values


@bug("smallest first", "theory.spectrum")
def spectrum_smallest_first(update, xi, /, *memory, **parameters):
    return theory.spectrum(update, xi, *memory, **parameters)[..., ::-1]


REGISTERED = [
    variant("the logarithm dropped", "theory.group_sphere", sphere, log=0.0),
    variant("beta ignored", "theory.effective_patterns", theory.effective_patterns, beta=1.0),
    variant("4 |h| a flip in place of 2 |h|", "theory.flips_bound", bound_of_flips, share=0.5),
    variant("diagonal counted", "theory.flips_bound", bound_of_flips, diagonal=1.0),
]
