"""Random features: blog eq. (19), Lemmas 1 and 2 of Choromanski et al. 2021."""
import numpy as np
import pytest

from hopref import features, projections
from tests import rounding
from tests.draw import projected
from tests.laws import law
from tests.rounding import close, eta, g, u

MAPS = ("positive", "hyperbolic", "trigonometric", "relu")


def phi(rules, kind, x, omega, beta):
    """Features of x; ReLU ones know no temperature."""
    how = {} if kind == "relu" else {"beta": beta}
    return getattr(rules.features, kind)(x, omega, **how)


def norm2(x):
    return (x * x).sum(-1)


# -- the formulas -------------------------------------------------------------------------------

@law("features.positive", "features.hyperbolic", "features.trigonometric", "features.relu",
     id="RF-1, RF-2, RF-3, RF-10", over=projected(),
     kills=["missing_h", "h_of_the_other_sign", "one_over_sqrt_r", "features_without_sqrt_m",
            "beta_unrooted", "norm_without_half", "trig_h_missing", "trig_with_decay",
            "hyperbolic_without_sqrt_2", "relu_missing"])
def test_features_are_those_of_the_paper(rules, xi, X, omega, beta):
    m, w = len(omega), np.sqrt(beta) * xi @ omega.T
    up, down = (np.exp(s * beta * norm2(xi) / 2)[:, None] / np.sqrt(m) for s in (1, -1))
    room = np.expm1(2 * rounding.log_features(xi, omega, beta)) + 24 * u
    turn = 2 * rounding.log_features(xi, omega, beta)          # sin, cos have slope <= 1
    close(rules.features.positive(xi, omega, beta=beta), down * np.exp(w), room * down * np.exp(w))
    both = np.hstack([down * np.exp(w), down * np.exp(-w)]) / np.sqrt(2)
    close(rules.features.hyperbolic(xi, omega, beta=beta), both, np.hstack([room, room]) * both)
    waves = np.hstack([up * np.sin(w), up * np.cos(w)])
    close(rules.features.trigonometric(xi, omega, beta=beta), waves,
          np.hstack([room, room]) * (np.abs(waves) + 64 * u * np.hstack([up + 0 * w] * 2))
          + np.hstack([up * turn] * 2) + 4 * eta)
    close(rules.features.relu(xi, omega), np.maximum(xi @ omega.T, 0) / np.sqrt(m),
          2 * (rounding.dot(xi, omega) + 4 * u * np.abs(xi @ omega.T)))


@law("features.log_positive", "features.log_hyperbolic", "features.log_trigonometric",
     "features.log_relu", id="RF-2", over=projected(),
     kills=["log_without_the_norm", "log_max_subtracted", "log_trig_sign_lost"])
def test_the_logs_are_the_logs(rules, xi, X, omega, beta):
    f = rules.features
    for kind in MAPS:
        log = getattr(f, f"log_{kind}")(xi, omega, **({} if kind == "relu" else {"beta": beta}))
        log, sign = log if kind == "trigonometric" else (log, 1.0)
        want = phi(rules, kind, xi, omega, beta)
        size = np.abs(np.where(np.isfinite(log), log, 0.0))            # exp of a log: size u
        close(sign * np.exp(log), want, (size + 8) * 4 * u * np.abs(want) + 4 * eta)


@law("features.general", "features.log_general", id="RF-10", over=projected(),
     kills=["general_one_over_sqrt_r", "general_interleaved"])
def test_each_map_is_the_general_one_with_its_h_and_functions(rules, xi, X, omega, beta):
    recipes = {"positive": ("decay", ("exp",)), "hyperbolic": ("half_decay", ("exp", "exp_minus")),
               "trigonometric": ("growth", ("sin", "cos")), "relu": ("one", ("relu",))}
    for kind, (h, functions) in recipes.items():
        how = {"h": h, "functions": functions, "beta": 1.0 if kind == "relu" else beta}
        want = phi(rules, kind, xi, omega, beta)
        room = (np.abs(np.log(np.abs(want) + (want == 0))) + 8) * 8 * u * np.abs(want)
        room = room + 64 * u * np.exp(beta * norm2(xi) / 2)[:, None] * (kind == "trigonometric")
        close(rules.features.general(xi, omega, **how), want, room)
        log, sign = rules.features.log_general(xi, omega, **how)
        close(sign * np.exp(log), want, room)


