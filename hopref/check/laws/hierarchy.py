"""Laws of hierarchical memories: the exact decrease of alternate layers, and two layers."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, integers, sampled
from hopref.check.cases.networks import LAYERS
from hopref.check.laws import equal, law
from hopref.check.laws.lagrangian import defined
from hopref.models import lagrangian

__all__ = []


@composed
def stacks(draw, layers=None):
    """Layers of neurons, weights between them, and all options."""
    l = draw(integers(2, 4)) if layers is None else layers
    d = draw(integers(1, 3))
    return {"x": draw(arrays(l, d)), "W": draw(arrays(l - 1, d, d)) / 4,
            "even": draw(LAYERS), "odd": draw(LAYERS), "beta": draw(sampled([0.25, 1.0])),
            "parity": draw(sampled(["even", "odd", "all"]))}


def of_layers(x, names, beta):
    """L and g of all layers."""
    found = [defined(row[None], name, beta, 2, 1.0, 0.0)
             for row, name in zip(x, names, strict=True)]
    return [L[0] for L, _ in found], [g[0] for _, g in found]


def received(l, g, W):
    """W_(l-1) g_(l-1) + W_l^T g_(l+1)."""
    below = W[l - 1] @ g[l - 1] if l > 0 else 0.0
    return below + (g[l + 1] @ W[l] if l + 1 < len(g) else 0 * g[l])


@law("hierarchy.update", id="LG-3", over=stacks(),
     kills=("weights not transposed on the way down", "all layers at once",
            "neurons in place of outputs", "the layers of the other parity",
            "odd layers first in place of all at once"))
def updated_layers_take_what_their_neighbours_send(f, x, W, even, odd, beta, parity):
    """x_l' = W_(l-1) g_(l-1) + W_l^T g_(l+1) for l of one parity or all; others keep their
    bits."""
    names = [(even, odd)[l % 2] for l in range(len(x))]
    g = of_layers(x, names, beta)[1]
    new = f(x, W, even=even, odd=odd, beta=beta, parity=parity)
    for l in range(len(x)):
        moved = parity in (("even", "odd")[l % 2], "all")
        yield equal(new[l], received(l, g, W) if moved else x[l].value, f"layer {l}")


@law("hierarchy.update", "hierarchy.energy", id="LG-3", over=stacks(),
     kills=("weights not transposed on the way down", "Lagrangians not subtracted",
            "neurons in place of outputs", "synaptic terms counted twice"))
def alternate_layers_lower_the_energy_by_bregman_divergences(f, x, W, even, odd, beta, parity):
    """E(x) - E(x') = sum_l L(I_l) - L(x_l) - g_l.(I_l - x_l) over the updated layers, of one
    parity."""
    if parity == "all":
        return
    how = {"even": even, "odd": odd, "beta": beta}
    names = [(even, odd)[l % 2] for l in range(len(x))]
    L, g = of_layers(x, names, beta)
    inputs = [received(l, g, W) for l in range(len(x))]
    L_new = of_layers(inputs, names, beta)[0]
    own = range(("even", "odd").index(parity), len(x), 2)
    drop = sum((L_new[l] - L[l] - np.sum(g[l] * (inputs[l] - x[l])) for l in own), start=0.0)
    new = f.hierarchy.update(x, W, parity=parity, **how)
    yield equal(f.hierarchy.energy(x, W, **how) - f.hierarchy.energy(new, W, **how), drop)


@law("hierarchy.update", "hierarchy.energy", id="LG-3", over=stacks(),
     kills=("weights not transposed on the way down", "Lagrangians not subtracted",
            "neurons in place of outputs", "synaptic terms counted twice",
            "odd layers first in place of all at once"))
def all_layers_at_once_lower_a_function_of_two_steps(f, x, W, even, odd, beta, parity):
    """E(even x', odd x) + E(odd x', even x) - E(even x', odd x'') - E(odd x', even x'') is
    sum_l L(x''_l) - L(x_l) - g_l.(x''_l - x_l), for x'' = f(x'): here for any x and x'."""
    how = {"even": even, "odd": odd, "beta": beta}
    names, now = [(even, odd)[l % 2] for l in range(len(x))], x[::-1] / 2
    answer = f.hierarchy.update(now, W, parity="all", **how)
    new, own = f.machine(answer), np.arange(len(x))[:, None] % 2 == 0
    E = [f.hierarchy.energy(np.where(own == first, now, other), W, **how)
         for other in (x, new) for first in (True, False)]
    (L, g), (L_new, g_new) = of_layers(x, names, beta), of_layers(new, names, beta)
    rounded = sum(np.sum(g_new[l] * (answer[l] - new[l])) for l in range(len(x)))
    drop = sum(L_new[l] - L[l] - np.sum(g[l] * (answer[l] - x[l])) for l in range(len(x)))
    yield equal(E[0] + E[1] - E[2] - E[3], drop + rounded)


@law("hierarchy.energy", id="LG-3", over=stacks(layers=2),
     kills=("Lagrangians not subtracted", "neurons in place of outputs",
            "synaptic terms counted twice"))
def two_layers_are_a_visible_and_a_hidden_one(f, x, W, even, odd, beta, parity):
    """E((v, h); W) is the energy of two layers with the patterns W_0."""
    E = f.exact(lagrangian.energy, x[0], x[1], W[0], visible=even, hidden=odd, beta=beta)
    yield equal(f(x, W, even=even, odd=odd, beta=beta), E)
