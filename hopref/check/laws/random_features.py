"""Laws of the closed forms for the errors of random features, by quadrature over the rows."""
import numpy as np

from hopref import features
from hopref.check.cases.draws import arrays, composed, floats, integers, records, sampled
from hopref.check.cases.quadrature import gaussian_rows, pairs
from hopref.check.laws import at_most, equal, holds, law, toleranced

U = 2.0**-53
MAPS = ("positive", "hyperbolic", "trigonometric")
PLANE = [(np.array(x), np.array(y)) for x, y in (
    ([0.5, 0.25], [0.25, 0.5]), ([0.75, 0.0], [-0.25, 0.5]), ([1.0, -0.5], [0.25, 0.5]),
    ([0.5, 0.5], [0.5, 0.5]))]
LOGS = 200              # |log| of any factor on the grids, whose rows are at most 17 long
ANGLES = {"orthogonal": np.pi / 2, "simplex": np.pi}            # of two rows in the plane


def product(kind, x, y, omega, **how):
    """phi(x).phi(y) of every set of rows omega (..., m, d), one estimate each."""
    m, d = omega.shape[-2:]
    rows = omega.reshape(-1, d)
    phi = [getattr(features, kind)(v, rows, **how).reshape(-1, len(rows) // m, m) for v in (x, y)]
    return np.sum(phi[0] * phi[1], axis=(0, 2)) * (len(rows) // m)


def integrated(p, sample, want):
    """Mean and mean square of `sample - want`; sums of len(p) terms, each exp of up to LOGS."""
    size, n = np.abs(sample) + abs(want), (len(p) + 8 * LOGS) * U
    mean = toleranced(p @ (sample - want), n * (p @ size))
    return mean, toleranced(p @ (sample - want) ** 2, n * (p @ size**2))


@law("theory.estimator_variance", "theory.estimator_bias", id="RF-3",
     kills=("m ignored", "2 m rows for a map of pairs", "|x - y|^2 in place of |x + y|^2",
            "independent rows for every draw"))
def one_row_has_the_mean_and_variance_of_lemma_2(f):
    """Over N(0, I); m rows divide the variance by m, and rows of one length are biased."""
    line = (np.array([0.5]), np.array([0.75])), (np.array([-1.0]), np.array([0.5]))
    for x, y in (*PLANE, *line):
        omega, p = gaussian_rows(len(x))
        for kind in MAPS:
            bias, square = integrated(p, product(kind, x, y, omega[:, None]), np.exp(x @ y))
            yield equal(f.theory.estimator_bias(x, y, features=kind), bias, kind)
            variance = f.theory.estimator_variance
            yield equal(variance(x, y, m=1, features=kind), square, f"{kind}, one row")
            yield equal(variance(x, y, m=7, features=kind), square / 7, f"{kind}, seven rows")
    yield from one_length(f, bias_only=True)


@law("theory.estimator_variance", id="RF-7", kills=("A ignored",))
def gerf_has_the_variance_of_its_second_moment(f):
    """Over N(0, I), for A on both sides of 0."""
    omega, p = gaussian_rows(2)
    for x, y in PLANE:
        for A in (-0.3, 0.03):
            square = integrated(p, product("gerf", x, y, omega[:, None], A=A), np.exp(x @ y))[1]
            yield equal(f(x, y, m=1, A=A), square, f"A = {A}")


@law("theory.estimator_mse", id="RF-4",
     kills=("independent rows for every draw", "a pair term of n_b^2 pairs", "a simplex with right"
            " angles", "1F1 at -s/2"))
def two_rows_of_a_block_have_the_known_error(f):
    """Chi lengths at right angles, and opposite (the simplex of the plane), over both lengths and
    the direction."""
    for draw, angle in ANGLES.items():
        omega, p = pairs(angle)
        for x, y in PLANE:
            for kind in MAPS:
                square = integrated(p, product(kind, x, y, omega), np.exp(x @ y))[1]
                yield equal(f(x, y, m=2, features=kind, draw=draw), square, f"{kind}, {draw}")


@law("theory.estimator_mse", id="RF-7", kills=("a pair term that depends on A",))
def blocks_help_gerf_as_they_help_positive_features(f):
    """Its Gaussian factor changes the distribution of both lengths equally, and not that of the
    directions: the pair term does not depend on A."""
    x, y = PLANE[0]
    for draw, angle in ANGLES.items():
        omega, p = pairs(angle)
        for A in (-0.2, 0.02):
            square = integrated(p, product("gerf", x, y, omega, A=A), np.exp(x @ y))[1]
            yield equal(f(x, y, m=2, draw=draw, A=A), square, f"{draw}, A = {A}")


@law("theory.estimator_bias", "theory.estimator_mse", "theory.regularized_ratio", id="RF-5",
     kills=("independent rows for every draw", "the variance alone", "Gaussian rows, and the bias",
            "0F1 of s/2 in place of s/4"))
def rows_of_one_length_have_the_known_bias_and_error(f):
    """Length sqrt(d), at right angles in the plane."""
    yield from one_length(f)


def one_length(f, bias_only=False):
    omega, p = pairs(np.pi / 2, "fixed")
    for x, y in PLANE:
        kernel = np.exp(x @ y)
        for kind in MAPS:
            how = {"features": kind, "draw": "regularized"}
            bias, square = integrated(p, product(kind, x, y, omega), kernel)
            yield equal(f.theory.estimator_bias(x, y, **how), bias, f"bias, {kind}")
            if bias_only:
                continue
            yield equal(f.theory.estimator_mse(x, y, m=2, **how), square, f"two rows, {kind}")
            one = integrated(p, product(kind, x, y, omega[:, :1]), kernel)[1]
            yield equal(f.theory.estimator_mse(x, y, m=1, **how), one, f"one row, {kind}")
        if not bias_only:
            bias = f.theory.estimator_bias(x, y, draw="regularized")
            ratio = toleranced(f.theory.regularized_ratio(x, y), 16 * U)
            yield equal(ratio, 1 + bias / kernel, "ratio")


@law("theory.arc_cosine_kernel", "theory.estimator_variance", id="RF-10",
     kills=("theta in place of pi - theta", "the bound 3/2 |x|^2 |y|^2"))
def relu_features_have_the_known_mean_and_variance(f):
    """In polar coordinates E r^2 and E r^4 leave integrals of trigonometric polynomials over an
    arc, exact by Gauss and Legendre's rule.  arccos errs by U / sin theta, but the derivatives of
    both in theta have a factor sin theta, and at 0 its error sqrt(2 U) enters squared."""
    rng = np.random.default_rng(3)
    for x, y in [*rng.standard_normal((4, 2, 3)), np.eye(2), np.array([[1.0, 2.0], [2.0, 4.0]])]:
        size = np.sqrt((x @ x) * (y @ y))
        theta = np.arccos(np.minimum(x @ y / size, 1.0))
        nodes, weights = np.polynomial.legendre.leggauss(40)
        low, high = theta - np.pi / 2, np.pi / 2             # where both are positive
        phi = (nodes + 1) / 2 * (high - low) + low
        both = np.cos(phi) * np.cos(phi - theta)
        arc = weights * (high - low) / 2 / (2 * np.pi)
        mean, square = 2 * size * arc @ both, 8 * size**2 * arc @ both**2
        radius = 64 * U * max(1.0, size) ** 2
        yield equal(f.theory.arc_cosine_kernel(x, y), toleranced(mean, radius), "mean")
        variance = f.theory.estimator_variance(x, y, m=1, features="relu")
        yield equal(variance, toleranced(square - mean**2, radius), "variance")


@composed
def states(draw):
    """A state, patterns and a temperature."""
    n, d, near = draw(integers(1, 4)), draw(integers(1, 4)), integers(-12, 12).map(lambda k: k / 8)
    return {"xi": draw(arrays(d, elements=near)), "X": draw(arrays(n, d, elements=near)),
            "beta": draw(sampled([0.25, 1.0, 2.0]))}


@law("theory.kernel_covariance", id="RF-11", over=states(), kills=("the state taken for 0",))
def the_diagonal_of_the_covariances_is_the_variance(f, xi, X, beta):
    """C_ii = Var k_i for m = 3, and C = C^T; both are exponentials of a few products."""
    for kind in MAPS:
        C = f(xi, X, m=3, features=kind, beta=beta)
        want = f.theory.estimator_variance(xi, X, m=3, features=kind, beta=beta)
        reach = beta * np.sum(np.abs(xi) + np.abs(X), axis=-1) ** 2
        size = want + np.exp(2 * beta * X @ xi) * 4 * U * reach
        yield equal(np.diagonal(C), toleranced(want, 16 * U * (reach + 1) * size), kind)
        yield equal(toleranced(C, 8 * U * np.abs(C)), C.T, "symmetric")


@law("theory.kernel_covariance", id="RF-11", kills=("the state taken for 0",))
def estimates_that_share_their_rows_have_the_known_covariance(f):
    """Over N(0, I), for the positive, hyperbolic, trigonometric and GERF maps."""
    xi, X = np.array([0.5, 0.25]), np.array([[0.25, 0.5], [-0.75, 0.5], [0.0, 0.25]])
    omega, p = gaussian_rows(2)
    for kind, how in (*((k, {}) for k in MAPS), ("gerf", {"A": -0.2})):
        Z = np.stack([product(kind, xi, x, omega[:, None], **how) for x in X])
        kernel = np.exp(X @ xi)[:, None]
        size, n = np.abs(Z) + kernel, (len(p) + 8 * LOGS) * U
        integral = toleranced((Z - kernel) * p @ (Z - kernel).T, n * (size * p @ size.T))
        yield equal(f(xi, X, m=1, features="positive" if how else kind, **how), integral, kind)


@law("theory.log_relative_mse", id="RF-4",
     kills=("the log of a difference", "independent rows for every draw"))
def the_logarithm_of_the_error_is_that_of_the_error_far_out_too(f):
    """log(mse / k^2) is that of mse where it fits, and its leading term where e^s overflows:
    log variance of one row is s + log(1 - e^-s) for positive features.

    An error of blocks is a difference, with the rounding of that of independent rows: its
    logarithm errs by this divided by mse."""
    for x, y in PLANE:
        for kind in MAPS:
            s = np.sum((x + y if kind != "trigonometric" else x - y) ** 2)
            independent = f.theory.estimator_mse(x, y, m=3, features=kind)
            for draw in ("iid", "orthogonal", "regularized"):
                how = {"m": 3, "features": kind, "draw": draw}
                mse, got = f.theory.estimator_mse(x, y, **how), f(x, y, **how)
                direct = np.log(mse) - 2 * (x @ y)
                share = independent / mse if mse > 0 else 1.0
                radius = 64 * U * (share * (1 + s) + abs(np.log(mse)) + 2 * abs(x @ y))
                yield equal(toleranced(got, radius), direct, f"{kind}, {draw}")
    for s in (1e-9, 1e-3, 90.0, 900.0):
        x = np.array([np.sqrt(s), 0.0])
        want = s + np.log(-np.expm1(-s))
        got = f(x, 0 * x, m=1, features="positive", draw="iid")
        yield equal(toleranced(got, 64 * U * (s + abs(want) + 1)), want, f"s = {s}")
        pair = f(x, 0 * x, m=2, features="positive", draw="orthogonal")
        yield at_most(pair, want - np.log(2) + 64 * U * (s + abs(want) + 1), f"a pair, s = {s}")
        yield holds(np.isfinite(pair), f"a pair is finite, s = {s}")


@law("theory.orthogonal_mse_bound", "theory.estimator_mse", id="RF-4",
     over=records(s=floats(0.01, 9.0), t=sampled([0.0, 0.5, 1.0, 3.0]), d=integers(2, 12),
                  m=integers(2, 12)),
     kills=("4 (m - 1) in place of 2 (m - 1)", "independent rows for every draw"))
def the_error_of_a_block_is_within_theorem_2_and_nearly_attains_it(f, s, t, d, m):
    """The bound is the first term of the series of the exact gain, whose others are of its sign and
    of order s: between once and e^s times the bound's gain.  That is positive: blocks help."""
    m = min(m, d)
    x, y = np.zeros((2, d))
    x[:2], y[:2] = [np.sqrt(s) / 2, t], [np.sqrt(s) / 2, -t]
    mse = f.theory.estimator_mse(x, y, m=m, draw="orthogonal")
    independent = f.theory.estimator_mse(x, y, m=m)
    bound = f.theory.orthogonal_mse_bound(x, y, m=m)
    known = toleranced(mse, 64 * U * independent * (1 + s) + 2.0**-1074)
    yield at_most(known, bound, "within")
    yield at_most(independent - known, np.exp(s) * (independent - bound), "nearly attained")
    yield holds(bound < independent, "blocks help")
