"""Functions of entries at the edges of their domains: units, empty weights, pivots, overflow."""
import numpy as np
import pytest

from hopref import maps
from hopref.maps import entries, lagrangians, loops
from hopref.maps.overlaps import pair_overlaps, squared_unit
from tests.rounding import close, g

pytestmark = pytest.mark.usefixtures("inside_an_operation")


@pytest.mark.parametrize("n", [2, 5, 899])
def test_a_common_unit_keeps_the_digits_of_all_patterns(n):
    """It is a power of two, by which the largest entry becomes a number in [1/2, 1)."""
    z = np.array([[3e200, 7.0], [-1e200, 5.0], [0.0, 1e300]])
    got = entries.in_common_unit(z, n)
    unit = np.array([3e200, 1e300]) / np.max(np.abs(got), axis=0)
    assert np.all(np.frexp(unit)[0] == 0.5) and np.array_equal(got, z / unit)
    assert np.all((np.max(np.abs(got), axis=0) >= 0.5) & (np.max(np.abs(got), axis=0) < 1))


def test_a_common_unit_is_one_where_powers_are_in_range_and_the_largest_entry_for_large_powers():
    z = np.array([[2.0], [-1.5], [0.0]])
    assert np.array_equal(entries.in_common_unit(z, 3), z)
    assert np.array_equal(entries.in_common_unit(z / 8, 3), z / 8)
    for n in (900, 10**6):
        assert entries.in_common_unit(3 * z, n).tolist() == [[1.0], [-0.75], [0.0]]


def test_the_largest_power_of_two_is_exact_in_every_binade():
    every = np.ldexp(1.0, np.arange(-1074, 1024))
    assert np.array_equal(entries.binade(every), every)
    assert np.array_equal(entries.binade(1.5 * every[1:]), every[1:])
    assert entries.binade(np.array([0.0, np.inf, np.nan])).tolist() == [1.0, 1.0, 1.0]


def test_steps_are_repeated_until_one_changes_nothing():
    for most, taken in ((0, 0), (2, 2), (4, 4), (9, 4)):
        steps = []

        def step(x, steps=steps):
            steps.append(1)
            return np.minimum(x + [1.0, 2.0], 3.0)
        got = loops.repeated(step, np.zeros(2), most)
        assert len(steps) == taken and got.tolist() == np.minimum([taken, 2 * taken], 3).tolist()


def test_winners_are_not_known_in_rows_with_a_nan():
    x = np.array([[3.0, np.nan, 2.0], [3.0, -np.inf, 3.0], [np.inf, 1.0, 2.0]])
    for k, rest in ((1, [[1, 0, 0], [1, 0, 0]]), (2, [[1, 0, 1], [1, 0, 1]])):
        got = maps.winners(x, k)
        assert np.isnan(got[0]).all() and got[1:].tolist() == rest


@pytest.mark.parametrize("a", [0.0, 0.5, 1.0])
def test_the_remainder_of_a_power_is_zero_where_the_weight_is_zero_or_one(a):
    got = entries.power_remainder(np.array([0.0, 1.0, np.exp(-1.0)]), 1.0, a)
    assert got[:2].tolist() == [0.0, 0.0]
    want = np.exp(-1.0) * ((np.exp(a) - 1 - a) / a**2 if a else 0.5)
    assert abs(got[2] - want) <= 8 * 2.0**-53 * want / max(a, 0.5) ** 2


@pytest.mark.parametrize("pivot", [-1.0, 1.0, 2.0, -0.25])
def test_a_system_is_solved_by_pivots_of_either_sign(pivot):
    A, b = np.array([[pivot, 1.0], [0.0, pivot]]), np.array([3.0, 2 * pivot])
    x, pivots = loops.solved(A, b)
    assert x.tolist() == [1 / pivot, 2.0] and pivots.tolist() == [pivot, pivot]


def test_a_pivot_of_zero_is_returned_beside_finite_numbers():
    x, pivots = loops.solved(np.zeros((1, 1)), np.ones(1))
    assert pivots.tolist() == [0.0] and np.all(np.isfinite(x))


def test_the_largest_score_of_separate_patterns_is_subtracted_where_scores_overflow():
    X = np.array([[[1e300, 0.0], [-1e300, 1.0], [5e299, 0.0]]])
    z = pair_overlaps(np.array([[[1e10, 0.0]]]), X, True)
    assert z[0, 0] == 0 and np.all(z[0, 1:] < -1e300)


