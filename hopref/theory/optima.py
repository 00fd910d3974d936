r"""Variance-minimising parameters of exponential features, computed from data.

The features are exponentials of a quadratic form in the row: `features.gerf` has one parameter A,
`features.derf` a parameter a_l for each axis.  The objective is the logarithm of the second moment
of one feature, averaged over all pairs.

References: the CRT paper and the FAVOR# paper, as quoted and corrected in the catalogue.
"""
import math
from typing import NamedTuple

import numpy as np

from hopref.dispatch.domains import Choice, nonnegative, positive
from hopref.errors import DomainError, ShapeError, naming
from hopref.theory.arguments import vectors

__all__ = ["Derf", "mean_squared_sum", "gerf_parameter", "derf_parameters",
           "derf_log_second_moment"]


class Derf(NamedTuple):
    """Arguments of `features.derf`: ``a`` (d,) for both sides, ``B`` (d, d) for x, ``C`` for y."""
    a: np.ndarray
    B: np.ndarray
    C: np.ndarray


def mean_squared_sum(X, Y, /, *, beta=1.0):
    r"""Mean of beta |x + y|^2 over all pairs of a row of X and a row of Y.
    Source: FAVOR++, where it replaces s [RF-7].

    .. math:: \beta (E \|x\|^2 + E \|y\|^2 + 2\, E[x]^T E[y])

    Parameters
    ----------
    X : (n, d) vectors, one a row
    Y : (l, d) vectors, one a row
    beta : inverse temperature, > 0

    Returns
    -------
    float >= 0

    Status: derived.

    >>> from hopref import theory
    >>> theory.mean_squared_sum([[1.0], [-1.0]], [[2.0]])
    5.0
    """
    X, Y = _tables("mean_squared_sum", X, Y, beta)
    return float(np.trace(_mean_squares(X, Y)))


def gerf_parameter(s, /, *, d):
    r"""Parameter A <= 0 of `features.gerf` that minimises the variance at |x + y|^2 = s.
    Source: FAVOR++ (CRT paper, optimum of the positive features), in a stable form [RF-7].

    .. math:: A = \tfrac1{16} (1 - 2\phi - \sqrt{(2\phi + 1)^2 + 8\phi}), \quad \phi = s / d

    Parameters
    ----------
    s : beta |x + y|^2, >= 0; for several pairs its mean, `mean_squared_sum`
    d : number of components, > 0

    Returns
    -------
    float <= 0

    Notes
    -----
    For phi < 1/2 the equivalent form -phi / (1 - 2 phi + sqrt(...)) avoids cancellation.

    Status: derived.

    >>> from hopref import theory
    >>> theory.gerf_parameter(0.25, d=1) * 16                           # 1/2 - sqrt(17)/2
    -1.5615528128088303
    """
    with naming("hopref.theory.gerf_parameter"):
        s, d = nonnegative.validate("s", s), positive.validate("d", d)
    return float(_optimal_a(s / d))


def _optimal_a(phi):
    root = np.sqrt((2 * phi + 1) ** 2 + 8 * phi)
    small = np.minimum(phi, 0.5)
    return np.where(phi < 0.5, -phi / (1 - 2 * small + root), (1 - 2 * phi - root) / 16)


KINDS = Choice(dict.fromkeys(("sderf", "aderf", "saderf")))


def derf_parameters(X, Y, /, *, kind="sderf", beta=1.0):
    r"""Parameters of `features.derf` for products of rows of X with rows of Y.
    Source: FAVOR#, its theorems on symmetric, asymmetric and simplified features [RF-8].

    .. math:: B^T (I - 4A)^{-1} C = I, \qquad
              a_l = \tfrac1{16} (1 - 2\phi_l - \sqrt{(2\phi_l + 1)^2 + 8\phi_l})

    Parameters
    ----------
    X : (n, d) vectors, one a row
    Y : (l, d) vectors, one a row
    kind : "sderf" takes B = C from the eigenvectors of the mean of (x + y)(x + y)^T, whose
        eigenvalues are phi.  "aderf" does so after the linear map that gives x and y the same
        diagonal matrix of second moments.  "saderf" takes a_l = A after scaling each axis of x by
        Psi_l = (E y_l^2 / E x_l^2)^(1/4) and of y by 1/Psi_l (by 1 where either moment is 0).
    beta : inverse temperature, > 0

    Returns
    -------
    Derf : (a, B, C)

    Raises
    ------
    DomainError : kind is "aderf" and the second moments do not have full rank

    Notes
    -----
    Every kind preserves x.y.  Scaling x by 1/Psi in place of Psi also preserves x.y and gives
    unbiased estimates, with a larger error than without scaling.

    Status: derived.

    >>> from hopref import theory
    >>> X = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    >>> a, B, C = theory.derf_parameters(X, X)                          # phi = 1, 1
    >>> a * 16
    array([-5.12310563, -5.12310563])
    """
    with naming("hopref.theory.derf_parameters"):
        KINDS.validate("kind", kind)
    X, Y = _tables("derf_parameters", X, Y, beta)
    T, U = _transforms(kind, X, Y)
    phi, Q = np.linalg.eigh(_mean_squares(X @ T.T, Y @ U.T))
    if kind == "saderf":
        phi, Q = np.full(len(phi), phi.mean()), np.eye(len(phi))
    a = _optimal_a(np.maximum(phi, 0.0))
    root = np.sqrt(1 - 4 * a)[:, None] * Q.T
    return Derf(a, root @ T, root @ U)