@law("features.positive", "features.trigonometric", "features.hyperbolic", id="RF-2",
     over=projected(),
     kills=["beta_unrooted"])
def test_a_temperature_is_a_unit_of_length(rules, xi, X, omega, beta):
    """beta = 4 b sees 2x: powers of two and square roots of them, so to the last bit."""
    for kind in MAPS[:3]:
        cold = phi(rules, kind, xi, omega, 4 * beta)
        assert np.all(cold == phi(rules, kind, 2 * xi, omega, beta))


@law("features.relu", id="RF-10", over=projected(),
     kills=["relu_with_epsilon"])
def test_relu_features_are_homogeneous_and_never_negative(rules, xi, X, omega, beta):
    """So no temperature has an effect on their attention."""
    f = rules.features.relu(xi, omega)
    assert np.all(f >= 0) and np.all(rules.features.relu(4 * xi, omega) == 4 * f)


# -- what the estimates are worth ---------------------------------------------------------------

@law("features.positive", "features.hyperbolic", "features.trigonometric", id="RF-1, RF-2, RF-3",
     over=projected(),
     kills=["missing_h", "norm_without_half", "one_over_sqrt_r", "features_without_sqrt_m",
            "hyperbolic_without_sqrt_2", "trig_with_decay", "trig_h_missing"])
def test_whatever_the_draw_opposite_states_and_trig_of_equals_are_exact(rules, xi, X, omega, beta):
    """phi(x).phi(-x) = exp(-beta |x|^2) for positive and hyperbolic, phi(x).phi(x) =
    exp(beta |x|^2) for trigonometric features: every term of the mean is the same."""
    size = beta * norm2(xi)
    for kind, other, want in (("positive", -xi, -size), ("hyperbolic", -xi, -size),
                              ("trigonometric", xi, size)):
        got = (phi(rules, kind, xi, omega, beta) * phi(rules, kind, other, omega, beta)).sum(-1)
        room = np.expm1(4 * rounding.log_features(xi, omega, beta).max(-1)
                        + g(2 * len(omega) + 30) * (1 + size))
        close(got, np.exp(want), room * np.exp(want))


DRAWS, M = 4000, 4


def estimates(rules, kind, draw, x, y, seed=7):
    """phi(x).phi(y) for many draws of M rows: a draw of DRAWS * M rows cut into estimates of M."""
    d = len(x)
    rng = np.random.default_rng(seed)
    rows = getattr(rules.projections, draw)
    omegas = (rows(DRAWS * M, d, rng=rng) if draw == "iid" else
              np.concatenate([rows(M, d, rng=rng) for _ in range(DRAWS)])).reshape(DRAWS, M, d)
    big = omegas.reshape(-1, d)
    n = len(phi(rules, kind, x, omegas[0], 1.0)) // M
    f, h = (phi(rules, kind, z, big, 1.0).reshape(n, DRAWS, M) for z in (x, y))
    return (f * h).sum((0, 2)) * DRAWS          # the big draw divides by sqrt(DRAWS M) twice


def V_1(kind, x, y):
    """Variance of one draw, in closed form (Lemma 2)."""
    s, t, sm2 = norm2(x + y), norm2(x - y), np.exp(2 * x @ y)
    positive = np.exp(s) * sm2 * -np.expm1(-s)
    return {"positive": positive, "hyperbolic": positive * -np.expm1(-s) / 2,
            "trigonometric": np.exp(s) / sm2 * np.expm1(-t) ** 2 / 2}[kind]


PLACES = [([0.5, 0.25, 0.0, -0.25], [0.25, 0.5, 0.25, 0.0]), ([0.5, 0, 0, 0], [-0.25, 0.5, 0, 0])]


