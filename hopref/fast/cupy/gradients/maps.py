"""`hopref.gradients.maps` of the sparse maps on a CUDA device: see `hopref.fast.cupy._rows`."""
from hopref.fast.cupy._rows import gradients
from hopref.gradients import maps

__all__ = ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"]


def sparsemax(g, z, /, *, beta=1.0, where=True, empty_row="zeros"):
    return gradients(maps.sparsemax, g, z, where=where, beta=beta, empty_row=empty_row)


def entmax(g, z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    return gradients(maps.entmax, g, z, where=where, beta=beta, alpha=alpha, empty_row=empty_row)


def normmax(g, z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    return gradients(maps.normmax, g, z, where=where, beta=beta, gamma=gamma, empty_row=empty_row)


def k_subsets(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return gradients(maps.k_subsets, g, z, where=where, beta=beta, k=k, empty_row=empty_row)


def top_k(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    return gradients(maps.top_k, g, z, where=where, beta=beta, k=k, empty_row=empty_row)
