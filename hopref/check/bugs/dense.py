"""Bugs of dense and of bidirectional memories, and of the learning rules beyond Hebb's."""
import numpy as np

from hopref.check.bugs import named, run, wrong_call
from hopref.models import dense

__all__ = []

@wrong_call("divided by the number of patterns", "dense.energy", "storage.bam",
            "storage.covariance")
def divided_by_the_number(op, given):
    return run(op, given) / len(given["X"])


@wrong_call("own part of the overlap not left out", "dense.update", "dense.first_order_update")
def own_part_not_left_out(op, given):
    xi, X, n = given["xi"], given["X"], given["n"]
    F = named(op, "interaction", given)
    r = (xi @ X.T)[..., None] + 0 * X
    gain = F.gain(F.F, r, X, n) if op.name == "dense.update" \
        else np.sum(X * F.slope(r, n), axis=-2)
    return np.where(gain > 0, 1.0, np.where(gain < 0, -1.0, xi))


@wrong_call("asynchronous sweep done synchronously", "dense.asynchronous_update")
def dense_sweep_done_synchronously(op, given):
    together = dense.update.formula(given["xi"], given["X"], interaction=given["interaction"],
                                    n=given["n"])
    visited = np.isin(np.arange(given["xi"].shape[-1]), given["order"])
    return np.where(visited, together, given["xi"])


@wrong_call("log of the mean in place of the sum", "dense.log_energy")
def log_of_the_mean(op, given):
    return run(op, given) + np.log(len(given["X"]))


@wrong_call("energy of pairs with a half", "bam.energy")
def pairs_with_a_half(op, given):
    return run(op, given) / 2


@wrong_call("the other tie rule", "bam.forward", "bam.backward")
def the_other_tie_rule(op, given):
    return run(op, given | {"ties": {"keep": "plus", "plus": "keep"}[given["ties"]]})


@wrong_call("weights not clipped", "storage.willshaw", "storage.willshaw_pairs")
def weights_not_clipped(op, given):
    return given.get("Y", given["X"]).T @ given["X"]


@wrong_call("inverse of the Gram matrix missing", "storage.projection")
def inverse_missing(op, given):
    return given["X"].T @ given["X"] / given["X"].shape[1]


@wrong_call("local fields missing", "storage.storkey")
def local_fields_missing(op, given):
    W = given["X"].T @ given["X"] / given["X"].shape[1]
    return W - np.diag(np.diag(W))
