"""Features of projections by a kernel: its tolerance, ranges, bits, costs, and its mutants.

The kernel is compiled by NVRTC, and its PTX runs in an interpreter; no GPU takes part.
"""
import math

import numpy as np
import pytest

from hopref import features
from hopref.check.cases.generator import cases
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from hopref.fast.cupy import PATHS, _features
from hopref.fast.cupy import _projected as path
from hopref.features import projected
from tests.doubles import cupy as double
from tests.fast.agreement import agrees_with
from tests.gpu import nvrtc
from tests.gpu.comparison import compared, draw
from tests.gpu.mutants import check_barriers, each_mutant
from tests.gpu.mutants_of_features import OF_FEATURES
from tests.gpu.ptx.errors import kind_of_fault
from tests.rounding import close

OPS = load()
NAMES = PATHS["features"]
SEVERAL = {"functions": ("relu", "cos", "exp"), "h": "growth"}
pytestmark = nvrtc.required()
slow = pytest.mark.slow
precisions = pytest.mark.parametrize("dtype", [
    "float32", pytest.param("float64", marks=slow)])


@pytest.fixture(autouse=True)
def device():
    with double.installed() as cupy:
        yield cupy


def on_device(name, *arrays, **options):
    return OPS[name](*map(double.asarray, arrays), **options, backend="cupy").get()


@pytest.mark.parametrize("name, dtype, step", [
    ("features.general", "float64", 18), ("features.log_relu", "float32", 18),
    ("features.trigonometric", "float64", 18), ("performer.attention", "float32", 36),
    *(pytest.param(name, dtype, 1, marks=slow) for dtype in ("float32", "float64")
      for name in (*(f"features.{name}" for name in NAMES), "performer.attention",
                   "performer.causal_attention"))])
def test_hard_cases_agree_within_the_derived_tolerance(name, dtype, step):
    """Each kernel is compiled, which takes a quarter of a second."""
    for case in list(cases(OPS[name], dtype))[::step]:
        compared(name, case.args, dtype, **case.kwargs)


@precisions
def test_every_remainder_of_tiles_and_packs(dtype):
    """Of 64 or 32 rows, 32 directions, and packs of 4 or 2 numbers."""
    rows = path.rows_of(np.dtype(dtype), 64)
    for count, m, d in ((1, 1, 1), (rows - 1, 33, 3), (rows + 1, 31, 4), (rows, 32, 5), (2, 65, 2),
                        (3, 3, 64)):
        x, omega = draw((count, d), (m, d), dtype=dtype)
        compared("features.gerf", (x, omega), dtype, A=-0.7, beta=0.3)


def test_rows_of_more_than_64_components():
    """In a kernel of 128 for float32."""
    for d in 65, 128:
        compared("features.hyperbolic", draw((3, d), (5, d)), "float32", beta=0.1)


@precisions
@pytest.mark.parametrize("kernel", [
    "trigonometric", pytest.param("relu", marks=slow), pytest.param("hyperbolic", marks=slow)])
def test_logarithms_and_signs_of_the_features_of_the_performer(kernel, dtype):
    x, omega = draw((5, 3), (33, 3), dtype=dtype)
    random = projected.random_features.names[kernel]
    found = _features.log_features(random, double.asarray(x), double.asarray(omega), 0.5)
    h, functions = random.args
    logs, signs = expected(OPS["features.log_general"], (x, omega), {
        "h": h, "functions": functions, "beta": 0.5}, PROFILES[dtype])
    agrees_with(found.x.get(), logs)
    assert np.all((found.sign if kernel == "hyperbolic" else found.sign.get()) == signs.value)


# ---- ranges -------------------------------------------------------------------------------------

