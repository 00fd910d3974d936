"""The substitute for CuPy with blocks of few rows, and the ways of softmax attention."""
import math

import pytest

from hopref.fast.cupy import _attend, _linear, _tiles
from tests.doubles import cupy as double


@pytest.fixture
def small_blocks(monkeypatch):
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
