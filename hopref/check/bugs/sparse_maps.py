"""Bugs of sparse separation maps: approximate thresholds of published code, and wrong options."""
import numpy as np

from hopref import maps
from hopref.check.bugs import bug, run, wrong_argument, wrong_call

__all__ = []

STEPS, LAST = 20, 200       # of a bisection: the threshold to 1e-6, and to the last bit
MASKED = ("maps.sparsemax", "maps.entmax", "maps.normmax", "maps.k_subsets", "maps.top_k")


def bisected(z, power, steps):
    """Entries ``(z - tau)_+`` at the threshold at which the sum of their powers is 1."""
    low, high = -np.ones((*z.shape[:-1], 1)), np.zeros((*z.shape[:-1], 1))
    for _ in range(steps):
        tau = (low + high) / 2
        over = np.sum(np.maximum(z - tau, 0.0) ** power, axis=-1, keepdims=True) >= 1
        low, high = np.where(over, tau, low), np.where(over, high, tau)
    return np.maximum(z - low, 0.0)


def below_the_largest(given):
    """Scores minus the largest, -inf where hidden, and whether a row has a visible entry."""
    z = np.where(given["where"], given["z"], -np.inf)
    top = np.max(z, axis=-1, keepdims=True, initial=-np.inf)
    return z - np.where(np.isfinite(top), top, 0.0), np.isfinite(top)


@wrong_call("a sparse mode that runs softmax", "maps.sparsemax", "maps.entmax")
def softmax_in_place_of_it(op, given):
    return run(maps.softmax, {k: v for k, v in given.items() if k != "alpha"})


@wrong_call("uniform weights at alpha = 1", "maps.entmax")
def uniform_at_one(op, given):
    return np.full_like(given["z"], 1 / given["z"].shape[-1]) if given["alpha"] == 1 else None


@wrong_call("hidden entries zeroed after the map", *MASKED)
def hidden_afterwards(op, given):
    return run(op, given | {"where": True}) * given["where"]


@wrong_call("map over the first axis", "maps.sparsemax", "maps.entmax", "maps.normmax")
def map_over_columns(op, given):
    if np.ndim(given["z"]) < 2 or np.ndim(given["where"]):
        return None
    return np.swapaxes(run(op, given | {"z": np.swapaxes(given["z"], 0, -1)}), 0, -1)


@wrong_call("bisection stopped early and not normalised", "maps.sparsemax", "maps.entmax")
def bisection_stopped_early(op, given):
    a = given.get("alpha", 2.0) - 1
    if a == 0:
        return None
    z, some = below_the_largest(given)
    p = bisected(a * given["beta"] * z, 1 / a, STEPS) ** (1 / a)
    return np.where(some, p, run(op, given))


@wrong_call("threshold by bisection to the last bit, then normalised", "maps.entmax",
            benign="entries near the edge lose digits, no more than scores rounded once do")
def bisection_to_the_end(op, given):
    a = given["alpha"] - 1
    if a == 0:
        return None
    z, some = below_the_largest(given)
    p = bisected(a * given["beta"] * z, 1 / a, LAST) ** (1 / a)
    return np.where(some, p / np.sum(p, axis=-1, keepdims=True), run(op, given))


@wrong_call("threshold by bisection to the last bit, then normalised", "maps.normmax",
            benign="entries near the edge lose digits, no more than scores rounded once do")
def normmax_by_bisection(op, given):
    q = given["gamma"] / (given["gamma"] - 1)
    z, some = below_the_largest(given)
    p = bisected(given["beta"] * z, q, LAST) ** (q - 1)
    return np.where(some, p / np.sum(p, axis=-1, keepdims=True), run(op, given))


@wrong_call("scores in single precision before the largest is subtracted", "maps.entmax")
def in_single_precision(op, given):
    return run(op, given | {"z": given["z"].astype(np.float32).astype(given["z"].dtype)})


@bug("clipped scores divided by their sum", "maps.sparsemax")
def clipped_and_normalised(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    below, some = below_the_largest({"z": z, "where": where})
    t = np.maximum(1 + beta * below, 0.0)
    empty = 0.0 if empty_row == "zeros" else np.nan
    return np.where(some, t / np.sum(t, axis=-1, keepdims=True), empty)


@wrong_call("threshold from cumulative sums of cumulative sums", "maps.sparsemax", "sparse.update",
            "sparse.weights")
def sums_of_sums(op, given):
    if "xi" in given and given["alpha"] != 2:
        return None
    z = given["xi"] @ given["X"].T if "xi" in given else given["z"]
    t, some = below_the_largest({"z": z, "where": given.get("where", True)})
    s = np.sort(given["beta"] * t, axis=-1)[..., ::-1]
    sums, k = np.cumsum(np.cumsum(np.where(s > -np.inf, s, -1e300), -1), -1), 1.0 + np.arange(
        s.shape[-1])
    support = np.sum(1 + k * s > sums, axis=-1, keepdims=True)
    last = np.take_along_axis(sums, np.maximum(support - 1, 0), axis=-1)
    p = np.maximum(given["beta"] * t - (last - 1) / np.maximum(support, 1), 0.0)
    p = np.where(some, p, np.nan if given.get("empty_row") == "nan" else 0.0)
    return p @ given["X"] if op.name == "sparse.update" else p


@wrong_call("weights of norm 1, not of sum 1", "maps.normmax")
def of_norm_one(op, given):
    p = run(op, given)
    size = np.sqrt(np.sum(p * p, axis=-1, keepdims=True))
    return p / np.where(size > 0, size, 1)


@wrong_call("sparsemax in place of normmax", "maps.normmax")
def sparsemax_in_place_of_normmax(op, given):
    return run(maps.sparsemax, {k: v for k, v in given.items() if k != "gamma"})


@wrong_call("indicator of the k largest", "maps.k_subsets")
def indicator_of_the_largest(op, given):
    return np.where(np.isnan(run(op, given)), np.nan, 1.0 * (run(maps.top_k, given) > 0))


@wrong_call("k ignored", "maps.top_k")
def k_ignored(op, given):
    return run(op, given | {"k": given["z"].shape[-1]})


def softmax_of(given, **changes):
    return run(maps.softmax, {k: v for k, v in given.items() if k != "k"} | changes)


def kept(given):
    """The scores, and the mask of the k largest."""
    z = np.where(given["where"], given["z"], -np.inf)
    return z, maps.among_largest(z, given["k"])


@wrong_call("0 for the scores left out", "maps.top_k")
def zeros_for_what_is_left_out(op, given):
    z, chosen = kept(given)
    return softmax_of(given, z=np.where(chosen, z, 0.0))


@wrong_call("all scores that tie with the k-th", "maps.top_k")
def all_ties(op, given):
    z, _ = kept(given)
    return softmax_of(given, where=given["where"] & (z >= np.sort(z, axis=-1)[..., [-given["k"]]]))


@wrong_call("of equal scores the last", "maps.top_k")
def last_of_equals(op, given):
    where = given["where"] if given["where"] is True else given["where"][..., ::-1]
    return run(op, given | {"z": given["z"][..., ::-1], "where": where})[..., ::-1]


REGISTERED = [
    wrong_argument("beta ignored", *MASKED, "maps.entmax_threshold", beta=1.0),
]
