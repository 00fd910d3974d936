"""`hopref.features` on a CUDA device: see `hopref.fast.cupy._features`."""
from hopref.fast.cupy._features import logarithms, mapped, values
from hopref.features import projected

__all__ = ["general", "positive", "log_positive", "hyperbolic", "log_hyperbolic", "trigonometric",
           "relu", "log_relu", "gerf", "log_gerf"]


def general(x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    return mapped(values, x, omega, beta, h, functions)


def positive(x, omega, /, *, beta=1.0):
    return mapped(values, x, omega, beta, projected.decay, [projected.exp])


def log_positive(x, omega, /, *, beta=1.0):
    return mapped(logarithms, x, omega, beta, projected.decay, [projected.exp])


def hyperbolic(x, omega, /, *, beta=1.0):
    functions = projected.exp, projected.exp_minus
    return mapped(values, x, omega, beta, projected.half_decay, functions)


def log_hyperbolic(x, omega, /, *, beta=1.0):
    functions = projected.exp, projected.exp_minus
    return mapped(logarithms, x, omega, beta, projected.half_decay, functions)


def trigonometric(x, omega, /, *, beta=1.0):
    return mapped(values, x, omega, beta, projected.growth, (projected.sin, projected.cos))


def relu(x, omega, /):
    return mapped(values, x, omega, 1.0, projected.one, [projected.rectifier])


def log_relu(x, omega, /):
    return mapped(logarithms, x, omega, 1.0, projected.one, [projected.rectifier])


def gerf(x, omega, /, *, A=0.0, beta=1.0):
    return mapped(values, x, omega, beta, projected.decay, [projected.exp], A)


def log_gerf(x, omega, /, *, A=0.0, beta=1.0):
    return mapped(logarithms, x, omega, beta, projected.decay, [projected.exp], A)
