"""The path of an operation: the requested one, the preferred one, or the formula."""
import importlib
import importlib.util
import sys
import threading
from types import ModuleType

import numpy as np
import pytest

import hopref
from hopref import classical, modern, use_backend
from hopref.dispatch import operation
from hopref.dispatch.domains import positive
from hopref.errors import BackendError, DomainError, HoprefError
from tests.dispatch.calling import OPS, look_at_refusal, on_calls, parts, refused, run, same
from tests.doubles import cupy as device
from tests.groups import each

XI, X = np.array([0.5, -1.0]), np.array([[1.0, 2.0], [-3.0, 0.25], [0.0, 1.0]])


@pytest.fixture
def doubling(monkeypatch):
    """An operation of the test's own, x -> x + 1, with a numba path x -> 2 x."""
    monkeypatch.setattr(operation, "OPS", {})
    seen = []
    fast = ModuleType("hopref.fast.numba.test_paths")
    fast.step = lambda x, /, *, beta=1.0: seen.append(x) or 2 * x
    monkeypatch.setitem(sys.modules, "hopref.fast.numba.test_paths", fast)
    monkeypatch.setitem(sys.modules, "numba", ModuleType("numba"))
    monkeypatch.setitem(importlib.import_module("hopref.fast.numba").PATHS, "test_paths", ("step",))

    def step(x, /, *, beta=1.0):
        return x + 1

    def nested(x, /):
        return step(x) + 10

    step = operation.op("(...,d)->(...,d)", beta=positive)(step)
    nested = operation.op("(...,d)->(...,d)")(nested)
    step.seen = seen
    return step, nested


def test_the_formula_is_the_default_and_backend_selects_a_path(doubling):
    step, _ = doubling
    assert step.paths == ("formula", "numba")
    assert step([3.0]) == 4.0
    assert step([3.0], backend="numba") == 6.0
    assert step([3.0], backend="formula") == 4.0


def test_a_preference_falls_back_if_the_path_is_missing(doubling):
    step, nested = doubling
    with use_backend("numba"):
        assert step([3.0]) == 6.0
        assert step([3.0], backend="formula") == 4.0
        assert nested([3.0]) == 14.0
    assert step([3.0]) == 4.0


def test_a_missing_path_is_refused(doubling):
    _, nested = doubling
    with pytest.raises(BackendError) as caught:
        nested([3.0], backend="numba")
    look_at_refusal(caught, BackendError, "test_paths.nested", "backend must be one of formula")


def test_inside_a_formula_no_path_is_chosen(doubling):
    """Neither by a preference nor by the backend of the outer operation."""
    _, nested = doubling
    with use_backend("numba"):
        assert nested([3.0]) == 14.0
        assert nested([3.0], backend="formula") == 14.0
        assert nested.formula(np.array([3.0])) == 14.0


def test_the_bare_formula_ignores_preferences(doubling):
    step, _ = doubling
    with use_backend("numba"):
        assert step.formula(np.array([3.0])) == 4.0
        assert step.formula(np.array([-3.0]), beta=-1.0) == -2.0     # and checks nothing


def test_preferences_nest_and_end_with_their_block(doubling):
    step, _ = doubling
    with pytest.raises(ZeroDivisionError):
        with use_backend("numba"):
            with use_backend("formula"):
                assert step([3.0]) == 4.0
            assert step([3.0]) == 6.0
            raise ZeroDivisionError
    assert step([3.0]) == 4.0


def test_calls_are_validated_again_after_an_error_in_the_formula(monkeypatch):
    monkeypatch.setattr(operation, "OPS", {})

    def broken(x, /):
        return 1 / 0

    broken = operation.op("(...,d)->(...,d)")(broken)
    with pytest.raises(ZeroDivisionError):
        broken([1.0])
    with pytest.raises(DomainError):
        broken([np.nan])


def test_a_preference_holds_in_its_own_thread_only(doubling):
    step, _ = doubling
    found = []
    with use_backend("numba"):
        thread = threading.Thread(target=lambda: found.append(step([3.0])))
        thread.start()
        thread.join()
    assert found == [4.0]


def test_arguments_are_validated_before_a_faster_path_is_called(doubling):
    step, _ = doubling
    for wrong, error in [([np.nan], DomainError), ([True], TypeError), (1.0, ValueError)]:
        with pytest.raises(error):
            step(wrong, backend="numba")
    assert step.seen == []


def test_faster_paths_get_writeable_c_arrays_and_single_precision_as_it_is(doubling):
    step, _ = doubling
    for x in (np.ones((3, 2)).T, np.broadcast_to(1.0, (2, 2)), np.ones(2, ">f8"), [1, 2],
              np.ones(4, np.float32)[::2], np.ones(2, np.float16), np.ones(2, np.int8)):
        step(x, backend="numba")
        taken = step.seen[-1]
        assert taken.flags.c_contiguous and taken.flags.aligned and taken.flags.writeable
        single = isinstance(x, np.ndarray) and x.dtype == np.float32
        assert taken.dtype == (np.float32 if single else np.float64) and taken.dtype.isnative
        assert not np.shares_memory(taken, x) or x.flags.writeable


