"""The substitute for CuPy with blocks of few rows."""
import pytest

from hopref.fast.cupy import _linear, _tiles
from tests.doubles import cupy as double


@pytest.fixture
def small_blocks(monkeypatch):
    """Tiles of 32 keys and blocks of at most 16 positions."""
    monkeypatch.setattr(_tiles, "SCORES", 0)
    monkeypatch.setattr(_linear, "LEAST_ROWS", 16)
    with double.installed() as cupy:
        yield cupy
