"""Laws of the parameters of exponential features, of counts of features, and of ratios of two
estimates."""
import numpy as np

from hopref import features, theory
from hopref.check.cases.draws import floats, integers, records, sampled
from hopref.check.cases.quadrature import gaussian_rows
from hopref.check.laws import at_most, equal, holds, law, toleranced

U = 2.0**-53


# -- optima ---------------------------------------------------------------------------------------

@law("theory.gerf_parameter", id="RF-7", over=records(s=floats(1e-30, 1e30), d=integers(1, 1000)),
     kills=("the published form, which cancels", "s not divided by d", "1/32 in place of 1/16"))
def the_parameter_solves_its_equation(f, s, d):
    """d/dA [log(1 - 4A) - log(1 - 8A)/2 + phi/(1 - 8A)] = 0 at phi = s/d: with B = -8A >= 0,
    B (1 + B) = 2 phi (2 + B), whose terms are all positive."""
    A = f(s, d=d)
    B, phi = -8 * A, 2 * s / d
    size = B * (1 + B) + phi * (2 + B)
    yield equal(toleranced(B * (1 + B), 64 * U * size), phi * (2 + B))
    yield holds(A < 0, "negative")


@law("theory.gerf_parameter", id="RF-7",
     over=records(s=floats(0.01, 8.0), d=integers(1, 20), other=floats(-2.0, 0.12)),
     kills=("s not divided by d", "1/32 in place of 1/16"))
def no_other_parameter_has_a_smaller_variance(f, s, d, other):
    """The variance of one GERF feature at |x + y|^2 = s is least at A."""
    x = np.full(d, np.sqrt(s / d) / 2)
    best, another, none = (f.theory.estimator_variance(x, x, m=1, A=A)
                           for A in (f(s, d=d), other, 0.0))
    yield at_most(best, toleranced(another, 64 * U * (1 + s) * another), "another")
    yield at_most(best, none, "none")


def clouds(seed, d=3, n=40, shift=0.3):
    """Anisotropic, shifted queries and keys."""
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((2, n, d)) * 0.5
    return X @ rng.standard_normal((d, d)) + shift, Y * np.geomspace(0.25, 2, d) - shift


def objective(X, Y, parameters):
    """Mean over all pairs of the log of the second moment: sums over 40^2 pairs of a few terms."""
    mean = np.mean(theory.derf_log_second_moment(X[:, None], Y, parameters))
    return toleranced(mean, 4000 * U * (1 + abs(mean)))


@law("theory.mean_squared_sum", id="RF-7",
     over=records(seed=integers(0, 99), beta=sampled([0.25, 1.0])),
     kills=("the means left out", "beta^2 in place of beta"))
def the_mean_squared_sum_is_over_all_pairs(f, seed, beta):
    """beta times the mean of |x_i + y_j|^2."""
    X, Y = clouds(seed)
    want = beta * np.sum((X[:, None] + Y) ** 2, axis=-1)
    radius = 400 * U * want.max()
    yield equal(f(X, Y, beta=beta), toleranced(want.mean(), radius))


@law("theory.derf_parameters", id="RF-8",
     kills=("B for both sides", "B and C without sqrt(1 - 4 a)"))
def parameters_of_every_kind_are_unbiased(f):
    """B^T (I - 4A)^-1 C = I, and so the mean over N(0, I) is exp(beta x.y)."""
    X, Y = (v[:, :2] for v in clouds(1))
    omega, p = gaussian_rows(2)
    for kind in ("sderf", "aderf", "saderf"):
        a, B, C = f(X, Y, kind=kind, beta=0.25)
        size = np.abs(B).T @ np.abs(C)
        yield equal(toleranced(B.T @ np.diag(1 / (1 - 4 * a)) @ C, 400 * U * size), np.eye(2), kind)
        for x, y in zip(X[:5], Y[:5], strict=True):
            Z = len(omega) * features.derf(x, omega, a, B, beta=0.25) \
                * features.derf(y, omega, a, C, beta=0.25)
            radius = (len(p) + 2000 + 400 * size.max()) * U * (p @ Z)
            yield equal(toleranced(p @ Z, radius), np.exp(x @ y / 4), f"mean, {kind}")


