"""Bugs of perceptron storage."""
import math

import numpy as np

from hopref.check.bugs import bug, run, wrong_argument, wrong_call

__all__ = []

RULE, STABILITY, CAPACITY = ("storage.perceptron", "theory.stability",
                             "theory.perceptron_capacity")


def learned(X, epochs, margin, *, length=True, itself=False, strict=False, together=False):
    """The weights, with the steps of the rule changed."""
    X = np.asarray(X, float)
    d = X.shape[1]
    W, other = np.zeros((d, d)), np.ones((d, d)) if itself else 1 - np.eye(d)
    for _ in range(epochs):
        start = W
        for x in X:
            seen = start if together else W
            limit = margin * (np.sqrt(np.sum(seen**2, axis=-1)) if length else 1.0)
            h = x * (seen @ x)
            violated = h < limit if strict else h <= limit
            W = W + violated[:, None] * other * np.outer(x, x)
    return W


@bug("field not divided by the length of the weights", RULE)
def unnormalised(X, /, *, epochs, margin=0.0):
    return learned(X, epochs, margin, length=False)


@bug("weights of a site to itself", RULE)
def with_itself(X, /, *, epochs, margin=0.0):
    return learned(X, epochs, margin, itself=True)


@bug("zero weights taken for stable", RULE)
def zero_is_stable(X, /, *, epochs, margin=0.0):
    return learned(X, epochs, margin, strict=True)


@bug("all patterns added together", RULE)
def added_together(X, /, *, epochs, margin=0.0):
    return learned(X, epochs, margin, together=True)


@wrong_call("stability not divided by the length", STABILITY)
def undivided(op, given):
    return given["X"] * (given["X"] @ given["W"].T)


@wrong_call("stability of the columns", STABILITY)
def of_columns(op, given):
    return run(op, given | {"W": given["W"].T})


@bug("1/(1 + k^2) for every margin", CAPACITY)
def of_large_margins(margin, /):
    return 1 / (1 + margin**2)


@bug("margin with the wrong sign", CAPACITY)
def of_the_opposite_margin(margin, /):
    k = -margin
    return 1 / ((1 + k * k) * math.erfc(-k / math.sqrt(2)) / 2
                + k * math.exp(-k * k / 2) / math.sqrt(2 * math.pi))


@bug("the density left out", CAPACITY)
def without_the_density(margin, /):
    return 2 / ((1 + margin**2) * math.erfc(-margin / math.sqrt(2)))


REGISTERED = [
    wrong_argument("margin ignored", RULE, margin=0.0),
    wrong_argument("one epoch alone", RULE, epochs=1),
]
