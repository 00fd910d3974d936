"""Global and shared memory of a launch: bounds, uninitialised reads, and data races.

An access is ordered before another of the same block if a barrier of the block lies between them,
or, within a warp, a chain of `bar.warp.sync`: the vector clock of the later thread then includes
the clock of the earlier one.  Accesses of different blocks are never ordered.  Every pair of
accesses that are not ordered is found, whatever the order in which the interpreter ran them.
"""
import bisect
from typing import NamedTuple

import numpy as np

from tests.gpu.ptx.errors import Fault

__all__ = ["Region", "Space", "Clock", "spaced"]

GRANULE = 4                     # bytes of the smallest access, but to an array of smaller elements
CLOCKS = 2**20                  # more than the time of a warp within an epoch
GAP = 256                       # bytes between regions, so that an index beyond one is in none


class Clock(NamedTuple):
    """Time of a block: barriers passed since the launch, those at its start, clocks of warps.

    ``known[t, lane]`` is the latest clock of a lane of its warp that thread t is ordered after.
    """
    epoch: int
    begin: int
    known: np.ndarray

    def own(self, threads):
        return self.known[threads, threads % 32]

    def after(self, threads, others, epochs, clocks):
        """Whether accesses of ``others``, at these times, are ordered before ``threads`` now."""
        same_warp = threads // 32 == others // 32
        return (threads == others) | (epochs < self.epoch) \
            | same_warp & (self.known[threads, others % 32] >= clocks)


class Region:
    """An array or a variable, with the history of each of its granules: four bytes, or an element.

    ``item`` is the size of an element where only accesses of that size are allowed; ``between``
    says whether different blocks access the same memory.
    """

    def __init__(self, name, memory, base, threads, *, item=None, between=True, initialised=True):
        self.name, self.bytes, self.base, self.item = name, memory, base, item
        self.granule = min(item or GRANULE, GRANULE)
        self.words = memory.view(f"u{self.granule}")
        count = len(self.words)
        self.between = between
        self.initialised = np.full(count, initialised)
        self.constant = np.zeros(count, bool)                  # read by ld.global.nc
        self.written = np.zeros(count, bool)
        self.pristine = initialised         # whether all is initialised, and nothing was written
        self.writer = np.zeros((3, count), np.int64)           # epoch, thread, clock of the last
        self.readers = np.zeros((count, threads), np.int64)    # epoch * CLOCKS + clock of each
        self.last_read = np.zeros(count, np.int64)             # the epoch
        self.reading_block = np.zeros(count, np.int64)         # begin of one, -1 for several

    def forget(self):
        """Make the contents uninitialised, as at the start of a block."""
        self.initialised[:] = self.pristine = False
        self.bytes[:] = 0xff

    def read(self, at, threads, clock, constant):
        """Record reads of the granules ``at``; return (kind, thread index) of a fault, or None."""
        if not self.pristine:
            if not self.initialised[at].all():
                return "uninitialised read", np.argmin(self.initialised[at])
            if constant and self.written[at].any():
                return "ld.global.nc of written memory", np.argmax(self.written[at])
            race = self._races_with_writer(at, threads, clock)
            if race.any():
                return "data race, read after write", np.argmax(race)
        if constant:
            self.constant[at] = True            # whatever writes there is a fault
            return None
        self.readers[at, threads] = np.int64(clock.epoch) * CLOCKS + clock.own(threads)
        self.last_read[at] = clock.epoch
        if self.between:
            before = self.reading_block[at]
            self.reading_block[at] = np.where((before == 0) | (before == clock.begin), clock.begin,
                                              -1)
        return None

    def write(self, at, threads, clock):
        """Record writes of the granules ``at``; return (kind, thread index) of a fault, or None."""
        if self.constant[at].any():
            return "ld.global.nc of written memory", np.argmax(self.constant[at])
        if len(np.unique(at)) < len(at):
            return "data race, two threads write at once", 0
        race = self._races_with_writer(at, threads, clock)
        if race.any():
            return "data race, write after write", np.argmax(race)
        race = self._races_with_readers(at, threads, clock)
        if race.any():
            return "data race, write after read", np.argmax(race)
        self.writer[0, at] = clock.epoch
        self.writer[1:, at] = threads, clock.own(threads)
        self.initialised[at] = self.written[at] = True
        self.pristine = False
        return None

    def _races_with_writer(self, at, threads, clock):
        epochs = self.writer[0, at]
        suspected = epochs == clock.epoch
        if self.between:
            suspected |= (epochs > 0) & (epochs < clock.begin)
        if not suspected.any():
            return suspected
        _, writers, clocks = self.writer[:, at]
        within = ~clock.after(threads, writers, epochs, clocks)
        return (epochs > 0) & (within | self.between & (epochs < clock.begin))

    def _races_with_readers(self, at, threads, clock):
        race = self.last_read[at] == clock.epoch
        if race.any():
            epochs, clocks = np.divmod(self.readers[at[race]], CLOCKS)
            others = np.arange(epochs.shape[1])
            within = (epochs > 0) & ~clock.after(threads[race, None], others, epochs, clocks)
            race[race] = within.any(axis=1)
        if self.between:
            race |= (self.reading_block[at] != 0) & (self.reading_block[at] != clock.begin)
        return race


