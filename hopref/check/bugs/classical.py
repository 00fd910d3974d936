"""Bugs of the classical network, binary and graded, and of its storage."""
import numpy as np

from hopref.check.bugs import run, wrong_call
from hopref.models import classical, graded
from hopref.storage import hebbian_field

__all__ = []

SIGNS = ("classical.update", "classical.low_rank_update")
SWEEPS = ("classical.asynchronous_update", "classical.low_rank_asynchronous_update")


@wrong_call("energy without the half of the quadratic term", "classical.energy", "graded.energy")
def quadratic_energy_without_the_half(op, given):
    return run(op, given) - np.sum((given["xi"] @ given["W"].T) * given["xi"], axis=-1) / 2


@wrong_call("threshold with the wrong sign", "classical.energy", "classical.field",
            "graded.update", "graded.energy", *SIGNS, *SWEEPS)
def threshold_with_the_wrong_sign(op, given):
    return run(op, given | {"b": -1.0 * given["b"]})


@wrong_call("sign(0) = 0", *SIGNS)
def sign_of_zero(op, given):
    h = run(op, given | {"ties": "plus"})
    field = field_of(op, given)
    return np.where(field == 0, 0.0, h)


@wrong_call("sign(0) = -1", *SIGNS)
def sign_of_zero_is_low(op, given):
    low = -1.0 if given["states"] == "polar" else 0.0
    return np.where(field_of(op, given) > 0, 1.0, low)


@wrong_call("the other tie rule", *SIGNS, *SWEEPS, "classical.greedy_update")
def the_other_tie_rule(op, given):
    return run(op, given | {"ties": {"keep": "plus", "plus": "keep"}[given["ties"]]})


def field_of(op, given):
    if "W" in given:
        return classical.field.formula(given["xi"], given["W"], given["b"])
    h = hebbian_field(given["xi"], given["X"], given["scale"], given["zero_diagonal"])
    return h - given["b"]


@wrong_call("last neuron never updated", *SIGNS, *SWEEPS, "graded.update")
def last_neuron_never_updated(op, given):
    new = np.array(run(op, given))
    new[..., -1] = given["xi"][..., -1]
    return new


@wrong_call("asynchronous sweep done synchronously", *SWEEPS)
def sweep_done_synchronously(op, given):
    once = {k: v for k, v in given.items() if k != "order"}
    rule = classical.update if "W" in given else classical.low_rank_update
    visited = np.isin(np.arange(given["xi"].shape[-1]), given["order"])
    return np.where(visited, run(rule, once), given["xi"])


@wrong_call("order ignored", *SWEEPS)
def order_ignored(op, given):
    return run(op, given | {"order": np.arange(given["xi"].shape[-1])})


@wrong_call("diagonal not as asked", "storage.hebbian", "classical.low_rank_update",
            "classical.low_rank_energy", "classical.low_rank_asynchronous_update")
def diagonal_not_as_asked(op, given):
    return run(op, given | {"zero_diagonal": not given["zero_diagonal"]})


@wrong_call("gain beta missing inside the activation", "graded.flow")
def gain_missing(op, given):
    return run(op, given | {"beta": 1.0})


@wrong_call("activation without its gain", "graded.energy")
def integral_without_gain(op, given):
    return graded.energy.formula(given["xi"], given["W"], given["b"],
                                 activation=given["activation"])


@wrong_call("only one of the two states", "classical.two_step_energy", "graded.two_step_energy")
def only_one_of_the_two_states(op, given):
    return run(op, given | {"previous": given["xi"]})


@wrong_call("patterns normalised on the way", "storage.hebbian")
def patterns_normalised(op, given):
    return run(op, given) / len(given["X"])


@wrong_call("time constant ignored", "graded.flow")
def time_constant_ignored(op, given):
    return run(op, given | {"tau": 1.0})
