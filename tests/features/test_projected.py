"""Random features: statistics of many draws, and what each statement needs; laws are the kit's.

Lemmas 1 and 2 of Choromanski et al. 2021.
"""
import numpy as np
import pytest

from hopref import features, performer, projections
from tests.rounding import close, g, of, u

MAPS = ("positive", "hyperbolic", "trigonometric", "relu")


def norm2(x):
    return (x * x).sum(-1)


# -- mean and variance of the estimates -----------------------------------------------------------

DRAWS, M = 4000, 4


def estimates(kind, draw, x, y, seed=7):
    """phi(x).phi(y) for many draws of M rows: a draw of DRAWS * M rows cut into estimates of M."""
    d = len(x)
    rng = np.random.default_rng(seed)
    rows = getattr(projections, draw)
    omegas = (rows(DRAWS * M, d, rng=rng) if draw == "iid" else
              np.concatenate([rows(M, d, rng=rng) for _ in range(DRAWS)])).reshape(DRAWS, M, d)
    big = omegas.reshape(-1, d)
    n = len(getattr(features, kind)(x, omegas[0])) // M
    f, h = (getattr(features, kind)(z, big).reshape(n, DRAWS, M) for z in (x, y))
    return (f * h).sum((0, 2)) * DRAWS          # the big draw divides by sqrt(DRAWS M) twice


def V_1(kind, x, y):
    """Variance of one draw, in closed form (Lemma 2)."""
    s, t, sm2 = norm2(x + y), norm2(x - y), np.exp(2 * x @ y)
    positive = np.exp(s) * sm2 * -np.expm1(-s)
    return {"positive": positive, "hyperbolic": positive * -np.expm1(-s) / 2,
            "trigonometric": np.exp(s) / sm2 * np.expm1(-t) ** 2 / 2}[kind]


PLACES = [([0.5, 0.25, 0.0, -0.25], [0.25, 0.5, 0.25, 0.0]), ([0.5, 0, 0, 0], [-0.25, 0.5, 0, 0])]


def test_with_independent_rows_mean_and_variance_are_those_of_lemma_2():
    """Six standard errors, |x + y|^2 <= 2: the mean by the closed-form variance V_1/m; the sample
    variance by its own, whose fourth moment, at most e^{8 s} heavier than normal, is sampled."""
    for x, y in (map(np.array, place) for place in PLACES):
        for kind in MAPS[:3]:
            sample, v = estimates(kind, "iid", x, y), V_1(kind, x, y) / M
            close(sample.mean(), np.exp(x @ y), 6 * np.sqrt(v / DRAWS))
            squares = (sample - np.exp(x @ y)) ** 2
            close(squares.mean(), v, 6 * squares.std() / np.sqrt(DRAWS))


def one_f_one(a, b, z):
    from scipy.special import hyp1f1
    return hyp1f1(a, b, z)


def test_with_orthogonal_rows_the_estimate_is_unbiased_and_its_error_known():
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
            sample = estimates(kind, "orthogonal", x, y)
            mse = max(V_1(kind, x, y) / M + 6 / M**2 * pair[kind], 0.0)      # blocks of 3 and 1
            close(sample.mean(), np.exp(x @ y), 6 * np.sqrt(mse / DRAWS) + 64 * u)
            squares = (sample - np.exp(x @ y)) ** 2
            close(squares.mean(), mse, 6 * squares.std() / np.sqrt(DRAWS) + 64 * u)


def test_rows_of_one_length_estimate_a_kernel_below_the_softmax():
    """SMREG = L 0F1(; d/2; d s/4) <= SM, exactly; the variance of a single row is L^2 (0F1(; d/2;
    d s) - 0F1(; d/2; d s/4)^2), and orthogonal pairs only lower it: six standard errors of iid."""
    from scipy.special import hyp0f1
    for x, y in ((np.full(3, 0.4), np.full(3, 0.4)), (np.full(3, -0.4), np.full(3, -0.2))):
        d, s, low = 3, norm2(x + y), np.exp(-(norm2(x) + norm2(y)) / 2)
        kernel = low * hyp0f1(d / 2, d * s / 4)
        v = low**2 * (hyp0f1(d / 2, d * s) - hyp0f1(d / 2, d * s / 4) ** 2)
        close(estimates("positive", "regularized", x, y).mean(), kernel,
              6 * np.sqrt(v / M / DRAWS))
        assert kernel <= np.exp(x @ y)