class Space:
    """Regions that share a range of addresses; accesses name the fault and the thread."""

    def __init__(self, regions):
        self.regions = sorted(regions, key=lambda region: region.base)
        self.bases = [region.base for region in self.regions]

    def load(self, addresses, kind, threads, clock, constant=False):
        """Values of a type at the addresses, one for each of the threads."""
        values = np.empty(len(addresses), kind)
        for region, which, at in self._located(addresses, values.itemsize, threads):
            words = values.view(region.words.dtype).reshape(len(addresses), -1)
            for k in range(words.shape[1]):
                _check(region, region.read(at + k, threads[which], clock, constant),
                       threads[which])
                words[which, k] = region.words[at + k]
        return values

    def store(self, addresses, values, threads, clock):
        for region, which, at in self._located(addresses, values.itemsize, threads):
            words = np.ascontiguousarray(values).view(region.words.dtype).reshape(
                len(addresses), -1)
            for k in range(words.shape[1]):
                _check(region, region.write(at + k, threads[which], clock), threads[which])
                region.words[at + k] = words[which, k]

    def _located(self, addresses, size, threads):
        """Triples (region, which of the threads, granules) of the regions that are accessed."""
        first, last = (bisect.bisect(self.bases, int(a)) - 1 for a in (
            addresses.min(), addresses.max()))
        numbers = None if first == last else np.searchsorted(
            np.array(self.bases, np.uint64), addresses, "right") - 1
        for number in [first] if numbers is None else np.unique(numbers):
            which = slice(None) if numbers is None else np.flatnonzero(numbers == number)
            if number < 0:
                raise Fault("out of bounds", "address below all arrays", threads[which][0])
            region = self.regions[number]
            offsets = (addresses[which] - np.uint64(region.base)).view(np.int64)
            if np.bitwise_or.reduce(offsets) & (size - 1) or region.item not in (None, size):
                raise Fault("wrong width", f"{size} bytes of {region.name}", threads[which][0])
            if offsets.max() + size > len(region.bytes):
                first = np.argmax(offsets + size > len(region.bytes))
                raise Fault("out of bounds", f"byte {offsets[first]} of {region.name}, which has "
                            f"{len(region.bytes)} bytes", threads[which][first])
            yield region, which, offsets >> region.granule.bit_length() - 1


def _check(region, found, threads):
    if found is not None:
        kind, which = found
        raise Fault(kind, region.name, threads[which])


def spaced(sizes, start):
    """Addresses of variables of these sizes, with gaps between them."""
    bases = []
    for size in sizes:
        bases.append(start)
        start += -(-size // GAP) * GAP + GAP
    return bases
