r"""Bias and variance of random-feature estimators of a kernel, in closed form.

An estimate is a mean over m rows, phi(x).phi(y) = sum Z_i / m, for which E Z_i, E Z_i^2 and,
within a block of orthogonal rows, E Z_i Z_j are known.  Divided by the kernel exp(beta x.y), the
moments of positive and hyperbolic estimates are functions of s = beta |x + y|^2, and those of
trigonometric estimates are the same functions of -beta |x - y|^2.  ``x`` and ``y`` (..., d)
broadcast against each other.

Draws are those of `projections`: "iid", "orthogonal", "simplex", "regularized".  For Hadamard and
Givens products and for quasi-Monte Carlo no closed form is known.
"""
import numpy as np

from hopref.errors import DomainError, ShapeError, naming
from hopref.theory.arguments import vectors
from hopref.theory.isotropic import excess
from hopref.theory.moments import (
    MAPS,
    SOFTMAX,
    arc_cosines,
    described,
    log_error,
    log_gain,
    log_variance,
    relative_bias,
)

__all__ = ["arc_cosine_kernel", "estimator_bias", "estimator_variance", "estimator_mse",
           "log_relative_mse", "kernel_covariance", "orthogonal_mse_bound", "regularized_ratio"]


def arc_cosine_kernel(x, y, /):
    r"""Arc-cosine kernel of order 1, the expectation of the estimates of ReLU features.
    Source: the arc-cosine kernel of order 1 [RF-10].

    .. math:: \frac{\|x\| \|y\|}{2\pi} (\sin\theta + (\pi - \theta) \cos\theta)

    Parameters
    ----------
    x, y : (..., d) vectors whose leading axes broadcast

    Returns
    -------
    (...) kernels, >= 0; theta is the angle between x and y

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.arc_cosine_kernel([3.0, 4.0], [3.0, 4.0]))     # |x|^2 / 2
    12.5
    """
    with naming("hopref.theory.arc_cosine_kernel"):
        x, y = vectors(x=x, y=y)
    return arc_cosines(x, y)[0][()]


def estimator_bias(x, y, /, *, features="positive", draw="iid", beta=1.0):
    r"""Bias of the estimate phi(x).phi(y) of the kernel exp(beta x.y).
    Source: Choromanski et al. 2021, Lemma 1, and eq. (30) for rows of one length [RF-2, RF-5].

    .. math:: E\, \phi(x)^T \phi(y) - e^{\beta x^T y}

    Parameters
    ----------
    x, y : (..., d) vectors whose leading axes broadcast
    features : "positive", "hyperbolic", "trigonometric"; "relu" for independent rows, which
        estimate `arc_cosine_kernel`
    draw : "iid", "orthogonal", "simplex" (d >= 2) or "regularized"
    beta : inverse temperature, > 0

    Returns
    -------
    (...) biases; 0 except for "regularized" rows, for which the bias does not depend on their
    number

    Status: read for positive features; derived for the other maps.

    >>> from hopref import theory
    >>> float(theory.estimator_bias([1.0, 0.0], [0.0, 1.0], draw="orthogonal"))
    0.0
    >>> 1 + float(theory.estimator_bias([0.5, 0.0], [-0.5, 0.0], draw="regularized"))   # s = 0
    1.0
    """
    with naming("hopref.theory.estimator_bias"):
        x, y, how = described(x, y, beta, features, draw, MAPS)
    sign, log = relative_bias(how)
    return sign * _exp(log + (x * y).sum(-1))


