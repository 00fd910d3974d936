"""The substitute for CuPy refuses what CuPy refuses, and has the names of CuPy."""
import inspect
import pickle

import numpy as np
import pytest

from tests.doubles import cupy as xp
from tests.doubles import cupy_names as names


@pytest.fixture
def x():
    array = xp.asarray(np.arange(6.0).reshape(2, 3))
    xp.stats.reset()
    return array


@pytest.fixture(scope="module")
def wheel():
    return pytest.importorskip("cupy", reason="the CuPy wheel is not installed")


WRONG = {
    "an implicit host copy": lambda x: np.asarray(x),
    "a NumPy ufunc": lambda x: np.exp(x),
    "a NumPy function": lambda x: np.sum(x),
    "a NumPy operand on the right": lambda x: x + np.ones(3),
    "a NumPy operand on the left": lambda x: np.ones(3) + x,
    "a NumPy 0-d array": lambda x: x * np.asarray(2.0),
    "a NumPy matrix": lambda x: x @ np.ones((3, 2)),
    "a NumPy array in a function": lambda x: xp.where(x > 0, x, np.zeros((2, 3))),
    "a NumPy array alone in a function": lambda x: xp.sum(np.ones(3)),
    "a list as an operand": lambda x: x + [1.0, 2.0, 3.0],
    "a list as an index": lambda x: x[[0, 1]],
    "a NumPy index": lambda x: x[np.array([0, 1])],
    "an array of a list": lambda x: xp.exp([1.0, 2.0]),
    "a plain condition": lambda x: xp.where(True, x, 0.0),
    "a NumPy array in a concatenation": lambda x: xp.concat((x, np.ones((2, 3)))),
    "a masked reduction": lambda x: xp.sum(x, where=x > 0),
    "a reduction with a start": lambda x: xp.max(x, initial=0.0),
    "a masked ufunc": lambda x: xp.exp(x, where=x > 0),
    "a creation with a device": lambda x: xp.zeros((2,), device=x.device),
    "the array API's clip": lambda x: xp.clip(x, min=0.0),
    "a vector product": lambda x: xp.vecdot(x, x),
    "errstate": lambda x: xp.errstate(all="ignore"),
    "a name that is not listed": lambda x: xp.einsum("ij->i", x),
    "an array method": lambda x: x.sum(),
    "a namespace of its own": lambda x: x.__array_namespace__(),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cupy_refuses_is_refused(wrong, x):
    with pytest.raises((TypeError, AttributeError)):
        WRONG[wrong](x)


SEEN = {
    "if": lambda x: 1 if xp.sum(x) else 0,
    "and": lambda x: xp.all(x > 0) and True,
    "float()": lambda x: float(xp.sum(x)),
    "int()": lambda x: int(xp.argmax(x)),
    "range()": lambda x: range(xp.argmax(x)),
    "a slice up to a device scalar": lambda x: x[: xp.argmax(x)],
    "in": lambda x: 1.0 in x,
    "a boolean index": lambda x: x[x > 0],
    "nonzero": lambda x: xp.nonzero(x),
    "where with one argument": lambda x: xp.where(x > 0),
    "get": lambda x: x.get(),
}


@pytest.mark.parametrize("how", SEEN)
def test_reading_values_is_counted(how, x):
    SEEN[how](x)
    assert xp.stats.synchronised == 1


def test_transfers_are_counted_in_bytes(x):
    xp.asarray(1.0)
    assert (xp.stats.to_device, xp.stats.to_host) == (8, 0)
    x.get()
    assert (xp.stats.to_device, xp.stats.to_host) == (8, 48)
    assert not xp.stats.quiet


def test_arithmetic_causes_no_transfer_and_no_synchronisation(x):
    y = xp.exp(x - xp.max(x, axis=-1, keepdims=True)) * np.float64(2.0) + np.float64(1.0) * x
    total = xp.sum(y[:, None, :1] @ xp.reshape(x, (2, 1, 3)))
    assert isinstance(total, xp.ndarray) and total.shape == ()
    assert type(total).__module__ == "cupy"
    assert xp.stats.quiet, xp.stats


def test_launches_are_counted_whatever_they_return(x):
    y = xp.exp(x)
    xp.exp(x, out=y)
    xp.copyto(y, 0.0, where=x > 1)
    y[0] = x[1]
    y += 1.0
    xp.frexp(x)
    xp.reshape(y, (3, 2)), y[1:], xp.astype(y, y.dtype, copy=False), xp.empty((2,))
    assert xp.stats.launches == 7


def test_peak_memory_is_that_of_the_temporaries(x):
    big = xp.zeros((1000,))
    xp.stats.reset()
    small, before = xp.sum(big + 1.0), xp.stats.live
    assert 8000 <= xp.stats.grown < 9000
    del big, small
    assert xp.stats.live < before
    xp.zeros((2000,))
    assert xp.stats.grown == 16000, "although older memory was freed"


def test_it_replaces_cupy_only_while_installed():
    import sys

    before = sys.modules.get("cupy")
    with xp.installed() as cupy:
        assert sys.modules["cupy"] is cupy is xp
    assert sys.modules.get("cupy") is before


def test_pickling_goes_through_the_host(x):
    y = pickle.loads(pickle.dumps(x))
    assert isinstance(y, xp.ndarray) and xp.stats.to_host == xp.stats.to_device == 48


def parameters(signature):
    return [(p.name, p.default, p.kind) for p in signature.parameters.values()]


ALL = names.FUNCTIONS | names.OF_PATHS


@pytest.mark.parametrize("name", [n for n, known in ALL.items() if known])
def test_each_function_has_the_parameters_of_the_wheel(name, wheel):
    known = inspect.signature(eval(f"lambda {ALL[name]}: None"))
    assert parameters(known) == parameters(inspect.signature(getattr(wheel, name)))


def test_the_other_names_are_in_the_wheel(wheel):
    assert not [n for n in names.UFUNCS + names.UFUNCS_OF_PATHS
                if not isinstance(getattr(wheel, n, None), wheel.ufunc)]
    assert not [n for n in names.CONSTANTS + list(ALL) if not hasattr(wheel, n)]
    assert not [n for n in names.ATTRIBUTES if not hasattr(wheel.ndarray, n)]


def test_the_names_of_its_runtime_are_in_the_wheel(wheel):
    assert not [n for n in vars(xp.cuda) if not hasattr(wheel.cuda, n)]
    assert not [n for n in vars(xp.cuda.runtime) if not hasattr(wheel.cuda.runtime, n)]
    assert not [n for n in vars(xp.Event) if not hasattr(wheel.cuda.Event, n)]


def test_names_that_the_wheel_lacks_are_not_listed(wheel):
    listed = {*names.UFUNCS, *names.FUNCTIONS, *names.CONSTANTS}
    assert not [n for n in names.LACKING if hasattr(wheel, n) or n in listed]
    assert not hasattr(wheel.ndarray, "__array_namespace__")
    assert wheel.ndarray.__module__ == xp.ndarray.__module__ == "cupy"
