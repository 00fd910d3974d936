"""Learning rules."""
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import classical, storage
from hopref.errors import DomainError
from tests import rounding
from tests.draw import arrays, networks, polar, records, small, stores
from tests.laws import law
from tests.rounding import close

bits = st.sampled_from([0.0, 1.0])


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


@law("classical.low_rank_update", "storage.hebbian", id="CB-1",
     over=stores(elements=polar), kills=["low_rank_scales_its_patterns"])
def test_scaled_by_any_number_the_field_keeps_its_ties(rules, xi, X, b):
    """Integers times 1/n: 0 is 0, and the sign is that of the weights of scale 1."""
    W = rules.storage.hebbian(X, zero_diagonal=True)
    for scale in (1 / len(X), 1 / X.shape[1], 1 / 3):
        got = rules.classical.low_rank_update(xi, X, scale=scale, zero_diagonal=True, ties="plus")
        assert np.all(got == rules.classical.update(xi, W, ties="plus"))


def test_rounded_weights_lose_a_tie_that_weights_of_scale_one_see():
    X = np.array([[-1, 1, -1, 1, -1], [-1, -1, -1, -1, 1], [-1, 1, -1, -1, -1.0]])
    xi, how = [1, 1, 1, -1, -1], {"zero_diagonal": True}
    assert classical.field(xi, storage.hebbian(X, scale=1 / 3, **how))[4] != 0
    assert classical.field(xi, storage.hebbian(X, **how))[4] == 0
    assert classical.update(xi, storage.hebbian(X, **how), ties="plus")[4] == 1
    assert classical.low_rank_update(xi, X, scale=1 / 3, ties="plus", **how)[4] == 1


# -- covariance ---------------------------------------------------------------------------------

@law("storage.covariance", id="CB-12", over=records(X=arrays(4, 2, elements=small)),
     kills=["covariance_of_each_site", "covariance_uncentred", "covariance_keeps_the_diagonal"])
def test_covariance_is_taken_about_the_activity_of_all(rules, X):
    """Eight entries: the mean is exact, and so is all the rest."""
    p = sum(X.flat) / 8
    want = sum(np.outer(x - p, x - p) for x in X)
    assert np.all(rules.storage.covariance(X) == want)
    off = want * (1 - np.eye(2))
    assert np.all(rules.storage.covariance(X, zero_diagonal=True) == off)


@law("storage.covariance", id="CB-12", over=stores(elements=bits),
     kills=["covariance_ignores_the_activity", "covariance_uncentred"])
def test_about_one_half_covariance_is_hebb_of_polar_patterns(rules, xi, X, b):
    W = rules.storage.covariance(X, activity=0.5)
    assert np.all(4 * W == storage.hebbian(2 * X - 1))


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


@law("storage.projection", id="CB-10", over=stores(max_n=5, max_d=4),
     kills=["projection_is_hebbian", "projection_of_dependent_patterns_counts_twice",
            "projection_without_its_diagonal", "projection_of_the_centred"])
def test_projection_is_orthogonal_onto_the_span_of_the_patterns(rules, xi, X, b):
    """Dependent and zero patterns, and more patterns than sites, included."""
    want, rank = spanned(X)
    W = rules.storage.projection(X)
    close(W, want, allowed(X, rank))
    close(W @ X.T, X.T, allowed(X, rank) * 4 * len(X.T) * np.abs(X).max())
    close(np.trace(W), rank, allowed(X, rank) * len(W))


@law("storage.projection", id="CB-10",
     over=records(X=arrays(2, 4, elements=small), k=st.integers(20, 40)),
     kills=["projection_in_one_pass"])
def test_however_close_the_patterns_the_matrix_is_a_projection(rules, X, k):
    """W = W^T = W^2 to a few roundings, although x_2 - x_1 is only 2^-k of them."""
    X = np.vstack([X[0], X[0] + 2.0**-k * X[1]])
    W = rules.storage.projection(X)
    assert np.all(W == W.T)
    close(W @ W, W, rounding.g(16 * X.size))


@law("storage.projection", id="CB-10", over=stores(max_n=3, max_d=4),
     kills=["projection_squares_overflow"])
def test_the_unit_of_each_pattern_is_irrelevant(rules, xi, X, b):
    """Powers of two: to the last bit, though their squares leave the floating-point numbers."""
    W, units = rules.storage.projection(X), 2.0 ** np.array([600, -600, 0])[:len(X), None]
    assert np.all(rules.storage.projection(units * X) == W)


@law("storage.projection", id="CB-10", over=stores(max_n=3, max_d=6, elements=polar),
     kills=["projection_is_hebbian"])
def test_every_projected_pattern_is_a_fixed_point_with_or_without_the_diagonal(rules, xi, X, b):
    """(W - diag W) x = (1 - w_ii) x: while 1 - w_ii > 0; Hebb's rule forgets correlated ones."""
    W = rules.storage.projection(X)
    assert np.all(classical.update(X, W) == X)
    own = np.diagonal(W)
    hollow = classical.update(X, W - np.diag(own))
    sure = 1 - own > allowed(X, np.linalg.matrix_rank(X)) * 4 * len(W)
    assert np.all((hollow == X)[:, sure])


