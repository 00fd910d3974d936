"""Measures of one call: traced and resident peak memory, and seconds of the processor.

* The traced peak is that of tracemalloc, which sees what Python and NumPy allocate, also arrays
  that are dropped before the call returns.  It repeats exactly, or nearly so.
* The resident peak is that of the process, and includes the allocations of any library.  It is read
  from Linux, and precise to about a mebibyte.

Both are without the arguments, which exist before the call.  Only NumPy and the standard library
are imported here: the benchmarks load this file by its path.
"""
import ctypes
import gc
import re
import time
import tracemalloc
from pathlib import Path

__all__ = ["finished", "peak", "resident_peak", "seconds"]

SELF = Path("/proc/self")
LEAST = 0.002           # seconds of one reading of the clock: shorter calls are repeated


def peak(call):
    """Peak bytes of the second call, beyond those allocated before it; caches are then filled."""
    call()
    return traced(call)


def traced(call):
    """Peak bytes that tracemalloc sees during a call, beyond those allocated before it."""
    outer = tracemalloc.is_tracing()
    if not outer:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not outer:
            tracemalloc.stop()


def resident_peak(call):
    """Peak resident bytes during a call beyond those before it; None where this is unknown."""
    gc.collect()
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
    """The result of a call, once libraries that return before it exists have computed it."""
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
