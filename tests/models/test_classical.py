"""Binary networks (blog eqs. 1-6).  Integers throughout: every law holds without any tolerance."""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import classical
from tests.draw import arrays, networks, pairs, polar, small, stores, visits
from tests.laws import law


@law("classical.field", id="CB-2", over=networks(symmetric=False),
     kills=["field_adds_the_threshold", "field_with_w_transposed"])
def test_the_field_of_a_site_is_what_it_receives(rules, xi, W, b):
    d = len(xi)
    h = [sum(W[i, j] * xi[j] for j in range(d)) - b[i] for i in range(d)]
    assert np.all(rules.classical.field(xi, W, b) == h)


@law("classical.energy", id="CB-3", over=networks(),
     kills=["energy_without_its_half", "energy_subtracts_the_threshold"])
def test_energy_counts_every_pair_once(rules, xi, W, b):
    d = len(xi)
    pairs = sum(W[i, j] * xi[i] * xi[j] for i in range(d) for j in range(i))
    own = sum(W[i, i] * xi[i] ** 2 for i in range(d)) / 2
    assert rules.classical.energy(xi, W, b) == -pairs - own + b @ xi


@law("classical.energy", "classical.field", id="CB-4", over=pairs(networks(), small),
     kills=["field_adds_the_threshold", "energy_without_its_half", "energy_without_its_diagonal"])
def test_the_field_prices_every_move(rules, xi, other, W, b):
    """E(xi + D) - E(xi) = -D.h - D.W D / 2; one flip of a polar site costs -2|h_i| - 2 w_ii."""
    step = other - xi
    rise = rules.classical.energy(other, W, b) - rules.classical.energy(xi, W, b)
    assert rise == -step @ rules.classical.field(xi, W, b) - step @ W @ step / 2


@law("classical.update", id="CB-2", over=networks(symmetric=False),
     kills=["sign_of_zero_is_zero", "ties_become_minus", "keep_is_plus", "ties_within_1e_15",
            "last_neuron_never_updated", "update_forgets_the_threshold"])
def test_every_site_takes_the_sign_of_its_field_and_a_tie_keeps(rules, xi, W, b):
    h = W @ xi - b
    want = [1.0 if h_i > 0 else -1.0 if h_i < 0 else x for h_i, x in zip(h, xi, strict=True)]
    assert np.all(rules.classical.update(xi, W, b) == want)
    plus = np.where(h >= 0, 1.0, -1.0)
    assert np.all(rules.classical.update(xi, W, b, ties="plus") == plus)


@law("classical.update", id="CB-2", over=networks(b=st.sampled_from([0.0, 2.0**-60, -(2.0**-60)])),
     kills=["ties_within_1e_15"])
def test_a_field_however_small_is_no_tie(rules, xi, W, b):
    h = W @ xi - b
    assert np.all(rules.classical.update(xi, W, b)[h != 0] == np.sign(h[h != 0]))


@law("classical.update", "classical.asynchronous_update", id="CB-5",
     over=visits(networks(low=0.0, symmetric=False)),
     kills=["binary_states_become_polar", "async_ignores_the_states"])
def test_binary_states_stay_binary(rules, xi, W, b, order):
    h = W @ xi - b
    want = np.where(h == 0, xi, np.where(h > 0, 1.0, 0.0))
    assert np.all(rules.classical.update(xi, W, b, states="binary") == want)
    after = rules.classical.asynchronous_update(xi, W, b, order=order, states="binary")
    assert set(after) <= {0.0, 1.0}


@law("classical.update", "classical.energy", id="CB-5", over=networks(low=0.0),
     kills=["binary_states_become_polar", "energy_without_its_half",
            "update_forgets_the_threshold"])
def test_binary_and_polar_networks_are_one_network(rules, xi, W, b):
    """xi = 2v - 1, W' = 4W, b' = 2b + 2W1: same moves; energies differ by -1W1/2 - b1."""
    v, xi, ones = xi, 2 * xi - 1, np.ones(len(xi))
    W4, b2 = 4 * W, 2 * b + 2 * W @ ones
    moved = rules.classical.update(v, W4, b2, states="binary")
    assert np.all(2 * moved - 1 == rules.classical.update(xi, W, b))
    shift = -(ones @ W @ ones) / 2 - b @ ones
    assert rules.classical.energy(xi, W, b) == rules.classical.energy(v, W4, b2) + shift


@law("classical.asynchronous_update", id="CB-4", over=visits(networks(symmetric=False)),
     kills=["asynchronous_done_synchronously", "async_flips_against_the_field",
            "async_visits_in_index_order", "async_never_visits_the_last"])
def test_sites_are_visited_one_after_another(rules, xi, W, b, order):
    want = xi.copy()
    for i in order:
        h = W[i] @ want - b[i]
        want[i] = want[i] if h == 0 else np.sign(h)
    assert np.all(rules.classical.asynchronous_update(xi, W, b, order=order) == want)


