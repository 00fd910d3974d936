"""Learning rules."""
import numpy as np

from hopref import storage
from tests.draw import stores
from tests.laws import law


@law("storage.hebbian", id="CB-1", over=stores(),
     kills=["hebbian_is_anti", "hebbian_divided_by_n", "hebbian_scale_squared",
            "hebbian_subtracts_n", "hebbian_keeps_the_diagonal"])
def test_weights_are_the_sum_of_outer_products(rules, xi, X, b):
    W = 0.25 * sum(np.outer(x, x) for x in X)
    assert np.all(rules.storage.hebbian(X, scale=0.25) == W)
    np.fill_diagonal(W, 0.0)
    assert np.all(rules.storage.hebbian(X, scale=0.25, zero_diagonal=True) == W)


@law("storage.hebbian", id="CB-1", over=stores(),
     kills=["hebbian_divided_by_n", "hebbian_covariance"])
def test_patterns_add_up_in_any_order_and_with_any_sign(rules, xi, X, b):
    hebbian, signs = rules.storage.hebbian, np.where(np.arange(len(X)) % 2, 1.0, -1.0)[:, None]
    W = hebbian(X)
    assert np.all(hebbian(X[::-1]) == W) and np.all(hebbian(signs * X) == W)
    assert np.all(hebbian(np.vstack([X, X[:1]])) == W + hebbian(X[:1]))


@law("storage.hebbian", id="CB-7", over=stores(),
     kills=["hebbian_is_anti"])
def test_with_its_diagonal_the_matrix_is_semidefinite(rules, xi, X, b):
    """xi.W xi = |X xi|^2: integers, so exactly."""
    W = rules.storage.hebbian(X)
    assert np.all(W == W.T) and xi @ W @ xi == np.sum((X @ xi) ** 2)


def test_not_every_sum_of_outer_products_is_semidefinite():
    """The blog says so of all; it holds for x x^T, not for v k^T."""
    v, k = np.array([[1.0, 0.0]]), np.array([[-1.0, 1.0]])
    W = v.T @ k
    assert np.linalg.eigvalsh(W + W.T).min() < 0
    assert np.linalg.eigvalsh(storage.hebbian(v)).min() == 0