def estimator_variance(x, y, /, *, m, features="positive", draw="iid", A=0.0, beta=1.0):
    r"""Variance of the estimate phi(x).phi(y) with m rows.
    Source: Choromanski et al. 2021, Lemma 2; closed forms of blocks in 1F1 and 0F1 [RF-4, RF-7].

    .. math:: \frac{V_1}{m} + \frac{\sum_b n_b (n_b - 1)}{m^2} C

    where block b has n_b rows, V_1 is the variance of one row, and C is the covariance of two rows
    of one block.

    Parameters
    ----------
    x, y : (..., d) vectors whose leading axes broadcast
    m : number of rows, >= 1; hyperbolic and trigonometric maps have 2 m features
    features : "positive", "hyperbolic", "trigonometric"; "relu" for independent rows
    draw : "iid", "orthogonal", "simplex" (d >= 2) or "regularized"
    A : parameter of `features.gerf`, < 1/8; 0, or any value for positive features of Gaussian rows
    beta : inverse temperature, > 0

    Returns
    -------
    (...) variances, >= 0

    Notes
    -----
    e^s overflows to inf for s > 709; see `log_relative_mse`.  Draws in blocks require s <= 1e5 and
    take time proportional to s.

    Status: iid read; blocks, GERF and ReLU derived.

    >>> import numpy as np
    >>> from hopref import theory
    >>> x = [0.5 * np.log(2)**0.5]                              # s = ln 2, kernel 2^(1/4)
    >>> round(float(theory.estimator_variance(x, x, m=1)) / 2**0.5, 12)             # e^s - 1
    1.0
    """
    with naming("hopref.theory.estimator_variance"):
        x, y, how = described(x, y, beta, features, draw, MAPS, m, A)
    if features == "relu":
        return _relu_variance(x, y, m)[()]
    return _exp(log_variance(m, how) + 2 * (x * y).sum(-1))


def estimator_mse(x, y, /, *, m, features="positive", draw="iid", A=0.0, beta=1.0):
    r"""Mean squared error of the estimate phi(x).phi(y) with m rows.
    Source: Choromanski et al. 2021, Lemma 2, Theorem 2 [RF-4, RF-5].

    .. math:: \mathrm{Var} + \mathrm{bias}^2

    Parameters
    ----------
    x, y, m, features, draw, A, beta : as in `estimator_variance`

    Returns
    -------
    (...) mean squared errors, >= 0

    Status: as `estimator_variance`.

    >>> from hopref import theory
    >>> float(theory.estimator_mse([0.5, 1.0], [-0.5, -1.0], m=3))      # exact for every draw
    0.0
    """
    with naming("hopref.theory.estimator_mse"):
        x, y, how = described(x, y, beta, features, draw, MAPS, m, A)
    if features == "relu":
        return _relu_variance(x, y, m)[()]
    return _exp(log_error(m, how) + 2 * (x * y).sum(-1))


def log_relative_mse(x, y, /, *, m, features="positive", draw="iid", A=0.0, beta=1.0):
    r"""Logarithm of the mean squared error divided by the squared kernel, without overflow.
    Source: Choromanski et al. 2021, Lemma 2 [RF-1, RF-2, RF-3].

    .. math:: \log E (\phi(x)^T \phi(y) / e^{\beta x^T y} - 1)^2

    Parameters
    ----------
    x, y, m, draw, A, beta : as in `estimator_variance`
    features : "positive", "hyperbolic" or "trigonometric"

    Returns
    -------
    (...) logarithms; -inf where the estimate is exact

    Notes
    -----
    Where an error is far below that of independent rows, its absolute accuracy is the rounding
    error of the latter.

    Status: as `estimator_variance`.

    >>> from hopref import theory
    >>> x = [1e5]
    >>> float(theory.log_relative_mse(x, x, m=1))               # log(e^s - 1), s = 4e10
    40000000000.0
    """
    with naming("hopref.theory.log_relative_mse"):
        x, y, how = described(x, y, beta, features, draw, SOFTMAX, m, A)
    return log_error(m, how)[()]


