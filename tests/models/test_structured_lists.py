"""Supports in lists and in scipy.sparse: their cost is that of what is stored; bad ones."""
import tracemalloc

import numpy as np
import pytest
import scipy.sparse

from hopref import structured
from hopref.check.growth.counting import count
from hopref.errors import DomainError, DTypeError, ShapeError

# -- cost ---------------------------------------------------------------------------------------

def banded(l, per_row):
    """l states and patterns, each state with as many pairs."""
    rows = np.repeat(np.arange(l), per_row)
    return rows, (rows + np.tile(np.arange(per_row), l)) % l


def test_memory_grows_with_the_pairs_and_never_with_states_times_patterns():
    """At 20 000 states and patterns a mask takes 400 MB and its scores 3.2 GB; the lists hold at
    most 6 arrays (e, d) and 8 arrays (e) at a time, as the formula names them."""
    l, d, per_row = 20_000, 4, 5
    rows, columns = banded(l, per_row)
    S = scipy.sparse.csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(l, l))
    xi = np.random.default_rng(0).standard_normal((l, d))
    tracemalloc.start()
    structured.csr_update(xi, xi, S)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(rows) * (6 * d + 8) < 8 * l * l / 100


def work(l, per_row, n=None, d=4):
    rows, columns = banded(l, per_row)
    X = np.ones((l if n is None else n, d))
    return count(structured.listed_update.formula, np.ones((l, d)), X, rows, columns).work


def test_work_is_that_of_the_pairs():
    """Twice the pairs at most twice the work; patterns in no support cost nothing; twice the
    states with their pairs a little more than twice, by one more halving."""
    assert work(256, 16) / work(256, 8) <= 2
    assert work(256, 8, n=10_000) == work(256, 8)
    assert 2 <= work(512, 8) / work(256, 8) <= 2.2
    rng = np.random.default_rng(0)
    assert work(512, 8) < count(structured.update.formula, np.ones((512, 4)), np.ones((512, 4)),
                                rng.random((512, 512)) < 0.5).work / 4


def test_a_window_update_costs_its_band():
    def banded_work(l):
        return count(structured.window_update.formula, np.ones((l, 4)), np.ones((l, 4)), width=3,
                     align=lambda queries, keys: 0).work
    assert banded_work(2048) <= 2 * banded_work(1024)


# -- what is refused ----------------------------------------------------------------------------

XI, X = np.ones((2, 3)), np.ones((4, 3))
GOOD = scipy.sparse.csr_array(np.array([[True, False, False, True], [False, True, False, False]]))


def refused(error, words, support, *operands):
    with pytest.raises(error, match=words):
        structured.csr_update(*(operands or (XI, X)), support)


@pytest.mark.parametrize("form", ["bsr", "lil", "dok", "dia"])
def test_other_formats_are_refused_by_name(form):
    refused(DTypeError, f"in CSR, CSC or COO format; got {form}_", GOOD.asformat(form))


def test_only_booleans_of_the_right_shape_are_supports():
    refused(DTypeError, "support must be boolean; got csr_array of float64", GOOD.astype(float))
    refused(DTypeError, "in CSR, CSC or COO format; got ndarray", GOOD.toarray())
    refused(DTypeError, "in CSR, CSC or COO format; got NoneType", None)
    refused(ShapeError, r"support must have shape \(2, 4\).*; got \(4, 2\)", GOOD.T.tocsr())
    refused(ShapeError, r"support must have shape \(3, 4\)", GOOD, np.ones((3, 3)), X)
    refused(ShapeError, "d must be the same", GOOD, np.ones((2, 2)), X)
    refused(DomainError, "xi must be finite", GOOD, XI * np.nan, X)


@pytest.mark.parametrize("pointers", [[0, 3, 2], [1, 2, 3], [0, 2, 9], [0, -1, 3]])
def test_pointers_that_scipy_did_not_check_are_checked(pointers):
    bad = GOOD.copy()
    bad.indptr = np.array(pointers)
    refused(DomainError, "support must have row pointers that rise from 0 to at most 3", bad)


def test_columns_beyond_the_patterns_are_refused():
    bad = GOOD.copy()
    bad.indices = np.array([0, 7, 1])
    refused(DomainError, r"columns must be indices in 0..3; got columns\[1\] = 7", bad)


def test_rows_without_pairs_are_answered_as_asked():
    S = scipy.sparse.csr_array(np.array([[True, False, False, True], [False] * 4]))
    assert structured.csr_update(XI, X, S).tolist() == [[1.0] * 3, [0.0] * 3]
    assert np.isnan(structured.csr_update(XI, X, S, empty_row="nan")[1]).all()
    with pytest.raises(DomainError, match="every state must attend to a pattern"):
        structured.csr_update(XI, X, S, empty_row="raise")
    empty = scipy.sparse.csr_array((2, 4), dtype=bool)
    assert not structured.csr_update(XI, X, empty).any()
    assert structured.csr_update(XI, X, GOOD, empty_row="raise").tolist() == [[1.0] * 3] * 2
