"""Every formula is evaluated with NumPy, a strict array API, and device arrays."""
import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from hopref import modern
from hopref.check.cases.strategies import calls
from hopref.dispatch import operation
from hopref.dispatch.domains import finite, positive
from hopref.dispatch.namespace import namespace
from hopref.errors import BackendError, DomainError, DTypeError
from tests.dispatch.calling import WITH_ARRAYS as OPS
from tests.dispatch.calling import each_of, parts, run, widely
from tests.doubles import cupy as device
from tests.groups import each

every_op = each("name", OPS, share=3)


def moved(call, asarray):
    """The call with its NumPy arrays converted."""
    args, kwargs = call
    return ([asarray(a) if isinstance(a, np.ndarray) else a for a in args],
            {k: asarray(a) if isinstance(a, np.ndarray) else a for k, a in kwargs.items()})


def on_strict(op, call):
    args, kwargs = moved(call, array_api_strict.asarray)
    return parts(op(*args, **kwargs))


@every_op
def test_the_strict_array_api_and_the_device_give_the_same_bits(name):
    """On the device nothing is copied or synchronised."""
    op = OPS[name]

    @widely
    @given(calls(op))
    def same(call):
        args, kwargs = call
        ours = parts(op(*args, **kwargs))
        for a, b in zip(ours, on_strict(op, call), strict=True):
            assert isinstance(b, type(array_api_strict.asarray(0.0)))
            assert_array_equal(np.asarray(b), a, strict=True)
        with device.installed():
            args, kwargs = moved(call, device.asarray)
            device.stats.reset()
            theirs = parts(op(*args, **kwargs))
            assert device.stats.quiet, device.stats
            for a, b in zip(ours, theirs, strict=True):
                assert type(b) is device.ndarray
                assert_array_equal(b.get(), a, strict=True)

    same()


@each("name", [n for n, op in OPS.items() if not op.structural], share=3)
def test_single_precision_is_computed_in_double_on_every_backend(name):
    op = OPS[name]

    @settings(max_examples=2)
    @given(calls(op, empty=False))
    def widened(call):
        args, kwargs = moved(call, lambda a: a.astype(np.float32) if a.dtype == float else a)
        ours = parts(op(*args, **kwargs))
        with device.installed():
            there, options = moved((args, kwargs), device.asarray)
            theirs = parts(op(*there, **options))
            for a, b, c in zip(ours, theirs, on_strict(op, (args, kwargs)), strict=True):
                assert a.dtype == b.dtype in (np.float64, np.int64, np.bool)
                assert np.asarray(c).dtype == a.dtype
                assert_array_equal(b.get(), a)

    widened()


@each_of([(n, k) for n, op in OPS.items() for k in op.arrays if len(op.arrays) > 1])
def test_arrays_from_two_places_are_refused(op, argument, given):
    with device.installed():
        there = {k: v if k == argument or not isinstance(v, np.ndarray) else device.asarray(v)
                 for k, v in given.items()}
        device.stats.reset()
        for here in (given[argument], given[argument].tolist()):
            with pytest.raises(BackendError, match="in one place; got .*cupy"):
                run(op, there | {argument: here})
        assert device.stats.quiet


@each_of([(n, k) for n, op in OPS.items() for k in op.arrays
          if op.domains[k].holds is finite.holds], examples=2)
def test_device_values_are_read_only_on_request(op, argument, given):
    bad = given | {argument: np.asarray(given[argument] + np.nan)}
    with device.installed():
        there = {k: device.asarray(v) if isinstance(v, np.ndarray) else v for k, v in bad.items()}
        device.stats.reset()
        run(op, there)
        assert device.stats.quiet
        with pytest.raises(DomainError, match=f"{argument} must be .*; got {argument}"):
            run(op, there, nonfinite="raise")
        assert not device.stats.quiet


# ---- wrong formulas are detected -----------------------------------------------------------------

