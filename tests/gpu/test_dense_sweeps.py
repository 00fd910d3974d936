"""Sweeps over the sites of dense memories by a kernel: the bits of the formula, and its mutants.

The kernel is compiled by NVRTC, and its PTX runs in an interpreter; no GPU takes part.
"""

import numpy as np
import pytest

from hopref import dense
from hopref.fast.cupy import _dense as path
from tests.doubles import cupy as double
from tests.gpu import nvrtc
from tests.gpu.mutants import OF_DENSE, check_barriers, each_mutant
from tests.gpu.ptx.errors import kind_of_fault

pytestmark = nvrtc.required()
NAMES = "polynomial", "quadratic", "rectified", "exponential"


@pytest.fixture(autouse=True)
def device():
    with double.installed() as cupy:
        yield cupy


def called(xi, X, order, dtype="float64", **options):
    given = (double.asarray(np.asarray(a, dtype)) for a in (xi, X))
    return dense.asynchronous_update(*given, order=double.asarray(np.asarray(order)), **options,
                                     backend="cupy").get()


def agrees(xi, X, order, dtype="float64", **options):
    """The values are those of the formula, in the dtype of the states."""
    xi, X = (np.asarray(a, dtype) for a in (xi, X))
    y = called(xi, X, order, dtype, **options)
    assert y.dtype == xi.dtype
    assert np.array_equal(y, dense.asynchronous_update(xi, X, order=np.asarray(order), **options))


def signs(*shape, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], shape)


@pytest.mark.parametrize("name", NAMES)
def test_the_values_are_those_of_the_formula(name):
    """Of more patterns than threads, and of polar ones, of which about every third sum is 0."""
    normal = np.random.default_rng(1).standard_normal((130, 5))
    agrees(signs(1, 5), normal, [0, 3, 3, 1], "float32", interaction=name, n=4)
    agrees(signs(2, 3, 4), signs(4, 4, seed=3), [2, 0], interaction=name)


@pytest.mark.parametrize("xi, X, order", [
    ([1, 1, -1], [[1e20, 1e-20, 1e-21], [1, -1e-3, 2.0]], [0, 1, 2]),
    ([1, 1, -1], [[1e200, 1e-90, 1e-91], [1, 1e-92, 2.0]], [0, 1, 2]),
    ([1, -1], [[3e-320, 1e-320], [1e-320, 2e-320]], [0, 1]),
    ([1, -1], [[1e300, 1e300], [1e300, -1e299]], [0, 1])],
    ids=["small beside large", "of any size", "subnormal", "powers that overflow"])
@pytest.mark.parametrize("n", [2, 3])
def test_entries_of_any_size(xi, X, order, n):
    agrees(xi, X, order, n=n)


def test_a_pattern_without_an_effect_has_no_size():
    """The other has overlaps of 1e-200, whose products underflow unless they are scaled."""
    assert called([-1, 1], [[1e200, 0], [1e-200, 1e-200]], [0], n=2)[0] == 1


@pytest.mark.parametrize("options", [{"n": 1000}, {"interaction": "rectified", "n": 950}])
def test_high_powers(options):
    agrees(signs(1, 6), np.random.default_rng(1).standard_normal((5, 6)), [0, 1, 2], **options)


# Two large overlaps cancel exactly, and patterns without an effect have larger ones.
OVERLAPS = 31 * [[0, 900.0, 0]] + [[500, 0, 300], [-500, 0, 300], [-1, 3, 0.5]]


def test_exponentials_of_large_overlaps():
    agrees([[-1, 1, 1], [1, 1, 1]], OVERLAPS, [0], interaction="exponential")


def test_overlaps_that_are_kept_over_many_updates(monkeypatch):
    """Most of them are inexact, and are added anew; blocks process several states."""
    monkeypatch.setattr(path, "BLOCKS", 1)
    rng = np.random.default_rng(3)
    X = rng.standard_normal((3, 4)) * np.ldexp(1.0, rng.integers(-30, 30, (3, 4)))
    agrees(signs(2, 4), X, rng.integers(0, 4, 12), n=2)