@precisions
def test_results_in_range_of_factors_out_of_range(dtype):
    """e^h alone is out of range, or is multiplied by 0; or a square without an effect overflows.

    An exponent has two products, a sum, a constant and a sum of its own; 32 roundings are more than
    those of eight functions, each of 2, and of products.
    """
    top, u = math.log(np.finfo(dtype).max), np.finfo(dtype).eps / 2
    x = np.array([[math.pi * 2.0**-20, math.sqrt(2 * top + 8)]], dtype)
    omega, wide = np.eye(2, dtype=dtype), x.astype(np.longdouble)
    h = np.sum(wide * wide) / 2
    found = on_device("features.general", x, omega[:1], h="growth", functions=("sin",))
    want = np.sin(wide[:, :1]) * np.exp(h)
    close(found, want, (5 * h + 32) * u * want)
    found = on_device("features.positive", x, 2 * omega[1:])
    want = np.exp(2 * wide[:, 1:] - h)
    close(found, want, (5 * (h + 2 * wide[0, 1]) + 32) * u * want)
    none = on_device("features.general", np.array([[0, 2 * top]], dtype), omega[:1], h="growth",
                     functions=("sin", "relu"))
    assert np.array_equal(none, [[0, 0]])
    far = np.array([[2 * math.sqrt(np.finfo(dtype).max)]], dtype)  # its square and its projection
    assert on_device("features.positive", far, far) == 0
    large = np.array([[np.finfo(dtype).max / 4]], dtype)
    assert np.array_equal(on_device("features.relu", large, omega[:1, :1]), large)


@precisions
@pytest.mark.parametrize("size", [1e-40, 1e-20, 1.0, 1e3, 1e6, 1e10])
def test_waves_of_small_and_large_numbers(size, dtype):
    """One direction of length 1, so that projections are exact; multiples of pi, rounded."""
    x = size * math.pi / 2 * np.arange(-4, 5)[:, None]
    x = np.concatenate([x, size * np.random.default_rng(0).standard_normal((9, 1))]).astype(dtype)
    options = {"h": "one", "functions": ("sin", "cos")}
    found = on_device("features.general", x, np.ones((1, 1), dtype), **options)
    want = np.concatenate([f(x.astype(np.longdouble)) for f in (np.sin, np.cos)], axis=-1)
    lost = np.finfo(dtype).eps**2 * np.abs(x)               # of 1/pi in two numbers
    close(found, want, 2 * np.spacing(np.abs(want).astype(dtype)) + lost)


def test_squares_beyond_the_range_and_missing_numbers_give_nan_in_their_row(names=NAMES):
    x, omega = draw((3, 4), (5, 4))
    x[0] *= np.float32(1e20)
    x[2, 1] = math.nan
    for name in names:
        found = on_device(f"features.{name}", x, omega)
        assert np.isnan(found[2]).all() and not np.isnan(found[1]).any()
        if "relu" not in name and name != "trigonometric":
            assert np.all(np.isnan(found[0]) if name.startswith("log") else found[0] == 0)


@pytest.mark.parametrize("kernel", ["positive", "hyperbolic", "trigonometric"])
@pytest.mark.parametrize("width", ["kernel", "products"])
def test_attention_of_squares_beyond_the_range_is_nan_and_not_an_empty_row(kernel, width, request):
    if width == "products":
        request.getfixturevalue("by_products")
    Q, K, V, omega = draw((2, 4), (5, 4), (5, 2), (6, 4))
    Q[1] *= np.float32(1e20)
    Z = on_device("performer.attention", Q, K, V, omega, features=kernel)
    assert np.isfinite(Z[0]).all() and np.isnan(Z[1]).all()


def test_the_tolerance_allows_approximate_powers_of_two_and_reciprocals(approximate):
    x, omega = draw((5, 4), (7, 4))
    compared("features.general", (x, omega), "float32", **SEVERAL)
    compared("features.log_relu", (x.astype(float), omega.astype(float)), "float64")


# ---- bits and costs -----------------------------------------------------------------------------

@precisions
def test_the_bits_are_those_of_every_order_of_threads_and_blocks(dtype, every_order, monkeypatch):
    """Of two tiles of rows and two parts of two tiles of directions."""
    monkeypatch.setattr(path, "BLOCKS", 4)
    x, omega = draw((path.rows_of(np.dtype(dtype), 64) + 1, 3), (97, 3), dtype=dtype)
    compared("features.gerf", (x, omega), dtype, A=-0.2)


def test_the_bits_of_a_feature_depend_on_its_row_and_direction_alone(monkeypatch):
    x, omega = draw((70, 3), (70, 3))
    every = on_device("features.hyperbolic", x, omega)
    assert np.array_equal(on_device("features.hyperbolic", x[66:], omega), every[66:])
    monkeypatch.setattr(path, "BLOCKS", 1)
    assert np.array_equal(on_device("features.hyperbolic", x, omega), every)
    turned = OPS["features.hyperbolic"](double.asarray(np.asfortranarray(x)), double.asarray(omega),
                                        backend="cupy")
    assert np.array_equal(turned.get(), every)


