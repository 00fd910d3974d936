"""The counting namespace counts what can be counted by hand, and refuses what it cannot count."""
import inspect
import pathlib

import numpy as np
import pytest

from hopref import attention, classical, modern
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import load
from tests import structure_rules as rules
from tests.doubles.counting import UNCOUNTED, Count, count


def work(function, *args):
    return count(function, *args).work


A, B, x = np.ones((3, 4)), np.ones((4, 5)), np.ones(4)


@pytest.mark.parametrize("function, args, operations", [
    (lambda a, b: a @ b, (A, B), 3 * 4 * 5),
    (lambda a, b: namespace(a).matmul(a, b), (A, B), 3 * 4 * 5),
    (lambda a, b: a[None] @ b, (A, B), 3 * 4 * 5),
    (lambda a, b: a @ b, (A, x), 3 * 4),
    (lambda a: 2.0 * a - a, (A,), 2 * 12),
    (lambda a: -a > 0, (A,), 2 * 12),
    (lambda a: namespace(a).exp(a), (A,), 12),
    (lambda a: namespace(a).sum(a, axis=-1), (A,), 12),
    (lambda a: namespace(a).concat([a, a], axis=0), (A,), 24),
    (lambda a: namespace(a).zeros((2, 7), dtype=a.dtype), (A,), 14),
    (lambda a: namespace(a).take(a, np.array([1, 2]), axis=1), (A,), 6),
    (lambda a: a[a > 2], (A,), 12),                         # the comparison; nothing is picked
    (lambda a: a[..., 1:, :].T.mT, (A,), 0),                # views
    (lambda a: namespace(a).reshape(a, (-1,)), (A,), 0),
], ids=range(14))
def test_operations_are_counted(function, args, operations):
    assert work(function, *args) == operations


def test_bytes_are_counted_and_views_are_free():
    tally = count(lambda a: (a + 1.0)[0] * 2.0, A)
    assert (tally.formed, tally.largest) == (8 * 12 + 8 * 4, 8 * 12)


def test_results_are_arrays_of_the_same_count():
    tally = Count()
    y = np.ones((3, 4)) @ tally.array(B)
    assert namespace(y) is tally and y.shape == (3, 5) and tally.work == 60


def test_formulas_are_counted_as_they_stand():
    xi, X = np.ones((2, 3)), np.ones((5, 3))
    assert count(classical.field.formula, xi, np.ones((3, 3))).work == 2 * 3 * 3 + 2 * 3
    for op, args in (modern.energy, (xi, X)), (attention.causal_linear_attention, (X, X, X)):
        once, twice = (count(op.formula, *args) for _ in range(2))
        assert once.work == twice.work > 0 and once.formed == twice.formed


@pytest.mark.parametrize("name", ["einsum", "linalg", "vecdot"])
def test_what_has_no_known_cost_is_refused(name):
    with pytest.raises(AttributeError, match=name):
        getattr(Count(), name)


def test_no_formula_needs_what_is_refused():
    files = {inspect.getsourcefile(inspect.unwrap(op)) for op in load().values()}
    assert len(files) >= 8
    for file in files:
        names = rules.namespace_names(pathlib.Path(file).read_text())
        assert not names & UNCOUNTED or file.endswith("projections.py")     # draws, not formulas
