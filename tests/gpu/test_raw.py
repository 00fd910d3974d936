"""The substitute for `cupy.RawModule` refuses arguments that a device would misread."""
import contextlib

import numpy as np
import pytest

from hopref.fast.cupy._sources import source_of
from tests.doubles import cupy as double
from tests.gpu import nvrtc, raw
from tests.gpu.ptx.errors import KernelError
from tests.gpu.resources import SOURCES

pytestmark = nvrtc.required()

SOURCE = """typedef REAL real;
typedef unsigned long long size;
extern "C" __global__ void scale(const real* __restrict__ x, const size n, const real by, real* y)
{
    const size i = size(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = by * x[i];
}
"""


def scaled(*arguments, source=SOURCE, grid=(2,)):
    kernel = double.RawModule(code=source, options=("-DREAL=float",)).get_function("scale")
    kernel(grid, (32,), arguments)


def given(n=40):
    return [double.ones((n,), dtype="float32"), np.uint64(n), np.float32(3), double.empty(
        (n,), dtype="float32")]


def test_a_launch_writes_its_results_and_is_counted():
    arguments = given()
    double.stats.reset()
    scaled(*arguments)
    assert double.stats.launches == 1 and double.stats.quiet
    assert np.all(arguments[3].get() == 3)


@pytest.mark.parametrize("number, wrong", [
    (2, 3.0), (2, np.float64(3)), (2, np.int32(3)), (1, 40), (1, np.int64(40)), (1, np.uint32(40)),
    (0, np.ones(40, "float32")), (0, np.float32(1)), (2, np.ones((), "float32"))],
    ids=lambda v: type(v).__name__ if not isinstance(v, int) else None)
def test_an_argument_of_another_type_is_refused(number, wrong):
    arguments = given()
    arguments[number] = wrong
    with pytest.raises(TypeError, match="must be a"):
        scaled(*arguments)


def test_arrays_of_another_type_and_missing_arguments_are_refused():
    arguments = given()
    with pytest.raises(TypeError, match="must be an array of float32"):
        scaled(double.ones((40,)), *arguments[1:])
    with pytest.raises(TypeError, match="takes 4 arguments"):
        scaled(*arguments[:3])


def test_faults_name_the_line_of_the_source():
    with pytest.raises(KernelError, match=r"^kernel\.cu:7: out of bounds: byte 160 of "):
        scaled(*given(), source=SOURCE.replace("if (i < n)", ""))


@pytest.mark.parametrize("checked", [True, False])
def test_a_check_of_an_index_names_its_line_if_it_is_compiled(checked, monkeypatch):
    """The second of two rows of 8 numbers; an index of 8 is none of a row, but one of the array."""
    monkeypatch.setattr(raw, "CHECKED", checked)
    rows = source_of() + """extern "C" __global__ void scale(const float* x, const size n, float* y)
{
    y[threadIdx.x] = x[
        CHECK(n, 8)];
}
"""
    kernel = double.RawModule(code=rows).get_function("scale")
    x, y = double.ones((16,), dtype="float32"), double.empty((32,), dtype="float32")
    kernel((1,), (32,), (x, np.uint64(7), y))
    line = rows.splitlines().index("        CHECK(n, 8)];") + 1
    for n in 8, 2**64 - 1:
        fault = f":{line}: trap" if checked else "out of bounds" if n > 8 else None
        with pytest.raises(KernelError, match=fault) if fault else contextlib.nullcontext():
            kernel((1,), (32,), (x, np.uint64(n), y))


def test_the_kernels_check_indices_in_tests_alone():
    for kernel, source in SOURCES.items():
        options = ("-std=c++17", "-DREAL=float", "-DWIDTH=64", "-DFUNCTIONS=EXP")
        assert "trap;" not in nvrtc.to_ptx(source, options)
        assert "trap;" in nvrtc.to_ptx(source, (*options, "-DCHECKED")) or kernel == "sweep"


def test_numbers_that_no_thread_wrote_are_nan():
    arguments = given()
    scaled(*arguments, grid=(1,))
    assert np.isnan(arguments[3].get()[32:]).all()


def test_bits_that_depend_on_the_order_are_reported(monkeypatch):
    def launch(kernel, grid, block, arguments, order, **ignored):
        arguments[3][...] = order
    monkeypatch.setattr(raw, "launch", launch)
    monkeypatch.setattr(raw, "ORDERS", [(1, "ascending"), (2, "ascending")])
    with pytest.raises(AssertionError, match="depend on the order"):
        scaled(*given())


def test_a_source_that_does_not_compile_gives_the_log():
    with pytest.raises(nvrtc.CompilationError, match=r"kernel\.cu\(7\).*undefined"):
        scaled(*given(), source=SOURCE.replace("by * x", "unknown * x"))
