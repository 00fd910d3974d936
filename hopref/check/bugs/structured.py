"""Bugs of retrieval over a support: how published code hides a pattern, and lists of pairs."""
import numpy as np

from hopref import maps
from hopref.check.bugs import run, wrong_call
from hopref.models import modern

__all__ = []

MASKED = ("structured.update", "structured.weights")


def scores(given):
    return given["xi"] @ given["X"].T


def read_out(op, given, p):
    return p if op.name == "structured.weights" else p @ given["X"]


@wrong_call("hidden scores filled with 0", *MASKED)
def filled_with_zeros(op, given):
    z = np.where(given["support"], scores(given), 0)
    return read_out(op, given, maps.softmax.formula(z, beta=given["beta"]))


@wrong_call("hidden scores filled with 0", "structured.top_k_update")
def scattered_into_zeros(op, given):
    z = scores(given)
    z = np.where(maps.among_largest(z, given["k"]), z, 0)
    return maps.softmax.formula(z, beta=given["beta"]) @ given["X"]


@wrong_call("k ignored", "structured.top_k_update", "structured.top_k_energy")
def k_ignored(op, given):
    return run(op, given | {"k": len(given["X"])})


@wrong_call("softmax over all, then cut to the support", *MASKED)
def cut_afterwards(op, given):
    p = maps.softmax.formula(scores(given), beta=given["beta"])
    return read_out(op, given, np.where(given["support"], p, 0))


@wrong_call("support ignored", *MASKED)
def support_ignored(op, given):
    return run(op, given | {"support": True})


@wrong_call("support inverted", *MASKED)
def support_inverted(op, given):
    return None if given["support"] is True else run(op, given | {"support": ~given["support"]})


@wrong_call("scores replaced by their signs", "structured.update")
def signs_of_scores(op, given):
    z = np.sign(scores(given))
    return maps.softmax.formula(z, beta=given["beta"], where=given["support"]) @ given["X"]


@wrong_call("energy of all patterns", "structured.energy")
def energy_of_all(op, given):
    return modern.energy.formula(given["xi"], given["X"], beta=given["beta"])


@wrong_call("a repeated pair counts twice", "structured.listed_update")
def counted_twice(op, given):
    return by_rows(given, given["rows"])


@wrong_call("rows taken for sorted", "structured.listed_update")
def taken_for_sorted(op, given):
    return by_rows(given, np.sort(given["rows"]))


def by_rows(given, rows):
    """Row after row, pairs as they are listed."""
    xi, X, columns = given["xi"], given["X"], given["columns"]
    y = np.zeros_like(xi)
    for i in set(rows.tolist()):
        near = X[columns[rows == i]]
        y[i] = maps.softmax.formula(near @ xi[i], beta=given["beta"]) @ near
    return y
