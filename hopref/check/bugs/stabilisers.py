"""Bugs of softmax weights: their scores, maxima and denominators, of networks and of attention.

A bug is written once, as a change of the weights from their visible scores, for every operation
that reads values out with such weights.
"""
import numpy as np

from hopref import maps
from hopref.check.bugs import estimated, named, run, wrong_call
from hopref.maps import default_scale

__all__ = []

ATTENTION = ("attention.softmax_attention", "attention.softmax_weights")
NETWORKS = ("modern.update", "modern.weights")
SUPPORTED = ("structured.update", "structured.weights")
SOFTMAX = (*NETWORKS, *ATTENTION, "maps.softmax")
MASKED = (*ATTENTION, *SUPPORTED, "maps.softmax", "layers.associations")


def parts_of(given):
    """The scores times beta, and their additive bias."""
    if "Q" in given:
        scale = default_scale(given["scale"], given["K"])
        return scale * (given["Q"] @ np.swapaxes(given["K"], -1, -2)), given["bias"]
    if "xi" in given:
        keys = given["X"] + given.get("delta", 0.0)
        return given["beta"] * (given["xi"] @ keys.T), 0.0
    return given["beta"] * given["z"], given["bias"]


def seen_by(op, given):
    """The mask of visible entries; True for all."""
    if "causal" in given:
        return maps.visible(given["Q"], given["K"], given["mask"], given["causal"],
                            named(op, "align", given))
    return given.get("support", given.get("where", True))


def read_out(given, p, op):
    """The weights, or their product with the values where the operation has any."""
    if "V" in given:
        return p @ given["V"]
    return p @ given["X"] if op.name in ("modern.update", "structured.update") else p


def scores_of(op, given):
    """Visible scores, -inf where hidden."""
    z, bias = parts_of(given)
    return np.where(seen_by(op, given), z + bias, -np.inf)


def divided(e, total, given):
    """Exponentials over their sum; the number for an empty row where the sum is 0."""
    empty = np.nan if given.get("empty_row") == "nan" else 0.0
    return np.where(total == 0, empty, e / np.where(total == 0, 1, total))


def largest(s):
    top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, 0.0)


# -- maxima ---------------------------------------------------------------------------------------

@wrong_call("exponentials without subtracting the maximum", *NETWORKS, *ATTENTION)
def maximum_not_subtracted(op, given):
    """In double precision at most, whose range the exponentials leave."""
    s = scores_of(op, given)
    e = np.exp(s.astype(np.float64) if s.dtype == np.longdouble else s)
    total = np.sum(e, axis=-1, keepdims=True)
    seen = np.any(s > -np.inf, axis=-1, keepdims=True)
    return read_out(given, np.where(seen, e / total, divided(e, 0 * total, given)), op)


def started(op, given, number):
    """Weights with the exponentials relative to a running maximum that begins at a number."""
    s = scores_of(op, given)
    s = s.astype(np.float64) if s.dtype == np.longdouble else s
    top = np.maximum(np.max(s, axis=-1, keepdims=True, initial=-np.inf), s.dtype.type(number))
    e = np.exp(s - top)
    return divided(e, np.sum(e, axis=-1, keepdims=True), given)


@wrong_call("running maximum started at 0", *NETWORKS, *ATTENTION, rounding=True)
def maximum_from_zero(op, given):
    return read_out(given, started(op, given, 0.0), op)


@wrong_call("running maximum started at -5e4", "modern.update", *ATTENTION, rounding=True)
def maximum_from_a_large_number(op, given):
    return read_out(given, started(op, given, -5e4), op)


# -- denominators ---------------------------------------------------------------------------------

@wrong_call("1 added to the sum of the exponentials (softmax_1)", *SOFTMAX)
def softmax_with_a_sink(op, given):
    s = scores_of(op, given)
    top = np.maximum(largest(s), 0)
    e = np.exp(s - top)
    return read_out(given, e / (np.sum(e, axis=-1, keepdims=True) + np.exp(-top)), op)


@estimated("{} is added to the denominator", *SOFTMAX)
def denominator_eps(op, given, number):
    """After the maximum is subtracted."""
    s = scores_of(op, given)
    e = np.exp(s - largest(s))
    total = np.sum(e, axis=-1, keepdims=True) + number
    return read_out(given, divided(e, total, given), op)


