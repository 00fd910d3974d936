"""`hopref.maps.sparse` on a CUDA device: see `hopref.fast.cupy._rows`."""
from hopref import maps
from hopref.fast.cupy._rows import mapped

__all__ = ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"]


def sparsemax(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    return mapped(maps.sparsemax, z, where, empty_row, beta=beta)


def entmax(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    return mapped(maps.entmax, z, where, empty_row, beta=beta, alpha=alpha)


def normmax(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    return mapped(maps.normmax, z, where, empty_row, beta=beta, gamma=gamma)


def k_subsets(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return mapped(maps.k_subsets, z, where, empty_row, beta=beta, k=k)


def top_k(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return mapped(maps.top_k, z, where, empty_row, beta=beta, k=k)
