"""Counting arrays count what can be counted by hand, and refuse what they cannot count."""
import inspect
import pathlib

import numpy as np
import pytest

from hopref import attention, classical, modern
from hopref.check.growth.counting import Count, Counted, NotCounted, count, intercepted, known
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import load
from tests import structure_rules as rules


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


@pytest.mark.parametrize("name", ["linalg", "apply_along_axis", "fromfunction"])
def test_what_has_no_known_cost_is_refused(name):
    with pytest.raises(AttributeError, match=name):
        getattr(Count(), name)


def test_no_formula_needs_what_is_refused():
    files = {inspect.getsourcefile(inspect.unwrap(op)) for op in load().values()}
    assert len(files) >= 8
    for file in files:
        for name in rules.namespace_names(pathlib.Path(file).read_text()):
            counted = known(name) or isinstance(getattr(np, name, None), (np.ufunc, type, float))
            assert counted or not callable(getattr(np, name, None)), f"{file}: {name}"


# ---- functions, operators and methods of NumPy --------------------------------------------------

def plain_work(function, *args):
    """Counted operations of a function that knows NumPy alone."""
    tally = Count()
    with intercepted(tally):
        function(*map(tally.array, args))
    return tally.work


S = np.eye(4)


@pytest.mark.parametrize("function, args, operations", [
    (lambda a: np.exp(a), (A,), 12),
    (lambda a: np.exp(a, out=a), (A,), 12),
    (lambda a, b: np.add(a, a, out=np.empty((3, 4))), (A, B), 24),
    (lambda a: np.add.reduce(a, axis=0), (A,), 12),
    (lambda a: np.add.accumulate(a), (A,), 12),
    (lambda a: np.multiply.outer(a, a), (x,), 16),
    (lambda a: np.add.at(a, [0, 0, 1], 1.0), (x,), 3),
    (lambda a: a.sum(axis=-1) + a.max(), (A,), 12 + 12 + 3),
    (lambda a: a.mean(), (A,), 12),
    (lambda a, b: np.dot(a, b), (A, B), 60),
    (lambda a, b: a.dot(b), (A, B), 60),
    (lambda a: np.dot(a, a), (x,), 4),
    (lambda a: np.vdot(a, a), (x,), 4),
    (lambda a: np.inner(a, a), (A,), 3 * 3 * 4),
    (lambda a: np.vecdot(a, a), (A,), 12),
    (lambda a, b: np.tensordot(a, b, axes=1), (A, B), 60),
    (lambda a, b: np.einsum("ij,jk->ik", a, b), (A, B), 60),
    (lambda a: np.einsum("...j,...j->...", a, a), (A,), 12),
    (lambda a, b: np.einsum("ij,jk,kl->il", a, b, b.T), (A, B), 3 * 4 * 5 * 4),
    (lambda a, b: np.einsum("ij,jk,kl->il", a, b, b.T, optimize=True), (A, B), 80 + 48),
    (lambda a: np.sort(a), (x,), 4 * 2),
    (lambda a: np.convolve(a, a), (x,), 16),
    (lambda a: np.linalg.inv(a), (S,), 64),
    (lambda a: np.linalg.norm(a), (A,), 12),
    (lambda a: np.linalg.norm(a, 2), (A,), 12 * 3),
    (lambda a, b: np.linalg.solve(a, b), (S, B), 4 * 5 * 4),
    (lambda a: np.linalg.svd(a), (A,), 3 * (12 * 3) + 12),      # V is (4, 4), of 16 * 3
    (lambda a: np.cov(a), (A,), 3 * 3 * 4),
    (lambda a, b: np.cov(a, b), (x, x), 2 * 2 * 4),
    (lambda a: np.zeros((5, 5)) + a[0], (x,), 25 + 1 + 25),
    (lambda a: np.asarray(a) * 2, (A,), 12),
    (lambda a: np.array(a) * 2, (A,), 24),
    (lambda a: [row * 2 for row in a], (A,), 12),
    (lambda a: a.reshape(4, 3).swapaxes(0, 1)[None], (A,), 0),
    (lambda a: np.ones((3, 4)) @ a.T, (A,), 12 + 3 * 3 * 4),
    (lambda a: A @ a.T, (A,), 3 * 3 * 4),
    (lambda a: np.random.default_rng(0).normal(size=(5, 5)) * 2, (x,), 25 + 25),
    (lambda a: np.random.standard_normal((5, 5)) * 2, (x,), 25 + 25),
], ids=range(38))
def test_operations_of_numpy_are_counted(function, args, operations):
    assert plain_work(function, *(a.copy() for a in args)) == operations


def test_assignments_and_updates_in_place_count_and_change_the_array():
    tally = Count()
    y = tally.array(np.zeros((3, 4)))
    y[0] = tally.array(np.ones(4))
    view = y[1]
    view += 2.0
    y *= 3.0
    assert np.array_equal(y.value, [[3.0] * 4, [6.0] * 4, [0.0] * 4])
    assert tally.work == 4 + 4 + 12


def test_a_hidden_array_has_its_size():
    tally = Count()
    with intercepted(tally):
        np.ones((64, 64)) * 2.0
    assert tally.largest == 8 * 64**2 and tally.work == 2 * 64**2


@pytest.mark.parametrize("function", [
    lambda a: np.apply_along_axis(np.sum, 0, a), lambda a: A.__setitem__(0, a[0]),
    lambda a: memoryview(a), lambda a: np.frombuffer(a), lambda a: a.tolist(),
], ids=["unknown cost", "into a plain array", "buffer", "bytes", "list"])
def test_what_would_not_be_counted_raises(function):
    with pytest.raises((TypeError, AttributeError)):
        plain_work(function, A)


def test_the_reason_is_kept_where_the_function_catches_the_error():
    tally = Count()

    def caught(a):
        try:
            return np.apply_along_axis(np.sum, 0, a)
        except TypeError:
            return 0.0
    caught(tally.array(A))
    assert "apply_along_axis" in tally.lost
    with pytest.raises(NotCounted):
        np.asarray(Counted(A, tally))


def test_numpy_is_as_it_was_afterwards():
    before = np.zeros, np.asarray
    with pytest.raises(KeyError):
        with intercepted(Count()):
            assert np.zeros is not before[0]
            raise KeyError
    assert (np.zeros, np.asarray) == before