WRONG = {
    "a NumPy function": lambda xi, X: np.exp(xi),
    "a NumPy constant array": lambda xi, X: xi + np.ones(3),
    "a host copy": lambda xi, X: np.asarray(xi),
    "a branch on a value": lambda xi, X: xi if namespace(xi).any(xi > 0) else -xi,
    "a loop over values": lambda xi, X: xi * max(float(v) for v in xi[0, :]),
    "a constant from the host": lambda xi, X: xi + namespace(xi).asarray([1.0, 2.0, 3.0]),
    "an array method": lambda xi, X: xi - xi.max(),
    "a name CuPy lacks": lambda xi, X: namespace(xi).vecdot(xi, xi),
    "a keyword CuPy lacks": lambda xi, X: namespace(xi).sum(xi, where=xi > 0),
    "a boolean index": lambda xi, X: xi[xi > 0],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_formula_is_caught_on_the_device(wrong, monkeypatch):
    monkeypatch.setattr(operation, "OPS", {})

    def formula(xi, X, /):
        return WRONG[wrong](xi, X)

    op = operation.op("(...,d),(n,d)->(...,d)")(formula)
    with device.installed():
        xi, X = device.asarray(np.ones((2, 3))), device.asarray(np.ones((4, 3)))
        device.stats.reset()
        try:
            result = op(xi, X)
        except (TypeError, AttributeError):
            return
        assert not device.stats.quiet or not isinstance(result, device.ndarray)


@pytest.mark.parametrize("wrong", [
    lambda xi: np.exp(xi), lambda xi: xi.T, lambda xi: xi.sum(), lambda xi: namespace(xi).einsum])
def test_a_wrong_formula_is_caught_by_the_strict_array_api(wrong, monkeypatch):
    monkeypatch.setattr(operation, "OPS", {})

    def formula(xi, /):
        return wrong(xi)

    op = operation.op("(...,d)->(...,d)")(formula)
    try:
        result = op(array_api_strict.ones((2, 2, 3)))
    except (TypeError, AttributeError, ValueError):
        return
    assert not isinstance(result, type(array_api_strict.asarray(0.0)))


def test_the_scalar_of_the_caller_may_be_any_real_number(monkeypatch):
    monkeypatch.setattr(operation, "OPS", {})

    @operation.op("(...,d)->(...,d)", beta=positive)
    def scaled(xi, /, *, beta=1.0):
        return beta * xi

    with device.installed():
        xi = device.asarray(np.ones(3))
        device.stats.reset()
        for two in (2, 2.0, np.float64(2.0), np.float32(2.0), np.int64(2)):
            assert_array_equal(scaled(xi, beta=two).get(), [2.0, 2.0, 2.0])


def test_kinds_of_numbers_are_validated_on_the_device():
    update = OPS["modern.update"]
    with device.installed():
        X = device.asarray(np.ones((2, 3)))
        for bad in (np.ones(3, bool), np.ones(3, complex)):
            with pytest.raises(DTypeError, match="xi must hold real numbers; got"):
                update(device.asarray(bad), X)
        assert_array_equal(update(device.asarray(np.ones(3, int)), X).get(), np.ones(3))


def test_integers_beyond_float64_are_refused_in_other_namespaces():
    X = array_api_strict.asarray([[1.0, 2.0]])
    with pytest.raises(DomainError, match=r"xi must be integers below 2\*\*53 in size; got xi"):
        modern.update(array_api_strict.asarray([0, 2**53 + 1]), X)
    whole = modern.update(array_api_strict.asarray([0, 2**52]), X)
    assert_array_equal(np.asarray(whole), [1.0, 2.0])


def test_lazy_arrays_are_not_computed_implicitly():
    class Lazy:
        shape = (1, 2)

        def __dask_graph__(self):
            raise AssertionError("computed")

        __array__ = __dask_graph__

    with pytest.raises(DTypeError, match="pass its chunks to hopref.parts.stream"):
        modern.update([1.0, 2.0], Lazy())
    with pytest.raises(DTypeError, match="convert it yourself"):
        modern.weights([1.0, 2.0], Lazy())                  # has no parts
