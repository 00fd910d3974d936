"""`hopref.models.structured`: retrieval over the patterns of largest score."""
from hopref import maps
from hopref.fast.numba._supports import updates
from hopref.models import structured

__all__ = ["top_k_update"]


def top_k_update(xi, X, /, *, k, beta=1.0):
    return updates(structured.top_k_update, maps.top_k, xi, X, beta, k=k)