def test_sites_out_of_range_are_passed_over_and_nan_is_propagated():
    """No values of a device are verified; a site without a number has no effect on itself."""
    xi, X = signs(4), signs(5, 4, seed=1)
    y = called(xi, X, [0, 2**40, -1, 1])
    assert np.array_equal(y, dense.asynchronous_update(xi, X, order=np.array([0, 1])))
    X[2, 3] = np.nan
    assert np.isnan(called(xi, X, [0])[0])
    xi[1] = np.nan
    assert np.isnan(called(xi, signs(5, 4, seed=1), [1, 2])).tolist() == [False] * 4


def test_an_interaction_of_the_caller_is_left_to_the_formula():
    cubic = dense.Interaction(lambda z, n: z * z * z, lambda z, n: 3 * z * z)
    agrees(signs(2, 4), signs(3, 4, seed=1), [0, 1], "float32", interaction=cubic)


def test_no_states():
    agrees(np.zeros((0, 4)), signs(3, 4), [1])


def test_the_bits_are_those_of_every_order_of_threads_and_blocks(every_order):
    agrees(signs(2, 3), [[1, -1, 1], [-1, -1, 1.0]], [1], interaction="exponential")


def test_a_sweep_takes_one_launch_whatever_its_length():
    """Beside the copies in double precision of states and patterns, and the result; it keeps three
    numbers of each state and pattern."""
    for sites in [0], [0, 1, 2]:
        xi, X, order = (double.asarray(a) for a in (
            signs(2, 3).astype("f4"), signs(4, 3).astype("f4"), np.array(sites)))
        double.stats.reset()
        dense.asynchronous_update(xi, X, order=order, backend="cupy")
        assert double.stats.quiet and double.stats.launches == 4
        assert double.stats.grown == 8 * (2 * 3 + 4 * 3 + 2 * 3 * 4) + 4 * 2 * 3
        assert np.array_equal(xi.get(), signs(2, 3))


# ---- mutants ------------------------------------------------------------------------------------

def far():
    """Patterns of which those of a warp, and the last, decide two sites, and two cancel in one."""
    X = np.tile([-1.0, 0, 1], (130, 1))
    X[116:118], X[129], X[:2, 1] = [[1e150, 0, 0], [-9e149, 0, 0]], [0, 0, -1e150], [1, -1]
    return X


CALLS = [([-1, -1, 1], far(), [0, 0, 1, 2], {}),
         (signs(3, 2), signs(3, 2, seed=5), [1], {}),
         ([1, -1], [[2.0**53, 1], [-1, 1]], [1, 0], {"n": 2}),      # of which one flip is inexact
         ([1, 1, -1], [[1e20, 1e-20, 1e-21], [0.1, -1e-3, 2.0]], [0], {"n": 2}),
         ([-1, 1], [[1, 1], [-1.777, 0]], [0], {"n": 7}),
         ([1, 1, 1], [[2, 0, -1], [-0.5, 0, 2], [0, -1, 0.1], [0, 0.1, 1]], [0, 1],
          {"interaction": "rectified"}),
         ([1, 1, 1], OVERLAPS, [0], {"interaction": "exponential"})]


@kind_of_fault
def found():
    """What is wrong with the kernel, "" for nothing."""
    for *given, options in CALLS:
        agrees(*given, **options)
    test_sites_out_of_range_are_passed_over_and_nan_is_propagated()
    test_a_pattern_without_an_effect_has_no_size()


@pytest.fixture
def kernel(monkeypatch):
    """A function that puts another source in the place of the kernel, which has two blocks."""
    monkeypatch.setattr(path, "BLOCKS", 2)
    return lambda source: monkeypatch.setattr(path, "_kernel", lambda cupy: cupy.RawModule(
        code=source, options=("-std=c++17",)).get_function("dense"))


@each_mutant(OF_DENSE)
def test_a_mutant_is_found(mutant, kernel):
    kernel(mutant.applied(path.source()))
    kind = found()
    assert kind and kind.startswith(mutant.found), kind


def test_the_kernel_itself_is_not_reported(checked, kernel):
    kernel(path.source())
    assert not found()


def test_every_barrier_has_a_mutant_and_one_that_weakens_it():
    check_barriers(OF_DENSE, path.source())
