"""Options with which every kernel is compiled.

* ``nogil``: kernels hold no lock, start no thread and have no state, so that threads may share
  them.
* ``error_model="numpy"``: a division by zero gives inf or NaN, as in the formula.
* ``cache``: numba stores compiled code next to the file, or in the user's cache directory, or in
  ``NUMBA_CACHE_DIR``. If no directory is writeable, every process compiles. numba checks only the
  file of a kernel, not those of the functions that it calls; therefore SOURCES, a digest of all
  files of this package, is part of the name of every kernel in the cache.
* ``fastmath`` is off. ``CONTRACT`` allows a function to fuse products into sums, and ``REORDER``
  also to sum in vector lanes; neither affects inf and NaN. ``NO_NAN`` allows minima in vector
  lanes, in functions that receive no NaN.
"""
import hashlib
from pathlib import Path

import numba

CONTRACT = {"contract"}
REORDER = {"contract", "reassoc", "nsz"}
NO_NAN = {"nnan", "nsz"}

FILES = sorted(Path(__file__).parent.rglob("*.py"))
SOURCES = hashlib.sha256(b"".join(file.read_bytes() for file in FILES)).hexdigest()[:16]


def njit(function=None, /, **options):
    """``numba.njit`` with the options above."""
    if function is None:
        return lambda function: njit(function, **options)
    function.__qualname__ = f"{function.__name__}_{SOURCES}"
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, **options}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:                       # numba found no writeable directory
        return numba.njit(**options)(function)
