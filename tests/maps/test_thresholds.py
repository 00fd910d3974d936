"""Thresholds of sparse maps: pairs, searches of the support, roots, and the work they take."""
import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx

from hopref import maps
from hopref.check.tolerance.expected import honest
from hopref.dispatch.operation import load
from hopref.maps import thresholds
from tests.rounding import close

OPS = load()
HIDDEN = 60
LINEAR, SQUARE = (1.0, 0.0), (2.0, 0.0)
EXPONENTS = (LINEAR, SQUARE, (1.25, 2.0**-55), (3.3, -(2.0**-54)), (20.0, 0.0), (0.5, 0.0),
             (0.1, 2.0**-60))
FACTORS = (0.3, 0.7)


def exactly(*parts):
    return sum((Fraction(float(part)) for part in parts), Fraction(0))


@pytest.mark.parametrize("beta", [0.05, 1.0, 40.0])
@pytest.mark.parametrize("name, option", [
    ("sparsemax", {}), ("entmax", {"alpha": 1.3}), ("entmax", {"alpha": 1.5}),
    ("entmax", {"alpha": 3.0}), ("normmax", {"gamma": 5.0}), ("k_subsets", {"k": 7})])
def test_hidden_scores_of_a_long_row_leave_the_others_alone(name, option, beta):
    """The same support, and numbers within the tolerance of two honest results."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal(120)
    where = np.ones(120, bool)
    where[rng.permutation(120)[:HIDDEN]] = False
    assert not thresholds.few(z[None])
    rule, options = OPS[f"maps.{name}"], {"beta": beta, **option}
    got, alone = rule(z, where=where, **options), rule(z[where], **options)
    assert not got[~where].any() and np.array_equal(got[where] > 0, alone > 0)
    close(got[where], alone, 2 * honest(rule, z[where], **options).radius)
    assert np.array_equal(rule(np.where(where, z, -np.inf), **options), got)


def steps(changes, root, q):
    """How many steps are taken of which each has a given relative change."""
    taken = iter(changes)
    thresholds.iterated(lambda r: r * (1 - next(taken)), np.array([root]), q, len(changes))
    return len(changes) - len(list(taken))


@pytest.mark.parametrize("root", [2.0**-20, 1.0, 2.0**20])
@pytest.mark.parametrize("q, last", [((1.0, 0.0), 33), ((4.0, 0.0), 35), ((0.25, 0.0), 35)])
def test_newton_steps_end_after_a_change_whose_square_is_below_rounding(q, last, root):
    """A change below 2^-33 is the last, for other exponents one below 2^-33/max(q, 1/q)."""
    assert steps([2.0 ** -(last + 0.5), 2.0**-60, 2.0**-60], root, q) == 1
    assert steps([2.0 ** -(last - 0.5), 2.0**-60, 2.0**-60], root, q) == 2
    assert steps([0.5, 0.5, 0.5], root, q) == 3
    assert steps([0.5, 0.5, 0.5], 0.0, q) == 1


# -- pairs --------------------------------------------------------------------------------------

def families(n, q):
    """Rows of n scores, some with many ties, hidden scores, or an edge that hardly has a height."""
    rng = np.random.default_rng(n)
    yield rng.standard_normal(n)
    yield rng.integers(-2, 3, n) / 4.0
    yield np.where(rng.random(n) < 0.4 * (np.arange(n) > 0), -np.inf, rng.standard_normal(n))
    height = ((1 - 2.0**-49) / max(1, n - 1)) ** (1 / q[0]) / (FACTORS[0] * FACTORS[1])
    yield np.where(np.arange(n) < n - 1, height, 0.0)
    yield 1e6 + rng.integers(0, 9, n) / 64
    yield np.arange(n) * -1e-3


@pytest.mark.parametrize("factors", [FACTORS, (1e270, 2.0**-52), (1e-306, 40.0)])
def test_heights_above_a_score_are_pairs_of_the_exact_products(factors):
    z, b = np.random.default_rng(0).uniform(-1, 1, (2, 200))
    z[:5], b[5:9], z[9:12] = b[:5], -np.inf, b[9:12] + 40.0
    z, b = ((v / math.prod(factors)) * math.prod(FACTORS) for v in (z, b))
    h, l = thresholds.above(z, b, factors)
    for a, c, *got in zip(z, b, h, l, strict=True):
        want = exactly(factors[0]) * exactly(factors[1]) * exactly(a, -c) if a > c > -np.inf else 0
        if want < thresholds.MOOT:
            assert abs(exactly(*got) - want) <= want / 2**100
        else:
            assert got == [thresholds.MOOT, 0.0]
    assert np.sum(h == thresholds.MOOT) >= 3


@pytest.mark.parametrize("q", EXPONENTS)
def test_powers_of_pairs_have_the_digits_of_pairs_up_to_two(q):
    ctx.prec, digits = 300, 104 if thresholds.closed(q) else 84
    h = np.append(np.random.default_rng(0).random(100), [0.0, 1.0, 1.25, 1.125])
    l = h * 2.0**-54
    for a, b, *got in zip(h, l, *thresholds.powers((h, l), q), strict=True):
        want = (arb(a) + arb(b)) ** (arb(q[0]) + arb(q[1]))
        if want < 2:
            assert abs(sum(map(arb, got)) - want) <= want / 2**digits
        else:
            assert got == [2.0, 0.0]
    rounded = thresholds.rounded_power(h, q)
    assert np.max(rounded) <= 2.0
    close(rounded, thresholds.powers((h, l), q)[0], 2.0**-51)


def test_bisections_begin_in_float64_where_tiny_powers_do_not_matter():
    x, long = np.ones(2), np.ones(2, np.longdouble)
    assert thresholds.rough(x, LINEAR) is x is thresholds.rough(x, (0.5, 0.0))
    assert thresholds.rough(long, LINEAR).dtype == float
    assert thresholds.rough(long, (0.5, 0.0)) is long


@pytest.mark.parametrize("gap", [0.0, 2.0**-60, -(2.0**-60)])
def test_a_pair_is_split_at_one_by_both_of_its_parts(gap):
    parts, whole = thresholds.split_at_one((np.array([1.0, 0.5, 1.25]), np.array([gap, 0.0, 0.0])))
    assert whole.tolist() == [gap >= 0, False, True]
    assert parts[0].tolist() == [0.0 if gap >= 0 else 1.0, 0.5, 0.0]
    assert parts[1].tolist() == [0.0 if gap >= 0 else gap, 0.0, 0.0]


# -- searches -----------------------------------------------------------------------------------

@pytest.mark.parametrize("n", range(1, 10))
def test_a_bisection_finds_the_last_index_in_few_evaluations(n):
    places = -np.arange(n)[None] * 1.0
    low, high = np.zeros((1, 1), np.int64), np.full((1, 1), n)
    for last in range(n):
        asked = []

        def holds(b, last=last, asked=asked):
            asked.append(-int(b[0, 0]))
            return b >= -last
        assert thresholds.bisected(places, low, high, holds).tolist() == [[last]]
        assert len(asked) == len(set(asked)) <= n.bit_length() and n not in asked
        some = thresholds.bisected(places, low, high, holds, steps=1)
        assert some.tolist() == [[n // 2 if 0 < n // 2 <= last else 0]]


def test_rows_are_searched_at_once_while_their_numbers_are_few():
    """Their comparisons are as many numbers as the scores times the length of a row."""
    most = int(thresholds.AT_ONCE)
    for rows, n in ((most, 1), (most // 4, 2), (most // 64, 8)):
        assert thresholds.few(np.zeros((rows, n))) and not thresholds.few(np.zeros((rows + 1, n)))


@pytest.mark.parametrize("n, other", [(3, "bisected"), (91, "among_few")])
def test_few_scores_are_compared_and_many_are_bisected(n, other, monkeypatch):
    monkeypatch.delattr(thresholds, other)
    assert thresholds.support(np.arange(n)[None] * 1.0, FACTORS, LINEAR)[0].sum() == 3


def searches(z, q, monkeypatch):
    """The supports and heights of three searches, and how often each forms pairs of heights."""
    above, formed = thresholds.above, []

    def counted(*args):
        formed.append(1)
        return above(*args)
    for name, value in (("AT_ONCE", np.inf), ("AT_ONCE", 0.0), ("on_host", lambda _: False)):
        with monkeypatch.context() as patch:
            patch.setattr(thresholds, "above", counted)
            patch.setattr(thresholds, name, value)
            formed.clear()
            yield thresholds.support(z, FACTORS, q), len(formed)


@pytest.mark.parametrize("q", EXPONENTS)
@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_all_searches_find_the_same_support(n, q, monkeypatch):
    rows = np.stack(list(families(n, q)))
    (first, _), *others = searches(rows, q, monkeypatch)
    for other, _ in others:
        assert np.array_equal(first[0], other[0])
        assert all(np.array_equal(a, b) for a, b in zip(first[1], other[1], strict=True))
    for z, inside, *e in zip(rows, first[0], *first[1], strict=True):
        assert_supported(z, inside, e, q)


@pytest.mark.parametrize("q", EXPONENTS)
def test_pairs_are_formed_where_rounded_sums_do_not_decide(q, monkeypatch):
    """Once for the result, and for the search if a sum is near 1, then in one of the rows."""
    plain, *_, near, _, _ = families(40, q)
    for z, times in ((plain[None], 1), (np.stack([plain, near]), 2)):
        (_, few), (_, many), _ = searches(z, q, monkeypatch)
        assert few == times and (many > 1) == (times > 1)


@pytest.mark.parametrize("q", [LINEAR, SQUARE])
def test_closed_forms_take_no_step_of_an_iteration(q, monkeypatch):
    monkeypatch.delattr(thresholds, "iterated")
    z = np.array([[0.5, 0.25, 0.125, 0.125]])
    assert thresholds.closed(q) and thresholds.heights(z, (1.0,), q)[0].shape == z.shape
    assert not any(map(thresholds.closed, EXPONENTS[2:]))
    assert thresholds.powers(z, LINEAR) is z


def assert_supported(z, inside, e, q):
    """The powers of the heights above the edge sum to less than 1, of those above the next to 1."""
    ctx.prec = 300
    scores = sorted({v for v in z.tolist() if v > -np.inf}, reverse=True)
    edge = min(z[inside])
    assert inside.tolist() == (z >= edge).tolist() and np.all(e[0][z == edge] == 0)
    assert excess(z, edge, q) < 0
    below = scores[scores.index(edge) + 1:]
    assert not below or excess(z, below[0], q) >= 0


def excess(z, b, q):
    """sum (factors (z - b))_+^q - 1."""
    scale = arb(FACTORS[0]) * arb(FACTORS[1])
    return sum((scale * (arb(v) - arb(b))) ** (arb(q[0]) + arb(q[1]))
               for v in z.tolist() if v > b) - 1


# -- roots --------------------------------------------------------------------------------------

@pytest.mark.usefixtures("inside_an_operation")
@pytest.mark.parametrize("q", EXPONENTS)
@pytest.mark.parametrize("n", [1, 2, 40])
def test_the_edge_is_a_root_to_two_ulp_or_to_the_digits_of_pairs(n, q):
    """Between the numbers beside the height, or power, of the edge the sum of powers passes 1."""
    ctx.prec = 400
    power = arb(q[0]) + arb(q[1])
    for z in families(n, q):
        if q[0] < 1:
            p = thresholds.powers_by_edge(z[None], FACTORS, q)[0]
            inside, e = thresholds.support(z[None], FACTORS, q)
            v = p[(e[0] == 0)[0] & inside[0]][0]
            root = arb(v) ** (1 / power)
            roots = [(arb(v) * (1 + s * arb(2) ** -51)) ** (1 / power) for s in (-1, 1)]
            for got, a, b in zip(p[inside[0]], e[0][inside], e[1][inside], strict=True):
                assert abs(got / (arb(a) + arb(b) + root) ** power - 1) < arb(2) ** -50
        else:
            inside, e = thresholds.support(z[None], FACTORS, q)
            r = thresholds.height_of_edge(inside, e, q)[0, 0]
            roots = [arb(r) * (1 + s * arb(2) ** -51) for s in (-1, 1)]
        low, high = (sum((arb(a) + arb(b) + root) ** power
                         for a, b in zip(e[0][inside], e[1][inside], strict=True)) - 1
                     for root in roots)
        assert low < arb(2) ** -85 and high > -arb(2) ** -85


# -- exact results ------------------------------------------------------------------------------

SIXTEENTHS = np.array([[12.0, 10, 2, 2, 2], [13, 9, 2, 1, 1], [14, 7, 3, 1, 1], [11, 11, 3, 2, 1],
                       [15, 5, 2, 1, 1], [10, 9, 7, 5, 1]])           # their squares sum to 256


@pytest.mark.parametrize("shift", [0.0, 3.0, -1.0])
def test_heights_in_sixteenths_give_exact_entries(shift):
    """A shift of the scores, hidden ones, and ones at the threshold leave the others alone."""
    rest = np.full((6, 3), [0.0, -np.inf, -1.0])
    z = np.concatenate([SIXTEENTHS / 16, rest], axis=1) + shift
    whole = np.sum(SIXTEENTHS, axis=1, keepdims=True)
    want = np.concatenate([SIXTEENTHS**2 / 256, np.zeros((6, 3))], axis=1)
    assert np.array_equal(maps.entmax(z, alpha=1.5, beta=2.0), want)
    want = np.concatenate([SIXTEENTHS / whole, np.zeros((6, 3))], axis=1)
    assert np.array_equal(maps.normmax(z, gamma=2.0), want)
    parts = np.array([0.5, 0.25, 0.125, 0.125])
    assert maps.sparsemax(np.append(parts, [0.0, -np.inf]) + shift).tolist() == [*parts, 0.0, 0.0]


@pytest.mark.usefixtures("inside_an_operation")
def test_heights_fall_from_the_largest_by_the_differences_of_scores():
    z = np.concatenate([SIXTEENTHS / 16, np.full((6, 2), [0.0, -np.inf])], axis=1)
    t, below = thresholds.heights(z, (1.0,), SQUARE)
    top = np.max(SIXTEENTHS, axis=1, keepdims=True)
    assert np.array_equal(t[:, :5], SIXTEENTHS / 16) and not t[:, 5:].any()
    assert np.array_equal(below[:, :5], (top - SIXTEENTHS) / top)
    assert np.all(below[:, 5:] == [1.0, np.inf])
    for q in (1.0, 2.0, 3.0, 40.0):
        got, share = thresholds.relative(t, below, q), 16 * t / top
        close(got / got[:, :1], share**q, 4 * (q + 1) * 2.0**-53 * share**q)
