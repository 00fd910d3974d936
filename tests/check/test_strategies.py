"""Drawn calls cover what a declaration allows; tests/dispatch shows that they are legal."""
import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from hopref import attention, classical
from hopref.check.cases.strategies import calls, scalar, sizes
from hopref.dispatch import operation as op
from hopref.dispatch.domains import Choice, Flag
from tests.groups import each

OPS = op.load()


@each("name", OPS, share=3)
def test_every_option_is_drawn_by_every_name(name):
    for k, domain in OPS[name].domains.items():
        values = domain.names if isinstance(domain, Choice) else \
            [True, False] if isinstance(domain, Flag) else []
        for value in values:
            find(scalar(OPS[name], k), lambda drawn, value=value: drawn == value)


@pytest.mark.parametrize("name", ["attention.softmax_attention", "performer.causal_attention",
                                  "graded.energy", "classical.low_rank_update"])
def test_every_optional_argument_is_drawn_present_and_absent(name):
    op, present, absent = OPS[name], set(), set()
    optional = {k for k, p in op.signature.parameters.items() if p.default is not p.empty}

    @settings(max_examples=60, derandomize=True)
    @given(calls(op))
    def drawn(call):
        there = dict(zip(op.signature.parameters, call[0], strict=False)) | call[1]
        present.update(there)
        absent.update(optional - there.keys())

    drawn()
    assert optional <= present and optional == absent


@pytest.mark.parametrize("lead", [(), (1,), (3,), (2, 3), (0,), (2, 0)])
def test_leading_axes_come_in_all_sorts(lead):
    find(calls(attention.softmax_attention), lambda call: call[0][0].shape[:-2] == lead)


def test_axes_may_be_empty_where_validation_allows_it():
    for dim in "ldv":
        find(sizes(attention.softmax_attention), lambda size, dim=dim: size[dim] == 0)

    @given(sizes(attention.softmax_attention))
    def keys_are_never_empty(size):
        assert size["s"] > 0

    keys_are_never_empty()


@given(calls(classical.update, every=True, empty=False))
def test_every_and_empty_are_obeyed(call):
    (xi, W, b), _ = call
    assert xi.size and W.size and b.shape == xi.shape[-1:]


@given(calls(classical.field, numbers=st.just(0.5), leading=st.just((4,))))
def test_numbers_and_leading_axes_are_the_callers(call):
    assert call[0][0].shape[0] == 4 and np.all(call[0][0] == 0.5)
