"""Bugs of hierarchical memories."""
import numpy as np

from hopref.check.bugs import named, run, wrong_call

__all__ = []

ENERGY, UPDATE = "hierarchy.energy", "hierarchy.update"


def outputs(op, given):
    """The outputs and the Lagrangians of all layers."""
    x, kinds = given["x"], [named(op, k, given) for k in ("even", "odd")]
    rows = [(x[..., l, :], kinds[l % 2]) for l in range(x.shape[-2])]
    g = [kind.g(row, given["beta"]) for row, kind in rows]
    return g, [kind.L(row, given["beta"]) for row, kind in rows]


def synapses(given, g):
    """sum_l g_(l+1) W_l g_l."""
    return sum((np.sum(g[l + 1] * (g[l] @ given["W"][l].T), axis=-1)
                for l in range(len(g) - 1)), start=0.0)


@wrong_call("Lagrangians not subtracted", ENERGY)
def lagrangians_not_subtracted(op, given):
    return run(op, given) + sum(outputs(op, given)[1])


@wrong_call("synaptic terms counted twice", ENERGY)
def synapses_twice(op, given):
    return run(op, given) - synapses(given, outputs(op, given)[0])


@wrong_call("neurons in place of outputs", ENERGY)
def neurons_for_outputs(op, given):
    x, g = given["x"], outputs(op, given)[0]
    rows = [x[..., l, :] for l in range(x.shape[-2])]
    return run(op, given) + synapses(given, g) - synapses(given, rows)


@wrong_call("neurons in place of outputs", UPDATE)
def neurons_sent(op, given):
    return run(op, given | {"even": "quadratic", "odd": "quadratic"})


@wrong_call("weights not transposed on the way down", UPDATE)
def not_transposed(op, given):
    turned = run(op, given | {"W": np.swapaxes(given["W"], -1, -2)})
    g, l = outputs(op, given)[0], range(given["x"].shape[-2])
    below = np.stack([g[i - 1] @ given["W"][i - 1].T if i else 0 * g[0] for i in l], axis=-2)
    swapped = np.stack([g[i - 1] @ given["W"][i - 1] if i else 0 * g[0] for i in l], axis=-2)
    kept = np.array([(i % 2 == 1) == (given["parity"] == "even") and given["parity"] != "all"
                     for i in l])[:, None]
    return np.where(~kept, turned - swapped + below, given["x"])


@wrong_call("all layers at once", UPDATE)
def all_at_once(op, given):
    even = run(op, given | {"parity": "even"})
    odd = run(op, given | {"parity": "odd"})
    return np.where(np.arange(even.shape[-2])[:, None] % 2 == 0, even, odd)


@wrong_call("the layers of the other parity", UPDATE)
def other_parity(op, given):
    other = {"even": "odd", "odd": "even", "all": "all"}
    return run(op, given | {"parity": other[given["parity"]]})


@wrong_call("odd layers first in place of all at once", UPDATE)
def odd_layers_first(op, given):
    if given["parity"] != "all":
        return None
    return run(op, given | {"parity": "even", "x": run(op, given | {"parity": "odd"})})