@law("classical.asynchronous_update", id="CB-4", over=visits(networks(diagonal=">=0")),
     kills=["asynchronous_done_synchronously", "async_flips_against_the_field"])
def test_one_site_at_a_time_the_energy_never_rises(rules, xi, W, b, order):
    """W = W.T and w_ii >= 0; each flip pays 2|h_i| + 2 w_ii, so strictly down off ties."""
    E, before = rules.classical.energy, xi
    for k in range(len(order)):
        after = rules.classical.asynchronous_update(xi, W, b, order=order[:k + 1])
        assert E(after, W, b) < E(before, W, b) or np.all(after == before)
        before = after


@law("classical.greedy_update", id="CB-4", over=networks(diagonal=">=0"),
     kills=["greedy_takes_the_largest_field", "greedy_takes_the_smallest", "greedy_flips_all"])
def test_greedy_flips_the_unstable_site_with_the_largest_field(rules, xi, W, b):
    h = W @ xi - b
    after = rules.classical.greedy_update(xi, W, b)
    flipped = np.flatnonzero(after != xi)
    unstable = h * xi < 0
    assert len(flipped) == (1 if unstable.any() else 0)
    assert all(unstable[i] and abs(h[i]) == abs(h[unstable]).max() for i in flipped)


@law("classical.two_step_energy", "classical.update", id="CB-6", over=networks(),
     kills=["two_step_energy_with_a_half", "two_step_energy_counts_b_once"])
def test_together_the_two_step_energy_never_rises(rules, xi, W, b):
    """L(t+1) - L(t) = -(xi(t+1) - xi(t-1)).h(t) <= 0: any symmetric W, any diagonal, any b."""
    before = xi
    now = rules.classical.update(before, W, b)
    after = rules.classical.update(now, W, b)
    L = rules.classical.two_step_energy
    rise = L(after, now, W, b) - L(now, before, W, b)
    assert rise == -(after - before) @ (W @ now - b)
    assert rise <= 0


@law("classical.update", id="CB-6", over=networks(),
     kills=["update_by_halves"])
def test_together_a_symmetric_network_ends_in_a_cycle_of_at_most_two(rules, xi, W, b):
    seen = [xi]
    while not any(np.array_equal(seen[-1], x) for x in seen[:-1]):
        seen.append(rules.classical.update(seen[-1], W, b))
    period = len(seen) - 1 - next(t for t, x in enumerate(seen) if np.array_equal(x, seen[-1]))
    assert period <= 2


@law("classical.update", "classical.energy", "storage.hebbian", id="CB-7", over=stores(),
     kills=["hebbian_is_anti", "ties_flip", "energy_subtracts_the_threshold"])
def test_together_a_hebbian_network_with_its_diagonal_descends_to_a_fixed_point(rules, xi, X, b):
    """W positive semidefinite: E(xi') - E(xi) = -D.h - D.W D / 2 <= 0, strictly while it moves."""
    W, E = rules.storage.hebbian(X), rules.classical.energy
    for _ in range(2 ** len(xi) + 1):
        after = rules.classical.update(xi, W, b)
        if np.array_equal(after, xi):
            return
        assert E(after, W, b) < E(xi, W, b)
        xi = after
    raise AssertionError("it never came to rest")


@st.composite
def antisymmetric(draw):
    """b = 0 and an even number of sites with odd weights: no field is ever zero."""
    d = 2 * draw(st.integers(1, 3))
    W = np.triu(2 * draw(arrays(d, d, elements=small)) + 1, 1)
    return {"xi": draw(arrays(d, elements=polar)), "W": W - W.T}


@law("classical.update", id="CB-6", over=antisymmetric(),
     kills=["update_with_w_transposed", "update_by_halves"])
def test_an_antisymmetric_network_returns_after_exactly_four_steps(rules, xi, W):
    """Once on the cycle; and a field of W.T would run it backwards."""
    for _ in range(2 ** len(xi)):
        xi = rules.classical.update(xi, W)
    orbit = [xi]
    for _ in range(4):
        orbit.append(rules.classical.update(orbit[-1], W))
    assert np.array_equal(orbit[4], xi) and np.array_equal(orbit[2], -xi)
    assert np.array_equal(orbit[1], np.sign(W @ xi))


@law("classical.update", "classical.energy", id="CB-2", over=networks(rows=3),
     kills=["update_by_halves", "last_neuron_never_updated", "batch_shares_its_first_field"])
def test_relabelling_and_gauge_change_nothing(rules, xi, W, b):
    """Permuting sites, or flipping the meaning of some (xi -> s xi, W -> s W s, b -> s b)."""
    update, turn = rules.classical.update, np.arange(len(b))[::-1]
    s = np.where(turn % 2, 1.0, -1.0)
    want = np.stack([update(x, W, b) for x in xi])
    assert np.all(update(xi[:, turn], W[np.ix_(turn, turn)], b[turn]) == want[:, turn])
    assert np.all(update(s * xi, s[:, None] * W * s, s * b) == s * want)
    E = rules.classical.energy
    assert np.all(E(s * xi, s[:, None] * W * s, s * b) == [E(x, W, b) for x in xi])


