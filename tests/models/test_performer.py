"""The Performer, blog eqs. (16)-(19), (23), (24): accuracy and examples; laws are the kit's."""
import mpmath
import numpy as np
import pytest

from hopref import performer, projections
from tests import exact, rounding
from tests.rounding import close


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("beta", [0.25, 1.0, 2.0])
def test_a_step_is_right_however_large_the_norms(seed, beta):
    """Against sixty digits; 64 times the size is beyond any plain exponential.  The tolerance is
    that of the exact identity for softmax with logarithms known up to `rounding.log_features`."""
    rng = np.random.default_rng(seed)
    n, d, r = rng.integers(1, [4, 3, 4])
    xi, X, omega = (rng.integers(-12, 13, shape) / 8 for shape in ((1, d), (n, d), (r, d)))
    xi, X = 64 * xi, 64 * X
    logs = [np.sqrt(beta) * x @ omega.T - beta * (x * x).sum(-1)[:, None] / 2 for x in (xi, X)]
    errors = [rounding.log_features(x, omega, beta) for x in (xi, X)]
    got = performer.update(xi, X, omega, beta=beta)[0]
    want = exact.performer(xi[0], X, X, omega, beta)
    for y, t, e in zip(got, want, rounding.performer(*logs, *errors, X)[0], strict=True):
        assert abs(mpmath.mpf(float(y)) - t) <= 2 * e


def kernels(xi, X, omega):
    """The kernels estimated by positive features."""
    q, k = (np.exp(x @ omega.T - (x * x).sum(-1)[:, None] / 2) for x in (xi, X))
    return q @ k.T / len(omega)


def test_the_ratio_is_biased_and_spread_as_the_delta_method_says():
    """bias = -1.C v/D^2 + N 1.C 1/D^3, var = (v - N/D).C (v - N/D)/D^2, to first order in 1/m, C
    from RF-11; at m = 64 the rest is below a quarter of either.  The first-order error of each
    draw, whose mean is 0, is taken off before averaging; six standard errors of what is left."""
    xi = np.array([[0.25, 0.1, 0.0]])
    X = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.2], [-0.3, 0.1, 0.4]])
    m, draws, v = 64, 1000, X[:, 0]
    omegas = projections.iid(m * draws, 3, rng=13).reshape(draws, m, 3)
    k, one = np.exp(X @ xi[0]), np.ones(3)
    C = k[:, None] * k * np.expm1((xi + X) @ (xi + X).T) / m
    D, N = k.sum(), k @ v
    error = np.stack([kernels(xi, X, w)[0] for w in omegas]) - k
    steps = np.stack([performer.update(xi, X, w)[0, 0] for w in omegas])
    rest = steps - error @ (v - N / D) / D - N / D
    bias = -one @ C @ v / D**2 + N * (one @ C @ one) / D**3
    close(rest.mean(), bias, 6 * rest.std() / np.sqrt(draws) + abs(bias) / 4)
    spread = np.sqrt((v - N / D) @ C @ (v - N / D) / D**2 / draws)
    assert rest.std() <= spread * np.sqrt(draws) / 4          # of second order indeed
    close(performer.expected_update(xi, X, omegas)[1][0, 0], spread, spread / 4)


# -- what each statement needs ------------------------------------------------------------------

def test_a_finite_draw_has_no_energy():
    """The Jacobian of a step is not symmetric, so the step is no gradient."""
    assert performer.update.lowers is None
    omega, X = projections.iid(4, 2, rng=1), np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0]])
    xi, h = np.array([0.3, -0.2]), 2.0**-20
    J = np.stack([(performer.update(xi + h * e, X, omega) - performer.update(xi - h * e, X, omega))
                  / (2 * h) for e in np.eye(2)], -1)
    assert abs(J[0, 1] - J[1, 0]) > 1e-3


def test_no_feasible_draw_approximates_softmax_at_beta_25():
    """One feature of unit-norm matches has relative variance e^100 - 1: 256 of them scatter the
    weight of the stored pattern over (0, 1), where softmax gives it all but 1e-10."""
    X = np.eye(8)[:6]
    shares = [performer.weights(X[0], X, projections.iid(256, 8, rng=seed), beta=25.0)[0]
              for seed in range(40)]
    assert min(shares) < 0.1 and max(shares) > 0.999 and np.ptp(shares) > 0.9


def test_trigonometric_denominators_change_sign_and_the_answer_leaves_the_patterns():
    """Kernels e^2 cos 0 and e^0 cos 4 < 0: the answer overshoots both patterns."""
    omega, X = np.array([[2.0]]), np.array([[2.0], [0.0]])
    assert performer.update([2.0], X, omega, features="trigonometric") > X.max()


def test_an_eps_on_the_features_returns_the_mean_of_the_values():
    """Upstream's stabiliser: at |k|^2/2 = 128 every key sits at its floor."""
    V, phi = np.array([[1.0], [3.0]]), np.exp(np.array([[-128.0], [-120.0]])) + 1e-4
    # e^-120 / 1e-4 is below 2^-150; the product has 2 roundings, sum and quotient one each
    assert abs(phi.T @ V / phi.sum() - 2.0) <= 4 * rounding.u * 2.0
    K = np.array([[16.0], [15.5]])
    assert performer.attention([[1.0]], K, V, [[0.0]], scale=1.0) > 2.99
