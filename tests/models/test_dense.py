"""Dense associative memories.  Integers: what is not exponential holds without any tolerance."""
import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import classical, dense, storage
from hopref.errors import DomainError
from tests import rounding
from tests.draw import arrays, memories, polar, small, visits
from tests.laws import law
from tests.rounding import close

EXPONENTIAL = ("exponential",)


def value(z, interaction, n):
    """F, one number at a time."""
    return {"quadratic": z * z / 2, "polynomial": z**n, "rectified": max(z, 0.0) ** n}[interaction]


def slope(z, interaction, n):
    steep = n * z ** (n - 1)
    return {"quadratic": z, "polynomial": steep, "rectified": steep if z > 0 else 0.0}[interaction]


def flipped(xi, i):
    other = xi.copy()
    other[i] = -other[i]
    return other


# -- energy -------------------------------------------------------------------------------------

@law("dense.energy", id="DA-1", over=memories(),
     kills=["dense_energy_of_the_mean", "rectified_is_not_rectified", "degree_ignored",
            "quadratic_without_its_half"])
def test_energy_adds_up_the_interactions(rules, xi, X, interaction, n):
    want = -sum(value(float(x @ xi), interaction, n) for x in X)
    assert rules.dense.energy(xi, X, interaction=interaction, n=n) == want


@law("dense.energy", "dense.update", "dense.asynchronous_update", "dense.first_order_update",
     id="DA-2", over=visits(memories(interactions=["quadratic"])),
     kills=["quadratic_without_its_half", "dense_update_with_its_own_part",
            "dense_visit_with_its_own_part", "first_order_with_its_own_part"])
def test_the_quadratic_memory_is_the_classical_network(rules, xi, X, interaction, n, order):
    """Its energy keeps the diagonal, a constant; its moves know no diagonal."""
    how, W = {"interaction": interaction}, storage.hebbian(X, zero_diagonal=True)
    assert rules.dense.energy(xi, X, **how) == classical.energy(xi, storage.hebbian(X))
    together, in_turn = classical.update(xi, W), classical.asynchronous_update(xi, W, order=order)
    assert np.all(rules.dense.update(xi, X, **how) == together)
    assert np.all(rules.dense.first_order_update(xi, X, **how) == together)
    assert np.all(rules.dense.asynchronous_update(xi, X, order=order, **how) == in_turn)


@st.composite
def overlaps(draw):
    """Integer patterns of length up to 400: exp of an overlap may overflow, its logarithm not."""
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    scale = draw(st.sampled_from([1.0, 100.0]))
    return {"xi": draw(arrays(d, elements=polar)), "X": scale * draw(arrays(n, d, elements=small))}


@law("dense.log_energy", id="DA-1", over=overlaps(),
     kills=["log_energy_overflows", "log_energy_of_the_mean"])
def test_the_log_energy_is_the_logarithm_of_the_exponential_energy(rules, xi, X):
    """exp, log and a sum of n terms after exact differences."""
    z = [mpmath.mpf(float(x @ xi)) for x in X]
    want = -mpmath.log(mpmath.fsum(mpmath.exp(v) for v in z))
    room = (rounding.g(len(X) + 8) + 4 * rounding.u * (np.log(len(X)) + abs(float(want))))
    close(rules.dense.log_energy(xi, X), float(want), room)


# -- one site at a time -------------------------------------------------------------------------

@law("dense.asynchronous_update", "dense.energy", id="DA-2", over=visits(memories()),
     kills=["dense_takes_the_higher_energy", "dense_ties_become_plus",
            "dense_visit_with_its_own_part", "dense_async_by_the_slope"])
def test_a_visited_site_takes_the_lower_of_its_two_energies(rules, xi, X, interaction, n, order):
    """And keeps its value where they are equal."""
    how, i = {"interaction": interaction, "n": n}, order[0]
    stay, move = (rules.dense.energy(x, X, **how) for x in (xi, flipped(xi, i)))
    want = flipped(xi, i) if move < stay else xi
    assert np.all(rules.dense.asynchronous_update(xi, X, order=[i], **how) == want)


@law("dense.asynchronous_update", id="DA-2", over=visits(memories()),
     kills=["dense_async_done_synchronously", "dense_async_stale_overlaps",
            "dense_async_in_index_order"])
def test_dense_sites_are_visited_one_after_another(rules, xi, X, interaction, n, order):
    visit, how, want = rules.dense.asynchronous_update, {"interaction": interaction, "n": n}, xi
    for i in order:
        want = visit(want, X, order=[i], **how)
    assert np.all(visit(xi, X, order=order, **how) == want)
    away = ~np.isin(np.arange(len(xi)), order)
    assert np.all(want[away] == xi[away])


@st.composite
def tables(draw):
    """Any F at all: one integer for every overlap that polar patterns can have."""
    case = draw(visits(memories()))
    case["X"] = np.where(case["X"] > 0, 1.0, -1.0)
    d = len(case["xi"])
    return {**case, "F": draw(arrays(2 * d + 1, elements=small))}


@law("dense.asynchronous_update", "dense.energy", id="DA-2", over=tables(),
     kills=["dense_takes_the_higher_energy", "dense_async_by_the_slope"])
def test_one_site_at_a_time_the_energy_never_rises_whatever_f(rules, xi, X, F, order, **_):
    d = len(xi)

    def looked_up(z, n):
        return F[(z + d).astype(int)]

    def rise(z, n):
        return (F[np.minimum(z + d + 1, 2 * d).astype(int)] - F[(z + d).astype(int)])

    own = dense.Interaction(looked_up, rise)
    after = rules.dense.asynchronous_update(xi, X, order=order, interaction=own)
    energies = [rules.dense.energy(x, X, interaction=own) for x in (xi, after)]
    assert energies[1] < energies[0] or np.all(after == xi)


