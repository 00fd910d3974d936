"""Energies of sparse networks against sixty digits, at any temperature: 1/beta loses nothing."""
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf

from hopref import sparse
from hopref.errors import RangeError
from tests import exact, exact_sparse
from tests.draw import problems
from tests.rounding import close, g, of

TEMPERATURES = [1e-12, 1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6]
ALPHAS = [1.0, 1.3, 1.5, 1.9, 2.0, 3.0, 10.0]
temperatures, alphas = st.sampled_from(TEMPERATURES), st.sampled_from(ALPHAS)
xi, X = np.array([0.3, -0.2]), np.array([[1.0, 0.5], [-0.7, 0.2], [0.1, -1.1]])


# -- the truth ----------------------------------------------------------------------------------

def tsallis(p, alpha):
    if alpha == 1:
        return mpmath.fsum(v * mpmath.log(v) for v in p if v)
    a = mpf(alpha)
    return (mpmath.fsum(v**a for v in p if v) - 1) / (a * (a - 1))


def entmax(z, beta, alpha):
    """The threshold by halving, two hundred and fifty times."""
    if alpha == 1:
        return exact.weights(z, beta)
    a = mpf(alpha) - 1
    s = [a * mpf(beta) * v for v in z]
    low, high = max(s) - 1, max(s)
    for _ in range(250):
        middle = (low + high) / 2
        more = mpmath.fsum((v - middle) ** (1 / a) for v in s if v > middle) > 1
        low, high = (middle, high) if more else (low, middle)
    return [(v - low) ** (1 / a) if v > low else mpf(0) for v in s]


def normmax(z, beta, gamma):
    q = mpf(gamma) / (mpf(gamma) - 1)
    s = [mpf(beta) * v for v in z]
    low, high = max(s) - 1, max(s)
    for _ in range(250):
        middle = (low + high) / 2
        more = mpmath.fsum((v - middle) ** q for v in s if v > middle) > 1
        low, high = (middle, high) if more else (low, middle)
    p = [(v - low) ** (q - 1) if v > low else mpf(0) for v in s]
    return [v / mpmath.fsum(p) for v in p]


def norm(p, gamma):
    return mpmath.fsum(v ** mpf(gamma) for v in p if v) ** (1 / mpf(gamma))


def k_subsets(z, beta, k):
    mu = exact_sparse.k_subsets(np.array([float(v) for v in z]), k, beta)
    return [mpf(float(a)) + mpf(float(b)) for a, b in zip(mu.near, mu.rest, strict=True)]


def half_square(mu, k):
    return mpmath.fsum(v * v for v in mu) / 2


FAMILIES = {"alpha": (entmax, tsallis), "gamma": (normmax, norm), "k": (k_subsets, half_square)}


def gained(xi, X, beta, **option):
    """p.z - (Omega(p) - Omega(u))/beta."""
    (name, value), = option.items()
    weights, Omega = FAMILIES[name]
    z = [exact.dot(xi, x) for x in X]
    p, u = weights(z, beta, value), [mpf(value if name == "k" else 1) / len(X)] * len(X)
    return mpmath.fdot(p, z) - (Omega(p, value) - Omega(u, value)) / mpf(beta)


def energy(xi, X, beta, k=1, **option):
    M2 = max(exact.dot(x, x) for x in X)
    option = option or {"k": k}
    return (exact.dot(xi, xi) + k * k * M2) / 2 - gained(xi, X, beta, **option)


def centred(x):
    mean = mpmath.fsum(exact.numbers(x)) / len(x)
    return [v - mean for v in exact.numbers(x)]


def layer_norm_energy(xi, X, beta, alpha):
    M = max(mpmath.sqrt(mpmath.fsum(v * v for v in centred(x))) for x in X)
    return mpmath.sqrt(len(xi)) * M - gained(xi, X, beta, alpha=alpha)


def normalized_energy(xi, X, beta, alpha):
    return mpmath.sqrt(max(exact.dot(x, x) for x in X)) - gained(xi, X, beta, alpha=alpha)


def slack(xi, X, k=1):
    """Sums of n and d terms, each of the size of (|xi| + k M)^2 at most; nothing is over beta.

    (Omega(p) - Omega(u))/beta is no more than p.z - u.z, and p enters where the energy is least.
    """
    n, d = X.shape
    size = np.sqrt((xi * xi).sum(-1)) + k * np.sqrt((X * X).sum(-1).max())
    return g(8 * n + 8 * d + 60) * np.maximum(size, size**2)


# -- any temperature ----------------------------------------------------------------------------

@st.composite
def networks(draw):
    case = draw(problems(betas=temperatures))
    option = draw(st.sampled_from([{"alpha": draw(alphas)},
                                   {"gamma": draw(st.sampled_from([1.3, 2.0, 5.0]))},
                                   {"k": draw(st.integers(1, len(case["X"])))}]))
    return {**case, "option": option}


