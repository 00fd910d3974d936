"""Feature maps and the Performer on CuPy arrays: blocks of rows, ranges, and what a call costs."""
import math

import numpy as np
import pytest

from hopref import features, performer
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from hopref.fast.cupy import PATHS
from tests.doubles import cupy as double
from tests.fast.agreement import agrees, near_the_formula
from tests.gpu.comparison import compared, draw

precisions = pytest.mark.parametrize("dtype", [
    "float32", pytest.param("float64", marks=pytest.mark.slow)])
pytestmark = pytest.mark.usefixtures("small_blocks")
OPS = load()
KERNELS = ["positive", "hyperbolic", "trigonometric", "relu"]
kernels = pytest.mark.parametrize("kernel", KERNELS)


@precisions
@kernels
def test_attention_over_several_blocks_of_positions(kernel, dtype):
    Q, K, V, omega = draw((2, 37, 4), (2, 50, 4), (2, 50, 3), (24, 4), dtype=dtype)
    mask = np.arange(50) % 3 > np.arange(2)[:, None]
    compared("performer.attention", (Q, K, V, omega), dtype, features=kernel, mask=mask)
    compared("performer.causal_attention", (Q, K[:, :37], V[:, :37], omega), dtype,
             features=kernel)
    compared("performer.update", (Q, K[0], omega), dtype, features=kernel, beta=0.5)


@pytest.mark.parametrize("name", ["generalized_attention", "stabilized_attention"])
def test_features_with_a_constant_over_several_blocks(name):
    """The maximum over the keys is that of all blocks."""
    Q, K, V, omega = draw((37, 4), (50, 4), (50, 3), (24, 4))
    K[45] *= 3
    compared(f"performer.{name}", (Q, K, V, omega), "float32", mask=np.arange(50) % 3 > 0)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_scales_that_float32_does_not_hold(scale):
    """Without eps the scale of the rectified products cancels."""
    given, op = draw((9, 4), (20, 4), (20, 3), (24, 4)), OPS["performer.generalized_attention"]
    correct = expected(op, given, {"scale": 1.0, "eps": 0.0}, PROFILES["float32"])
    agrees(op, given, {"scale": scale, "eps": 0.0}, "float32", "cupy", double.asarray,
           double.asnumpy, correct)


@pytest.mark.parametrize("guard", [1e-3, 1e3])
def test_the_guard_is_compared_with_the_denominator_and_not_with_its_scaled_value(guard):
    Q, K, V, omega = draw((9, 4), (20, 4), (20, 3), (24, 4))
    compared("performer.stabilized_attention", (Q, 3 * K, V, omega), "float32", guard=guard)


@pytest.mark.parametrize("norm", [30.0, 1e4, 1e15])
def test_exponential_features_of_any_norm_neither_under_nor_overflow(norm):
    """Their logarithms are about -norm^2/2, less than the least of float32's exponents."""
    Q, K, V, omega = draw((5, 4), (20, 4), (20, 3), (24, 4))
    for x in Q, K:
        x *= np.float32(norm) / np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    for kernel in "positive", "hyperbolic":
        compared("performer.attention", (Q, K, V, omega), "float32", features=kernel, scale=1.0)
        if norm < 100:                      # beyond, an exponent has no correct digit
            near_the_formula(OPS["performer.attention"], (Q, K, V, omega),
                             {"features": kernel, "scale": 1.0}, "cupy", double.asarray,
                             double.asnumpy)


def test_squares_beyond_the_range_give_nan_and_no_number():
    x, omega = draw((1, 4), (24, 4))
    for name in "log_positive", "log_hyperbolic", "log_gerf":
        y = getattr(features, name)(double.asarray(x * np.float32(1e20)), double.asarray(omega),
                                    backend="cupy")
        assert np.isnan(y.get()).all()


@pytest.mark.parametrize("norm", [8.0, 12.9])
def test_features_whose_factor_alone_is_out_of_range(norm):
    """e^(norm^2/2) times a sine near 0, and e^-(norm^2/2) times e^(norm^2)."""
    omega = np.eye(2, dtype=np.float32)
    sine = np.float32([[math.pi * 2**-20, norm]])
    compared("features.trigonometric", (sine, omega), "float32")
    compared("features.positive", (sine, 2 * omega), "float32")
    none = features.general(*map(double.asarray, (np.float32([[0, 30]]), omega[:1])), h="growth",
                            functions=("sin", "relu"), backend="cupy")
    assert np.array_equal(none.get(), [[0, 0]])


# ---- launches and memory ------------------------------------------------------------------------

def cost(op, *arrays, **options):
    """The counters after one call, and the bytes of its results."""
    given = [double.asarray(a) for a in arrays]
    double.stats.reset()
    result = op(*given, **options, backend="cupy")
    assert double.stats.quiet
    return double.stats, sum(y.nbytes for y in (result if isinstance(result, tuple) else [result]))


@precisions
@pytest.mark.parametrize("name", PATHS["features"])
def test_features_take_the_memory_of_the_result_and_a_tile(name, dtype):
    """Projections of 32 rows, twice as many numbers for a sign, and those rows."""
    x, omega = draw((640, 4), (24, 4), dtype=dtype)
    stats, result = cost(getattr(features, name), x, omega)
    assert stats.grown - result <= np.dtype(dtype).itemsize * (32 * (4 * 24 + 3 * 4) + 2 * 24 * 4)


@precisions
@kernels
@pytest.mark.parametrize("op", [performer.attention, performer.causal_attention])
def test_the_features_of_all_positions_are_never_formed(op, kernel, dtype):
    """Of 512 positions, those of 16 at a time, and the sums."""
    arrays = draw((512, 4), (512, 4), (512, 3), (24, 4), dtype=dtype)
    stats, result = cost(op, *arrays, features=kernel)
    r = 48 if kernel in ("hyperbolic", "trigonometric") else 24
    item = np.dtype(dtype).itemsize
    assert stats.grown - result <= item * (16 * (11 * r + 40) + 6 * r * 4)
    assert stats.grown - result < item * 512 * r


@kernels
def test_launches_do_not_depend_on_values(kernel):
    arrays = draw((40, 4), (40, 4), (40, 3), (24, 4))
    for op in performer.attention, performer.causal_attention:
        counted = {cost(op, *(a * np.float32(factor) for a in arrays), features=kernel)[0].launches
                   for factor in (1, 0, 1e20, math.nan)}
        assert len(counted) == 1
