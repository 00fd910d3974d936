"""`hopref.models.classical` on a CUDA device, by products of matrices in the dtype of the states.

Fields of integers below 2^24 (float32) or 2^53 (float64) in size are exact, and their ties are
found.
"""
from hopref.storage import hebbian_field

__all__ = ["update", "low_rank_update"]


def update(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    import cupy

    field = cupy.matmul(xi, W.T)
    field -= b
    return ties(field, xi, states)


def low_rank_update(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                    states="polar"):
    return ties(hebbian_field(xi, X, scale, zero_diagonal) - b, xi, states)