def kernel_covariance(xi, X, /, *, m, features="positive", A=0.0, beta=1.0):
    r"""Covariance matrix of the estimates phi(xi).phi(x_i) for one draw of m independent rows.
    Source: the catalogue; the diagonal is Choromanski et al. 2021, Lemma 2 [RF-11].

    .. math:: \mathrm{Cov}_{ij} = e^{\beta \xi^T (x_i + x_j)}
              \left(e^{\beta (\xi + x_i)^T (\xi + x_j)} - 1\right) / m

    for positive features.  For hyperbolic features, exp(z) - 1 in the last factor is replaced by
    cosh(z) - 1; for trigonometric features, xi + x is in addition replaced by xi - x in it.

    Parameters
    ----------
    xi : (d,) state
    X : (n, d) patterns, one a row
    m : number of rows, >= 1
    features : "positive", "hyperbolic" or "trigonometric"
    A : parameter of `features.gerf`, < 1/8; 0 unless features are positive
    beta : inverse temperature, > 0

    Returns
    -------
    (n, n) covariances

    Status: derived.

    >>> from hopref import theory
    >>> theory.kernel_covariance([1.0], [[-1.0], [0.0]], m=4)           # x = -xi is exact
    array([[0.        , 0.        ],
           [0.        , 0.42957046]])
    """
    with naming("hopref.theory.kernel_covariance"):
        xi, X, how = described(xi, X, beta, features, "iid", SOFTMAX, m, A)
        if xi.ndim != 1 or X.ndim != 2:
            raise ShapeError(f"xi must be (d,) and X (n, d); got {xi.shape} and {X.shape}")
    z = xi - X if features == "trigonometric" else xi + X
    inner, kernel = z @ z.T, np.exp(X @ xi)
    if features == "positive":
        square = np.diagonal(inner)
        shift = 2 * A * (square[:, None] + square) + (1 - 4 * A) * inner
        apart = np.expm1(log_gain(A, how["d"]) + shift / (1 - 8 * A))
    else:
        apart = 2 * np.sinh(inner / 2) ** 2
    return kernel[:, None] * kernel * apart / m


def orthogonal_mse_bound(x, y, /, *, m, beta=1.0):
    r"""Upper bound on the mean squared error of positive features of orthogonal rows, m <= d.
    Source: Choromanski et al. 2021, Theorem 2, eq. (10) [RF-4].

    .. math:: \mathrm{MSE}_{iid} - \frac{2 (m - 1)}{m (d + 2)}
              \left(e^{x^T y} - e^{-(\|x\|^2 + \|y\|^2)/2}\right)^2

    Parameters
    ----------
    x, y : (..., d) vectors whose leading axes broadcast
    m : number of rows, from 1 to d
    beta : inverse temperature, > 0

    Returns
    -------
    (...) bounds; `estimator_mse` with draw="orthogonal" is the exact error

    Status: read.

    >>> from hopref import theory
    >>> float(theory.orthogonal_mse_bound([0.5, 0.5], [-0.5, -0.5], m=2))
    0.0
    """
    with naming("hopref.theory.orthogonal_mse_bound"):
        x, y, how = described(x, y, beta, "positive", "iid", SOFTMAX, m)
        if m > (d := x.shape[-1]):
            raise DomainError(f"m must be at most d = {d}, one block; got m={m}")
    s, kernel = how["lam"], np.exp((x * y).sum(-1))
    gain = 2 * (m - 1) / (m * (d + 2)) * np.expm1(-s / 2) ** 2
    return (kernel**2 * (np.expm1(s) / m - gain))[()]


def regularized_ratio(x, y, /, *, beta=1.0):
    r"""Expectation of positive features of rows of length sqrt(d), divided by exp(beta x.y).
    Source: Choromanski et al. 2021, Theorem 1 and eq. (30) [RF-5].

    .. math:: e^{-s/2}\, {}_0F_1(; d/2; d s/4) = e^{-w} \sum_k \frac{w^k}{k!}
              \frac{d^k}{d (d+2) \cdots (d+2k-2)}, \quad w = s/2

    Parameters
    ----------
    x, y : (..., d) vectors whose leading axes broadcast
    beta : inverse temperature, > 0

    Returns
    -------
    (...) ratios in (0, 1], about exp(-s^2 / 4d), which is far above the lower bound
    1 - 2 d^{-1/3} + o(d^{-1/3}) of Theorem 1

    Status: read.

    >>> from hopref import theory
    >>> round(float(theory.regularized_ratio([1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0])), 6)
    0.88101
    """
    with naming("hopref.theory.regularized_ratio"):
        how = described(x, y, beta, "positive", "regularized", SOFTMAX)[2]
    return 1 + excess("fixed", how["lam"] / 2, how["d"])[()]


def _relu_variance(x, y, m):
    mean, square = arc_cosines(x, y)
    return (square - mean**2) / m


def _exp(exponent):
    with np.errstate(over="ignore"):
        return np.exp(exponent)[()]
