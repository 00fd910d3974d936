"""Laws of kernelised modern networks: the modern network of what is mapped, and the decrease."""
import numpy as np

from hopref.check.cases.draws import arrays, betas, composed, integers, small
from hopref.check.laws import equal, law
from hopref.check.laws.feature_memory import divergence
from hopref.check.laws.modern import square
from hopref.gradients import kernelized as gradients
from hopref.models import modern

__all__ = []


@composed
def mapped(draw):
    """States, patterns, an integer map, and an inverse temperature."""
    m, n, d, k = (draw(integers(1, 3)) for _ in range(4))
    return {"xi": draw(arrays(m, d)), "X": draw(arrays(n, d)),
            "W": draw(arrays(k, d, elements=small)), "beta": draw(betas)}


@law("kernelized.update", "kernelized.energy", id="UH-1", over=mapped(),
     kills=("beta outside the softmax", "beta ignored", "map ignored", "states alone mapped",
            "energy without 1/beta", "mapped patterns read out"))
def what_is_mapped_is_a_modern_network(f, xi, X, W, beta):
    """W f(xi) is the modern update of W xi among the W x_i, and E its energy."""
    new, E = (g(xi, X, W, beta=beta) for g in (f.kernelized.update, f.kernelized.energy))
    yield equal(new @ W.T, f.exact(modern.update, xi @ W.T, X @ W.T, beta=beta), "update")
    yield equal(E, f.exact(modern.energy, xi @ W.T, X @ W.T, beta=beta), "energy")


@law("kernelized.update", "kernelized.energy", id="UH-1", over=mapped(),
     kills=("beta outside the softmax", "map ignored", "energy without 1/beta",
            "mapped patterns read out"))
def a_step_lowers_the_kernelised_energy_by_an_exact_amount(f, xi, X, W, beta):
    """E(xi) - E(xi') = |W (xi' - xi)|^2/2 + KL(p || p')/beta."""
    answer = f.kernelized.update(xi, X, W, beta=beta)
    new = f.machine(answer)
    E = [f.kernelized.energy(x, X, W, beta=beta) for x in (xi, new)]
    step = (new - xi) @ W.T
    drop = square(step) / 2 + np.sum(step * ((answer - new) @ W.T), axis=-1)
    z = [beta * (x @ W.T @ (X @ W.T).T) for x in (xi, new)]
    yield equal(E[0] - E[1], drop + divergence(*z) / beta)


@law("kernelized.update", "kernelized.energy", id="UH-2", over=mapped(),
     kills=("map ignored", "states alone mapped"))
def what_is_mapped_to_zero_has_no_part(f, xi, X, W, beta):
    """With a component that W maps to 0, the other components and E do not depend on it."""
    wide = np.concatenate([W, 0 * W[:, :1]], axis=-1)
    far, own = (np.concatenate([a, 2.0 * np.arange(len(a))[:, None] + 1], axis=-1)
                for a in (xi, X))
    yield equal(f.kernelized.update(far, own, wide, beta=beta)[:, :-1],
                f.kernelized.update(xi, X, W, beta=beta), "update")
    yield equal(f.kernelized.energy(far, own, wide, beta=beta),
                f.kernelized.energy(xi, X, W, beta=beta), "energy")


@law("kernelized.update", "kernelized.energy", id="UH-2", over=mapped(),
     kills=("beta ignored", "energy without 1/beta", "states alone mapped"))
def a_map_of_twice_the_size_is_four_times_the_beta(f, xi, X, W, beta):
    """f(xi; 2 W, beta/4) = f(xi; W, beta), and E(xi; 2 W, beta/4) = 4 E(xi; W, beta)."""
    yield equal(f.kernelized.update(xi, X, 2 * W, beta=beta / 4),
                f.kernelized.update(xi, X, W, beta=beta), "update")
    yield equal(f.kernelized.energy(xi, X, 2 * W, beta=beta / 4),
                4 * f.kernelized.energy(xi, X, W, beta=beta), "energy")


@law("kernelized.update", id="UH-1", over=mapped(),
     kills=("beta outside the softmax", "beta ignored", "map ignored", "states alone mapped",
            "mapped patterns read out"))
def a_step_is_along_the_gradient(f, xi, X, W, beta):
    """The gradient of the energy is G (xi - f(xi))."""
    dxi = f.exact(gradients.energy, np.ones(len(xi), np.longdouble), xi, X, W, beta=beta)[0]
    yield equal((xi - f(xi, X, W, beta=beta)) @ W.T @ W, dxi)
