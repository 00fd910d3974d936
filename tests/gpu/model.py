"""The least times of calls on two devices, as in docs/gpu.md: bytes, operations and launches.

``python -m tests.gpu.model`` prints the table, ``--check`` compares it with that of the page.  The
calls of ``hopref gpu-check`` run in full size on the substitute for CuPy, which counts the bytes
that each launch reads and writes and its operations; of a kernel they follow from its arguments.
"""
import argparse
import contextlib
import functools
import math
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hopref.check.devices import WORKLOADS, bound
from hopref.dispatch.operation import load
from hopref.fast.cupy import _attend, _causal, _projected
from tests.doubles import cupy as double

__all__ = ["BEGIN", "DEVICES", "END", "HEAD", "Counts", "counted", "line", "shown"]

BEGIN, END = "<!-- begin of the model -->", "<!-- end of the model -->"
HEAD = ["| call | type | launches | MB needed | MB of the launches | GFLOP | H100: bound, ms "
        "| as launched, ms | H200: bound, ms | as launched, ms | measured, ms |", "|---" * 11 + "|"]
TENSOR = {"float32": 67e12, "float64": 67e12}       # products of matrices of cuBLAS, without TF32
VECTOR = {"float32": 67e12, "float64": 34e12}       # all else


class Device(NamedTuple):
    """Bytes and operations a second, of the data sheets of NVIDIA."""
    bandwidth: float
    tensor: dict
    vector: dict


DEVICES = {"H100": Device(3.35e12, TENSOR, VECTOR), "H200": Device(4.8e12, TENSOR, VECTOR)}


class Counts(NamedTuple):
    """Of a call: the bytes of its operands and results, and of each launch the bytes, operations,
    and the format of its arithmetic, with "kernel" for our own, which use no tensor cores."""
    needed: int
    flops: float
    launches: list

    def least(self, device, dtype):
        """The time of the product and of the copy of what is needed, and which is the longer."""
        return bound(self.flops, self.needed, device.tensor[dtype], device.bandwidth)

    def launched(self, device):
        """The time of all launches, each bound by its own bytes or operations."""
        return sum(bound(flops, moved, getattr(device, unit)[kind], device.bandwidth)[0]
                   for moved, flops, kind, unit in self.launches)


def counted(work, dtype):
    """The `Counts` of a call."""
    with double.installed() as cupy, kernels_counted(work) as of_kernels:
        arrays = [cupy.asarray(np.ones(shape, dtype)) for shape in work.shapes]
        double.stats.reset()
        double.stats.count_work()
        result = load()[work.like](*arrays, **work.options, backend="cupy")
        found = [(moved, flops, dtype, "tensor") for moved, flops in double.stats.work]
        results = sum(y.nbytes for y in (result if isinstance(result, tuple) else [result]))
        return Counts(work.bytes(np.dtype(dtype).itemsize, results), work.flops,
                      found + of_kernels)


@contextlib.contextmanager
def kernels_counted(work):
    """Kernels that add what they would read, write and compute to a list, and do nothing else."""
    found = []

    def first(grid, block, args, shared_mem, width):
        """Each block reads its queries and its part of keys and values; a tile computes the
        scores of all queries that it may have."""
        (parts, blocks, heads), (Q, K, V) = grid, args[:3]
        d, v, N = Q.shape[-1], V.shape[-1], K.shape[-2]
        arrays = sum(a.nbytes for a in args[-3:]) + Q.nbytes * (parts if width else 1)
        computed = blocks * _attend.rows_of(Q.dtype, width)
        found.append((arrays + blocks * heads * N * (d + v) * K.itemsize,
                      2 * computed * heads * N * (d + v), Q.dtype.name, "vector"))

    def merge(grid, block, args):
        arrays = [a for a in args if hasattr(a, "nbytes") and a.shape]
        found.append((sum(a.nbytes for a in arrays), arrays[0].size, arrays[-1].dtype.name,
                      "vector"))

    def causal(grid, block, args, shared_mem):
        q, k, V, l, d, v, state, sums = args
        arrays = grid[0] * (q.nbytes + k.nbytes) + V.nbytes + 2 * state.nbytes + sums.nbytes
        found.append((arrays, 4 * q.size * (int(v) + 1), "float64", "vector"))

    def features(grid, block, args, width, results):
        """A block reads its rows and its part of the directions, and computes the features of all
        rows that it may have."""
        (blocks, parts), (x, omega), result = grid, args[:2], args[-2]
        computed = blocks * _attend.rows_of(x.dtype, width)
        found.append((parts * x.nbytes + blocks * omega.nbytes + results * result.nbytes,
                      2 * computed * omega.size, x.dtype.name, "vector"))
    kept = _attend._kernels, _causal._kernel, _projected._kernel
    _attend._kernels = lambda *given: (functools.partial(first, width=given[-1]), merge)
    _causal._kernel = lambda *_: causal
    _projected._kernel = lambda *given: functools.partial(features, width=given[2],
                                                          results=1 + given[-1])
    try:
        yield found
    finally:
        _attend._kernels, _causal._kernel, _projected._kernel = kept


def line(work, dtype, counts):
    """The row of a call."""
    times = []
    for device in DEVICES.values():
        seconds, by = counts.least(device, dtype)
        word = {"product": "operations", "copy": "bytes"}[by]
        times += [f"{digits(1e3 * seconds)} ({word})", digits(1e3 * counts.launched(device))]
    moved = sum(moved for moved, *_ in counts.launches)
    amounts = map(digits, (counts.needed / 1e6, moved / 1e6, counts.flops / 1e9))
    cells = shown(work), dtype, str(len(counts.launches)), *amounts, *times, ""
    return f"| {' | '.join(cells)} |"


def shown(work):
    return f"`{work.like}` {', '.join('x'.join(map(str, s)) for s in work.shapes)}"


def digits(x):
    """Two significant digits."""
    rounded = float(f"{x:.2g}")
    return f"{rounded:.{max(0, 1 - math.floor(math.log10(rounded)))}f}"


def rows():
    for work in WORKLOADS:
        for dtype in VECTOR:
            yield line(work, dtype, counted(work, dtype))


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with docs/gpu.md")
    table = [*HEAD, *rows()]
    if not parser.parse_args(arguments).check:
        print("\n".join(table))
        return 0
    page = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text("utf-8")
    return int(page.partition(BEGIN)[2].partition(END)[0].strip().splitlines() != table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
