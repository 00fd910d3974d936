"""Retrieval on CuPy arrays: both paths within the derived tolerance, and what they cost.

The kernels are compiled by NVRTC, and their PTX runs in an interpreter; no GPU takes part.
"""
import math

import numpy as np
import pytest

from hopref import modern, use_backend
from hopref.check.cases.generator import cases
from hopref.check.peers.installed import Job, judged
from hopref.dispatch.operation import load
from hopref.errors import BackendError
from hopref.fast.cupy import _attend as path
from hopref.fast.cupy import _tiles
from tests.doubles import cupy as double
from tests.fast.agreement import agrees, near_the_formula
from tests.gpu import nvrtc
from tests.gpu.comparison import in_steps

pytestmark = nvrtc.required()
update = load()["modern.update"]
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(autouse=True)
def device():
    with double.installed() as cupy:
        yield cupy


@pytest.fixture(params=["kernels", "tiles"])
def how(request, monkeypatch):
    """Each way for any number of states; of the second, tiles of 32 patterns."""
    request.getfixturevalue({"kernels": "for_few", "tiles": "in_tiles"}[request.param])
    monkeypatch.setattr(_tiles, "SCORES", 0)
    return request.param


def draw(M, N, d, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((M, d)).astype(dtype), rng.standard_normal((N, d)).astype(dtype)


def compared(args, kwargs, dtype):
    return agrees(update, args, kwargs, dtype, "cupy", double.asarray, double.asnumpy)


def small(case, how):
    """Cases of few blocks, and all of those of tiles."""
    states = math.prod(case.args[0].shape[:-1])
    return how == "tiles" or states <= 4 and states * len(case.args[1]) <= 130


@in_steps(4)
@precisions
def test_hard_cases_agree_within_the_derived_tolerance(how, dtype, step):
    judged = [compared(case.args, case.kwargs, dtype)
              for case in list(cases(update, dtype))[::step] if small(case, how)]
    assert len(judged) > 20 / step


@precisions
@pytest.mark.parametrize("M, N, d", [(1, 1, 1), (1, 32, 32), (2, 33, 31), (1, 129, 129),
                                     (3, 257, 2), (1, 385, 1)])
def test_every_remainder_of_lanes_warps_and_parts(how, dtype, M, N, d):
    compared(draw(M, N, d, dtype), {"beta": 0.5}, dtype)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["rising", "falling"])
@precisions
def test_scores_that_rise_or_fall_over_the_parts_are_rescaled(how, dtype, order):
    xi, X = draw(1, 300, 3, dtype)
    X[:, 0] = np.linspace(-400, 400, 300)[order]
    compared((np.ones_like(xi), X), {"beta": 1.0}, dtype)


@pytest.mark.parametrize("beta", [1e-300, 1e-42, 1e300])
def test_single_precision_is_widened_if_it_holds_no_such_beta(how, beta):
    compared(draw(2, 40, 3, "float32"), {"beta": beta}, "float32")


def test_a_score_that_overflows_gives_nan_and_no_number(how):
    xi, X = (a * np.float32(1e20) for a in draw(1, 40, 3, "float32"))
    y = modern.update(double.asarray(xi), double.asarray(X), backend="cupy")
    assert np.isnan(y.get()).all()


def test_layout_and_leading_axes_change_no_bit(how):
    xi, X = draw(4, 70, 6, "float32")
    states, patterns = double.asarray(np.tile(xi, (1, 2)))[:, ::2], double.asarray(X.T).T
    plain = [double.asarray(np.ascontiguousarray(a.get())) for a in (states, patterns)]
    want = modern.update(*plain, backend="cupy").get()
    got = modern.update(double.asarray(states.get().reshape(2, 2, 6)), patterns, backend="cupy")
    assert np.array_equal(modern.update(states, patterns, backend="cupy").get(), want)
    assert np.array_equal(got.get().reshape(4, 6), want)


def test_empty_batches_and_components(how):
    for shape in (0, 3), (2, 0, 3):
        y = modern.update(double.zeros(shape), double.ones((4, 3)), backend="cupy")
        assert y.get().shape == shape


def test_a_preference_takes_the_path_for_arrays_of_the_device_alone():
    xi, X = draw(1, 3, 2, "float32")
    with use_backend("cupy"):
        assert modern.update(double.asarray(xi), double.asarray(X)).dtype == "float32"
        assert modern.update(xi, X).dtype == "float64"                      # the formula


def test_arrays_of_the_host_are_refused():
    xi, X = draw(1, 3, 2, "float64")
    for given in (xi, X), (double.asarray(xi), X):
        with pytest.raises((BackendError, TypeError)):
            modern.update(*given, backend="cupy")


