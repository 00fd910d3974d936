"""`hopref.models.dense` on a CUDA device.

Updates of all sites are those of the formula, in double precision, so that ties are found, for
blocks of states (see `hopref.fast.cupy._rows`).  Sweeps are one launch (see `_dense`); those of an
interaction that the caller defines are computed by the formula.
"""
from hopref.fast.cupy._dense import KINDS, swept
from hopref.fast.cupy._rows import by_formula, updates
from hopref.models import dense

__all__ = ["update", "asynchronous_update"]


def update(xi, X, /, *, interaction="polynomial", n=3):
    return updates(dense.update, xi, X, interaction=interaction, n=n)


def asynchronous_update(xi, X, /, *, order, interaction="polynomial", n=3):
    if interaction not in KINDS:
        return by_formula(dense.asynchronous_update, xi, X, order=order, interaction=interaction,
                          n=n)
    return swept(xi, X, order, interaction, n)
