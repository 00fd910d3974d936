"""`hopref.maps.sparse` by rows: see `hopref.fast.numba._rows`."""
import numpy as np

from hopref import maps
from hopref.fast.numba._rows import mapped

__all__ = ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"]


def sparsemax(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    return entmax(z, beta=beta, alpha=2.0, where=where, empty_row=empty_row)


def entmax(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    if alpha == 1:
        p = maps.softmax.formula(z.astype(np.float64, copy=False), beta=beta, where=where,
                                 empty_row=empty_row)
        return p.astype(z.dtype, copy=False)
    return mapped(maps.entmax, z, where, empty_row, beta=beta, alpha=alpha)


def normmax(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    return mapped(maps.normmax, z, where, empty_row, beta=beta, gamma=gamma)


def k_subsets(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return mapped(maps.k_subsets, z, where, empty_row, beta=beta, k=k)


def top_k(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return mapped(maps.top_k, z, where, empty_row, beta=beta, k=k)
