"""Dense associative memories: polynomial energies and signs, which are exact, and exponentials.

References: Krotov and Hopfield 2016; Demircigil et al. 2017; Ramsauer et al. 2021, eqs. (544),
(545).
"""
import numpy as np

from hopref.certify.balls import exceeds, exp, raised, sum_of_exponentials, total
from hopref.certify.classical import signs
from hopref.certify.features import rectified
from hopref.certify.maps import logsumexp

__all__ = ["energy", "log_energy", "update", "asynchronous_update", "first_order_update"]

F = {
    "quadratic": lambda z, n: z * z / 2,
    "polynomial": lambda z, n: raised(z, n),
    "rectified": lambda z, n: raised(rectified(z), n),
    "exponential": lambda z, n: exp(z),
}
SLOPES = {
    "quadratic": lambda z, n: z,
    "polynomial": lambda z, n: n * raised(z, n - 1),
    "rectified": lambda z, n: n * raised(rectified(z), n - 1) if n > 1 else step(z),
    "exponential": lambda z, n: exp(z),
}


def step(z):
    return np.frompyfunc(lambda v: int(exceeds(v, 0)), 1, 1)(z)


def energy(xi, X, *, interaction, n):
    return -total(F[interaction](xi @ X.T, n))[..., 0]


def log_energy(xi, X):
    return -logsumexp(xi @ X.T)


def others(xi, X):
    """r_mu,i = sum_{j != i} x_mu,j xi_j, for all patterns and sites."""
    terms = X * xi[..., None, :]
    hollow = 1 - np.eye(X.shape[1], dtype=int)
    return terms @ hollow.astype(object)


def update(xi, X, *, interaction, n):
    return signs(gains(others(xi, X), X, interaction, n), xi, "keep")


def gains(r, x, interaction, n):
    """sum_mu F(r + x) - F(r - x), over the patterns along axis -2."""
    if interaction == "exponential":
        x = np.broadcast_to(x, r.shape)
        columns_of = [np.moveaxis(a, -2, -1) for a in (r + x, r - x)]
        flat = [a.reshape(-1, a.shape[-1]) for a in columns_of]
        found = [sum_of_exponentials([*up, *down], [1] * len(up) + [-1] * len(down))
                 for up, down in zip(*flat, strict=True)]
        result = np.empty(len(found), object)
        result[:] = found
        return result.reshape(columns_of[0].shape[:-1])
    f = F[interaction]
    return np.sum(f(r + x, n) - f(r - x, n), axis=-2)


def asynchronous_update(xi, X, *, order, interaction, n):
    xi = xi.copy()
    for site in order:
        without = xi.copy()
        without[..., site] = 0
        gain = gains((without @ X.T)[..., None], X[:, site, None], interaction, n)[..., 0]
        xi[..., site] = signs(gain, xi[..., site], "keep")
    return xi


def first_order_update(xi, X, *, interaction, n):
    r = others(xi, X)
    if interaction == "exponential":
        return signs(np.sum(X * exp(r), axis=-2), xi, "keep")
    return signs(np.sum(X * SLOPES[interaction](r, n), axis=-2), xi, "keep")
