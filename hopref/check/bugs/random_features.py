"""Bugs of bias, variance and counts of random features, and of their optima."""
import numpy as np

from hopref import theory
from hopref.check.bugs import bug

__all__ = []


def square(x):
    return np.sum(np.asarray(x) ** 2, axis=-1)


def dot(x, y):
    return np.sum(np.asarray(x) * np.asarray(y), axis=-1)


def changed(name, op, of=lambda value, x, y, it: value, **instead):
    """A function of `theory` that is called with other arguments, or whose result is changed."""
    def wrong(x, y, /, **it):
        value = getattr(theory, op.removeprefix("theory."))(x, y, **(it | instead))
        return of(value, np.asarray(x), np.asarray(y), it)
    return bug(name, op)(wrong)


# -- errors ---------------------------------------------------------------------------------------

INDEPENDENT = "independent rows for every draw"
REGISTERED = [
    changed("m ignored", "theory.estimator_variance", m=1),
    changed("2 m rows for a map of pairs", "theory.estimator_variance",
            lambda v, x, y, it: v / 2 if it.get("features") == "hyperbolic" else v),
    changed("A ignored", "theory.estimator_variance", A=0.0),
    changed("the bound 3/2 |x|^2 |y|^2", "theory.estimator_variance",
            lambda v, x, y, it: 1.5 * square(x) * square(y) if it.get("features") == "relu" else v),
    changed("|x - y|^2 in place of |x + y|^2", "theory.estimator_variance",
            lambda v, x, y, it: theory.estimator_variance(x, -y, **it)
            * np.exp(4 * it.get("beta", 1.0) * dot(x, y))),
    changed(INDEPENDENT, "theory.estimator_mse", draw="iid"),
    changed("a simplex with right angles", "theory.estimator_mse",
            lambda v, x, y, it: theory.estimator_mse(x, y, **it | {"draw": "orthogonal"})
            if it.get("draw") == "simplex" else v),
    changed("the variance alone", "theory.estimator_mse",
            lambda v, x, y, it: theory.estimator_variance(x, y, **it)),
    changed("Gaussian rows, and the bias", "theory.estimator_mse",
            lambda v, x, y, it: theory.estimator_mse(x, y, **it | {"draw": "orthogonal"})
            + theory.estimator_bias(x, y, draw="regularized") ** 2
            if it.get("draw") == "regularized" else v),
    changed(INDEPENDENT, "theory.estimator_bias", draw="iid"),
    changed("0F1 of s/2 in place of s/4", "theory.regularized_ratio",
            lambda v, x, y, it: theory.regularized_ratio(2**0.5 * x, 2**0.5 * y, **it)),
    changed(INDEPENDENT, "theory.log_relative_mse", draw="iid"),
    changed("4 (m - 1) in place of 2 (m - 1)", "theory.orthogonal_mse_bound",
            lambda v, x, y, it: 2 * v - theory.estimator_mse(x, y, **it)),
    changed("the state taken for 0", "theory.kernel_covariance",
            lambda v, x, y, it: theory.kernel_covariance(0 * x, y, **it)),
    changed("rounded up to whole blocks", "theory.features_needed",
            lambda v, x, y, it: np.ceil(v / x.shape[-1]) * x.shape[-1]),
    changed("independent rows, plus 1", "theory.features_needed",
            lambda v, x, y, it: v + 1, draw="iid"),
    changed("eps in place of eps^2", "theory.features_needed",
            lambda v, x, y, it: theory.features_needed(x, y, **it | {"error": it["error"] ** 0.5})),
    changed("the other sign", "theory.ratio_bias", lambda v, k, V, it: -v),
    changed("the variance of the denominator left out", "theory.ratio_bias",
            lambda v, k, V, it: -(np.sum(it["covariance"], axis=0) @ V) / np.sum(k) ** 2),
    changed("values not centred", "theory.ratio_variance",
            lambda v, k, V, it: np.sum(V * (it["covariance"] @ V), axis=0) / np.sum(k) ** 2),
    changed("the means left out", "theory.mean_squared_sum",
            lambda v, X, Y, it: it["beta"] * (square(X).mean() + square(Y).mean())),
    changed("beta^2 in place of beta", "theory.mean_squared_sum",
            lambda v, X, Y, it: it["beta"] * v),
]


def pair_term(x, y, it, factor):
    """The error with its pair term weighted."""
    plain = theory.estimator_mse(x, y, **it | {"draw": "iid"})
    return plain + (theory.estimator_mse(x, y, **it) - plain) * factor


@bug("a pair term of n_b^2 pairs", "theory.estimator_mse")
def pairs_of_iid(x, y, /, **it):
    return pair_term(x, y, it, 2.0)


@bug("a pair term that depends on A", "theory.estimator_mse")
def gerf_pair_term_scaled(x, y, /, **it):
    return pair_term(x, y, it, (1 - 4 * it.get("A", 0.0)) ** 2)


@bug("1F1 at -s/2", "theory.estimator_mse")
def pair_at_minus_s(x, y, /, **it):
    from scipy.special import hyp1f1
    if it.get("draw") != "orthogonal" or it.get("features") == "trigonometric":
        return theory.estimator_mse(x, y, **it)
    d, s = len(x), square(x + y)
    pair = np.exp(2 * dot(x, y) - s) * (hyp1f1(d, d / 2, -s / 2) - np.exp(s))
    return theory.estimator_mse(x, y, **it | {"draw": "iid"}) + pair / 2


