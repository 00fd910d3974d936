"""Deterministic feature maps in ball arithmetic.

References: Katharopoulos et al. 2020; Shen et al. 2021; Choromanski et al. 2021; Arora et al. 2024;
Qin et al. 2022.
"""
import numpy as np
from flint import arb

from hopref.certify.balls import cos, each, exceeds, sin, sqrt, total
from hopref.certify.balls import exp as exp_of
from hopref.certify.features import rectified

__all__ = ["identity", "elu", "relu", "exponential", "quadratic", "taylor", "cosformer",
           "softmax_keys"]


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


def taylor(x, *, beta=1):
    one = np.full((*x.shape[:-1], 1), 1, object)
    return np.concatenate([one, sqrt(beta) * x, beta / sqrt(2) * quadratic(x)], axis=-1)


def cosformer(x, *, length=None):
    angles = [[arb.pi() * i / (2 * (length or x.shape[-2]))] for i in range(x.shape[-2])]
    angles = np.array(angles, object).reshape(-1, 1)
    return np.concatenate([rectified(x) * cos(angles), rectified(x) * sin(angles)], axis=-1)


def softmax_keys(K):
    e = exp_of(K)
    return e / total(e, axis=-2)


MAPS = {"identity": identity, "elu": elu, "relu": relu, "exponential": exponential,
        "quadratic": quadratic}
