"""Bugs of the softmax and of its potential."""
import numpy as np

from hopref import maps
from hopref.check.bugs import bug, estimated, run, wrong_call

__all__ = []


@bug("softmax of z without normalisation", "maps.softmax")
def softmax_not_normalised(z, /, *, beta=1.0, bias=0.0, where=True, empty_row="zeros"):
    s = np.where(where, beta * z + bias, -np.inf)
    return np.exp(s - np.max(s, axis=-1, keepdims=True, initial=-1e30))


@wrong_call("softmax over the first axis", "maps.softmax")
def softmax_over_columns(op, given):
    if np.ndim(given["z"]) < 2 or np.ndim(given["where"]) or np.ndim(given["bias"]):
        return None
    return np.swapaxes(run(op, given | {"z": np.swapaxes(given["z"], 0, -1)}), 0, -1)


@bug("exponentials without subtracting the maximum", "maps.softmax")
def softmax_naive(z, /, *, beta=1.0, bias=0.0, where=True, empty_row="zeros"):
    e = np.exp(np.where(where, beta * z.astype(float) + bias, -np.inf))
    total = np.sum(e, axis=-1, keepdims=True)
    return np.where(total == 0, 0.0 if empty_row == "zeros" else np.nan, e / total)


@wrong_call("hidden entries zeroed after the softmax", "maps.softmax")
def softmax_mask_after(op, given):
    return run(op, given | {"where": True}) * given["where"]


@wrong_call("threshold of beta z", "maps.entmax_threshold")
def threshold_without_its_factor(op, given):
    return run(op, given) / (given["alpha"] - 1)


@wrong_call("threshold of the lowest entry", "maps.entmax_threshold")
def lowest_entry_for_the_threshold(op, given):
    """The score of the lowest entry of the support, which the threshold is below."""
    z = np.where(given["where"], given["z"], -np.inf)
    p = run(maps.entmax, given)
    return (given["alpha"] - 1) * given["beta"] * np.min(np.where(p > 0, z, np.inf), axis=-1)


@wrong_call("log sum exp not divided by beta", "maps.logsumexp")
def lse_without_one_over_beta(op, given):
    return given["beta"] * run(op, given)


@estimated("{} is added to the sum before its logarithm", "maps.logsumexp")
def lse_eps(op, given, number):
    """After the maximum is subtracted."""
    z, beta = given["z"], given["beta"]
    top = np.max(z, axis=-1, keepdims=True)
    return top[..., 0] + np.log(np.sum(np.exp(beta * (z - top)), axis=-1) + number) / beta


@bug("maximum subtracted and not added again", "maps.logsumexp")
def lse_without_the_maximum(z, /, *, beta=1.0):
    return maps.logsumexp.formula(z - np.max(z, axis=-1, keepdims=True), beta=beta)
