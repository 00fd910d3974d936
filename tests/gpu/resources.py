"""The table of registers, spilled bytes and shared memory of the kernels, as in docs/gpu.md.

``python -m tests.gpu.resources`` prints it.  The numbers are those of the machine code that the
compilers of CUDA 12 and 13 make, of the versions that the extra gpu-proof installs.
"""
import functools

from hopref.fast.cupy import _attend, _causal, _dense, _projected, _sweeps
from tests.gpu import nvrtc

__all__ = ["ARCHITECTURES", "BEGIN", "END", "SOURCES", "cell", "lines", "rows", "used"]

SOURCES = {"partial merge": _attend.source(), "tile": _attend.source("tile"),
           "sweep": _sweeps.source(), "causal": _causal.source(),
           "dense": _dense.source(), "features": _projected.source()}
ARCHITECTURES = 75, 80, 86, 89, 90, 100, 120
TYPES = {"float32": ["-DREAL=float"], "float64": ["-DREAL=double"],
         "float16": ["-DREAL=float", "-DSTORED=float16"],
         "float32, 128": ["-DREAL=float", "-DWIDTH=128"]}
OF_HALF = "partial"                         # the kernel of the row for half precision
OF_WIDTHS = "tile", "features"              # the kernels that are made for 64 or 128 components
FUNCTIONS = "EXP,EXP_MINUS"                 # of the features of the row
OF_DOUBLE = "dense"                         # the kernel of double precision alone
BEGIN, END = "<!-- begin of the resources -->", "<!-- end of the resources -->"
HEAD = ["| kernel | type | NVRTC | shared memory, bytes | registers: "
        + " | ".join(f"{a // 10}.{a % 10}" for a in ARCHITECTURES) + " |", "|---" * 11 + "|"]


@functools.cache
def used(cuda, kernels, dtype, architecture):
    """{kernel: {"registers", "spilled", "shared"}} of the kernels of a source for a type."""
    options = ["-std=c++17", *TYPES[dtype]]
    if kernels in OF_WIDTHS:
        options += [f"-DFUNCTIONS={FUNCTIONS}", *["-DWIDTH=64"] * ("128" not in dtype)]
    found = nvrtc.resources(SOURCES[kernels], options, f"sm_{architecture}", cuda)
    return {kernel: found[kernel] for kernel in kernels.split()}


def made(kernel):
    """The types for which a kernel is made."""
    if kernel == OF_DOUBLE:
        return ["float64"]
    return [dtype for dtype in TYPES if dtype in ("float32", "float64")
            or dtype == "float16" and kernel == OF_HALF
            or "128" in dtype and kernel in OF_WIDTHS]


def lines(cuda):
    """The lines of the table for the compiler of a version of CUDA."""
    found = []
    for kernels, kernel, dtype in rows():
        each = [used(cuda, kernels, dtype, a)[kernel] for a in ARCHITECTURES]
        shared, = {of["shared"] for of in each}
        cells = f"`{kernel}`", dtype, nvrtc.version(cuda), shared, *map(cell, each)
        found.append(f"| {' | '.join(map(str, cells))} |")
    return found


def rows():
    """What the rows of a compiler are of: names of a source, one of its kernels, and a type."""
    return [(kernels, kernel, dtype) for kernels in SOURCES for kernel in kernels.split()
            for dtype in made(kernel)]


def cell(of):
    """The registers, and the bytes that are spilled."""
    spilled = f", {of['spilled']} bytes spilled" if of["spilled"] else ""
    return f"{of['registers']}{spilled}"


if __name__ == "__main__":
    print("\n".join([*HEAD, *(line for cuda in nvrtc.CUDA for line in lines(cuda))]))
