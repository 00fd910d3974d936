"""Bugs of the Energy Transformer."""
import numpy as np

from hopref import maps
from hopref.check.bugs import run, wrong_argument, wrong_call
from hopref.gradients.layers import layer_norm as layer_norm_gradient

__all__ = []

ENERGY, FLOW = "energy_transformer.energy", "energy_transformer.flow"


def scale_of(given):
    beta = given["beta"]
    return 1 / np.sqrt(given["W_k"].shape[-2]) if beta is None else beta


def tokens(given):
    x = given["x"] - np.mean(given["x"], axis=-1, keepdims=True)
    s = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + given["eps"])
    return given["gain"] * x / np.where(s > 0, s, 1)


def projected(given):
    """Queries, keys and their products, -inf where hidden."""
    y = tokens(given)[..., None, :, :]
    Q, K = (y @ np.swapaxes(given[k], -1, -2) for k in ("W_q", "W_k"))
    return Q, K, np.where(maps.for_heads(given["mask"]), Q @ np.swapaxes(K, -1, -2), -np.inf)


def attended(z, beta):
    lse = maps.logsumexp.formula(z, beta=beta)
    return -np.sum(np.where(lse > -np.inf, lse, 0.0), axis=(-2, -1))


@wrong_call("energy without 1/beta", ENERGY)
def without_one_over_beta(op, given):
    z, beta = projected(given)[2], scale_of(given)
    return run(op, given) + (beta - 1) * attended(z, beta)


@wrong_call("sum over the queries in place of the keys", ENERGY)
def over_the_queries(op, given):
    z, beta = projected(given)[2], scale_of(given)
    return run(op, given) - attended(z, beta) + attended(np.swapaxes(z, -1, -2), beta)


@wrong_call("memories without their half", ENERGY)
def memories_without_a_half(op, given):
    return run(op, given) - np.sum(np.maximum(tokens(given) @ given["X"].T, 0) ** 2,
                                   axis=(-2, -1)) / 2


@wrong_call("memories not rectified", ENERGY, FLOW)
def not_rectified(op, given):
    with_opposite = np.concatenate([given["X"], -given["X"]])
    return run(op, given | {"X": with_opposite})


@wrong_call("memories left out", FLOW)
def memories_left_out(op, given):
    return run(op, given | {"X": 0 * given["X"]})


@wrong_call("the term of the queries alone", FLOW)
def term_of_the_queries(op, given):
    Q, K, z = projected(given)
    A = maps.softmax.formula(z, beta=scale_of(given))
    keys = np.swapaxes(A, -1, -2) @ Q @ given["W_k"]
    return run(op, given) - np.sum(keys, axis=-3)


@wrong_call("beta in the velocity", FLOW)
def beta_in_the_velocity(op, given):
    memories = np.maximum(tokens(given) @ given["X"].T, 0) @ given["X"]
    return scale_of(given) * (run(op, given) - memories) + memories


@wrong_call("gradient in the tokens themselves", FLOW)
def gradient_in_the_tokens(op, given):
    return layer_norm_gradient.formula(run(op, given), given["x"], gain=given["gain"],
                                       eps=given["eps"])[0]


@wrong_call("later tokens hidden", ENERGY, FLOW)
def causal(op, given):
    Q, K, z = projected(given)
    beta, seen = scale_of(given), np.tri(z.shape[-1], dtype=bool)
    if op.name == ENERGY:
        hidden = np.where(seen, z, -np.inf)
        return run(op, given) - attended(z, beta) + attended(hidden, beta)
    change = [maps.softmax.formula(z, beta=beta, where=where) for where in (seen, True)]
    A = change[0] - change[1]
    more = (A @ K) @ given["W_q"] + (np.swapaxes(A, -1, -2) @ Q) @ given["W_k"]
    return run(op, given) + np.sum(more, axis=-3)


@wrong_call("mask of the queries in place of the keys", ENERGY, FLOW)
def transposed_mask(op, given):
    if given["mask"] is True:
        return None
    return run(op, given | {"mask": np.swapaxes(given["mask"], -1, -2)})


@wrong_call("hidden scores set to 0", ENERGY)
def hidden_scores_set_to_zero(op, given):
    z, beta = projected(given)[2], scale_of(given)
    return run(op, given) - attended(z, beta) + attended(np.where(z > -np.inf, z, 0.0), beta)


REGISTERED = [
    wrong_argument("mask ignored", ENERGY, FLOW, mask=True),
    wrong_argument("gain ignored", ENERGY, FLOW, gain=1.0),
    wrong_argument("eps ignored", ENERGY, FLOW, eps=0.0),
    wrong_argument("beta ignored", ENERGY, beta=None),
]
