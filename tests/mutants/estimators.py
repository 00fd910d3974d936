"""Bias, variance and optima of random features, wrong."""
import numpy as np

from hopref import theory
from tests.mutants import mutant


@mutant("theory.derf_log_second_moment")
def second_moment_without_norms(x, y, parameters, /, *, beta=1.0):
    """the determinants left out"""
    a = np.asarray(parameters[0])
    gain = np.sum(np.log(1 - 4 * a) - np.log(1 - 8 * a) / 2)
    return theory.derf_log_second_moment(x, y, parameters, beta=beta) - gain


def changed(name, of=lambda value, x, y, it: value, **instead):
    """A function of theory that answers for other arguments, or its answer altered."""
    def function(x, y, /, **it):
        return of(getattr(theory, name)(x, y, **(it | instead)), np.asarray(x), np.asarray(y), it)
    return function


def wrong(name, op, bug, of=lambda value, x, y, it: value, **instead):
    function = changed(op.removeprefix("theory."), of, **instead)
    function.__name__, function.__doc__ = name, bug
    return mutant(op)(function)


def s_of(x, y):
    return ((x + y) ** 2).sum(-1)


wrong("variance_without_m", "theory.estimator_variance", "the variance of one row", m=1)
wrong("hyperbolic_variance_of_2m", "theory.estimator_variance", "2 m rows for a map of pairs",
      lambda v, x, y, it: v / 2 if it.get("features") == "hyperbolic" else v)
wrong("gerf_variance_of_positive", "theory.estimator_variance", "A ignored", A=0.0)
wrong("relu_variance_bound", "theory.estimator_variance", "the bound 3/2 |x|^2 |y|^2",
      lambda v, x, y, it: 1.5 * (x @ x) * (y @ y) if it.get("features") == "relu" else v)
wrong("pairs_forgotten", "theory.estimator_mse", "rows of a block taken for independent",
      draw="iid")
wrong("simplex_pairs_orthogonal", "theory.estimator_mse", "a simplex with right angles",
      lambda v, x, y, it: theory.estimator_mse(x, y, **it | {"draw": "orthogonal"})
      if it.get("draw") == "simplex" else v)
wrong("smreg_without_bias", "theory.estimator_mse", "the variance alone",
      lambda v, x, y, it: theory.estimator_variance(x, y, **it))
wrong("smreg_gaussian_second_moment", "theory.estimator_mse", "Gaussian rows, and the bias",
      lambda v, x, y, it: theory.estimator_mse(x, y, **it | {"draw": "orthogonal"})
      + theory.estimator_bias(x, y, draw="regularized") ** 2
      if it.get("draw") == "regularized" else v)
wrong("regularized_unbiased", "theory.estimator_bias", "no bias", draw="iid")
wrong("ratio_in_s_for_half_s", "theory.regularized_ratio", "0F1(; d/2; d s/2) for d s/4",
      lambda v, x, y, it: theory.regularized_ratio(2**0.5 * x, 2**0.5 * y, **it))
wrong("pairs_forgotten_in_the_log", "theory.log_relative_mse", "rows taken for independent",
      draw="iid")
wrong("bound_with_the_gain_doubled", "theory.orthogonal_mse_bound", "4 (m - 1) for 2 (m - 1)",
      lambda v, x, y, it: 2 * v - theory.estimator_mse(x, y, m=it["m"]))


@mutant("theory.estimator_variance")
def variance_s_and_t_swapped(x, y, /, **it):
    """|x - y|^2 for |x + y|^2"""
    x, y = np.asarray(x), np.asarray(y)
    return theory.estimator_variance(x, -y, **it) * np.exp(4 * it.get("beta", 1.0) * x @ y)


@mutant("theory.estimator_mse")
def pairs_of_iid(x, y, /, **it):
    """n_b^2 pairs in a block, each row with itself too"""
    x, y = np.asarray(x), np.asarray(y)
    plain = theory.estimator_mse(x, y, **it | {"draw": "iid"})
    return plain + (theory.estimator_mse(x, y, **it) - plain) * 2


@mutant("theory.estimator_mse")
def pair_at_minus_s(x, y, /, **it):
    """1F1(d; d/2; -s/2) for s/2"""
    x, y = np.asarray(x), np.asarray(y)
    if it.get("draw") != "orthogonal" or it.get("features") == "trigonometric":
        return theory.estimator_mse(x, y, **it)
    from scipy.special import hyp1f1
    d, s = len(x), s_of(x, y)
    pair = np.exp(2 * x @ y - s) * (hyp1f1(d, d / 2, -s / 2) - np.exp(s))
    return theory.estimator_mse(x, y, **it | {"draw": "iid"}) + pair / 2


@mutant("theory.estimator_mse")
def gerf_pair_term_scaled(x, y, /, **it):
    """the pair term with D^4, as the square has it"""
    plain = theory.estimator_mse(x, y, **it | {"draw": "iid"})
    return plain + (theory.estimator_mse(x, y, **it) - plain) * (1 - 4 * it.get("A", 0.0)) ** 2


@mutant("theory.log_relative_mse")
def mse_by_a_difference(x, y, /, **it):
    """log of the error formed by its own definition: overflow, and 1F1 - e^s"""
    x, y = np.asarray(x), np.asarray(y)
    with np.errstate(all="ignore"):
        return np.log(theory.estimator_mse(x, y, **it)) - 2 * x @ y \
            if it["draw"] != "orthogonal" else np.log(naive(x, y, **it))


def naive(x, y, *, m, features, draw):
    from scipy.special import hyp1f1
    d = x.shape[-1]
    s = -s_of(x, -y) if features == "trigonometric" else s_of(x, y)
    one = np.expm1(s) if features == "positive" else np.cosh(s) - 1
    blocks, rest = divmod(m, d)
    pairs = blocks * d * (d - 1) + rest * (rest - 1)
    return one / m + pairs / m**2 * (np.exp(-s) * hyp1f1(d, d / 2, s / 2) - 1)


@mutant("theory.arc_cosine_kernel")
def arc_cosine_angle_of_the_other(x, y, /):
    """theta for pi - theta"""
    x, y = np.asarray(x), np.asarray(y)
    size = np.sqrt((x @ x) * (y @ y))
    theta = np.arccos(np.clip(x @ y / size, -1, 1))
    return size * (np.sin(theta) + theta * np.cos(theta)) / (2 * np.pi)


@mutant("theory.kernel_covariance")
def covariance_of_sums_forgotten(xi, X, /, **it):
    """estimates taken for independent with variance of |x|^2"""
    X = np.asarray(X)
    return theory.kernel_covariance(0 * np.asarray(xi), X, **it)
