"""Bidirectional associative memory.  Integers: every law holds without any tolerance."""
import numpy as np
import pytest

from hopref import bam, classical, storage
from hopref.errors import DomainError
from tests.draw import arrays, associations, records, small
from tests.laws import law


def joint(W):
    """The network of both layers, y first, without weights inside a layer."""
    e, d = W.shape
    return np.block([[np.zeros((e, e)), W], [W.T, np.zeros((d, d))]])


@law("bam.energy", id="CB-14", over=associations(),
     kills=["bam_energy_with_a_half", "bam_energy_of_agreement"])
def test_a_bam_is_a_network_of_two_layers(rules, y, x, W):
    pairs = sum(y[i] * W[i, j] * x[j] for i in range(len(y)) for j in range(len(x)))
    E = rules.bam.energy(y, x, W)
    assert E == -pairs == classical.energy(np.concatenate([y, x]), joint(W))


@law("bam.forward", "bam.backward", id="CB-14", over=associations(),
     kills=["forward_ties_become_plus", "backward_ties_become_minus",
            "forward_takes_the_old_answer"])
def test_a_layer_answers_as_its_sites_would_in_turn(rules, y, x, W):
    both, e = np.concatenate([y, x]), len(y)
    in_turn = classical.asynchronous_update(both, joint(W), order=range(e))
    assert np.all(rules.bam.forward(y, x, W) == in_turn[:e])
    in_turn = classical.asynchronous_update(both, joint(W), order=range(e, len(both)))
    assert np.all(rules.bam.backward(x, y, W) == in_turn[e:])
    assert np.all(rules.bam.backward(x, y, W) == bam.forward(x, y, W.T))
    assert np.all(rules.bam.forward(y, x, W, ties="plus") == np.where(W @ x >= 0, 1.0, -1.0))


@law("bam.forward", "bam.energy", id="CB-14", over=associations(),
     kills=["bam_energy_with_a_half", "forward_against_its_field", "bam_energy_of_agreement"])
def test_an_answer_lowers_the_energy_by_what_it_heard(rules, y, x, W):
    new, E = rules.bam.forward(y, x, W), rules.bam.energy
    assert E(new, x, W) - E(y, x, W) == -np.abs(new - y) @ np.abs(W @ x)


@law("bam.forward", "bam.backward", id="CB-14", over=associations(),
     kills=["forward_against_its_field", "backward_against_its_field"])
def test_answering_in_turn_ends_in_a_pair_that_both_keep(rules, y, x, W):
    """Every change of mind pays 2 or more of at most 2 sum |W|."""
    for _ in range(int(np.abs(W).sum()) + 2):
        old = np.concatenate([y, x])
        y = rules.bam.forward(y, x, W)
        x = rules.bam.backward(x, y, W)
        if np.array_equal(old, np.concatenate([y, x])):
            return
    raise AssertionError("they never agreed")


@law("storage.bam", id="CB-14", over=records(X=arrays(3, 4, elements=small),
                                             Y=arrays(3, 4, elements=small)),
     kills=["bam_weights_the_other_way_round", "bam_weights_of_the_mean"])
def test_pairs_are_stored_as_outer_products_of_answer_and_cue(rules, X, Y):
    """Eq. (18), W = K'^T V with K' != V; a pattern paired with itself is Hebb's."""
    W = rules.storage.bam(X, Y)
    assert np.all(W == sum(np.outer(y, x) for x, y in zip(X, Y, strict=True)))
    assert np.all(rules.storage.bam(X, X) == storage.hebbian(X))
    assert np.all(rules.storage.bam(X, Y) == rules.storage.bam(Y, X).T)


def test_orthogonal_pairs_recall_each_other():
    X = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0]])
    Y = np.array([[1.0, -1.0], [-1.0, -1.0]])
    W = storage.bam(X, Y)
    assert np.array_equal(bam.forward(np.ones((2, 2)), X, W), Y)
    assert np.array_equal(bam.backward(np.ones((2, 4)), Y, W), X)


def test_both_layers_at_once_may_swap_for_ever():
    W, y, x = np.array([[1.0]]), np.array([1.0]), np.array([-1.0])
    for _ in range(3):
        y, x = bam.forward(y, x, W), bam.backward(x, y, W)
        assert y[0] == -x[0]


def test_a_layer_that_may_be_kept_must_be_polar():
    with pytest.raises(DomainError, match="hopref.bam.forward: y must hold -1 and 1 only"):
        bam.forward([0.5], [1.0], [[1.0]])
    assert bam.forward([0.5], [1.0], [[1.0]], ties="plus")[0] == 1.0
