"""Learning rules."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import classical, sequences, storage
from hopref.errors import DomainError, RangeError
from tests import rounding
from tests.draw import arrays, small
from tests.rounding import close


def test_not_every_sum_of_outer_products_is_semidefinite():
    """The blog says so of all; it holds for x x^T, not for v k^T."""
    v, k = np.array([[1.0, 0.0]]), np.array([[-1.0, 1.0]])
    W = v.T @ k
    assert np.linalg.eigvalsh(W + W.T).min() < 0
    assert np.linalg.eigvalsh(storage.hebbian(v)).min() == 0


def test_rounded_weights_lose_a_tie_that_weights_of_scale_one_see():
    X = np.array([[-1, 1, -1, 1, -1], [-1, -1, -1, -1, 1], [-1, 1, -1, -1, -1.0]])
    xi, how = [1, 1, 1, -1, -1], {"zero_diagonal": True}
    assert classical.field(xi, storage.hebbian(X, scale=1 / 3, **how))[4] != 0
    assert classical.field(xi, storage.hebbian(X, **how))[4] == 0
    assert classical.update(xi, storage.hebbian(X, **how), ties="plus")[4] == 1
    assert classical.low_rank_update(xi, X, scale=1 / 3, ties="plus", **how)[4] == 1


# -- projection ---------------------------------------------------------------------------------

def spanned(X):
    """The projection on the rows of an integer matrix, by exact Gram-Schmidt; and the rank."""
    rows = []
    for x in X:
        r = [Fraction(int(v)) for v in x]
        for q in rows:
            part = sum(a * b for a, b in zip(r, q, strict=True)) / sum(a * a for a in q)
            r = [a - part * b for a, b in zip(r, q, strict=True)]
        rows += [r] if any(r) else []
    d = range(X.shape[1])
    return np.array([[float(sum(q[i] * q[j] / sum(a * a for a in q) for q in rows)) for j in d]
                     for i in d]).reshape(len(d), len(d)), len(rows)


def allowed(X, rank):
    """As if the patterns were rounded n d times; their span moves by |E| / s_min (Wedin)."""
    X = X / np.maximum(np.abs(X).max(-1, keepdims=True), 1)
    s = np.linalg.svd(X, compute_uv=False)
    return rounding.g(8 * X.size) * (s[0] / s[rank - 1] if rank else 1.0)


def patterns(most):
    return st.tuples(st.integers(1, most), st.integers(1, 4)).flatmap(
        lambda shape: arrays(*shape, elements=small))


@given(patterns(5))
def test_projection_is_orthogonal_onto_the_span_of_the_patterns(X):
    """Dependent and zero patterns, and more patterns than sites, included."""
    want, rank = spanned(X)
    W = storage.projection(X)
    close(W, want, allowed(X, rank))
    close(W @ X.T, X.T, allowed(X, rank) * 4 * len(X.T) * np.abs(X).max())
    close(np.trace(W), rank, allowed(X, rank) * len(W))


@pytest.mark.parametrize("n, d", [(2, 400), (40, 60)])
def test_a_rounded_combination_of_the_patterns_adds_nothing_to_their_span(n, d):
    """Its distance from the span is that of rounding, which grows with both axes."""
    rng = np.random.default_rng(n)
    X = rng.standard_normal((n, d))
    for _ in range(20):
        W = storage.projection(np.vstack([X, rng.standard_normal(n) @ X]))
        assert round(np.trace(W)) == n


def test_patterns_without_sites_have_weights_without_entries():
    for rule in (storage.projection, storage.covariance, storage.storkey):
        assert rule(np.zeros((2, 0))).shape == (0, 0)


@given(X=arrays(2, 4, elements=small), k=st.integers(20, 40))
def test_however_close_the_patterns_the_matrix_is_a_projection(X, k):
    """W = W^T = W^2 to a few roundings, although x_2 - x_1 is only 2^-k of them; none is lost."""
    rank = np.linalg.matrix_rank(X)
    X = np.vstack([X[0], X[0] + 2.0**-k * X[1]])
    W = storage.projection(X)
    assert np.all(W == W.T) and round(np.trace(W)) == rank
    close(W @ W, W, rounding.g(16 * X.size))


@given(patterns(3))
def test_the_unit_of_each_pattern_is_irrelevant(X):
    """Powers of two: to the last bit, though their squares leave the floating-point numbers."""
    W, units = storage.projection(X), 2.0 ** np.array([600, -600, 0])[:len(X), None]
    assert np.all(storage.projection(units * X) == W)


def test_a_sequence_is_replayed_by_its_weights_however_correlated_the_patterns():
    """Patterns that differ in few sites: the Hebbian rule of sequences has errors in all of them.
    """
    X = np.where(np.random.default_rng(0).random((10, 24)) < 0.2, -1.0, 1.0)
    W = storage.projection(X, sequence="loop")
    assert np.array_equal(classical.update(X, W), np.roll(X, -1, axis=0))
    assert np.all(np.any(sequences.update(X, X, n=1) != np.roll(X, -1, axis=0), axis=1))


def test_weights_of_a_sequence_beyond_the_range_are_refused():
    X = [[1e-300, 0.0], [0.0, 1e300]]
    assert np.array_equal(storage.projection(X), np.eye(2))
    with pytest.raises(RangeError, match="projection"):
        storage.projection(X, sequence="open")
    with pytest.raises(DomainError, match="sequence must be"):
        storage.projection(X, sequence="closed")


def test_the_order_of_the_patterns_matters_to_storkey():
    X = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, -1.0]])
    assert np.abs(storage.storkey(X) - storage.storkey(X[::-1])).max() > 0.1
    assert np.array_equal(storage.hebbian(X), storage.hebbian(X[::-1]))


def test_covariance_and_winners_recall_sparse_patterns_from_half_a_cue():
    X = np.kron(np.eye(4), np.ones(5))                  # four patterns of five units each
    W = storage.covariance(X, zero_diagonal=True)
    cue = X * np.tile([1.0, 1.0, 1.0, 0.0, 0.0], 4)
    assert np.array_equal(classical.winners_update(cue, W, k=5), X)


def test_more_winners_than_sites_are_refused():
    with pytest.raises(DomainError, match="k must be at most d = 2; got k=3"):
        classical.winners_update([0.0, 1.0], np.eye(2), k=3)


def test_the_covariance_loses_no_digits_to_a_large_mean():
    """A shift that changes no difference of the entries leaves the weights."""
    X = np.random.default_rng(0).integers(-2**20, 2**20, (7, 5)) * 2.0**-20
    W = storage.covariance(X)
    assert np.max(np.abs(storage.covariance(X + 2.0**20) - W)) < 16 * 2.0**-52 * np.max(W)


def test_the_perceptron_rule_visits_the_patterns_so_many_times():
    X = np.random.default_rng(0).choice([-1.0, 1.0], (8, 12))
    W, distinct = np.zeros((12, 12)), set()
    for epochs in range(1, 6):
        for x in X:
            W = W + np.where((x * (W @ x) <= 0)[:, None], np.outer(x, x) - np.eye(12), 0.0)
        assert np.array_equal(storage.perceptron(X, epochs=epochs), W)
        distinct.add(W.tobytes())
    assert len(distinct) > 2
