"""Evaluations that are kept are those of equal arguments of the same operation."""
import numpy as np
import pytest

from hopref.check.tolerance import memory
from hopref.check.tolerance.memory import remembered
from hopref.check.tolerance.toleranced import FINE, toleranced
from hopref.dispatch.operation import load

OP, OTHER = load()["modern.update"], load()["modern.weights"]


@pytest.fixture
def counted():
    calls = []

    @remembered
    def evaluated(op, args, kwargs, *more):
        calls.append(op)
        return np.array(args[0], float)
    return evaluated, calls


def test_equal_arguments_share_a_read_only_result(counted):
    evaluated, calls = counted
    x = np.array([1.5, 2.0])
    first = evaluated(OP, (x,), {"beta": 1.0})
    for same in (x.copy(), x.astype(np.float32), x.astype(np.longdouble), x[::-1][::-1]):
        assert evaluated(OP, (same,), {"beta": 1.0}) is first
    assert len(calls) == 1 and not first.flags.writeable


@pytest.mark.parametrize("op, args, kwargs, more", [
    (OTHER, (np.array([1.5, 2.0]),), {"beta": 1.0}, ()),
    (OP, (np.array([1.5, np.nextafter(2.0, 3.0)]),), {"beta": 1.0}, ()),
    (OP, (np.array([[1.5, 2.0]]),), {"beta": 1.0}, ()),
    (OP, (np.array([1, 2]),), {"beta": 1.0}, ()),
    (OP, (np.array([1.5, 2.0]),), {"beta": 1}, ()),
    (OP, (np.array([1.5, 2.0]),), {}, ()),
    (OP, (np.array([1.5, 2.0]),), {"beta": 1.0}, (FINE,)),
    (OP, (np.array([1.5, 2.0]), np.array(True)), {"beta": 1.0}, ())])
def test_other_arguments_are_evaluated_anew(counted, op, args, kwargs, more):
    evaluated, calls = counted
    evaluated(OP, (np.array([1.5, 2.0]),), {"beta": 1.0})
    evaluated(op, args, kwargs, *more)
    assert len(calls) == 2


def test_radii_are_part_of_an_argument():
    @remembered
    def radius(op, args, kwargs):
        return float(args[0].radius.sum())
    for r in (0.0, 0.5, 0.25):
        assert radius(OP, (toleranced(np.array([1.0]), r),), {}) == r


def test_generators_are_not_remembered(counted):
    evaluated, calls = counted
    rng = np.random.default_rng(0)
    evaluated(OP, (np.ones(2), rng), {}), evaluated(OP, (np.ones(2), rng), {})
    assert len(calls) == 2


def test_contents_that_change_between_calls_are_read_again(counted):
    evaluated, calls = counted
    x = np.array([1.5, 2.0])
    evaluated(OP, (x,), {})
    x[0] = 3.0
    assert evaluated(OP, (x,), {})[0] == 3.0 and len(calls) == 2


def test_an_array_is_read_once_for_the_calls_within_a_call(monkeypatch):
    read = []
    monkeypatch.setattr(memory, "contents", lambda x: read.append(x) or x.tobytes())
    inner = remembered(lambda x: x + 1.0)

    @remembered
    def outer(x):
        return inner(x) + inner(x)
    outer(np.array([0.25, 1.5]))
    assert len(read) == 1
    outer(np.array([0.25, 1.5]))
    assert len(read) == 2
