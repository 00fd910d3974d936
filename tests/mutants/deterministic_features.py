"""Deterministic feature maps, wrong."""
import numpy as np

from tests.mutants import mutant


@mutant("features.deterministic.elu")
def elu_without_the_one(x, /):
    """elu itself, negative below 0"""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


@mutant("features.deterministic.elu")
def elu_of_the_other_sign(x, /):
    """the branches exchanged"""
    return np.where(x < 0, 1 - x, np.exp(-np.maximum(x, 0)))


@mutant("features.deterministic.exponential")
def exponential_of_minus_x(x, /):
    """e^-x"""
    return np.exp(-x)


@mutant("features.deterministic.relu")
def relu_leaks(x, /, *, eps=0.0):
    """a slope below 0"""
    return np.where(x > 0, x, 0.01 * x) + eps


@mutant("features.deterministic.identity")
def identity_normalises(x, /):
    """rows of length one"""
    return x / np.maximum(np.sqrt((x * x).sum(-1, keepdims=True)), 1e-9)


@mutant("features.deterministic.quadratic")
def quadratic_of_the_squares(x, /):
    """the squares of components without their products"""
    return np.concatenate([x * x] * x.shape[-1], axis=-1)


@mutant("features.deterministic.softmax_keys")
def softmax_keys_over_features(K, /):
    """along the features, like the queries"""
    e = np.exp(K - K.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@mutant("features.deterministic.softmax_keys")
def softmax_keys_unnormalised(K, /):
    """exponentials, not shared out"""
    return np.exp(K - K.max(-2, keepdims=True))
