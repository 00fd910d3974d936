"""Laws of kernel estimators that draw their own features: unbiased, with the closed-form variance.

`f(x, y, m, rng=seed)` estimates a kernel of the rows of ``x`` and ``y`` (n, d) with m features.
"""
import numpy as np

from hopref import theory
from hopref.check.laws import at_most, equal, law, toleranced

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


@law("estimators.gaussian", id="RF-1", kills=("bandwidth wrong", "1/sqrt(m) missing"))
def the_gaussian_kernel_is_estimated_without_bias(f):
    """E of the estimate is exp(-|x - y|^2 / 2), within six standard errors."""
    k, variance = gaussian()
    error = ERRORS * np.sqrt(variance / (FEATURES * DRAWS))
    yield equal(toleranced(np.mean(estimates(f), axis=0), error), k)


@law("estimators.gaussian", id="RF-1", kills=("same phase for every feature",))
def the_gaussian_estimate_has_at_most_the_known_variance(f):
    """Var <= (1 + k^4 / 2 - k^2) / m; its own standard error is sqrt(2 / draws) of it.

    Pairs of a sine and a cosine have (1 - k^2)^2 / 2m, which is less.
    """
    variance = gaussian()[1] / FEATURES
    error = ERRORS * variance * np.sqrt(2 / (DRAWS - 1))
    yield no_more(f, np.var(estimates(f), axis=0, ddof=1), error, variance)


def no_more(f, sample, error, variance):
    """The claim that a variance is at most the known one; a smaller one is remarked."""
    if np.all(sample + error < variance):
        f.remark(f"the variance is {np.mean(sample / variance):.2g} of the known one")
    return at_most(toleranced(sample, error), variance, "variance")


# The maps of the softmax kernel exp(x.y), and ReLU's; independent rows but for the last.

def directed():
    """Pairs with |x + y|^2 <= 1, the first two along and against the diagonal of all ones."""
    x, y = pairs()
    x[:2], y[:2] = [[0.25] * 4, [-0.25] * 4], [[0.25] * 4, [-0.25] * 4]
    return x, y


def judged(f, kernel, **how):
    """The mean, and at most the variance, within six standard errors; no product of features has
    heavier tails than the lognormal one of positive features at s = 1."""
    x, y = directed()
    sample = np.stack([f(x, y, FEATURES, rng=seed) for seed in range(DRAWS)])
    variance = theory.estimator_variance(x, y, m=FEATURES, **how)
    yield equal(toleranced(np.mean(sample, axis=0), ERRORS * np.sqrt(variance / DRAWS)),
                kernel(x, y), "mean")
    kurtosis = (np.exp(4) + 2 * np.exp(3) + 3 * np.exp(2) - 6) / FEATURES
    error = ERRORS * variance * np.sqrt((2 + kurtosis) / DRAWS)
    yield no_more(f, np.var(sample, axis=0, ddof=1), error, variance)


def softmax(x, y):
    return np.exp(np.sum(x * y, axis=-1))


@law("estimators.positive", id="RF-2",
     kills=("|x|^2 in the exponent, not half of it", "same row for every feature"))
def positive_estimates_have_the_known_mean_and_no_more_variance(f):
    """E = exp(x.y), Var <= exp(2 x.y) (e^s - 1) / m, s = |x + y|^2."""
    yield from judged(f, softmax, features="positive")


@law("estimators.hyperbolic", id="RF-3", kills=("a single exponential, not a pair",))
def hyperbolic_estimates_have_the_known_mean_and_no_more_variance(f):
    """E = exp(x.y), Var <= exp(2 x.y) (cosh s - 1) / m, of m rows."""
    yield from judged(f, softmax, features="hyperbolic")


@law("estimators.trigonometric", id="RF-1", kills=("1/sqrt(r), not 1/sqrt(m)",))
def trigonometric_estimates_have_the_known_mean_and_no_more_variance(f):
    """E = exp(x.y), Var <= exp(2 x.y) (cosh |x - y|^2 - 1) / m, of m rows."""
    yield from judged(f, softmax, features="trigonometric")


@law("estimators.relu", id="RF-10", kills=("1e-3 added to every feature",))
def relu_estimates_have_the_known_mean_and_no_more_variance(f):
    """E = the arc-cosine kernel of order 1, Var at most as that of order 2 gives."""
    yield from judged(f, theory.arc_cosine_kernel, features="relu")


@law("estimators.orthogonal", id="RF-4", kills=("rows of an uncorrected QR factor",))
def positive_estimates_of_orthogonal_rows_have_the_known_mean_and_no_more_variance(f):
    """E = exp(x.y), and at most the exact error of blocks of d orthogonal rows of chi length."""
    yield from judged(f, softmax, features="positive", draw="orthogonal")
