"""Feature maps of the kernels: every remainder, functions of any combination, rows out of range."""
import numpy as np
import pytest

from hopref import features
from hopref.gradients import features as gradients
from tests.fast.agreement import agrees, agrees_in_double

pytest.importorskip("numba")

from hopref.fast.numba import _features as kernel  # noqa: E402
from hopref.fast.numba._jit import njit  # noqa: E402
from hopref.fast.numba._vectors import REDUCED  # noqa: E402
from tests.fast.test_tiles import width  # noqa: E402

precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


def draw(L, d, m, dtype):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in ((L, d), (m, d))]


@precisions
@pytest.mark.parametrize("L, d, m", [(1, 1, 1), (50, 3, 33), (7, 20, 70), (3, 4, 32), (2, 0, 3),
                                     (0, 2, 3)])
def test_every_remainder_of_tiles(dtype, L, d, m):
    x, omega = draw(L, d, m, dtype)
    for op in features.positive, features.log_hyperbolic, features.trigonometric:
        agrees(op, (x, omega), {"beta": 0.75}, dtype)
    agrees(features.relu, (x, omega), {}, dtype)
    agrees(features.gerf, (x, omega), {"A": -0.125, "beta": 0.75}, dtype)


@precisions
@pytest.mark.parametrize("L, d, m", [(1, 1, 1), (50, 3, 33), (97, 20, 70), (2, 0, 3), (0, 2, 3)])
def test_gradients_for_every_remainder_of_tiles(dtype, L, d, m):
    x, omega = draw(L, d, m, dtype)
    g = np.random.default_rng(1).standard_normal((L, 5 * m)).astype(dtype)
    functions = "exp", "exp_minus", "sin", "cos", "relu"
    for h in "one", "growth", "half_decay":
        how = {"h": h, "functions": functions, "beta": 0.75}
        agrees(gradients.general, (g, x, omega), how, dtype)


def test_gradients_beyond_single_precision_are_computed_in_double():
    """A tiny cotangent and a huge feature have a product that single precision holds."""
    x, omega = draw(20, 3, 40, "float32")
    g = np.full((20, 40), 1e-30, "float32")
    agrees_in_double(gradients.general, (g, 10 * x, 10 * omega), {"h": "one"})


@precisions
@pytest.mark.parametrize("h", ["one", "decay", "growth", "half_decay"])
def test_functions_are_combined_with_factors(dtype, h):
    args = draw(5, 3, 20, dtype)
    functions = "exp", "exp_minus", "sin", "cos", "relu"
    agrees(features.general, args, {"h": h, "functions": functions}, dtype)


def test_a_function_that_the_kernel_does_not_know_is_that_of_the_formula():
    x, omega = draw(5, 3, 20, "float32")
    how = {"functions": ("exp", features.Feature.from_function(np.tanh))}
    got = features.general(x, omega, **how, backend="numba")
    assert np.array_equal(got, features.general(x, omega, **how).astype("float32"))


@precisions
def test_rows_out_of_range_are_those_of_the_formula(dtype):
    """The others are not affected."""
    x, omega = draw(20, 3, 40, dtype)
    rest = np.arange(20) != 4
    for op, far in (features.positive, 1e25), (features.trigonometric, 50.0), \
            (features.log_positive, 1e-30):
        usual = op(x, omega, backend="numba")
        usual = usual[0] if type(usual) is tuple else usual
        moved = x.copy()
        moved[4] *= far
        got = op(moved, omega, backend="numba")
        assert np.array_equal(got[rest], usual[rest])
        agrees(op, (moved[4:5], omega), {}, dtype)
    for beta in 1e-60, 1e60:
        got = features.log_positive(x, omega, beta=beta, backend="numba")
        with np.errstate(over="ignore"):
            assert np.array_equal(got, features.log_positive(x, omega, beta=beta).astype(dtype))


@njit
def compiled_waves(x, quadrants, out):
    n = x.size // 2
    ones = np.ones(1, x.dtype)
    for i in range(0, x.size, n):
        kernel.sines(1, 1, x, i, 0, 1.0, quadrants, ones, 0, out, i, n)


@njit
def compiled_powers(x, out):
    n = x.size // 2
    zeros = np.zeros(n, x.dtype)
    for i in range(0, x.size, n):
        kernel.exponentials(1, 1, x, i, 0, 1.0, zeros, 0, zeros, 0, out, i, n)


def in_panels(function, x, *options):
    """A function of rows of two panels, applied to all entries."""
    n, out = width(x), np.empty_like(x)
    with np.errstate(over="ignore"):
        for i in range(0, x.size, 2 * n):
            function(x[i:i + 2 * n], *options, out[i:i + 2 * n])
    return out


@precisions
def test_exponentials_are_within_an_ulp_in_the_whole_range(dtype):
    """1.5 ulp: half for the last rounding, the rest for r and the polynomial, each below half."""
    low, high = {"float32": (-104, 89), "float64": (-746, 710)}[dtype]
    x = np.linspace(low, high, 2048).astype(dtype)
    x[:32] = [np.nan, np.inf, -np.inf, 1e30] * 8
    got = in_panels(compiled_powers, x)
    assert np.isnan(got[:32:4]).all() and np.array_equal(got[1:4], [np.inf, 0, np.inf])
    exact = np.exp(x[32:].astype(np.longdouble))
    with np.errstate(over="ignore"):
        near = exact.astype(dtype)
    finite = np.isfinite(near)
    ulp = np.spacing(near[finite]).astype(np.longdouble)
    assert np.all(np.abs(got[32:][finite] - exact[finite]) <= 1.5 * ulp)
    assert np.isinf(got[32:][~finite]).all() and not finite.all()


@precisions
def test_waves_are_accurate_up_to_the_largest_angle(dtype):
    """To 1.5 eps of the value, and the effect of eps^2 of the angle, where n pi/2 is rounded."""
    most = REDUCED[np.dtype(dtype).itemsize]
    x = np.concatenate([np.linspace(-most, most, 1500), np.logspace(-30, 0, 500),
                        [0.0, np.nan], np.pi * np.arange(-23, 23) / 2]).astype(dtype)
    wide, eps = x.astype(np.longdouble), np.finfo(dtype).eps
    for quadrants, exact in (0.0, np.sin(wide)), (1.0, np.cos(wide)):
        got = in_panels(compiled_waves, x, x.dtype.type(quadrants))
        assert np.array_equal(np.isnan(got), np.isnan(x))
        seen = ~np.isnan(x)
        bound = 1.5 * eps * np.abs(exact[seen]) + eps**2 * np.abs(wide[seen])
        assert np.all(np.abs(got[seen] - exact[seen]) <= bound)


@precisions
@pytest.mark.parametrize("shape", [(), (3,), (2, 40)])
def test_entries_have_their_exponential_units(dtype, shape):
    x = np.random.default_rng(0).standard_normal(shape or (1,)).astype(dtype)
    agrees(features.deterministic.elu, (x,), {}, dtype)
    agrees(features.deterministic.exponential, (x,), {}, dtype)