@precisions
@pytest.mark.parametrize("name", NAMES)
def test_one_launch_and_no_memory_beyond_the_result(name, dtype):
    x, omega = map(double.asarray, draw((2, 40, 4), (24, 4), dtype=dtype))
    double.stats.reset()
    result = getattr(features, name)(x, omega, backend="cupy")
    assert double.stats.quiet and double.stats.launches == 1
    assert double.stats.grown == result.nbytes


def test_which_calls_the_kernel_takes(device):
    def width(count, m, d, dtype="float32", h=projected.decay, functions=(projected.exp,)):
        return path.width_for(device.empty((count, d), dtype=dtype),
                              device.empty((m, d), dtype=dtype), h, functions)
    assert [width(3, 5, d) for d in (1, 64, 65, 128, 129)] == [64, 64, 128, 128, None]
    assert [width(3, 5, d, "float64") for d in (64, 65)] == [64, None]
    assert width(0, 5, 2) is width(3, 0, 2) is width(3, 5, 0) is None
    assert width(3, 5, 2, h=features.Height(lambda x: x[..., 0])) is None
    assert width(3, 5, 2, functions=(features.Feature.from_function(np.sinh),)) is None
    real = np.dtype("float32")
    assert path.divided(real, 64, 2**20, 256) == (2**14, 1, 256)
    assert path.divided(real, 64, 1, 100) == (1, 4, 32)
    assert path.divided(real, 64, 64 * 256, 100) == (256, 2, 64)


class Constant:
    """A factor of 1, which cannot be hashed."""
    __hash__ = None

    def __call__(self, x):
        return 0 * x[..., 0]


def test_a_factor_of_the_caller_takes_the_other_path():
    given = draw((3, 4), (5, 4))
    found = on_device("features.general", *given, h=features.Height(Constant()))
    assert np.array_equal(found, on_device("features.general", *given, h=features.Height(
        lambda x: 0 * x[..., 0])))


def test_empty_arrays_take_the_other_path():
    x, omega = draw((3, 4), (5, 4))
    for rows, directions in ((x[:0], omega), (x[:, :0], omega[:, :0])):
        compared("features.positive", (rows, directions), "float32")


# ---- mutants ------------------------------------------------------------------------------------

@kind_of_fault
def found():
    """What is wrong with the kernel, "" for nothing."""
    x, omega = draw((34, 5), (97, 5))
    compared("features.gerf", (x, omega), "float32", A=-0.7, beta=0.3)
    compared("features.general", (x[:3], omega[:33]), "float32", **SEVERAL, beta=0.3)
    compared("features.log_hyperbolic", (x[:3], omega[:3]), "float32")
    compared("performer.attention", (x[:3], x[3:7], x[3:7, :2], omega[:7]), "float32",
             features="trigonometric")
    test_results_in_range_of_factors_out_of_range("float32")
    test_waves_of_small_and_large_numbers(1e3, "float32")
    test_squares_beyond_the_range_and_missing_numbers_give_nan_in_their_row(
        ["log_positive", "relu"])


@pytest.fixture
def kernel(monkeypatch):
    """A function that puts another source in the place of the kernel; tiles of 32 rows."""
    def replaced(source):
        path._kernel.cache_clear()
        monkeypatch.setattr(path, "source", lambda: source)
    monkeypatch.setattr(path, "WIDTHS", {4: (128,), 8: ()})
    monkeypatch.setattr(path, "BLOCKS", 4)             # two parts, of two tiles each
    yield replaced
    path._kernel.cache_clear()


@each_mutant(OF_FEATURES)
def test_a_mutant_is_found(mutant, kernel):
    kernel(mutant.applied(path.source()))
    kind = found()
    assert kind and kind.startswith(mutant.found), kind


@slow
def test_the_kernel_itself_is_not_reported(checked, kernel):
    kernel(path.source())
    assert not found()


def test_every_barrier_has_a_mutant_and_one_that_weakens_it():
    check_barriers(OF_FEATURES, path.source())
