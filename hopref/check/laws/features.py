"""Laws of feature maps: the formulas, and what holds whatever the draw."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, constant, integers, sampled
from hopref.check.cases.projected import projected, quadratic
from hopref.check.cases.quadrature import gaussian_rows
from hopref.check.laws import at_most, equal, holds, law, toleranced
from hopref.check.laws.performer import square
from hopref.features import exponential, positive

EXPONENTIAL = ("positive", "hyperbolic")
KERNELS = (*EXPONENTIAL, "trigonometric")
RECIPES = {"positive": ("decay", ("exp",)), "hyperbolic": ("half_decay", ("exp", "exp_minus")),
           "trigonometric": ("growth", ("sin", "cos")), "relu": ("one", ("relu",))}
SHARES = sampled([-0.5, -0.125, 0.0, 0.0625])           # A of `gerf`, below 1/8
FAR = np.longdouble(2.0**500)


def root(number):
    return np.sqrt(np.longdouble(number))


def kind_of(f):
    """"positive" of features.log_positive."""
    return f.subject.rpartition(".")[2].removeprefix("log_")


def with_constants(log, size):
    """A logarithm, its constants rounded to float64 as in the formulas: 2^-53 of their size each,
    for log1p, log m and their difference."""
    return toleranced(log.value, log.radius + 3 * 2.0**-53 * size, log.profile)


def mapped(kind, x, omega, beta):
    """h(x) (f_1(u), f_2(u), ...) / sqrt(m) for u = sqrt(beta) omega x."""
    x = root(beta) * x
    u, half = x @ omega.T, square(x) / 2
    if kind == "positive":
        phi = np.exp(u - half)
    elif kind == "hyperbolic":
        phi = np.exp(np.concatenate([u, -u], axis=-1) - half) / root(2)
    elif kind == "trigonometric":
        phi = np.exp(half) * np.concatenate([np.sin(u), np.cos(u)], axis=-1)
    else:
        phi = np.maximum(u, 0.0)
    return phi / root(len(omega))


# -- the formulas ---------------------------------------------------------------------------------

@law("features.positive", "features.hyperbolic", "features.trigonometric", "features.relu",
     id="RF-1, RF-2, RF-3, RF-10", over=projected(kinds=("every",)),
     kills=("exp(-|x|^2/2) missing", "exp(|x|^2/2) missing", "|x|^2/2 with the wrong sign",
            "1/sqrt(2m) in place of 1/sqrt(m)", "1/sqrt(m) in place of 1/sqrt(2m)",
            "1/sqrt(m) missing", "beta applied twice", "beta ignored",
            "height of the Gaussian kernel", "omega x itself, not rectified"))
def features_are_those_of_the_paper(f, xi, X, omega, beta, features):
    """phi(x) = h(sqrt(beta) x) (f_1(u), ..., f_l(u)) / sqrt(m), u = sqrt(beta) omega x; ReLU
    features have no temperature."""
    kind = kind_of(f)
    how = {} if kind == "relu" else {"beta": beta}
    yield equal(f(xi, omega, **how), mapped(kind, xi, omega, how.get("beta", 1.0)))


@law("features.log_positive", "features.log_hyperbolic", "features.log_trigonometric",
     "features.log_relu", id="RF-2", over=projected(kinds=("every",)),
     kills=("|x|^2/2 missing", "maximum subtracted", "signs all +1"))
def exponentials_of_the_logarithms_are_the_features(f, xi, X, omega, beta, features):
    """sign e^log is the feature; log is -inf where it is 0."""
    kind = kind_of(f)
    how = {} if kind == "relu" else {"beta": beta}
    answer = f(xi, omega, **how)
    log, sign = answer if isinstance(answer, tuple) else (answer, 1.0)
    yield equal(sign * np.exp(log), mapped(kind, xi, omega, how.get("beta", 1.0)))


@law("features.general", "features.log_general", id="RF-10", over=projected(),
     kills=("1/sqrt(l m) in place of 1/sqrt(m)", "features of the functions interleaved",
            "signs all +1"))
def each_map_is_the_general_one_with_its_height_and_functions(
        f, xi, X, omega, beta, features):
    """positive: exp and decay; hyperbolic: exp, exp_minus; trigonometric: sin, cos; ReLU."""
    h, functions = RECIPES[features]
    how = {"h": h, "functions": functions, "beta": beta}
    right = mapped(features, xi, omega, beta)
    factor = np.exp(with_constants(0 * right, 1.0 + np.log(len(omega))))
    right = right * factor
    yield equal(f.features.general(xi, omega, **how), right, "features")
    log, sign = f.features.log_general(xi, omega, **how)
    yield equal(sign * np.exp(log), right, "logarithms")


# -- whatever the draw ----------------------------------------------------------------------------

@law("features.positive", "features.hyperbolic", id="RF-2, RF-3",
     kills=("1/sqrt(m) missing", "|x|^2/2 with the wrong sign", "exp(-|x|^2/2) missing",
            "1/sqrt(m) in place of 1/sqrt(2m)", "height of the Gaussian kernel"))
def opposite_vectors_are_estimated_exactly(f, x, omega, *, beta=1.0):
    """phi(x) . phi(-x) = exp(-beta |x|^2) for every draw."""
    inner = np.sum(f(x, omega, beta=beta) * f(-x, omega, beta=beta), axis=-1)
    yield equal(inner, np.exp(-beta * np.sum(x * x, axis=-1)))


@law("features.trigonometric", id="RF-1",
     kills=("1/sqrt(m) missing", "|x|^2/2 with the wrong sign", "exp(|x|^2/2) missing",
            "1/sqrt(2m) in place of 1/sqrt(m)"))
def equal_vectors_are_estimated_exactly(f, x, omega, *, beta=1.0):
    """phi(x) . phi(x) = exp(beta |x|^2) for every draw."""
    phi = f(x, omega, beta=beta)
    yield equal(np.sum(phi * phi, axis=-1), np.exp(beta * np.sum(x * x, axis=-1)))


@law("features.positive", "features.hyperbolic", "features.trigonometric", id="RF-2",
     over=projected(kinds=("every",)),
     kills=("beta applied twice", "beta ignored"))
def a_temperature_is_a_unit_of_length(f, xi, X, omega, beta, features):
    """phi(x; 4 beta) = phi(2 x; beta)."""
    yield equal(f(xi, omega, beta=4 * beta), f(2 * xi, omega, beta=beta))


@composed
def on_a_line(draw):
    """Two rows of numbers that are less than 4 apart, and an inverse temperature."""
    x = draw(arrays(2, draw(integers(1, 3)), 1)) / 4
    return {"xi": x[0], "X": x[1], "beta": draw(sampled([0.25, 0.5, 1.0]))}


@law("features.general", id="DR-3", over=on_a_line(),
     kills=("1/sqrt(l m) in place of 1/sqrt(m)", "features of the functions interleaved"))
def sines_and_cosines_without_a_height_estimate_the_gaussian_kernel(f, xi, X, beta):
    """k = e^(-beta |x - y|^2/2) is the mean of cos(sqrt(beta) w.(x - y)), and (1 - k^2)^2/2 its
    variance, 0 for x = y: here by nodes in place of draws."""
    omega, p = gaussian_rows(1)
    a, b = (root(len(p)) * np.reshape(f(x, omega, h="one", functions=("sin", "cos"), beta=beta),
                                      (len(x), 2, len(p))) for x in (xi, X))
    estimate = np.sum(a * b, axis=1)
    k = np.exp(-beta * square(xi - X)[..., 0] / 2)
    yield equal(np.sum(p * estimate, axis=-1), k, "mean")
    away = estimate - k[:, None]
    yield equal(np.sum(p * away * away, axis=-1), (1 - k * k) ** 2 / 2, "variance")


@law("features.general", id="DR-4",
     kills=("1/sqrt(l m) in place of 1/sqrt(m)",))
def a_step_may_leave_the_energy_of_trigonometric_features(f):
    """One draw, one pattern at 0, beta = 1: E = -ln cos(xi), and from 1.55 a step of 0.1 along its
    gradient, tan(xi), ends where the cosine is negative."""
    def total(x):
        T, phi = (f(np.array([[y]]), np.ones((1, 1)), h="one", functions=("sin", "cos"))
                  for y in (0.0, x))
        return np.sum(T * phi)
    for x in (1.55, 1.55 - 0.1 * float(np.tan(1.55))):
        yield equal(total(x), np.cos(np.longdouble(x)), f"at {x:.3g}")
    yield holds(total(x) < 0, "negative")


@law("features.relu", id="RF-10", over=projected(kinds=("every",)),
     kills=("1e-3 added to every feature", "omega x itself, not rectified"))
def relu_features_are_homogeneous_and_never_negative(f, xi, X, omega, beta, features):
    """phi(4 x) = 4 phi(x) >= 0, so that no temperature has an effect on their attention."""
    phi = f(xi, omega)
    yield equal(f(4 * xi, omega), 4 * phi, "homogeneous")
    yield at_most(0.0, phi, "never negative")


@law("features.log_positive", "features.log_hyperbolic", "features.log_gerf", "features.log_derf",
     id="RF-2, RF-7, RF-8", over=projected(kinds=("every",)),
     kills=("logarithm of the exponential",))
def logarithms_stay_finite_as_long_as_the_squared_norm_does(f, xi, X, omega, beta, features):
    """At |x| near 2^500 the features themselves are 0 in every format."""
    d = xi.shape[-1]
    extra = (np.zeros(d), np.eye(d)) if f.subject == "features.log_derf" else ()
    limit = np.finfo(f.profile.dtype if f.profile.dtype != "bfloat16" else "float32").maxexp
    size = FAR if limit > 1000 else np.longdouble(2.0) ** (limit // 2 - 12)
    log = f((xi + 0.125) * size, omega, *extra, beta=beta)
    yield holds(np.isfinite(log.value))


# -- quadratic exponents --------------------------------------------------------------------------

@law("features.gerf", "features.log_gerf", id="RF-7", over=projected(("every",), A=SHARES),
     kills=("factor (1 - 4A)^(d/4) missing", "factor (1 - 4A)^(d/2), that of the product",
            "B = 1 in place of sqrt(1 - 4A)", "height of the Gaussian kernel",
            "beta x in place of sqrt(beta) x", "|x|^2/2 missing"))
def gerf_is_the_formula_of_the_paper(f, xi, X, omega, beta, features, A):
    """D exp(A w^2 + B w.x - x^2/2), D = (1 - 4A)^(d/4), B = sqrt(1 - 4A)."""
    (m, d), x = omega.shape, root(beta) * xi
    log = np.longdouble(d) / 4 * np.log1p(np.longdouble(-4 * A)) + A * square(omega)[:, 0] \
        + root(1 - 4 * A) * (x @ omega.T) - square(x) / 2 - np.log(np.longdouble(m)) / 2
    log = with_constants(log, d * abs(np.log1p(-4 * A)) + np.log(m))
    yield equal(f.features.log_gerf(xi, omega, A=A, beta=beta), log, "logarithms")
    yield equal(f.features.gerf(xi, omega, A=A, beta=beta), np.exp(log), "features")


@law("features.gerf", id="RF-7", over=projected(kinds=("every",)),
     kills=("height of the Gaussian kernel", "1/sqrt(m) missing"))
def without_a_quadratic_part_gerf_is_positive(f, xi, X, omega, beta, features):
    """A = 0, the default, is `features.positive`."""
    yield equal(f(xi, omega, beta=beta), f.exact(positive, xi, omega, beta=beta))


@law("features.derf", "features.log_derf", id="RF-8", over=quadratic(),
     kills=("factor (1 - 4A)^(d/4) missing", "C = -1/2 whatever B is", "B transposed",
            "x^T C x missing"))
def derf_is_the_formula_of_the_paper(f, x, omega, beta, a, B):
    """D exp(w^T A w + w^T B x + x^T C x), C = -B^T (I - 4A)^-1 B / 2, D = det(I - 4A)^(1/4)."""
    m, y = len(omega), root(beta) * (x @ B.T)
    height = -np.sum(y * y / (1 - 4 * a), axis=-1)[:, None] / 2
    log = np.sum(np.log(1 - 4 * a)) / 4 + (omega * omega) @ a + y @ omega.T + height \
        - np.log(np.longdouble(m)) / 2
    log = with_constants(log, np.log(m))
    yield equal(f.features.log_derf(x, omega, a, B, beta=beta), log, "logarithms")
    yield equal(f.features.derf(x, omega, a, B, beta=beta), np.exp(log), "features")


@law("features.derf", id="RF-8", over=projected(("every",), A=constant(-0.1875)),
     kills=("factor (1 - 4A)^(d/4) missing", "beta x in place of sqrt(beta) x"))
def equal_numbers_on_the_diagonal_make_derf_gerf(f, xi, X, omega, beta, features, A):
    """a = (A, ..., A) and B = sqrt(1 - 4A) I, rounded to the candidate's format."""
    d = xi.shape[-1]
    B = toleranced(root(1 - 4 * A) * np.eye(d), 0.0)
    gerf = f.exact(exponential.gerf, xi, omega, A=A, beta=beta)
    right = gerf * np.exp(with_constants(0 * gerf, d * abs(np.log1p(-4 * A)) + 1.0))
    yield equal(f(xi, omega, f.array(np.full(d, A)), B, beta=beta), right)


