"""Time and memory of operations, without validation of arguments and compilation of kernels."""
import importlib.util
from time import process_time

import numpy as np

from benchmarks.growth import in_format, peak_bytes, prepared
from hopref.dispatch.operation import load

__all__ = ["PATHS"]

PATHS = ["formula", "numba", "numba float32"]


class _Timed:
    """Seconds and peak bytes of ``op`` on ``arguments(*sizes)``, by path, the last parameter.

    Seconds are those of the processor: the clock stands while other programs run.  asv passes over
    names with an underscore, not over their heirs.  It calls ``setup`` before every single call;
    the arguments are prepared once, so that many calls are measured, on the same arrays.
    """
    version, options, timer = "2", {}, process_time
    repeat, prepared_for = (5, 100, 1.0), None      # calls: at least, at most, seconds in all

    def setup(self, *parameters):
        if self.prepared_for != parameters:
            *sizes, path = parameters
            self.step = on_path(self.op, path, self.arguments(*sizes), self.options)
            self.prepared_for = parameters

    def time_call(self, *parameters):
        self.step()

    def track_peak(self, *parameters):
        return peak_bytes(self.step)
    track_peak.unit, track_peak.version = "bytes", "1"


def simd_extensions():
    """The vector extensions of the processor that NumPy has found."""
    return np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])


def on_path(name, path, args, options):
    """The operation on this path, called once; skipped where there is no such path."""
    backend, _, single = path.partition(" ")
    require(name, backend)
    if single:
        args = in_format(args, np.float32)
    step = prepared(name, *args, **options, backend=backend)
    step()
    return step


def require(name, backend):
    """Report to asv that there is nothing to measure, unless the operation has this path here."""
    op = load().get(name)
    if op is None or backend not in op.paths \
            or backend == "numba" and importlib.util.find_spec("numba") is None:
        skip(f"{name} has no {backend} path here")


def skip(why):
    """Report to asv that there is nothing to measure."""
    from asv_runner.benchmarks.mark import SkipNotImplemented
    raise SkipNotImplemented(why)
