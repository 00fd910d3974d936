"""Gradients of Hopfield layers, wrong on purpose."""
import numpy as np

from hopref import layers
from hopref.gradients import layers as gradients
from tests.mutants import mutant


def turned(x):
    return np.swapaxes(x, -1, -2)


def normalised(x, eps):
    return layers.layer_norm(x, eps=eps), np.sqrt(x.var(-1, keepdims=True) + eps)


@mutant("gradients.layers.layer_norm")
def mean_held_fixed(g, x, /, *, gain=1.0, eps=1e-5, **how):
    """dx = (a - n mean(a n)) / sigma"""
    n, width = normalised(x, eps)
    a = gain * g
    rest = gradients.layer_norm(g, x, gain=gain, eps=eps, **how)[1:]
    return (a - n * (a * n).mean(-1, keepdims=True)) / width, *rest


@mutant("gradients.layers.layer_norm")
def width_held_fixed(g, x, /, *, gain=1.0, eps=1e-5, **how):
    """dx = (a - mean a) / sigma"""
    width, a = normalised(x, eps)[1], gain * g
    rest = gradients.layer_norm(g, x, gain=gain, eps=eps, **how)[1:]
    return (a - a.mean(-1, keepdims=True)) / width, *rest


@mutant("gradients.layers.project")
def shared_bias_counted_once(g, x, W, /, **how):
    """db is the mean over patterns"""
    dx, dW, db = gradients.project(g, x, W, **how)
    return dx, dW, db / g.shape[-2]


@mutant("gradients.layers.associations")
def the_last_association_alone(g, Q, K, /, *, steps=1, **how):
    """the states before are constants"""
    if steps > 1:
        Q = layers.associations(Q, K, steps=steps - 1, **how) @ K
    return gradients.associations(g, Q, K, **how)


@mutant("gradients.layers.associations")
def patterns_as_scores_alone(g, Q, K, /, *, steps=1, **how):
    """dK without what the next states are made of"""
    dQ, dK, *rest = gradients.associations(g, Q, K, steps=steps, **how)
    for n in range(1, steps):
        A = layers.associations(Q, K, steps=n, **how)
        dq = gradients.associations(g, A @ K, K, steps=steps - n, **how)[0]
        dK = dK - turned(A) @ dq
    return dQ, dK, *rest


@mutant("gradients.layers.associations")
def beta_of_the_first_head(g, Q, K, /, **how):
    """dbeta from one head"""
    *rest, dbeta = gradients.associations(g, Q, K, **how)
    return *rest, dbeta / K.shape[-3]


@mutant("gradients.layers.read_out")
def heads_share_the_cotangent(g, A, V, W, /, **how):
    """every head gets g / h"""
    return gradients.read_out(g / len(W), A, V, W, **how)


@mutant("gradients.layers.associate")
def values_without_their_keys(g, R, Y, P, *W, **how):
    """dP of attention without heads: that of the first"""
    dR, dY, dP, *rest = gradients.associate(g, R, Y, P, *W, **how)
    return dR, dY, dP / len(W[0]), *rest
