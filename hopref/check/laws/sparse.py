"""Laws of networks with sparse separation maps (Santos et al. 2024)."""
from types import SimpleNamespace

import numpy as np

from hopref import maps
from hopref.check.cases.draws import arrays, composed, integers, sampled
from hopref.check.cases.problems import problems
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.modern import square
from hopref.models import modern

UPDATES = ("sparse.update", "sparse.normmax_update", "sparse.k_subsets_update")
WEIGHTS = ("sparse.weights", "sparse.normmax_weights", "sparse.k_subsets_weights")
ENERGIES = ("sparse.energy", "sparse.normmax_energy", "sparse.k_subsets_energy")


def family(f):
    """Energy and update of the judged family, its map with conjugate, and its regulariser."""
    it = f.sparse
    if "normmax" in f.subject:
        parts = it.normmax_energy, it.normmax_update, maps.normmax, maps.normmax_conjugate, \
            maps.norm
    elif "k_subsets" in f.subject:
        parts = it.k_subsets_energy, it.k_subsets_update, maps.k_subsets, \
            maps.k_subsets_conjugate, maps.half_square
    else:
        parts = it.energy, it.update, maps.entmax, maps.entmax_conjugate, maps.tsallis
    names = "energy", "update", "map", "conjugate", "regulariser"
    return SimpleNamespace(**dict(zip(names, parts)))


def longest(X):
    """M = max_i |x_i|."""
    return np.sqrt(np.max(square(X)))


def of_uniform_weights(f, X, **options):
    """Omega(u) with u = k/n."""
    if "k" in options:
        return np.longdouble(options["k"]) ** 2 / len(X) / 2
    u = np.full(len(X), 1 / np.longdouble(len(X)))
    return f.exact(family(f).regulariser, u, **options)


# -- identities -----------------------------------------------------------------------------------

@law(*UPDATES, *WEIGHTS, id="FY-3",
     kills=("a sparse mode that runs softmax", "beta outside the map", "beta ignored",
            "scores scaled to length 1", "map over the batch of states", "alpha ignored",
            "scores not multiplied by alpha - 1", "gamma ignored", "entmax of alpha = gamma",
            "sparsemax in place of normmax", "squares of the entries before they are normalised",
            "mean of the k patterns, not their sum", "k ignored", "k times the map of one"))
def the_new_state_is_the_mean_of_the_patterns_under_the_map(f, xi, X, *, beta=1.0, **options):
    """f(xi) = sum_i p_i x_i with p the map of beta X xi."""
    p = f.exact(family(f).map, xi @ X.T, beta=beta, **options)
    yield equal(f(xi, X, beta=beta, **options), p if f.subject in WEIGHTS else p @ X)


@law(*ENERGIES, id="FY-2",
     kills=("energy without the regulariser of uniform weights", "energy without 1/beta",
            "a sparse mode that runs softmax", "sparsemax in place of normmax", "alpha ignored",
            "gamma ignored", "k ignored", "M^2/2 in place of (k M)^2/2", "beta ignored"))
def the_energy_is_the_difference_of_two_losses(f, xi, X, *, beta=1.0, **options):
    """E = -Omega*(beta X xi)/beta - Omega(u)/beta + |xi|^2/2 + (k M)^2/2, u = k/n."""
    k = options.get("k", 1)
    conjugate = f.exact(family(f).conjugate, xi @ X.T, beta=beta, **options)
    whole = (square(xi) + k**2 * np.max(square(X))) / 2
    uniform = of_uniform_weights(f, X, **options) / beta
    yield equal(f(xi, X, beta=beta, **options), whole - conjugate - uniform)


@law("sparse.update", "sparse.weights", "sparse.energy", id="FY-2", over=problems(),
     kills=("energy without the regulariser of uniform weights", "energy without 1/beta",
            "scores scaled to length 1", "alpha ignored"))
def a_network_of_alpha_one_is_the_modern_network(f, xi, X, beta):
    """entmax_1 is softmax, and Tsallis' entropy is Shannon's."""
    own = getattr(modern, f.subject.rpartition(".")[-1])
    yield equal(f(xi, X, beta=beta, alpha=1.0), f.exact(own, xi, X, beta=beta))


