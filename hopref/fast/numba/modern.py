"""`hopref.models.modern` in one pass over the patterns, without an array of M x N scores.

See `hopref.fast.numba._retrieval`.
"""
from functools import partial

import numpy as np

from hopref.fast.numba._retrieval import energies, retrieved, scored, weighted
from hopref.fast.numba._softmax import LESS_ONE, TOTAL
from hopref.models import modern

__all__ = ["energy", "update", "thresholded_update"]


def energy(xi, X, /, *, beta=1.0):
    return retrieved(modern.energy.formula, _energies, xi, xi, X, beta).reshape(xi.shape[:-1])


def update(xi, X, /, *, beta=1.0):
    return retrieved(modern.update.formula, _updates, xi, xi, X, beta).reshape(xi.shape)


def thresholded_update(xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    cue, keys = (side(np.asarray(a, np.float64), theta).astype(a.dtype) for a in (xi, X))

    def means(states, patterns, beta, few):
        return weighted(states, keys.astype(states.dtype, copy=False), patterns, beta, few)[0]
    rule = partial(modern.thresholded_update.formula, theta=theta, side=side)
    return retrieved(rule, means, xi, cue, X, beta).reshape(xi.shape)


def _updates(states, X, beta, few):
    return weighted(states, X, X, beta, few)[0]


def _energies(states, X, beta, few):
    sums, best = scored(states, X, beta, few)
    mean, lack = sums[:, TOTAL] / len(X), sums[:, LESS_ONE] / len(X)
    return energies(states, X, beta, mean, lack, best)
