"""Retrieval as regression: what a support vector machine of query-memory pairs shares with it.

Theorem 3.1 of Hu et al. 2025, as it is reported, writes each component of the retrieved pattern as
sum_mu (alpha_mu - alpha~_mu) <Phi(x_mu + delta_mu), Phi(xi)>.  That form is seen here; that the
multipliers of the machine were the memories is not so, and nothing in hopref rests on it.
"""
import numpy as np
import pytest

from hopref import structured
from tests import rounding
from tests.rounding import close, g

BETA, SLACK = 0.5, 1e-3


@pytest.fixture
def fitted():
    svm = pytest.importorskip("sklearn.svm", reason="scikit-learn is the machine examined here")
    rng = np.random.default_rng(3)
    X = rng.standard_normal((6, 3)) + 1.0
    delta = rng.standard_normal((6, 3)) / 4
    queries = X + delta
    kernel = np.exp(BETA * queries @ queries.T)
    machines = [svm.SVR(kernel="precomputed", C=1e3, epsilon=SLACK, tol=1e-9).fit(kernel, x)
                for x in X.T]
    return X, delta, queries, kernel, machines


def multipliers(machine, n):
    a = np.zeros(n)
    a[machine.support_] = machine.dual_coef_[0]
    return a


def test_a_machine_of_pairs_is_a_sum_of_kernels_as_retrieval_is(fitted):
    """Both read out K(xi, queries) @ A: the machine with its multipliers, and a bias; retrieval
    with the memories, and a denominator that depends on the state."""
    X, delta, queries, _, machines = fitted
    xi = np.array([[0.5, -1.0, 2.0], [1.0, 1.0, 0.0]])
    K = np.exp(BETA * xi @ queries.T)
    for machine in machines:
        a, b = multipliers(machine, len(X)), machine.intercept_
        close(machine.predict(K), K @ a + b, 2 * g(len(X) + 2) * (K @ np.abs(a) + np.abs(b)))
    retrieved, slack = rounding.of(structured.pair_update, xi, X, delta=delta, beta=BETA)
    close(K @ X / K.sum(-1, keepdims=True), retrieved, 2 * slack)


def test_the_multipliers_of_the_machine_are_not_the_memories(fitted):
    """They sum to 0, for the bias; memories need not.  And the machine gives every memory back at
    its query, up to its slack, where retrieval gives a mean of memories."""
    X, delta, queries, kernel, machines = fitted
    A = np.stack([multipliers(machine, len(X)) for machine in machines], -1)
    close(A.sum(0), 0.0, g(len(X)) * np.abs(A).sum(0))
    assert np.abs(X.sum(0)).min() > 1
    given_back = np.stack([machine.predict(kernel) for machine in machines], -1)
    assert np.abs(given_back - X).max() < 2 * SLACK         # and the machine's stopping tolerance
    assert np.abs(structured.pair_update(queries, X, delta=delta, beta=BETA) - X).max() > 0.1
