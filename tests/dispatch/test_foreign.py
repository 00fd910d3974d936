"""Arguments from other packages and files: images, 0-d arrays, dask, jax, failing objects."""
import io
import tracemalloc
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import hopref
from hopref import classical, maps, modern
from hopref.dispatch import domains
from hopref.errors import DomainError, DTypeError, ResourceError, ShapeError
from tests.dispatch.calling import PARAMETERS, each_of, refused, run, same

XI, X = np.array([0.5, -1.0]), np.array([[1.0, 2.0], [-3.0, 0.25], [0.0, 1.0]])


# ---- files --------------------------------------------------------------------------------------

@each_of(PARAMETERS, examples=1)
def test_a_parameter_may_come_from_an_npz_file(op, parameter, given):
    """There every value is an array, a number one without axes."""
    value = given.get(parameter, op.signature.parameters[parameter].default)
    if value is None:
        return
    file = io.BytesIO()
    np.savez(file, value=np.asarray(value))
    file.seek(0)
    loaded = np.load(file, allow_pickle=False)["value"]
    assert type(loaded) is np.ndarray
    same(run(op, given), run(op, given | {parameter: loaded}))


@pytest.mark.parametrize("domain, wrong", [
    (domains.positive, np.array(-1.0)), (domains.positive, np.array([1.0])),
    (domains.positive, np.array(True)), (domains.positive, np.array(1.0, object)),
    (domains.positive, np.ma.masked), (domains.count, np.array(2.0)), (domains.count, np.array(0)),
    (domains.flag, np.array(1)), (domains.flag, np.array([True])),
    (domains.choice(a=1), np.array("b")), (domains.choice(a=1), np.array(["a"])),
    (domains.seed, np.array(1.0)), (domains.seed, np.array(-1)),
])
def test_other_arrays_are_no_parameters(domain, wrong):
    with pytest.raises(DomainError, match="value must be .*; got value="):
        domain.validate("value", wrong)


# ---- images -------------------------------------------------------------------------------------

def test_images_are_to_be_reshaped_into_rows():
    images = np.zeros((12, 64, 64))
    refused(ShapeError, modern.energy, {"xi": np.zeros(4096), "X": images},
            "X must have shape (n, d)", "got (12, 64, 64)", "reshape it to (12, 4096)")
    rows = images.reshape(12, 4096)
    refused(ShapeError, modern.energy, {"xi": images[:5], "X": rows}, "reshape xi to (5, 4096)")
    refused(ShapeError, modern.energy, {"xi": images[0], "X": rows}, "reshape xi to (4096,)")
    refused(ShapeError, classical.field, {"xi": XI, "W": np.zeros((2, 2, 2))}, "got (2, 2, 2).")


# ---- other libraries ----------------------------------------------------------------------------

def test_the_error_for_a_namespace_without_float64_explains_how_to_enable_it():
    jax = ModuleType("jax.numpy")
    vars(jax).update(float64="float64", isdtype=lambda d, kind: True,
                     result_type=lambda d: "float32")
    here = SimpleNamespace(shape=(2,), dtype="float32", __array_namespace__=lambda: jax)
    there = SimpleNamespace(shape=(3, 2), dtype="float32", __array_namespace__=lambda: jax)
    refused(DTypeError, modern.update, {"xi": here, "X": there}, "float64", "jax.numpy",
            "jax_enable_x64")


def test_jax_arrays_in_single_precision_are_refused_without_a_warning():
    jax = pytest.importorskip("jax")
    if jax.config.jax_enable_x64:
        pytest.skip("jax computes in double precision here")
    refused(DTypeError, modern.update, {"xi": jax.numpy.ones(2), "X": jax.numpy.ones((3, 2))},
            "jax_enable_x64")


class Failing:
    """Converts to an array as some lazy arrays do: not at all."""
    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@pytest.mark.parametrize("error", [
    RuntimeError("no connection"), ValueError("wrong"), TypeError("wrong"), KeyError("x"),
    OSError()])
@pytest.mark.parametrize("argument", ["z", "bias", "where"])
def test_an_object_that_fails_to_convert_is_named(argument, error):
    given = {"z": np.zeros((1, 2))}
    for wrong in (Failing(error), [Failing(error)]):
        with pytest.raises((DTypeError, ShapeError)) as caught:
            run(maps.softmax, given | {argument: wrong})
        assert str(caught.value).startswith(f"hopref.maps.softmax: {argument} must ")
    with pytest.raises(DTypeError, match=type(error).__name__) as caught:
        run(maps.softmax, given | {argument: Failing(error)})
    assert caught.value.__cause__ is error


# ---- memory -------------------------------------------------------------------------------------

VIEWS = {
    "a broadcast row": lambda n: np.broadcast_to(1.0, (n, n)),
    "single precision": lambda n: np.broadcast_to(np.float32(1.0), (n, n)),
    "bytes": lambda n: np.broadcast_to(np.uint8(1), (n, n)),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("backend", ["formula", "numba"])
def test_copies_count_before_they_are_made(view, backend):
    """A table of 1e5 x 1e5 numbers that takes eight bytes, and 75 GiB as a copy."""
    if backend == "numba":
        pytest.importorskip("numba")
        op, given = modern.update, {"xi": np.ones(10**5), "X": VIEWS[view](10**5)}
    else:
        op, given = maps.logsumexp, {"z": VIEWS[view](10**5)}
    tracemalloc.start()
    try:
        refused(ResourceError, op, given, "copy of", "hopref.memory_limit", "74.5 GiB",
                backend=backend)
        assert tracemalloc.get_traced_memory()[1] < 2**20 + 8 * 10**5
    finally:
        tracemalloc.stop()


def test_an_array_that_needs_no_copy_is_not_counted(monkeypatch):
    table = np.ones((3, 3))
    monkeypatch.setattr(hopref, "memory_limit", 8)
    assert maps.logsumexp(table).shape == (3,)
    refused(ResourceError, maps.logsumexp, {"z": table.T[:, :2]}, "copy of z")


@pytest.mark.parametrize("wrong", ["1GB", -1, float("nan"), True, [1], 1j])
def test_a_limit_that_is_no_number_of_bytes_is_refused(wrong, monkeypatch):
    monkeypatch.setattr(hopref, "memory_limit", wrong)
    refused(DomainError, modern.update, {"xi": XI, "X": X}, "memory_limit", repr(wrong))


@pytest.mark.parametrize("limit", [None, 10**6, 1e6, np.int64(10**6), float("inf")])
def test_a_limit_is_a_number_of_bytes_or_none(limit, monkeypatch):
    monkeypatch.setattr(hopref, "memory_limit", limit)
    modern.update(XI, X)
