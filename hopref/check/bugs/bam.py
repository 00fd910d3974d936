"""Bugs of the bidirectional memory."""
from hopref.check.bugs import run, wrong_call

__all__ = []


@wrong_call("energy of pairs with a half", "bam.energy")
def pairs_with_a_half(op, given):
    return run(op, given) / 2


@wrong_call("energy with the wrong sign", "bam.energy")
def energy_with_the_wrong_sign(op, given):
    return -run(op, given)


@wrong_call("the old state in place of the cue", "bam.forward")
def old_state_for_the_cue(op, given):
    return run(op, given | {"x": given["y"]}) if given["x"].shape == given["y"].shape else None
