"""`hopref.gradients.features.deterministic`: exponentials in one pass."""
import numpy as np

from hopref.fast.numba._features import apply_units
from hopref.fast.numba.gradients import finite
from hopref.gradients.features import deterministic

__all__ = ["elu", "exponential"]


def elu(g, x, /):
    return _scaled(g, np.minimum(x, x.dtype.type(0)))


def exponential(g, x, /):
    dx = _scaled(g, x)
    if finite([dx]):
        return dx
    return deterministic.exponential.formula(g.astype(float), x.astype(float)).astype(x.dtype)


def _scaled(g, x):
    """g e^x."""
    out = np.empty(x.shape, x.dtype)
    apply_units(x.reshape(-1), 0, out.reshape(-1))
    out *= g
    return out
