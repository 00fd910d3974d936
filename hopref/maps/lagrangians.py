r"""Lagrangians L of layers of neurons, their gradients g, and their Legendre transforms x.g - L.

Each is convex, and a record made from the options of `lagrangian.potential` that it depends on.
The transform is a sum of terms of its own size: x.g and L cancel for small, for saturated and for
normalised neurons.

References: Krotov and Hopfield 2021; Krotov 2021, *Hierarchical Associative Memory*.
"""
from collections.abc import Callable
from typing import NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.maps.entries import centred, dot, power, ratio, second_remainder, unit_of
from hopref.maps.potentials import log_cosh, log_cosh_transform, logsumexp_transform
from hopref.maps.signs import itself, relu, softplus
from hopref.maps.signs import sigmoid as logistic
from hopref.maps.soft import logsumexp, softmax

__all__ = ["Lagrangian"]


def difference(layer, u, beta):
    """The Legendre transform u.g(u) - L(u), as a difference."""
    return dot(u, layer.g(u, beta)) - layer.L(u, beta)


class Lagrangian(NamedTuple):
    """A convex Lagrangian over the last axis.

    Attributes
    ----------
    L : callable L(u, beta)
    g : callable g(u, beta), the gradient of L in u
    transform : callable transform(layer, u, beta), the Legendre transform u.g - L; the default
        subtracts, and may therefore cancel
    """
    L: Callable
    g: Callable
    transform: Callable = difference

    @classmethod
    def named(cls, name, *, n=2, gain=1.0, eps=0.0):
        """The Lagrangian of a name of `lagrangian.potential`, with its options."""
        return CATALOGUE[name](n, gain, eps)


def transform(layer, u, beta):
    """u.g(u) - L(u), the Legendre transform of L at the output g(u)."""
    return layer.transform(layer, u, beta)


def _of_neurons(function):
    """A transform that depends on u and beta alone."""
    return lambda layer, u, beta: function(u, beta)


# -- sums over neurons ----------------------------------------------------------------------------

def half_squares(x, beta):
    return dot(x, x) / 2


def unchanged(x, beta):
    return x


def repu(n, *_):
    """Rectified powers: L = sum max(x, 0)^n / n."""
    def L(x, beta):
        return namespace(x).sum(power(relu(x), n), axis=-1) / n

    def g(x, beta):
        return namespace(x).where(x > 0, power(relu(x), n - 1), 0.0)

    return Lagrangian(L, g, _of_neurons(lambda x, beta: (n - 1) * L(x, beta)))


def exponentials(x, beta):
    return namespace(x).exp(beta * x)


def summed_exponentials(x, beta):
    return namespace(x).sum(exponentials(x, beta), axis=-1) / beta


def exponential_transform(x, beta):
    return dot(exponentials(x, beta), beta * x - 1) / beta


def rectified_exponentials(x, beta):
    return namespace(x).expm1(beta * relu(x))


def above_linear(u):
    """e^u - 1 - u for u >= 0, without cancellation."""
    xp = namespace(u)
    near = u * u * second_remainder(xp.minimum(u, 1.0))
    return xp.where(u <= 1, near, xp.expm1(u) - u)


def summed_above_linear(x, beta):
    return namespace(x).sum(above_linear(beta * relu(x)), axis=-1) / beta


def rectified_exponential_transform(x, beta):
    u = beta * relu(x)
    return namespace(x).sum(u * namespace(x).expm1(u) - above_linear(u), axis=-1) / beta


def tanh(x, beta):
    return namespace(x).tanh(beta * x)


def sigmoids(x, beta):
    return logistic(beta * x)


def summed_softplus(x, beta):
    return namespace(x).sum(softplus(beta * x), axis=-1) / beta


def sigmoid_transform(x, beta):
    """Minus the entropies of the sigmoids, from the smaller of sigma(u) and sigma(-u)."""
    xp = namespace(x)
    size = xp.abs(beta * x)
    e = xp.exp(-size)
    return -xp.sum(xp.log1p(e) + xp.where(e > 0, size, 0.0) * (e / (1 + e)), axis=-1) / beta


# -- competing neurons ----------------------------------------------------------------------------

def lse(x, beta):
    return logsumexp(x, beta=beta)


def shares(x, beta):
    return softmax(x, beta=beta)


def with_zero(x):
    return namespace(x).concat([x, namespace(x).zeros_like(x[..., :1])], axis=-1)


def lse_with_zero(x, beta):
    return logsumexp(with_zero(x), beta=beta)


def shares_beside_zero(x, beta):
    return softmax(with_zero(x), beta=beta)[..., :-1]


def transform_with_zero(x, beta):
    return logsumexp_transform(with_zero(x), beta)


# -- normalised neurons ---------------------------------------------------------------------------

def normalised(gain, eps, centre, mean):
    """L = c gain s, s = sqrt(|x|^2/c + eps), for centred x and c = d if ``mean``, else c = 1.

    g = gain x/s, and x.g - L = -c gain eps/s, so that nothing is subtracted.
    """
    def scaled(x):
        """x, s and c in units of a power of two, and the unit (..., 1)."""
        x = centre(x)
        c = max(1, x.shape[-1]) if mean else 1
        unit = unit_of(x, eps)
        x = x / unit
        return x, namespace(x).sqrt(dot(x, x)[..., None] / c + eps / unit / unit), c, unit

    def L(x, beta):
        _, s, c, unit = scaled(x)
        return (c * gain * (unit * s))[..., 0]

    def g(x, beta):
        x, s, _, _ = scaled(x)
        return gain * ratio(x, s, 0.0)

    def of_eps(x, beta):
        _, s, c, unit = scaled(x)
        return -c * gain * ratio(eps / unit, s, 0.0)[..., 0]

    return Lagrangian(L, g, _of_neurons(of_eps))


def layer_norm(n, gain, eps):
    return normalised(gain, eps, centred, True)


def spherical(n, gain, eps):
    return normalised(gain, eps, itself, False)


def fixed(L, g, transform):
    """A Lagrangian without options, by its three functions of x and beta."""
    layer = Lagrangian(L, g, _of_neurons(transform))
    return lambda *options: layer


CATALOGUE = {
    "quadratic": fixed(half_squares, unchanged, half_squares),
    "repu": repu,
    "exponential": fixed(summed_exponentials, exponentials, exponential_transform),
    "rectified_exponential": fixed(summed_above_linear, rectified_exponentials,
                                   rectified_exponential_transform),
    "tanh": fixed(log_cosh, tanh, log_cosh_transform),
    "sigmoid": fixed(summed_softplus, sigmoids, sigmoid_transform),
    "softmax": fixed(lse, shares, logsumexp_transform),
    "ghostmax": fixed(lse_with_zero, shares_beside_zero, transform_with_zero),
    "layer_norm": layer_norm,
    "spherical": spherical,
}
LAGRANGIANS = {name: Lagrangian.named(name) for name in ("softmax", "tanh", "quadratic")}
