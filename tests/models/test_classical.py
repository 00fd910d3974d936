"""Binary networks (blog eqs. 1-6): what each theorem needs, by counterexample."""
import numpy as np
import pytest

from hopref import classical, storage


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
    X = np.array([[1.0, 1.0]])
    assert np.linalg.eigvalsh(storage.hebbian(X)).min() == 0.0
    assert np.linalg.eigvalsh(storage.hebbian(X, zero_diagonal=True)).min() < 0
