"""`hopref.gradients.features.deterministic` on a CUDA device, in the dtype of the argument."""
from hopref.gradients.features import deterministic

__all__ = ["elu", "exponential"]


def elu(g, x, /):
    return deterministic.elu.formula(g, x)


def exponential(g, x, /):
    return deterministic.exponential.formula(g, x)
