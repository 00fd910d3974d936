"""Deterministic feature maps at extreme arguments; laws are the kit's."""
import numpy as np
import pytest

from hopref import structured
from hopref.features import deterministic
from tests.rounding import close, g, of


def test_far_below_zero_elu_is_zero_and_far_above_it_does_not_overflow():
    assert deterministic.elu([-1e300, 1e300]).tolist() == [0.0, 1e300]


@pytest.mark.parametrize("features", ["exponential", "elu"])
@pytest.mark.parametrize("xi, X", [
    ([-1000.0], [[-1.0], [-2.0]]), ([-1.0], [[-1000.0], [-1001.0]]),
    ([-1000.0], [[-900.0], [-1.0]]), ([[-1000.0], [-0.5]], [[-1.0], [-2.0]])])
def test_features_that_underflow_for_a_state_or_for_all_patterns_still_weigh_them(features, xi, X):
    got = structured.linear_update(xi, X, features=features)
    distances = np.array(X)[:, 0] - np.max(X)           # phi(x) is e^x for x < 0
    p = np.exp(distances) / np.sum(np.exp(distances))
    right, radius = of("structured.linear_update", np.array(xi), np.array(X), features=features)
    close(got, right, radius)
    close(got, np.broadcast_to(p @ X, got.shape), 2 * radius)


@pytest.mark.parametrize("phi, far", [
    (deterministic.exponential, [([300.0], [[300.0], [-300.0]], False),
                                 ([300.5], [[0.0], [1.0]], True), ([-300.5], [[0.0]], True),
                                 ([0.0], [[300.5], [0.0]], True),
                                 ([0.0], [[0.0], [-300.5]], True)]),
    (deterministic.elu, [([1e9], [[1e9], [-300.0]], False), ([-300.5], [[0.0]], True),
                         ([3.0], [[2.0], [-0.5], [-300.5]], True)])])
def test_features_are_relative_to_the_largest_where_a_logarithm_is_beyond_300(phi, far):
    """Those of a query then have the largest feature 1, and those of the keys, component-wise."""
    for q, k, beyond in far:
        got = [np.array(x) for x in deterministic.paired(phi, np.array([q]), np.array(k))]
        if beyond:
            assert np.max(got[0]) == 1.0 and np.all(np.max(got[1], axis=0) == 1.0)
            close(got[1] * np.max(phi(k)), phi(k), g(1000) * phi(k))    # of logs up to 500
        else:
            assert np.array_equal(got[0], phi([q])) and np.array_equal(got[1], phi(k))


def test_a_far_query_without_keys_has_its_plain_features():
    q, none = np.array([[500.0]]), np.zeros((0, 1))
    got = deterministic.paired(deterministic.exponential, q, none)
    assert np.array_equal(got[0], deterministic.exponential(q)) and got[1].shape == (0, 1)
