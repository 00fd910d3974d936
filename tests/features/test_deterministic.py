"""Deterministic feature maps at extreme arguments; laws are the kit's."""
from hopref.features import deterministic


def test_far_below_zero_elu_is_zero_and_far_above_it_does_not_overflow():
    assert deterministic.elu([-1e300, 1e300]).tolist() == [0.0, 1e300]