@law("features.positive", "features.hyperbolic", "features.trigonometric", "projections.iid",
     id="RF-3",
     kills=["missing_h", "norm_without_half", "iid_uniform", "iid_rows_identical", "iid_unit_rows",
            "hyperbolic_without_sqrt_2"])
def test_with_independent_rows_mean_and_variance_are_those_of_lemma_2(rules):
    """Six standard errors, |x + y|^2 <= 2: the mean by the closed-form variance V_1/m; the sample
    variance by its own, whose fourth moment, at most e^{8 s} heavier than normal, is sampled."""
    for x, y in (map(np.array, place) for place in PLACES):
        for kind in MAPS[:3]:
            sample, v = estimates(rules, kind, "iid", x, y), V_1(kind, x, y) / M
            close(sample.mean(), np.exp(x @ y), 6 * np.sqrt(v / DRAWS))
            squares = (sample - np.exp(x @ y)) ** 2
            close(squares.mean(), v, 6 * squares.std() / np.sqrt(DRAWS))


def one_f_one(a, b, z):
    from scipy.special import hyp1f1
    return hyp1f1(a, b, z)


@law("projections.orthogonal", "features.positive", "features.hyperbolic", "features.trigonometric",
     id="RF-4",
     kills=["qr_without_sign", "orthogonal_unit_norms", "orthogonal_is_iid",
            "missing_h", "norm_without_half"])
def test_with_orthogonal_rows_the_estimate_is_unbiased_and_its_error_known(rules):
    """MSE = V_1/m + (sum n_b (n_b - 1)/m^2) C with blocks of n_b <= d rows, C_pos = C_hyp =
    L^2 (1F1(d; d/2; s/2) - e^s) <= 0, C_trig alike with -|x - y|^2.  Along +-1, where an
    uncorrected QR factor biases positive features most, and off it; six standard errors."""
    one = np.full(3, 0.4)
    places = [(one, one), (-one, -one), (np.array([0.5, 0.25, 0.0]), np.array([0.0, 0.5, -0.25]))]
    for x, y in places:
        d, s, t = 3, norm2(x + y), norm2(x - y)
        low, high = np.exp(-norm2(x) - norm2(y)), np.exp(norm2(x) + norm2(y))
        pair = {"positive": low * (one_f_one(d, d / 2, s / 2) - np.exp(s)),
                "trigonometric": high * (one_f_one(d, d / 2, -t / 2) - np.exp(-t))}
        pair["hyperbolic"] = pair["positive"]
        for kind in MAPS[:3]:
            sample = estimates(rules, kind, "orthogonal", x, y)
            mse = max(V_1(kind, x, y) / M + 6 / M**2 * pair[kind], 0.0)      # blocks of 3 and 1
            close(sample.mean(), np.exp(x @ y), 6 * np.sqrt(mse / DRAWS) + 64 * u)
            squares = (sample - np.exp(x @ y)) ** 2
            close(squares.mean(), mse, 6 * squares.std() / np.sqrt(DRAWS) + 64 * u)


@law("projections.regularized", "features.positive", id="RF-5",
     kills=["smreg_norm_one", "smreg_norm_d", "smreg_chi_norms", "missing_h",
            "qr_without_sign_smreg"])
def test_rows_of_one_length_estimate_a_kernel_below_the_softmax(rules):
    """SMREG = L 0F1(; d/2; d s/4) <= SM, exactly; the variance of a single row is L^2 (0F1(; d/2;
    d s) - 0F1(; d/2; d s/4)^2), and orthogonal pairs only lower it: six standard errors of iid."""
    from scipy.special import hyp0f1
    for x, y in ((np.full(3, 0.4), np.full(3, 0.4)), (np.full(3, -0.4), np.full(3, -0.2))):
        d, s, low = 3, norm2(x + y), np.exp(-(norm2(x) + norm2(y)) / 2)
        kernel = low * hyp0f1(d / 2, d * s / 4)
        v = low**2 * (hyp0f1(d / 2, d * s) - hyp0f1(d / 2, d * s / 4) ** 2)
        close(estimates(rules, "positive", "regularized", x, y).mean(), kernel,
              6 * np.sqrt(v / M / DRAWS))
        assert kernel <= np.exp(x @ y)