def exponentials(z):
    with mpmath.workdps(1200):
        return mpmath.fsum(mpmath.exp(mpmath.mpf(float(v))) for v in z)


@law("dense.asynchronous_update", "dense.update", id="DA-2", over=overlaps(),
     kills=["exponential_overflows", "exponential_ties_by_rounding"])
def test_exponentials_are_compared_beyond_their_range_and_ties_are_seen(rules, xi, X):
    """Twelve hundred digits hold exp(-2400) beside 1; e is transcendental, so integer overlaps tie
    only as equal multisets, and apart from these the largest difference in rank decides."""
    together = rules.dense.update(xi, X, interaction="exponential")
    for i in range(len(xi)):
        up, down = (np.where(np.arange(len(xi)) == i, s, xi) @ X.T for s in (1.0, -1.0))
        tie = np.array_equal(np.sort(up), np.sort(down))
        want = xi[i] if tie else 1.0 if exponentials(up) > exponentials(down) else -1.0
        alone = rules.dense.asynchronous_update(xi, X, order=[i], interaction="exponential")
        assert alone[i] == together[i] == want


# -- all sites at once --------------------------------------------------------------------------

@law("dense.update", id="DA-2", over=memories(rows=3),
     kills=["dense_update_sees_its_flips", "dense_update_with_its_own_part"])
def test_together_each_site_does_what_it_would_do_alone(rules, xi, X, interaction, n):
    how = {"interaction": interaction, "n": n}
    together = rules.dense.update(xi, X, **how)
    for i in range(xi.shape[-1]):
        alone = dense.asynchronous_update(xi, X, order=[i], **how)
        assert np.all(together[:, i] == alone[:, i])


@law("dense.first_order_update", id="DA-3", over=memories(),
     kills=["first_order_by_the_value", "first_order_with_its_own_part",
            "first_order_ties_become_plus"])
def test_the_first_order_rule_follows_the_slope(rules, xi, X, interaction, n):
    want = xi.copy()
    for i in range(len(xi)):
        h = sum(x[i] * slope(float(x @ xi - x[i] * xi[i]), interaction, n) for x in X)
        want[i] = np.sign(h) or xi[i]
    assert np.all(rules.dense.first_order_update(xi, X, interaction=interaction, n=n) == want)


@law("dense.update", "dense.asynchronous_update", "dense.first_order_update", id="DA-2",
     over=memories(interactions=["polynomial", "rectified"]),
     kills=["powers_overflow", "powers_overflow_one_by_one", "first_order_overflows"])
def test_the_unit_of_the_patterns_changes_no_move(rules, xi, X, interaction, n):
    """z^n leaves the floating-point numbers at 2^+-400; the decision stays."""
    how = {"interaction": interaction, "n": n}
    for unit in (2.0**400, 2.0**-400):
        for rule in (rules.dense.update, rules.dense.first_order_update):
            assert np.all(rule(xi, unit * X, **how) == rule(xi, X, **how))
        visit, order = rules.dense.asynchronous_update, range(len(xi))
        moved = visit(xi, unit * X, order=order, **how)
        assert np.all(moved == visit(xi, X, order=order, **how))


@law("dense.update", "dense.first_order_update", "dense.energy", id="DA-2", over=memories(),
     kills=["dense_update_ties_become_plus", "first_order_ties_become_plus"])
def test_renaming_the_values_of_a_site_renames_its_moves(rules, xi, X, interaction, n):
    how, s = {"interaction": interaction, "n": n}, np.where(np.arange(len(xi)) % 2, 1.0, -1.0)
    assert rules.dense.energy(s * xi, X * s, **how) == rules.dense.energy(xi, X, **how)
    for rule in (rules.dense.update, rules.dense.first_order_update):
        assert np.all(rule(s * xi, X * s, **how) == s * rule(xi, X, **how))


# -- what each theorem needs --------------------------------------------------------------------

def test_together_the_dense_energy_may_rise():
    X, xi = np.array([[2.0, 2.0, 1.0], [0.0, 1.0, -1.0]]), np.array([-1.0, 1.0, -1.0])
    E = [dense.energy(x, X, n=2) for x in (xi, dense.update(xi, X, n=2))]
    assert E == [-5.0, -1.0]


def test_following_the_slope_even_one_site_may_raise_the_energy():
    X, xi = np.array([[3.0, 1.0], [-1.0, -3.0]]), np.array([1.0, -1.0])
    moved = np.array([dense.first_order_update(xi, X, n=3)[0], -1.0])
    assert [dense.energy(x, X, n=3) for x in (xi, moved)] == [-16.0, 0.0]
    assert dense.asynchronous_update(xi, X, order=[0], n=3)[0] == 1.0


def test_an_even_degree_cannot_tell_a_pattern_from_its_negative_an_odd_one_can():
    x = np.array([1.0, -1.0, 1.0])
    for n, same in ((2, True), (3, False)):
        assert (dense.energy(x, [x], n=n) == dense.energy(-x, [x], n=n)) is np.bool_(same)


def test_states_that_are_not_polar_are_refused():
    for rule in (dense.update, dense.first_order_update):
        with pytest.raises(DomainError, match="xi must hold -1 and 1 only"):
            rule([0.5], [[1.0]])
