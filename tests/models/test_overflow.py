"""Results beyond the range of float64, and states outside of their alphabet, are refused."""
import numpy as np
import pytest

from hopref import bam, classical, sigmoid
from hopref.errors import DomainError, RangeError


@pytest.mark.parametrize("call", [
    lambda: classical.field([1e200], [[1e200]]), lambda: sigmoid.update([1.0], [[1.7e308]] * 2),
    lambda: sigmoid.energy([1e200], [[1.0]]), lambda: bam.energy([1e200], [1e200], [[1.0]]),
    lambda: sigmoid.attention([[1.0]], [[1.0]] * 2, [[1.7e308]] * 2, offset=9.0)])
def test_an_infinite_result_is_refused(call):
    with pytest.raises(RangeError):
        call()


@pytest.mark.parametrize("rule", [bam.forward, bam.backward])
def test_the_half_of_a_pair_that_is_kept_at_ties_must_be_polar(rule):
    with pytest.raises(DomainError, match="must hold -1 and 1 only"):
        rule([0.5, 1.0], [1.0, 1.0], np.eye(2))
    assert rule([1.0, 1.0], [0.5, 1.0], np.eye(2)).tolist() == [1.0, 1.0]
