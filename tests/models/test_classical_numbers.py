"""Binary networks of numbers that are unlike in size, against rationals."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import classical, storage
from hopref.errors import DomainError, RangeError
from tests.draw import arrays, polar
from tests.rounding import close, g

unlike = st.builds(lambda s, v: s * v, polar, st.sampled_from([0.0, 1e-200, 1e-8, 1.0, 3.0, 1e8]))


@given(xi=arrays(3, elements=polar), X=arrays(2, 3, elements=unlike))
def test_without_its_diagonal_nothing_large_hides_what_is_small(xi, X):
    """sum_{i != j} of rationals, to some roundings of the sum of sizes; no x_i^2 among them."""
    rows, s = [[Fraction(v) for v in x] for x in X.tolist()], [Fraction(v) for v in xi.tolist()]
    parts = [[[x[i] * x[j] * s[j] for x in rows for j in range(3) if j != i]] for i in range(3)]
    field = [sum(part[0], Fraction(0)) for part in parts]
    size = [sum(map(abs, part[0]), Fraction(0)) for part in parts]
    E = classical.low_rank_energy(xi, X, zero_diagonal=True)
    close(E, float(-sum(map(Fraction.__mul__, field, s)) / 2), g(20) * float(sum(size)) + 1e-300)
    new = classical.low_rank_update(xi, X, zero_diagonal=True)
    for i in range(3):
        if abs(field[i]) > Fraction(g(20)) * size[i] + Fraction(1e-300):
            assert new[i] == np.sign(float(field[i]))


def test_more_sites_than_one_block_read_all_others():
    X = np.where(np.arange(3 * 200).reshape(3, 200) % 7 < 3, 1.0, -1.0)
    W = storage.hebbian(X, zero_diagonal=True)
    for xi, b in ((X, 0.0), (X, np.arange(200.0)), (np.roll(X[:2], 3, axis=-1), 0.0)):
        assert np.all(classical.low_rank_update(xi, X, b, zero_diagonal=True)
                      == classical.update(xi, W, b))


def test_the_own_part_does_not_swamp_the_rest():
    assert classical.low_rank_energy([1e-8, 1], [[1, 1e8]], zero_diagonal=True) == -1.0


def test_weights_and_patterns_beyond_the_range_are_refused():
    big = np.full((2, 2), 1e300)
    for call in (lambda: classical.update([1, 1], big),
                 lambda: classical.low_rank_update([1, 1], big),
                 lambda: classical.greedy_update([1, 1], np.eye(2), [1e300, 0.0])):
        with pytest.raises(DomainError, match=r"finite and below 2\^\d+ in size"):
            call()
    with pytest.raises(RangeError, match="in the range of float64"):
        classical.energy([1, 1], np.full((2, 2), 1e308))
