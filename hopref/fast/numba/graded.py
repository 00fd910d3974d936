"""`hopref.models.graded`: one site at a time, see `hopref.fast.numba._sweeps`."""
import math

import numpy as np

from hopref.fast.numba._sweeps import IDENTITY, SIGMOID, TANH, swept
from hopref.models import graded

__all__ = ["asynchronous_update"]

KINDS = {"tanh": TANH, "sigmoid": SIGMOID, "identity": IDENTITY}


def asynchronous_update(xi, W, b=0.0, /, *, order, activation="tanh", beta=1.0):
    for name, kind in KINDS.items():
        if activation is graded.ACTIVATIONS[name]:
            uniforms = np.empty((math.prod(xi.shape[:-1]), 0), xi.dtype)
            return swept(xi, W, b, order, uniforms, kind, beta, False, 0.0)
    wide = (np.asarray(a, np.float64) for a in (xi, W, b))
    new = graded.asynchronous_update.formula(*wide, order=order, activation=activation, beta=beta)
    return new.astype(xi.dtype)
