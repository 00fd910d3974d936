"""Bugs of the features of the second-order exponential and of cosFormer, and of their gradients."""
import math

import numpy as np

from hopref.check.bugs import bug, run, wrong_argument, wrong_call

__all__ = []

TAYLOR, COSFORMER = "features.deterministic.taylor", "features.deterministic.cosformer"
GRADIENT = "gradients.features.deterministic."


def scaled(op, given, pairs=1.0, one=1.0):
    """The features with factors of the products and of the constant."""
    phi, d = run(op, given), given["x"].shape[-1]
    first, components, products = np.split(phi, [1, d + 1], axis=-1)
    return np.concatenate([one * first, components, pairs * products], axis=-1)


@wrong_call("products without 1/sqrt(2)", TAYLOR)
def whole_products(op, given):
    return scaled(op, given, pairs=math.sqrt(2))


@wrong_call("features without the 1", TAYLOR)
def without_the_one(op, given):
    return scaled(op, given, one=0.0)


@wrong_call("products without beta", TAYLOR)
def products_without_beta(op, given):
    return scaled(op, given, pairs=1 / given["beta"])


@wrong_call("products of different components once", TAYLOR)
def upper_products(op, given):
    d = given["x"].shape[-1]
    upper = np.triu(np.ones((d, d))).reshape(-1)
    return scaled(op, given, pairs=upper)


@wrong_call("angles of a whole turn", COSFORMER)
def whole_turn(op, given):
    x, M = np.maximum(given["x"], 0), given["length"] or max(1, given["x"].shape[-2])
    a = 2 * np.pi * np.arange(x.shape[-2])[:, None] / M
    return np.concatenate([x * np.cos(a), x * np.sin(a)], axis=-1)


@wrong_call("components not rectified", COSFORMER)
def not_rectified(op, given):
    both = [sign * run(op, given | {"x": sign * given["x"]}) for sign in (1.0, -1.0)]
    return both[0] + both[1]


@wrong_call("cosines and sines exchanged", COSFORMER)
def exchanged(op, given):
    return np.roll(run(op, given), given["x"].shape[-1], axis=-1)


@bug("products of one order alone", GRADIENT + "taylor")
def one_order(g, x, /, *, beta=1.0):
    d, root = x.shape[-1], math.sqrt(beta)
    G = g[..., d + 1:].reshape(*x.shape, d)
    Gx = (G @ x[..., None])[..., 0] / math.sqrt(2)
    a = g[..., 1:d + 1]
    return root * a + beta * Gx, np.sum((a / root + 2 * Gx) * x) / 2


@wrong_call("no mask where the feature is 0", GRADIENT + "cosformer")
def passes_everything(op, given):
    return run(op, given | {"x": np.ones_like(given["x"])})


REGISTERED = [
    wrong_argument("beta ignored", TAYLOR, beta=1.0),
    wrong_argument("length ignored", COSFORMER, length=None),
]
