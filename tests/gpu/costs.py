"""The table of launches and memory of the paths on CuPy arrays, as in docs/gpu.md.

``python -m tests.gpu.costs`` prints it.  The counts are those of the substitute for CuPy.
"""
import contextlib
import gc

import numpy as np

from hopref.dispatch.operation import load
from hopref.fast.cupy import PATHS
from tests.doubles import cupy as double
from tests.gpu import raw

__all__ = ["BEGIN", "END", "SIZES", "table"]

SIZES = {"...": 20, "l": 256, "s": 256, "n": 256, "d": 8, "v": 8, "r": 8, "m": 16, "k": 2, "lm": 16,
         "2m": 32, "e": 1024}
OPTIONS = {"k": 3, "width": 3}                  # of the operations that require one
BEGIN, END = "<!-- begin of the table -->", "<!-- end of the table -->"
HEAD = ["| operation | formula: launches | KiB | path: launches | KiB |", "|---|---|---|---|---|"]


def arguments(op):
    """Positive float32 arrays of the sizes above, on the device, and the required options."""
    rng = np.random.default_rng(0)
    given = [double.asarray(drawn(op, k, rng, least=0.5)) for k in op.operands
             if k not in op.defaults]
    required = op.modifiers - op.defaults.keys()
    options = {k: v for k, v in OPTIONS.items() if k in required}
    for k in required & op.arrays.keys():
        options[k] = double.asarray(drawn(op, k, rng))
    return given, options


def drawn(op, k, rng, least=0.0):
    """Numbers from ``least`` to 1 more, or indices of components."""
    sizes = SIZES | {"r": SIZES["m"]} if "omega" in op.arrays else SIZES    # one for each feature
    shape = [sizes[dim] for dim in op.arrays[k]]
    if k in op.domains and op.domains[k].kind == "integer":
        return rng.integers(SIZES["d"], size=shape)
    return rng.random(shape, np.float32) + np.float32(least)


def cost(op, backend):
    """The launches of a call, and the KiB that it takes beyond its arguments."""
    given, options = arguments(op)
    gc.collect()                    # so that nothing of an earlier call is freed during this one
    double.stats.reset()
    result = op(*given, **options, backend=backend)
    assert double.stats.quiet, (op.name, backend, double.stats)
    del result
    return double.stats.launches, double.stats.grown / 1024


def row(op):
    cells = [f"{launches} | {float(f'{kib:.2g}'):.0f}" for launches, kib in (
        cost(op, "formula"), cost(op, "cupy"))]
    return f"| `{op.name}` | {' | '.join(cells)} |"


@contextlib.contextmanager
def counted_alone():
    """Kernels are counted, and their arguments looked at; they do not run, which would take long.
    """
    kept, raw.launch = raw.launch, lambda *args, **kwargs: None
    try:
        yield
    finally:
        raw.launch = kept


def table(step=1):
    """The lines of the table, with two digits of the memory; of the operations each ``step``-th."""
    names = [f"{module}.{function}" for module, functions in PATHS.items()
             for function in functions]
    with double.installed(), counted_alone():
        return [*HEAD, *(row(load()[name]) for name in names[::step])]


if __name__ == "__main__":
    print("\n".join(table()))