@law("features.relu", "projections.iid", id="RF-10",
     kills=["relu_missing", "relu_with_epsilon"])
def test_relu_features_estimate_the_arc_cosine_kernel(rules):
    """|x||y| (sin t + (pi - t) cos t) / 2 pi; one product has variance at most |x|^2 |y|^2 3/2."""
    x, y = np.array([1.0, 0.5, -0.5]), np.array([-1.0, 0.25, 0.75])
    r = np.sqrt(norm2(x) * norm2(y))
    t = np.arccos(x @ y / r)
    kernel = r * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)
    sample = estimates(rules, "relu", "iid", x, y)
    close(sample.mean(), kernel, 6 * r * np.sqrt(1.5 / M / DRAWS))


@law("features.positive", id="RF-11",
     kills=["missing_h", "norm_without_half"])
def test_estimates_that_share_a_draw_vary_together(rules):
    """Cov(k(q, a), k(q, b)) = SM SM' (e^{(q + a).(q + b)} - 1)/m; six standard errors of the
    sampled products."""
    q, a, b = np.array([0.5, 0.0, 0.25]), np.array([0.0, 0.5, 0.25]), np.array([-0.25, 0.25, 0.5])
    ka, kb = estimates(rules, "positive", "iid", q, a), estimates(rules, "positive", "iid", q, b)
    want = np.exp(q @ a + q @ b) * np.expm1((q + a) @ (q + b)) / M
    products = (ka - np.exp(q @ a)) * (kb - np.exp(q @ b))
    close(products.mean(), want, 6 * products.std() / np.sqrt(DRAWS))


# -- sizes, and what each statement needs -------------------------------------------------------

@law("features.log_positive", "features.log_hyperbolic", "features.log_trigonometric", id="RF-2",
     over=projected(),
     kills=["log_of_the_exponential"])
def test_logs_stay_finite_as_long_as_beta_x2_does(rules, xi, X, omega, beta):
    big = (xi + 0.125) * 1e148
    for kind in ("log_positive", "log_hyperbolic"):
        assert np.all(np.isfinite(getattr(rules.features, kind)(big, omega, beta=beta)))
    log, sign = rules.features.log_trigonometric(big, omega, beta=beta)
    assert np.all(log < np.inf) and np.all(np.abs(sign) <= 1)


def test_a_feature_of_ones_own():
    """cosh, and a height of 1/2: what eq. (19) leaves open."""
    cosh = features.Feature.of(np.cosh)
    half = features.Height(lambda x: np.log(0.5) + 0 * x[..., 0])
    x, omega = np.array([0.5, -0.25]), np.array([[1.0, 2.0], [0.5, -1.0]])
    got = features.general(x, omega, h=half, functions=(cosh, "exp"))
    want = np.concatenate([np.cosh(omega @ x), np.exp(omega @ x)]) / (2 * np.sqrt(2))
    close(got, want, g(30) * want)


def test_one_over_sqrt_r_halves_the_trigonometric_kernel():
    """The blog's eq. (19) prints 1/sqrt(r), r = l m; the paper 1/sqrt(m)."""
    x, omega = np.array([0.3, -0.2]), projections.iid(5, 2, rng=0)
    kernel = (features.trigonometric(x, omega) ** 2).sum()
    assert kernel == pytest.approx(np.exp(x @ x), rel=g(40))
    assert (features.trigonometric(x, omega) ** 2 / 2).sum() == pytest.approx(kernel / 2, rel=g(40))


def test_orthogonality_may_hurt_trigonometric_features():
    """The pair term of the error is positive for states far apart: d = 4, |x - y|^2 = 16."""
    assert one_f_one(4, 2, -8.0) > np.exp(-16.0)