# -- maps without projections ---------------------------------------------------------------------

@composed
def rows(draw):
    """Three rows."""
    return {"x": draw(arrays(3, draw(integers(1, 5))))}


@composed
def keys(draw):
    """Keys."""
    return {"K": draw(arrays(draw(integers(1, 5)), draw(integers(1, 4))))}


@law("features.deterministic.elu", "features.deterministic.exponential", id="AT-5", over=rows(),
     kills=("elu without the one", "branches exchanged", "e^(-x)"))
def elu_is_the_exponential_below_zero_and_linear_above(f, x):
    """e^x for x <= 0 and x + 1 for x > 0: never negative."""
    yield equal(f.features.deterministic.exponential(x), np.exp(x), "exponential")
    elu = f.features.deterministic.elu(x)
    yield equal(elu, np.where(x.value > 0, x + 1, np.exp(x)), "elu")
    yield at_most(0.0, elu, "never negative")


@law("features.deterministic.relu", "features.deterministic.identity", id="AT-5", over=rows(),
     kills=("slope 0.01 below zero", "eps ignored", "rows scaled to length 1"))
def relu_is_half_of_the_sum_with_the_size_and_identity_the_features(f, x):
    """max(0, x) + eps = (x + |x|)/2 + eps."""
    positive_part = (x + np.abs(x)) / 2
    yield equal(f.features.deterministic.identity(x), x, "identity")
    yield equal(f.features.deterministic.relu(x), positive_part, "relu")
    yield equal(f.features.deterministic.relu(x, eps=0.25), positive_part + 0.25, "eps")


