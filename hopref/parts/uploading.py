"""Chunks in host memory on CUDA devices, copied there while earlier chunks are processed.

A device has a stream for copies and two buffers of pinned memory, which are filled in turn.  While
a chunk is processed, the next one is copied, and the host fills the other buffer with the one after
it.  Events order three things: a buffer is filled after its last copy; a copy begins after the work
that was given to the device before, which may have used the same memory; and the current stream of
the device waits for the copy.
"""
import collections
import itertools
from collections.abc import Iterable

import numpy as np

from hopref.dispatch.namespace import on_host
from hopref.errors import CallError, DomainError, naming
from hopref.extras import require

__all__ = ["upload"]


def upload(chunks, /, *, devices=None):
    """Copy chunks to a device, or to several, while earlier chunks are processed.

    Parameters
    ----------
    chunks : an iterable of arrays in host memory, such as `chunks_of` of a memory map
    devices : numbers of the devices, which take the chunks in turn; the current device by default

    Returns
    -------
    an iterator over CuPy arrays, of the dtypes of the chunks

    Notes
    -----
    A device holds the chunk that is processed, the one before it until its last reference is gone,
    and the next one.  Host memory is that of two chunks for each device, which is pinned, and of
    the chunk that is read.  The host waits for the last copy but one of a device, and at the end
    for the last.  Close the iterator if it is not exhausted.

    >>> import numpy as np
    >>> from hopref import modern, parts
    >>> def retrieved(states, file):                    # states are on the current device
    ...     X = np.load(file, mmap_mode="r")
    ...     chunks = parts.upload(parts.chunks_of(X, 2**20))
    ...     return parts.stream(modern.update, states, chunks, beta=8.0, backend="cupy")
    """
    cupy = require("cupy", extra="cuda12", caller="parts.upload")
    pinned = require("cupyx", extra="cuda12", caller="parts.upload").empty_pinned
    with naming("hopref.parts.upload"):
        if not isinstance(chunks, Iterable):
            raise CallError(f"chunks must be an iterable; got {type(chunks).__name__}")
        numbers = [cupy.cuda.Device().id] if devices is None else list(devices)
        count = cupy.cuda.runtime.getDeviceCount()
        if not numbers or len(set(numbers)) < len(numbers) or not set(numbers) <= {*range(count)}:
            raise DomainError(f"devices must be different numbers below {count}; got {devices!r}")
    return _uploaded(chunks, [_Queue(cupy, pinned, number) for number in numbers])


def _uploaded(chunks, queues):
    copies, turns = collections.deque(), itertools.cycle(queues)
    try:
        for chunk in chunks:
            copies.append(next(turns).copy(_in_host_memory(chunk)))
            if len(copies) > len(queues):
                yield _waited_for(*copies.popleft())
        while copies:
            yield _waited_for(*copies.popleft())
    finally:
        for queue in queues:
            queue.finish()


def _in_host_memory(chunk):
    if hasattr(chunk, "__dlpack_device__") and not on_host(chunk):
        raise CallError("hopref.parts.upload: chunks must be in host memory; got "
                        f"{type(chunk).__module__}.{type(chunk).__name__}.")
    return np.asarray(chunk)


def _waited_for(queue, array, copied):
    """The array, after whose copy the current stream of its device continues."""
    with queue.device:
        queue.cupy.cuda.get_current_stream().wait_event(copied)
    return array


class _Queue:
    """The stream of copies to a device, and two buffers."""

    def __init__(self, cupy, pinned, number):
        self.cupy, self.device = cupy, cupy.cuda.Device(number)
        with self.device:
            self.copying = cupy.cuda.Stream(non_blocking=True)
        self.buffers, self.copied = collections.deque([_Buffer(pinned), _Buffer(pinned)]), None

    def copy(self, chunk):
        """Begin a copy of a chunk: this queue, the array, and the event of the end of the copy."""
        cupy, buffer = self.cupy, self.buffers[0]
        self.buffers.rotate()
        with self.device:
            staged = buffer.filled(chunk)
            array = cupy.empty(chunk.shape, dtype=chunk.dtype)
            allocated = cupy.cuda.Event(disable_timing=True)
            allocated.record(cupy.cuda.get_current_stream())
            self.copying.wait_event(allocated)
            if chunk.size:
                array.set(staged, self.copying)
            self.copied = buffer.copied = cupy.cuda.Event(disable_timing=True)
            self.copied.record(self.copying)
        return self, array, self.copied

    def finish(self):
        """Wait for the last copy, after which the buffers can be freed."""
        if self.copied is not None:
            self.copied.synchronize()


class _Buffer:
    """Pinned memory, and the event of the end of the last copy from it."""

    def __init__(self, pinned):
        self.pinned, self.memory, self.copied = pinned, np.empty((0,), np.uint8), None

    def filled(self, chunk):
        """The chunk in pinned memory, which grows if it is too small."""
        if self.copied is not None:
            self.copied.synchronize()
        if self.memory.nbytes < chunk.nbytes:
            self.memory = self.pinned((chunk.nbytes,), np.uint8)
        staged = self.memory[:chunk.nbytes].view(chunk.dtype).reshape(chunk.shape)
        staged[...] = chunk
        return staged
