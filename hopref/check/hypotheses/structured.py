"""Bugs of retrieval over a support: how published code hides a pattern, and lists of pairs."""
import numpy as np

from hopref import maps
from hopref.check.hypotheses import hypothesis, run
from hopref.models import modern

__all__ = []

MASKED = ("structured.update", "structured.weights")


def scores(it):
    return it["xi"] @ it["X"].T


def read_out(op, it, p):
    return p if op.name == "structured.weights" else p @ it["X"]


@hypothesis("hidden scores filled with 0", *MASKED)
def filled_with_zeros(op, it):
    z = np.where(it["support"], scores(it), 0)
    return read_out(op, it, maps.softmax.formula(z, beta=it["beta"]))


@hypothesis("hidden scores filled with 0", "structured.top_k_update")
def scattered_into_zeros(op, it):
    z = scores(it)
    z = np.where(maps.among_largest(z, it["k"]), z, 0)
    return maps.softmax.formula(z, beta=it["beta"]) @ it["X"]


@hypothesis("k ignored", "structured.top_k_update", "structured.top_k_energy")
def k_ignored(op, it):
    return run(op, it | {"k": len(it["X"])})


@hypothesis("softmax over all, then cut to the support", *MASKED)
def cut_afterwards(op, it):
    p = maps.softmax.formula(scores(it), beta=it["beta"])
    return read_out(op, it, np.where(it["support"], p, 0))


@hypothesis("support ignored", *MASKED)
def support_ignored(op, it):
    return run(op, it | {"support": True})


@hypothesis("support inverted", *MASKED)
def support_inverted(op, it):
    return None if it["support"] is True else run(op, it | {"support": ~it["support"]})


@hypothesis("scores replaced by their signs", "structured.update")
def signs_of_scores(op, it):
    z = np.sign(scores(it))
    return maps.softmax.formula(z, beta=it["beta"], where=it["support"]) @ it["X"]


@hypothesis("energy of all patterns", "structured.energy")
def energy_of_all(op, it):
    return modern.energy.formula(it["xi"], it["X"], beta=it["beta"])


@hypothesis("a repeated pair counts twice", "structured.listed_update")
def counted_twice(op, it):
    return by_rows(it, it["rows"])


@hypothesis("rows taken for sorted", "structured.listed_update")
def taken_for_sorted(op, it):
    return by_rows(it, np.sort(it["rows"]))


def by_rows(it, rows):
    """Row after row, pairs as they are listed."""
    xi, X, columns = it["xi"], it["X"], it["columns"]
    y = np.zeros_like(xi)
    for i in set(rows.tolist()):
        near = X[columns[rows == i]]
        y[i] = maps.softmax.formula(near @ xi[i], beta=it["beta"]) @ near
    return y
