"""Bugs of attention: scales, masks, the causal diagonal, denominators and states."""
import numpy as np

from hopref import maps
from hopref.check.hypotheses import hypothesis, named, run
from hopref.models import attention

__all__ = []

ATTENTION = ("attention.softmax_attention", "attention.softmax_weights")
SCALED = (*ATTENTION, "performer.attention", "performer.causal_attention")


def scale_of(it):
    return maps.default_scale(it["scale"], it["K"])


@hypothesis("scale applied twice", *SCALED)
def scale_applied_twice(op, it):
    return run(op, it | {"scale": scale_of(it) ** 2})


@hypothesis("scale missing", *SCALED)
def scale_missing(op, it):
    return run(op, it | {"scale": 1.0})


@hypothesis("scale argument ignored", *SCALED)
def scale_ignored(op, it):
    return run(op, it | {"scale": None})


@hypothesis("scale 1/d in place of 1/sqrt(d)", *SCALED)
def scale_over_d(op, it):
    return run(op, it | {"scale": 1 / it["K"].shape[-1]})


@hypothesis("mask applied after the softmax", *ATTENTION)
def mask_after_softmax(op, it):
    seen = maps.visible(it["Q"], it["K"], it["mask"], it["causal"], named(op, "align", it))
    A = attention.softmax_weights.formula(it["Q"], it["K"], scale=it["scale"], bias=it["bias"])
    A = np.where(seen, A, 0.0)
    return A @ it["V"] if "V" in it else A


@hypothesis("mask inverted", *ATTENTION, "layers.associations", "layers.associate")
def mask_inverted(op, it):
    return None if it["mask"] is True else run(op, it | {"mask": ~it["mask"]})


@hypothesis("mask ignored", *ATTENTION, "layers.associations", "layers.associate",
            "performer.attention", "attention.linear_attention")
def mask_ignored(op, it):
    return run(op, it | {"mask": True})


@hypothesis("bias ignored", *ATTENTION)
def bias_ignored(op, it):
    return run(op, it | {"bias": 0.0})


@hypothesis("causal flag ignored", *ATTENTION)
def causal_ignored(op, it):
    return run(op, it | {"causal": False})


def shifted_past(it, op, by):
    if not it["causal"]:
        return None
    queries, keys = it["Q"].shape[-2], it["K"].shape[-2]
    past = np.tril(np.ones((queries, keys), bool), named(op, "align", it)(queries, keys) + by)
    return run(op, it | {"mask": past & it["mask"], "causal": False})


@hypothesis("causal mask off by one: the next key is seen", *ATTENTION)
def one_key_too_many(op, it):
    return shifted_past(it, op, 1)


@hypothesis("causal mask off by one: the own key is hidden", *ATTENTION)
def one_key_too_few(op, it):
    return shifted_past(it, op, -1)


@hypothesis("causal aligned to the start", *ATTENTION)
def aligned_to_the_start(op, it):
    return run(op, it | {"align": "start"})


@hypothesis("fully masked rows answer the mean", *ATTENTION)
def masked_rows_answer_the_mean(op, it):
    seen = maps.visible(it["Q"], it["K"], it["mask"], it["causal"], named(op, "align", it))
    none = ~np.any(np.broadcast_to(seen, (*it["Q"].shape[:-1], it["K"].shape[-2])), axis=-1)
    right = run(op, it)
    mean = np.mean(it["V"], axis=-2, keepdims=True) if "V" in it else 1 / it["K"].shape[-2]
    return np.where(none[..., None], mean, right)


@hypothesis("fully masked rows answer NaN", *ATTENTION, "layers.associations", "layers.associate")
def masked_rows_answer_nan(op, it):
    return run(op, it | {"empty_row": "nan"})


@hypothesis("padding masks V only", "performer.attention", "attention.linear_attention")
def padding_masks_values_only(op, it):
    if it["mask"] is True:
        return None
    return run(op, it | {"mask": True, "V": np.where(it["mask"][..., None], it["V"], 0.0)})


@hypothesis("own position not seen", "attention.causal_linear_attention")
def own_position_not_seen(op, it):
    late = {k: np.concatenate([0 * it[k][..., :1, :], it[k][..., :-1, :]], axis=-2)
            for k in ("phi_k", "V")}
    return run(op, it | late)[0]


@hypothesis("keys and values out of step", "attention.softmax_attention",
            "attention.linear_attention", "performer.attention")
def keys_and_values_out_of_step(op, it):
    late = np.concatenate([it["V"][..., :1, :], it["V"][..., :-1, :]], axis=-2)
    return run(op, it | {"V": late})


@hypothesis("denominator eps 1e-4", "attention.linear_attention",
            "attention.causal_linear_attention")
def denominator_eps(op, it):
    return run(op, it | {"eps": it["eps"] + 1e-4})


@hypothesis("denominator missing", "attention.linear_attention")
def denominator_missing(op, it):
    S, _ = attention.key_state.formula(it["phi_k"], it["V"], mask=it["mask"], S=it["S"])
    return it["phi_q"] @ S


@hypothesis("state not handed on", "attention.causal_linear_attention",
            "attention.log_causal_linear_attention", "performer.causal_attention")
def state_not_handed_on(op, it):
    return run(op, it | {"S": 0.0, "z": 0.0} | ({"c": -np.inf} if "c" in it else {}))
