"""Where networks end, wrong: energies, steps, basins, groups, flips, spectra."""
import numpy as np

from hopref import modern, theory
from tests.mutants import mutant
from tests.mutants.theory_bounds import distance, longest


@mutant("theory.energy_bounds")
def energy_at_most_two_squares(xi, X, /):
    """2 M^2 for states of every length"""
    low, _ = theory.energy_bounds(xi, X)
    return low, 0 * low + 2 * longest(X) ** 2


@mutant("theory.energy_bounds")
def energy_at_least_the_difference(xi, X, /):
    """the square of M - |xi| without its half"""
    low, high = theory.energy_bounds(xi, X)
    return 2 * low, high


@mutant("theory.hull_energy_bound")
def hull_without_the_logarithm(X, /, *, beta=1.0):
    """no log N / beta"""
    return longest(X) ** 2 / 2


@mutant("theory.hull_energy_bound")
def hull_by_one_square(X, /, *, beta=1.0):
    """M^2 for 2 M^2"""
    return min(longest(X) ** 2, np.log(len(X)) / beta + longest(X) ** 2 / 2)


@mutant("theory.smallest_step_bound")
def step_bound_without_two(xi, X, /, *, beta=1.0, steps):
    """no 2"""
    return np.sqrt(modern.energy(xi, X, beta=beta) / steps)


@mutant("theory.smallest_step_bound")
def step_bound_by_the_number_of_steps(xi, X, /, *, beta=1.0, steps):
    """T outside of the root"""
    return np.sqrt(2 * modern.energy(xi, X, beta=beta)) / steps


@mutant("theory.distance_bound")
def distance_without_the_geometric_sum(step, /, *, factor, steps):
    """no 1 / (1 - q)"""
    return factor**steps * step


@mutant("theory.distance_bound")
def distance_one_step_late(step, /, *, factor, steps):
    """q^(T + 1)"""
    return factor ** (steps + 1) / (1 - factor) * step


# -- basins -------------------------------------------------------------------------------------

def terms(X, beta):
    D = distance(X[:, None], X)
    gap = np.stack([(x - X) @ x for x in X])
    return D, gap


def scanned(X, beta, good):
    """The largest of many radii at which ``good(g, slope)`` holds."""
    D, gap = terms(X, beta)
    radii = []
    for i in range(len(X)):
        rho = np.linspace(0, 2 * D[i].max(), 400)[1:, None]
        with np.errstate(over="ignore"):
            e = D[i] * np.exp(-beta * (gap[i] - rho * D[i]))
            g, slope = e.sum(-1) - rho[:, 0], beta * (e * D[i]).sum(-1)
        radii.append(max(rho[good(g, slope), 0], default=0.0))
    return np.array(radii)


@mutant("theory.basin_radius")
def basin_up_to_the_larger_root(X, /, *, beta=1.0):
    """kept, but not contracted: up to the other zero of g"""
    return scanned(X, beta, lambda g, slope: g <= 0)


@mutant("theory.basin_radius")
def basin_without_a_check(X, /, *, beta=1.0):
    """contracted, but not kept: the sign of g unseen"""
    return scanned(X, beta, lambda g, slope: slope <= 1)


@mutant("theory.basin_radius")
def basin_by_the_nearest_rival(X, /, *, beta=1.0):
    """half of the distance to the nearest pattern"""
    D, _ = terms(X, beta)
    return np.where(D > 0, D, np.inf).min(-1) / 2


@mutant("theory.basin_radius")
def basin_of_the_paper(X, /, *, beta=1.0):
    """the sphere of the paper, separated or not"""
    return np.full(len(X), 0.5 * theory.sphere_radius(X, beta=beta))


# -- groups -------------------------------------------------------------------------------------

def parts(xi, X, others, beta):
    p = modern.weights(xi, np.concatenate([X, others]), beta=beta)
    spread = distance(X, X.mean(0)).max()
    return p[..., len(X):].sum(-1), spread, longest(np.concatenate([X, others]))


@mutant("theory.group_error_bound")
def group_error_without_two(xi, X, others, /, *, beta=1.0):
    """gamma M for 2 gamma M"""
    gamma, spread, M = parts(xi, X, others, beta)
    return spread + gamma * M


@mutant("theory.group_error_bound")
def group_error_without_the_others(xi, X, others, /, *, beta=1.0):
    """the spread alone"""
    gamma, spread, _ = parts(xi, X, others, beta)
    return spread + 0 * gamma


