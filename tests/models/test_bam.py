"""Bidirectional associative memory.  Examples."""
import numpy as np
import pytest

from hopref import bam, storage
from hopref.errors import DomainError


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
