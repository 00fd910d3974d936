"""Registers, spills and shared memory of the machine code that ptxas makes, for each device."""
import numpy as np
import pytest

from hopref.fast.cupy import _attend as path
from hopref.fast.cupy import _causal, _sweeps
from tests.gpu import nvrtc

pytestmark = nvrtc.required()
SOURCES = {"partial merge": path.source(), "sweep": _sweeps.source(),
           "causal": _causal.source()}
REGISTERS = 65536       # of a multiprocessor
RESIDENT = 6            # blocks of 128 threads that share them, to hide the time of memory


@pytest.mark.parametrize("dtype, real", [("float32", "float"), ("float64", "double")])
@pytest.mark.parametrize("architecture", [75, 80, 86, 89, 90, 100, 120])
@pytest.mark.parametrize("kernels", SOURCES)
def test_nothing_is_spilled_and_several_blocks_share_a_multiprocessor(kernels, architecture, dtype,
                                                                      real):
    used = nvrtc.resources(SOURCES[kernels], ("-std=c++17", f"-DREAL={real}"), f"sm_{architecture}")
    assert used.keys() == set(kernels.split())
    for kernel, of in used.items():
        assert of["spilled"] == 0, kernel
        assert 0 < of["registers"] <= REGISTERS // (RESIDENT * path.THREADS), kernel


@pytest.mark.parametrize("dtype, real", [("float32", "float"), ("float64", "double")])
def test_the_shared_memory_is_what_the_path_counts(dtype, real):
    """Beside that which the path asks for, for the components of a query and of the sums."""
    used = nvrtc.resources(path.source(), ("-std=c++17", f"-DREAL={real}"), "sm_80")
    assert used["partial"]["shared"] == path.shared_bytes(np.dtype(dtype), 0, 0)
    assert used["merge"]["shared"] == 0
    used = nvrtc.resources(_sweeps.source(), ("-std=c++17", f"-DREAL={real}"), "sm_80")
    assert used["sweep"]["shared"] == _sweeps.shared_bytes(np.dtype(dtype), 0)
    used = nvrtc.resources(_causal.source(), ("-std=c++17", f"-DREAL={real}"), "sm_80")
    assert used["causal"]["shared"] == _causal.shared_bytes(0)


def test_spills_are_read_from_the_log():
    """A kernel that needs more registers than it may have."""
    source = """extern "C" __global__ void __launch_bounds__(1024, 2) f(double* x) {
        double a[64];
        for (int i = 0; i < 64; ++i) a[i] = x[i * 7];
        for (int j = 0; j < 9; ++j)
            for (int i = 0; i < 64; ++i) a[i] = a[i] * a[(i + 9) % 64] + a[(i + 31) % 64];
        for (int i = 0; i < 64; ++i) x[i] = a[i];
    }"""
    assert nvrtc.resources(source, (), "sm_80")["f"]["spilled"] > 0