@mutant("theory.group_error_bound")
def group_error_of_the_first(xi, X, others, /, *, beta=1.0):
    """the distance of the first member for the largest"""
    gamma, _, M = parts(xi, X, others, beta)
    return distance(X[0], X.mean(0)) / 2 + 2 * gamma * M


@mutant("theory.group_jacobian_bound")
def group_slope_to_first_order(xi, X, others, /, *, beta=1.0):
    """gamma M^2 for 2 gamma (2 - gamma) M^2"""
    gamma, spread, M = parts(xi, X, others, beta)
    return beta * ((1 - gamma) * spread**2 + gamma * M**2)


@mutant("theory.group_jacobian_bound")
def group_slope_without_the_others(xi, X, others, /, *, beta=1.0):
    """the group's spread alone"""
    gamma, spread, _ = parts(xi, X, others, beta)
    return beta * (1 - gamma) * spread**2


@mutant("theory.group_separation")
def group_seen_from_the_first(X, others, /):
    """the first member in place of the mean"""
    return X[0] @ X[0] - (others @ X[0]).max()


def sphere(X, others, beta, log=True):
    spread, M = distance(X, X.mean(0)).max(), longest(np.concatenate([X, others]))
    size = 2 * beta * len(others) * M * max(spread, 2 * M)
    needed = np.log((1 - beta * spread**2) / size) if log else 0.0
    return 1 / (beta * spread), 2 * M / (beta * spread) - needed / beta


@mutant("theory.group_sphere")
def sphere_without_its_logarithm(X, others, /, *, beta=1.0):
    """only 2 M / (beta m_max)"""
    return sphere(X, others, beta, log=False)


@mutant("theory.group_sphere")
def sphere_without_beta(X, others, /, *, beta=1.0):
    """radius 1 / m_max"""
    radius, needed = sphere(X, others, beta)
    return radius * beta, needed


@mutant("theory.effective_patterns")
def patterns_by_the_sum_of_squares(xi, X, /, *, beta=1.0):
    """1 / sum p^2"""
    return 1 / (modern.weights(xi, X, beta=beta) ** 2).sum(-1)


@mutant("theory.effective_patterns")
def patterns_in_bits(xi, X, /, *, beta=1.0):
    """2 to an entropy in nats"""
    return 2 ** np.log(theory.effective_patterns(xi, X, beta=beta))


@mutant("theory.effective_patterns")
def entropy_of_the_scores(xi, X, /, *, beta=1.0):
    """no beta"""
    return theory.effective_patterns(xi, X)


# -- classical and graded networks --------------------------------------------------------------

@mutant("theory.flips_bound")
def flips_without_the_threshold(W, b=0.0, /):
    """no |b|"""
    return theory.flips_bound(W)


@mutant("theory.flips_bound")
def flips_at_four_a_piece(W, b=0.0, /):
    """4 |h| for 2 |h|"""
    return theory.flips_bound(W, b) / 2


@mutant("theory.flips_bound")
def flips_with_the_diagonal(W, b=0.0, /):
    """with what each component says to itself"""
    return np.abs(W).sum() / 2 + np.abs(b).sum()


@mutant("theory.descent_margin")
def margin_of_twice_the_temperature(W, /, *, activation="tanh", beta=1.0):
    """2 / beta"""
    return theory.descent_margin(W, activation=activation, beta=beta / 2)


@mutant("theory.descent_margin")
def margin_of_the_largest_eigenvalue(W, /, *, activation="tanh", beta=1.0):
    """the other end of the spectrum"""
    return np.linalg.eigvalsh(W)[-1] + 1 / beta


@mutant("theory.critical_beta")
def critical_beta_by_the_norm(W, /):
    """the spectral norm for the largest eigenvalue"""
    return 1 / max(np.abs(np.linalg.eigvalsh(W)).max(), 1e-300)


@mutant("theory.critical_beta")
def critical_beta_by_the_trace(W, /):
    """the mean eigenvalue for the largest"""
    mean = np.trace(W) / len(W)
    return 1 / mean if mean > 0 else np.inf


@mutant("theory.graded_contraction_factor")
def graded_factor_by_the_largest_eigenvalue(W, /, *, activation="tanh", beta=1.0):
    """the largest eigenvalue for the norm"""
    slope = 0.25 if activation == "sigmoid" else 1.0
    return beta * slope * max(np.linalg.eigvalsh(W)[-1], 0.0)


@mutant("theory.graded_contraction_factor")
def graded_factor_of_half_the_slope(W, /, *, activation="tanh", beta=1.0):
    """half of the slope of f"""
    return theory.graded_contraction_factor(W, activation=activation, beta=beta) / 2