@law(*UPDATES, *ENERGIES, id="FY-3",
     kills=("a sparse mode that runs softmax", "beta outside the map", "energy without 1/beta",
            "entmax of alpha = gamma", "mean of the k patterns, not their sum",
            "sparsemax in place of normmax", "beta ignored"))
def a_step_lowers_the_energy_by_half_its_square_and_a_divergence(f, xi, X, *, beta=1.0, **options):
    """E(xi) - E(xi') = |xi' - xi|^2/2 + D(z', z), D the Bregman divergence of the conjugate.

    The identity holds for any xi' with (X^T p - xi').(xi' - xi) added.
    """
    own, how = family(f), {"beta": beta} | options
    new = own.update(xi, X, **how)
    stored = f.machine(new)
    step, z, moved = stored - xi, xi @ X.T, stored @ X.T
    p = f.exact(own.map, z, **how)
    rise = f.exact(own.conjugate, moved, **how) - f.exact(own.conjugate, z, **how)
    divergence = rise - np.sum(p * (step @ X.T), axis=-1)
    fall = square(step) / 2 + divergence + np.sum((new - stored) * step, axis=-1)
    yield equal(own.energy(xi, X, **how) - own.energy(stored, X, **how), fall)


# -- bounds ---------------------------------------------------------------------------------------

@law("sparse.energy", "sparse.normmax_energy", id="FY-4", over=problems(max_m=2),
     kills=("energy without the regulariser of uniform weights", "energy without 1/beta"))
def the_energy_lies_between_its_bounds_on_the_hull(f, xi, X, beta):
    """0 <= E <= min(2 M^2, M^2/2 - Omega(u)/beta) where the state is a mean of patterns."""
    inside, M2 = family(f).update(xi, X, beta=beta), np.max(square(X))
    E = f(inside, X, beta=beta)
    yield at_most(0.0, E)
    top = np.minimum(2 * M2, M2 / 2 - of_uniform_weights(f, X) / beta)
    yield at_most(E, top)


@law("sparse.k_subsets_energy", id="FY-4", kills=("M^2/2 in place of (k M)^2/2",))
def the_energy_of_subsets_is_bounded_below(f, xi, X, *, k, beta=1.0):
    """E >= (|xi| - k M)^2/2, since Omega*(beta z) <= beta k M |xi| - Omega(u)."""
    away = np.sqrt(square(xi)) - k * longest(X)
    yield at_most(away * away / 2, f(xi, X, k=k, beta=beta))


# -- exact retrieval ------------------------------------------------------------------------------

@composed
def separated(draw):
    """Patterns 8 e_i and a state near one of them, with the margin 1; powers of two."""
    d, alpha = draw(integers(2, 5)), draw(sampled([1.25, 1.5, 2.0, 3.0]))
    X, i = 8 * np.eye(d), draw(integers(0, d - 1))
    return {"xi": X[i] + draw(arrays(d)) / 4, "X": X, "alpha": alpha, "i": i}


@law("sparse.update", "sparse.normmax_update", id="FY-5", over=separated(),
     kills=("a sparse mode that runs softmax", "beta outside the map",
            "scores scaled to length 1"))
def a_separated_pattern_is_retrieved_exactly_in_one_step(f, xi, X, alpha, i):
    """f(xi) = x_i where D_i >= m/beta + 2 M |xi - x_i|, m = 1/(alpha - 1).

    D_i = 64, M = 8, |xi - x_i| < 2.3; beta = m, so that m/beta = 1.
    """
    how = {"alpha": alpha, "beta": 1 / (alpha - 1)} if f.subject == "sparse.update" else {}
    yield equal(f(xi, X, **how), X[i])


@law("sparse.update", "sparse.normmax_update", id="FY-5",
     over=problems(max_m=1, betas=sampled([0.25, 1.0, 64.0])),
     kills=("a sparse mode that runs softmax", "beta outside the map"))
