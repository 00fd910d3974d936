"""`hopref.gradients.maps` from the supports of the maps, in one pass over the scores.

Rows whose support is not certain are computed by the formula.
"""
import math

import numpy as np

from hopref import maps
from hopref.fast.numba._sparse_gradient import pull_back
from hopref.fast.numba.maps import OPEN, support_of, visible_rows
from hopref.gradients import maps as gradients

__all__ = ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"]


def sparsemax(g, z, /, *, beta=1.0, where=True, empty_row="zeros"):
    return _gradients(maps.sparsemax, gradients.sparsemax, g, z, where, beta=beta)[:2]


def entmax(g, z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    return _gradients(maps.entmax, gradients.entmax, g, z, where, beta=beta, alpha=alpha)


def normmax(g, z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    return _gradients(maps.normmax, gradients.normmax, g, z, where, beta=beta, gamma=gamma)


def k_subsets(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return _gradients(maps.k_subsets, gradients.k_subsets, g, z, where, k=k, beta=beta)[:2]


def top_k(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return _gradients(maps.top_k, gradients.top_k, g, z, where, k=k, beta=beta)[:2]


def _gradients(rule, op, g, z, where, **options):
    """The gradients in z, beta and the exponent; ``op`` is the gradient of the map ``rule``."""
    *lead, n = z.shape
    batch = math.prod(lead)
    dz, slopes, seen = np.zeros((batch, n), z.dtype), np.zeros(2), visible_rows(where, batch, n)
    several, g, z = max(1, OPEN // max(n, 1)), g.reshape(batch, n), z.reshape(batch, n)
    for first in range(0, batch, several):
        rows = slice(first, first + several)
        found = support_of(rule, z[rows], seen[rows], **options)
        at = found.rows * n + found.columns
        w, slope = pull_back(rule, found, g[rows].reshape(-1)[at].astype(float), **options)
        dz[rows].reshape(-1)[at] = options["beta"] * w
        slopes += np.sum(w * found.heights), slope
        if found.left.any():
            left = first + np.flatnonzero(found.left)
            dz[left], *more = op.formula(g[left].astype(float), z[left].astype(float), **options,
                                         where=seen[left] if seen.size else True)
            slopes[:len(more)] += more
    return dz.reshape(*lead, n), *np.asarray(slopes, dz.dtype)