# -- Storkey ------------------------------------------------------------------------------------

@st.composite
def dyadic(draw):
    """d a power of two: every weight is an exact fraction."""
    return {"X": draw(arrays(draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 4])),
                             elements=polar))}


@law("storage.storkey", id="CB-11", over=dyadic(),
     kills=["storkey_with_its_own_terms", "storkey_all_at_once", "storkey_without_its_scale",
            "storkey_is_hebbian", "storkey_in_reverse"])
def test_storkey_is_its_double_loop(rules, X):
    d = X.shape[1]
    W = np.zeros((d, d))
    for x in X:
        h = [[sum(W[i, k] * x[k] for k in range(d) if k not in (i, j)) for j in range(d)]
             for i in range(d)]
        W = np.array([[0.0 if i == j else W[i, j] + (x[i] * x[j] - x[i] * h[j][i] - h[i][j] * x[j])
                       / d for j in range(d)] for i in range(d)])
    got = rules.storage.storkey(X)
    assert np.all(got == W) and np.all(got == got.T)


def test_the_order_of_the_patterns_matters_to_storkey():
    X = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, -1.0]])
    assert np.abs(storage.storkey(X) - storage.storkey(X[::-1])).max() > 0.1
    assert np.array_equal(storage.hebbian(X), storage.hebbian(X[::-1]))


# -- Willshaw -----------------------------------------------------------------------------------

pairs = records(X=arrays(4, 5, elements=bits), Y=arrays(4, 3, elements=bits))


@law("storage.willshaw_pairs", "storage.willshaw", id="CB-13", over=pairs,
     kills=["willshaw_unclipped", "willshaw_of_all", "willshaw_pairs_of_either"])
def test_clipped_weights_are_an_or_of_ands(rules, X, Y):
    want = [[any(y[i] and x[j] for x, y in zip(X, Y, strict=True)) for j in range(5)]
            for i in range(3)]
    assert np.all(rules.storage.willshaw_pairs(X, Y) == want)
    assert np.all(rules.storage.willshaw(X) == storage.willshaw_pairs(X, X))


@law("storage.willshaw", id="CB-13", over=pairs,
     kills=["willshaw_unclipped", "willshaw_of_all"])
def test_clipped_memories_merge_by_the_larger_weight_and_repeating_adds_nothing(rules, X, Y):
    learn = rules.storage.willshaw
    assert np.all(learn(X) == np.maximum(learn(X[:2]), learn(X[2:])))
    assert np.all(learn(np.vstack([X, X])) == learn(X))


@law("classical.willshaw_update", id="CB-13", over=pairs,
     kills=["willshaw_strictly_above", "willshaw_with_a_fixed_threshold", "willshaw_by_majority"])
def test_an_active_unit_has_heard_of_every_active_cue(rules, X, Y):
    W = storage.willshaw_pairs(X, Y)
    for x in X:
        want = [all(W[i, j] for j in range(5) if x[j]) for i in range(3)]
        assert np.all(rules.classical.willshaw_update(x, W) == want)


@law("classical.willshaw_update", "storage.willshaw_pairs", id="CB-13", over=pairs,
     kills=["willshaw_strictly_above", "willshaw_with_a_fixed_threshold"])
def test_a_stored_cue_or_a_part_of_it_misses_no_unit_of_its_answer(rules, X, Y):
    W = rules.storage.willshaw_pairs(X, Y)
    part = X * np.where(np.arange(5) % 2, 1.0, 0.0)
    for cue in (X, part):
        assert np.all(rules.classical.willshaw_update(cue, W) >= Y)


# -- winners ------------------------------------------------------------------------------------

@st.composite
def contests(draw):
    case = draw(networks(low=0.0, symmetric=False, rows=3))
    return {**case, "k": draw(st.integers(1, len(case["b"])))}


@law("classical.winners_update", id="CB-12", over=contests(),
     kills=["winners_ties_to_the_last", "winners_above_a_threshold", "winners_are_the_weakest",
            "winners_of_the_whole_batch", "winners_forget_the_threshold"])
def test_the_k_largest_fields_win_and_of_equals_the_first(rules, xi, W, b, k):
    got = rules.classical.winners_update(xi, W, b, k=k)
    for x, y in zip(xi, got, strict=True):
        h = W @ x - b
        won = sorted(range(len(h)), key=lambda i: (-h[i], i))[:k]
        assert np.all(y == np.isin(np.arange(len(h)), won))


def test_covariance_and_winners_recall_sparse_patterns_from_half_a_cue():
    X = np.kron(np.eye(4), np.ones(5))                  # four patterns of five units each
    W = storage.covariance(X, zero_diagonal=True)
    cue = X * np.tile([1.0, 1.0, 1.0, 0.0, 0.0], 4)
    assert np.array_equal(classical.winners_update(cue, W, k=5), X)


def test_more_winners_than_sites_are_refused():
    with pytest.raises(DomainError, match="k must be at most d = 2; got k=3"):
        classical.winners_update([0.0, 1.0], np.eye(2), k=3)
