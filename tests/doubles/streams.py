"""Streams, events, pinned memory and devices of the substitute for CuPy: is every use ordered?

The work of a stream is done when it is given to it, but what it may do at the same time as other
work is derived from the events alone, by vector clocks: a clock holds, for the host and for each
stream, how much of their work is known to be done.  Two uses of the same memory, of which one
writes, must be ordered, whatever the times that they take; those that are not are ``faults``.
Memory that is freed must not be in use by another stream than that of its allocation, which takes
it again without waiting.  Nothing is followed before the first stream is made.
"""
import itertools
import weakref

import numpy as np

__all__ = ["Device", "Event", "Pinned", "Stream", "concurrent", "count", "current_device",
           "current_stream", "device_of", "empty_pinned", "faults", "follow", "following", "log",
           "memory_of", "placed", "require_here", "reset"]

HOST = "the host"
log, faults = [], []            # entries of `Entry`; sentences
_clocks, _uses, _homes, _streams = {}, {}, {}, {}
_devices = [0]                  # the current one is the last
_numbers = itertools.count(1)


def reset(devices=1):
    """Forget all work and streams, and have this number of devices; several are followed at once.
    """
    for kept in (log, faults, _clocks, _uses, _homes):
        kept.clear()
    _streams.clear()
    _streams.update({n: [Stream(null=True, device=n)] for n in range(devices)})
    _devices[:] = [0]
    if devices > 1:
        _clocks[HOST] = {}


def count():
    return len(_streams)


class Device:
    def __init__(self, device=None):
        self.id = _devices[-1] if device is None else int(device)

    def __enter__(self):
        _devices.append(self.id)
        return self

    def __exit__(self, *error):
        _devices.pop()

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self):
        return self.id

    def __repr__(self):
        return f"<CUDA Device {self.id}>"


def current_device():
    return _devices[-1]


class Stream:
    """A queue of work.  The null stream of a device and its blocking streams wait for each other.
    """

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None, *, device=None):
        self.device_id = _devices[-1] if device is None else device
        self.non_blocking, self.null = non_blocking, null
        self.name = f"the null stream of device {self.device_id}" if null \
            else f"stream {next(_numbers)} of device {self.device_id}"
        if not null:
            _streams[self.device_id].append(self)
            _clocks.setdefault(HOST, {})

    def __enter__(self):
        _current.setdefault(self.device_id, []).append(self)
        return self

    def __exit__(self, *error):
        _current[self.device_id].pop()

    def record(self, event=None):
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        self.require_device()
        _join(self.name, event.clock)

    def require_device(self):
        """The null stream of CUDA is that of the current device."""
        if self.null and self.device_id != _devices[-1]:
            raise RuntimeError(f"{self.name} is used on device {_devices[-1]}")

    def begin(self):
        """The clock of the next work of this stream, which counts it."""
        others = [s for s in _streams[self.device_id]
                  if s.null != self.null and not (s.non_blocking or self.non_blocking)]
        for known in (HOST, *(s.name for s in others)):
            _join(self.name, _clocks.get(known, {}))
        clock = _clocks[self.name]
        clock[self.name] = clock.get(self.name, 0) + 1
        return dict(clock)


_current = {}
reset()


def current_stream():
    device = _devices[-1]
    return (_current.get(device) or _streams[device])[-1 if _current.get(device) else 0]


class Event:
    """A point of a stream, for which other streams and the host can wait."""

    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self.clock, self.device = {}, _devices[-1]

    def record(self, stream=None):
        stream = current_stream() if stream is None else stream
        stream.require_device()
        if stream.device_id != self.device:
            raise RuntimeError(f"an event of device {self.device} is recorded on {stream.name}")
        self.clock = dict(_clocks.get(stream.name, {}))

    def synchronize(self):
        _join(HOST, self.clock)


def _join(name, clock):
    own = _clocks.setdefault(name, {})
    for other, ticks in clock.items():
        own[other] = max(own.get(other, 0), ticks)


# ---- uses of memory -----------------------------------------------------------------------------

