"""Sparse maps, supports and signs of fields on CuPy arrays: blocks of rows, ties, and memory."""
import numpy as np
import pytest

from hopref import classical, dense, maps, sparse, structured
from hopref.dispatch.operation import load
from hopref.fast.cupy import _rows
from tests.doubles import cupy as double
from tests.fast.agreement import agrees
from tests.gpu.comparison import draw

precisions = pytest.mark.parametrize("dtype", [
    "float32", pytest.param("float64", marks=pytest.mark.slow)])
pytestmark = pytest.mark.usefixtures("small_blocks")
OPS = load()
MAPS = {"entmax": {"alpha": 1.5}, "sparsemax": {}, "normmax": {}, "k_subsets": {"k": 3},
        "top_k": {"k": 3}}
every_map = pytest.mark.parametrize("name", MAPS)


def grown(op, *arrays, **options):
    """Peak bytes of a call beyond its result, which reads no value."""
    double.stats.reset()
    y = op(*arrays, **options, backend="cupy")
    assert double.stats.quiet
    return double.stats.grown - y.nbytes


@precisions
@every_map
def test_blocks_of_rows_change_no_bit(name, dtype, monkeypatch):
    z, = draw((2, 5, 17), dtype=dtype)
    z, where = double.asarray(z), double.asarray(np.random.default_rng(1).random((2, 5, 17)) < 0.8)
    op, options = getattr(maps, name), MAPS[name] | {"where": where, "beta": 2.0}
    whole = op(z, **options, backend="cupy").get()
    monkeypatch.setattr(_rows, "ROWS", 3 * 17)
    assert np.array_equal(op(z, **options, backend="cupy").get(), whole)
    assert whole.dtype == dtype and (whole == 0).any()


@precisions
@pytest.mark.parametrize("op, options", [
    (sparse.update, {}), (sparse.energy, {}), (structured.top_k_update, {"k": 3}),
    (dense.update, {}), (dense.update, {"interaction": "exponential"}),
    (structured.window_update, {"width": 3}), (structured.linear_update, {})])
def test_the_scores_of_all_states_are_never_formed(op, options, dtype, monkeypatch):
    """With four times as many states the memory beyond the result does not grow."""
    monkeypatch.setattr(_rows, "ROWS", 8 * 300)
    used = []
    for M in 16, 64:
        xi, X = map(double.asarray, draw((M, 4), (300, 4), dtype=dtype))
        used.append(grown(op, xi, X, **options))
    assert used[0] == used[1]


@precisions
@pytest.mark.parametrize("features", ["identity", "elu", "relu", "exponential", "quadratic"])
@pytest.mark.parametrize("power", [0, 1, -1])
def test_features_of_any_size_neither_under_nor_overflow(features, power, dtype):
    """Products of two squares, and exponentials, would leave the range of the dtype."""
    size = (10.0 ** {"float32": 15, "float64": 160}[dtype]) ** power
    xi, X, delta = (np.abs(a) * a.dtype.type(size) for a in draw((9, 4), (70, 4), (70, 4),
                                                                 dtype=dtype))
    agrees(OPS["structured.linear_update"], (xi, X), {"features": features, "delta": delta}, dtype,
           "cupy", double.asarray, double.asnumpy)


def listed(l, n, e, dtype, components=4):
    """Arguments of `structured.listed_update` in which every pair may be repeated, and the last
    state has none."""
    rng, arrays = np.random.default_rng(2), draw((l, components), (n, components), dtype=dtype)
    return *arrays, rng.integers(l - 1, size=e), rng.integers(n, size=e)


@precisions
@pytest.mark.parametrize("e", [0, 1, 32, 33, 500])
def test_pairs_in_several_blocks(e, dtype):
    for options in {"beta": 2.0}, {"beta": 30.0, "empty_row": "nan"}:
        agrees(OPS["structured.listed_update"], listed(7, 12, e, dtype), options, dtype, "cupy",
               double.asarray, double.asnumpy)


@precisions
def test_the_patterns_of_all_pairs_are_never_formed(dtype):
    """A pair takes a few indices, and not the numbers of its pattern."""
    few, many = (grown(structured.listed_update, *map(double.asarray, listed(9, 40, e, dtype, 128)))
                 for e in (320, 640))
    assert many - few <= 320 * 8 * 8


@precisions
@pytest.mark.parametrize("name, options", [("sparse.weights", {}), ("maps.top_k", {"k": 3}),
                                           ("features.hyperbolic", {})])
def test_gradients_form_no_array_of_all_rows_and_features_or_scores(name, options, dtype,
                                                                    monkeypatch):
    """With four times as many rows the memory beyond the results does not grow."""
    monkeypatch.setattr(_rows, "ROWS", 8 * 300)
    op, used = OPS[f"gradients.{name}"], []
    g, x = ((300, 300) if name == "maps.top_k" else (600 if "hyp" in name else 300, 4))
    for M in 32, 128:
        shapes = (M, g), (M, x), *([(300, 4)] if "omega" in op.arrays or "X" in op.arrays else [])
        arrays = list(map(double.asarray, draw(*shapes, dtype=dtype)))
        double.stats.reset()
        results = op(*arrays, **options, backend="cupy")
        assert double.stats.quiet
        used.append(double.stats.grown - results[0].nbytes)
    assert used[0] == used[1]


@precisions
@pytest.mark.parametrize("renormalise", [True, False])
def test_a_support_that_is_broadcast_is_not_copied(dtype, renormalise):
    """In tiles of 32 patterns: the scores and two truth values for each."""
    xi, X = map(double.asarray, draw((3, 20, 4), (640, 4), dtype=dtype))
    support = double.broadcast_to(double.ones((1, 1, 640), dtype=bool), (3, 20, 640))
    most = np.dtype(dtype).itemsize * 60 * (32 + 3 * 4 + 10) + 60 * 32 * 2
    assert grown(structured.pair_update, xi, X, support, renormalise=renormalise) <= most


@precisions
@pytest.mark.parametrize("renormalise", [True, False])
def test_supports_over_several_tiles(dtype, renormalise):
    xi, X, delta = draw((2, 5, 4), (100, 4), (100, 4), dtype=dtype)
    support = np.random.default_rng(1).random((2, 5, 100)) < 0.4
    support[0, 1], support[:, 3, :70] = False, False
    agrees(OPS["structured.pair_update"], (xi, X, support),
           {"delta": delta, "renormalise": renormalise, "beta": 2.0}, dtype, "cupy",
           double.asarray, double.asnumpy)


@precisions
@pytest.mark.parametrize("ties", ["keep", "plus"])
def test_ties_of_integers_are_found(ties, dtype):
    """Among polar states and patterns about every fifth field is 0."""
    rng = np.random.default_rng(0)
    xi, X = (rng.choice([-1.0, 1.0], size).astype(dtype) for size in ((40, 30), (6, 30)))
    W = X.T @ X
    assert (xi @ W == 0).any()
    for name, weights in ("update", W), ("low_rank_update", X):
        op = getattr(classical, name)
        y = op(double.asarray(xi), double.asarray(weights), ties=ties, backend="cupy").get()
        assert y.dtype == dtype and np.array_equal(y, op(xi, weights, ties=ties))
