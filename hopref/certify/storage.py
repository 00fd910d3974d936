"""Learning rules: sums of products in ball arithmetic, and projections in rational numbers.

References: the blog, eqs. (1), (5), (6); Tsodyks and Feigel'man 1988; Personnaz, Guyon and Dreyfus
1985; Storkey 1997; Gardner 1988; Willshaw, Buneman and Longuet-Higgins 1969; Kosko 1988.
"""
import numpy as np
from flint import arb, fmpq, fmpq_mat

from hopref.certify.balls import Undecided, exceeds

__all__ = ["hebbian", "covariance", "projection", "storkey", "perceptron", "willshaw",
           "willshaw_pairs", "bam"]


def hebbian(X, *, scale=1, zero_diagonal=False):
    W = scale * (X.T @ X)
    return np.where(np.eye(len(W), dtype=bool), 0, W) if zero_diagonal else W


def covariance(X, *, activity=None, zero_diagonal=False):
    p = np.sum(X) / max(1, X.size) if activity is None else activity
    return hebbian(X - p, zero_diagonal=zero_diagonal)


def projection(X, *, sequence="none"):
    """Y^T (X X^T)^-1 X of the patterns that are not in the span of earlier ones: Y = X, or the
    patterns after them."""
    rows = [[_rational(v) for v in row] for row in X]
    after = {"none": rows, "loop": rows[1:] + rows[:1],
             "open": [*rows[1:], [fmpq(0)] * X.shape[1]]}[sequence]
    basis, images = [], []
    for row, image in zip(rows, after, strict=True):
        if fmpq_mat([*basis, row]).rref()[1] > len(basis):
            basis.append(row)
            images.append(image)
    d = X.shape[1]
    if not basis or not d:
        return np.zeros((d, d), object)
    A = fmpq_mat(basis)
    W = fmpq_mat(images).transpose() * (A * A.transpose()).inv() * A
    return np.array([[arb(W[i, j]) for j in range(d)] for i in range(d)], object)


def _rational(v):
    """The machine number of a ball of radius 0."""
    if not isinstance(v, arb):
        return fmpq(v)
    if not v.is_exact():
        raise Undecided
    return v.fmpq()


def storkey(X):
    d = X.shape[1]
    W = np.zeros((d, d), object)
    for x in X:
        H = np.zeros((d, d), object)
        for i in range(d):
            for j in range(d):
                H[i, j] = sum(W[i, k] * x[k] for k in range(d) if k not in (i, j))
        W = W + (np.outer(x, x) - x[:, None] * H.T - H * x) / d
        W = np.where(np.eye(d, dtype=bool), 0, W)
    return W


def perceptron(X, *, epochs, margin=0):
    """Row by row; x h <= margin |w| is decided by squares, without a root."""
    d = X.shape[1]
    W = np.zeros((d, d), object)
    for _ in range(epochs):
        for x in X:
            for i in range(d):
                aligned = x[i] * sum(W[i] * x)
                stable = exceeds(aligned, 0) and exceeds(aligned**2, margin**2 * sum(W[i] ** 2))
                if not stable:
                    W[i] = W[i] + np.where(np.arange(d) == i, 0, x[i] * x)
    return W


def willshaw(X):
    return willshaw_pairs(X, X)


def willshaw_pairs(X, Y):
    return np.frompyfunc(lambda v: int(exceeds(v, 0)), 1, 1)(Y.T @ X)


def bam(X, Y):
    return Y.T @ X