class Entry:
    """Work that was followed: what it is, its stream, its clock, the memory read and written."""

    def __init__(self, what, stream, clock, read, written):
        self.what, self.stream, self.clock, self.read, self.written = (
            what, stream, clock, read, written)


def concurrent(a, b):
    """Whether neither of two entries is known to be done when the other begins."""
    return b.clock.get(a.stream, 0) < a.clock[a.stream] \
        and a.clock.get(b.stream, 0) < b.clock[b.stream]


class _Uses:
    """A number of some memory, the stream that takes it when it is freed, its last write, and the
    reads since, each as (stream, ticks, what)."""

    def __init__(self, home):
        self.number, self.home, self.write, self.reads = next(_numbers), home, None, {}


def memory_of(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def following():
    return HOST in _clocks


def follow(what, reads=(), writes=(), stream=None):
    """Note work on arrays of the host memory behind arrays of the device, or behind pinned ones."""
    if not following():
        return
    stream = current_stream() if stream is None else stream
    _note(what, stream.name, stream.begin(), reads, writes, stream)


def follow_host(what, writes):
    if following():
        clock = _clocks[HOST]
        clock[HOST] = clock.get(HOST, 0) + 1
        _note(what, HOST, dict(clock), (), writes, None)


def _note(what, name, clock, reads, writes, stream):
    reads, writes = ([memory_of(a) for a in arrays if isinstance(a, np.ndarray)]
                     for arrays in (reads, writes))
    reads, writes = ([_uses_of(m, stream) for m in memories] for memories in (reads, writes))
    log.append(Entry(what, name, clock, {u.number for u in reads}, {u.number for u in writes}))
    for uses in reads:
        _require_done(clock, name, f"{what} reads", uses.write)
        uses.reads[name] = (name, clock[name], f"{what} reads")
    for uses in writes:
        for use in (uses.write, *uses.reads.values()):
            _require_done(clock, name, f"{what} writes", use)
        uses.write, uses.reads = (name, clock[name], f"{what} writes"), {}


def _uses_of(memory, stream):
    if id(memory) not in _uses:
        here = stream is None or stream.device_id == device_of(memory)
        _uses[id(memory)] = _Uses(stream if here else _streams[device_of(memory)][0])
        weakref.finalize(memory, _freed, id(memory))
    return _uses[id(memory)]


def _require_done(clock, name, doing, use):
    if use is not None and clock.get(use[0], 0) < use[1]:
        faults.append(f"{doing} on {name} what {use[2]} on {use[0]}, without an order")


def _freed(number):
    """Freed memory is given to later work of its stream, and pinned memory to the host."""
    uses = _uses.pop(number, None)
    if uses is None or not following():
        return
    home = HOST if uses.home is None else uses.home.name
    clock = dict(_clocks.get(home, {}))
    for other, ticks in _clocks[HOST].items():
        clock[other] = max(clock.get(other, 0), ticks)
    for use in (uses.write, *uses.reads.values()):
        if use is not None and use[0] != home and clock.get(use[0], 0) < use[1]:
            faults.append(f"memory of {home} is freed while {use[2]} it on {use[0]}")


# ---- where arrays are ---------------------------------------------------------------------------

def placed(array):
    """Note that new memory is on the current device."""
    if _devices[-1] and id(array) not in _homes:
        _homes[id(array)] = _devices[-1]
        weakref.finalize(array, _homes.pop, id(array), None)


def device_of(array):
    return _homes.get(id(memory_of(array)), 0)


def require_here(arrays):
    """CuPy reads an array of another device only where the devices allow it; here none does."""
    if _homes or _devices[-1]:
        for array in arrays:
            if array.size and device_of(array) != _devices[-1]:
                raise ValueError(f"an array of device {device_of(array)} is used on device "
                                 f"{_devices[-1]}")


class Pinned(np.ndarray):
    """Pinned host memory, whose copies to a device are asynchronous."""

    def __setitem__(self, key, value):
        follow_host("filling a buffer", [self])
        super().__setitem__(key, value)


def empty_pinned(shape, dtype=float, order="C"):
    return np.zeros(shape, dtype, order).view(Pinned)
