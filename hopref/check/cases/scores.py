"""Draws of scores for maps along an axis, of points of the simplex, of margins."""
import numpy as np

from hopref.check.cases.draws import arrays, betas, composed, eighths, integers, sampled

__all__ = ["alphas", "gammas", "scores", "chosen", "led", "targets"]

alphas = sampled([1.0625, 1.25, 1.5, 1.75, 2.0, 3.0, 4.5])
gammas = sampled([1.25, 1.5, 2.0, 3.0, 5.0])


@composed
def scores(draw, max_n=6, **options):
    """Two rows of scores, and the options that are drawn for them."""
    z = draw(arrays(2, draw(integers(1, max_n))))
    return {"z": z} | {name: draw(option) for name, option in options.items()}


@composed
def chosen(draw, elements=eighths):
    """Scores, and how many of them to choose."""
    z = draw(arrays(2, draw(integers(1, 6)), elements=elements))
    return {"z": z, "beta": draw(betas), "k": draw(integers(1, z.shape[-1]))}


@composed
def led(draw):
    """Scores of which one, the i-th, equals the largest of the others; powers of two throughout."""
    z = draw(arrays(2, draw(integers(2, 6))))
    i = draw(integers(0, z.shape[-1] - 1))
    z[:, i] = np.max(np.delete(z, i, -1), axis=-1)
    return {"z": z, "i": i, "beta": draw(sampled([0.25, 1.0, 64.0])),
            "alpha": draw(sampled([1.25, 1.5, 2.0, 3.0]))}


@composed
def targets(draw):
    """Scores, a point of the simplex and one of the hypersimplex of k, in binary fractions."""
    n = draw(integers(1, 6))
    k = draw(integers(1, n))
    counts = draw(arrays(2, n, elements=integers(0, 4).map(float)))
    counts[:, 0] += 32 - np.sum(counts, axis=-1)                  # of 32: sums of p are exactly 1
    orders = draw(arrays(2, n, elements=integers(0, 99)))
    mu = 1.0 * (np.argsort(np.argsort(orders, axis=-1, kind="stable"), axis=-1) < k)
    return {"z": draw(arrays(2, n)), "p": counts / 32, "mu": (mu + mu[::-1]) / 2, "k": k,
            "alpha": draw(sampled([1.0, 1.25, 1.5, 2.0, 3.0])), "gamma": draw(gammas),
            "beta": draw(betas)}
