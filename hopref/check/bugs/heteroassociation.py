"""Bugs of modern networks that map keys to values."""
import numpy as np

from hopref.check.bugs import run, wrong_argument, wrong_call

__all__ = []

UPDATE, ENERGY, JOINT_UPDATE, JOINT_ENERGY = (
    f"heteroassociation.{name}" for name in ("update", "energy", "joint_update", "joint_energy"))


@wrong_call("beta applied twice", UPDATE, JOINT_UPDATE)
def beta_applied_twice(op, given):
    return run(op, given | {"beta": given["beta"] ** 2})


@wrong_call("keys and values exchanged", UPDATE)
def exchanged(op, given):
    return run(op, given | {"X": given["Y"], "Y": given["X"]})


@wrong_call("keys in place of values", UPDATE)
def keys_for_values(op, given):
    return run(op, given | {"Y": given["X"]})


@wrong_call("values in place of keys", UPDATE)
def values_for_keys(op, given):
    return run(op, given | {"X": given["Y"]})


@wrong_call("cue ignored", JOINT_UPDATE, JOINT_ENERGY)
def cue_ignored(op, given):
    return run(op, given | {"xi": 0 * given["xi"]})


@wrong_call("state of the values ignored", JOINT_UPDATE)
def state_ignored(op, given):
    return run(op, given | {"eta": 0 * given["eta"]})


@wrong_call("energy without 1/beta", ENERGY, JOINT_ENERGY)
def energy_without_one_over_beta(op, given):
    square = half_square(op, given)
    return square + given["beta"] * (run(op, given) - square)


def half_square(op, given):
    """The quadratic term of the energy."""
    if op.name == JOINT_ENERGY:
        return np.sum(given["eta"] ** 2, axis=-1) / 2
    away = given["xi"] - given["t"]
    return np.sum(away @ given["G"] * away, axis=-1) / 2


@wrong_call("quadratic term without its half", ENERGY, JOINT_ENERGY)
def without_the_half(op, given):
    return run(op, given) + half_square(op, given)


@wrong_call("square of the cue in the energy", JOINT_ENERGY)
def square_of_the_cue(op, given):
    return run(op, given) + np.sum(given["xi"] ** 2, axis=-1) / 2


@wrong_call("G ignored in the energy", ENERGY)
def metric_ignored(op, given):
    return run(op, given | {"G": np.eye(given["G"].shape[-1])})


REGISTERED = [
    wrong_argument("t ignored in the energy", ENERGY, t=0.0),
    wrong_argument("beta ignored", UPDATE, JOINT_UPDATE, beta=1.0),
]
