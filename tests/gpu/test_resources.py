"""Registers, spills and shared memory of the machine code that ptxas makes, for each device."""
from pathlib import Path

import numpy as np
import pytest

from hopref.fast.cupy import _attend as path
from hopref.fast.cupy import _causal, _dense, _projected, _sweeps
from tests.gpu import nvrtc
from tests.gpu.resources import ARCHITECTURES, BEGIN, END, HEAD, cell, rows, used

PAGE = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text("utf-8")
TABLE = PAGE.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
REGISTERS = 65536       # of a multiprocessor
RESIDENT = 6            # blocks of 128 threads that share them, to hide the time of memory
SPILLED = {(13, "dense", "float64", 120): 72,       # bytes, where a compiler spills any
           **{(cuda, "tile", "float32", a): 8 for cuda in nvrtc.CUDA for a in (75, 80)}}
OF_TILES = 4            # of kernels that need their registers for the products of a tile
SHARED = {"partial": lambda real: path.shared_bytes(real, 0, 0), "merge": lambda real: 0,
          "tile": lambda real: path.bytes_of_tile(real, 64),
          "sweep": lambda real: _sweeps.shared_bytes(real, 0),
          "causal": lambda real: _causal.shared_bytes(0),
          "dense": lambda real: _dense.shared_bytes(),
          "features": lambda real: _projected.shared_bytes(real, 64)}
OF_128 = {"tile": path.bytes_of_tile("float32", 128),
          "features": _projected.shared_bytes("float32", 128)}
REALS = {"float32": "float32", "float64": "float64", "float16": "float32",
         "float32, 128": "float32"}
SLOW = [pytest.mark.slow]
compilers = pytest.mark.parametrize("cuda, architectures", [
    pytest.param(cuda, architectures, marks=nvrtc.required(cuda) + slow, id=f"CUDA {cuda}, {name}")
    for cuda, architectures, name, slow in (
        (12, [80], "80", []), (13, [120], "120", []), (12, ARCHITECTURES, "all", SLOW),
        (13, ARCHITECTURES, "all", SLOW))])
pytestmark = nvrtc.required()


@compilers
def test_the_resources_are_those_of_the_page_and_within_the_limits(cuda, architectures):
    """One test for each compiler, in whose process the kernels are compiled once.

    The table is written anew by ``python -m tests.gpu.resources``.  Few bytes are spilled, several
    blocks share a multiprocessor, and the shared memory is what the paths count, beside that for
    which they ask.
    """
    assert TABLE[:2] == HEAD and len(TABLE) == 2 + len(nvrtc.CUDA) * len(rows())
    lines = [line for line in TABLE if f"| {nvrtc.version(cuda)} |" in line]
    for line, (kernels, kernel, dtype) in zip(lines, rows(), strict=True):
        name, of_type, _, bytes_shared, *cells = line.strip("| ").split(" | ")
        assert (name, of_type) == (f"`{kernel}`", dtype) and len(cells) == len(ARCHITECTURES)
        shared = SHARED[kernel](np.dtype(REALS[dtype])) if "128" not in dtype else OF_128[kernel]
        assert int(bytes_shared) == shared <= path.SHARED_MEMORY, line
        for architecture in architectures:
            of, at = used(cuda, kernels, dtype, architecture)[kernel], (
                cuda, kernel, dtype, architecture)
            assert cells[ARCHITECTURES.index(architecture)] == cell(of), at
            assert of["shared"] == shared and of["spilled"] <= SPILLED.get(at, 0), at
            assert kernel not in OF_128 or of["stack"] <= of["spilled"], at
            resident = OF_TILES if kernel in OF_128 else RESIDENT
            assert 0 < of["registers"] <= REGISTERS // (resident * path.THREADS), at


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
