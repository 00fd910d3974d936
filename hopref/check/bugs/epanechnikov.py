"""Bugs of the memory with the log-sum-ReLU energy."""
import numpy as np

from hopref.check.bugs import run, wrong_argument, wrong_call

__all__ = []

UPDATE, ENERGY = "epanechnikov.update", "epanechnikov.energy"


def parts(given, root=False):
    """[1 - beta D/2]_+ for the squared distances D, or for the distances."""
    D = np.sum((given["xi"][..., None, :] - given["X"]) ** 2, axis=-1)
    return np.maximum(1 - given["beta"] / 2 * (np.sqrt(D) if root else D), 0)


def answered(op, given, w, near):
    """The result of the parts w and of the mask of the neighbourhood."""
    if op.name == ENERGY:
        return -np.log(given["eps"] + np.sum(w, axis=-1)) / given["beta"]
    count = np.sum(near, axis=-1, keepdims=True)
    return np.where(count > 0, near @ given["X"] / np.where(count > 0, count, 1), given["xi"])


@wrong_call("weighted by the parts", UPDATE)
def weighted_by_the_parts(op, given):
    w = parts(given)
    return answered(op, given, w, w)


@wrong_call("squares of the parts", ENERGY)
def squares_of_the_parts(op, given):
    return answered(op, given, parts(given) ** 2, None)


@wrong_call("distances in place of their squares", UPDATE, ENERGY)
def distances(op, given):
    w = parts(given, root=True)
    return answered(op, given, w, 1.0 * (w > 0))


@wrong_call("beta in place of beta / 2", UPDATE, ENERGY)
def radius_without_the_two(op, given):
    answer = run(op, given | {"beta": 2 * given["beta"]})
    return 2 * answer if op.name == ENERGY else answer


@wrong_call("patterns on the sphere counted", UPDATE)
def closed_neighbourhoods(op, given):
    D = np.sum((given["xi"][..., None, :] - given["X"]) ** 2, axis=-1)
    return answered(op, given, None, 1.0 * (given["beta"] / 2 * D <= 1))


@wrong_call("the whole neighbourhood divided by n", UPDATE)
def divided_by_n(op, given):
    near = 1.0 * (parts(given) > 0)
    some = np.any(near > 0, axis=-1, keepdims=True)
    return np.where(some, near @ given["X"] / len(given["X"]), given["xi"])


@wrong_call("empty neighbourhoods answer zero", UPDATE)
def empty_neighbourhoods_are_zero(op, given):
    none = ~np.any(parts(given) > 0, axis=-1, keepdims=True)
    return np.where(none, 0.0, run(op, given))


@wrong_call("energy without 1/beta", ENERGY)
def energy_without_one_over_beta(op, given):
    return given["beta"] * run(op, given)


REGISTERED = [wrong_argument("eps ignored", ENERGY, eps=0.0)]
