"""Gradients of gated linear attention over sequences without tokens."""
import numpy as np
import pytest

from hopref import gated
from hopref.gradients import gated as gradients


@pytest.mark.parametrize("rule", ["linear", "delta"])
def test_without_tokens_the_memory_and_its_cotangent_are_new_arrays(rule):
    none, S = np.empty((0, 2)), np.array([[1.0, -2.0], [0.5, 3.0]])
    O, memory = gated.linear_attention(none, none, none, rule=rule, S=S)
    *_, dS, dscale = gradients.linear_attention(none, S, none, none, none, rule=rule, S=0 * S)
    for found in (memory, dS):
        assert np.array_equal(found, S) and not np.shares_memory(found, S)
    assert O.shape == (0, 2) and dscale == 0
