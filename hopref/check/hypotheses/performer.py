"""Bugs of random features and of the Performer: stabilisers, constants, heights."""
import math

import numpy as np

from hopref.check.hypotheses import hypothesis, run
from hopref.maps import default_scale
from hopref.models import attention

__all__ = []


def stabilised(x, omega, beta, eps, over):
    """Positive features as published code has them: the maximum is taken of omega x alone."""
    x = math.sqrt(beta) * x
    u = x @ omega.T
    top = np.max(u, axis=over, keepdims=True)
    half = np.sum(x * x, axis=-1, keepdims=True) / 2
    return (np.exp(u - half - top) + eps) / math.sqrt(len(omega))


def favor(op, it, eps, denominator=0.0):
    if it.get("features", "positive") != "positive":
        return None
    retrieval = "xi" in it
    beta = it["beta"] if retrieval else default_scale(it["scale"], it["K"])
    queries, keys = (it["xi"][..., None, :], it["X"]) if retrieval else (it["Q"], it["K"])
    q = stabilised(queries, it["omega"], beta, eps, -1)
    k = stabilised(keys, it["omega"], beta, eps, (-1, -2))
    if op.name == "performer.causal_attention":
        return None if "S" in it and np.ndim(it["S"]) else \
            attention.causal_linear_attention.formula(q, k, it["V"], z=denominator)[0]
    if retrieval:
        return attention.linear_attention.formula(q, k, it["X"])[..., 0, :]
    return attention.linear_attention.formula(q, k, it["V"], mask=it["mask"])


@hypothesis("FAVOR+ eps 1e-4", "performer.attention", "performer.update")
def favor_with_1e4(op, it):
    return favor(op, it, 1e-4)


@hypothesis("FAVOR+ eps 1e-6", "performer.attention", "performer.update")
def favor_with_1e6(op, it):
    return favor(op, it, 1e-6)


@hypothesis("future-dependent stabiliser, eps 1e-4", "performer.causal_attention")
def future_dependent_stabiliser(op, it):
    return favor(op, it, 1e-4)


@hypothesis("future-dependent stabiliser, eps 1e-6", "performer.causal_attention")
def future_dependent_small_stabiliser(op, it):
    return favor(op, it, 1e-6)


@hypothesis("future-dependent stabiliser, eps 1e-4, and 1e-6 on the key sums",
            "performer.causal_attention")
def future_dependent_stabiliser_and_key_sums(op, it):
    return favor(op, it, 1e-4, 1e-6)


@hypothesis("stabiliser per key", "performer.attention", "performer.update")
def stabiliser_per_key(op, it):
    if it["features"] != "positive":
        return None
    retrieval = "xi" in it
    beta = it["beta"] if retrieval else default_scale(it["scale"], it["K"])
    queries, keys = (it["xi"][..., None, :], it["X"]) if retrieval else (it["Q"], it["K"])
    q, k = (stabilised(x, it["omega"], beta, 0.0, -1) for x in (queries, keys))
    V = it["X"] if retrieval else it["V"]
    Z = attention.linear_attention.formula(q, k, V)
    return Z[..., 0, :] if retrieval else Z


@hypothesis("1/sqrt(m) missing", "features.positive", "features.hyperbolic",
            "features.trigonometric", "features.relu", "features.gerf", "features.derf")
def feature_count_missing(op, it):
    return run(op, it) * math.sqrt(len(it["omega"]))


@hypothesis("|x|^2/2 with the wrong sign", "features.positive", "features.trigonometric")
def height_with_the_wrong_sign(op, it):
    sign = 1 if op.name == "features.positive" else -1
    return run(op, it) * np.exp(sign * it["beta"] * np.sum(it["x"] ** 2, axis=-1, keepdims=True))


@hypothesis("factor (1 - 4A)^(d/4) missing", "features.gerf", "features.derf")
def determinant_missing(op, it):
    a = it["a"] if "a" in it else np.full(it["x"].shape[-1], it["A"])
    return run(op, it) / np.prod(1 - 4 * a) ** 0.25


@hypothesis("height of the Gaussian kernel", "features.gerf")
def height_of_the_gaussian_kernel(op, it):
    return run(op, it) * np.exp(-it["beta"] * np.sum(it["x"] ** 2, axis=-1, keepdims=True) / 2)
