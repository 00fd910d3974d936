"""Differing bits of packed signs: every remainder of vectors of words."""
import numpy as np
import pytest

pytest.importorskip("numba")

from hopref.fast.numba import _bits  # noqa: E402
from hopref.fast.numba._jit import njit  # noqa: E402


@njit
def compiled_differing(A, B, words):
    return _bits.differing(A, 1, B, 2, words)


@pytest.mark.parametrize("d", [0, 1, 64, 65, 500, 512, 1100])
def test_products_of_polar_rows_are_numbers_of_differing_bits(d):
    x = np.sign(np.random.default_rng(d).standard_normal((2, d))).astype("float32")
    bits = _bits.packed(x)
    one, other = (np.concatenate([np.full(k, 7, np.uint64), row]) for k, row in zip((1, 2), bits))
    assert d - 2 * compiled_differing(one, other, bits.shape[1]) == x[0] @ x[1]
