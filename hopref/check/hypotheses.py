"""Wrong on purpose: what an op answers if it has a bug that has a name.

A hypothesis is given the arguments by name (real arrays in long double) and the op, and returns the
answer of the buggy implementation; it returns None where the bug would not show.  The same functions
serve the tests as candidates to condemn.
"""
import math

import numpy as np

from hopref import maps
from hopref.models import attention, classical, graded, modern
from hopref.storage import hebbian_field

__all__ = ["HYPOTHESES", "hypothesis", "hypotheses_of", "answer"]

HYPOTHESES = {}     # name -> (ops, function)

SCORED = ("modern.update", "modern.weights", "modern.thresholded_update", "modern.energy",
          "modern.jacobian", "graded.update", "performer.update", "performer.weights", "maps.softmax",
          "maps.logsumexp", "features.positive", "features.hyperbolic", "features.trigonometric")
ATTENTION = ("attention.softmax_attention", "attention.softmax_weights")
PERFORMERS = ("performer.attention", "performer.causal_attention")
SIGNS = ("classical.update", "classical.low_rank_update")
SWEEPS = ("classical.asynchronous_update", "classical.low_rank_asynchronous_update")


def hypothesis(name, *ops):
    """Declare the bug of this name, of these ops."""
    def declare(function):
        HYPOTHESES[name] = (ops, function)
        return function
    return declare


def hypotheses_of(op):
    """{name: function} of the bugs that this op is known to have."""
    return {name: f for name, (ops, f) in HYPOTHESES.items() if op in ops}


def answer(name, op, args, kwargs):
    """What the buggy implementation answers to this call."""
    bound = op.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return HYPOTHESES[name][1](op, dict(bound.arguments))


def run(op, it):
    """The op's formula on arguments by name."""
    bound = op.signature.bind_partial()
    bound.arguments.update(it)
    return op.formula(*bound.args, **bound.kwargs)


def transposed(x):
    return np.swapaxes(x, -1, -2)


def scale_of(it):
    return maps.default_scale(it["scale"], it["K"])


@hypothesis("beta applied twice", *SCORED)
def beta_applied_twice(op, it):
    return run(op, it | {"beta": it["beta"] ** 2})


@hypothesis("beta ignored", *SCORED, "graded.energy")
def beta_ignored(op, it):
    return run(op, it | {"beta": 1.0})


@hypothesis("beta outside the softmax", "modern.update", "modern.weights", "maps.softmax")
def beta_outside(op, it):
    return it["beta"] * run(op, it | {"beta": 1.0})


@hypothesis("softmax not normalised", "modern.update", "modern.weights")
def softmax_not_normalised(op, it):
    z = it["beta"] * (it["xi"] @ it["X"].T)
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e if op.name == "modern.weights" else e @ it["X"]


@hypothesis("scale applied twice", *ATTENTION, *PERFORMERS)
def scale_applied_twice(op, it):
    return run(op, it | {"scale": scale_of(it) ** 2})


@hypothesis("scale missing", *ATTENTION, *PERFORMERS)
def scale_missing(op, it):
    return run(op, it | {"scale": 1.0})


@hypothesis("scale argument ignored", *ATTENTION, *PERFORMERS)
def scale_ignored(op, it):
    return run(op, it | {"scale": None})


@hypothesis("scale 1/d in place of 1/sqrt(d)", *ATTENTION, *PERFORMERS)
def scale_over_d(op, it):
    return run(op, it | {"scale": 1 / it["K"].shape[-1]})


@hypothesis("mask applied after the softmax", *ATTENTION)
def mask_after_softmax(op, it):
    seen = maps.visible(it["Q"], it["K"], it["mask"], it["causal"], named(op, "align", it))
    A = attention.softmax_weights.formula(it["Q"], it["K"], scale=it["scale"], bias=it["bias"])
    A = np.where(seen, A, 0.0)
    return A @ it["V"] if "V" in it else A


@hypothesis("mask inverted", *ATTENTION)
def mask_inverted(op, it):
    return None if it["mask"] is True else run(op, it | {"mask": ~it["mask"]})


@hypothesis("mask ignored", *ATTENTION, "performer.attention", "attention.linear_attention")
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


@hypothesis("fully masked rows answer NaN", *ATTENTION)
def masked_rows_answer_nan(op, it):
    return run(op, it | {"empty_row": "nan"})


@hypothesis("energy without 1/beta", "modern.energy")
def energy_without_one_over_beta(op, it):
    return energy_of(it, lse=it["beta"])


@hypothesis("energy without log N", "modern.energy")
def energy_without_log_n(op, it):
    return energy_of(it, count=0.0)


@hypothesis("energy without M^2/2", "modern.energy")
def energy_without_longest(op, it):
    return energy_of(it, longest=0.0)


@hypothesis("energy without the half", "modern.energy")
def energy_without_the_half(op, it):
    return energy_of(it, own=2.0)


def energy_of(it, lse=1.0, own=1.0, count=1.0, longest=1.0):
    """The modern energy with its terms weighed."""
    xi, X, beta = it["xi"], it["X"], it["beta"]
    lse = -lse * maps.logsumexp.formula(xi @ X.T, beta=beta)
    half = longest * np.max(np.sum(X * X, axis=-1)) / 2 + count * math.log(len(X)) / beta
    return lse + own * np.sum(xi * xi, axis=-1) / 2 + half


