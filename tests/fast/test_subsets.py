"""Kernels of k-subsets and of the k largest: supports near ties, entries to four ulp."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import maps
from hopref.fast.numba import _rows as kernel
from hopref.fast.numba import _subsets
from tests.fast.agreement import rows_by_formula, to_four_ulp

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
both = pytest.mark.parametrize("op", [maps.k_subsets, maps.top_k], ids=lambda op: op.name)
inf = np.inf


def exact_entries(z, k, beta):
    """The entries, in rational numbers."""
    z = [Fraction(float(x)) * Fraction(beta) for x in z]

    def total(tau):
        return sum(min(max(x - tau, 0), 1) for x in z)
    if len(z) <= k:
        return [Fraction(1)] * len(z)
    some = [x for x in z if total(x) < k and not total(x - 1) <= k]
    ones = sum(total(x - 1) <= k for x in z)
    tau = (sum(some) + ones - k) / len(some) if some else max(x for x in z if total(x) >= k)
    return [min(max(x - tau, Fraction(0)), Fraction(1)) for x in z]


def test_an_entry_below_the_smallest_number_is_rounded_to_0():
    least = np.nextafter(np.float32(0), np.float32(1))
    p = maps.k_subsets(np.float32([-least, -least, -1]), k=1, beta=0.5, backend="numba")
    np.testing.assert_array_equal(p, np.float32([0.5, 0.5, 0]))


@precisions
@given(data=st.data())
def test_entries_are_exact_where_scores_are_an_ulp_from_an_edge(dtype, data):
    """Multiples of 1/8 often put the sum at k; an ulp then decides."""
    z = np.array(data.draw(st.lists(st.integers(-12, 12), min_size=1, max_size=9)), dtype) / 8
    step = data.draw(st.lists(st.sampled_from([-inf, 0, inf]), min_size=z.size, max_size=z.size))
    z = np.where(np.array(step) == 0, z, np.nextafter(z, np.array(step, dtype))).astype(dtype)
    beta, k = data.draw(st.sampled_from([0.5, 1.0, 2.0])), data.draw(st.integers(1, z.size))
    p = maps.k_subsets(z, k=k, beta=beta, backend="numba")
    want = exact_entries(z, k, beta)
    assert list(p > 0) == [p.dtype.type(float(x)) > 0 for x in want]   # tiny entries round to 0
    eps = Fraction(float(np.finfo(dtype).eps))
    assert all(abs(Fraction(float(x)) - y) <= eps for x, y in zip(p, want))


@both
@precisions
@pytest.mark.parametrize("n", [1, 63, 64, 65, 2049, 4097])
def test_every_remainder_of_lines_and_blocks(op, dtype, n):
    """Fewer and more entries than blocks have maxima; the largest score is in the last line."""
    z = np.random.default_rng(n).standard_normal(n).astype(dtype)
    z[-1], z[0] = 4.0, 3.9
    for k in {1, min(2, n), min(70, n), max(1, n - 1), n}:
        to_four_ulp(op, np.stack([z, -z]), k=k)


@both
@pytest.mark.parametrize("beta", [1e-6, 1e-3, 1.0, 1.1, 30.0])
@pytest.mark.parametrize("k", [1, 3, 80])
def test_entries_are_accurate_for_supports_of_all_sizes(op, beta, k):
    z = np.random.default_rng(0).standard_normal((3, 1500))
    z[1], z[2] = np.round(z[1], 1), np.where(np.arange(1500) % 3, z[2], -inf)
    to_four_ulp(op, z, k=k, beta=beta)


@both
@precisions
def test_offsets_and_hidden_scores(op, dtype):
    rng = np.random.default_rng(1)
    z, where = rng.standard_normal((4, 150)).astype(dtype), rng.random((4, 150)) < 0.5
    z[1], where[2] = z[1] + 1e6, np.arange(150) < 3          # fewer than k are visible in one row
    p = op(z, k=5, where=where, backend="numba")
    assert np.array_equal(p, op(np.where(where, z, -inf).astype(dtype), k=5, backend="numba"))
    want = op(z.astype(np.longdouble), k=5, where=where)
    assert np.max(np.abs(p - want)) <= 4 * np.finfo(dtype).eps
    z[3] = -inf
    for empty_row, answer in ("zeros", 0.0), ("nan", np.nan):
        row = op(z, k=5, empty_row=empty_row, backend="numba")[3]
        assert np.array_equal(row, np.full(150, answer), equal_nan=True)


@both
@precisions
def test_magnitudes_at_the_ends_of_the_format(op, dtype):
    f = np.finfo(dtype)
    huge, tiny = float(f.max), float(f.smallest_subnormal)
    z = np.array([[huge, -huge, huge, 0], [tiny, 0, -tiny, 3 * tiny], [-huge, huge, 1, 2]], dtype)
    for k in 1, 2, 3:
        to_four_ulp(op, z, k=k)
        for beta in 1e-300, 1e300, 2.0**-1040:
            p = op(z, k=k, beta=beta, backend="numba")
            assert np.all(np.abs(p - op(z.astype(float), k=k, beta=beta)) <= 4 * f.eps)


@precisions
def test_of_equal_scores_the_first_are_taken(dtype):
    """Also where they are in several blocks, whose order is not that of the scores."""
    z = np.zeros((2, 5000), dtype)
    z[1, [4999, 70, 3000]] = 1
    p = maps.top_k(z, k=5, backend="numba")
    assert list(np.flatnonzero(p[0])) == [0, 1, 2, 3, 4]
    assert list(np.flatnonzero(p[1])) == [0, 1, 70, 3000, 4999]


@pytest.mark.parametrize("small, by_formula", [(2.0**-53, 0), (2.0**-60, 1)])
def test_a_sum_that_may_be_k_is_left_to_the_formula(small, by_formula, monkeypatch):
    """The scores have the sum 1, of which only the second is rounded on the way."""
    rows = rows_by_formula(monkeypatch, kernel)
    z = np.array([[0.0, small, 2.0**-53 - small, 1 - 2.0**-53]])
    p = to_four_ulp(maps.k_subsets, z, k=1)
    assert p[0, 0] == 0 and sum(rows) == by_formula


def test_selection_is_that_of_a_sorted_row():
    rng = np.random.default_rng(0)
    for m in 1, 2, 3, 10, 101:
        for v in rng.standard_normal(m), rng.integers(0, 3, m) * 1.0, np.sort(rng.random(m)):
            for k in {1, (m + 1) // 2, m}:
                assert _subsets.kth_largest(v.copy(), m, k) == np.sort(v)[m - k]