def test_relu_features_estimate_the_arc_cosine_kernel():
    """|x||y| (sin t + (pi - t) cos t) / 2 pi; one product has variance at most |x|^2 |y|^2 3/2."""
    x, y = np.array([1.0, 0.5, -0.5]), np.array([-1.0, 0.25, 0.75])
    r = np.sqrt(norm2(x) * norm2(y))
    t = np.arccos(x @ y / r)
    kernel = r * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)
    sample = estimates("relu", "iid", x, y)
    close(sample.mean(), kernel, 6 * r * np.sqrt(1.5 / M / DRAWS))


def test_estimates_that_share_a_draw_vary_together():
    """Cov(k(q, a), k(q, b)) = SM SM' (e^{(q + a).(q + b)} - 1)/m; six standard errors of the
    sampled products."""
    q, a, b = np.array([0.5, 0.0, 0.25]), np.array([0.0, 0.5, 0.25]), np.array([-0.25, 0.25, 0.5])
    ka, kb = estimates("positive", "iid", q, a), estimates("positive", "iid", q, b)
    want = np.exp(q @ a + q @ b) * np.expm1((q + a) @ (q + b)) / M
    products = (ka - np.exp(q @ a)) * (kb - np.exp(q @ b))
    close(products.mean(), want, 6 * products.std() / np.sqrt(DRAWS))


# -- what each statement needs ------------------------------------------------------------------

def test_a_feature_of_ones_own():
    """cosh, and a height of 1/2: what eq. (19) leaves open."""
    cosh = features.Feature.from_function(np.cosh)
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


@pytest.mark.parametrize("name, f", [
    ("exp", np.exp), ("exp_minus", lambda u: np.exp(-u)), ("sin", np.sin), ("cos", np.cos),
    ("relu", lambda u: np.maximum(u, 0.0))])
def test_a_function_of_the_projections_is_the_one_of_its_name(name, f):
    rng = np.random.default_rng(0)
    x, omega = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    options = {"h": "one", "functions": (name,)}
    got = features.general(x, omega, **options)
    right, radius = of("features.general", x, omega, **options)
    close(got, right, radius)
    close(got, f(x @ omega.T) / np.sqrt(5), 2 * radius)         # of two honest results


def test_a_query_of_moderate_size_beside_a_huge_one_changes_nothing():
    X, omega = 1e300 * np.array([[1.0], [-0.5], [0.75]]), [[0.5], [-0.25]]
    for queries in (np.vstack([X[:1], [[0.5]]]), np.vstack([[[0.5]], X[:1]])):
        Z = performer.attention(queries, X, X, omega, mask=[True, False, True])
        for query, z in zip(queries, Z, strict=True):
            alone = performer.attention(query[None], X, X, omega, mask=[True, False, True])
            assert np.array_equal(z, alone[0]) and np.isfinite(z).all()


@pytest.mark.parametrize("kernel", ["positive", "hyperbolic"])
def test_a_row_of_omega_reads_the_key_nearest_to_it_at_any_size(kernel):
    """A feature is e^(b w.k - b^2 |k|^2 / 2): the key nearest to w / b has all of the weight."""
    unit = 2.0**600
    near = np.array([[3.0, 1.0], [0.5, 0.75], [-2.0, 2.0], [0.875, 0.875], [0.125, 0.125]])
    omega = unit * np.array([[1.0, 1.0]])
    far = performer.attention(unit * near[:2], unit * near, near, omega, scale=4.0, features=kernel)
    assert np.array_equal(far, [near[1]] * 2)           # omega / 2 is (0.5, 0.5)
    both = performer.attention(unit * np.stack([near, near]), unit * np.stack([near, near / 4]),
                               np.stack([near, near]), omega, scale=4.0, features=kernel)
    assert np.array_equal(both[:, 0], near[[1, 0]])     # of near / 4, that of (3, 1) is nearest
    one = performer.attention([[0.25, 0.5], [unit, unit]], unit * near, near, omega, scale=4.0,
                              features=kernel)
    assert np.array_equal(one, far)                     # a query in range beside one that is not
    row = np.vstack([near, [[1e-200, 0.0]]])            # a key in range beside others
    assert np.array_equal(performer.attention([[0.25, 0.5]], unit * row, row, omega, scale=4.0,
                                              features=kernel), far[:1])