@hypothesis("energy without the half of the quadratic term", "classical.energy", "graded.energy")
def quadratic_energy_without_the_half(op, it):
    return run(op, it) - np.sum((it["xi"] @ it["W"].T) * it["xi"], axis=-1) / 2


@hypothesis("threshold with the wrong sign", "classical.energy", "classical.field",
            "graded.update", "graded.energy", *SIGNS, *SWEEPS)
def threshold_with_the_wrong_sign(op, it):
    return run(op, it | {"b": -1.0 * it["b"]})


@hypothesis("sign(0) = 0", *SIGNS)
def sign_of_nought(op, it):
    h = run(op, it | {"ties": "plus"})
    field = field_of(op, it)
    return np.where(field == 0, 0.0, h)


@hypothesis("sign(0) = -1", *SIGNS)
def sign_of_nought_is_low(op, it):
    low = -1.0 if it["states"] == "polar" else 0.0
    return np.where(field_of(op, it) > 0, 1.0, low)


@hypothesis("the other tie rule", *SIGNS, *SWEEPS, "classical.greedy_update")
def the_other_tie_rule(op, it):
    return run(op, it | {"ties": {"keep": "plus", "plus": "keep"}[it["ties"]]})


def field_of(op, it):
    if "W" in it:
        return classical.field.formula(it["xi"], it["W"], it["b"])
    return hebbian_field(it["xi"], it["X"], it["scale"], it["zero_diagonal"]) - it["b"]


@hypothesis("last neuron never updated", *SIGNS, *SWEEPS, "graded.update")
def last_neuron_never_updated(op, it):
    new = np.array(run(op, it))
    new[..., -1] = it["xi"][..., -1]
    return new


@hypothesis("asynchronous sweep done synchronously", *SWEEPS)
def sweep_done_synchronously(op, it):
    once = {k: v for k, v in it.items() if k != "order"}
    rule = classical.update if "W" in it else classical.low_rank_update
    visited = np.isin(np.arange(it["xi"].shape[-1]), it["order"])
    return np.where(visited, run(rule, once), it["xi"])


@hypothesis("diagonal not as asked", "storage.hebbian", "classical.low_rank_update",
            "classical.low_rank_energy", "classical.low_rank_asynchronous_update")
def diagonal_not_as_asked(op, it):
    return run(op, it | {"zero_diagonal": not it["zero_diagonal"]})


@hypothesis("gain beta missing inside the activation", "graded.flow")
def gain_missing(op, it):
    return run(op, it | {"beta": 1.0})


def stabilised(x, omega, beta, eps, over):
    """Positive features as published code has them: the maximum is taken of omega x alone."""
    x = math.sqrt(beta) * x
    u = x @ omega.T
    top = np.max(u, axis=over, keepdims=True)
    return (np.exp(u - np.sum(x * x, axis=-1, keepdims=True) / 2 - top) + eps) / math.sqrt(len(omega))


def favor(op, it, eps, denominator=0.0):
    if it.get("features", "positive") != "positive":
        return None
    retrieval = "xi" in it
    beta = it["beta"] if retrieval else scale_of(it)
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
    beta = it["beta"] if retrieval else scale_of(it)
    queries, keys = (it["xi"][..., None, :], it["X"]) if retrieval else (it["Q"], it["K"])
    q, k = (stabilised(x, it["omega"], beta, 0.0, -1) for x in (queries, keys))
    V = it["X"] if retrieval else it["V"]
    Z = attention.linear_attention.formula(q, k, V)
    return Z[..., 0, :] if retrieval else Z


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


@hypothesis("threshold on the wrong side", "modern.thresholded_update", "graded.thresholded_update",
            "performer.thresholded_update")
def threshold_on_the_wrong_side(op, it):
    return run(op, it | {"side": {"above": "below", "below": "above"}[it["side"]]})


@hypothesis("thresholded patterns in the outer product too", "modern.thresholded_update")
def thresholded_twice(op, it):
    side = named(op, "side", it)
    xi, X = side(it["xi"], it["theta"]), side(it["X"], it["theta"])
    return modern.update.formula(xi, X, beta=it["beta"])


@hypothesis("activation without its gain", "graded.energy")
def integral_without_gain(op, it):
    return graded.energy.formula(it["xi"], it["W"], it["b"], activation=it["activation"])


@hypothesis("1/sqrt(m) missing", "features.positive", "features.hyperbolic",
            "features.trigonometric", "features.relu")
def feature_count_missing(op, it):
    return run(op, it) * math.sqrt(len(it["omega"]))


@hypothesis("|x|^2/2 with the wrong sign", "features.positive", "features.trigonometric")
def height_with_the_wrong_sign(op, it):
    sign = 1 if op.name == "features.positive" else -1
    return run(op, it) * np.exp(sign * it["beta"] * np.sum(it["x"] ** 2, axis=-1, keepdims=True))


def named(op, k, it):
    """What the option named in ``it[k]`` stands for."""
    return op.domains[k].resolve(it[k])
