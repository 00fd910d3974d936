"""Bugs of attention: scales, masks, the causal diagonal, denominators and states."""
from functools import partial

import numpy as np

from hopref import maps
from hopref.check.bugs import named, run, wrong_argument, wrong_call

__all__ = []

ATTENTION = ("attention.softmax_attention", "attention.softmax_weights")
SCALED = (*ATTENTION, "performer.attention", "performer.causal_attention",
          "performer.stabilized_attention")
CAUSAL = ("attention.causal_linear_attention", "attention.log_causal_linear_attention",
          "performer.causal_attention")


def seen_by(op, given):
    return maps.visible(given["Q"], given["K"], given["mask"], given["causal"],
                        named(op, "align", given))


def scale_of(given):
    return maps.default_scale(given["scale"], given["K"])


def transposed(x):
    return np.swapaxes(x, -1, -2)


def scores_of(given):
    return scale_of(given) * (given["Q"] @ transposed(given["K"])) + given["bias"]


def valued(A, given):
    """The attention matrix, or its product with the values where there are any."""
    return A @ given["V"] if "V" in given else A


# -- scales ---------------------------------------------------------------------------------------


@wrong_call("scale applied twice", *SCALED)
def scale_applied_twice(op, given):
    return run(op, given | {"scale": scale_of(given) ** 2})


@wrong_call("scale 1/d in place of 1/sqrt(d)", *SCALED)
def scale_over_d(op, given):
    return run(op, given | {"scale": 1 / given["K"].shape[-1]})


@wrong_call("bias scaled like the scores", *ATTENTION)
def bias_scaled(op, given):
    return run(op, given | {"bias": scale_of(given) * given["bias"]})


# -- masks ----------------------------------------------------------------------------------------

@wrong_call("mask applied after the softmax", *ATTENTION)
def mask_after_softmax(op, given):
    A = maps.softmax.formula(scores_of(given))
    return valued(np.where(seen_by(op, given), A, 0.0), given)


def filled(op, given, number):
    """Attention with this number in place of the scores of hidden keys."""
    return valued(maps.softmax.formula(np.where(seen_by(op, given), scores_of(given), number)),
                  given)


@wrong_call("mask inverted", *ATTENTION, "layers.associations", "layers.associate")
def mask_inverted(op, given):
    return None if given["mask"] is True else run(op, given | {"mask": ~given["mask"]})


def shifted_past(op, given, by):
    if not given["causal"]:
        return None
    queries, keys = given["Q"].shape[-2], given["K"].shape[-2]
    past = np.tril(np.ones((queries, keys), bool), named(op, "align", given)(queries, keys) + by)
    return run(op, given | {"mask": past & given["mask"], "causal": False})


@wrong_call("mask ignored where causal is set", *ATTENTION)
def mask_ignored_where_causal(op, given):
    return run(op, given | {"mask": True}) if given["causal"] else None


@wrong_call("fully masked rows answer the mean", *ATTENTION)
def masked_rows_answer_the_mean(op, given):
    seen = seen_by(op, given)
    none = ~np.any(np.broadcast_to(seen, (*given["Q"].shape[:-1], given["K"].shape[-2])), axis=-1)
    right = run(op, given)
    mean = np.mean(given["V"], axis=-2, keepdims=True) if "V" in given else 1 / given["K"].shape[-2]
    return np.where(none[..., None], mean, right)


@wrong_call("padding masks V only", "performer.attention", "attention.linear_attention",
            "performer.stabilized_attention", "performer.generalized_attention", CAUSAL[0],
            CAUSAL[2])
def padding_masks_values_only(op, given):
    if given["mask"] is True:
        return None
    return run(op, given | {"mask": True, "V": np.where(given["mask"][..., None], given["V"], 0.0)})


# -- sums and maxima -------------------------------------------------------------------------------

@wrong_call("weights not normalised", *ATTENTION)
def weights_not_normalised(op, given):
    z = np.where(seen_by(op, given), scores_of(given), -np.inf)
    return valued(np.exp(z - np.max(z, axis=-1, keepdims=True, initial=-1e300)), given)


