"""Tests on a CUDA device; without one they are skipped, or fail if HOPREF_REQUIRE_GPU is 1."""
import importlib.util
import os

import numpy as np
import pytest

from hopref import modern, parts
from hopref.check import devices
from hopref.check.cases.generator import cases
from hopref.dispatch.operation import load
from hopref.fast.cupy import HALF, PATHS
from tests.fast.agreement import agrees
from tests.gpu.comparison import compared_in_half, draw

NAMES = [f"{module}.{function}" for module, functions in PATHS.items() for function in functions]
OPS = load()


def absence():
    """Why there is no device, or None."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy must be installed"
    import cupy
    return devices.probe(cupy)


def unless_present(reason, environment):
    """Skip, or fail where a device is required."""
    if reason and environment.get("HOPREF_REQUIRE_GPU") == "1":
        pytest.fail(f"HOPREF_REQUIRE_GPU=1: {reason}")
    if reason:
        pytest.skip(reason)


@pytest.mark.gpu
def test_hard_cases_agree_within_the_derived_tolerance_on_a_device():
    unless_present(absence(), os.environ)
    import cupy

    for name in NAMES:
        for dtype in "float32", "float64":
            for case in cases(OPS[name], dtype):
                agrees(OPS[name], case.args, case.kwargs, dtype, "cupy", lambda a: cupy.asarray(a)
                       if isinstance(a, np.ndarray) else a, cupy.asnumpy)


@pytest.mark.gpu
def test_arrays_of_float16_agree_within_the_derived_tolerance_on_a_device():
    unless_present(absence(), os.environ)
    import cupy

    for name in HALF:
        for case in cases(OPS[name], "float16"):
            compared_in_half(OPS[name], case, np.float16, cupy.asarray, cupy.asnumpy)


@pytest.mark.gpu
def test_a_store_in_host_memory_has_the_bits_of_chunks_on_a_device():
    """Of 64 MiB, so that copies take place during the work on other chunks; on all devices."""
    unless_present(absence(), os.environ)
    import cupy

    xi, X = draw((64, 64), (2**18, 64))
    states = cupy.asarray(xi)
    there = parts.stream(modern.update, states, map(cupy.asarray, parts.chunks_of(X, 2**14)),
                         beta=0.5, backend="cupy")
    for numbers in [0], list(range(cupy.cuda.runtime.getDeviceCount())):
        chunks = parts.upload(parts.chunks_of(X, 2**14), devices=numbers)
        got = parts.stream(modern.update, states, chunks, beta=0.5, backend="cupy")
        assert np.array_equal(cupy.asnumpy(got), cupy.asnumpy(there))


@pytest.mark.parametrize("given, outcome", [({}, pytest.skip.Exception),
                                            ({"HOPREF_REQUIRE_GPU": "1"}, pytest.fail.Exception)])
def test_a_missing_device_is_a_skip_or_a_failure(given, outcome):
    with pytest.raises(outcome, match="no device"):
        unless_present("no device", given)
    unless_present(None, given)
