"""Asynchronous updates of graded states: blocks of sites, activations, and overflow of sums."""
import math

import numpy as np
import pytest

from hopref import graded
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
visit = graded.asynchronous_update


def draw(M, d, dtype):
    rng = np.random.default_rng(0)
    xi, W, b = rng.uniform(0, 1, (M, d)), rng.standard_normal((d, d)) / d, rng.standard_normal(d)
    return [a.astype(dtype) for a in (xi, W, b)], rng.integers(0, d, 80)


@precisions
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity"])
@pytest.mark.parametrize("M", [1, 20, 70])
def test_every_activation_in_several_blocks_of_sites_and_states(dtype, activation, M):
    args, order = draw(M, 41, dtype)
    agrees(visit, args, {"order": order, "activation": activation, "beta": 0.7}, dtype)


@precisions
def test_sites_in_order_beyond_one_block_of_terms(dtype):
    args, _ = draw(20, 540, dtype)
    agrees(visit, args, {"order": np.arange(40)}, dtype)


@precisions
def test_an_activation_of_the_caller_is_computed_by_the_formula(dtype):
    root = graded.Activation(np.cbrt, lambda x: x**3, lambda x: x**4 / 4)
    args, order = draw(20, 9, dtype)
    got = visit(*args, order=order, activation=root, backend="numba")
    want = visit(*(a.astype(float) for a in args), order=order, activation=root)
    assert got.dtype == dtype and np.array_equal(got, want.astype(dtype))


@pytest.mark.parametrize("M", [1, 20])
def test_sums_that_overflow_single_precision(M):
    """3e38 + 3e38 - 3e38 - 3e38 + 1."""
    W = np.zeros((5, 5), "float32")
    W[4] = 3e38, 3e38, -3e38, -3e38, 1.0
    got = visit(np.ones((M, 5), "float32"), W, order=[4], backend="numba")
    assert np.all(np.abs(got[:, 4] - math.tanh(1)) <= np.finfo("float32").eps)