def a_pattern_that_leads_by_its_margin_is_a_fixed_point(f, xi, X, beta):
    """f(x_i) = x_i where x_i.x_i >= x_i.x_j + m/beta for every other pattern, m = 1/(alpha - 1)."""
    for i, x in enumerate(X):
        how = {"alpha": (2.0, 1.5, 3.0)[i % 3]} if f.subject == "sparse.update" else {}
        z = (X @ x).value
        lead = z[i] - np.max(np.delete(z, i), initial=-np.inf)
        if lead >= 1 / (how.get("alpha", 2.0) - 1) / beta:
            yield equal(f(x, X, beta=beta, **how), x)


@law("sparse.k_subsets_update", id="FY-5", over=separated(),
     kills=("mean of the k patterns, not their sum", "k ignored"))
def the_sum_of_the_k_best_is_retrieved_exactly(f, xi, X, alpha, i):
    """Where the k-th score leads the next by 1/beta; others are 64 - 2 * 8 * 0.6 behind."""
    for k in range(1, len(X) + 1):
        best = np.sum(X[:k], axis=0)
        yield equal(f(best + (xi - X[i]) / 4, X, k=k), best)


# -- equivariances --------------------------------------------------------------------------------

@law(*UPDATES, id="FY-3", kills=("beta outside the map", "scores scaled to length 1"))
def a_change_of_units_rescales_the_new_state(f, xi, X, *, beta=1.0, **options):
    """f(4 xi; 4 X, beta/16) = 4 f(xi; X, beta)."""
    yield equal(f(4 * xi, 4 * X, beta=beta / 16, **options), 4 * f(xi, X, beta=beta, **options))


@law(*WEIGHTS, *ENERGIES, id="FY-3", kills=("map over the batch of states",))
def a_batch_of_states_is_its_rows(f, xi, X, **options):
    """The weights and the energy of a state do not depend on the others of its batch."""
    if xi.ndim == 2:
        whole = f(xi, X, **options)
        for i in range(len(xi)):
            yield equal(whole[i], f(xi[i], X, **options))


# -- a normalisation after the step ---------------------------------------------------------------

@composed
def inside(draw):
    """States in both sets: of length 1 at most; of mean 0 and length sqrt(d) at most; a zero state.
    """
    case = draw(problems(betas=sampled([0.25, 1.0, 3.0, 64.0])))
    d = case["X"].shape[-1]
    share, states = draw(sampled([0.0, 0.5, 1 - 2.0**-40])), case.pop("xi")
    flat = states - np.mean(states, axis=-1, keepdims=True)
    inside, plane = (share * x / np.maximum(np.sqrt(square(x))[:, None], 1e-3)
                   for x in (states, flat))
    return case | {"inside": inside, "plane": np.sqrt(d) * plane,
                   "alpha": draw(sampled([1.0, 1.5, 2.0, 3.0])),
                   "eps": draw(sampled([0.0, 2.0**-16, 0.25]))}


def in_its_set(f, inside, plane, X):
    """Energy, update, a state in the set, the radius of the set, its square (which multiplies eps)
    and the patterns projected on it."""
    if "layer_norm" in f.subject:
        d = X.shape[-1]
        return f.sparse.layer_norm_energy, f.sparse.layer_norm_update, plane, \
            np.sqrt(np.longdouble(d)), d, X - np.mean(X, axis=-1, keepdims=True)
    return f.sparse.normalized_energy, f.sparse.normalized_update, inside, 1.0, 1, X


def slack(xi, d, eps):
    """s(xi) = sqrt(d eps (d - |xi|^2))."""
    return np.sqrt(np.longdouble(d * eps)) * np.sqrt(np.maximum(d - square(xi), 0.0))


NORMALISED = ("sparse.normalized_update", "sparse.layer_norm_update")
THEIR_ENERGIES = ("sparse.normalized_energy", "sparse.layer_norm_energy")


@law(*NORMALISED, *THEIR_ENERGIES, id="FY-6", over=inside(),
     kills=("energy of the network without normalisation", "energy without 1/beta",
            "a sparse mode that runs softmax", "the step without its normalisation",
            "length 1 in place of sqrt(d)", "mean not subtracted", "alpha ignored", "eps ignored",
            "eps outside the root", "eps added to the sum of squares"))
