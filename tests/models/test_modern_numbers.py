"""Modern retrieval to the digit: adversarial families against sixty digits, and sizes to 1e150.

And eq. (22), the thresholded rule, which has no energy.
"""
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import modern
from tests import exact, rounding
from tests.draw import records
from tests.rounding import close, eta, u

EPS = 2 * u


def families(rng, n=12, d=6):
    """Where plain formulas lose their digits: name -> (xi, X, beta)."""
    X, xi = rng.standard_normal((n, d)), rng.standard_normal(d)
    unit = X / np.sqrt((X * X).sum(-1, keepdims=True))
    near = np.vstack([X[:1], np.nextafter(X[:1], 9)])
    return {
        "gauss": (xi, X, 1.0),
        "unit norm, beta 25": (unit[0], unit, 25.0),
        "unit norm, beta 1e4": (unit[0] + 1e-3 * xi, unit, 1e4),
        "at a pattern": (X[0], X, 8.0),
        "beta 1e-8": (xi, X, 1e-8),
        "norms 1e8": (1e8 * xi, 1e8 * X, 1.0),
        "norms 1e-8": (1e-8 * xi, 1e-8 * X, 1.0),
        "a tie one ulp apart": (1e3 * xi, 1e3 * near, 1.0),
        "patterns offset by 1e6": (xi, X + 1e6, 1.0),
        "the new state cancels": (0 * xi, np.vstack([X, -X]) * (1 + 1e-9), 1.0),
        "one pattern far longer": (xi, np.vstack([X, 1e6 * X[:1]]), 1.0),
        "duplicates": (xi, np.repeat(X, 3, 0), 2.0),
    }


FAMILIES = list(families(np.random.default_rng(0)))
GENERATORS = st.integers(0, 99).map(np.random.default_rng)
drawn = records(family=st.sampled_from(FAMILIES), rng=GENERATORS)


@given(drawn)
def test_energy_is_right_to_the_rounding_of_its_terms(case):
    """The three terms >= 0 do not cancel; what is lost is in the scores, 2 g(d + 2) |xi||x|, of
    which the term |xi - x_t|^2 / 2 and the gaps know nothing once x_t is near: see `rounding`."""
    xi, X, beta = families(case["rng"])[case["family"]]
    want = exact.modern_energy(xi, X, beta)
    got = modern.energy(xi, X, beta=beta)
    assert want >= 0
    assert abs(mpmath.mpf(float(got)) - want) <= gap_error(xi, X, beta) + terms_error(xi, X, beta)


def gap_error(xi, X, beta):
    """A gap z_i - z_t errs by g(d) (|xi||x_i| + |xi||x_t|), and counts by its weight p_i."""
    z = [exact.dot(xi, x) for x in X]
    p, reach = np.array(exact.weights(z, beta), float), np.abs(xi) @ np.abs(X).T
    t = np.argmax(xi @ X.T)
    others = np.arange(len(X)) != t
    return float((p * (reach + reach[t]))[others].sum()) * 2 * rounding.g(X.shape[1] + 2)


def terms_error(xi, X, beta):
    """Each of the three terms to g(n + d + 12) of itself."""
    t = np.argmax(xi @ X.T)
    away, short = ((xi - X[t]) ** 2).sum() / 2, (X * X).sum(-1).max()
    gaps = beta * (xi @ X.T - (xi @ X.T).max())
    spread = -np.log(np.mean(np.exp(gaps))) / beta if gaps.min() < -1e-3 else -gaps.mean() / beta
    return rounding.g(sum(X.shape) + 12) * (away + short + spread * 2) + eta


@given(drawn)
def test_the_new_state_is_right_to_the_rounding_of_its_scores(case):
    xi, X, beta = families(case["rng"])[case["family"]]
    want = exact.softmax_rule(xi, X, X, beta)
    allowed = rounding.modern_update(xi[None], X, beta)[0]
    for y, t, a in zip(modern.update(xi, X, beta=beta), want, allowed, strict=True):
        assert abs(mpmath.mpf(float(y)) - t) <= 2 * a


@given(GENERATORS, st.sampled_from([1e8, 1e120, 1e150]), st.sampled_from([1e-300, 1.0, 1e300]))
def test_no_size_of_norms_or_beta_gives_nan(rng, size, beta):
    """Norms to 1e150, beta to 1e300: shift first, then scale, so that beta * 0 is 0."""
    X, xi = size * rng.standard_normal((5, 3)), size * rng.standard_normal(3)
    f, E = modern.update(xi, X, beta=beta), modern.energy(xi, X, beta=beta)
    assert np.all(np.isfinite(f)) and np.isfinite(E)
    assert np.all(f <= X.max(0) * (1 + 4 * EPS * np.sign(X.max(0))))
    p = modern.weights(xi, X, beta=beta)
    close(p.sum(), 1.0, 2 * rounding.g(7))
    t = np.argmax(xi @ X.T)
    want = {True: X[t], False: f}[beta >= 1]
    close(f, want, 4 * EPS * np.abs(X[t]))


# -- metastable states --------------------------------------------------------------------------

def test_a_group_of_like_patterns_has_a_state_of_its_own():
    """MH-11, by construction: two groups of four within r of their means, beta r^2 << 1, the
    groups 128 apart in score: the state converges near its group's mean, on four equal weights."""
    beta, r, corners = 4.0, 2.0**-6, np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    X = np.vstack([[8, 0] + r * corners, [-8, 0] + r * corners])
    xi = np.array([7.0, 0.5])
    for _ in range(40):
        xi = modern.update(xi, X, beta=beta)
    p = modern.weights(xi, X, beta=beta)
    assert np.hypot(*(xi - [8, 0])) <= r and p[4:].sum() < 1e-100
    spread = beta * r * 9                      # of the four log weights, |xi| <= 9
    assert 4 * (1 - spread**2) <= np.exp(-(p[:4] * np.log(p[:4])).sum()) <= 4 * (1 + 8 * u)


# -- the thresholded rule -----------------------------------------------------------------------

@pytest.mark.parametrize("theta", [-0.5, 0.5])
def test_the_thresholded_rule_climbs_the_energy_of_the_rule_it_resembles(theta):
    """It has none of its own: MH-1 rises along it."""
    rng = np.random.default_rng(3)
    rises = []
    for _ in range(20):
        X, xi = rng.standard_normal((4, 3)), rng.standard_normal(3)
        after = modern.thresholded_update(xi, X, theta=theta, beta=4.0)
        rises.append(modern.energy(after, X, beta=4.0) - modern.energy(xi, X, beta=4.0))
    assert max(rises) > 0
