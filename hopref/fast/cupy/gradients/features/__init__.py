"""`hopref.gradients.features` on a CUDA device: see `hopref.fast.cupy._rows`."""
from hopref.fast.cupy._rows import gradients
from hopref.gradients import features

__all__ = ["general", "positive", "hyperbolic", "trigonometric", "relu"]


def general(g, x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    return gradients(features.general, g, x, omega, h=h, functions=functions, beta=beta)


def positive(g, x, omega, /, *, beta=1.0):
    return gradients(features.positive, g, x, omega, beta=beta)


def hyperbolic(g, x, omega, /, *, beta=1.0):
    return gradients(features.hyperbolic, g, x, omega, beta=beta)


def trigonometric(g, x, omega, /, *, beta=1.0):
    return gradients(features.trigonometric, g, x, omega, beta=beta)


def relu(g, x, omega, /):
    return gradients(features.relu, g, x, omega)