@estimated("{} is added to the weights", *NETWORKS, *ATTENTION)
def weight_eps(op, given, number):
    return read_out(given, divided_by_one(op, given) + number, op)


def divided_by_one(op, given):
    s = scores_of(op, given)
    e = np.exp(s - largest(s))
    return divided(e, np.sum(e, axis=-1, keepdims=True), given)


@wrong_call("normaliser cumulated over the heads", *ATTENTION)
def cumulated_over_heads(op, given):
    if np.ndim(given["Q"]) < 3:
        return None
    s = scores_of(op, given)
    e = np.exp(s - largest(s))
    total = np.cumsum(np.sum(e, axis=-1, keepdims=True), axis=-3)
    return read_out(given, divided(e, total, given), op)


# -- scores ---------------------------------------------------------------------------------------

def weighed(op, given, s):
    empty = given.get("empty_row", "zeros")
    return read_out(given, maps.softmax.formula(s, empty_row=np.nan if empty == "nan" else 0.0), op)


@estimated("scores are capped at {} by tanh", *NETWORKS, *ATTENTION, neutral=1.0)
def capped(op, given, number):
    """The cap precedes bias and mask."""
    z, bias = parts_of(given)
    s = np.where(seen_by(op, given), number * np.tanh(z / number) + bias, -np.inf)
    return weighed(op, given, s)


@estimated("scores are capped at {} by tanh after the bias is added", *ATTENTION, neutral=1.0)
def capped_after_the_bias(op, given, number):
    z, bias = parts_of(given)
    s = np.where(seen_by(op, given), number * np.tanh((z + bias) / number), -np.inf)
    return weighed(op, given, s)


@estimated("scores are capped at {} by tanh after the mask is applied", *ATTENTION, neutral=1.0)
def capped_after_the_mask(op, given, number):
    """Hidden keys then have the score -cap."""
    return weighed(op, given, number * np.tanh(scores_of(op, given) / number))


@estimated("hidden scores are set to {}", *ATTENTION, *SUPPORTED, "maps.softmax")
def hidden_set_to(op, given, number):
    z, bias = parts_of(given)
    seen = seen_by(op, given)
    return None if seen is True else weighed(op, given, np.where(seen, z + bias, number))


@wrong_call("mask added to the scores as 0 and 1", *MASKED)
def mask_as_numbers(op, given):
    k = next(k for k in ("mask", "support", "where") if k in given)
    if given[k] is True and not given.get("causal"):
        return None
    if op.name == "layers.associations":
        seen = given["mask"][..., None, :, :]
        return run(op, given | {"mask": True, "bias": given["bias"] + 1.0 * seen})
    z, bias = parts_of(given)
    return weighed(op, given, z + bias + 1.0 * seen_by(op, given))


# -- causality and the diagonal -------------------------------------------------------------------

def past(op, given, by=0):
    queries, keys = given["Q"].shape[-2], given["K"].shape[-2]
    return np.tril(np.ones((queries, keys), bool), named(op, "align", given)(queries, keys) + by)


@wrong_call("causal mask inverted: only later keys are seen", *ATTENTION)
def causal_mask_inverted(op, given):
    return run(op, given | {"mask": ~past(op, given) & given["mask"], "causal": False}) \
        if given["causal"] else None


@wrong_call("causal mask transposed: the own and later keys are seen", *ATTENTION)
def causal_mask_transposed(op, given):
    return run(op, given | {"mask": ~past(op, given, -1) & given["mask"], "causal": False}) \
        if given["causal"] else None


def own(given):
    """The pairs of a query and the key of the same number."""
    return np.eye(given["Q"].shape[-2], given["K"].shape[-2], dtype=bool)


@wrong_call("diagonal always kept, whatever the mask", *ATTENTION)
def diagonal_always_kept(op, given):
    seen = seen_by(op, given)
    return None if seen is True else run(op, given | {"mask": seen | own(given), "causal": False})


@wrong_call("diagonal always hidden", *ATTENTION)
def diagonal_always_hidden(op, given):
    return run(op, given | {"mask": seen_by(op, given) & ~own(given), "causal": False})
