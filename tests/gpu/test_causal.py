"""Causal linear attention by a kernel: its tolerance, its state, and its mutants.

The kernel is compiled by NVRTC, and its PTX runs in an interpreter; no GPU takes part.
"""
import math

import numpy as np
import pytest

from hopref import attention
from hopref.check.cases.generator import cases
from hopref.dispatch.operation import load
from hopref.fast.cupy import _causal as path
from tests.doubles import cupy as double
from tests.fast.agreement import agrees, near_the_formula
from tests.gpu import nvrtc
from tests.gpu.comparison import in_steps
from tests.gpu.mutants import OF_CAUSAL, check_barriers, each_mutant
from tests.gpu.ptx.errors import kind_of_fault

pytestmark = nvrtc.required()
op = load()["attention.causal_linear_attention"]


@pytest.fixture(autouse=True)
def device(monkeypatch):
    """The kernel for any number of blocks."""
    monkeypatch.setattr(path, "BLOCKS", 0)
    with double.installed() as cupy:
        yield cupy


def draw(l, r=5, v=3, heads=(), seed=0):
    rng = np.random.default_rng(seed)
    shapes = (l, r), (l, r), (l, v)
    q, k, V = (rng.standard_normal((*heads, *shape)).astype("f4") for shape in shapes)
    return np.abs(q), np.abs(k), V


def compared(given, **options):
    return agrees(op, given, options, "float32", "cupy", double.asarray, double.asnumpy)


def near(given, **options):
    near_the_formula(op, given, options, "cupy", double.asarray, double.asnumpy)


@in_steps(9, 3)
def test_hard_cases_agree_within_the_derived_tolerance(step):
    """Those of few positions and heads."""
    small = [case for case in list(cases(op, "float32"))[::step]
             if math.prod(case.args[2].shape) <= 500]
    for case in small:
        compared(case.args, **case.kwargs)
    assert len(small) > 36 / step


@pytest.mark.parametrize("l, r, v", [(1, 1, 1), (8, 8, 15), (9, 9, 16), (17, 3, 33)])
def test_every_remainder_of_positions_features_and_columns(l, r, v):
    compared(draw(l, r, v))


def test_heads_with_their_states():
    rng = np.random.default_rng(1)
    S, z = rng.standard_normal((2, 5, 3)).astype("f4"), np.ones((2, 5), np.float32)
    compared(draw(10, heads=(2,)), S=S, z=z, eps=0.1)


@pytest.mark.parametrize("order", [1, -1], ids=["rising", "falling"])
def test_keys_that_grow_or_shrink_beyond_the_range_of_a_product(order):
    q, k, V = draw(20)
    k *= np.ldexp(1.0, np.linspace(-120, 120, 20).astype(int)[::order, None]).astype("f4")
    near((q, k, V))


@pytest.mark.parametrize("size", [1e-37, 1e37])
def test_features_and_values_near_the_limits_of_the_range(size):
    q, k, V = (a * np.float32(size) for a in draw(20))
    near((q, k / np.float32(20), V / np.float32(20)))


def test_the_bits_are_those_of_every_order_of_threads_and_blocks(every_order):
    compared(draw(10, 9, 17))


@pytest.mark.parametrize("empty_row", ["zeros", "nan"])
def test_denominators_of_zero(empty_row):
    q, k, V = draw(10)
    q[3], k[:2] = 0, 0
    Z, *_ = op(*map(double.asarray, (q, k, V)), empty_row=empty_row, backend="cupy")
    want = 0.0 if empty_row == "zeros" else math.nan
    assert np.array_equal(Z.get()[[0, 1, 3]], np.full((3, 3), want), equal_nan=True)


@pytest.mark.parametrize("heads, dtype, r, kernel", [
    (64, "float32", 4, True), (63, "float32", 4, False), (64, "float64", 4, False),
    (64, "float32", 400, False)])
def test_it_is_chosen_for_many_heads_in_single_precision(heads, dtype, r, kernel, monkeypatch):
    """And for states that fit in shared memory."""
    monkeypatch.setattr(path, "BLOCKS", 64)
    q, k, V = (a.astype(dtype) for a in draw(1, r, 3, heads=(heads,)))
    assert path.possible(k, V) is kernel


def test_launches_and_memory_of_a_call():
    """Sums of 1 + v double-precision numbers for each position and feature, and the quotient."""
    given = [double.asarray(a) for a in draw(40, 8, 4)]
    double.stats.reset()
    results = attention.causal_linear_attention(*given, backend="cupy")
    assert double.stats.quiet and double.stats.launches <= 12
    assert double.stats.grown - sum(y.nbytes for y in results) <= 8 * 5 * (40 + 8) + 3 * 8 * 40 * 5


# ---- mutants ------------------------------------------------------------------------------------

@kind_of_fault
def found():
    """What is wrong with the kernel, "" for nothing."""
    rng = np.random.default_rng(2)
    S, z = rng.standard_normal((2, 9, 17)).astype("f4"), np.ones((2, 9), np.float32)
    q, k, V = draw(5)
    compared(draw(10, 9, 17, heads=(2,)), S=S, z=z)
    near((q * np.float32(1e30), k * np.float32(1e30), V))


@pytest.fixture
def kernel(monkeypatch):
    """A function that puts another source in the place of the kernel."""
    return lambda source: monkeypatch.setattr(path, "_kernel", lambda cupy: cupy.RawModule(
        code=source, options=("-std=c++17", "-DREAL=float")).get_function("causal"))


@each_mutant(OF_CAUSAL)
def test_a_mutant_is_found(mutant, kernel):
    kernel(mutant.applied(path.source()))
    kind = found()
    assert kind and kind.startswith(mutant.found), kind


def test_the_kernel_itself_is_not_reported(checked, kernel):
    kernel(path.source())
    assert not found()


def test_every_barrier_has_a_mutant_and_one_that_weakens_it():
    check_barriers(OF_CAUSAL, path.source())


def test_the_constants_are_those_of_the_source():
    assert f"COLUMNS = {path.COLUMNS}, GROUPS = {path.GROUPS}, POSITIONS = {path.POSITIONS}" \
        in path.source()
