"""Sequence memories: fields of powers, which are exact, and of exponentials.

Reference: Chaudhry et al. 2023.
"""
import numpy as np

from hopref.certify.balls import over_rows, sum_of_exponentials
from hopref.certify.classical import signs
from hopref.certify.dense import F, others

__all__ = ["update"]


def update(xi, X, *, interaction, n, loop, zero_diagonal):
    r = others(xi, X) if zero_diagonal else (xi @ X.T)[..., None] + 0 * X
    Y = np.concatenate([X[1:], X[:1] if loop else 0 * X[:1]])
    if interaction == "exponential":
        field = over_rows(sum_of_exponentials, np.moveaxis(r, -2, -1), Y.T, count=0)
    else:
        field = np.sum(Y * F[interaction](r, n), axis=-2)
    return signs(field, xi, "keep")