def test_the_kth_largest_score_is_subtracted_where_scores_overflow():
    xi = np.array([[1e10], [-1e10]])
    X = 1e300 * np.array([[1.0], [0.5], [0.25], [-1.0], [-2.0]])
    for k in (2, 4):
        z = np.sort(maps.overlaps(xi, X, k=k), axis=-1)
        assert np.all(z[:, -k] == 0) and np.all(z[:, -k - 1] < 0) and np.all(z[:, 1 - k] > 0)


@pytest.mark.parametrize("z", [[1.7e308, 0.0, 1.0], [[1.7e308, 0.0, 1.0], [0.0, 1.7e308, 1.0]]])
def test_a_bias_is_added_to_scores_that_overflow_with_beta(z):
    got = maps.softmax(np.array(z), beta=4.0, bias=np.array([0.0, 1.0, 0.5]))
    assert np.array_equal(got, np.array(z) == 1.7e308)


def test_scores_that_a_mask_or_a_bias_hides_are_no_reference_for_a_bias():
    """Relative to a hidden score of 1e308 the others would be equal."""
    z, bias = np.array([1e308, 1e308, 0.0, 1.0]), np.array([-np.inf, 0.0, 0.0, 0.0])
    where = np.array([True, False, True, True])
    want = maps.softmax(np.array([0.0, 1.0]), beta=9.0)
    assert maps.softmax(z, beta=9.0, bias=bias, where=where).tolist() == [0.0, 0.0, *want]


def test_centred_entries_keep_the_digits_of_their_differences():
    """The mean of these is rounded to one of them."""
    away = entries.centred(np.array([[2.0**52, 2.0**52 + 1, 2.0**52 + 3]]))
    assert np.array_equal(away * 3, [[-4.0, -1.0, 5.0]])


def test_a_scan_without_rows_gives_the_last_of_its_empty_arrays():
    rows, carry = (np.zeros((0, 3)), np.zeros((0, 2))), np.ones(1)
    y, last = loops.scan(lambda state, a, b: (state, b), carry, rows)
    assert y is rows[1] and last is carry


def test_the_mean_of_no_entry_and_the_length_of_no_entry_are_zero():
    assert entries.mean(np.zeros((2, 0))).tolist() == [[0.0], [0.0]]
    assert entries.lengths(np.zeros((2, 0))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("beta", [1.0, 0.3, 2.0, 7.0, 1e300, 1e-300, 5e-324, 1.7e308])
def test_half_of_an_exponent_goes_to_each_factor_of_a_product(beta):
    b, root = squared_unit(beta)
    assert b * root * root == beta and 0.5 <= b < 2 and np.frexp(root)[0] == 0.5


def test_the_unit_of_a_row_is_that_of_its_largest_entry():
    x = np.array([[3e200, 4e200, 1e-300], [0.0, -5e-200, 1e-250]])
    close(entries.lengths(x), np.array([5e200, 5e-200]), g(5) * np.array([5e200, 5e-200]))
    close(entries.of_length_one(x), np.array([[0.6, 0.8, 0.0], [0.0, -1.0, 2e-51]]), g(6))


@pytest.mark.parametrize("n", [2, 900, 5000])
def test_scores_of_zero_stay_zero_in_a_common_unit(n):
    np.testing.assert_array_equal(entries.in_common_unit(np.zeros((3, 1)), n), np.zeros((3, 1)))


def test_sums_of_the_others_are_those_of_each_row():
    parts = np.arange(3.0 * 130).reshape(3, 130)
    np.testing.assert_array_equal(entries.others(parts),
                                  parts.sum(axis=-1, keepdims=True) - parts)


def test_what_an_exponential_exceeds_its_tangent_by_keeps_its_digits():
    u = np.array([0.0, 1e-150, 1e-9, 0.5, 1.0, 2.0])
    exact = np.array([0.0, 5e-301, 5e-19 * (1 + 1e-9 / 3), 0.14872127070012814685,
                      0.71828182845904523536, 4.38905609893065022723])
    close(lagrangians.above_linear(u), exact, g(8) * exact)


def test_a_sigmoid_of_infinite_argument_has_no_entropy():
    with np.errstate(over="ignore"):
        found = lagrangians.sigmoid_transform(np.array([1e300, -1e300, 0.0]), 1e20)
    close(found, -np.log(2) / 1e20, g(4) * np.log(2) / 1e20)
