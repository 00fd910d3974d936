"""Sparse networks by blocks of states and tiles of patterns, and scores beyond the range."""
import numpy as np
import pytest

from hopref import sparse, structured
from hopref.errors import RangeError
from hopref.fast.numba import _supports as kernel
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
RULES = [(sparse.update, {"alpha": 1.5}), (sparse.weights, {"alpha": 3.0}),
         (sparse.energy, {"alpha": 1.25}), (sparse.normmax_energy, {}),
         (sparse.k_subsets_update, {"k": 2}), (sparse.k_subsets_energy, {"k": 3}),
         (structured.top_k_update, {"k": 4})]
rules = pytest.mark.parametrize("op, options", RULES, ids=lambda x: getattr(x, "name", ""))


def draw(M, N, d, dtype):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(size).astype(dtype) for size in ((M, d), (N, d))]


@rules
@precisions
@pytest.mark.parametrize("N, d", [(1, 1), (9, 0), (90, 5), (40, 900)])
def test_every_remainder_of_blocks_and_tiles(op, options, dtype, N, d, monkeypatch):
    """Blocks of four states; tiles of nine patterns, if these are long."""
    monkeypatch.setattr(kernel, "SCORES", 0)
    options = options | {"k": min(options.get("k", 1), N)} if "k" in options else options
    for beta in 2.0**-6, 1.0, 64.0:
        agrees(op, draw(7, N, d, dtype), {**options, "beta": beta}, dtype)


@rules
def test_single_precision_is_accurate_if_scores_over_or_underflow(op, options):
    """The computation is then in double precision, with one final rounding: 1 eps."""
    xi, X = draw(6, 30, 4, "float32")
    for factor, beta in (1e20, 2.0**-100), (1e-25, 1e49), (1e30, 1.0):
        args = [np.float32(factor) * a for a in (xi, X)]
        want = op(*(a.astype(float) for a in args), **options, beta=beta)
        if "energy" in op.name and factor > 1:
            with pytest.raises(RangeError, match="infinity"):       # of the order of the scores
                op(*args, **options, beta=beta, backend="numba")
            continue
        got = op(*args, **options, beta=beta, backend="numba")
        assert got.dtype == "float32"
        assert np.all(np.abs(got - want) <= np.finfo("float32").eps * np.abs(want) + 1e-45)


@rules
def test_scores_beyond_the_range_are_those_of_the_formula(op, options):
    xi, X = (1e160 * a for a in draw(3, 20, 4, "float64"))
    xi[1] = 0
    if "energy" not in op.name:
        got, want = op(xi, X, **options, backend="numba"), op(xi, X, **options)
        assert np.array_equal(got[[0, 2]], want[[0, 2]]) and np.all(np.isfinite(got))


def test_a_margin_gives_the_pattern_itself():
    xi, X = draw(20, 50, 6, "float64")
    for op in sparse.update, sparse.normmax_update, sparse.k_subsets_update:
        options = {"k": 1} if op is sparse.k_subsets_update else {}
        got = op(X[:20] * 100, X, **options, beta=100.0, backend="numba")
        best = X[np.argmax(X[:20] @ X.T, axis=1)]
        assert np.array_equal(got, best)
