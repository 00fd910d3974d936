"""Supports are joined like masks, and hold no more than there is."""
import numpy as np
import pytest

from hopref import supports
from hopref.errors import DomainError


def test_supports_are_joined_and_cut_like_any_mask():
    past = supports.causal(4, 4)
    near = supports.window(4, 4, width=1) | supports.global_tokens(4, 4, tokens=1)
    assert np.array_equal((near & past).sum(-1), [1, 2, 3, 3])


def test_no_more_can_be_seen_than_there_are():
    for call in (lambda: supports.random(2, 3, k=4, rng=0),
                 lambda: supports.big_bird(2, 3, width=1, tokens=1, k=4, rng=0)):
        with pytest.raises(DomainError, match="k must be at most n = 3; got k=4"):
            call()
    with pytest.raises(DomainError, match="tokens must be at most n = 3; got tokens=5"):
        supports.global_tokens(2, 3, tokens=5)
