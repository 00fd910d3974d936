"""`hopref.gradients.maps` from the supports of the maps, in one pass over the scores."""
import math

import numpy as np

from hopref import maps
from hopref.fast.numba._rows import OPEN, support_of, visible_rows
from hopref.fast.numba._sparse_gradient import pull_back

__all__ = ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"]


def sparsemax(g, z, /, *, beta=1.0, where=True, empty_row="zeros"):
    return _gradients(maps.sparsemax, g, z, where, beta=beta)[:2]


def entmax(g, z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    return _gradients(maps.entmax, g, z, where, beta=beta, alpha=alpha)


def normmax(g, z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    return _gradients(maps.normmax, g, z, where, beta=beta, gamma=gamma)


def k_subsets(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return _gradients(maps.k_subsets, g, z, where, k=k, beta=beta)[:2]


def top_k(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return _gradients(maps.top_k, g, z, where, k=k, beta=beta)[:2]


def _gradients(rule, g, z, where, **options):
    """The gradients in the scores, beta and the exponent, for blocks of rows."""
    *lead, n = z.shape
    batch = math.prod(lead)
    dz, slopes, seen = np.zeros((batch, n), z.dtype), np.zeros(2), visible_rows(where, batch, n)
    several, g, z = max(1, OPEN // max(n, 1)), g.reshape(batch, n), z.reshape(batch, n)
    for first in range(0, batch, several):
        block = slice(first, first + several)
        found = support_of(rule, z[block], seen[block], **options)
        at = found.rows * n + found.columns
        w, slope = pull_back(rule, found, g[block].reshape(-1)[at].astype(float), **options)
        dz[block].reshape(-1)[at] = options["beta"] * w
        slopes += np.sum(w * found.heights), slope
    return dz.reshape(*lead, n), *np.asarray(slopes, dz.dtype)
