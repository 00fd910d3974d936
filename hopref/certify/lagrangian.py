"""Networks defined by Lagrangians in ball arithmetic; Legendre transforms are differences here.

References: Krotov and Hopfield 2021; Krotov 2021.
"""
import numpy as np

from hopref.certify.balls import columns, dot, exp, log, raised, ratio, sqrt, tanh, total
from hopref.certify.dense import step
from hopref.certify.features import rectified
from hopref.certify.maps import logsumexp, softmax

__all__ = ["energy", "reduced_energy", "update", "flow", "potential", "output", "legendre"]

L = {
    "softmax": lambda u, beta: logsumexp(u, beta=beta),
    "tanh": lambda u, beta: total(log((exp(beta * u) + exp(-beta * u)) / 2))[..., 0] / beta,
    "quadratic": lambda u, beta: dot(u, u) / 2,
}
G = {
    "softmax": lambda u, beta: softmax(u, beta=beta),
    "tanh": lambda u, beta: tanh(beta * u),
    "quadratic": lambda u, beta: u,
}


def transform(layer, u, beta):
    """u.g(u) - L(u)."""
    return dot(u, G[layer](u, beta)) - L[layer](u, beta)


def energy(v, h, X, *, visible, hidden, beta=1):
    g, f = G[visible](v, beta), G[hidden](h, beta)
    return transform(visible, v, beta) + transform(hidden, h, beta) - dot(f, g @ columns(X))


def reduced_energy(v, X, *, visible, hidden, beta=1):
    return transform(visible, v, beta) - L[hidden](G[visible](v, beta) @ columns(X), beta)


def update(v, X, *, visible, hidden, beta=1):
    return G[hidden](G[visible](v, beta) @ columns(X), beta) @ X


def flow(v, h, X, *, visible, hidden, beta=1, tau_v=1, tau_h=1):
    return ((G[hidden](h, beta) @ X - v) / tau_v,
            (G[visible](v, beta) @ columns(X) - h) / tau_h)


# ---- the catalogue of Lagrangians ---------------------------------------------------------------

def normalised(x, gain, eps, mean):
    """L and g of neurons that are divided by their length."""
    c = x.shape[-1] if mean else 1
    s = sqrt(total(x * x) / c + eps)
    return (c * gain * s)[..., 0], gain * ratio(x, s)


def with_zero(x):
    return np.concatenate([x, np.full((*x.shape[:-1], 1), 0, object)], axis=-1)


def exponential_layer(x, beta):
    return total(exp(beta * x))[..., 0] / beta, exp(beta * x)


def rectified_exponential_layer(x, beta):
    u = beta * rectified(x)
    return total(exp(u) - 1 - u)[..., 0] / beta, exp(u) - 1


def repu_layer(x, n):
    slope = raised(rectified(x), n - 1) if n > 1 else step(x)
    return total(raised(rectified(x), n))[..., 0] / n, slope


def layer_of(name, x, beta, n, gain, eps):
    """L(x) and g(x)."""
    if name in L:
        return L[name](x, beta), G[name](x, beta)
    return {
        "repu": lambda: repu_layer(x, n),
        "exponential": lambda: exponential_layer(x, beta),
        "rectified_exponential": lambda: rectified_exponential_layer(x, beta),
        "sigmoid": lambda: (total(log(1 + exp(beta * x)))[..., 0] / beta,
                            exp(beta * x) / (1 + exp(beta * x))),
        "ghostmax": lambda: (logsumexp(with_zero(x), beta=beta),
                             softmax(with_zero(x), beta=beta)[..., :-1]),
        "layer_norm": lambda: normalised(x - total(x) / x.shape[-1], gain, eps, True),
        "spherical": lambda: normalised(x, gain, eps, False),
    }[name]()


def potential(x, *, layer, beta=1, n=2, gain=1, eps=0):
    return layer_of(layer, x, beta, n, gain, eps)[0]


def output(x, *, layer, beta=1, n=2, gain=1, eps=0):
    return layer_of(layer, x, beta, n, gain, eps)[1]


def legendre(x, *, layer, beta=1, n=2, gain=1, eps=0):
    own, g = layer_of(layer, x, beta, n, gain, eps)
    return dot(x, g) - own
