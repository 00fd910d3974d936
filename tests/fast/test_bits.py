"""Packed bits and their sums: every remainder of words, of vectors of words, and of states."""
import numpy as np
import pytest

pytest.importorskip("numba")

from hopref.fast.numba import _bits  # noqa: E402
from hopref.fast.numba._jit import njit  # noqa: E402


@njit
def compiled_differing(A, B, words):
    return _bits.differing(A, 1, B, 2, words)


@njit
def compiled_sum_of_ones(S, B, words, out):
    _bits.sum_of_ones(len(S), S.reshape(-1), 0, S.shape[1], B, 0, words, S.shape[1], out, 0)


@pytest.mark.parametrize("d", [0, 1, 64, 65, 500, 512, 1100])
def test_products_of_polar_rows_are_numbers_of_differing_bits(d):
    x = np.sign(np.random.default_rng(d).standard_normal((2, d))).astype("float32")
    bits, _ = _bits.packed(x)
    one, other = (np.concatenate([np.full(k, 7, np.uint64), row]) for k, row in zip((1, 2), bits))
    assert d - 2 * compiled_differing(one, other, bits.shape[1]) == x[0] @ x[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("low", [-1.0, 0.0])
@pytest.mark.parametrize("d", [0, 1, 63, 64, 130])
def test_packed_bits_are_the_larger_of_two_values(dtype, low, d):
    one = np.random.default_rng(d).random((3, d)) < 0.5
    bits, valid = _bits.packed(np.where(one, 1, low).astype(dtype), low)
    assert valid
    unpacked = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    assert np.array_equal(unpacked[:, :d], one) and not unpacked[:, d:].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_any_other_value_is_found(dtype, low):
    for place in 0, 63, 64, 99:
        for value in -1 - low, 0.5, np.nan, np.inf, np.nextafter(1, 2, dtype=dtype):
            x = np.full((2, 100), low, dtype)
            x[1, place] = value
            assert not _bits.packed(x, low)[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("states", [1, 2, 5])
@pytest.mark.parametrize("rows, words", [(0, 1), (1, 1), (7, 3)])
def test_sums_over_the_rows_whose_bit_is_1(dtype, states, rows, words):
    rng = np.random.default_rng(0)
    one = rng.random((rows, 64 * words)) < 0.5
    S = rng.integers(-9, 10, (states, rows)).astype(dtype)
    out = np.empty((states, 64 * words), dtype)
    bits, _ = _bits.packed(one.astype(float), 0.0)
    compiled_sum_of_ones(S, bits.reshape(-1), words, out.reshape(-1))
    assert np.array_equal(out, S @ one)
