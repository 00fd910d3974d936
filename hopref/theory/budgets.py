r"""Numbers of random features for a given error, and the error of a ratio of two estimates.

References: Choromanski et al. 2021, Lemma 2, Theorem 4; the delta method.
"""
import math

import numpy as np

from hopref.dispatch.domains import positive
from hopref.errors import DomainError, ShapeError, naming
from hopref.theory.arguments import vectors
from hopref.theory.moments import SOFTMAX, described, log_error

__all__ = ["features_needed", "ratio_bias", "ratio_variance", "uniform_features"]

MOST = 2**53            # largest number of rows that is exact in float64
SLACK = 2.0**-46        # rounding error of the logarithm of an error


def features_needed(x, y, /, *, error, features="positive", draw="iid", A=0.0, beta=1.0):
    r"""Smallest number of rows with a relative root mean squared error of at most ``error``.

    Source: Choromanski et al. 2021, Lemma 2, and the closed forms of `estimator_mse` [RF-2, RF-4].

    .. math:: \min \{ m : E (\phi(x)^T \phi(y) / e^{\beta x^T y} - 1)^2 \leq \epsilon^2 \}

    Parameters
    ----------
    x, y : (..., d) arrays, vectors, one in each row
    error : float > 0, relative root mean squared error
    features, draw, A : as in `estimator_variance`
    beta : float > 0, inverse temperature

    Returns
    -------
    (...) array of integers as float64; infinite if no number is sufficient, because the rows are
        biased, or if it exceeds 2^53

    Notes
    -----
    For independent rows the number is V_1 / eps^2, rounded up.  Complete blocks reduce the error
    most, so that the error may be larger again for more rows if these begin a new block.

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
    """The smallest number of rows, by bisection over complete blocks, then row by row."""
    def enough(m):
        return log_error(m, how) <= goal + SLACK

    size = 1 if how["draw"] == "iid" else how["d"]
    few, many = 0, 1                            # in blocks: not enough, enough
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
    r"""First-order bias of N/D, with N = sum k_i v_i and D = sum k_i of estimated kernels k.

    Source: the delta method, of second order in the errors of k [RF-12].

    .. math:: -\frac{1^T C v}{D^2} + \frac{(k^T v)\, 1^T C 1}{D^3}

    Parameters
    ----------
    kernel : (n,) array, the expected values of the estimates k_i
    V : (n, v) array, the values
    covariance : (n, n) array, the covariances of the k_i, from `kernel_covariance`, of order 1/m

    Returns
    -------
    (v,) array

    Notes
    -----
    The error is O(1/m^2).  The result is useful only if 1 C 1 / D^2 is well below 1: for m = 8 and
    norms of 0.8 the variance is 9 times too large.

    Status: derived.

    >>> from hopref import theory
    >>> theory.ratio_bias([1.0, 1.0], [[0.0], [1.0]], covariance=[[0.4, 0.0], [0.0, 0.0]])
    array([0.05])
    """
    k, V, C = _ratio("ratio_bias", kernel, V, covariance)
    D, ones = k.sum(), C.sum(-1)
    return -(ones @ V) / D**2 + (k @ V) * ones.sum() / D**3


def ratio_variance(kernel, V, /, *, covariance):
    r"""First-order variance of N/D, with N = sum k_i v_i and D = sum k_i of estimated kernels k.

    Source: the delta method [RF-12].

    .. math:: (v - N/D)^T C (v - N/D) / D^2

    Parameters
    ----------
    kernel : (n,) array, the expected values of the estimates k_i
    V : (n, v) array, the values
    covariance : (n, n) array, the covariances of the k_i, from `kernel_covariance`, of order 1/m

    Returns
    -------
    (v,) array

    Notes
    -----
    The range of validity is that of `ratio_bias`.

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
    r"""Growth of the number of features for a uniform error of all entries of exp(Q K^T / sqrt d).

    Source: Choromanski et al. 2021, Theorem 4: trigonometric features, orthogonal rows [RF-13].

    .. math:: \frac{d}{\delta^2} \ln \frac{4 d^{3/4} R}{\delta}, \quad
              \delta = \epsilon e^{-l^2}, \quad l = R d^{-1/4}

    Parameters
    ----------
    R : float > 0, bound on the norms of queries and keys
    d : float > 0, number of components
    error : float > 0, uniform error of the entries

    Returns
    -------
    float

    Notes
    -----
    The theorem states that m = Theta(result), with any constant probability.  The constant is not
    known, so that the result describes the growth and is not a number of features.  It does not
    depend on the length of the sequence.

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
