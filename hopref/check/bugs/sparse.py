"""Bugs of sparse separation maps and of retrieval by them."""
import numpy as np

from hopref import maps
from hopref.check.bugs import run, wrong_call

__all__ = []

STEPS = 20      # of a bisection: the threshold to 1e-6

RETRIEVAL = ("sparse.update", "sparse.weights")


@wrong_call("a sparse mode that runs softmax", "maps.sparsemax", "maps.entmax", *RETRIEVAL)
def softmax_in_place_of_it(op, given):
    if op.name == "maps.sparsemax":
        return run(maps.softmax, given)
    return run(op, given | {"alpha": 1.0})


@wrong_call("alpha ignored", "maps.entmax", *RETRIEVAL, "sparse.energy")
def alpha_ignored(op, given):
    return None if given["alpha"] == 1.5 else run(op, given | {"alpha": 1.5})


@wrong_call("scores not multiplied by alpha - 1", "maps.entmax", *RETRIEVAL)
def scores_not_multiplied(op, given):
    return run(op, given | {"beta": given["beta"] / (given["alpha"] - 1)})


@wrong_call("beta outside the map", "maps.sparsemax", "maps.entmax", *RETRIEVAL)
def beta_outside_the_map(op, given):
    return given["beta"] * run(op, given | {"beta": 1.0})


@wrong_call("bisection stopped early and not normalised", "maps.sparsemax", "maps.entmax")
def bisection_stopped_early(op, given):
    a = given.get("alpha", 2.0) - 1
    z = np.where(given["where"], given["z"], -np.inf)
    top = np.max(z, axis=-1, keepdims=True)
    z = a * given["beta"] * (z - np.where(np.isfinite(top), top, 0.0))
    low, high = np.full_like(top, -1.0), np.zeros_like(top)
    for _ in range(STEPS):
        tau = (low + high) / 2
        over = np.sum(np.maximum(z - tau, 0.0) ** (1 / a), axis=-1, keepdims=True) >= 1
        low, high = np.where(over, tau, low), np.where(over, high, tau)
    return np.where(np.isfinite(top), np.maximum(z - low, 0.0) ** (1 / a), run(op, given))


@wrong_call("0 for the scores left out", "maps.top_k")
def nought_for_what_is_left_out(op, given):
    chosen = run(op, given) > 0
    return run(maps.softmax, {k: v for k, v in given.items() if k != "k"}
               | {"z": np.where(chosen, given["z"], 0.0)})


@wrong_call("k times the map of one", "maps.k_subsets", "sparse.k_subsets_weights")
def k_times_the_map_of_one(op, given):
    return given["k"] * run(op, given | {"k": 1})
