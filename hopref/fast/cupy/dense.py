"""`hopref.models.dense` on a CUDA device: see `hopref.fast.cupy._rows`.

The gains of the sites are those of the formula, in double precision, so that ties are found.
"""
from hopref.fast.cupy._rows import updates
from hopref.models import dense

__all__ = ["update"]


def update(xi, X, /, *, interaction="polynomial", n=3):
    return updates(dense.update, xi, X, interaction=interaction, n=n)
