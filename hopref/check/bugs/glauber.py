"""Bugs of networks at a temperature."""
import numpy as np

from hopref.check.bugs import run, wrong_argument, wrong_call

__all__ = []

VISIT = "classical.glauber_update"


@wrong_call("half as steep", VISIT)
def half_as_steep(op, given):
    return run(op, given | {"beta": given["beta"] / 2})


@wrong_call("asynchronous sweep done synchronously", VISIT)
def warm_sweep_done_synchronously(op, given):
    new = np.array(given["xi"])
    for k, i in enumerate(given["order"]):
        once = {"order": given["order"][k:k + 1], "uniforms": given["uniforms"][..., k:k + 1]}
        new[..., i] = run(op, given | once)[..., i]
    return new


@wrong_call("one uniform number for all visits", VISIT)
def one_number_for_all_visits(op, given):
    same = np.repeat(given["uniforms"][..., :1], given["uniforms"].shape[-1], axis=-1)
    return run(op, given | {"uniforms": same})


REGISTERED = [
    wrong_argument("beta ignored", VISIT, beta=1.0),
]