def test_device_arrays_are_not_passed_to_a_path_for_the_host(doubling):
    """backend= raises; a preference falls back to the formula."""
    step, _ = doubling
    with device.installed():
        x = device.asarray([1.0, 2.0])
        with pytest.raises(BackendError) as caught:
            step(x, backend="numba")
        look_at_refusal(caught, BackendError, "test_paths.step", "numba", "cupy")
        with use_backend("numba"):
            assert step(x).get().tolist() == [2.0, 3.0]
        assert step.seen == []


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(float).eps, reason="no longer double")
def test_no_faster_path_narrows_a_long_double(doubling):
    step, _ = doubling
    x = np.array([3], np.longdouble)
    with pytest.raises(BackendError) as caught:
        step(x, backend="numba")
    look_at_refusal(caught, BackendError, "test_paths.step", "numba", "longdouble")
    with use_backend("numba"):
        assert step(x) == 4.0 and step(x).dtype == np.longdouble
    assert step.seen == []


def test_structure_left_unchecked_inside_a_formula_is_no_argument_of_it():
    with operation.unchecked():
        assert classical.energy(XI, np.array([[0.0, 1.0], [3.0, 0.0]]), check=False) == 1.0


@pytest.fixture
def nothing_installed(monkeypatch):
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)


@pytest.mark.parametrize("backend", ["numba", "cupy"])
def test_a_preference_for_a_missing_package_raises_at_entry(backend, nothing_installed):
    with pytest.raises(BackendError) as caught:
        with use_backend(backend):
            pytest.fail("the block must not be entered")
    look_at_refusal(caught, BackendError, "use_backend", "must be installed",
                    f'install "hopref[{operation.BACKENDS[backend].extra}]"')


def test_a_backend_that_is_not_installed_names_the_package(nothing_installed):
    if "numba" not in OPS["modern.update"].paths:
        pytest.skip("no faster path yet")
    refused(BackendError, OPS["modern.update"], {"xi": XI, "X": X}, "must be installed",
            'pip install "hopref[numba]"', backend="numba")


@pytest.mark.parametrize("wrong", ["nonsense", "", None, 3, ["numba"], np])
def test_a_preference_for_an_unknown_backend_is_refused(wrong):
    with pytest.raises(BackendError) as caught:
        with use_backend(wrong):
            pytest.fail("the block must not be entered")
    look_at_refusal(caught, BackendError, "use_backend", "must be one of formula, numba, cupy")


@each("name", OPS)
def test_backend_formula_is_the_checked_reference(name):
    op = OPS[name]

    def judge(given):
        same(run(op, given), run(op, given, backend="formula"))
        with use_backend("formula"):
            same(run(op, given), run(op, given))

    on_calls(op, judge, examples=1)


@each("name", OPS)
def test_a_call_validated_once_runs_any_number_of_times(name):
    op = OPS[name]

    def judge(given):
        rng = {"rng": 7} if "rng" in given else {}
        whole = run(op, given | rng)
        call = run(op, given | rng, through=op.prepare)
        with operation.unchecked():
            once = call.path(*call.args, **call.kwargs)
            again = once if rng else call.path(*call.args, **call.kwargs)
        same(tuple(map(np.asarray, parts(whole))), tuple(map(np.asarray, parts(once))))
        same(once, again)

    on_calls(op, judge, examples=1)


def test_preparing_raises_what_calling_raises():
    with pytest.raises(DomainError) as caught:
        modern.update.prepare(XI, X, beta=0.0)
    look_at_refusal(caught, DomainError, "modern.update", "beta must be", "got beta=0.0")


def test_memory_limit_is_read_at_each_call(monkeypatch):
    modern.update(XI, X)
    monkeypatch.setattr(hopref, "memory_limit", 23)
    with pytest.raises(MemoryError):
        modern.update(XI, X)
    monkeypatch.setattr(hopref, "memory_limit", 24)
    modern.update(XI, X)


# ---- the same validation before every path -------------------------------------------------------

FASTER = [(name, path) for name, op in OPS.items() for path in op.paths if path == "numba"]


@each("name, path", FASTER, share=3)
def test_a_faster_path_refuses_what_the_formula_refuses(name, path):
    pytest.importorskip(path)
    op = OPS[name]

    def without_columns(a):
        return a[..., :0]

    def a_number(a):
        return np.zeros(())

    def allowed(spoil, k, a):
        """Values may have no component, and neither need rows that are the only array; a cotangent
        of one energy is a number without axes."""
        if a.ndim == 0:
            return spoil in (a_number, without_columns)
        return spoil is without_columns and (op.arrays[k][-1] == "v" or list(op.arrays) == ["x"])
    wrong = {
        "real": [lambda a: np.where(np.arange(a.size).reshape(a.shape) == a.size - 1, np.nan, a),
                 lambda a: np.full_like(a, np.inf), lambda a: a > 0, lambda a: a.astype(complex),
                 lambda a: a.astype(object), a_number, without_columns,
                 lambda a: [[1.0], [1.0, 2.0]], lambda a: np.full(a.shape, 2**53 + 1)],
        "integer": [lambda a: a - a.max() - 1, lambda a: a + 99, lambda a: a * 1.5],
        "bool": [lambda a: a * 1.0],
    }

    def judge(given):
        for k in op.arrays:
            for spoil in wrong[op.domains[k].kind]:
                if allowed(spoil, k, np.asarray(given[k])):
                    continue
                bad = given | {k: spoil(given[k])}
                with pytest.raises(HoprefError) as by_formula:
                    run(op, bad, backend="formula")
                refused(type(by_formula.value), op, bad, *str(by_formula.value).split(" got ")[:1],
                        backend=path)

    on_calls(op, judge, examples=2)
