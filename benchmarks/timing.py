"""What the timings share: the door is entered and the kernel compiled before the clock runs."""
import importlib.util

import numpy as np
from asv_runner.benchmarks.mark import SkipNotImplemented

from hopref.dispatch.operation import load, unchecked

__all__ = ["PATHS", "admitted"]

PATHS = ["formula", "numba", "numba float32"]


def admitted(name, path, args, **kwargs):
    """The operation with its arguments admitted, on this path; skipped where there is none."""
    op, (backend, _, single) = load()[name], path.partition(" ")
    if backend not in op.paths or backend == "numba" and importlib.util.find_spec("numba") is None:
        raise SkipNotImplemented(f"{name} has no {backend} path here")
    if single:
        args = [a.astype(np.float32) for a in args]
    call = op.prepare(*args, **kwargs, backend=backend)

    def step():
        with unchecked():
            return call.path(*call.args, **call.kwargs)

    step()
    return step
