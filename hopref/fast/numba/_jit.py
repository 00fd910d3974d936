"""How every kernel is compiled: the one place that calls numba.

* ``nogil``: a kernel holds no lock, starts no thread and keeps no state, so threads may share it.
* ``error_model="numpy"``: a division by zero is an inf or a NaN, as in the formula.
* ``cache``: compiled code is kept where numba keeps it (beside the file, else in the user's cache
  directory; ``NUMBA_CACHE_DIR`` moves it). Where nothing can be written, every process compiles.
  numba watches only a kernel's own file, not those of the helpers compiled into it: SOURCES, a
  digest of all files here, is part of every kernel's name in the cache.
* ``fastmath`` is off. ``CONTRACT`` lets a leaf function fuse a product into the sum that takes it,
  ``REORDER`` also lets it sum in vector lanes; neither changes what happens to an inf or a NaN.
"""
import hashlib
from pathlib import Path

import numba
from numba.extending import overload

CONTRACT = {"contract"}
REORDER = {"contract", "reassoc", "nsz"}

FILES = sorted(Path(__file__).parent.glob("*.py"))
SOURCES = hashlib.sha256(b"".join(file.read_bytes() for file in FILES)).hexdigest()[:16]


def njit(function=None, /, **options):
    """``numba.njit`` with the options above."""
    if function is None:
        return lambda function: njit(function, **options)
    function.__qualname__ = f"{function.__name__}_{SOURCES}"
    options = {"nogil": True, "error_model": "numpy", **options}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:                       # numba found no directory it may write to
        return numba.njit(**options)(function)


def by_precision(single, double):
    """One function for both precisions: the compiler takes the one its argument asks for."""
    def chosen(x):
        return single(x) if x.dtype.itemsize == 4 else double(x)

    @overload(chosen)
    def choose(x):
        function = single if x == numba.float32 else double
        return lambda x: function(x)

    return chosen
