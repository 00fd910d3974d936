r"""First and second moments of Z = phi(x) phi(y), the estimate by one row, divided by the kernel.

The moments are functions of d and of one number ``lam``, which is s = beta |x + y|^2 for positive
and hyperbolic maps and -beta |x - y|^2 for trigonometric maps.  Logarithms are factored out where
e^s would overflow, and differences from 1 are computed without cancellation where s is small.
"""
import math

import numpy as np

from hopref.dispatch.domains import Choice, below_an_eighth, count, positive
from hopref.errors import DomainError
from hopref.theory.arguments import vectors
from hopref.theory.isotropic import excess, log_mean, pair_excess

__all__ = ["SOFTMAX", "MAPS", "described", "log_gain", "log_variance", "relative_bias",
           "log_error", "arc_cosines"]

SOFTMAX = Choice(dict.fromkeys(("positive", "hyperbolic", "trigonometric")))
MAPS = Choice(SOFTMAX.names | {"relu": None})
DRAWS = Choice(dict.fromkeys(("iid", "orthogonal", "simplex", "regularized")))
FARTHEST = 1e5          # largest s for draws in blocks, whose series have about s terms


def described(x, y, beta, features, draw, maps, m=1, A=0.0):
    """sqrt(beta) x, sqrt(beta) y, and the parameters of their estimator."""
    x, y = vectors(x=x, y=y)
    for name, domain, value in (("features", maps, features), ("draw", DRAWS, draw),
                                ("m", count, m)):
        domain.validate(name, value)
    A, d = below_an_eighth.validate("A", A), x.shape[-1]
    if features == "relu" and draw != "iid":
        raise DomainError(f"draw must be 'iid' for ReLU features; got draw={draw!r}")
    if draw == "simplex" and d < 2:
        raise DomainError(f"d must be at least 2 for a simplex; got d={d}")
    if A and (features != "positive" or draw == "regularized"):
        raise DomainError("A must be 0 but for positive features of Gaussian rows; got "
                          f"A={A} with features={features!r}, draw={draw!r}")
    x, y = (math.sqrt(positive.validate("beta", beta)) * v for v in (x, y))
    sign = -1 if features == "trigonometric" else 1
    z = x + sign * y
    square = (z * z).sum(-1)
    if draw != "iid" and np.any(square > FARTHEST):
        raise DomainError(f"beta |x + y|^2 (trigonometric: |x - y|^2) must be at most {FARTHEST:g} "
                          f"but for independent rows; got {square.max():g}")
    return x, y, {"lam": sign * square, "d": d, "features": features, "draw": draw, "A": A}


def log_gain(A, d):
    """log of (1 - 4A)^d (1 - 8A)^(-d/2), which is >= 0."""
    return d / 2 * math.log1p(16 * A * A / (1 - 8 * A))


def _covariances(lam, d, features, draw, A):
    """(log, e^-log Var Z, e^-log Cov(Z, Z')), for Z and Z' of two rows of one block."""
    both = features != "positive"
    if draw == "regularized":
        small = _fixed_at_small_s(np.minimum(lam, 1.0), d, both)
        large = _fixed_at_large_s(np.maximum(lam, 1.0), d, both)
        return tuple(np.where(lam <= 1, a, b) for a, b in zip(small, large, strict=True))
    log = np.abs(lam) if both else log_gain(A, d) + lam / (1 - 8 * A)
    own = np.expm1(-log) ** 2 / 2 if both else -np.expm1(-log)
    cosine = {"iid": None, "orthogonal": 0.0, "simplex": -1 / max(d - 1, 1)}[draw]
    return log, own, 0.0 if cosine is None else pair_excess(lam, d, cosine, log, even=both)


def _fixed_at_small_s(lam, d, both):
    """`_covariances` of rows of length sqrt(d) for s <= 1, from the moments minus 1."""
    log = np.abs(lam)
    more = excess("fixed", 2 * lam, d, np.maximum(-2 * lam, 0.0))
    square = np.expm1(-log) ** 2 / 2 + more / 2 if both else -np.expm1(-log) + more
    first = excess("fixed", lam / 2, d, log / 2)
    mean = first * (2 * np.exp(-log / 2) + first)              # (E Z)^2 - 1
    return log, square - mean, excess("fixed", lam, d, log) - mean


def _fixed_at_large_s(lam, d, both):
    """`_covariances` of rows of length sqrt(d) for s >= 1, from the logs of the moments."""
    one, pair = (log_mean("fixed", v, d) for v in (lam / 2, lam))
    square = lam + log_mean("fixed", 2 * lam, d)
    log = np.logaddexp(square, -lam) - math.log(2) if both else square
    return log, -np.expm1(2 * one - log), np.exp(pair - log) - np.exp(2 * one - log)


def log_variance(m, how):
    """Logarithm of the variance with m rows, relative to the squared kernel."""
    log, own, pair = _covariances(**how)
    blocks, rest = divmod(m, how["d"])
    pairs = blocks * how["d"] * (how["d"] - 1) + rest * (rest - 1)
    with np.errstate(divide="ignore"):      # a variance that vanishes may round to less than 0
        return log + np.log(np.maximum(own / m + pairs / m**2 * pair, 0.0))


def relative_bias(how):
    """Sign and log magnitude of the bias relative to the kernel."""
    lam = how["lam"]
    if how["draw"] != "regularized":
        return 0.0 * lam, np.full(np.shape(lam), -np.inf)
    log = np.maximum(-lam, 0.0) / 2
    bias = excess("fixed", lam / 2, how["d"], log)
    with np.errstate(divide="ignore"):
        return np.sign(bias), log + np.log(np.abs(bias))


def log_error(m, how):
    """Logarithm of the mean squared error, relative to the squared kernel."""
    return np.logaddexp(log_variance(m, how), 2 * relative_bias(how)[1])


def arc_cosines(x, y):
    """E f(omega.x)^n f(omega.y)^n for n = 1 and n = 2, where f is the ReLU.

    Both are functions of eta = pi - theta.  Spherical Bessel functions of eta express
    sin eta - eta cos eta, and the corresponding term of order 2, without cancellation.
    """
    from scipy.special import spherical_jn
    norms = [np.sqrt((v * v).sum(-1)) for v in (x, y)]
    a, b = (v / np.where(n > 0, n, 1.0)[..., None] for v, n in zip((x, y), norms, strict=True))
    eta = 2 * np.arctan2(np.sqrt(((a + b) ** 2).sum(-1)), np.sqrt(((a - b) ** 2).sum(-1)))
    size, j1, j2 = norms[0] * norms[1], spherical_jn(1, eta), spherical_jn(2, eta)
    with np.errstate(over="ignore"):
        return size * eta**2 * j1 / (2 * math.pi), \
            size**2 * eta**3 * (np.sin(eta) * j1 - np.cos(eta) * j2) / (2 * math.pi)
