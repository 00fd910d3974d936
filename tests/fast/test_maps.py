"""Supports of the kernels for sparse maps, also near ties; entries to four ulp of the largest."""
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import maps
from hopref.fast.numba import _rows as kernel
from tests.fast.agreement import agrees, rows_by_formula, to_four_ulp

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
ALPHAS = [1.0, 1.001, 1.05, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 10.0]
alphas = pytest.mark.parametrize("alpha", ALPHAS)
inf = np.inf


def mapped(z, dtype="float64", **options):
    return maps.entmax(np.asarray(z, dtype), **options, backend="numba")


def exact_support(z, q, factor):
    """Scores b with ``sum (factor (z - b))_+^q < 1``, in rational numbers, for an integer q."""
    z = [Fraction(float(x)) for x in z]
    return [sum((factor * (x - b)) ** q for x in z if x > b) < 1 for b in z]


@precisions
@pytest.mark.parametrize("alpha, q", [(2.0, 1), (1.5, 2)])
@given(data=st.data())
def test_the_support_is_exact_where_scores_are_an_ulp_from_its_edge(dtype, alpha, q, data):
    """Multiples of 1/8 often put the sum at 1; an ulp then decides."""
    z = np.array(data.draw(st.lists(st.integers(-12, 12), min_size=1, max_size=9)), dtype) / 8
    step = data.draw(st.lists(st.sampled_from([-inf, 0, inf]), min_size=z.size, max_size=z.size))
    z = np.where(np.array(step) == 0, z, np.nextafter(z, np.array(step, dtype)))
    beta = data.draw(st.sampled_from([0.5, 1.0, 1.1, 2.0]))
    p = mapped(z, dtype, alpha=alpha, beta=beta)
    factor = Fraction(beta) * Fraction(alpha - 1)
    assert list(p > 0) == exact_support(z.astype(dtype), q, factor)


@precisions
@alphas
@pytest.mark.parametrize("n", [1, 63, 64, 65, 2049, 4097])
def test_every_remainder_of_lines_and_blocks(dtype, alpha, n):
    """The largest score is in the last line, the second in the first."""
    z = np.random.default_rng(n).standard_normal(n).astype(dtype)
    z[-1], z[0] = 4.0, 3.9
    to_four_ulp(maps.entmax, np.stack([z, -z]), alpha=alpha)


@alphas
@pytest.mark.parametrize("beta", [1e-6, 1e-3, 1.0, 30.0])
def test_entries_are_accurate_for_supports_of_all_sizes(alpha, beta):
    """Entries of thousands are far below the ulp of their sum, and for alpha > 2 those at the edge
    are roots of what is left of it."""
    z = np.random.default_rng(0).standard_normal((3, 1500))
    to_four_ulp(maps.entmax, z, alpha=alpha, beta=beta)


@precisions
@pytest.mark.parametrize("gamma", [1.02, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("beta", [1e-6, 1e-3, 1.0, 30.0])
def test_entries_of_normmax_are_accurate_for_supports_of_all_sizes(dtype, gamma, beta):
    z = np.random.default_rng(0).standard_normal((3, 700)).astype(dtype)
    z[2, ::2] = -inf
    to_four_ulp(maps.normmax, z, gamma=gamma, beta=beta)


@precisions
@alphas
def test_offsets_ties_and_hidden_scores(dtype, alpha):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((4, 150)).astype(dtype)
    z[1], z[2, ::3], z[3] = z[1] + 1e6, -inf, np.round(z[3], 1)
    where = rng.random(z.shape) < 0.5
    p = to_four_ulp(maps.entmax, z, alpha=alpha)
    assert np.all(p[2, ::3] == 0)
    q = mapped(z, dtype, alpha=alpha, where=where)
    assert np.array_equal(q, mapped(np.where(where, z, -inf), dtype, alpha=alpha))
    ties = z[3, :, None] == z[3]
    assert np.all(p[3, :, None][ties.any(1)] - p[3] == 0, where=ties)


@precisions
@alphas
def test_magnitudes_at_the_ends_of_the_format(dtype, alpha):
    f = np.finfo(dtype)
    huge, tiny = float(f.max), float(f.smallest_subnormal)
    z = np.array([[huge, -huge, huge, 0], [tiny, 0, -tiny, 3 * tiny], [-huge, huge, 1, 2]], dtype)
    to_four_ulp(maps.entmax, z, alpha=alpha)
    for beta in 1e-300, 1e300, 2.0**-1040:
        p = mapped(z, dtype, alpha=alpha, beta=beta)
        want = maps.entmax(z.astype(float), alpha=alpha, beta=beta)
        assert np.all(np.abs(p - want) <= 4 * f.eps)


def test_rows_without_visible_scores():
    z = np.array([[0.0, 1.0], [-inf, -inf]])
    for empty_row, answer in ("zeros", 0.0), ("nan", np.nan):
        p = mapped(z, empty_row=empty_row, alpha=2.0)
        assert np.array_equal(p, [[0, 1], [answer, answer]], equal_nan=True)
    hidden = maps.sparsemax(z, where=[[True, False], [True, True]], backend="numba")
    assert np.array_equal(hidden, [[1, 0], [0, 0]])
    assert mapped(np.empty((0, 3))).shape == (0, 3) and mapped(np.empty((2, 0, 3))).size == 0


@pytest.mark.parametrize("alpha, by_formula", [
    (2.0, 0),       # the sum is exactly 1, and no term of it was rounded
    (1.5, 0), (3.0, 1), (1.25, 1)])
def test_a_sum_that_may_be_one_is_left_to_the_formula(alpha, by_formula, monkeypatch):
    """The lead is 1/(alpha - 1), at which the second entry becomes 0."""
    rows = rows_by_formula(monkeypatch, kernel)
    lead = 1 / (alpha - 1)
    p = mapped([[0.0, lead], [0.0, 0.75 * lead]], alpha=alpha)
    assert list(p[0]) == [0, 1] and p[1, 0] > 0 and sum(rows) == by_formula


def test_powers_of_pairs_have_the_digits_of_a_decimal_power():
    """The pair is the power of the pair (t, low) to 2^-60, where the library's power has 53 bits.
    """
    from hopref.fast.numba._pairs import real_power
    with localcontext(prec=60):
        for t, low in (0.7, 3e-17), (1e-30, -4e-47), (1.0, 0.0), (1.2499, 1e-17), (0.5, 0.0):
            for q in (1 / 3, 1.850371707708594e-17), (0.1, 0.0), (0.9, 1e-17):
                want = (Decimal(t) + Decimal(low)) ** (Decimal(q[0]) + Decimal(q[1]))
                p, more = real_power((t, low), q)
                assert abs((Decimal(p) + Decimal(more)) / want - 1) < Decimal(2) ** -60


@precisions
def test_agreement_by_the_derived_tolerance_on_long_rows(dtype):
    z = np.random.default_rng(2).standard_normal((2, 3000)).astype(dtype)
    for alpha in 1.25, 1.5, 2.0, 3.0:
        agrees(maps.entmax, (z,), {"alpha": alpha}, dtype)
