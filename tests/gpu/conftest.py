"""The substitute for CuPy with small blocks, ways of softmax attention, and orders of threads.

With ``--checks`` each `CHECK` of an index in the kernels is compiled, and not only where a test
asks for it.
"""
import math

import numpy as np
import pytest

from hopref.fast.cupy import _attend, _linear, _projected, _tiles
from tests.doubles import cupy as double
from tests.gpu import raw
from tests.gpu.mutants import TRAP
from tests.gpu.ptx import launch, operations

TWO_ORDERS = [("together", "ascending"), ("last", "descending")]
FIVE_ORDERS = [("together", "ascending"), ("together", "descending"), ("last", 0), (1, 1), (2, 2)]


def pytest_addoption(parser):
    parser.addoption("--checks", action="store_true",
                     help="compile the checks of indices in CUDA kernels")


def pytest_configure(config):
    raw.CHECKED = config.option.checks


@pytest.fixture
def by_products(monkeypatch):
    """Features by products of matrices; the kernel has tests of its own."""
    monkeypatch.setattr(_projected, "WIDTHS", {4: (), 8: ()})


@pytest.fixture
def small_blocks(monkeypatch, by_products):
    """Tiles of 32 keys and blocks of at most 16 positions."""
    monkeypatch.setattr(_tiles, "SCORES", 0)
    monkeypatch.setattr(_linear, "LEAST_ROWS", 16)
    with double.installed() as cupy:
        yield cupy


@pytest.fixture
def in_tiles(monkeypatch):
    """Softmax attention by products of matrices; the kernels have tests of their own."""
    monkeypatch.setattr(_attend, "FEW", 0)
    monkeypatch.setattr(_attend, "MANY", math.inf)


@pytest.fixture
def for_few(monkeypatch):
    """Softmax attention by the kernel for few queries, whatever their number."""
    monkeypatch.setattr(_attend, "FEW", math.inf)
    monkeypatch.setattr(_attend, "MANY", math.inf)


@pytest.fixture
def for_many(monkeypatch):
    """Softmax attention by the kernel for many queries, whatever their number."""
    monkeypatch.setattr(_attend, "FEW", 0)
    monkeypatch.setattr(_attend, "MANY", 1)


@pytest.fixture
def checked(monkeypatch):
    """Each `CHECK` of an index in a kernel is compiled."""
    monkeypatch.setattr(raw, "CHECKED", True)


@pytest.fixture
def mutant(request, monkeypatch):
    """A version of a kernel, with checks of indices if one of them finds it, or if it is right."""
    monkeypatch.setattr(raw, "CHECKED", request.param.found in ("", TRAP))
    return request.param


@pytest.fixture(params=[pytest.param(TWO_ORDERS, id="two"),
                        pytest.param(FIVE_ORDERS, id="five", marks=pytest.mark.slow)])
def every_order(request, monkeypatch):
    """Each launch takes place in several orders of threads and of blocks, with equal bits."""
    monkeypatch.setattr(raw, "ORDERS", request.param)


@pytest.fixture
def approximate(monkeypatch):
    """Powers of two are off by two units in the last place, and near reciprocals by 2^-20, up or
    down by a bit of the number, in programs that are built for the test."""
    power, *rest = operations._FLOAT["ex2"]
    reciprocal = operations._near_reciprocal

    def off(y, error):
        up = np.asarray(y).view(f"u{y.dtype.itemsize}") >> (8 * (y.dtype.itemsize // 2)) & 1
        return (y * (1 + np.where(up, error, -error))).astype(y.dtype)
    monkeypatch.setitem(operations._FLOAT, "ex2", (lambda x: off(power(x), 2.0**-22), *rest))
    monkeypatch.setattr(operations, "_near_reciprocal", lambda x: operations._upper_half(
        off(reciprocal(x), 2.0**-20)))
    launch._prepared.cache_clear()
    yield
    launch._prepared.cache_clear()
