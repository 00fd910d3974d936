"""Sparse maps, their potentials and networks, wrong."""
import numpy as np

from hopref import maps, sparse
from tests.mutants import mutant


def bisected(z, a, steps):
    """entmax by halving the threshold, not normalised."""
    z = a * (z - z.max(-1, keepdims=True))
    low, high = np.full(z.shape[:-1] + (1,), -1.0), np.zeros(z.shape[:-1] + (1,))
    for _ in range(steps):
        tau = (low + high) / 2
        many = (np.maximum(z - tau, 0) ** (1 / a)).sum(-1, keepdims=True) >= 1
        low, high = np.where(many, tau, low), np.where(many, high, tau)
    return np.maximum(z - low, 0) ** (1 / a)


# -- maps ---------------------------------------------------------------------------------------

@mutant("maps.sparsemax")
def sparsemax_is_softmax(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    """a sparse mode that runs softmax"""
    return maps.softmax(z, beta=beta, where=where)


@mutant("maps.sparsemax")
def sparsemax_beta_outside(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    """beta sparsemax(z) in place of sparsemax(beta z)"""
    return beta * maps.sparsemax(z, where=where)


@mutant("maps.sparsemax")
def sparsemax_clipped(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    """clipped scores, normalised"""
    t = np.maximum(1 + beta * (z - z.max(-1, keepdims=True)), 0)
    return t / t.sum(-1, keepdims=True)


@mutant("maps.entmax")
def entmax_halved_twenty_times(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """bisection without renormalisation"""
    return maps.softmax(z, beta=beta) if alpha == 1 else bisected(beta * z, alpha - 1, 20)


@mutant("maps.entmax")
def entmax_of_plain_sums(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """bisection to the last bit, normalised: what a sum loses, the edge has lost"""
    p = bisected(beta * z, alpha - 1, 200)
    return p / p.sum(-1, keepdims=True)


@mutant("maps.entmax")
def entmax_uniform_at_one(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """alpha = 1 returns the uniform distribution"""
    if alpha == 1:
        return np.full(z.shape, 1 / z.shape[-1])
    return maps.entmax(z, beta=beta, alpha=alpha, where=where)


@mutant("maps.entmax")
def entmax_always_15(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """alpha is ignored"""
    return maps.entmax(z, beta=beta, where=where)


@mutant("maps.entmax")
def entmax_not_scaled(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """scores not multiplied by alpha - 1"""
    return maps.softmax(z, beta=beta) if alpha == 1 else \
        maps.entmax(z, beta=beta / (alpha - 1), alpha=alpha, where=where)


@mutant("maps.entmax")
def entmax_masked_after(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """hidden entries are put to 0 when their share is already taken"""
    return np.where(where, maps.entmax(z, beta=beta, alpha=alpha), 0)


@mutant("maps.entmax")
def entmax_unshifted(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """scores in single precision before the largest is subtracted"""
    return maps.entmax(z.astype(np.float32), beta=beta, alpha=alpha)


@mutant("maps.entmax")
def entmax_over_columns(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    """the wrong axis"""
    return maps.entmax(z.T, beta=beta, alpha=alpha).T


@mutant("maps.normmax")
def normmax_unnormalised(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    """of norm one, not of sum one"""
    p = maps.normmax(z, beta=beta, gamma=gamma)
    return p / np.linalg.norm(p, axis=-1, keepdims=True)


@mutant("maps.normmax")
def normmax_is_sparsemax(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    """the Euclidean projection"""
    return maps.sparsemax(z, beta=beta, where=where)


@mutant("maps.normmax")
def normmax_always_2(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    """gamma is ignored"""
    return maps.normmax(z, beta=beta, where=where)


@mutant("maps.normmax")
def normmax_of_plain_sums(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    """the threshold by bisection in float64: near the edge entries are roots of its error"""
    z, q = beta * (z - z.max(-1, keepdims=True)), gamma / (gamma - 1)
    low, high = np.full(z.shape[:-1] + (1,), -1.0), np.zeros(z.shape[:-1] + (1,))
    for _ in range(200):
        tau = (low + high) / 2
        many = (np.maximum(z - tau, 0) ** q).sum(-1, keepdims=True) >= 1
        low, high = np.where(many, tau, low), np.where(many, high, tau)
    p = np.maximum(z - low, 0) ** (q - 1)
    return p / p.sum(-1, keepdims=True)


@mutant("maps.k_subsets")
def k_subsets_of_a_rounded_threshold(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    """tau to float64: entries far below 1 are differences of numbers of its size"""
    places = np.sort(np.concatenate([beta * z, beta * z - 1], -1), -1)
    sums = np.clip((beta * z)[..., None, :] - places[..., None], 0, 1).sum(-1)
    at = (sums >= k).sum(-1, keepdims=True) - 1
    low, sums = np.take_along_axis(places, at, -1), np.take_along_axis(sums, at, -1)
    some = ((beta * z > low) & (beta * z - 1 <= low)).sum(-1, keepdims=True)
    return np.clip(beta * z - (low + (sums - k) / np.maximum(some, 1)), 0, 1)


@mutant("maps.k_subsets")
def k_subsets_k_times_sparsemax(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    """k sparsemax(z): entries above 1"""
    return k * maps.sparsemax(z, beta=beta, where=where)


@mutant("maps.k_subsets")
def k_subsets_hard(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    """the indicator of the k largest"""
    return 1.0 * (maps.top_k(z, k=k) > 0)


@mutant("maps.top_k")
def top_k_fills_zeros(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    """0, not -inf, for the scores left out"""
    return maps.softmax(np.where(maps.top_k(z, k=k) > 0, z, 0), beta=beta)


@mutant("maps.top_k")
def top_k_keeps_all_ties(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    """more than k where scores tie"""
    return maps.softmax(z, beta=beta, where=z >= np.sort(z)[..., [-k]])


@mutant("maps.top_k")
def top_k_prefers_the_last(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    """ties to the highest index"""
    return maps.top_k(z[..., ::-1], k=k, beta=beta)[..., ::-1]


# -- theory -------------------------------------------------------------------------------------

# -- potentials ---------------------------------------------------------------------------------

@mutant("maps.tsallis")
def tsallis_without_its_constant(p, /, *, alpha=1.5):
    """sum p^alpha, the 1 forgotten"""
    return (p**alpha).sum(-1) / max(alpha * (alpha - 1), 1e-9)


@mutant("maps.tsallis")
def tsallis_without_alpha(p, /, *, alpha=1.5):
    """over alpha - 1 alone"""
    return alpha * maps.tsallis(p, alpha=alpha)


@mutant("maps.norm")
def norm_squared(p, /, *, gamma=2.0):
    """the square of the norm"""
    return (maps.norm(p, gamma=gamma) + 1) ** 2 - 1


@mutant("maps.half_square")
def whole_square(p, /):
    """without its half"""
    return (p * p).sum(-1)


@mutant("maps.entmax_conjugate")
def conjugate_without_1_over_beta(z, /, *, beta=1.0, alpha=1.5):
    """Omega*(beta z)"""
    return beta * maps.entmax_conjugate(z, beta=beta, alpha=alpha)


@mutant("maps.normmax_conjugate")
def conjugate_adds_the_regulariser(z, /, *, beta=1.0, gamma=2.0):
    """p.z + Omega(p)"""
    p = maps.normmax(z, beta=beta, gamma=gamma)
    return (p * z).sum(-1) + maps.norm(p, gamma=gamma) / beta


@mutant("maps.k_subsets_conjugate")
def conjugate_is_the_sum_of_the_best(z, /, *, k, beta=1.0):
    """the sum of the k largest"""
    return np.sort(z)[..., -k:].sum(-1)


@mutant("maps.entmax_loss")
def loss_without_the_target(z, p, /, *, alpha=1.5):
    """Omega(p) forgotten, as if every target were a vertex"""
    return maps.entmax_loss(z, p, alpha=alpha) - maps.tsallis(p, alpha=alpha)


@mutant("maps.normmax_loss")
def loss_of_the_wrong_sign(z, p, /, *, gamma=2.0):
    """negative"""
    return -maps.normmax_loss(z, p, gamma=gamma)


@mutant("maps.k_subsets_loss")
def loss_of_the_largest(z, p, /, *, k):
    """the loss of k = 1"""
    return maps.k_subsets_loss(z, p, k=1)


# -- networks -----------------------------------------------------------------------------------

@mutant("sparse.update")
def sparse_update_is_modern(xi, X, /, *, beta=1.0, alpha=1.5):
    """softmax whatever alpha"""
    return maps.softmax(xi @ X.T, beta=beta) @ X


@mutant("sparse.update")
def sparse_update_beta_outside(xi, X, /, *, beta=1.0, alpha=1.5):
    """beta in front of the map"""
    return beta * maps.entmax(xi @ X.T, alpha=alpha) @ X


@mutant("sparse.update")
def sparse_update_scores_normalised(xi, X, /, *, beta=1.0, alpha=1.5):
    """scores divided by their length"""
    z = xi @ X.T
    z = z / np.maximum(np.sqrt((z * z).sum(-1, keepdims=True)), 1e-9)
    return maps.entmax(z, beta=beta, alpha=alpha) @ X


@mutant("sparse.weights")
def sparse_weights_over_states(xi, X, /, *, beta=1.0, alpha=1.5):
    """normalised along the batch"""
    return maps.entmax((xi @ X.T).T, beta=beta, alpha=alpha).T


@mutant("sparse.energy")
def sparse_energy_without_the_uniform(xi, X, /, *, beta=1.0, alpha=1.5):
    """Omega(u)/beta forgotten: not 0 at a lone pattern's minimum, and negative"""
    u = np.full(len(X), 1 / len(X))
    return sparse.energy(xi, X, beta=beta, alpha=alpha) + maps.tsallis(u, alpha=alpha) / beta


@mutant("sparse.energy")
def sparse_energy_without_1_over_beta(xi, X, /, *, beta=1.0, alpha=1.5):
    """Omega* and Omega not divided by beta"""
    half = ((xi * xi).sum(-1) + (X * X).sum(-1).max()) / 2
    return beta * (sparse.energy(xi, X, beta=beta, alpha=alpha) - half) + half


@mutant("sparse.energy")
def sparse_energy_of_softmax(xi, X, /, *, beta=1.0, alpha=1.5):
    """the modern energy under a sparse update"""
    return sparse.energy(xi, X, beta=beta, alpha=1.0)


@mutant("sparse.normmax_update")
def normmax_update_by_entmax(xi, X, /, *, beta=1.0, gamma=2.0):
    """entmax of alpha = gamma"""
    return sparse.update(xi, X, beta=beta, alpha=gamma)


@mutant("sparse.normmax_weights")
def normmax_weights_squared(xi, X, /, *, beta=1.0, gamma=2.0):
    """squared heights: entmax 1.5 of doubled scores"""
    return sparse.weights(xi, X, beta=2 * beta, alpha=1.5)


@mutant("sparse.normmax_energy")
def normmax_energy_of_sparsemax(xi, X, /, *, beta=1.0, gamma=2.0):
    """half the square in place of the norm"""
    return sparse.energy(xi, X, beta=beta, alpha=2.0)


@mutant("sparse.k_subsets_update")
def k_subsets_update_is_a_mean(xi, X, /, *, k, beta=1.0):
    """the sum divided by k"""
    return sparse.k_subsets_update(xi, X, k=k, beta=beta) / k


@mutant("sparse.k_subsets_weights")
def k_subsets_weights_of_one(xi, X, /, *, k, beta=1.0):
    """k is ignored"""
    return sparse.k_subsets_weights(xi, X, k=1, beta=beta)


@mutant("sparse.k_subsets_energy")
def k_subsets_energy_with_m2(xi, X, /, *, k, beta=1.0):
    """M^2/2 for (k M)^2/2: negative"""
    return sparse.k_subsets_energy(xi, X, k=k, beta=beta) - (k * k - 1) * (X * X).sum(-1).max() / 2


@mutant("sparse.k_subsets_energy")
def k_subsets_energy_without_beta(xi, X, /, *, k, beta=1.0):
    """beta = 1 in the energy"""
    return sparse.k_subsets_energy(xi, X, k=k)


@mutant("sparse.normalized_energy")
def normalized_energy_of_the_plain_network(xi, X, /, *, beta=1.0, alpha=1.5):
    """|xi|^2/2 + M^2/2 in place of the ball's support function"""
    return sparse.energy(xi, X, beta=beta, alpha=alpha)


@mutant("sparse.normalized_energy")
def normalized_energy_without_1_over_beta(xi, X, /, *, beta=1.0, alpha=1.5):
    """Omega* and Omega not divided by beta"""
    M = np.sqrt((X * X).sum(-1).max())
    return M + beta * (sparse.normalized_energy(xi, X, beta=beta, alpha=alpha) - M)


@mutant("sparse.layer_norm_energy")
def layer_norm_energy_of_radius_one(xi, X, /, *, beta=1.0, alpha=1.5):
    """M for sqrt(d) M: negative"""
    away = X - X.mean(-1, keepdims=True)
    M = np.sqrt((away * away).sum(-1).max())
    return sparse.layer_norm_energy(xi, X, beta=beta, alpha=alpha) \
        + (1 - np.sqrt(X.shape[1])) * M


@mutant("sparse.layer_norm_energy")
def layer_norm_energy_of_softmax(xi, X, /, *, beta=1.0, alpha=1.5):
    """the energy of another map"""
    return sparse.layer_norm_energy(xi, X, beta=beta, alpha=1.0)


@mutant("sparse.normalized_update")
def not_normalised(xi, X, /, *, beta=1.0, alpha=1.5):
    """the bare update"""
    return sparse.update(xi, X, beta=beta, alpha=alpha)


@mutant("sparse.layer_norm_update")
def layer_norm_without_sqrt_d(xi, X, /, *, beta=1.0, alpha=1.5):
    """of length one"""
    return sparse.layer_norm_update(xi, X, beta=beta, alpha=alpha) / np.sqrt(X.shape[1])
