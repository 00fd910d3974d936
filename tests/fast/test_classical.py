"""Asynchronous updates without W have the bits of the formula on integers."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import classical
from hopref.fast.numba import classical as kernel
from tests.fast.agreement import agrees

pytest.importorskip("numba")
visit = classical.low_rank_asynchronous_update
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


@precisions
@given(data=st.data())
def test_integers_give_the_bits_of_the_formula(dtype, data):
    """One state and many, orders with repeats, ties of both kinds, both alphabets."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    d, N = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 9))
    M = data.draw(st.sampled_from([1, 7, 8, 9]))
    states = data.draw(st.sampled_from(["polar", "binary"]))
    low = {"polar": -1.0, "binary": 0.0}[states]
    reach = data.draw(st.sampled_from([1, 3]))
    X = rng.integers(-reach, reach + 1, (N, d)).astype(dtype)
    xi = np.where(rng.random((M, d)) < 0.5, low, 1.0).astype(dtype)
    b = rng.integers(-2, 3, d).astype(dtype)
    options = {"order": rng.integers(0, d, data.draw(st.sampled_from([1, 31, 33, 80]))),
               "ties": data.draw(st.sampled_from(["keep", "plus"])), "states": states,
               "zero_diagonal": data.draw(st.booleans()),
               "scale": data.draw(st.sampled_from([1.0, 0.1]))}
    got = visit(xi, X, b, **options, backend="numba")
    assert got.dtype == dtype and np.array_equal(got, visit(xi, X, b, **options))


@precisions
@pytest.mark.parametrize("M", [1, 70])
def test_real_patterns_agree_within_the_tolerance_of_signs(dtype, M):
    rng = np.random.default_rng(0)
    X, xi = rng.standard_normal((11, 45)).astype(dtype), np.sign(rng.standard_normal((M, 45)))
    order = np.concatenate([rng.permutation(45), rng.integers(0, 45, 45)])
    agrees(visit, (xi.astype(dtype), X), {"order": order, "zero_diagonal": True}, dtype)


def test_the_precision_for_integers_represents_every_sum():
    """|X| <= x and |xi| <= s: no sum exceeds N d x x s, and float32 holds integers below 2^24."""
    def carrier(x, N, d):
        return kernel._carrier(np.ones((1, d)), np.full((N, d), x))

    assert carrier(1.0, 2, 4) is np.float32
    assert carrier(0.5, 2, 4) is np.float64                     # no integers
    assert carrier(2.0**11, 2, 1) is np.float32                 # 2^23
    assert carrier(2.0**11, 4, 1) is np.float64                 # 2^24
    assert carrier(np.nan, 2, 2) is np.float64 and carrier(np.inf, 2, 2) is np.float64


def test_sums_beyond_single_precision_are_exact():
    """The fields differ by 1 in 2^26, so that their signs would be wrong in float32."""
    X = np.array([[2.0**13, 2.0**13, 1.0], [2.0**13, -(2.0**13), 0.0], [2.0**13, 0.0, -1.0]])
    xi = np.array([[1.0, 1.0, -1.0], [1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]] * 3)
    for states in xi, xi[:1]:
        order = [0, 1, 2, 2, 1, 0]
        assert np.array_equal(visit(states, X, order=order, zero_diagonal=True, backend="numba"),
                              visit(states, X, order=order, zero_diagonal=True))
