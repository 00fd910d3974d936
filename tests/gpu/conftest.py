"""The substitute for CuPy with blocks of few rows."""
import pytest

from hopref.fast.cupy import _decayed, _linear, _tiles
from tests.doubles import cupy as double


@pytest.fixture
def small_blocks(monkeypatch):
    """Tiles of 32 keys and blocks of at most 16 positions, or 8 with a running scale."""
    monkeypatch.setattr(_tiles, "SCORES", 0)
    monkeypatch.setattr(_linear, "LEAST_ROWS", 16)
    monkeypatch.setattr(_decayed, "POSITIONS", 8)
    with double.installed() as cupy:
        yield cupy
