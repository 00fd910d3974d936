"""Linear attention on CuPy arrays: blocks of positions, scales, its state, and its cost."""
import math

import numpy as np
import pytest

from hopref import attention
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch.operation import load
from hopref.fast.cupy import _linear
from tests.doubles import cupy as double
from tests.fast.agreement import agrees_with, near_the_formula
from tests.gpu.comparison import compared

precisions = pytest.mark.parametrize("dtype", [
    "float32", pytest.param("float64", marks=pytest.mark.slow)])
pytestmark = pytest.mark.usefixtures("small_blocks")
OPS = load()
NUMBERS, LOGS = "attention.causal_linear_attention", "attention.log_causal_linear_attention"


def draw(l, r=5, v=3, dtype="float32", seed=0, s=None):
    rng = np.random.default_rng(seed)
    shapes = (l, r), (s or l, r), (s or l, v)
    q, k, values = (rng.standard_normal(shape) for shape in shapes)
    return [a.astype(dtype) for a in (np.abs(q), np.abs(k), values)]


def near(name, given, **options):
    near_the_formula(OPS[name], given, options, "cupy", double.asarray, double.asnumpy)


def on_device(arrays):
    return [double.asarray(a) for a in arrays]


@precisions
@pytest.mark.parametrize("l", [1, 2, 3, 15, 16, 17, 31, 37, 70])
@pytest.mark.parametrize("name", [NUMBERS, LOGS])
def test_every_remainder_of_blocks_of_positions(name, l, dtype):
    compared(name, draw(l, dtype=dtype), dtype)


@pytest.mark.parametrize("r, v", [(1, 1), (2, 40), (40, 2), (40, 40)])
@pytest.mark.parametrize("name", [NUMBERS, LOGS])
def test_blocks_by_their_scores_and_by_their_sums(name, r, v):
    compared(name, draw(33, r, v), "float32")


@precisions
@pytest.mark.parametrize("order", [1, -1], ids=["rising", "falling"])
def test_keys_that_grow_or_shrink_beyond_the_range_of_a_product(dtype, order):
    """Within a block, by more than the ratio of two numbers of the dtype."""
    q, k, V = draw(40, dtype=dtype)
    reach = 125 if dtype == "float32" else 1000
    k *= np.ldexp(1.0, np.linspace(-reach, reach, 40).astype(int)[::order, None]).astype(dtype)
    for name in NUMBERS, "attention.linear_attention":
        compared(name, (q, k, V), dtype)
        near(name, (q, k, V))
    log_k = np.linspace(-3e4, 3e4, 200).reshape(40, 5)[::order].astype(dtype)
    for name in LOGS, "attention.log_linear_attention":
        compared(name, (q, log_k, V), dtype)
        near(name, (q, log_k, V))


@pytest.mark.parametrize("name", [NUMBERS, LOGS])
def test_no_bit_of_a_result_depends_on_later_keys(name):
    q, k, V = draw(50)
    first, *_ = OPS[name](*on_device((q, k, V)), backend="cupy")
    for at in 7, 16, 40:
        later = k.copy()
        later[at:] *= 2.0**40 if name == NUMBERS else 300
        Z, *_ = OPS[name](*on_device((q, later, V)), backend="cupy")
        assert np.array_equal(Z.get()[:at], first.get()[:at])


@precisions
@pytest.mark.parametrize("name", [NUMBERS, LOGS])
def test_the_state_continues_a_sequence(name, dtype):
    """In two pieces, with a state that is not 0 before the first."""
    q, k, V = draw(45, dtype=dtype)
    rng = np.random.default_rng(3)
    before = {"S": rng.standard_normal((5, 3)).astype(dtype), "z": np.ones(5, dtype)}
    if name == LOGS:
        before["c"] = np.linspace(-9, 9, 5).astype(dtype)
    compared(name, (q, k, V), dtype, **before)
    start, *state = OPS[name](*on_device(a[:21] for a in (q, k, V)), **{
        n: double.asarray(a) for n, a in before.items()}, backend="cupy")
    end, *last = OPS[name](*on_device(a[21:] for a in (q, k, V)), **dict(zip("Szc", state)),
                           backend="cupy")
    found = np.concatenate([start.get(), end.get()]), *(a.get() for a in last)
    for got, want in zip(found, expected(name, (q, k, V), before, PROFILES[dtype]), strict=True):
        agrees_with(got, want)