@law("classical.low_rank_update", "classical.low_rank_asynchronous_update", id="CB-8",
     over=visits(stores()),
     kills=["low_rank_diagonal_is_n", "low_rank_forgets_the_scale",
            "low_rank_async_stale_overlap"])
def test_weights_never_formed_give_the_same_moves(rules, xi, X, b, order):
    for scale in (1.0, 0.25):
        for zero in (False, True):
            W = rules.storage.hebbian(X, scale=scale, zero_diagonal=zero)
            how = {"scale": scale, "zero_diagonal": zero}
            got = rules.classical.low_rank_update(xi, X, b, **how)
            assert np.all(got == rules.classical.update(xi, W, b))
            got = rules.classical.low_rank_asynchronous_update(xi, X, b, order=order, **how)
            assert np.all(got == rules.classical.asynchronous_update(xi, W, b, order=order))


@law("classical.low_rank_energy", id="CB-8", over=stores(),
     kills=["low_rank_energy_keeps_its_diagonal"])
def test_weights_never_formed_give_the_same_energy(rules, xi, X, b):
    for how in ({"scale": 0.25}, {"zero_diagonal": True}):
        want = rules.classical.energy(xi, rules.storage.hebbian(X, **how), b)
        assert rules.classical.low_rank_energy(xi, X, b, **how) == want


@law("classical.update", "storage.hebbian", id="CB-9",
     over=pairs(stores(max_n=1, elements=polar)),
     kills=["hebbian_is_anti", "ties_flip"])
def test_one_pattern_is_recalled_by_the_sign_of_its_overlap(rules, xi, other, X, b):
    """Eq. (5): sgn(x (x.xi)) = x sgn(x.xi); no overlap, no move."""
    W, overlap = rules.storage.hebbian(X), X[0] @ xi
    want = xi if overlap == 0 else X[0] * np.sign(overlap)
    assert np.all(rules.classical.update(xi, W) == want)


# -- what each theorem needs --------------------------------------------------------------------

def test_a_negative_diagonal_lets_a_single_flip_climb():
    W, xi = np.array([[-3.0]]), np.array([1.0])
    after = classical.asynchronous_update(xi, W, order=[0])
    assert after == -1.0 and classical.asynchronous_update(after, W, order=[0]) == 1.0
    W = np.array([[-3.0, 1.0], [1.0, 0.0]])            # h_0 = -2 at (1, 1): -2|h| - 2 w_00 = +2
    xi = np.ones(2)
    after = classical.asynchronous_update(xi, W, order=[0])
    assert classical.energy(after, W) - classical.energy(xi, W) == 2.0


@pytest.mark.parametrize("W, xi", [
    ([[0.0, -1.0], [-1.0, 0.0]], [1.0, 1.0]),
    ([[0.0, 1.0], [1.0, 0.0]], [1.0, -1.0]),           # Hebbian x = (1, 1), diagonal zeroed
])
def test_together_an_indefinite_network_may_swing_for_ever(W, xi):
    once = classical.update(xi, W)
    assert np.all(once == -np.array(xi)) and np.all(classical.update(once, W) == xi)


def test_together_the_plain_energy_may_rise():
    """Two sites that repel one another both leave -1, and pay for it."""
    W, b, xi = np.array([[0.0, -2.0], [-2.0, 0.0]]), np.ones(2), -np.ones(2)
    after = classical.update(xi, W, b)
    assert np.all(after == 1) and classical.energy(after, W, b) - classical.energy(xi, W, b) == 4


def test_without_symmetry_visiting_in_turn_cycles_and_climbs():
    W, xi = np.array([[0.0, 2.0], [-1.0, 0.0]]), np.array([1.0, 1.0])
    energies, states = [], [xi]
    for i in (0, 1, 0, 1, 0, 1, 0, 1):
        states.append(classical.asynchronous_update(states[-1], W, order=[i]))
        energies.append(classical.energy(states[-1], W + W.T))
    assert any(np.array_equal(s, xi) for s in states[2:]) and max(np.diff(energies)) > 0


def test_with_a_threshold_an_antisymmetric_network_need_not_return_after_four():
    W, b = np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([2.0, 0.0])
    xi = np.array([1.0, 1.0])
    for _ in range(8):
        xi = classical.update(xi, W, b)
    assert np.all(classical.update(xi, W, b) == xi)     # period one


def test_zeroing_the_diagonal_takes_away_semidefiniteness():
    from hopref import storage
    X = np.array([[1.0, 1.0]])
    assert np.linalg.eigvalsh(storage.hebbian(X)).min() == 0.0
    assert np.linalg.eigvalsh(storage.hebbian(X, zero_diagonal=True)).min() < 0
