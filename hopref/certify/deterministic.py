"""Deterministic feature maps in ball arithmetic.

References: Katharopoulos et al. 2020; Shen et al. 2021; Choromanski et al. 2021.
"""
from hopref.certify.balls import each, exceeds, total
from hopref.certify.balls import exp as exp_of
from hopref.certify.features import rectified

__all__ = ["identity", "elu", "relu", "exponential", "quadratic", "softmax_keys"]


def identity(x):
    return x


def elu(x):
    return each(lambda v: v + 1 if exceeds(v, 0) else v.exp())(x)


def relu(x, *, eps=0):
    return rectified(x) + eps


def exponential(x):
    return exp_of(x)


def quadratic(x):
    products = x[..., :, None] * x[..., None, :]
    return products.reshape((*x.shape[:-1], x.shape[-1]**2))


def softmax_keys(K):
    e = exp_of(K)
    return e / total(e, axis=-2)


MAPS = {"identity": identity, "elu": elu, "relu": relu, "exponential": exponential,
        "quadratic": quadratic}