@pytest.mark.parametrize("S, z", [(1e30, 1e-20), (1e-30, 1e20), (1e30, 0.0), (3e38, 1.0)])
def test_states_whose_sums_have_other_magnitudes_than_the_keys(S, z):
    given = draw(20)
    state = {"S": np.full((5, 3), S, np.float32), "z": np.full(5, z, np.float32)}
    for name in NUMBERS, "attention.linear_attention":
        compared(name, given, "float32", **state)
        near(name, given, **state)


@pytest.mark.parametrize("size", [1e-37, 1e37])
def test_features_and_values_near_the_limits_of_the_range(size):
    q, k, V = (a * np.float32(size) for a in draw(40))
    near("attention.linear_attention", (q, k, V))
    near(NUMBERS, (q, k / np.float32(40), V))


@pytest.mark.parametrize("empty_row", ["zeros", "nan"])
def test_denominators_of_zero(empty_row):
    q, k, V = draw(20)
    q[3], k[:2] = 0, 0
    Z, *_ = OPS[NUMBERS](*on_device((q, k, V)), empty_row=empty_row, backend="cupy")
    want = 0.0 if empty_row == "zeros" else math.nan
    assert np.array_equal(Z.get()[[0, 1, 3]], np.full((3, 3), want), equal_nan=True)


def test_hidden_keys_have_no_effect_however_large():
    q, k, V = draw(3, s=40)
    hidden = np.arange(40) % 3 == 0
    k[hidden] = 3e38
    for name, nothing in ("linear_attention", 0.0), ("log_linear_attention", -np.inf):
        op = getattr(attention, name)
        Z = op(*on_device((q, k, V)), mask=double.asarray(~hidden), backend="cupy").get()
        keys = np.where(hidden[:, None], np.float32(nothing), k)
        agrees_with(Z, expected(op.name, (q, keys, V), {}, PROFILES["float32"]))


# ---- launches and memory ------------------------------------------------------------------------

def cost(op, l, dtype="float32", **options):
    """The counters of the device after one call."""
    given = on_device(draw(l, 8, 4, dtype))
    double.stats.reset()
    op(*given, **options, backend="cupy")
    assert double.stats.quiet
    return double.stats


CAUSAL = [attention.causal_linear_attention, attention.log_causal_linear_attention]
OTHERS = [attention.linear_attention, attention.log_linear_attention, attention.association,
          attention.key_state]


@pytest.mark.parametrize("op, most", list(zip(CAUSAL, (26, 32))))
def test_launches_grow_with_the_logarithm_of_a_block(op, most, monkeypatch):
    monkeypatch.setattr(_linear, "LEAST_ROWS", 2**20)
    counted = [cost(op, 2**power).launches for power in (3, 4, 5, 9)]
    a_level = counted[2] - counted[1]
    assert counted[1] - counted[0] == a_level == most
    assert counted[3] - counted[2] == 4 * a_level


@precisions
@pytest.mark.parametrize("op", CAUSAL + OTHERS)
def test_memory_beyond_the_results_is_that_of_a_block(op, dtype):
    """A few arrays of 8 features, 5 sums and 16 scores for each of 16 positions, and the state."""
    item = np.dtype(dtype).itemsize
    given = on_device(draw(512, 8, 4, dtype)) if op is not attention.key_state else \
        on_device(draw(512, 8, 4, dtype)[1:])
    double.stats.reset()
    result = op(*given, backend="cupy")
    results = sum(y.nbytes for y in (result if isinstance(result, tuple) else [result]))
    assert double.stats.quiet
    assert double.stats.grown - results <= item * (16 * (8 * 8 + 6 * 5 + 16) + 6 * 8 * 5)


@pytest.mark.parametrize("op", CAUSAL + OTHERS)
def test_launches_do_not_depend_on_values(op):
    given, counted = draw(40, 8, 4), set()
    for factor in 1, 0, 1e20, math.nan:
        arrays = on_device(a * np.float32(factor) for a in given)
        double.stats.reset()
        op(*(arrays if op is not attention.key_state else arrays[1:]), backend="cupy")
        assert double.stats.quiet
        counted.add(double.stats.launches)
    assert len(counted) == 1
