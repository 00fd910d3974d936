"""Supports, windows and lists of pairs by the kernels of softmax attention."""
import itertools

import numpy as np
import pytest

from hopref import structured, supports
from hopref.fast.numba import structured as kernel
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])


def draw(l, n, d, dtype):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(size).astype(dtype) for size in ((l, d), (n, d))]


@precisions
@pytest.mark.parametrize("l, n", [(50, 50), (20, 31), (31, 20), (3, 50), (40, 1)])
def test_windows_of_several_blocks_and_residues(dtype, l, n, monkeypatch):
    """Blocks of 16 states; states before the first pattern and after the last."""
    monkeypatch.setattr(kernel, "BLOCK", 16)
    for (width, dilation), causal, align in itertools.product(
            [(1, 1), (7, 3), (200, 1), (2, 99)], (False, True), ("start", "end")):
        options = {"width": width, "dilation": dilation, "causal": causal, "align": align}
        agrees(structured.window_update, draw(l, n, 3, dtype), options | {"empty_row": "nan"},
               dtype)


def test_the_mask_of_a_block_does_not_grow_with_the_window(monkeypatch):
    sizes = []

    def measured(q, keys, V, beta, few, mask, *rest):
        sizes.append(mask.nbytes)
        return q
    monkeypatch.setattr(kernel, "attended", measured)
    for width in 1, 1000, 20_000:
        structured.window_update(*draw(30_000, 30_000, 1, "float32"), width=width, backend="numba")
    assert max(sizes) <= 2 * kernel.MASK


@precisions
def test_lists_in_any_order_with_repeats_runs_and_states_without_pairs(dtype):
    xi, X = draw(20, 70, 5, dtype)
    seen = supports.random(20, 70, k=9, rng=0)
    seen[3], seen[4], seen[5, 10:40] = False, True, True
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(seen.sum()), 2))
    rows, columns = (i[order] for i in np.nonzero(seen))
    got = agrees(structured.listed_update, (xi, X, rows, columns), {"empty_row": "nan"}, dtype)
    assert np.isnan(got[3]).all() and np.isfinite(np.delete(got, 3, axis=0)).all()
    for i in 4, 6:
        alone = structured.update(xi[i], X[seen[i]], backend="numba")
        assert np.array_equal(got[i], alone)


@precisions
@pytest.mark.parametrize("M", [1, 20])
def test_weights_that_are_relative_to_patterns_outside_of_the_support(dtype, M):
    """The support is far below the largest score: its weights are 1e-30 and less."""
    xi, X = draw(M, 50, 4, dtype)
    support = supports.random(M, 50, k=5, rng=0)
    support[-1] = False
    for delta, beta in (0 * X, 1.0), (X[::-1], 8.0), (100 * X, 1.0):
        options = {"delta": delta, "beta": beta, "renormalise": False, "empty_row": "nan"}
        agrees(structured.pair_update, (xi, X, support), options, dtype)


@precisions
def test_queries_of_patterns_are_rounded_once(dtype):
    """x + delta is 1 for patterns of 1e6, and beyond single precision for the largest."""
    xi, X = draw(18, 12, 3, dtype)
    X = (1e6 * X).astype(dtype)
    agrees(structured.pair_update, (xi, X), {"delta": 1 - X, "beta": 0.5}, dtype)
    large = np.full_like(X, 3e38)
    agrees(structured.pair_update, (xi, large), {"delta": large, "beta": 2.0**-60}, dtype)


@pytest.mark.parametrize("M", [1, 20])
def test_scores_that_overflow_are_left_to_the_formula(M):
    xi, X = draw(M, 30, 4, "float64")
    xi[::2] *= 1e160
    X *= 1e160
    seen = supports.random(M, 30, k=4, rng=0)
    agrees(structured.update, (xi, X, seen), {}, "float64")
    agrees(structured.listed_update, (xi, X, *np.nonzero(seen)), {}, "float64")
    agrees(structured.window_update, (xi, X), {"width": 2}, "float64")
    agrees(structured.pair_update, (xi, X, seen), {"renormalise": False}, "float64")


@precisions
@pytest.mark.parametrize("features", ["elu", "exponential", "relu", "identity", "quadratic"])
@pytest.mark.parametrize("size", [1.0, 60.0, 400.0])
def test_linear_retrieval_where_exponentials_leave_the_range(dtype, features, size):
    """Those of the largest sizes overflow single, and double precision."""
    xi, X = draw(18, 30, 3, dtype)
    delta = (0.1 * X[::-1]).astype(dtype)
    agrees(structured.linear_update, (xi, xi.dtype.type(size) * X),
           {"features": features, "delta": delta}, dtype)


@precisions
@pytest.mark.parametrize("features", ["positive", "hyperbolic", "trigonometric", "relu"])
def test_random_features_of_the_queries_of_patterns(dtype, features):
    """Also where x + delta is beyond the range of single precision."""
    (xi, X), omega = draw(18, 12, 3, dtype), draw(7, 1, 3, dtype)[0]
    options = {"features": features, "delta": X[::-1].copy(), "beta": 0.5}
    agrees(structured.random_feature_update, (xi, X, omega), options, dtype)
    large = np.full_like(X, 2e38)
    options |= {"delta": large, "beta": 2.0**-60}
    agrees(structured.random_feature_update, (xi, large, omega), options, dtype)
