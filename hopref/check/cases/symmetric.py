"""Draws of symmetric networks: binary ones of integers, so that laws are exact, and graded ones."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, integers, polar, sampled, small

__all__ = ["analog", "networks"]


def mirrored(W):
    return np.tril(W) + np.tril(W, -1).T


@composed
def networks(draw, diagonal=None, max_d=6, rows=None):
    """A polar state (or ``rows`` of them), symmetric integer weights, a threshold.

    ``diagonal``: None any, ">=0", "0".
    """
    d = draw(integers(1, max_d))
    W = mirrored(draw(arrays(d, d, elements=small)))
    if diagonal is not None:
        np.fill_diagonal(W, np.abs(np.diagonal(W)) if diagonal == ">=0" else 0.0)
    shape = (d,) if rows is None else (draw(integers(1, rows)), d)
    return {"xi": draw(arrays(*shape, elements=polar)), "W": W,
            "b": draw(arrays(d, elements=small))}


@composed
def analog(draw, max_d=4, activations=("tanh", "sigmoid", "identity")):
    """A batch of states inside the activation's range, symmetric weights, a threshold, a gain."""
    d, activation = draw(integers(1, max_d)), draw(sampled(activations))
    low, high = {"tanh": (-8, 8), "sigmoid": (0, 8), "identity": (-32, 32)}[activation]
    inside = integers(low, high).map(lambda k: k / 8)
    return {"xi": draw(arrays(draw(integers(1, 3)), d, elements=inside)),
            "W": mirrored(draw(arrays(d, d))), "b": draw(arrays(d)), "activation": activation,
            "beta": draw(sampled([0.25, 1.0, 2.0]))}
