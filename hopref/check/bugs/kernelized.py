"""Bugs of kernelised modern networks."""
import numpy as np

from hopref import maps
from hopref.check.bugs import run, wrong_argument, wrong_call

__all__ = []

UPDATE, ENERGY = "kernelized.update", "kernelized.energy"


@wrong_call("beta outside the softmax", UPDATE)
def beta_outside(op, given):
    return given["beta"] * run(op, given | {"beta": 1.0})


@wrong_call("map ignored", UPDATE, ENERGY)
def map_ignored(op, given):
    return run(op, given | {"W": np.eye(given["X"].shape[-1])})


@wrong_call("states alone mapped", UPDATE)
def states_alone_mapped(op, given):
    W = given["W"]
    if W.shape[0] != W.shape[1]:
        return None
    z = (given["xi"] @ W.T) @ given["X"].T
    return maps.softmax.formula(z, beta=given["beta"]) @ given["X"]


@wrong_call("mapped patterns read out", UPDATE)
def mapped_read_out(op, given):
    W = given["W"]
    return run(op, given) @ W.T if W.shape[0] == W.shape[1] else None


@wrong_call("energy without 1/beta", ENERGY)
def energy_without_one_over_beta(op, given):
    z = given["xi"] @ given["W"].T @ (given["X"] @ given["W"].T).T
    lse = maps.logsumexp.formula(z, beta=given["beta"])
    return run(op, given) + (1 - given["beta"]) * lse


REGISTERED = [wrong_argument("beta ignored", UPDATE, beta=1.0)]
