"""The Performer as published (Choromanski et al. 2021): an example; laws are the kit's."""
import numpy as np

from hopref import performer


def test_long_keys_sink_to_eps_and_look_alike():
    """At norms of 30 every key is eps: the answer is the mean of V, not softmax attention."""
    keys, V = [[30.0], [40.0]], [[1.0], [3.0]]
    for eps in (1e-6, 1e-4):
        assert performer.stabilized_attention([[1.0]], keys, V, [[0.0]], eps=eps) == 2.0
    assert performer.attention([[1.0]], keys, V, [[0.0]]) == 1.0


def test_with_a_guard_no_denominator_is_zero():
    """Features that underflow, whose certified result is 0, and a row without visible keys."""
    far = {"scale": 120.0, "eps": 0.0, "guard": 0.25, "empty_row": "nan"}
    keys, V = [[30.0], [40.0]], [[1.0], [3.0]]
    assert performer.stabilized_attention([[1.0]], keys, V, [[0.0]], **far) == 0.0
    hidden = np.zeros(2, bool)
    assert performer.stabilized_attention([[1.0]], keys, V, [[0.0]], mask=hidden, **far) == 0.0
    far["guard"] = 0.0
    assert np.isnan(performer.stabilized_attention([[1.0]], keys, V, [[0.0]], **far))