def test_the_tolerance_allows_an_approximate_power_of_two(approximate):
    """`ex2.approx` is rounded to nearest elsewhere; two units in the last place may be lost."""
    for beta in 0.5, 20.0:
        compared(draw(2, 140, 5, "float32"), {"beta": beta}, "float32")


# ---- order, transfers, launches and memory ------------------------------------------------------

@precisions
def test_the_bits_are_those_of_every_order_of_threads_and_blocks(dtype, every_order, monkeypatch):
    """The substitute for RawKernel compares them."""
    monkeypatch.setattr(path, "BLOCKS", 2)                  # the first warp has two tiles in a part
    compared(draw(1, 270, 5, dtype), {"beta": 0.5}, dtype)


def cost(M, N, d, dtype, op=modern.update):
    """The counters of the device after one call."""
    given = [double.asarray(a) for a in draw(M, N, d, dtype)]
    double.stats.reset()
    op(*given, beta=0.5, backend="cupy")
    return double.stats


@precisions
def test_few_states_take_two_launches_and_little_memory(dtype):
    """The new states, d + 2 numbers for each state and part, and a byte for a mask that is not
    read; nothing is read on the host."""
    stats = cost(2, 300, 6, dtype)
    assert stats.quiet and stats.launches == 2
    assert stats.grown == np.dtype(dtype).itemsize * (2 * 6 + 2 * 3 * (6 + 2)) + 1


@precisions
@pytest.mark.parametrize("N", [64, 640])
def test_many_states_take_sixteen_launches_a_tile_and_memory_of_one(
        dtype, N, in_tiles, monkeypatch):
    """At a time one array of scores, the sums, their increments, and six numbers for a state."""
    monkeypatch.setattr(_tiles, "SCORES", 0)
    stats = cost(20, N, 6, dtype)
    assert stats.quiet and stats.launches == 4 + 16 * (N // 32)
    assert stats.grown <= np.dtype(dtype).itemsize * 20 * (32 + 2 * 6 + 6)


def test_a_state_that_does_not_fit_in_shared_memory_is_processed_by_tiles():
    stats = cost(1, 3, 3000, "float32")
    assert stats.launches == 4 + 16


@precisions
@pytest.mark.parametrize("N", [64, 640])
def test_energies_take_twenty_eight_launches_a_tile_and_memory_of_two(dtype, N, monkeypatch):
    """Scores and weights less one of a tile, and three patterns' length of doubles for a state."""
    monkeypatch.setattr(_tiles, "SCORES", 0)
    stats = cost(20, N, 6, dtype, modern.energy)
    assert stats.quiet and stats.launches <= 35 + 28 * (N // 32)
    assert stats.grown <= np.dtype(dtype).itemsize * 20 * 2 * 32 + 8 * 20 * (3 * 6 + 4)


@precisions
def test_the_weights_take_seven_launches_and_the_memory_of_the_result(dtype):
    stats = cost(20, 640, 6, dtype, modern.weights)
    assert stats.quiet and stats.launches == 7
    assert stats.grown <= np.dtype(dtype).itemsize * 20 * (640 + 1)


@pytest.mark.parametrize("side", ["above", "below"])
@pytest.mark.parametrize("theta", [0.1, -0.3, 0.7, 1e300, -1e300])
def test_thresholds_between_two_numbers_of_float32_divide_them_as_in_the_formula(theta, side):
    """0.1 has two neighbours in float32, which are on different sides of it."""
    near = np.float32(theta) if abs(theta) < 1 else np.float32(theta / 1e300)
    xi = np.array([[near, np.nextafter(near, np.float32(2)), np.nextafter(near, np.float32(-2))]])
    agrees(load()["modern.thresholded_update"], (xi, np.concatenate([-xi, xi, 2 * xi])),
           {"theta": theta, "side": side, "beta": 3.0}, "float32", "cupy", double.asarray,
           double.asnumpy)


@pytest.mark.parametrize("beta", [1e-300, 1e-37, 2.0**-99])
def test_energies_at_high_temperature_do_not_underflow(beta):
    agrees(load()["modern.energy"], draw(3, 40, 3, "float32"), {"beta": beta}, "float32", "cupy",
           double.asarray, double.asnumpy)
    near_the_formula(load()["modern.energy"], draw(3, 40, 3, "float32"), {"beta": beta}, "cupy",
                     double.asarray, double.asnumpy)


def test_the_constants_are_those_of_the_source():
    assert f"LANES = {path.LANES}, WARPS = {path.WARPS}, THREADS = LANES * WARPS" in path.source()
    assert path.THREADS == path.LANES * path.WARPS


@precisions
def test_the_conformance_kit_judges_the_path_on_arrays_of_the_device(dtype, in_tiles):
    report = judged(Job("hopref, cupy path", "modern.update", "cupy", dtype))
    assert report.verdict == "conforms", report.findings
