"""Bugs of dense and of bidirectional memories, and of the learning rules beyond Hebb's."""
import numpy as np

from hopref.check.hypotheses import hypothesis, named, run
from hopref.models import dense

__all__ = []

@hypothesis("divided by the number of patterns", "dense.energy", "storage.bam",
            "storage.covariance")
def divided_by_the_number(op, it):
    return run(op, it) / len(it["X"])


@hypothesis("own part of the overlap not left out", "dense.update", "dense.first_order_update")
def own_part_not_left_out(op, it):
    xi, X, n = it["xi"], it["X"], it["n"]
    F = named(op, "interaction", it)
    r = (xi @ X.T)[..., None] + 0 * X
    gain = F.gain(F.F, r + X, r - X, n) if op.name == "dense.update" \
        else np.sum(X * F.slope(r, n), axis=-2)
    return np.where(gain > 0, 1.0, np.where(gain < 0, -1.0, xi))


@hypothesis("asynchronous sweep done synchronously", "dense.asynchronous_update")
def dense_sweep_done_synchronously(op, it):
    together = dense.update.formula(it["xi"], it["X"], interaction=it["interaction"], n=it["n"])
    return np.where(np.isin(np.arange(it["xi"].shape[-1]), it["order"]), together, it["xi"])


@hypothesis("log of the mean in place of the sum", "dense.log_energy")
def log_of_the_mean(op, it):
    return run(op, it) + np.log(len(it["X"]))


@hypothesis("energy of pairs with a half", "bam.energy")
def pairs_with_a_half(op, it):
    return run(op, it) / 2


@hypothesis("the other tie rule", "bam.forward", "bam.backward")
def the_other_tie_rule(op, it):
    return run(op, it | {"ties": {"keep": "plus", "plus": "keep"}[it["ties"]]})


@hypothesis("weights not clipped", "storage.willshaw", "storage.willshaw_pairs")
def weights_not_clipped(op, it):
    return it.get("Y", it["X"]).T @ it["X"]


@hypothesis("inverse of the Gram matrix missing", "storage.projection")
def inverse_missing(op, it):
    return it["X"].T @ it["X"] / it["X"].shape[1]


@hypothesis("local fields missing", "storage.storkey")
def local_fields_missing(op, it):
    W = it["X"].T @ it["X"] / it["X"].shape[1]
    return W - np.diag(np.diag(W))
