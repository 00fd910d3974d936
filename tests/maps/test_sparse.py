"""Sparse separation maps compared with exact solutions, and their errors."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import maps
from hopref.dispatch.operation import load
from hopref.dispatch.preconditions import k_of_n
from hopref.errors import DomainError, ShapeError
from tests import exact_sparse as exact
from tests.doubles import cupy as device
from tests.draw import arrays, betas, records

alphas = st.sampled_from([1.0625, 1.25, 1.5, 1.75, 2.0, 3.0, 4.5, 10.0])
gammas = st.sampled_from([1.25, 1.5, 2.0, 3.0, 5.0])
scores = st.integers(1, 6).flatmap(lambda n: arrays(2, n))


@st.composite
def chosen(draw):
    """Scores and the number k of entries to select."""
    z = draw(scores)
    return {"z": z, "beta": draw(betas), "k": draw(st.integers(1, z.shape[-1]))}


def solved(p, z, exactly):
    """Each row is the exact solution to 4 ulp of its largest entry, and has its support."""
    for got, row in zip(p, z, strict=True):
        want = exactly(row)
        assert want.supports(got) and want.ulps(got) <= 4


@given(records(z=scores, beta=betas, alpha=alphas))
def test_entmax_is_the_exact_solution_with_its_exact_support(case):
    z, beta, alpha = case["z"], case["beta"], case["alpha"]
    solved(maps.entmax(z, beta=beta, alpha=alpha), z, lambda row: exact.entmax(row, alpha, beta))


@given(records(z=scores, beta=betas, gamma=gammas))
def test_normmax_is_the_exact_solution_with_its_exact_support(case):
    z, beta, gamma = case["z"], case["beta"], case["gamma"]
    solved(maps.normmax(z, beta=beta, gamma=gamma), z, lambda row: exact.normmax(row, gamma, beta))


@given(chosen())
def test_projections_are_the_exact_rational_solutions(case):
    z, beta, k = case["z"], case["beta"], case["k"]
    solved(maps.sparsemax(z, beta=beta), z, lambda row: exact.sparsemax(row, beta))
    solved(maps.k_subsets(z, beta=beta, k=k), z, lambda row: exact.k_subsets(row, k, beta))


@pytest.mark.parametrize("name", ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"])
def test_empty_row_determines_the_result_of_fully_masked_rows(name):
    f, hidden = getattr(maps, name), np.full(3, -np.inf)
    k = {"k": 2} if "k" in f.signature.parameters else {}
    assert f(hidden, **k).tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(f(hidden, empty_row="nan", **k)).all()
    with pytest.raises(DomainError, match="fully masked"):
        f(np.zeros(3), where=np.zeros(3, bool), empty_row="raise", **k)


@pytest.mark.parametrize("name", [name for name, it in load().items()
                                  if it.shape_rule is k_of_n])
def test_k_above_the_number_of_entries_raises_without_reading_values(name):
    """Shapes decide, so the error is also raised on a device or with nonfinite="propagate"."""
    it = load()[name]
    with device.installed():
        arrays = [device.asarray(np.ones([2] * len(dims)))
                  for k, dims in it.arrays.items() if k not in it.optional]
        device.stats.reset()
        with pytest.raises(ShapeError, match="k must be at most 2, the number of entries; got k=3"):
            it(*arrays, k=3, nonfinite="propagate")
        assert device.stats.quiet
