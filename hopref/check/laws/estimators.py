"""Laws of kernel estimators that draw their own features: unbiased, with the closed-form variance.

`f(x, y, m, rng=seed)` estimates a kernel of the rows of ``x`` and ``y`` (n, d) with m features.
"""
import numpy as np

from hopref.check.laws import about, equal, law

DRAWS, ERRORS, FEATURES = 400, 6.0, 64


def pairs():
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((2, 5, 4))
    return 0.5 * x / np.linalg.norm(x, axis=-1, keepdims=True), \
        0.5 * y / np.linalg.norm(y, axis=-1, keepdims=True)


def estimates(f):
    x, y = pairs()
    return np.stack([f(x, y, FEATURES, rng=seed) for seed in range(DRAWS)])


def gaussian():
    """exp(-|x - y|^2 / 2), and the variance of one feature sqrt(2) cos(omega x + phase)."""
    x, y = pairs()
    k = np.exp(-np.sum((x - y) ** 2, axis=-1) / 2)
    return k, 1 + k**4 / 2 - k**2


@law("estimators.gaussian", id="RF-1", kills=("bandwidth wrong", "1/sqrt(m) missing"), draws=True)
def the_gaussian_kernel_is_estimated_without_bias(f):
    """E of the estimate is exp(-|x - y|^2 / 2), within six standard errors."""
    k, variance = gaussian()
    error = ERRORS * np.sqrt(variance / (FEATURES * DRAWS))
    yield equal(about(np.mean(estimates(f), axis=0), error), k)


@law("estimators.gaussian", id="RF-1", kills=("same phase for every feature",), draws=True)
def the_gaussian_estimate_has_the_known_variance(f):
    """Var = (1 + k^4 / 2 - k^2) / m; its own standard error is sqrt(2 / draws) of it."""
    k, variance = gaussian()
    variance = variance / FEATURES
    error = ERRORS * variance * np.sqrt(2 / (DRAWS - 1))
    yield equal(about(np.var(estimates(f), axis=0, ddof=1), error), variance)