@law("features.deterministic.quadratic", id="AT-5", over=rows(),
     kills=("squares of the components alone",))
def the_quadratic_kernel_is_the_square_of_the_linear_one(f, x):
    """phi(q).phi(k) = (q.k)^2."""
    phi, inner = f(x), x @ x.T
    yield equal(phi @ phi.T, inner * inner)


@law("features.deterministic.softmax_keys", id="AT-5", over=keys(),
     kills=("softmax over the features", "exponentials not normalised"))
def each_feature_sums_to_one_over_the_keys(f, K):
    """sum_j K'_jr = 1, K' > 0: for queries that are distributions every denominator of linear
    attention is 1."""
    phi = f(K)
    yield equal(np.sum(phi, axis=-2), 1.0)
    yield equal(phi * np.sum(np.exp(K), axis=-2), np.exp(K), "shares")


# -- expectations by quadrature -------------------------------------------------------------------

PLACES = [tuple(map(np.array, pair)) for pair in (
    ([0.5], [0.75]), ([-1.0], [0.5]), ([0.5, 0.25], [0.25, 0.5]), ([0.5, 0.0], [-1.0, 0.5]))]


def moments(phi_x, phi_y, p):
    """E Z and E Z^2, Z the product of one feature of each: features carry 1/sqrt(N).  The
    probabilities are float64, of three roundings each."""
    p = toleranced(p, 8 * 2.0**-53 * p)
    Z = len(p) * phi_x * phi_y
    return np.sum(p * Z), np.sum(p * Z * Z)


