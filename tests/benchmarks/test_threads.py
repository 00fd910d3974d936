"""Rows that are divided between threads: which arguments have rows, and their bits."""
import numpy as np
import pytest

from benchmarks import growth, ratios, threads

CASES = {f"{case.name}, {case.size}": case for case in ratios.cases(quick=True)}


@pytest.mark.parametrize("name", ["attention.softmax_attention, 8 x 128 x 64 random mask",
                                  "modern.update, M=64 N=2048 d=64"])
def test_blocks_of_rows_have_the_bits_of_one_call(name):
    pytest.importorskip("numba")
    case = CASES[name]
    whole = growth.prepared(case.name, *case.args, **case.kwargs, backend="numba")()
    blocks = [call() for call in threads.divided(case.name, case.args, case.kwargs, 3)]
    assert len(blocks) == 3 and np.array_equal(np.concatenate(blocks), whole)


@pytest.mark.parametrize("name", ["gradients.modern.update, M=64 N=2048 d=64",
                                  "attention.causal_linear_attention, L=512 r=256 v=64"])
def test_gradients_and_a_single_sequence_are_not_divided(name):
    case = CASES[name]
    assert threads.divided(case.name, case.args, case.kwargs, 2) == []
