"""Kernelised modern networks in ball arithmetic, by the matrix of the kernel.

References: Wu et al. 2024; Ramsauer et al. 2021, eqs. (2), (3).
"""
from hopref.certify.balls import dot, log
from hopref.certify.maps import logsumexp, softmax
from hopref.certify.modern import squared_radius

__all__ = ["energy", "update"]


def energy(xi, X, W, *, beta=1):
    G = W.T @ W
    return (-logsumexp(xi @ G @ X.T, beta=beta) + dot(xi @ G, xi) / 2 + log(len(X)) / beta
            + squared_radius(X @ W.T) / 2)


def update(xi, X, W, *, beta=1):
    return softmax(xi @ W.T @ (X @ W.T).T, beta=beta) @ X