def a_normalised_step_gains_what_its_set_allows_and_a_divergence(f, inside, plane, X, beta, alpha,
                                                                 eps):
    """E(xi) - E(xi') = y.(xi' - xi) + s(xi') - s(xi) + D(z', z), with y.xi' + s(xi') the most that
    the set allows: y.xi' = r |y|^2 / sqrt(|y|^2 + r^2 eps).

    Before a layer norm |y| is the length of y less its mean.
    """
    energy, update, xi, r, d, Y = in_its_set(f, inside, plane, X)
    how = {"beta": beta, "alpha": alpha, "eps": eps}
    new = update(xi, X, **how)
    stored, z = f.machine(new), xi @ X.T
    own = {"beta": beta, "alpha": alpha}
    p, moved, step = f.exact(maps.entmax, z, **own), stored @ X.T, stored - xi
    y = p @ X
    rise = f.exact(maps.entmax_conjugate, moved, **own) - f.exact(maps.entmax_conjugate, z, **own)
    divergence = rise - np.sum(p * (step @ X.T), axis=-1)
    fall = np.sum(step * y, axis=-1) + slack(stored, d, eps) - slack(xi, d, eps) + divergence
    yield equal(energy(xi, X, **how) - energy(stored, X, **how), fall)
    long = square(p @ Y)
    yield equal(np.sum(y * new, axis=-1) * np.sqrt(long + d * eps), r * long, "y.xi'")


@law(*THEIR_ENERGIES, id="FY-6", over=inside(),
     kills=("energy of the network without normalisation", "energy without 1/beta",
            "a sparse mode that runs softmax", "radius 1 in place of sqrt(d)",
            "energy without the regulariser of uniform weights", "beta ignored", "eps ignored"))
def the_energy_on_a_sphere_is_the_difference_of_two_losses(f, inside, plane, X, beta, alpha, eps):
    """E = -L_Omega(beta z; u)/beta + L_Psi(X^T u; xi) + r (M - R), L_Psi = r R - s(xi) - y.xi.

    R is sqrt(|y|^2 + r^2 eps) at y = X^T u, and M the same for the longest pattern.
    """
    energy, _, xi, r, d, Y = in_its_set(f, inside, plane, X)
    mean = np.mean(X, axis=0)
    u = np.full((*xi.shape[:-1], len(X)), 1 / np.longdouble(len(X)))
    loss = f.exact(maps.entmax_loss, beta * (xi @ X.T), u, alpha=alpha) / beta
    most = r * np.sqrt(np.max(square(Y)) + d * eps)
    yield equal(energy(xi, X, beta=beta, alpha=alpha, eps=eps),
                most - slack(xi, d, eps) - xi @ mean - loss)


@law(*THEIR_ENERGIES, id="FY-6", over=inside(),
     kills=("radius 1 in place of sqrt(d)", "energy of the network without normalisation"))
def the_energy_on_a_sphere_lies_between_its_bounds(f, inside, plane, X, beta, alpha, eps):
    """0 <= E <= r M - xi . mean of the patterns, for states in the set."""
    energy, _, xi, r, d, Y = in_its_set(f, inside, plane, X)
    E = energy(xi, X, beta=beta, alpha=alpha, eps=eps)
    yield at_most(0.0, E)
    yield at_most(E, r * np.sqrt(np.max(square(Y)) + d * eps) - xi @ np.mean(X, axis=0))


@law(*NORMALISED, id="FY-6", over=problems(),
     kills=("the step without its normalisation", "length 1 in place of sqrt(d)",
            "mean not subtracted", "eps ignored", "eps outside the root",
            "eps added to the sum of squares"))
def a_normalised_step_has_the_direction_of_the_step(f, xi, X, beta):
    """sqrt(|y|^2 + r^2 eps) f(xi) = r y, with y the step of the network, less its mean before a
    layer norm."""
    _, _, _, r, d, Y = in_its_set(f, None, None, X)
    y = f.exact(maps.entmax, xi @ X.T, beta=beta) @ Y
    for eps in (0.0, 0.25):
        size = np.sqrt(square(y) + d * eps)
        yield equal(f(xi, X, beta=beta, eps=eps) * size[..., None], r * y)
