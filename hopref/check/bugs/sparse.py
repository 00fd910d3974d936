"""Bugs of networks with sparse separation maps."""
import math

import numpy as np

from hopref import layers, maps
from hopref.check.bugs import estimated, run, wrong_argument, wrong_call
from hopref.models import sparse

__all__ = []

RETRIEVAL = ("sparse.update", "sparse.weights")
ENERGIES = ("sparse.energy", "sparse.normalized_energy", "sparse.layer_norm_energy")
OF_NORMMAX = ("sparse.normmax_update", "sparse.normmax_weights", "sparse.normmax_energy")
OF_SUBSETS = ("sparse.k_subsets_update", "sparse.k_subsets_weights", "sparse.k_subsets_energy")


def longest(X):
    """M^2."""
    return np.max(np.sum(X * X, axis=-1))


def uniform(given):
    """The regulariser of uniform weights."""
    n = len(given["X"])
    if "k" in given:
        return given["k"] ** 2 / n / 2
    u = np.full_like(given["X"][:, 0], 1 / n)
    if "gamma" in given:
        return maps.norm.formula(u, gamma=given["gamma"])
    return maps.tsallis.formula(u, alpha=given["alpha"])


# -- the map --------------------------------------------------------------------------------------

@wrong_call("scores not multiplied by alpha - 1", *RETRIEVAL, "maps.entmax")
def scores_not_multiplied(op, given):
    if given["alpha"] == 1:
        return None
    return run(op, given | {"beta": given["beta"] / (given["alpha"] - 1)})


@wrong_call("beta outside the map", *RETRIEVAL, "maps.sparsemax", "maps.entmax", "maps.normmax")
def beta_outside_the_map(op, given):
    return given["beta"] * run(op, given | {"beta": 1.0})


@wrong_call("scores scaled to length 1", *RETRIEVAL)
def scores_normalised(op, given):
    z = given["xi"] @ given["X"].T
    size = np.sqrt(np.sum(z * z, axis=-1, keepdims=True))
    p = maps.entmax.formula(z / np.maximum(size, 1e-9), beta=given["beta"], alpha=given["alpha"])
    return p if op.name == "sparse.weights" else p @ given["X"]


@wrong_call("map over the batch of states", "sparse.weights", "sparse.normmax_weights",
            "sparse.k_subsets_weights")
def map_over_states(op, given):
    xi, X = given["xi"], given["X"]
    options = {k: v for k, v in given.items() if k not in ("xi", "X")}
    if xi.ndim != 2 or options.get("k", 1) > len(xi) or not len(xi):
        return None
    names = {"sparse.weights": maps.entmax, "sparse.normmax_weights": maps.normmax,
             "sparse.k_subsets_weights": maps.k_subsets}
    return names[op.name].formula((xi @ X.T).T, **options).T


@wrong_call("sparsemax in place of normmax", *OF_NORMMAX)
def sparsemax_in_place_of_normmax(op, given):
    own = {"sparse.normmax_update": sparse.update, "sparse.normmax_weights": sparse.weights,
           "sparse.normmax_energy": sparse.energy}[op.name]
    return run(own, {k: v for k, v in given.items() if k != "gamma"} | {"alpha": 2.0})


@wrong_call("entmax of alpha = gamma", "sparse.normmax_update")
def entmax_in_place_of_normmax(op, given):
    given = given | {"alpha": given["gamma"]}
    return run(sparse.update, {k: v for k, v in given.items() if k != "gamma"})


@wrong_call("squares of the entries before they are normalised", "sparse.normmax_weights")
def normmax_weights_squared(op, given):
    xi, X, beta = given["xi"], given["X"], given["beta"]
    return maps.entmax.formula(xi @ X.T, beta=2 * beta, alpha=1.5)


@wrong_call("k times the map of one", "sparse.k_subsets_weights", "sparse.k_subsets_update",
            "maps.k_subsets")
def k_times_the_map_of_one(op, given):
    return given["k"] * run(op, given | {"k": 1})


@wrong_call("mean of the k patterns, not their sum", "sparse.k_subsets_update")
def mean_of_k(op, given):
    return run(op, given) / given["k"]


# -- energies -------------------------------------------------------------------------------------

@wrong_call("energy without the regulariser of uniform weights", *ENERGIES,
            "sparse.normmax_energy", "sparse.k_subsets_energy")
def energy_without_the_uniform(op, given):
    return run(op, given) + uniform(given) / given["beta"]


@wrong_call("energy without 1/beta", "sparse.energy", "sparse.normalized_energy")
def energy_without_one_over_beta(op, given):
    xi, X = given["xi"], given["X"]
    constant = (np.sum(xi * xi, axis=-1) + longest(X)) / 2 if op.name == "sparse.energy" \
        else np.sqrt(longest(X))
    return constant + given["beta"] * (run(op, given) - constant)


