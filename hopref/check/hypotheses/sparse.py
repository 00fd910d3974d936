"""Bugs of sparse separation maps and of retrieval by them."""
import numpy as np

from hopref import maps
from hopref.check.hypotheses import hypothesis, run

__all__ = []

STEPS = 20      # of a bisection: the threshold to 1e-6

RETRIEVAL = ("sparse.update", "sparse.weights")


@hypothesis("a sparse mode that runs softmax", "maps.sparsemax", "maps.entmax", *RETRIEVAL)
def softmax_in_place_of_it(op, it):
    if op.name == "maps.sparsemax":
        return run(maps.softmax, it)
    return run(op, it | {"alpha": 1.0})


@hypothesis("alpha ignored", "maps.entmax", *RETRIEVAL, "sparse.energy")
def alpha_ignored(op, it):
    return None if it["alpha"] == 1.5 else run(op, it | {"alpha": 1.5})


@hypothesis("scores not multiplied by alpha - 1", "maps.entmax", *RETRIEVAL)
def scores_not_multiplied(op, it):
    return run(op, it | {"beta": it["beta"] / (it["alpha"] - 1)})


@hypothesis("beta outside the map", "maps.sparsemax", "maps.entmax", *RETRIEVAL)
def beta_outside_the_map(op, it):
    return it["beta"] * run(op, it | {"beta": 1.0})


@hypothesis("bisection stopped early and not normalised", "maps.sparsemax", "maps.entmax")
def bisection_stopped_early(op, it):
    a = it.get("alpha", 2.0) - 1
    z = np.where(it["where"], it["z"], -np.inf)
    top = np.max(z, axis=-1, keepdims=True)
    z = a * it["beta"] * (z - np.where(np.isfinite(top), top, 0.0))
    low, high = np.full_like(top, -1.0), np.zeros_like(top)
    for _ in range(STEPS):
        tau = (low + high) / 2
        over = np.sum(np.maximum(z - tau, 0.0) ** (1 / a), axis=-1, keepdims=True) >= 1
        low, high = np.where(over, tau, low), np.where(over, high, tau)
    return np.where(np.isfinite(top), np.maximum(z - low, 0.0) ** (1 / a), run(op, it))


@hypothesis("0 for the scores left out", "maps.top_k")
def nought_for_what_is_left_out(op, it):
    chosen = run(op, it) > 0
    return run(maps.softmax, {k: v for k, v in it.items() if k != "k"}
               | {"z": np.where(chosen, it["z"], 0.0)})


@hypothesis("k times the map of one", "maps.k_subsets", "sparse.k_subsets_weights")
def k_times_the_map_of_one(op, it):
    return it["k"] * run(op, it | {"k": 1})
