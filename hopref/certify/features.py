"""Random feature maps in ball arithmetic.

References: Choromanski et al. 2021, eq. (5), Lemmas 1 and 2; the CRT and FAVOR# papers; the blog,
eq. (19).
"""
import math
from types import SimpleNamespace

import numpy as np

from hopref.certify.balls import (
    columns,
    cos,
    dot,
    each,
    exceeds,
    exp,
    known,
    log,
    shown,
    sin,
    sqrt,
    total,
    vanishes,
)

__all__ = ["general", "log_general", "positive", "log_positive", "hyperbolic", "log_hyperbolic",
           "trigonometric", "log_trigonometric", "relu", "log_relu", "gerf", "log_gerf", "derf",
           "log_derf"]


def rectified(u):
    return each(lambda v: v if exceeds(v, 0) else 0)(u)


FUNCTIONS = {"exp": exp, "exp_minus": lambda u: exp(-u), "sin": sin, "cos": cos, "relu": rectified}
HEIGHTS = {"one": (0, False), "decay": (-1, False), "half_decay": (-1, True), "growth": (1, False)}
KERNELS = {
    "positive": SimpleNamespace(h="decay", functions=("exp",)),
    "hyperbolic": SimpleNamespace(h="half_decay", functions=("exp", "exp_minus")),
    "trigonometric": SimpleNamespace(h="growth", functions=("sin", "cos")),
    "relu": SimpleNamespace(h="one", functions=("relu",)),
}


def general(x, omega, *, h, functions, beta=1):
    return height(x, h, beta) / sqrt(len(omega)) * values(x, omega, functions, beta)


def height(x, h, beta):
    """h(sqrt(beta) x), one number for each row."""
    sign, halved = HEIGHTS[h]
    return exp(sign * beta * total(x * x) / 2) / (sqrt(2) if halved else 1)


def values(x, omega, functions, beta):
    """f_1(u), ..., f_l(u) for u = sqrt(beta) omega x."""
    u = sqrt(beta) * (x @ columns(omega))
    return np.concatenate([FUNCTIONS[f](u) for f in functions], axis=-1)


def log_general(x, omega, *, h, functions, beta=1):
    f = values(x, omega, functions, beta)
    exponent = log_height(x, omega, h, beta)
    return np.where(shown(logarithms(f)), exponent + known(logarithms(f)), -math.inf), signs(f)


def log_height(x, omega, h, beta):
    """log h(sqrt(beta) x) - log(m)/2."""
    sign, halved = HEIGHTS[h]
    return sign * beta * total(x * x) / 2 - (log(2) / 2 if halved else 0) \
        - log(len(omega)) / 2


def logarithms(f):
    """log|f|, -inf where f is 0."""
    def one(v):
        if vanishes(v):
            return -math.inf
        return v.log() if exceeds(v, 0) else (-v).log()
    return np.frompyfunc(one, 1, 1)(f)


def signs(f):
    return np.frompyfunc(lambda v: 0 if vanishes(v) else 1 if exceeds(v, 0) else -1, 1, 1)(f)


def mapped(kernel, x, omega, beta):
    """The features of a kernel by its name."""
    return general(x, omega, h=KERNELS[kernel].h, functions=KERNELS[kernel].functions, beta=beta)


def mapped_logs(kernel, x, omega, beta):
    """The logarithms of their absolute values, and their signs."""
    return log_general(x, omega, h=KERNELS[kernel].h, functions=KERNELS[kernel].functions,
                       beta=beta)


def positive(x, omega, *, beta=1):
    return mapped("positive", x, omega, beta)


def log_positive(x, omega, *, beta=1):
    return sqrt(beta) * (x @ columns(omega)) + log_height(x, omega, "decay", beta)


def hyperbolic(x, omega, *, beta=1):
    return mapped("hyperbolic", x, omega, beta)


def log_hyperbolic(x, omega, *, beta=1):
    u = sqrt(beta) * (x @ columns(omega))
    return np.concatenate([u, -u], axis=-1) + log_height(x, omega, "half_decay", beta)


def trigonometric(x, omega, *, beta=1):
    return mapped("trigonometric", x, omega, beta)


def log_trigonometric(x, omega, *, beta=1):
    return mapped_logs("trigonometric", x, omega, beta)


def relu(x, omega):
    return rectified(x @ columns(omega)) / sqrt(len(omega))


def log_relu(x, omega):
    return mapped_logs("relu", x, omega, 1)[0]


# ---- exponents quadratic in the direction -------------------------------------------------------

def log_gerf(x, omega, *, A, beta=1):
    d = x.shape[-1]
    return (log(1 - 4 * A) * d / 4 + A * dot(omega, omega)
            + sqrt((1 - 4 * A) * beta) * (x @ columns(omega))
            - beta * total(x * x) / 2 - log(len(omega)) / 2)


def gerf(x, omega, *, A, beta=1):
    return exp(log_gerf(x, omega, A=A, beta=beta))


def log_derf(x, omega, a, B, *, beta=1):
    y = x @ columns(B)
    return (total(log(1 - 4 * a)) / 4 + dot(omega * a, omega) + sqrt(beta) * (y @ columns(omega))
            - beta * total(y / (1 - 4 * a) * y) / 2 - log(len(omega)) / 2)


def derf(x, omega, a, B, *, beta=1):
    return exp(log_derf(x, omega, a, B, beta=beta))
