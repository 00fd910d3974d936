"""Accuracy and speed of the paths on a CUDA device, for ``hopref gpu-check``.

Times are those of events on the device, the median of several; a rate is the count of operations or
bytes that the algorithm requires, divided by it.  The ceilings are measured in the same run: a
product of matrices, and a copy.  The fraction of a call is the least time that they allow for these
counts, divided by the time of the call.
"""
import importlib
import importlib.util
import math
import statistics
from typing import NamedTuple

import numpy as np

from hopref.check.peers.installed import Job, judged
from hopref.dispatch.operation import load

__all__ = ["Workload", "WORKLOADS", "SMALL", "probe", "accuracy", "speed", "ceilings", "bound",
           "fused_attention"]

REPEATS = 5             # timed calls, after one that compiles the kernels


class Workload(NamedTuple):
    """A call to be timed.

    ``shapes`` are those of the operands; ``flops`` is a count of additions and multiplications.
    """
    like: str
    shapes: tuple
    flops: float
    options: dict

    def bytes(self, itemsize, results):
        """The bytes of the operands and of the results, each moved once."""
        return itemsize * sum(map(math.prod, self.shapes)) + results


def _retrieval(M, N, d):
    return Workload("modern.update", ((M, d), (N, d)), 4.0 * M * N * d, {"beta": 1 / math.sqrt(d)})


def _attention(heads, l, s, d):
    shapes = tuple((heads, n, d) for n in (l, s, s))
    return Workload("attention.softmax_attention", shapes, 4.0 * heads * l * s * d, {})


def _performer(heads, l, d, m):
    shapes = (*((heads, l, d) for _ in range(3)), (m, d))
    return Workload("performer.attention", shapes, 8.0 * heads * l * m * d, {})


def _features(n, d, m):
    return Workload("features.positive", ((n, d), (m, d)), 2.0 * n * m * d, {})


def _causal(heads, l, r, v):
    shapes = (heads, l, r), (heads, l, r), (heads, l, v)
    return Workload("attention.causal_linear_attention", shapes, 4.0 * heads * l * r * v, {})


WORKLOADS = (_retrieval(1, 2**20, 64), _retrieval(1024, 2**16, 64), _retrieval(4096, 2**16, 64),
             _attention(16, 1, 2**15, 64), _attention(16, 2048, 2048, 64),
             _features(2**18, 64, 256), _performer(16, 2**14, 64, 256),
             _causal(16, 2**14, 64, 64))
SMALL = (_retrieval(20, 40, 4), _attention(2, 20, 40, 4), _features(40, 4, 8),
         _performer(1, 40, 4, 8), _causal(1, 40, 4, 4))


def probe(cupy):
    """A sentence on why no device can be used, or None after a real sum on the first one."""
    try:
        if cupy.cuda.runtime.getDeviceCount() == 0:
            return "CuPy finds no device"
        total = float(cupy.sum(cupy.arange(1000, dtype=np.float64)))
    except Exception as error:
        return f"no sum can be computed on a device: {type(error).__name__}: {error}"
    return None if total == 499500 else f"a sum on the device is {total}, and not 499500"


def accuracy(like=""):
    """One record for each path and dtype, judged on its hard cases against the truth."""
    for op in load().values():
        if "cupy" in op.paths and like in ("", op.name, op.name.rpartition(".")[0]):
            for dtype in "float32", "float64":
                report = judged(Job("hopref, cupy path", op.name, "cupy", dtype))
                yield {"op": op.name, "dtype": dtype, "verdict": report.verdict,
                       "error_in_bounds": _finite(report.largest_error),
                       "findings": [f.name for f in report.findings]}


def speed(cupy, limits, workloads=WORKLOADS, dtypes=("float32", "float64"), seed=0):
    """One record for each call, with its fraction of the limits, which are records of `ceilings`.

    Attention is followed by that of torch, where torch has a CUDA device.
    """
    other = fused_attention()
    for work in workloads:
        for dtype in dtypes:
            rng = np.random.default_rng(seed)
            arrays = [cupy.asarray(np.abs(rng.standard_normal(s, dtype=dtype)))
                      for s in work.shapes]
            op = load()[work.like]
            calls = {work.like: lambda op=op, arrays=arrays, work=work: op(
                *arrays, **work.options, backend="cupy")}
            if other is not None and work.like == "attention.softmax_attention":
                calls["torch: scaled_dot_product_attention"] = other(arrays)
            for name, call in calls.items():
                yield _record(cupy, name, call, work, dtype, limits)


def _record(cupy, name, call, work, dtype, limits):
    result = call()
    results = sum(y.nbytes for y in (result if isinstance(result, tuple) else [result]))
    moved, seconds = work.bytes(np.dtype(dtype).itemsize, results), _seconds(cupy, call)
    product, copy = (next(r[unit] for r in limits if (r["op"], r["dtype"]) == (what, dtype))
                     for what, unit in (("product", "tflops"), ("copy", "gb_per_second")))
    least, by = bound(work.flops, moved, 1e12 * (product or 0), 1e9 * (copy or 0))
    return {"op": name, "shapes": [list(s) for s in work.shapes], "dtype": dtype,
            **_rates(seconds, work.flops, moved),
            "fraction": least / seconds if seconds > 0 else None, "bound": by}


def bound(flops, moved, flops_per_second, bytes_per_second):
    """The least time of a call in seconds, and what it is bound by: its product or its copy."""
    times = {name: count / rate if rate > 0 else 0.0 for name, count, rate in (
        ("product", flops, flops_per_second), ("copy", moved, bytes_per_second))}
    by = max(times, key=lambda name: times[name])
    return times[by], by


def fused_attention():
    """A function from CuPy arrays Q, K, V to a call of torch on the same memory and stream.

    It is None where torch is not installed or has no CUDA device.
    """
    if importlib.util.find_spec("torch") is None:
        return None
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        return None

    def of_arrays(arrays):
        given = [torch.from_dlpack(a) for a in arrays]
        return lambda: torch.nn.functional.scaled_dot_product_attention(*given)
    return of_arrays


def ceilings(cupy, dtypes=("float32", "float64"), size=4096):
    """Records of a product of two matrices and of a copy, which a rate can be compared with."""
    for dtype in dtypes:
        a = cupy.ones((size, size), dtype=dtype)
        b = cupy.zeros((size, size), dtype=dtype)
        for name, call, flops, moved in (
                ("product", lambda a=a, b=b: cupy.matmul(a, b), 2.0 * size**3, 3 * a.nbytes),
                ("copy", lambda a=a, b=b: cupy.copyto(b, a), 0.0, 2 * a.nbytes)):
            call()
            yield {"op": name, "shapes": [[size, size]], "dtype": dtype,
                   **_rates(_seconds(cupy, call), flops, moved)}


def _seconds(cupy, call):
    """The median time of a call on the device."""
    times = []
    for _ in range(REPEATS):
        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(cupy.cuda.get_elapsed_time(start, end) / 1e3)
    return statistics.median(times)


def _rates(seconds, flops, moved):
    """Rates; None for what a time of 0 does not give."""
    def rate(count, unit):
        return count / seconds / unit if seconds > 0 else None
    return {"milliseconds": seconds * 1e3, "tflops": rate(flops, 1e12),
            "gb_per_second": rate(moved, 1e9)}


def _finite(number):
    """A number that JSON holds; None for an infinity or NaN."""
    return number if math.isfinite(number) else None