def rule(option, what):
    family = {"alpha": "", "gamma": "normmax_", "k": "k_subsets_"}[next(iter(option))]
    return getattr(sparse, family + what)


@given(networks())
def test_energies_are_right_at_any_temperature(case):
    xi, X, beta, option = (case[k] for k in ("xi", "X", "beta", "option"))
    got = rule(option, "energy")(xi, X, beta=beta, **option)
    want = [float(energy(x, X, beta, **option)) for x in xi]
    close(got, want, slack(xi, X, option.get("k", 1)))


@given(networks())
def test_at_any_temperature_the_energy_falls(case):
    """Step after step: the later ones lower it by less than what 1/beta would lose."""
    xi, X, beta, option = (case[k] for k in ("xi", "X", "beta", "option"))
    E, k = rule(option, "energy"), option.get("k", 1)
    step = rule(option, "update")
    for _ in range(3):
        after = step(xi, X, beta=beta, **option)
        before, then = (E(x, X, beta=beta, **option) for x in (xi, after))
        assert np.all(then <= before + slack(xi, X, k) + slack(after, X, k))
        xi = after


@given(st.fixed_dictionaries({"case": problems(betas=temperatures), "alpha": alphas}))
def test_the_normalised_energies_are_the_printed_formulas_on_and_off_their_sets(drawn):
    alpha, (xi, X, beta) = drawn["alpha"], (drawn["case"][k] for k in ("xi", "X", "beta"))
    for name, want in (("normalized", normalized_energy), ("layer_norm", layer_norm_energy)):
        got = getattr(sparse, f"{name}_energy")(xi, X, beta=beta, alpha=alpha)
        close(got, [float(want(x, X, beta, alpha)) for x in xi],
              np.sqrt(X.shape[1]) * slack(xi, X) + slack(0 * xi, X))


# -- cases of an audit --------------------------------------------------------------------------

@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("beta", TEMPERATURES)
def test_a_network_of_three_patterns(alpha, beta):
    close(sparse.energy(xi, X, beta=beta, alpha=alpha),
          float(energy(xi, X, beta, alpha=alpha)), slack(xi, X))


def test_near_no_temperature_the_energy_is_that_of_the_mean():
    assert round(float(sparse.energy(xi, X, beta=1e-12, alpha=1.0)), 6) == 0.623333
    assert sparse.layer_norm_energy([1.0], [[1.0]]) == -1


def test_scores_beyond_the_range_have_the_right_answer_or_are_refused():
    for alpha in ALPHAS:
        assert sparse.update([1e155], [[1e155], [2e155]], alpha=alpha) == [2e155]
    assert sparse.energy([1e155], [[1e155]]) == 0
    assert sparse.normmax_update([1e300], [[1e300], [2e300]]) == [2e300]
    assert sparse.k_subsets_update([1e155], [[1e155], [2e155], [3e155]], k=2) == [5e155]
    for refused in (sparse.energy, sparse.normmax_energy, sparse.normalized_energy):
        with pytest.raises(RangeError, match="in the range of float64"):
            refused([1e155], [[2e155], [-1e155]])


@pytest.mark.parametrize("unit", [1e-200, 1e-160, 1e160, 1e300])
def test_a_direction_has_no_unit(unit):
    got = sparse.normalized_update([1.0, 0.0], [[unit, 2 * unit]])
    close(got, np.array([1.0, 2.0]) / np.sqrt(5), g(8))
    close(sparse.layer_norm_update([1.0, 0.0], [[unit, 3 * unit]]), [-1.0, 1.0], g(8))


@pytest.mark.parametrize("eps", [0.0, 0.25])
@pytest.mark.parametrize("name, options", [("normmax", {"gamma": 3.0}), ("k_subsets", {"k": 2})])
def test_a_normalised_step_of_another_map_descends_by_what_its_set_allows(name, options, eps):
    """E(xi) - E(xi') >= y.xi' + s(xi') - y.xi - s(xi) >= 0, with E the energy of the map less its
    quadratic part and s = sqrt(eps (1 - |xi|^2)); the page on sparse networks states it."""
    rng = np.random.default_rng(0)
    X, how = rng.standard_normal((5, 4)), {"beta": 2.0, **options}
    energy, update = getattr(sparse, f"{name}_energy"), getattr(sparse, f"{name}_update")
    for x in rng.standard_normal((20, 4)):
        x = x * rng.random() / np.linalg.norm(x)
        y = update(x, X, **how)
        new = y / np.sqrt(y @ y + eps)
        (before, slack), (after, more) = of(energy, x, X, **how), of(energy, new, X, **how)
        s = [np.sqrt(eps * max(0.0, 1 - v @ v)) for v in (x, new)]
        rounding = slack + more + g(16) * (3 + 2 * np.linalg.norm(y))
        drop = before - x @ x / 2 - s[0] - (after - new @ new / 2 - s[1])
        gain = y @ new + s[1] - y @ x - s[0]
        assert gain >= -rounding and drop >= gain - rounding
