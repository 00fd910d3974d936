"""Timings of operations, without validation of arguments and compilation of kernels."""
import importlib.util

import numpy as np

from benchmarks.growth import prepared
from hopref.dispatch.operation import load

__all__ = ["PATHS"]

PATHS = ["formula", "numba", "numba float32"]


class _Timed:
    """Seconds of ``op`` on ``arguments(*sizes)``, by path, the last parameter.

    asv passes over names with an underscore, not over their heirs.
    """
    version, options = "1", {}

    def setup(self, *parameters):
        *sizes, path = parameters
        self.step = on_path(self.op, path, self.arguments(*sizes), self.options)

    def time_call(self, *parameters):
        self.step()


def on_path(name, path, args, options):
    """The operation on this path, called once; skipped where there is no such path."""
    backend, _, single = path.partition(" ")
    known = backend in load()[name].paths
    if not known or backend == "numba" and importlib.util.find_spec("numba") is None:
        skip(f"{name} has no {backend} path here")
    if single:
        args = [a.astype(np.float32) for a in args]
    step = prepared(name, *args, **options, backend=backend)
    step()
    return step


def skip(why):
    """Report to asv that there is nothing to measure."""
    from asv_runner.benchmarks.mark import SkipNotImplemented
    raise SkipNotImplemented(why)