@wrong_call("difference of two regularisers, as printed", *ENERGIES[:2], "sparse.normmax_energy",
            "sparse.k_subsets_energy",
            benign="they cancel at small beta; a tolerance allows for the printed form")
def energy_as_printed(op, given):
    xi, X, k, beta = given["xi"], given["X"], given.get("k", 1), given["beta"]
    separation, regulariser = {"k": (maps.k_subsets, maps.half_square), "gamma": (
        maps.normmax, maps.norm), "alpha": (maps.entmax, maps.tsallis)}[
        next(name for name in ("k", "gamma", "alpha") if name in given)]
    options = {name: given[name] for name in ("k", "gamma", "alpha") if name in given}
    p = separation.formula(xi @ X.T, beta=beta, **options)
    options.pop("k", None)
    whole = -np.sum(p * (xi @ X.T), axis=-1)
    whole += (regulariser.formula(p, **options) - uniform(given)) / beta
    if op.name == "sparse.normalized_energy":
        inside = np.maximum(1 - np.sum(xi * xi, axis=-1), 0)
        return whole + np.sqrt(longest(X) + given["eps"]) - np.sqrt(given["eps"] * inside)
    return whole + (np.sum(xi * xi, axis=-1) + k * k * longest(X)) / 2


@wrong_call("patterns centred before the scores", "sparse.layer_norm_energy")
def energy_of_centred_scores(op, given):
    X = given["X"] - np.mean(given["X"], axis=-1, keepdims=True)
    return run(op, given | {"X": X})


@wrong_call("M^2/2 in place of (k M)^2/2", "sparse.k_subsets_energy")
def energy_of_one_pattern(op, given):
    return run(op, given) - (given["k"] ** 2 - 1) * longest(given["X"]) / 2


@wrong_call("energy of the network without normalisation", "sparse.normalized_energy",
            "sparse.layer_norm_energy")
def energy_of_the_plain_network(op, given):
    return run(sparse.energy, given)


@wrong_call("radius 1 in place of sqrt(d)", "sparse.layer_norm_energy")
def energy_of_radius_one(op, given):
    X = given["X"] - np.mean(given["X"], axis=-1, keepdims=True)
    return run(op, given) + (1 - math.sqrt(X.shape[-1])) * np.sqrt(longest(X))


# -- what follows a step --------------------------------------------------------------------------

@wrong_call("the step without its normalisation", "sparse.normalized_update",
            "sparse.layer_norm_update")
def not_normalised(op, given):
    return run(sparse.update, given)


@wrong_call("eps ignored", "sparse.normalized_update", "sparse.layer_norm_update",
            "sparse.normalized_energy", "sparse.layer_norm_energy")
def eps_ignored(op, given):
    return run(op, given | {"eps": 0.0})


@wrong_call("eps outside the root", "sparse.normalized_update", "sparse.layer_norm_update")
def eps_outside_the_root(op, given):
    y, layer = run(sparse.update, given), op.name == "sparse.layer_norm_update"
    y = y - np.mean(y, axis=-1, keepdims=True) if layer else y
    size = np.sqrt((np.mean if layer else np.sum)(y * y, axis=-1, keepdims=True)) + given["eps"]
    return y / np.where(size > 0, size, 1.0)


@wrong_call("eps added to the sum of squares", "sparse.layer_norm_update")
def eps_of_the_sum(op, given):
    return run(op, given | {"eps": given["eps"] / given["xi"].shape[-1]})


@estimated("{} is added to the length", "sparse.normalized_update")
def length_eps(op, given, number):
    y = run(sparse.update, given)
    size = np.sqrt(np.sum(y * y, axis=-1, keepdims=True)) + number
    return y / np.where(size > 0, size, 1.0)


@estimated("{} is added to the variance", "sparse.layer_norm_update")
def variance_eps(op, given, number):
    return layers.layer_norm.formula(run(sparse.update, given), eps=max(number, 0.0))


@wrong_call("length 1 in place of sqrt(d)", "sparse.layer_norm_update")
def of_length_one(op, given):
    return run(op, given) / math.sqrt(given["xi"].shape[-1])


@wrong_call("mean not subtracted", "sparse.layer_norm_update")
def not_centred(op, given):
    return math.sqrt(given["xi"].shape[-1]) * run(sparse.normalized_update, given)


REGISTERED = [
    wrong_argument("a sparse mode that runs softmax", *RETRIEVAL, *ENERGIES,
                   "sparse.normalized_update", "sparse.layer_norm_update", alpha=1.0),
    wrong_argument("alpha ignored", *RETRIEVAL, *ENERGIES, "maps.entmax", "maps.entmax_threshold",
                   alpha=1.5),
    wrong_argument("gamma ignored", *OF_NORMMAX, "maps.normmax", gamma=2.0),
    wrong_argument("beta ignored", *RETRIEVAL, *ENERGIES, *OF_NORMMAX, *OF_SUBSETS, beta=1.0),
    wrong_argument("k ignored", *OF_SUBSETS, k=1),
]
