"""The substitute for `cupy.RawModule` refuses arguments that a device would misread."""
import numpy as np
import pytest

from tests.doubles import cupy as double
from tests.gpu import nvrtc, raw
from tests.gpu.ptx.errors import KernelError

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
