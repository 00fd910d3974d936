"""Bugs of the classical network, binary and graded, and of its storage."""
import numpy as np

from hopref.check.hypotheses import hypothesis, run
from hopref.models import classical, graded
from hopref.storage import hebbian_field

__all__ = []

SIGNS = ("classical.update", "classical.low_rank_update")
SWEEPS = ("classical.asynchronous_update", "classical.low_rank_asynchronous_update")


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


@hypothesis("order ignored", *SWEEPS)
def order_ignored(op, it):
    return run(op, it | {"order": np.arange(it["xi"].shape[-1])})


@hypothesis("diagonal not as asked", "storage.hebbian", "classical.low_rank_update",
            "classical.low_rank_energy", "classical.low_rank_asynchronous_update")
def diagonal_not_as_asked(op, it):
    return run(op, it | {"zero_diagonal": not it["zero_diagonal"]})


@hypothesis("gain beta missing inside the activation", "graded.flow")
def gain_missing(op, it):
    return run(op, it | {"beta": 1.0})


@hypothesis("activation without its gain", "graded.energy")
def integral_without_gain(op, it):
    return graded.energy.formula(it["xi"], it["W"], it["b"], activation=it["activation"])


@hypothesis("only one of the two states", "classical.two_step_energy", "graded.two_step_energy")
def only_one_of_the_two_states(op, it):
    return run(op, it | {"previous": it["xi"]})


@hypothesis("patterns normalised on the way", "storage.hebbian")
def patterns_normalised(op, it):
    return run(op, it) / len(it["X"])


@hypothesis("time constant ignored", "graded.flow")
def time_constant_ignored(op, it):
    return run(op, it | {"tau": 1.0})
