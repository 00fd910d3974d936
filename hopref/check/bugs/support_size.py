"""Bugs of the error bound of sparse retrieval by the size of the support."""
import numpy as np

from hopref import theory
from hopref.check.bugs import bug
from hopref.check.bugs.retrieval import longest

__all__ = []


def bound(xi, X, beta):
    return theory.support_size_bound(np.asarray(xi, float), np.asarray(X, float), beta=beta)


@bug("the first M dropped", "theory.support_size_bound")
def without_m(xi, X, /, *, beta=1.0):
    return bound(xi, X, beta) - longest(X)


@bug("sqrt(d) dropped", "theory.support_size_bound")
def without_root_d(xi, X, /, *, beta=1.0):
    return longest(X) + (bound(xi, X, beta) - longest(X)) / np.sqrt(X.shape[1])


@bug("all patterns in the support", "theory.support_size_bound")
def of_all_patterns(xi, X, /, *, beta=1.0):
    z = xi @ X.T
    size = len(X) * (np.max(z, axis=-1) - np.min(z, axis=-1))
    return longest(X) * (1 + np.sqrt(X.shape[1]) * (1 + beta * size))