@bug("the log of a difference", "theory.log_relative_mse")
def mse_by_a_difference(x, y, /, *, m, features="positive", draw="iid", A=0.0, beta=1.0):
    if draw != "orthogonal" or A:
        how = {"m": m, "features": features, "draw": draw, "A": A, "beta": beta}
        return np.log(theory.estimator_mse(x, y, **how)) - 2 * beta * dot(x, y)
    d = x.shape[-1]
    s = beta * (-square(x - y) if features == "trigonometric" else square(x + y))
    one = np.expm1(s) if features == "positive" else np.cosh(s) - 1
    blocks, rest = divmod(m, d)
    pairs = blocks * d * (d - 1) + rest * (rest - 1)
    from scipy.special import hyp1f1
    return np.log(one / m + pairs / m**2 * (np.exp(-s) * hyp1f1(d, d / 2, s / 2) - 1))


@bug("theta in place of pi - theta", "theory.arc_cosine_kernel")
def arc_cosine_angle_of_the_other(x, y, /):
    size = np.sqrt(square(x) * square(y))
    theta = np.arccos(np.clip(dot(x, y) / size, -1, 1))
    return size * (np.sin(theta) + theta * np.cos(theta)) / (2 * np.pi)


@bug("1/delta in place of 1/delta^2", "theory.uniform_features")
def uniform_without_the_square(R, /, *, d, error):
    return theory.uniform_features(R, d=d, error=error) * error * np.exp(-R * R / np.sqrt(d))


@bug("h* once in place of twice", "theory.uniform_features")
def uniform_h_star_once(R, /, *, d, error):
    return theory.uniform_features(R, d=d, error=error * np.exp(R * R / np.sqrt(d) / 2))


# -- optima ---------------------------------------------------------------------------------------

@bug("the published form, which cancels", "theory.gerf_parameter")
def rho_form(s, /, *, d):
    rho = (np.sqrt((2 * s + d) ** 2 + 8 * d * s) - 2 * s - d) / (4 * s)
    return float((1 - 1 / rho) / 8)


@bug("s not divided by d", "theory.gerf_parameter")
def s_not_divided_by_d(s, /, *, d):
    return theory.gerf_parameter(s, d=1 if d > 1 else 2)


@bug("1/32 in place of 1/16", "theory.gerf_parameter")
def half_of_the_optimum(s, /, *, d):
    return theory.gerf_parameter(s, d=d) / 2


@bug("the determinants left out", "theory.derf_log_second_moment")
def second_moment_without_norms(x, y, parameters, /, *, beta=1.0):
    a = np.asarray(parameters[0])
    gain = np.sum(np.log(1 - 4 * a) - np.log(1 - 8 * a) / 2)
    return theory.derf_log_second_moment(x, y, parameters, beta=beta) - gain


def found(X, Y, kind, beta):
    return theory.derf_parameters(X, Y, kind=kind, beta=beta)


def parameters(name):
    """Register wrong parameters of DERF, a function of X, Y, kind and beta."""
    def declare(of):
        def wrong(X, Y, /, *, kind="sderf", beta=1.0):
            return of(np.asarray(X), np.asarray(Y), kind, beta)
        return bug(name, "theory.derf_parameters")(wrong)
    return declare


def scaled_axes(X, Y, kind, beta, power):
    """SADERF with another power of Psi."""
    if kind != "saderf":
        return found(X, Y, kind, beta)
    psi = (np.mean(Y * Y, axis=0) / np.mean(X * X, axis=0)) ** (power / 4)
    s = theory.mean_squared_sum(X * psi, Y / psi, beta=beta)
    A = theory.gerf_parameter(s, d=len(psi))
    root = np.sqrt(1 - 4 * A)
    return theory.Derf(np.full(len(psi), A), root * np.diag(psi), root * np.diag(1 / psi))


@parameters("1/Psi in place of Psi")
def inverse_psi(X, Y, kind, beta):
    return scaled_axes(X, Y, kind, beta, -1)


@parameters("Psi to the fourth power")
def psi_to_the_fourth(X, Y, kind, beta):
    return scaled_axes(X, Y, kind, beta, 4)


@parameters("B for both sides")
def key_matrix_of_the_query(X, Y, kind, beta):
    a, B, _ = found(X, Y, kind, beta)
    return theory.Derf(a, B, B)


@parameters("B and C without sqrt(1 - 4 a)")
def root_missing(X, Y, kind, beta):
    a, B, C = found(X, Y, kind, beta)
    root = np.sqrt(1 - 4 * a)[:, None]
    return theory.Derf(a, B / root, C / root)


@parameters("second moments without the means")
def sderf_without_the_means(X, Y, kind, beta):
    both = [np.concatenate([v, -v]) for v in (X, Y)] if kind == "sderf" else (X, Y)
    return found(*both, kind, beta)


@parameters("one a from the whole of s")
def s_of_derf_not_divided_by_d(X, Y, kind, beta):
    a, B, C = found(X, Y, kind, beta)
    phi = theory.mean_squared_sum(X, Y, beta=beta)
    new = np.full(len(a), theory.gerf_parameter(phi, d=1))
    scale = np.sqrt((1 - 4 * new) / (1 - 4 * a))[:, None]
    return theory.Derf(new, B * scale, C * scale)


@parameters("the axes of ADERF scaled, and nothing else")
def aderf_balanced_by_axes(X, Y, kind, beta):
    return found(X, Y, "saderf" if kind == "aderf" else kind, beta)