@wrong_call("softmax over the queries", *ATTENTION)
def softmax_over_queries(op, given):
    z = np.where(seen_by(op, given), scores_of(given), -np.inf)
    return valued(transposed(maps.softmax.formula(transposed(z))), given)


@wrong_call("query added to the answer", "attention.softmax_attention")
def query_added(op, given):
    return run(op, given) + given["Q"][..., :1]


@wrong_call("one maximum subtracted from all heads", *ATTENTION)
def one_maximum(op, given):
    z = np.where(seen_by(op, given), scores_of(given), -np.inf)
    e = np.exp(z - np.max(z, initial=-1e300))
    seen = np.any(z > -np.inf, axis=-1, keepdims=True)
    A = np.where(seen, e / np.sum(e, axis=-1, keepdims=True), 0.0)
    return valued(A, given) if given["empty_row"] == "zeros" else None


@wrong_call("maximum taken before the bias is added", *ATTENTION)
def maximum_before_the_bias(op, given):
    if given["mask"] is not True or given["causal"]:
        return None
    z = scores_of(given | {"bias": 0.0})
    e = np.exp(z - np.max(z, axis=-1, keepdims=True) + given["bias"])
    return valued(e / np.sum(e, axis=-1, keepdims=True), given)


@wrong_call("keys and values out of step", "attention.softmax_attention",
            "attention.linear_attention", "performer.attention")
def keys_and_values_out_of_step(op, given):
    late = np.concatenate([given["V"][..., :1, :], given["V"][..., :-1, :]], axis=-2)
    return run(op, given | {"V": late})


# -- logarithms of the denominators ---------------------------------------------------------------

LSE = "attention.softmax_logsumexp"


def shown_scores(op, given):
    return np.where(seen_by(op, given), scores_of(given), -np.inf)


@wrong_call("hidden keys counted", LSE)
def hidden_keys_counted(op, given):
    return run(op, given | {"mask": True, "causal": False})


@wrong_call("logarithm to the base 2", LSE)
def base_two(op, given):
    return run(op, given) / np.log(np.longdouble(2))


@wrong_call("maximum not added again", LSE)
def maximum_not_added(op, given):
    z = shown_scores(op, given)
    return run(op, given) - np.max(z, axis=-1)


@wrong_call("mean in place of the sum", LSE)
def mean_of_exponentials(op, given):
    count = np.sum(shown_scores(op, given) > -np.inf, axis=-1)
    return run(op, given) - np.log(np.maximum(count, 1).astype(np.longdouble))


REGISTERED = [
    wrong_argument("scale missing", LSE, scale=1.0),
    wrong_argument("bias ignored", LSE, bias=0.0),
    wrong_argument("scale missing", *SCALED, scale=1.0),
    wrong_argument("scale argument ignored", *SCALED, scale=None),
    wrong_argument("bias ignored", *ATTENTION, bias=0.0),
    wrong_call("hidden scores set to -10", *ATTENTION)(partial(filled, number=-10.0)),
    wrong_call("hidden scores set to -1e4", *ATTENTION)(partial(filled, number=-1e4)),
    wrong_call("hidden scores set to -1e9", *ATTENTION)(partial(filled, number=-1e9)),
    wrong_call("hidden scores set to 0", *ATTENTION)(partial(filled, number=0.0)),
    wrong_argument("mask ignored", *ATTENTION, "layers.associations", "layers.associate",
                   "performer.attention", "attention.linear_attention", *CAUSAL, mask=True),
    wrong_argument("causal flag ignored", *ATTENTION, causal=False),
    wrong_call("causal mask off by one: the next key is seen",
               *ATTENTION)(partial(shifted_past, by=1)),
    wrong_call("causal mask off by one: the own key is hidden",
               *ATTENTION)(partial(shifted_past, by=-1)),
    wrong_argument("causal aligned to the start", *ATTENTION, align="start"),
    wrong_argument("fully masked rows answer NaN", *ATTENTION, "layers.associations",
                   "layers.associate", empty_row="nan"),
]
