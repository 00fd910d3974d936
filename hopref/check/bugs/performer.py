"""Bugs of random features and of the Performer: stabilisers, constants, heights."""
import math

import numpy as np

from hopref.check.bugs import run, wrong_call
from hopref.maps import default_scale
from hopref.models import attention

__all__ = []


def queries_and_keys(given):
    if "xi" in given:
        return given["xi"][..., None, :], given["X"]
    return given["Q"], given["K"]


def stabilised(x, omega, beta, eps, over):
    """Positive features as published code has them: the maximum is taken of omega x alone."""
    x = math.sqrt(beta) * x
    u = x @ omega.T
    top = np.max(u, axis=over, keepdims=True)
    half = np.sum(x * x, axis=-1, keepdims=True) / 2
    return (np.exp(u - half - top) + eps) / math.sqrt(len(omega))


def favor(op, given, eps, denominator=0.0):
    if given.get("features", "positive") != "positive":
        return None
    retrieval = "xi" in given
    beta = given["beta"] if retrieval else default_scale(given["scale"], given["K"])
    queries, keys = queries_and_keys(given)
    q = stabilised(queries, given["omega"], beta, eps, -1)
    k = stabilised(keys, given["omega"], beta, eps, (-1, -2))
    if op.name == "performer.causal_attention":
        return None if "S" in given and np.ndim(given["S"]) else \
            attention.causal_linear_attention.formula(q, k, given["V"], z=denominator)[0]
    if retrieval:
        return attention.linear_attention.formula(q, k, given["X"])[..., 0, :]
    return attention.linear_attention.formula(q, k, given["V"], mask=given["mask"])


@wrong_call("FAVOR+ eps 1e-4", "performer.attention", "performer.update")
def favor_with_1e4(op, given):
    return favor(op, given, 1e-4)


@wrong_call("FAVOR+ eps 1e-6", "performer.attention", "performer.update")
def favor_with_1e6(op, given):
    return favor(op, given, 1e-6)


@wrong_call("future-dependent stabiliser, eps 1e-4", "performer.causal_attention")
def future_dependent_stabiliser(op, given):
    return favor(op, given, 1e-4)


@wrong_call("future-dependent stabiliser, eps 1e-6", "performer.causal_attention")
def future_dependent_small_stabiliser(op, given):
    return favor(op, given, 1e-6)


@wrong_call("future-dependent stabiliser, eps 1e-4, and 1e-6 on the key sums",
            "performer.causal_attention")
def future_dependent_stabiliser_and_key_sums(op, given):
    return favor(op, given, 1e-4, 1e-6)


@wrong_call("stabiliser per key", "performer.attention", "performer.update")
def stabiliser_per_key(op, given):
    if given["features"] != "positive":
        return None
    retrieval = "xi" in given
    beta = given["beta"] if retrieval else default_scale(given["scale"], given["K"])
    queries, keys = queries_and_keys(given)
    q, k = (stabilised(x, given["omega"], beta, 0.0, -1) for x in (queries, keys))
    V = given["X"] if retrieval else given["V"]
    Z = attention.linear_attention.formula(q, k, V)
    return Z[..., 0, :] if retrieval else Z


@wrong_call("1/sqrt(m) missing", "features.positive", "features.hyperbolic",
            "features.trigonometric", "features.relu", "features.gerf", "features.derf")
def feature_count_missing(op, given):
    return run(op, given) * math.sqrt(len(given["omega"]))


@wrong_call("|x|^2/2 with the wrong sign", "features.positive", "features.trigonometric")
def height_with_the_wrong_sign(op, given):
    sign = 1 if op.name == "features.positive" else -1
    square = np.sum(given["x"] ** 2, axis=-1, keepdims=True)
    return run(op, given) * np.exp(sign * given["beta"] * square)


@wrong_call("factor (1 - 4A)^(d/4) missing", "features.gerf", "features.derf")
def determinant_missing(op, given):
    a = given["a"] if "a" in given else np.full(given["x"].shape[-1], given["A"])
    return run(op, given) / np.prod(1 - 4 * a) ** 0.25


@wrong_call("height of the Gaussian kernel", "features.gerf")
def height_of_the_gaussian_kernel(op, given):
    square = np.sum(given["x"] ** 2, axis=-1, keepdims=True)
    return run(op, given) * np.exp(-given["beta"] * square / 2)
