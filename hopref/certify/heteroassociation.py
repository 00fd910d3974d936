"""Networks that map keys to values, in ball arithmetic.  Reference: Ramsauer et al. 2021."""
from hopref.certify.balls import dot
from hopref.certify.maps import logsumexp, softmax

__all__ = ["energy", "update", "joint_energy", "joint_update"]


def energy(xi, X, G, t=0, *, beta=1):
    return dot((xi - t) @ G, xi - t) / 2 - logsumexp(xi @ X.T, beta=beta)


def update(xi, X, Y, *, beta=1):
    return softmax(xi @ X.T, beta=beta) @ Y


def joint_energy(eta, xi, X, Y, *, beta=1):
    return dot(eta, eta) / 2 - logsumexp(xi @ X.T + eta @ Y.T, beta=beta)


def joint_update(eta, xi, X, Y, *, beta=1):
    return softmax(xi @ X.T + eta @ Y.T, beta=beta) @ Y