@law("theory.derf_parameters", id="RF-8", over=records(seed=integers(0, 99)),
     kills=("1/Psi in place of Psi", "Psi to the fourth power", "second moments without the means",
            "one a from the whole of s"))
def kinds_are_ordered_by_what_they_may_choose(f, seed):
    """Positive features are GERF at A = 0, GERF is SDERF with one a, SADERF may scale the axes
    besides: no kind is worse than what it contains, and no other a is better.  An inverted Psi is
    unbiased all the same."""
    X, Y = clouds(seed)
    d, one = 3, np.eye(3)
    A = theory.gerf_parameter(theory.mean_squared_sum(X, Y), d=d)
    root = np.sqrt(1 - 4 * A)
    plain = objective(X, Y, (np.zeros(d), one, one))
    gerf = objective(X, Y, (np.full(d, A), root * one, root * one))
    found = {kind: f(X, Y, kind=kind) for kind in ("sderf", "saderf")}
    best = {kind: objective(X, Y, parameters) for kind, parameters in found.items()}
    yield at_most(gerf, plain, "GERF")
    for kind in found:
        yield at_most(best[kind], gerf, kind)
    a, B, C = found["sderf"]
    for da in 1e-3 * np.concatenate([one, -one]):
        scale = np.sqrt((1 - 4 * (a + da)) / (1 - 4 * a))[:, None]
        yield at_most(best["sderf"], objective(X, Y, (a + da, B * scale, C * scale)), "nudged")


@law("theory.derf_parameters", id="RF-8", kills=("the axes of ADERF scaled, and nothing else",))
def for_centred_data_no_linear_change_beats_the_asymmetric_kind(f):
    """x -> T x, y -> T^-T y leave x.y alone; near the optimum every T is worse, and so is the
    scaling of axes, which is one such T."""
    X, Y = (np.concatenate([v, -v]) for v in clouds(5, shift=0.0))
    a, B, C = f(X, Y, kind="aderf")
    best = objective(X, Y, (a, B, C))
    for kind in ("saderf", "sderf"):
        yield at_most(best, objective(X, Y, f(X, Y, kind=kind)), kind)
    rng, root = np.random.default_rng(0), np.sqrt(1 - 4 * a)[:, None]
    for _ in range(40):
        T = np.eye(3) + 0.05 * rng.standard_normal((3, 3))
        turned = root * (T @ (B / root)), root * (np.linalg.inv(T).T @ (C / root))
        yield at_most(best, objective(X, Y, (a, *turned)), "turned")


@law("theory.derf_log_second_moment", id="RF-8", kills=("the determinants left out",))
def the_second_moment_of_derf_is_that_of_its_features(f):
    """log E (phi(x) phi(y))^2 - 2 beta x.y, by quadrature over N(0, I).

    The terms are exponentials of up to 200.
    """
    X, Y = (v[:, :2] for v in clouds(1))
    omega, p = gaussian_rows(2)
    parameters = theory.derf_parameters(X, Y, kind="aderf", beta=0.25)
    a, B, C = parameters
    for x, y in zip(X[:5], Y[:5], strict=True):
        Z = len(omega) * features.derf(x, omega, a, B, beta=0.25) \
            * features.derf(y, omega, a, C, beta=0.25)
        want = toleranced(np.log(p @ Z**2) - x @ y / 2, (len(p) + 2000) * U)
        yield equal(f(x, y, parameters, beta=0.25), want)


# -- counts ---------------------------------------------------------------------------------------

@law("theory.features_needed", id="RF-4",
     over=records(s=floats(0.01, 6.0), d=integers(2, 9), error=floats(0.05, 1.0),
                  kind=sampled(["positive", "hyperbolic", "trigonometric"]),
                  draw=sampled(["iid", "orthogonal", "simplex"])),
     kills=("rounded up to whole blocks", "independent rows, plus 1", "eps in place of eps^2"))
