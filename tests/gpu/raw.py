"""`cupy.RawModule` without a GPU: NVRTC compiles the source, and the interpreter runs its PTX.

Unlike CuPy, which passes what it is given, a launch requires arguments of exactly the C types of
the kernel.  It is repeated in every order of ``ORDERS``, and its results must have equal bits.
"""
import functools
import re

import numpy as np

from tests.doubles import cupy, streams
from tests.gpu import nvrtc
from tests.gpu.ptx.launch import launch
from tests.gpu.ptx.parse import parse

__all__ = ["CHECKED", "ORDERS", "RawModule"]

ORDERS = [("together", "ascending")]                # of threads and of blocks
CHECKED = False                                     # whether a `CHECK` of a source traps
_TYPES = {"float16": np.float16, "float": np.float32, "double": np.float64, "size": np.uint64,
          "truth": np.bool_, "site": np.int64}


class RawModule:
    """The kernels of a source, compiled when the first is asked for."""

    def __init__(self, *, code, options=()):
        self.code, self.options = code, (*options, *["-DCHECKED"] * CHECKED)

    def get_function(self, name):
        return RawKernel(self.code, self.options, name)


class RawKernel:
    def __init__(self, code, options, name):
        ptx = nvrtc.to_ptx(code, options, name="kernel.cu")
        self.name, self.kernel = name, _parsed(ptx)[name]
        types = dict(re.findall(r"-D(\w+)=(\w+)", " ".join(options)))
        real = types.get("REAL", "double")
        stored = types.get("STORED", real)
        self.parameters = _parameters(code, name, real=_TYPES[real], stored=_type(stored))

    def __call__(self, grid, block, args, *, shared_mem=0):
        if len(args) != len(self.parameters):
            raise TypeError(f"{self.name} takes {len(self.parameters)} arguments; got {len(args)}")
        given = [parameter.taken(a) for parameter, a in zip(self.parameters, args)]
        written = [a for parameter, a in zip(self.parameters, given) if parameter.written]
        cupy.stats.launches += 1
        streams.follow(self.name, [a for a in given if isinstance(a, np.ndarray)], written)
        before, results = [a.copy() for a in written], set()
        for order, blocks in ORDERS:
            for array, start in zip(written, before):
                array[...] = start
            launch(self.kernel, grid, block, given, shared_bytes=shared_mem, order=order,
                   blocks=blocks)
            results.add(b"".join(a.tobytes() for a in written))
        if len(results) > 1:
            raise AssertionError(f"{self.name}: the bits depend on the order of threads or blocks")


@functools.lru_cache(maxsize=64)
def _parsed(ptx):
    """The kernels of a text, which are the same objects whenever it is compiled again."""
    return parse(ptx)


class Parameter:
    """A parameter of a kernel in C."""

    def __init__(self, name, kind, pointer, written):
        self.name, self.kind, self.pointer, self.written = name, np.dtype(kind), pointer, written

    def taken(self, given):
        """The argument in the memory of the host; TypeError where C would misread it."""
        if self.pointer != isinstance(given, cupy.ndarray) or \
                not isinstance(given, cupy.ndarray | np.generic) or given.dtype != self.kind:
            raise TypeError(f"{self.name} must be {'an array' if self.pointer else 'a scalar'} of "
                            f"{self.kind}; got {type(given).__name__} "
                            f"{getattr(given, 'dtype', '')}")
        return cupy.unwrap(given)


def _type(name):
    """The type of a name in C; `ml_dtypes` is imported for bfloat16 alone."""
    if name == "bfloat16":
        from ml_dtypes import bfloat16
        return bfloat16
    return _TYPES[name]


def _parameters(code, name, **types):
    """The parameters of a kernel, from its declaration in the source."""
    declared = re.search(rf"__global__[^(]*(?:\([^)]*\)\s*)?\b{name}\(([^)]*)\)", code)[1]
    found = []
    for text in declared.split(","):
        *words, parameter = text.replace("*", " * ").split()
        kind = next(word for word in words if word not in ("const", "*", "__restrict__"))
        found.append(Parameter(parameter, (_TYPES | types)[kind], "*" in words,
                               "*" in words and "const" not in words))
    return found
