"""`hopref.features.deterministic` on a CUDA device, in the dtype of the argument."""
from hopref.features import deterministic

__all__ = ["elu", "exponential", "quadratic", "relu"]


def elu(x, /):
    return deterministic.elu.formula(x)


def exponential(x, /):
    return deterministic.exponential.formula(x)


def quadratic(x, /):
    return deterministic.quadratic.formula(x)


def relu(x, /, *, eps=0.0):
    return deterministic.relu.formula(x, eps=eps)
