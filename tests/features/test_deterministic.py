"""Deterministic feature maps at extreme arguments; laws are the kit's."""
import numpy as np
import pytest

from hopref import structured
from hopref.features import deterministic
from tests.rounding import close, of


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
