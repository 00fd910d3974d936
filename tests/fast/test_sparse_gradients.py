"""Gradients of sparse maps from their supports, in blocks of rows, and rows left to the formula."""
import numpy as np
import pytest

from hopref.fast.numba import _rows as rows_kernel
from hopref.fast.numba.gradients import maps as kernel
from hopref.gradients import maps
from tests.fast.agreement import agrees, rows_by_formula

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
RULES = [(maps.sparsemax, {}), (maps.entmax, {"alpha": 1.0}), (maps.entmax, {"alpha": 1.25}),
         (maps.entmax, {"alpha": 1.5}), (maps.entmax, {"alpha": 3.0}),
         (maps.normmax, {"gamma": 1.5}), (maps.normmax, {"gamma": 2.5}), (maps.k_subsets, {"k": 3}),
         (maps.top_k, {"k": 5})]
rules = pytest.mark.parametrize("op, options", RULES, ids=lambda x: getattr(x, "name", str(x)))


@rules
@precisions
def test_blocks_of_rows_hidden_scores_and_supports_of_all_sizes(op, options, dtype, monkeypatch):
    """The last block has one row of three; a row is hidden in whole, another up to one score."""
    monkeypatch.setattr(kernel, "OPEN", 3 * 90)
    rng = np.random.default_rng(0)
    g, z = rng.standard_normal((2, 7, 90)).astype(dtype)
    where = rng.random(z.shape) < 0.7
    where[2], where[4, 1:], where[4, 0] = False, False, True
    for beta in 2.0**-20, 1.0, 32.0:
        agrees(op, (g, z), {**options, "beta": beta}, dtype)
        agrees(op, (g, z), {**options, "beta": beta, "where": where}, dtype)


def test_rows_left_to_the_formula_are_put_among_the_others(monkeypatch):
    """The lead of the first score is that at which the second entry becomes 0."""
    rows = rows_by_formula(monkeypatch, rows_kernel)
    g = np.random.default_rng(0).standard_normal((3, 3))
    z = np.array([[0.0, 0.25, -1.0], [0.0, 0.5, -1.0], [0.25, 0.0, -1.0]])
    agrees(maps.entmax, (g, z), {"alpha": 3.0}, "float64")
    assert rows == [1]