def the_count_is_enough_and_no_smaller_one_is(f, s, d, error, kind, draw):
    """m features have a relative error of at most eps, and none of those tried below m has.

    Logarithms of errors err by 16 (1 + s) roundings of the error, and 16 of their own.
    """
    x, y = np.zeros((2, d))
    x[0] = np.sqrt(s)
    how, goal = {"features": kind, "draw": draw}, 2 * np.log(error)
    goal = toleranced(goal, 16 * U * (1 + s + abs(goal)))
    m = f(x, y, error=error, **how)
    yield holds(m == np.floor(m) and m >= 1, "a count")
    yield at_most(theory.log_relative_mse(x, y, m=int(m), **how), goal, "enough")
    for k in {*range(max(int(m) - 2 * d, 1), int(m)), *range(1, min(int(m), 9))}:
        yield at_most(goal, theory.log_relative_mse(x, y, m=k, **how), f"no less than {k}")


@law("theory.features_needed", id="RF-2",
     kills=("independent rows, plus 1", "eps in place of eps^2"))
def independent_rows_take_v1_over_the_squared_error(f):
    """V_1 = e^s - 1 = 1 at s = ln 2: 64 features for 1/8."""
    x = np.array([np.sqrt(np.log(2)) / 2])
    yield equal(f(x, x, error=0.125), 64)
    yield equal(f(x, x, error=0.1249), 65)
    yield equal(f(x, -x, error=1e-9), 1, "without variance")
    x = np.full(4, 0.5)
    some, more = (f(x, x, error=0.1, draw=draw) for draw in ("orthogonal", "iid"))
    yield holds(some < more, "blocks take fewer")


@law("theory.uniform_features", id="RF-13",
     over=records(R=floats(0.25, 2.0), d=integers(1, 64), error=floats(1e-6, 1e-2)),
     kills=("1/delta in place of 1/delta^2", "h* once in place of twice"))
def the_uniform_count_scales_as_theorem_4_says(f, R, d, error):
    """d delta^-2 log(4 d^(3/4) R / delta), delta = eps exp(-R^2/sqrt(d))."""
    delta = error * np.exp(-R * R / np.sqrt(d))
    log = np.log(4 * d**0.75 * R / delta)
    ratio = f(R, d=d, error=error / 2) / f(R, d=d, error=error)
    yield equal(toleranced(ratio, 400 * U * ratio), 4 * (log + np.log(2)) / log, "halved error")
    got = f(R, d=d, error=error) * delta**2 / d
    yield equal(toleranced(got, 400 * U * log), log)


# -- ratios ---------------------------------------------------------------------------------------

PLACE = np.array([0.25, 0.1]), np.array([[0.5, 0.0], [0.0, 0.5], [-0.3, 0.1]])


@law("theory.ratio_bias", "theory.ratio_variance", id="RF-12",
     kills=("the other sign", "the variance of the denominator left out", "values not centred"))
def bias_and_variance_are_the_second_order_terms_of_the_ratio(f):
    """N/D with k + h e for k: the second difference in h of its mean over N(0, I) is twice the
    bias; the square of the first difference averages to the variance.

    h = 2^-13: rounding enters as u/h^2 < 1e-8, what is of fourth order in e as h^2 < 2e-8 times its
    mean, which is below 1e3 here: 1e-4 of the largest entry covers both."""
    xi, X = PLACE
    omega, p = gaussian_rows(2)
    kernel, V = np.exp(X @ xi), X
    C = theory.kernel_covariance(xi, X, m=1)
    Z = len(omega) * features.positive(xi, omega) * features.positive(X, omega)
    e, h = (Z - kernel[:, None]).T, 2.0**-13

    def ratio(step):
        k = kernel + step * np.clip(e, -200, 200)           # beyond: 1e-12 of the probability
        return (k @ V) / np.sum(k, axis=-1, keepdims=True)
    second = p @ (ratio(h) + ratio(-h) - 2 * ratio(0.0)) / h**2 / 2
    bias = f.theory.ratio_bias(kernel, V, covariance=C)
    yield equal(bias, toleranced(second, 1e-4 * np.abs(second).max()), "bias")
    first = p @ ((ratio(h) - ratio(-h)) / (2 * h)) ** 2
    variance = f.theory.ratio_variance(kernel, V, covariance=C)
    yield equal(variance, toleranced(first, 1e-4 * first.max()), "variance")
