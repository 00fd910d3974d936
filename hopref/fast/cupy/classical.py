"""`hopref.models.classical` on a CUDA device.

Synchronous updates are products of matrices in the dtype of the states: fields of integers below
2^24 (float32) or 2^53 (float64) in size are exact, and their ties are found.  Asynchronous updates
are one launch (see `_sweeps`), with fields in double precision; those of states that do not fit in
shared memory are computed by the formula.
"""
from hopref.fast.cupy._rows import by_formula
from hopref.fast.cupy._sweeps import possible, swept
from hopref.models import classical
from hopref.storage import hebbian_field

__all__ = ["update", "low_rank_update", "asynchronous_update", "glauber_update"]


def update(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    import cupy

    field = cupy.matmul(xi, W.T)
    field -= b
    return ties(field, xi, states)


def low_rank_update(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                    states="polar"):
    return ties(hebbian_field(xi, X, scale, zero_diagonal) - b, xi, states)


def asynchronous_update(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    if not possible(xi):
        return by_formula(classical.asynchronous_update, xi, W, b, order=order, ties=ties,
                           states=states)
    return swept(xi, W, b, order, ties=ties, states=states)


def glauber_update(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    if not possible(xi):
        return by_formula(classical.glauber_update, xi, W, b, order=order, uniforms=uniforms,
                           beta=beta, states=states)
    return swept(xi, W, b, order, states=states, uniforms=uniforms,
                 steepness=beta * (1 - states))
