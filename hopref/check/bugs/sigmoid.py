"""Bugs of sigmoid attention and of its memory."""
import math

import numpy as np

from hopref import maps
from hopref.check.bugs import run, wrong_argument, wrong_call
from hopref.check.bugs.attention import scores_of, seen_by, valued
from hopref.models import attention, modern

__all__ = []

HEADS, MEMORY = ("sigmoid.attention", "sigmoid.attention_weights"), ("sigmoid.update",
                                                                     "sigmoid.energy")


def logits(op, given):
    """Scaled scores with the offset."""
    if op.name in HEADS:
        return scores_of(given) + given["offset"]
    return given["beta"] * (given["xi"] @ given["X"].T) + given["offset"]


@wrong_call("softmax in place of the sigmoid", *HEADS, "sigmoid.update")
def softmax_in_its_place(op, given):
    if op.name in HEADS:
        options = {k: given[k] for k in ("scale", "mask", "bias", "causal", "align")}
        A = attention.softmax_weights.formula(given["Q"], given["K"], **options)
        return valued(A, given)
    return modern.update.formula(given["xi"], given["X"], beta=given["beta"])


@wrong_call("weights normalised", *HEADS)
def weights_normalised(op, given):
    A = np.where(seen_by(op, given), maps.sigmoid(logits(op, given)), 0.0)
    total = np.sum(A, axis=-1, keepdims=True)
    return valued(A / np.where(total > 0, total, 1), given)


@wrong_call("hidden keys have the weight of a score of 0", *HEADS)
def hidden_scores_are_zero(op, given):
    return valued(maps.sigmoid(np.where(seen_by(op, given), logits(op, given), 0.0)), given)


@wrong_call("offset scaled like the scores", *HEADS, *MEMORY)
def offset_scaled(op, given):
    scale = maps.default_scale(given["scale"], given["K"]) if "K" in given else given["beta"]
    return run(op, given | {"offset": scale * given["offset"]})


@wrong_call("offset with the wrong sign", *HEADS, *MEMORY)
def offset_subtracted(op, given):
    return run(op, given | {"offset": -given["offset"]})


@wrong_call("offset of -log n of the keys that are given", *HEADS)
def offset_of_the_keys(op, given):
    return run(op, given | {"offset": -math.log(given["K"].shape[-2])})


@wrong_call("1/sqrt(d) on top of the scale", *HEADS)
def scaled_by_root_d_too(op, given):
    scale = maps.default_scale(given["scale"], given["K"])
    return run(op, given | {"scale": scale / math.sqrt(max(1, given["K"].shape[-1]))})


# -- the energy ------------------------------------------------------------------------------------

@wrong_call("energy of the softmax", "sigmoid.energy")
def energy_of_the_softmax(op, given):
    """-lse in the place of the sum of softplus."""
    own = np.sum(given["xi"] * given["xi"], axis=-1) / 2
    return own - maps.logsumexp.formula(logits(op, given)) / given["beta"]


@wrong_call("energy without 1/beta", "sigmoid.energy")
def energy_without_one_over_beta(op, given):
    own = np.sum(given["xi"] * given["xi"], axis=-1) / 2
    return own - np.sum(maps.softplus(logits(op, given)), axis=-1)


@wrong_call("energy without the half", "sigmoid.energy")
def energy_without_the_half(op, given):
    return run(op, given) + np.sum(given["xi"] * given["xi"], axis=-1) / 2


REGISTERED = [wrong_argument("offset ignored", *HEADS, *MEMORY, offset=0.0)]
