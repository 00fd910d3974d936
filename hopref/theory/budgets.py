r"""Number of random features for a given error; bias and variance of ratios of estimates.

References: Choromanski et al. 2021, Lemma 2, Theorem 4; the delta method.
"""
import math

import numpy as np

from hopref.dispatch.domains import positive
from hopref.errors import DomainError, ShapeError, naming
from hopref.theory.arguments import vectors
from hopref.theory.moments import SOFTMAX, described, log_error

__all__ = ["features_needed", "ratio_bias", "ratio_variance", "uniform_features"]

MOST = 2**53            # above this number of rows a count is not exact
SLACK = 2.0**-46        # rounding of the log of an error that equals its goal


def features_needed(x, y, /, *, error, features="positive", draw="iid", A=0.0, beta=1.0):
    r"""Smallest number of rows whose root mean squared error is ``error`` times the kernel.
    Source: Choromanski et al. 2021, Lemma 2, and the closed forms of `estimator_mse` [RF-2, RF-4].

    .. math:: \min \{ m : E (\phi(x)^T \phi(y) / e^{\beta x^T y} - 1)^2 \leq \epsilon^2 \}

    Parameters
    ----------
    x, y : (..., d) vectors whose leading axes broadcast
    error : epsilon, the relative root mean squared error, > 0
    features : "positive", "hyperbolic" or "trigonometric"
    draw : "iid", "orthogonal", "simplex" (d >= 2) or "regularized"
    A : parameter of `features.gerf`, < 1/8; 0 unless features are positive and rows Gaussian
    beta : inverse temperature, > 0

    Returns
    -------
    (...) integers as float64; infinite where no number of rows up to 2^53 reaches the error

    Notes
    -----
    Independent rows need V_1 / eps^2, rounded up.  Biased rows may not reach the error with any
    number of rows.  Orthogonal blocks reduce the error most when they are complete; with more rows
    than the result, the error can exceed the goal again where a block is incomplete.

    Status: derived.

    >>> import math
    >>> from hopref import theory
    >>> x = [math.sqrt(math.log(2)) / 2]                                # e^s - 1 = 1
    >>> float(theory.features_needed(x, x, error=0.125))
    64.0
    """
    with naming("hopref.theory.features_needed"):
        x, y, how = described(x, y, beta, features, draw, SOFTMAX, A=A)
        goal = 2 * math.log(positive.validate("error", error))
    lam = np.atleast_1d(how["lam"])
    counts = [_smallest(how | {"lam": one}, goal) for one in lam.ravel()]
    return np.reshape(np.array(counts), how["lam"].shape)[()]


def _smallest(how, goal):
    """Smallest number of rows: bisection in whole blocks, then row by row in the last block."""
    def enough(m):
        return log_error(m, how) <= goal + SLACK

    size = 1 if how["draw"] == "iid" else how["d"]
    few, many = 0, 1                            # in blocks: too few, enough
    while not enough(size * many):
        few, many = many, 2 * many
        if size * many > MOST:
            return math.inf
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(size * middle) else (middle, many)
    return float(next((m for m in range(max(size * few, 1), size * many) if enough(m)),
                      size * many))


def ratio_bias(kernel, V, /, *, covariance):
    r"""Bias of the ratio N/D of estimated kernels k, N = sum k_i v_i and D = sum k_i.
    Source: the delta method, to second order in the errors of k [RF-12].

    .. math:: -\frac{1^T C v}{D^2} + \frac{(k^T v)\, 1^T C 1}{D^3}

    Parameters
    ----------
    kernel : (n,) expectations of the estimates k_i; their sum must not be 0
    V : (n, v) values
    covariance : (n, n) covariances of the k_i, of order 1/m; see `kernel_covariance`

    Returns
    -------
    (v,) biases

    Notes
    -----
    The error of the approximation is O(1/m^2).  The approximation requires 1^T C 1 / D^2 << 1: for
    m = 8 and norms of 0.8, `ratio_variance` is 9 times too large.

    Status: derived.

    >>> from hopref import theory
    >>> theory.ratio_bias([1.0, 1.0], [[0.0], [1.0]], covariance=[[0.4, 0.0], [0.0, 0.0]])
    array([0.05])
    """
    k, V, C = _ratio("ratio_bias", kernel, V, covariance)
    D, ones = k.sum(), C.sum(-1)
    return -(ones @ V) / D**2 + (k @ V) * ones.sum() / D**3


def ratio_variance(kernel, V, /, *, covariance):
    r"""Variance of the ratio N/D of estimated kernels, to first order.
    Source: the delta method [RF-12].

    .. math:: (v - N/D)^T C (v - N/D) / D^2

    Parameters
    ----------
    kernel : (n,) expectations of the estimates k_i; their sum must not be 0
    V : (n, v) values
    covariance : (n, n) covariances of the k_i, of order 1/m; see `kernel_covariance`

    Returns
    -------
    (v,) variances; `ratio_bias` states where the approximation is accurate

    Status: derived.

    >>> from hopref import theory
    >>> theory.ratio_variance([1.0, 1.0], [[0.0], [1.0]], covariance=[[0.4, 0.0], [0.0, 0.0]])
    array([0.025])
    """
    k, V, C = _ratio("ratio_variance", kernel, V, covariance)
    away = V - k @ V / k.sum()
    return (away * (C @ away)).sum(0) / k.sum() ** 2


def _ratio(function, kernel, V, covariance):
    with naming(f"hopref.theory.{function}"):
        (k,), (V,), (C,) = (vectors(**{name: v}) for name, v in
                            (("kernel", kernel), ("V", V), ("covariance", covariance)))
        n = k.shape[-1]
        if k.shape != (n,) or V.ndim != 2 or len(V) != n or C.shape != (n, n):
            raise ShapeError("kernel, V and covariance must be (n,), (n, v) and (n, n); got "
                             f"{k.shape}, {V.shape} and {C.shape}")
        if not k.sum():
            raise DomainError(f"kernel must have a sum other than 0; got {k.sum()}")
    return k, V, C


def uniform_features(R, /, *, d, error):
    r"""Growth of the number of features that estimates exp(Q K^T / sqrt d) uniformly.
    Source: Choromanski et al. 2021, Theorem 4: trigonometric features, orthogonal rows [RF-13].

    .. math:: \frac{d}{\delta^2} \ln \frac{4 d^{3/4} R}{\delta}, \quad
              \delta = \epsilon e^{-l^2}, \quad l = R d^{-1/4}

    Parameters
    ----------
    R : bound on the norms of queries and keys, > 0
    d : number of components, > 0
    error : epsilon, the largest error of an entry, > 0

    Returns
    -------
    float, proportional to the number of features

    Notes
    -----
    The theorem states m = Theta of this value, with any constant probability.  The constant is
    unknown, so the value is a growth rate and not a number of features.  It does not depend on the
    length of the sequence.

    Status: read.

    >>> import math
    >>> from hopref import theory
    >>> round(theory.uniform_features(1.0, d=1, error=math.e), 12)      # delta = 1: ln 4
    1.38629436112
    """
    with naming("hopref.theory.uniform_features"):
        R, error = positive.validate("R", R), positive.validate("error", error)
        d = positive.validate("d", d)
    delta = error * math.exp(-R * R / math.sqrt(d))
    return d / delta**2 * math.log(4 * d**0.75 * R / delta)
