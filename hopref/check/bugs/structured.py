"""Bugs of retrieval over a support: wrong masks of published code, and kernels."""
from functools import partial

import numpy as np

from hopref import maps
from hopref.check.bugs import bug, named, run, wrong_argument, wrong_call
from hopref.models import modern

__all__ = []

MASKED = ("structured.update", "structured.weights", "structured.pair_update")
BY_PAIRS = ("structured.weights", "structured.pair_update")
WITH_DELTA = (*BY_PAIRS, "structured.linear_update", "structured.random_feature_update")
WITH_K = ("structured.top_k_update", "structured.top_k_weights")
TOP_K = (*WITH_K, "structured.top_k_energy")
WITH_BETA = (*MASKED, *TOP_K, "structured.energy", "structured.window_update",
             "structured.listed_update", "structured.random_feature_update")


def scores(given):
    """Scores of states against the queries of patterns."""
    return given["xi"] @ (given["X"] + given.get("delta", 0.0)).T


def softmax(z, given, where=True):
    return maps.softmax.formula(z, beta=given["beta"], where=where)


def read_out(op, given, p):
    return p if op.name.endswith("weights") else p @ given["X"]


@wrong_call("of equal scores the last", "structured.top_k_update")
def last_of_equals(op, given):
    return run(op, given | {"X": given["X"][::-1]})


# -- a fixed support ------------------------------------------------------------------------------

@wrong_call("hidden scores filled with 0", *MASKED)
def filled_with_zeros(op, given):
    return read_out(op, given, softmax(np.where(given["support"], scores(given), 0), given))


@wrong_call("softmax over all, then cut to the support", *MASKED)
def cut_afterwards(op, given):
    return read_out(op, given, np.where(given["support"], softmax(scores(given), given), 0))


@wrong_call("weights dropped and rescaled as by dropout", "structured.update")
def dropped_and_rescaled(op, given):
    if given["support"] is True:
        return None
    share = np.mean(given["support"], axis=-1, keepdims=True)
    p = np.where(given["support"], softmax(scores(given), given), 0)
    return p / np.maximum(share, 1e-9) @ given["X"]


@wrong_call("support inverted", *MASKED)
def support_inverted(op, given):
    return None if given["support"] is True else run(op, given | {"support": ~given["support"]})


@wrong_call("scores replaced by their signs", *MASKED)
def signs_of_scores(op, given):
    return read_out(op, given, softmax(np.sign(scores(given)), given, given["support"]))


@wrong_call("1/sqrt(d) of attention on top of beta", *MASKED)
def divided_by_root_d(op, given):
    return run(op, given | {"beta": given["beta"] / np.sqrt(float(given["X"].shape[-1]))})


# -- energies -------------------------------------------------------------------------------------

@wrong_call("energy of all patterns", "structured.energy")
def energy_of_all(op, given):
    return modern.energy.formula(given["xi"], given["X"], beta=given["beta"])


def visible(given):
    """The support of every state, and which states see a pattern."""
    shape = (*given["xi"].shape[:-1], len(given["X"]))
    support = np.broadcast_to(given["support"], shape)
    return support, np.any(support, axis=-1)


def lengths(given):
    return np.sum(given["X"] ** 2, axis=-1)


@wrong_call("log N of all patterns", "structured.energy")
def energy_of_as_many(op, given):
    support, some = visible(given)
    many = np.where(some, np.sum(support, axis=-1), len(given["X"])).astype(given["X"].dtype)
    return run(op, given) + np.log(len(given["X"]) / many) / given["beta"]


@wrong_call("M^2 of all patterns", "structured.energy")
def energy_of_the_longest(op, given):
    support, some = visible(given)
    own = np.max(np.where(support, lengths(given), -np.inf), axis=-1, initial=-np.inf)
    longest = np.max(lengths(given))
    return run(op, given) + (longest - np.where(some, own, longest)) / 2


@wrong_call("|xi|^2 in place of |xi|^2/2", "structured.energy")
def energy_of_the_whole_square(op, given):
    return run(op, given) + np.sum(given["xi"] ** 2, axis=-1) / 2


# -- query-memory pairs ---------------------------------------------------------------------------

@wrong_call("delta subtracted", *BY_PAIRS)
def delta_subtracted(op, given):
    return run(op, given | {"delta": -given["delta"]})


@wrong_call("the queries x + delta are returned", "structured.pair_update",
            "structured.linear_update", "structured.random_feature_update")
def queries_returned(op, given):
    return run(op, given | {"X": given["X"] + given["delta"], "delta": 0.0})


@wrong_call("scores by the distance from the query", "structured.pair_update")
def scores_by_distance(op, given):
    if not given["renormalise"]:
        return None
    keys = given["X"] + given["delta"]
    z = scores(given) - np.sum(keys * keys, axis=-1) / 2
    return softmax(z, given, given["support"]) @ given["X"]


# -- the k best -----------------------------------------------------------------------------------

def among(op, given, by):
    """Retrieval among the patterns of the k largest ``by(z)``."""
    z = scores(given)
    return read_out(op, given, softmax(z, given, maps.among_largest(by(z), given["k"])))


@wrong_call("hidden scores filled with 0", *WITH_K)
def scattered_into_zeros(op, given):
    z = scores(given)
    z = np.where(maps.among_largest(z, given["k"]), z, 0)
    return read_out(op, given, softmax(z, given))


@wrong_call("k ignored", *TOP_K)
def k_ignored(op, given):
    return run(op, given | {"k": len(given["X"])})


@wrong_call("all scores that tie with the k-th", *WITH_K)
def all_ties(op, given):
    z = scores(given)
    return read_out(op, given, softmax(z, given, z >= np.sort(z, axis=-1)[..., [-given["k"]]]))


@wrong_call("energy without log k", "structured.top_k_energy")
def energy_without_log_k(op, given):
    return run(op, given) - np.log(float(given["k"])) / given["beta"]


@wrong_call("energy without M^2/2", "structured.top_k_energy")
def energy_without_longest(op, given):
    return run(op, given) - np.max(lengths(given)) / 2


@wrong_call("M of the pattern of largest score", "structured.top_k_energy")
def energy_of_the_nearest(op, given):
    nearest = lengths(given)[np.argmax(scores(given), axis=-1)]
    return run(op, given) + (nearest - np.max(lengths(given))) / 2


# -- kernels --------------------------------------------------------------------------------------

@bug("elu without the 1", "structured.linear_update")
def elu_without_the_one(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    if features != "elu":
        return None
    q, k = (np.where(x > 0, x, np.expm1(np.minimum(x, 0))) for x in (xi, X + delta))
    K = q @ k.T
    total = np.sum(K, axis=-1, keepdims=True)
    return K @ X / np.where(total == 0, 1, total)


@wrong_call("not divided by the sum of the kernels", "structured.linear_update")
def not_divided(op, given):
    phi = named(op, "features", given)
    return phi(given["xi"]) @ phi(given["X"] + given["delta"]).T @ given["X"]


@wrong_call("features of beta x", "structured.random_feature_update")
def features_without_the_root(op, given):
    return run(op, given | {"beta": given["beta"] ** 2})


REGISTERED = [
    wrong_argument("beta ignored", *WITH_BETA, beta=1.0),
    wrong_argument("support ignored", *MASKED, support=True),
    wrong_argument("delta ignored", *WITH_DELTA, delta=0.0),
    wrong_argument("renormalise=False ignored", *BY_PAIRS, renormalise=True),
    wrong_call("the k largest |scores|", *WITH_K)(partial(among, by=np.abs)),
    wrong_call("the k smallest scores", *WITH_K)(partial(among, by=np.negative)),
]
