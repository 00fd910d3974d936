"""Registers, spills and shared memory of the machine code that ptxas makes, for each device."""
from pathlib import Path

import numpy as np
import pytest

from hopref.fast.cupy import _attend as path
from hopref.fast.cupy import _causal, _sweeps
from tests.gpu import nvrtc
from tests.gpu.resources import ARCHITECTURES, BEGIN, END, HEAD, SOURCES, lines, made, used

PAGE = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text("utf-8")
TABLE = PAGE.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
REGISTERS = 65536       # of a multiprocessor
RESIDENT = 6            # blocks of 128 threads that share them, to hide the time of memory
SPILLED = {(13, "partial", "float64", 75): 24}      # bytes, where a compiler spills any
compilers = pytest.mark.parametrize("cuda", [
    pytest.param(cuda, marks=nvrtc.required(cuda)) for cuda in nvrtc.CUDA])
pytestmark = nvrtc.required()


@compilers
def test_few_bytes_are_spilled_and_several_blocks_share_a_multiprocessor(cuda):
    for kernels in SOURCES:
        for dtype in made(kernels.split()[0]):
            for architecture in ARCHITECTURES:
                found = used(cuda, kernels, dtype, architecture)
                assert found.keys() == set(kernels.split())
                for kernel, of in found.items():
                    at = cuda, kernel, dtype, architecture
                    assert of["spilled"] <= SPILLED.get(at, 0), at
                    assert 0 < of["registers"] <= REGISTERS // (RESIDENT * path.THREADS), at


@compilers
def test_the_table_is_that_of_the_page(cuda):
    """Written anew by ``python -m tests.gpu.resources``."""
    assert TABLE[:2] == HEAD and len(TABLE) == 2 + len(nvrtc.CUDA) * len(lines(cuda))
    assert [line for line in TABLE if f"| {nvrtc.version(cuda)} |" in line] == lines(cuda)


@compilers
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_shared_memory_is_what_the_path_counts(cuda, dtype):
    """Beside that which the path asks for, for the components of a query and of the sums."""
    attend = used(cuda, "partial merge", dtype, 80)
    assert attend["partial"]["shared"] == path.shared_bytes(np.dtype(dtype), 0, 0)
    assert attend["merge"]["shared"] == 0
    assert used(cuda, "sweep", dtype, 80)["sweep"]["shared"] == \
        _sweeps.shared_bytes(np.dtype(dtype), 0)
    assert used(cuda, "causal", dtype, 80)["causal"]["shared"] == _causal.shared_bytes(0)


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
