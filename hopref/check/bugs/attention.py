"""Bugs of attention: scales, masks, the causal diagonal, denominators and states."""
import numpy as np

from hopref import maps
from hopref.check.bugs import named, run, wrong_call
from hopref.models import attention

__all__ = []

ATTENTION = ("attention.softmax_attention", "attention.softmax_weights")
SCALED = (*ATTENTION, "performer.attention", "performer.causal_attention")


def seen_by(op, given):
    return maps.visible(given["Q"], given["K"], given["mask"], given["causal"],
                        named(op, "align", given))


def scale_of(given):
    return maps.default_scale(given["scale"], given["K"])


@wrong_call("scale applied twice", *SCALED)
def scale_applied_twice(op, given):
    return run(op, given | {"scale": scale_of(given) ** 2})


@wrong_call("scale missing", *SCALED)
def scale_missing(op, given):
    return run(op, given | {"scale": 1.0})


@wrong_call("scale argument ignored", *SCALED)
def scale_ignored(op, given):
    return run(op, given | {"scale": None})


@wrong_call("scale 1/d in place of 1/sqrt(d)", *SCALED)
def scale_over_d(op, given):
    return run(op, given | {"scale": 1 / given["K"].shape[-1]})


@wrong_call("mask applied after the softmax", *ATTENTION)
def mask_after_softmax(op, given):
    seen = seen_by(op, given)
    A = attention.softmax_weights.formula(given["Q"], given["K"], scale=given["scale"],
                                          bias=given["bias"])
    A = np.where(seen, A, 0.0)
    return A @ given["V"] if "V" in given else A


@wrong_call("mask inverted", *ATTENTION, "layers.associations", "layers.associate")
def mask_inverted(op, given):
    return None if given["mask"] is True else run(op, given | {"mask": ~given["mask"]})


@wrong_call("mask ignored", *ATTENTION, "layers.associations", "layers.associate",
            "performer.attention", "attention.linear_attention")
def mask_ignored(op, given):
    return run(op, given | {"mask": True})


@wrong_call("bias ignored", *ATTENTION)
def bias_ignored(op, given):
    return run(op, given | {"bias": 0.0})


@wrong_call("causal flag ignored", *ATTENTION)
def causal_ignored(op, given):
    return run(op, given | {"causal": False})


def shifted_past(given, op, by):
    if not given["causal"]:
        return None
    queries, keys = given["Q"].shape[-2], given["K"].shape[-2]
    past = np.tril(np.ones((queries, keys), bool), named(op, "align", given)(queries, keys) + by)
    return run(op, given | {"mask": past & given["mask"], "causal": False})


@wrong_call("causal mask off by one: the next key is seen", *ATTENTION)
def one_key_too_many(op, given):
    return shifted_past(given, op, 1)


@wrong_call("causal mask off by one: the own key is hidden", *ATTENTION)
def one_key_too_few(op, given):
    return shifted_past(given, op, -1)


@wrong_call("causal aligned to the start", *ATTENTION)
def aligned_to_the_start(op, given):
    return run(op, given | {"align": "start"})


@wrong_call("fully masked rows answer the mean", *ATTENTION)
def masked_rows_answer_the_mean(op, given):
    seen = seen_by(op, given)
    none = ~np.any(np.broadcast_to(seen, (*given["Q"].shape[:-1], given["K"].shape[-2])), axis=-1)
    right = run(op, given)
    mean = np.mean(given["V"], axis=-2, keepdims=True) if "V" in given else 1 / given["K"].shape[-2]
    return np.where(none[..., None], mean, right)


@wrong_call("fully masked rows answer NaN", *ATTENTION, "layers.associations", "layers.associate")
def masked_rows_answer_nan(op, given):
    return run(op, given | {"empty_row": "nan"})


@wrong_call("padding masks V only", "performer.attention", "attention.linear_attention")
def padding_masks_values_only(op, given):
    if given["mask"] is True:
        return None
    return run(op, given | {"mask": True, "V": np.where(given["mask"][..., None], given["V"], 0.0)})


@wrong_call("own position not seen", "attention.causal_linear_attention")
def own_position_not_seen(op, given):
    late = {k: np.concatenate([0 * given[k][..., :1, :], given[k][..., :-1, :]], axis=-2)
            for k in ("phi_k", "V")}
    return run(op, given | late)[0]


@wrong_call("keys and values out of step", "attention.softmax_attention",
            "attention.linear_attention", "performer.attention")
def keys_and_values_out_of_step(op, given):
    late = np.concatenate([given["V"][..., :1, :], given["V"][..., :-1, :]], axis=-2)
    return run(op, given | {"V": late})


@wrong_call("denominator eps 1e-4", "attention.linear_attention",
            "attention.causal_linear_attention")
def denominator_eps(op, given):
    return run(op, given | {"eps": given["eps"] + 1e-4})


@wrong_call("denominator missing", "attention.linear_attention")
def denominator_missing(op, given):
    S, _ = attention.key_state.formula(given["phi_k"], given["V"], mask=given["mask"], S=given["S"])
    return given["phi_q"] @ S


@wrong_call("state not handed on", "attention.causal_linear_attention",
            "attention.log_causal_linear_attention", "performer.causal_attention")
def state_not_handed_on(op, given):
    return run(op, given | {"S": 0.0, "z": 0.0} | ({"c": -np.inf} if "c" in given else {}))
