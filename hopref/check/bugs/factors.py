"""Bugs of every operation with an inverse temperature, a scale, an energy or a count.

Most are families: a factor or a constant is wrong, and its size is estimated.
"""
import math

import numpy as np

from hopref.check.bugs import estimated, run, wrong_argument, wrong_call
from hopref.dispatch.domains import Scalar
from hopref.dispatch.operation import load
from hopref.maps import default_scale

__all__ = ["single_precision"]

RETRIEVAL = ("sparse.update", "sparse.weights", "sparse.normmax_update", "sparse.k_subsets_update",
             "performer.update", "structured.top_k_update")
ENERGIES = ("modern.energy", "sparse.energy", "classical.energy", "graded.energy", "dense.energy",
            "structured.energy", "lagrangian.energy")
SQUARED = ("sparse.energy", "sparse.normmax_energy", "structured.energy")
STABLE = ("modern.update", "attention.softmax_attention")
OF_K = ("maps.k_subsets", "maps.top_k", "maps.k_subsets_conjugate", "sparse.k_subsets_update",
        "sparse.k_subsets_weights", "sparse.k_subsets_energy", "structured.top_k_update",
        "structured.top_k_weights", "structured.top_k_energy")
COUNTED = (*OF_K, *(f"gradients.{name}" for name in OF_K), "maps.k_subsets_loss",
           "supports.largest", "classical.winners_update")


def having(*names):
    """The operations of arrays with a number of one of these names, and no gradient."""
    return [op.name for op in load().values() if op.arrays
            and any(isinstance(op.domains.get(k), Scalar) for k in names)]


def real_outputs():
    """The operations of which a result is no sign, count or set."""
    fixed = ("supports.", "classical.update", "dense.update", "storage.willshaw")
    return [op.name for op in load().values() if op.arrays and not op.name.startswith(fixed)]


# -- any factor and constant ----------------------------------------------------------------------

@estimated("beta is multiplied by {}", *having("beta"), neutral=1.0)
def beta_multiplied(op, given, number):
    beta = given["beta"]        # None: a default of the operation, which a factor does not reach
    return None if beta is None else run(op, given | {"beta": beta * number})


@estimated("scale is multiplied by {}", *having("scale"), neutral=1.0)
def scale_multiplied(op, given, number):
    scale = default_scale(given["scale"], given["K"]) if "K" in given else given["scale"]
    return run(op, given | {"scale": scale * number})


@estimated("the result is multiplied by {}", *real_outputs(), neutral=1.0)
def result_multiplied(op, given, number):
    answer = run(op, given)
    return tuple(number * y for y in answer) if isinstance(answer, tuple) else number * answer


@estimated("the mean of all values is mixed in at {}", *STABLE)
def mean_mixed_in(op, given, number):
    """Weights (1 - c) p + c / N."""
    values = given["V"] if "V" in given else given["X"]
    y, mean = run(op, given), np.mean(values, axis=-2, keepdims="V" in given)
    return y + number * (mean - y)


@estimated("{} is added to the energy", *ENERGIES)
def constant_added(op, given, number):
    return run(op, given) + number


# -- energies -------------------------------------------------------------------------------------

@wrong_call("energy with the wrong sign", *ENERGIES)
def energy_with_the_wrong_sign(op, given):
    return -run(op, given)


@wrong_call("energy without M^2/2", *SQUARED)
def longest_left_out(op, given):
    squares = np.sum(given["X"] * given["X"], axis=-1)
    support = given.get("support", True)
    if support is not True:
        squares = np.where(support, squares, 0.0)
    return run(op, given) - np.max(squares, axis=-1) / 2


@wrong_call("log N with the wrong sign", "structured.energy")
def log_count_with_the_wrong_sign(op, given):
    support = np.broadcast_to(given["support"], (*given["xi"].shape[:-1], len(given["X"])))
    return run(op, given) - 2 * np.log(np.sum(support, axis=-1)) / given["beta"]


# -- scales ---------------------------------------------------------------------------------------

@wrong_call("1/sqrt(d) of attention on top of beta", *RETRIEVAL)
def divided_by_root_d(op, given):
    return run(op, given | {"beta": given["beta"] / math.sqrt(given["X"].shape[-1])})


@wrong_call("1/sqrt(d) on top of the scale", "attention.softmax_attention",
            "performer.attention")
def scaled_by_root_d_too(op, given):
    scale = default_scale(given["scale"], given["K"])
    return run(op, given | {"scale": scale / math.sqrt(max(1, given["K"].shape[-1]))})


def to_length_one(x):
    size = np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    return x / np.where(size > 0, size, 1)


@wrong_call("cosines in place of scores", "modern.update", "modern.weights", "modern.energy",
            "attention.softmax_attention")
def cosines(op, given):
    """The vectors that are compared are scaled to length 1; values are not."""
    if "Q" in given:
        return run(op, given | {k: to_length_one(given[k]) for k in ("Q", "K")})
    p = run(load()["modern.weights"], given | {k: to_length_one(given[k]) for k in ("xi", "X")})
    if op.name == "modern.weights":
        return p
    if op.name == "modern.update":
        return p @ given["X"]
    return run(op, given | {k: to_length_one(given[k]) for k in ("xi", "X")})


# -- counts ---------------------------------------------------------------------------------------

def patterns(given):
    return given["W"].shape[0] if "W" in given else given["X" if "X" in given else "z"].shape[
        -2 if "X" in given else -1]


@wrong_call("k + 1 in place of k", *COUNTED)
def one_more(op, given):
    return run(op, given | {"k": min(given["k"] + 1, patterns(given))})


@wrong_call("k - 1 in place of k", *COUNTED)
def one_less(op, given):
    return run(op, given | {"k": max(given["k"] - 1, 1)})


# -- arithmetic -----------------------------------------------------------------------------------

def single_precision(op, given):
    """The formula in single precision, whose result is converted back."""
    def single(x):
        real = isinstance(x, np.ndarray) and x.dtype.kind == "f"
        return x.astype(np.float32) if real else x
    return run(op, {k: single(x) for k, x in given.items()})


REGISTERED = [
    wrong_argument("diagonal always dropped", "storage.hebbian", "storage.covariance",
                   "classical.low_rank_update", zero_diagonal=True),
]
