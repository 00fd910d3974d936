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


# -- counts and ratios ----------------------------------------------------------------------------

wrong("needed_in_whole_blocks", "theory.features_needed", "rounded up to whole blocks of d rows",
      lambda v, x, y, it: np.ceil(v / x.shape[-1]) * x.shape[-1])
wrong("needed_for_independent_rows", "theory.features_needed", "what independent rows take, plus 1",
      lambda v, x, y, it: v + 1, draw="iid")
wrong("error_unsquared", "theory.features_needed", "V_1 / eps for V_1 / eps^2",
      lambda v, x, y, it: theory.features_needed(x, y, **it | {"error": it["error"] ** 0.5}))
wrong("bias_of_the_other_sign", "theory.ratio_bias", "the sign of the bias",
      lambda v, k, V, it: -v)
wrong("bias_without_the_denominator", "theory.ratio_bias", "the variance of D left out",
      lambda v, k, V, it: -(np.sum(it["covariance"], 0) @ V) / k.sum() ** 2)
wrong("ratio_of_plain_values", "theory.ratio_variance", "v C v / D^2, values not centred",
      lambda v, k, V, it: (V * (it["covariance"] @ V)).sum(0) / k.sum() ** 2)


@mutant("theory.uniform_features")
def uniform_without_the_square(R, /, *, d, error):
    """1/delta for 1/delta^2"""
    delta = error * np.exp(-R * R / np.sqrt(d))
    return theory.uniform_features(R, d=d, error=error) * delta


@mutant("theory.uniform_features")
def uniform_h_star_once(R, /, *, d, error):
    """delta = eps / h* for eps / h*^2"""
    return theory.uniform_features(R, d=d, error=error * np.exp(R * R / np.sqrt(d) / 2))


# -- optima ---------------------------------------------------------------------------------------

@mutant("theory.gerf_parameter")
def rho_form(s, /, *, d):
    """the published form, which cancels: the wrong sign for s << d"""
    rho = (np.sqrt((2 * s + d) ** 2 + 8 * d * s) - 2 * s - d) / (4 * s)
    with np.errstate(all="ignore"):
        return float((1 - 1 / rho) / 8)


@mutant("theory.gerf_parameter")
def s_not_divided_by_d(s, /, *, d):
    """phi = s"""
    return theory.gerf_parameter(s, d=1 if d > 1 else 2)


@mutant("theory.gerf_parameter")
def half_of_the_optimum(s, /, *, d):
    """1/32 for 1/16"""
    return theory.gerf_parameter(s, d=d) / 2


wrong("mean_of_squares_only", "theory.mean_squared_sum", "E|x|^2 + E|y|^2, the means left out",
      lambda v, X, Y, it: it["beta"] * ((X * X).sum(-1).mean() + (Y * Y).sum(-1).mean()))
wrong("beta_twice_in_s", "theory.mean_squared_sum", "beta^2 for beta",
      lambda v, X, Y, it: it["beta"] * v)


def parameters(name, bug, of):
    def function(X, Y, /, *, kind="sderf", beta=1.0):
        return of(np.asarray(X), np.asarray(Y), kind, beta)
    function.__name__, function.__doc__ = name, bug
    return mutant("theory.derf_parameters")(function)


def found(X, Y, kind, beta):
    return theory.derf_parameters(X, Y, kind=kind, beta=beta)


def scaled_axes(X, Y, kind, beta, power):
    """SADERF with Psi to this power."""
    if kind != "saderf":
        return found(X, Y, kind, beta)
    psi = ((Y * Y).mean(0) / (X * X).mean(0)) ** (power / 4)
    s = theory.mean_squared_sum(X * psi, Y / psi, beta=beta)
    A = theory.gerf_parameter(s, d=len(psi))
    root = np.sqrt(1 - 4 * A)
    return theory.Derf(np.full(len(psi), A), root * np.diag(psi), root * np.diag(1 / psi))


def swapped(X, Y, kind, beta):
    a, B, C = found(X, Y, kind, beta)
    return theory.Derf(a, B, B)


def unrooted(X, Y, kind, beta):
    a, B, C = found(X, Y, kind, beta)
    root = np.sqrt(1 - 4 * a)[:, None]
    return theory.Derf(a, B / root, C / root)


def uncentred(X, Y, kind, beta):
    return found(X, Y, kind, beta) if kind != "sderf" else \
        found(np.concatenate([X, -X]), np.concatenate([Y, -Y]), kind, beta)


def undivided(X, Y, kind, beta):
    a, B, C = found(X, Y, kind, beta)
    phi = theory.mean_squared_sum(X, Y, beta=beta)
    new = np.full(len(a), theory.gerf_parameter(phi, d=1))
    scale = np.sqrt((1 - 4 * new) / (1 - 4 * a))[:, None]
    return theory.Derf(new, B * scale, C * scale)


parameters("inverse_psi", "1/Psi for Psi, as published code has it: unbiased, and worse",
           lambda *it: scaled_axes(*it, power=-1))
parameters("saderf_without_psi", "Psi of the fourth power",
           lambda *it: scaled_axes(*it, power=4))
parameters("key_matrix_of_the_query", "B for both sides", swapped)
parameters("root_missing_from_B", "B without sqrt(1 - 4a)", unrooted)
parameters("sderf_without_the_means", "second moments of x and y only", uncentred)
parameters("derf_s_not_divided_by_d", "one a, from phi = s", undivided)
parameters("aderf_balanced_by_axes", "axes scaled, the rest of the map left out",
           lambda X, Y, kind, beta: found(X, Y, "saderf" if kind == "aderf" else kind, beta))
