"""Measures of one call: traced and resident peak memory, and seconds of the processor.

* The traced peak is that of tracemalloc, which sees what Python and NumPy allocate, also arrays
  that are dropped before the call returns.  It repeats exactly, or nearly so.  What a first call
  keeps, such as a mask for this size in a cache, is measured apart.
* The resident peak is that of the process, and includes the allocations of any library.  It is read
  from Linux, and precise to about a mebibyte.

Both are without the arguments, which exist before the call.  Only NumPy and the standard library
are imported here: the benchmarks load this file by its path.
"""
import ctypes
import re
import time
import tracemalloc
from pathlib import Path

__all__ = ["finished", "kept", "peak", "resident_peak", "seconds", "traced"]

SELF = Path("/proc/self")
LEAST = 0.002           # seconds of one reading of the clock: shorter calls are repeated


def peak(call):
    """Peak bytes of the second call, beyond those allocated before it; caches are then filled."""
    call()
    return traced(call)


def traced(call):
    """Peak bytes that tracemalloc sees during a call, beyond those allocated before it."""
    return _growth(call)[1]


def kept(call):
    """Bytes that tracemalloc sees after a call, when its result is dropped, and not before it."""
    return max(0, _growth(call)[0])


def _growth(call):
    """Bytes after a call and at its peak, beyond those before it."""
    outer = tracemalloc.is_tracing()
    if not outer:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tuple(n - before for n in tracemalloc.get_traced_memory())
    finally:
        if not outer:
            tracemalloc.stop()


def resident_peak(call):
    """Peak resident bytes during a call beyond those before it; None where this is unknown."""
    _return_free_memory()
    try:
        (SELF / "clear_refs").write_text("5")           # the peak is now the present size
        before = _status("VmRSS")
        call()
        return max(0, _status("VmHWM") - before)
    except (OSError, TypeError):
        return None


def seconds(call):
    """Seconds of the processor that one call takes, by one reading of at least `LEAST`."""
    repeats = 1
    while True:
        began = time.process_time()
        for _ in range(repeats):
            call()
        took = time.process_time() - began
        if took >= LEAST or repeats >= 2**16:
            return took / repeats
        repeats *= 2 if took > LEAST / 8 else 8


def finished(result):
    """The result of a call, once libraries that return before it exists have computed it.

    TypeError if it is a generator or a coroutine, which have not computed it.
    """
    if hasattr(result, "__next__") or hasattr(result, "__await__"):
        getattr(result, "close", bool)()
        raise TypeError(f"the function must return its result; got a {type(result).__name__}")
    for part in result if isinstance(result, (tuple, list)) else [result]:
        if hasattr(part, "block_until_ready"):
            part.block_until_ready()
    return result


def _status(name):
    """A number of bytes in the status of this process; TypeError if there is none."""
    found = re.search(rf"^{name}:\s+(\d+) kB", (SELF / "status").read_text(), re.M)
    return 1024 * int(found[1])


def _return_free_memory():
    """Return freed memory to the system, where the C library is that of GNU."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        pass
