"""Closed forms of the errors of random features, against integrals, mpmath and the draws."""
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import projections, theory
from hopref.errors import DomainError, DTypeError, ShapeError
from tests.draw import projected
from tests.laws import law
from tests.quadrature import gaussian_rows, pairs
from tests.rounding import close, eta, g, u

MAPS = ("positive", "hyperbolic", "trigonometric")
PLANE = [([0.5, 0.25], [0.25, 0.5]), ([0.75, 0.0], [-0.25, 0.5]), ([1.0, -0.5], [0.25, 0.5]),
         ([0.5, 0.5], [0.5, 0.5])]
LOGS = 200              # |log| of any factor on the grids, whose rows are at most 17 long


def product(rules, kind, x, y, omega, **how):
    """phi(x).phi(y) of every set of rows omega (..., m, d), one estimate each."""
    m, d = omega.shape[-2:]
    rows = omega.reshape(-1, d)
    phi = [getattr(rules.features, kind)(v, rows, **how).reshape(-1, len(rows) // m, m)
           for v in (np.array(x), np.array(y))]
    return (phi[0] * phi[1]).sum((0, 2)) * (len(rows) // m)


def integrated(p, sample, want):
    """Mean and mean square of `sample - want`, each with its rounding."""
    size = np.abs(sample) + abs(want)
    room = g(len(p) + 8 * LOGS)
    return p @ (sample - want), room * (p @ size), p @ (sample - want) ** 2, room * (p @ size**2)


@law("theory.estimator_variance", "theory.estimator_bias", "features.positive",
     "features.hyperbolic", "features.trigonometric", id="RF-3",
     kills=["variance_without_m", "hyperbolic_variance_of_2m", "variance_s_and_t_swapped",
            "missing_h", "hyperbolic_without_sqrt_2"])
def test_one_row_has_the_mean_and_variance_of_lemma_2(rules):
    """By quadrature over N(0, I), up to rounding; m rows divide the variance by m."""
    for x, y in (*PLANE, ([0.5], [0.75]), ([-1.0], [0.5])):
        omega, p = gaussian_rows(len(x))
        for kind in MAPS:
            sample = product(rules, kind, x, y, omega[:, None])
            bias, room, square, rooms = integrated(p, sample, np.exp(np.dot(x, y)))
            close(bias, rules.theory.estimator_bias(x, y, features=kind), room)
            close(square, rules.theory.estimator_variance(x, y, m=1, features=kind), rooms)
            close(square / 7, rules.theory.estimator_variance(x, y, m=7, features=kind), rooms)


@law("theory.estimator_variance", "features.gerf", id="RF-7",
     kills=["gerf_variance_of_positive", "gerf_without_D"])
def test_gerf_has_the_variance_that_its_second_moment_says(rules):
    for x, y in PLANE:
        omega, p = gaussian_rows(2)
        for A in (-0.3, 0.03):
            sample = product(rules, "gerf", x, y, omega[:, None], A=A)
            _, _, square, room = integrated(p, sample, np.exp(np.dot(x, y)))
            close(square, rules.theory.estimator_variance(x, y, m=1, A=A), room)


@law("theory.estimator_mse", "features.positive", "features.hyperbolic", "features.trigonometric",
     id="RF-4",
     kills=["pairs_forgotten", "pairs_of_iid", "simplex_pairs_orthogonal", "pair_at_minus_s"])
def test_two_rows_of_a_block_have_the_known_error(rules):
    """Chi lengths at right angles, and opposite (the simplex of the plane): by quadrature over both
    lengths and the direction, up to rounding."""
    for draw, angle in (("orthogonal", np.pi / 2), ("simplex", np.pi)):
        omega, p = pairs(angle)
        for x, y in PLANE:
            for kind in MAPS:
                sample = product(rules, kind, x, y, omega)
                bias, room, square, rooms = integrated(p, sample, np.exp(np.dot(x, y)))
                close(bias, 0.0, room)
                close(square, rules.theory.estimator_mse(x, y, m=2, features=kind, draw=draw),
                      rooms)


@law("theory.estimator_mse", "features.gerf", id="RF-7", kills=["gerf_pair_term_scaled"])
def test_blocks_help_gerf_by_the_amount_by_which_they_help_positive_features(rules):
    """Its Gaussian factor tilts the lengths of both rows alike and not their directions: the pair
    term does not know A."""
    for draw, angle in (("orthogonal", np.pi / 2), ("simplex", np.pi)):
        omega, p = pairs(angle)
        for A in (-0.2, 0.02):
            x, y = PLANE[0]
            sample = product(rules, "gerf", x, y, omega, A=A)
            _, _, square, room = integrated(p, sample, np.exp(np.dot(x, y)))
            close(square, rules.theory.estimator_mse(x, y, m=2, draw=draw, A=A), room)


@law("theory.estimator_bias", "theory.estimator_mse", "theory.regularized_ratio",
     "features.positive", id="RF-5",
     kills=["regularized_unbiased", "smreg_without_bias", "smreg_gaussian_second_moment",
            "ratio_in_s_for_half_s"])
def test_rows_of_one_length_have_the_known_bias_and_error(rules):
    """Length sqrt(d), at right angles in the plane; all three maps."""
    omega, p = pairs(np.pi / 2, "fixed")
    for x, y in PLANE:
        kernel = np.exp(np.dot(x, y))
        for kind in MAPS:
            how = {"features": kind, "draw": "regularized"}
            bias, room, square, rooms = integrated(p, product(rules, kind, x, y, omega), kernel)
            close(bias, rules.theory.estimator_bias(x, y, **how), room)
            close(square, rules.theory.estimator_mse(x, y, m=2, **how), rooms)
            one = integrated(p, product(rules, kind, x, y, omega[:, :1]), kernel)
            close(one[2], rules.theory.estimator_mse(x, y, m=1, **how), one[3])
        close(rules.theory.regularized_ratio(x, y), 1 + rules.theory.estimator_bias(
            x, y, draw="regularized") / kernel, 16 * u)


@law("theory.arc_cosine_kernel", "theory.estimator_variance", "features.relu", id="RF-10",
     kills=["arc_cosine_angle_of_the_other", "relu_variance_bound"])
def test_relu_features_have_the_known_mean_and_variance(rules):
    """In polar coordinates u is r cos, so that E r^2 and E r^4 leave integrals of trigonometric
    polynomials over an arc, done exactly by Gauss and Legendre's rule of 40 points."""
    rng = np.random.default_rng(3)
    for x, y in [*rng.standard_normal((4, 2, 3)), np.eye(2), [[1.0, 2.0], [2.0, 4.0]]]:
        size = np.sqrt((x @ x) * (y @ y)) if isinstance(x, np.ndarray) else 5.0 * 2
        theta = np.arccos(min(np.dot(x, y) / size, 1.0))
        nodes, weights = np.polynomial.legendre.leggauss(40)
        low, high = theta - np.pi / 2, np.pi / 2             # where both are positive
        phi = (nodes + 1) / 2 * (high - low) + low
        both = np.cos(phi) * np.cos(phi - theta)
        arc = weights * (high - low) / 2 / (2 * np.pi)
        mean, square = 2 * size * arc @ both, 8 * size**2 * arc @ both**2
        room = 64 * u * np.maximum(1, size) ** 2
        close(rules.theory.arc_cosine_kernel(x, y), mean, room + 1e-8 * (theta < 1e-6))
        close(rules.theory.estimator_variance(x, y, m=1, features="relu"), square - mean**2, room)


@law("theory.kernel_covariance", "theory.estimator_variance", id="RF-11", over=projected(),
     kills=["covariance_of_sums_forgotten", "variance_without_m"])
def test_the_diagonal_of_the_covariances_is_the_variance(rules, xi, X, omega, beta):
    for kind in MAPS:
        C = rules.theory.kernel_covariance(xi[0], X, m=3, features=kind, beta=beta)
        want = rules.theory.estimator_variance(xi[0], X, m=3, features=kind, beta=beta)
        reach = beta * (np.abs(xi[0]) + np.abs(X)).sum(-1) ** 2
        close(np.diagonal(C), want, g(16) * (reach + 1) * (want + np.exp(2 * beta * X @ xi[0])
                                                           * g(4) * reach))
        close(C, C.T, 8 * u * np.abs(C))


@law("theory.kernel_covariance", "features.positive", "features.gerf", id="RF-11",
     kills=["covariance_of_sums_forgotten", "missing_h"])
def test_estimates_that_share_their_rows_have_the_known_covariance(rules):
    """By quadrature, for the positive, hyperbolic, trigonometric and GERF maps."""
    xi, X = np.array([0.5, 0.25]), np.array([[0.25, 0.5], [-0.75, 0.5], [0.0, 0.25]])
    omega, p = gaussian_rows(2)
    for kind, how in (*((k, {}) for k in MAPS), ("gerf", {"A": -0.2})):
        Z = np.stack([product(rules, kind, xi, x, omega[:, None], **how) for x in X])
        apart = Z - np.exp(X @ xi)[:, None]
        want = rules.theory.kernel_covariance(
            xi, X, m=1, features="positive" if how else kind, **how)
        size = np.abs(Z) + np.exp(X @ xi)[:, None]
        close(apart * p @ apart.T, want, g(len(p) + 8 * LOGS) * (size * p @ size.T))


# -- far out --------------------------------------------------------------------------------------

def exact(s, d, m, kind, draw):
    """log of the relative error with 60 digits: hypergeometric functions of signed s."""
    with mpmath.workdps(60 + int(abs(s) / 2)):
        s, d = mpmath.mpf(s), mpmath.mpf(d)
        c = mpmath.mpf(1)
        if draw == "regularized":
            def f(z):
                return mpmath.hyp0f1(d / 2, z, zeroprec=900)
            one, two, pair = f(d * s / 4), f(d * s), f(d * s / 2)
        else:
            one, two = mpmath.exp(s / 2), mpmath.exp(2 * s)
            pair = mpmath.hyp1f1(d, d / 2, s / 2, zeroprec=900) if draw == "orthogonal" else one**2
        r1, r2, r12 = one * mpmath.exp(-s / 2), two * mpmath.exp(-s), pair * mpmath.exp(-s)
        r2 = r2 if kind == "positive" else (mpmath.exp(-s) + r2) / 2
        blocks, rest = divmod(m, int(d))
        share = (blocks * d * (d - 1) + rest * (rest - 1)) / mpmath.mpf(m) ** 2
        return float(mpmath.log((r2 - r1**2) / m + share * (r12 - r1**2) + (r1 - 1) ** 2) * c)


CASES = [(s, d, m, kind, draw) for s in (1e-9, 1e-3, 0.7, 6.0, 90.0, 900.0)
         for d, m in ((1, 3), (2, 2), (7, 9), (64, 64), (1024, 100))
         for kind in MAPS for draw in ("iid", "orthogonal", "regularized")]


@law("theory.log_relative_mse", id="RF-4",
     kills=["mse_by_a_difference", "pairs_forgotten_in_the_log"])
def test_errors_keep_their_digits_from_nearly_equal_to_far_apart(rules):
    """Against mpmath: from s = 1e-9, where 1F1 - e^s cancels, to s = 900, where e^s overflows.
    Poisson weights are exponentials of numbers up to s ln s, and n of them are summed, n about
    2 s + 40; what orthogonality, and one length for small s, take away is known relative to the
    error of one row."""
    for s, d, m, kind, draw in CASES:
        x, y = np.zeros((2, d))
        x[0] = np.sqrt(s)
        signed = -s if kind == "trigonometric" else s
        got = rules.theory.log_relative_mse(x, y, m=m, features=kind, draw=draw)
        want, one = exact(signed, d, m, kind, draw), exact(signed, d, 1, kind, draw)
        one = max(one, exact(signed, d, 1, kind, "iid")) if s < 1 else one
        room = g(int(2 * s + 40 + 8 * s * np.log1p(s)))
        close(got, want, room * (1 + np.exp(np.minimum(one - want, 700.0))) + 4 * u * abs(want))


# -- inequalities of the paper --------------------------------------------------------------------

norms = st.floats(0.0, 3.0)


@law("theory.orthogonal_mse_bound", "theory.estimator_mse", id="RF-4",
     over=st.fixed_dictionaries({"s": st.floats(0.01, 9.0), "t": norms,
                                 "d": st.integers(2, 12), "m": st.integers(2, 12)}),
     kills=["bound_with_the_gain_doubled", "pairs_forgotten"])
def test_the_error_of_a_block_keeps_theorem_2_and_nearly_attains_it(rules, s, t, d, m):
    """The bound is the first term of the series of the exact gain, whose others are of its sign and
    of order s: between once and e^s times the bound's gain."""
    m = min(m, d)
    x, y = np.zeros((2, d))
    x[:2], y[:2] = [np.sqrt(s) / 2, t], [np.sqrt(s) / 2, -t]
    mse = rules.theory.estimator_mse(x, y, m=m, draw="orthogonal")
    independent = rules.theory.estimator_mse(x, y, m=m)
    bound = rules.theory.orthogonal_mse_bound(x, y, m=m)
    slack = 64 * u * independent * (1 + s) + eta
    assert mse <= bound + slack
    assert independent - mse <= np.exp(s) * (independent - bound) + slack


@given(st.floats(0.0, 60.0), st.integers(1, 600))
def test_the_regularized_kernel_lies_below_the_softmax_and_falls_with_s(s, d):
    """Theorem 1's upper half; its lower half holds with much room: the ratio is about e^(-s^2/4d),
    from above, since ln of the factor k(k-1)/d.. of every term is at most that."""
    x, y = np.zeros((2, d))
    x[0] = np.sqrt(s)
    ratio = theory.regularized_ratio(x, y)
    assert 0 < ratio <= 1 and theory.regularized_ratio(2 * x, y) <= ratio
    assert ratio >= np.exp(-s * s / (4 * d)) * (1 - g(200))


def test_orthogonal_rows_hurt_trigonometric_features_far_apart():
    """d = 4, |x - y|^2 = 16: one of the few places where independent rows are better."""
    x, y = np.array([2.0, 0, 0, 0]), np.array([-2.0, 0, 0, 0])
    errors = [theory.estimator_mse(x, y, m=4, features="trigonometric", draw=draw)
              for draw in ("orthogonal", "iid")]
    assert errors[0] > errors[1]


def test_the_simplex_is_better_than_right_angles_and_these_than_chance():
    x = np.full(6, 0.25)
    errors = [theory.estimator_mse(x, x, m=6, draw=draw)
              for draw in ("simplex", "orthogonal", "iid")]
    assert errors[0] < errors[1] < errors[2]


# -- the draws ------------------------------------------------------------------------------------

DRAWS, M = 3000, 4


@law("projections.simplex", "projections.orthogonal", "theory.estimator_mse", id="RF-9",
     kills=["simplex_without_rotation", "simplex_unit_lengths", "simplex_is_orthogonal",
            "qr_without_sign", "simplex_pairs_orthogonal"])
def test_drawn_blocks_have_the_error_that_theory_says(rules):
    """d = 3, blocks of 3 and 1, along +-1 and off it: six standard errors."""
    one = np.full(3, 0.4)
    for draw in ("simplex", "orthogonal"):
        rng = np.random.default_rng(7)
        omega = np.stack([getattr(rules.projections, draw)(M, 3, rng=rng) for _ in range(DRAWS)])
        for x, y in ((one, one), (-one, -one), (one * [1, 0, 1], one * [0, 1, -1])):
            for kind in MAPS[:2]:
                sample = product(rules, kind, x, y, omega)
                mse = rules.theory.estimator_mse(x, y, m=M, features=kind, draw=draw)
                close(sample.mean(), np.exp(x @ y), 6 * np.sqrt(mse / DRAWS))
                squares = (sample - np.exp(x @ y)) ** 2
                close(squares.mean(), mse, 6 * squares.std() / np.sqrt(DRAWS))


# -- refusals -------------------------------------------------------------------------------------

@pytest.mark.parametrize("how, error, word", [
    ({"draw": "hadamard"}, DomainError, "draw must be one of 'iid'"),
    ({"features": "sigmoid"}, DomainError, "features must be one of"),
    ({"features": "relu", "draw": "orthogonal"}, DomainError, "draw must be 'iid' for ReLU"),
    ({"A": 0.125}, DomainError, "A must be a number below 1/8"),
    ({"A": -0.1, "features": "hyperbolic"}, DomainError, "A must be 0 but for positive"),
    ({"m": 0}, DomainError, "m must be an integer >= 1"),
    ({"beta": -1.0}, DomainError, "beta must be a positive finite number"),
])
def test_what_has_no_closed_form_is_refused(how, error, word):
    with pytest.raises(error, match=f"hopref.theory.estimator_mse: {word}.*; got"):
        theory.estimator_mse([1.0], [0.5], **({"m": 2} | how))


@pytest.mark.parametrize("x, error, word", [
    ([1.0, np.nan], DomainError, r"x must be finite; got x\[1\] = nan"),
    ([True, False], DTypeError, "x must hold real numbers"), ([[1], [2, 3]], ShapeError, "rectang"),
    (1.0, ShapeError, "x must have shape"), ([1.0], ShapeError, "x and y must agree in d"),
    (np.ones((3, 2)), ShapeError, "x and y must agree"), ([], ShapeError, "no axis empty")])
def test_vectors_that_are_none_are_refused(x, error, word):
    with pytest.raises(error, match=f"hopref.theory.estimator_bias: .*{word}"):
        theory.estimator_bias(x, np.ones((2, 2)))


def test_a_simplex_and_a_bound_have_their_dimensions():
    with pytest.raises(DomainError, match="d must be at least 2 for a simplex"):
        theory.estimator_mse([1.0], [1.0], m=2, draw="simplex")
    with pytest.raises(DomainError, match="m must be at most d = 1, one block; got m=2"):
        theory.orthogonal_mse_bound([1.0], [1.0], m=2)
    for kind, y in (("positive", [800.0]), ("trigonometric", [-800.0])):
        with pytest.raises(DomainError, match=r"must be at most 100000 but for independent rows"):
            theory.estimator_mse([800.0], y, m=1, features=kind, draw="orthogonal")
    with pytest.raises(ShapeError, match=r"xi must be \(d,\) and X \(n, d\)"):
        theory.kernel_covariance([[1.0]], [[1.0]], m=2)


def test_errors_broadcast_and_overflow_to_infinity():
    x, y = np.zeros((4, 1, 2)), np.linspace(0, 1, 6).reshape(3, 2)
    assert theory.estimator_mse(x, y, m=3, draw="simplex").shape == (4, 3)
    assert theory.estimator_mse([1e3], [1e3], m=2) == np.inf
    assert theory.estimator_bias([1e3], [1e3]) == 0.0
    assert projections.iid(1, 1, rng=0).shape == (1, 1)