def second_moment(theory, x, y, a, B, C):
    """exp(2 x.y + r) with r of `theory`, in float64: 64 roundings of its terms, whose sum is below
    1 + |r| + 2 d."""
    log = 2 * np.dot(x, y) + theory.derf_log_second_moment(x, y, (a, B, C))
    return np.exp(toleranced(log, 64 * 2.0**-53 * (1 + abs(log) + 2 * len(x))))


@law("features.gerf", id="RF-7",
     kills=("factor (1 - 4A)^(d/4) missing", "B = 1 in place of sqrt(1 - 4A)",
            "height of the Gaussian kernel", "factor (1 - 4A)^(d/2), that of the product"))
def gerf_has_the_mean_and_the_second_moment_of_the_paper(f):
    """E Z = exp(x.y) and E Z^2 = exp(2 x.y + r), by quadrature, for every A."""
    for x, y in PLACES:
        omega, p = gaussian_rows(len(x))
        rows, one = f.array(omega), np.eye(len(x))
        for A in (-0.4, 0.03):
            phi = [f.features.gerf(f.array(v), rows, A=A) for v in (x, y)]
            mean, square_mean = moments(*phi, p)
            yield equal(mean, np.exp(np.longdouble(np.dot(x, y))), "mean")
            B = np.sqrt(1 - 4 * A) * one
            right = second_moment(f.theory, x, y, np.full(len(x), A), B, B)
            yield equal(square_mean, right, "second moment")


@law("features.derf", id="RF-8",
     kills=("factor (1 - 4A)^(d/4) missing", "C = -1/2 whatever B is"))
def derf_has_the_mean_and_the_second_moment_of_the_paper(f):
    """B^T (I - 4A)^-1 C = I is all that unbiasedness takes: B is any invertible matrix; here B and
    C are numbers of few digits."""
    a, B = np.array([-0.25, 0.015625]), np.array([[1.0, 0.5], [-0.25, 0.875]])
    C = np.diag(1 - 4 * a) @ np.linalg.inv(B).T
    omega, p = gaussian_rows(2)
    for x, y in PLACES[2:]:
        phi = [f.features.derf(*map(f.array, (v, omega, a, matrix)))
               for v, matrix in ((x, B), (y, C))]
        mean, square_mean = moments(*phi, p)
        yield equal(mean, np.exp(np.longdouble(np.dot(x, y))), "mean")
        yield equal(square_mean, second_moment(f.theory, x, y, a, B, C), "second moment")
