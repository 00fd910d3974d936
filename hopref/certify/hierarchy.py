"""Hierarchical memories in ball arithmetic, a layer at a time.  Reference: Krotov 2021."""
import numpy as np

from hopref.certify.balls import dot
from hopref.certify.lagrangian import G, transform

__all__ = ["energy", "update"]


def outputs(x, even, odd, beta):
    return [G[(even, odd)[l % 2]](x[..., l, :], beta) for l in range(x.shape[-2])]


def energy(x, W, *, even, odd, beta=1):
    g = outputs(x, even, odd, beta)
    own = sum(transform((even, odd)[l % 2], x[..., l, :], beta) for l in range(len(g)))
    return own - sum(dot(g[l + 1], g[l] @ W[l].T) for l in range(len(W)))


def update(x, W, *, parity, even, odd, beta=1):
    g, new = outputs(x, even, odd, beta), x.copy()
    moved = {"even": range(0, len(g), 2), "odd": range(1, len(g), 2), "all": range(len(g))}
    for l in moved[parity]:
        new[..., l, :] = 0
        if l > 0:
            new[..., l, :] = new[..., l, :] + g[l - 1] @ W[l - 1].T
        if l + 1 < len(g):
            new[..., l, :] = new[..., l, :] + g[l + 1] @ W[l]
    return np.asarray(new, object)
