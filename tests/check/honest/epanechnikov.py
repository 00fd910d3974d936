"""The memory with the log-sum-ReLU energy."""
import numpy as np

from tests.check.honest import honest


def by_differences(r, xi, X):
    away = r(r.given(xi)[..., None, :] - r.given(X))
    return r.add(r(away * away))[..., 0]


def by_products(r, xi, X):
    xi, X = r.given(xi)[..., None, :], r.given(X)
    own, theirs = r.add(r(xi * xi)), r.add(r(X * X))[:, 0]
    return r(r(own - r(2 * r.mul(xi, X.T))) + theirs)[..., 0, :]


def mean_within_the_radius(r, squares, xi, X, beta):
    near = (r(r(beta) / 2 * squares) < 1).astype(squares.dtype)
    count = r.add(near)
    mean = r(r.mul(near[..., None, :], r.given(X))[..., 0, :] / np.maximum(count, 1))
    return np.where(count > 0, mean, r.given(xi))


@honest("epanechnikov.update")
def means_by_differences(r):
    return lambda xi, X, beta=1.0: mean_within_the_radius(r, by_differences(r, xi, X), xi, X, beta)


@honest("epanechnikov.update")
def means_by_products(r):
    return lambda xi, X, beta=1.0: mean_within_the_radius(r, by_products(r, xi, X), xi, X, beta)


@honest("epanechnikov.energy")
def logarithm_of_parts(r):
    def energy(xi, X, beta=1.0, eps=0.0):
        part = np.maximum(r(1 - r(r(r(beta) / 2) * by_differences(r, xi, X))), 0)
        return r(-r(np.log(r(r.add(part) + r(eps)))) / r(beta))[..., 0]
    return energy
