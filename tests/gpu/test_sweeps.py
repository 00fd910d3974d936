"""Sweeps over the sites of binary states by a kernel: the bits of the formula, and its mutants.

The kernel is compiled by NVRTC, and its PTX runs in an interpreter; no GPU takes part.
"""

import numpy as np
import pytest

from hopref import classical
from hopref.fast.cupy import _sweeps as path
from tests.doubles import cupy as double
from tests.gpu import nvrtc
from tests.gpu.mutants import OF_SWEEPS, check_barriers, each_mutant
from tests.gpu.ptx.errors import kind_of_fault

pytestmark = nvrtc.required()
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(autouse=True)
def device():
    with double.installed() as cupy:
        yield cupy


def draw(M, d, steps, dtype, low=-1.0, integers=True, seed=0):
    """States, weights that are not symmetric, thresholds, an order with repeated sites, numbers."""
    rng = np.random.default_rng(seed)
    W = rng.integers(-2, 3, (d, d)) if integers else rng.standard_normal((d, d))
    return (rng.choice([low, 1.0], (M, d)).astype(dtype), W.astype(dtype),
            rng.integers(-1, 2, d).astype(dtype), rng.integers(0, d, steps),
            rng.random((M, steps)).astype(dtype))


def called(op, xi, W, b, **options):
    options = {k: double.asarray(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    return op(*map(double.asarray, (xi, W, b)), **options, backend="cupy").get()


def agrees(given, ties="keep", states="polar", beta=0.05):
    """Both rules give the values of the formula."""
    xi, W, b, order, uniforms = given
    for op, options in ((classical.asynchronous_update, {"ties": ties}),
                        (classical.glauber_update, {"uniforms": uniforms, "beta": beta})):
        options |= {"order": order, "states": states}
        y = called(op, xi, W, b, **options)
        assert y.dtype == xi.dtype and np.array_equal(y, op(xi, W, b, **options))


@precisions
@pytest.mark.parametrize("integers", [True, False])
@pytest.mark.parametrize("M, d, steps", [(1, 1, 2), (2, 5, 9), (2, 33, 12), (1, 130, 10)])
def test_the_values_are_those_of_the_formula(M, d, steps, integers, dtype):
    """About every tenth field of integers is 0."""
    agrees(draw(M, d, steps, dtype, integers=integers))


@pytest.mark.parametrize("ties", ["keep", "plus"])
@pytest.mark.parametrize("states, low", [("polar", -1.0), ("binary", 0.0)])
def test_ties_and_alphabets(ties, states, low):
    agrees(draw(2, 6, 20, "float32", low), ties, states)


def test_leading_axes():
    xi, W, b, order, _ = draw(4, 5, 6, "float32")
    want = called(classical.asynchronous_update, xi, W, b, order=order)
    y = called(classical.asynchronous_update, xi.reshape(2, 2, 5), W, b, order=order)
    assert np.array_equal(y.reshape(4, 5), want)


def test_states_too_long_for_shared_memory_are_left_to_the_formula(monkeypatch):
    monkeypatch.setattr(path, "SHARED_MEMORY", 0)
    agrees(draw(2, 5, 6, "float32"))


def test_the_arguments_are_not_changed():
    xi, W, b, order, _ = draw(2, 5, 6, "float32")
    states = double.asarray(xi)
    classical.asynchronous_update(states, *map(double.asarray, (W, b)),
                                  order=double.asarray(order), backend="cupy")
    assert np.array_equal(states.get(), xi)


@precisions
def test_the_bits_are_those_of_every_order_of_threads_and_blocks(dtype, every_order):
    agrees(draw(2, 40, 4, dtype, integers=False))


@precisions
def test_a_sweep_takes_one_launch_whatever_its_length(dtype):
    """Beside the copies of states and thresholds, which are all that it forms."""
    xi, W, b, order, _ = (double.asarray(a) for a in draw(3, 40, 4, dtype))
    for sites in order, double.asarray(np.zeros(9, int)):
        double.stats.reset()
        classical.asynchronous_update(xi, W, b, order=sites, backend="cupy")
        assert double.stats.quiet and double.stats.launches == 4
        assert double.stats.grown == np.dtype(dtype).itemsize * (3 * 40 + 2 * 40)


# ---- mutants ------------------------------------------------------------------------------------

@kind_of_fault
def found():
    """What is wrong with the kernel, "" for nothing."""
    binary = draw(1, 6, 12, "float32", 0.0)
    agrees(draw(2, 130, 6, "float32"))
    agrees(binary, "plus", "binary")
    agrees(binary, "keep", "binary")
    agrees(cancelling())
    assert out_of_range_sites_are_passed_over() and nan_is_propagated()


def cancelling():
    """A field of 1 that single precision loses beside terms of 2^26, of other threads."""
    xi, W, b = np.ones((1, 130)), np.zeros((130, 130)), np.zeros(130)
    W[0, 0], W[0, 1], W[0, 128], xi[0, 0] = -(2.0**26), -(2.0**26), 1, -1
    return *(a.astype("f4") for a in (xi, W, b)), np.zeros(1, int), np.full((1, 1), 0.6, "f4")


def out_of_range_sites_are_passed_over():
    """No values of a device are verified."""
    xi, W, b, order, _ = draw(1, 6, 8, "float32")
    order[3], order[7] = 2**40, -1
    y = called(classical.asynchronous_update, xi, W, b, order=order)
    inside = order[(order >= 0) & (order < 6)]
    return np.array_equal(y, classical.asynchronous_update(xi, W, b, order=inside))


def nan_is_propagated():
    xi, W, b, _, _ = draw(2, 6, 1, "float32")
    W[3] = np.nan
    y = called(classical.asynchronous_update, xi, W, b, order=np.array([3]))
    return np.isnan(y[:, 3]).all() and not np.isnan(np.delete(y, 3, axis=1)).any()


@each_mutant(OF_SWEEPS)
def test_a_mutant_is_found(mutant, monkeypatch):
    monkeypatch.setattr(path, "_kernel", lambda cupy, real: cupy.RawModule(
        code=mutant.applied(path.source()), options=("-std=c++17", "-DREAL=float")).get_function(
            "sweep"))
    kind = found()
    assert kind and kind.startswith(mutant.found), kind


def test_the_kernel_itself_is_not_reported():
    assert not found()


def test_every_barrier_has_a_mutant_and_one_that_weakens_it():
    check_barriers(OF_SWEEPS, path.source())
