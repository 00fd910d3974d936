"""Vector-Jacobian products of the maps of `hopref.fast.numba.maps`, from their supports.

All sums are over the entries that are not 0, in double precision.
"""
import numpy as np

from hopref import maps
from hopref.fast.numba._jit import njit
from hopref.maps import power_remainder

__all__ = ["pull_back"]


def pull_back(rule, found, g, alpha=None, gamma=None, **options):
    """The cotangents w of beta z, and the derivative in the exponent, 0 if the map has none.

    Parameters
    ----------
    rule : the map, an operation
    found : its `Support`
    g : the cotangents of the entries of the support
    alpha, gamma : the exponent of the map
    """
    p, w, away = found.weights, np.empty_like(g), np.empty_like(g)
    if rule is maps.normmax:
        return w, _normmax_product(found.starts, p, found.norms(gamma), g, gamma, w)
    q = {maps.sparsemax: lambda: np.ones_like(p), maps.entmax: lambda: p ** (2 - alpha),
         maps.k_subsets: lambda: (p < 1) * 1.0, maps.top_k: lambda: p}[rule]()
    _jacobian_product(found.starts, found.columns, q, g, w, away)
    return w, -np.sum(power_remainder(p, 1, alpha - 1) * away) if rule is maps.entmax else 0.0


@njit
def _jacobian_product(starts, columns, q, g, w, away):
    """Fill w with q (g - mean) and ``away`` with g - mean, where the mean is weighted by q.

    The entry of largest weight is minus the sum of the others, as in `hopref.gradients.maps`.
    """
    for i in range(len(starts) - 1):
        row, total, weighted, most = range(starts[i], starts[i + 1]), 0.0, 0.0, starts[i]
        for j in row:
            total += q[j]
            weighted += q[j] * g[j]
            if q[j] > q[most] or q[j] == q[most] and columns[j] < columns[most]:
                most = j
        mean, others = weighted / total if total != 0 else 0.0, 0.0
        for j in row:
            away[j] = g[j] - mean
            w[j] = q[j] * away[j]
            others += w[j] if j != most else 0.0
        for j in range(most, min(most + 1, starts[i + 1])):
            w[j] = 0.0 - others


@njit
def _normmax_product(starts, p, norms, g, gamma, w):
    """Fill w as in `hopref.gradients.maps.normmax`; return the derivative in gamma."""
    slope = 0.0
    for i in range(len(starts) - 1):
        row, norm = range(starts[i], starts[i + 1]), norms[i]
        total, weighted, change, entropy = 0.0, 0.0, 0.0, 0.0
        for j in row:
            total += p[j]
            weighted += p[j] * g[j]
        for j in row:
            y = p[j] / norm
            w[j] = 0.0
            if y > 0:
                w[j] = y ** (2 - gamma) * norm / (gamma - 1) * (g[j] - weighted / total)
                entropy += y**gamma * np.log(y)
            change += w[j]
        for j in row:
            y, away = p[j] / norm, g[j] - weighted / total
            if y > 0:
                bent = norm * entropy / gamma * y ** (2 - gamma)
                slope -= norm * away * (y * np.log(y) - bent) / (gamma - 1)
            w[j] -= p[j] * change
    return slope