def _transforms(kind, X, Y):
    """The matrices T for x and U = T^-T for y."""
    one, two = (v.T @ v / len(v) for v in (X, Y))
    if kind == "saderf":
        p, q = np.diagonal(one), np.diagonal(two)
        known = (p > 0) & (q > 0)
        psi = (np.where(known, q, 1.0) / np.where(known, p, 1.0)) ** 0.25
        return np.diag(psi), np.diag(1 / psi)
    if kind == "sderf":
        return np.eye(len(one)), np.eye(len(one))
    try:
        L, M = np.linalg.cholesky(one), np.linalg.cholesky(two)
    except np.linalg.LinAlgError:
        raise DomainError("hopref.theory.derf_parameters: X and Y must have second moments of full "
                          "rank for kind='aderf'; got a singular matrix.") from None
    W, sigma, Vt = np.linalg.svd(L.T @ M)
    root = np.sqrt(sigma)[:, None]
    return root * W.T @ np.linalg.inv(L), root * Vt @ np.linalg.inv(M)


def derf_log_second_moment(x, y, parameters, /, *, beta=1.0):
    r"""Logarithm of E Z^2 / exp(2 beta x.y), where Z is the product of a feature of x and one of y.
    Source: FAVOR#, its second moment; for one number A that of FAVOR++ [RF-7, RF-8].

    .. math:: \sum_l \log(1 - 4a_l) - \tfrac12 \log(1 - 8a_l)
              + z_l^2 / (1 - 8a_l), \quad z = (I - 4A)^{-1/2} (B x + C y)

    Parameters
    ----------
    x, y : (..., d) vectors whose leading axes broadcast
    parameters : Derf, or a tuple (a, B, C) of a (d,) below 1/8 and two (d, d) matrices
    beta : inverse temperature, > 0

    Returns
    -------
    (...) logarithms L; m independent rows have the relative variance (e^L - 1) / m

    Status: derived.

    >>> from hopref import theory
    >>> plain = theory.Derf([0.0], [[1.0]], [[1.0]])                    # positive features: s
    >>> float(theory.derf_log_second_moment([1.0], [2.0], plain))
    9.0
    """
    with naming("hopref.theory.derf_log_second_moment"):
        x, y = vectors(x=x, y=y)
        (a,), (B,), (C,) = (vectors(**{k: v}) for k, v in zip("aBC", parameters, strict=True))
        d = x.shape[-1]
        if a.shape != (d,) or B.shape != (d, d) or C.shape != (d, d):
            raise ShapeError(f"a, B and C must be (d,), (d, d) and (d, d) for d = {d}; got "
                             f"{a.shape}, {B.shape} and {C.shape}")
        if np.any(a >= 0.125):
            raise DomainError(f"a must be below 1/8; got {a.max()}")
        root = math.sqrt(positive.validate("beta", beta))
    z = root * (x @ B.T + y @ C.T) / np.sqrt(1 - 4 * a)
    return np.sum(np.log1p(16 * a * a / (1 - 8 * a)) / 2 + z * z / (1 - 8 * a), axis=-1)[()]


def _tables(function, X, Y, beta):
    with naming(f"hopref.theory.{function}"):
        X, Y = (vectors("n,d", **{k: v})[0] for k, v in (("X", X), ("Y", Y)))
        if X.shape[1] != Y.shape[1]:
            raise ShapeError(f"X and Y must agree in d; got {X.shape} and {Y.shape}")
        return (math.sqrt(positive.validate("beta", beta)) * v for v in (X, Y))


def _mean_squares(X, Y):
    """The mean of (x + y)(x + y)^T over all pairs."""
    cross = np.outer(X.mean(0), Y.mean(0))
    return X.T @ X / len(X) + Y.T @ Y / len(Y) + cross + cross.T
