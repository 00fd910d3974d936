"""Draws of the arguments of continuous networks: states, patterns and inverse temperature."""
import numpy as np

from hopref.check.cases.draws import arrays, betas, composed, eighths, integers, sampled

__all__ = ["problems", "planes", "separated", "thresholded"]


@composed
def problems(draw, max_m=3, max_n=6, max_d=5, betas=betas):
    """A batch of states, patterns and an inverse temperature."""
    m, n, d = draw(integers(1, max_m)), draw(integers(1, max_n)), draw(integers(1, max_d))
    return {"xi": draw(arrays(m, d)), "X": draw(arrays(n, d)), "beta": draw(betas)}


@composed
def planes(draw):
    """States and patterns in multiples of 5/8, so that the rotation (3 -4; 4 3)/5 is exact."""
    m, n, fives = draw(integers(1, 3)), draw(integers(1, 6)), eighths.map(lambda x: 5 * x)
    return {"xi": draw(arrays(m, 2, elements=fives)), "X": draw(arrays(n, 2, elements=fives)),
            "beta": draw(betas)}


@composed
def separated(draw):
    """Patterns 8 e_i (n >= 2) and a state within 1/(beta n M) of the first."""
    d, beta = draw(integers(2, 5)), draw(sampled([0.5, 1.0, 2.0]))
    n = draw(integers(2, d))
    X = 8 * np.eye(d)[:n]
    away = draw(arrays(d)) / 128 / (beta * n * 8)           # |eighths| <= 4, sqrt(d) < 3
    return {"xi": X[0] + away, "X": X, "beta": beta}


@composed
def thresholded(draw):
    """States, patterns, a threshold that some of their components equal, and its side."""
    m, n, d = draw(integers(1, 3)), draw(integers(1, 4)), draw(integers(1, 4))
    theta = draw(sampled([-0.5, 0.0, 1.0]))
    near = eighths | sampled([theta])
    return {"xi": draw(arrays(m, d, elements=near)), "X": draw(arrays(n, d, elements=near)),
            "beta": draw(sampled([0.5, 2.0])), "theta": theta,
            "side": draw(sampled(["above", "below"]))}
