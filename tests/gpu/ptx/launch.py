"""A launch of a kernel: its arguments, its program, and its blocks one after the other."""
import functools
import math
import re

import numpy as np

from tests.gpu.ptx import scheduling
from tests.gpu.ptx.effects import effect_of, ends_segment, mask_of
from tests.gpu.ptx.errors import Fault, KernelError, Refused
from tests.gpu.ptx.memory import Clock, Region, Space, spaced
from tests.gpu.ptx.operations import TYPES, immediate
from tests.gpu.ptx.parse import SIZES

__all__ = ["launch"]

ARRAYS_APART = 2**40            # so that no index leads from one array into another
SHARED = 2**16


def launch(kernel, grid, block, arguments, *, shared_bytes=0, order="together", blocks="ascending",
           traffic=None):
    """Run a kernel on NumPy arrays and scalars; raise `KernelError` at its first fault.

    ``order`` is that of threads (see `scheduling`), and ``blocks`` that of blocks: "ascending",
    "descending" or the seed of a permutation.  A `Traffic` counts accesses to memory.
    """
    grid, block = ((*map(int, size), 1, 1)[:3] for size in (grid, block))
    if not 0 < math.prod(block) <= kernel.most_threads or math.prod(grid) < 1:
        raise Refused(f"{kernel.name}: a grid {grid} of blocks {block}; at most "
                      f"{kernel.most_threads} threads")
    run = _prepared(kernel, block, shared_bytes)
    run.start(grid, arguments, traffic)
    numbers = np.arange(math.prod(grid))
    if blocks != "ascending":
        numbers = numbers[::-1] if blocks == "descending" else \
            np.random.default_rng(blocks).permutation(numbers)
    with np.errstate(all="ignore"):
        for number in numbers:
            run.block(number, order)


@functools.lru_cache(maxsize=16)
def _prepared(kernel, block, shared_bytes):
    """The program is built once for launches of the same kernel with blocks of the same size."""
    return _Launch(kernel, block, shared_bytes)


class _Launch:
    """Registers and memory of the block that runs, and the program on them."""

    def __init__(self, kernel, block, shared_bytes):
        self.kernel = kernel
        self.threads = math.prod(block)
        self.everyone = np.arange(self.threads)
        self.registers = {name: np.empty(self.threads, bool if kind == "pred"
                                         else f"u{SIZES[kind]}")
                          for name, kind in kernel.registers.items()}
        self._place_threads(block)
        self._place_shared(shared_bytes)
        self.epoch, self.now, self.segments = 0, None, None

    def start(self, grid, arguments, traffic):
        """Forget all values, and take the arguments of a launch."""
        self.grid, self.traffic = grid, traffic
        for name in self.kernel.registers:
            register = self.registers[name]
            register[:] = ~register.dtype.type(0)       # NaN, until it is written
        for axis, count in zip("xyz", grid):
            self.registers[f"%nctaid.{axis}"][:] = count
        self.take(arguments)
        if self.segments is None:
            self.build()

    def _place_threads(self, block):
        position = np.unravel_index(self.everyone, block[::-1])[::-1]
        for axis, index, size in zip("xyz", position, block):
            for name, value in (("tid", index), ("ntid", size), ("nctaid", 0), ("ctaid", 0)):
                self.registers[f"%{name}.{axis}"] = np.full(self.threads, value, np.uint32)

    def _place_shared(self, shared_bytes):
        sizes = [shared_bytes if v.nbytes is None else v.nbytes for v in self.kernel.shared]
        self.symbols = dict(zip((v.name for v in self.kernel.shared), spaced(sizes, SHARED)))
        self.shared = Space([
            Region(name, np.zeros(size, np.uint8), base, self.threads, between=False)
            for (name, base), size in zip(self.symbols.items(), sizes)])

    # ---- arguments

    def take(self, arguments):
        """Pointers to arrays, and scalars of exactly the types of the parameters."""
        if len(arguments) != len(self.kernel.parameters):
            raise Refused(f"{self.kernel.name} takes {len(self.kernel.parameters)} arguments; got "
                          f"{len(arguments)}")
        self.parameters, regions = {}, {}
        for (name, kind), given in zip(self.kernel.parameters.items(), arguments):
            if isinstance(given, np.ndarray):
                given = self._pointer(name, kind, given, regions)
            wanted = np.dtype(TYPES[kind])
            if not isinstance(given, np.generic) or given.dtype.itemsize != wanted.itemsize \
                    or (given.dtype.kind == "f") != (wanted.kind == "f"):
                raise Refused(f"{name} of {self.kernel.name} is .{kind}; got "
                              f"{type(given).__name__}")
            self.parameters[name] = given.view(wanted)
        self.arrays = Space(regions.values())

    def _pointer(self, name, kind, array, regions):
        if kind != "u64" or not array.flags.c_contiguous:
            raise Refused(f"{name} of {self.kernel.name} is .{kind}; got an array, contiguous: "
                          f"{array.flags.c_contiguous}")
        memory = array.reshape(-1).view(np.uint8)
        for region in regions.values():
            if np.may_share_memory(region.bytes, memory) and \
                    region.bytes.ctypes.data != memory.ctypes.data:
                raise Refused(f"{name} of {self.kernel.name} overlaps {region.name}")
        key = memory.ctypes.data if memory.size else name
        if key not in regions:
            regions[key] = Region(name, memory, (len(regions) + 1) * ARRAYS_APART, self.threads,
                                  item=array.itemsize)
        return np.uint64(regions[key].base)

    # ---- the program

    def build(self):
        """Divide the instructions into segments that threads run without a change of place."""
        instructions = self.kernel.instructions
        starts = {0, len(instructions), *self.kernel.labels.values()}
        for number, each in enumerate(instructions):
            if ends_segment(each):
                starts.add(number + 1)
            if mask_of(each) is not None:
                starts.add(number)
        starts = sorted(starts)
        self.segment_at = {start: number for number, start in enumerate(starts)}
        self.segments = [[(each, effect_of(self, each)) for each in instructions[start:end]]
                         for start, end in zip(starts, starts[1:])]
        self.masks = [self._mask(mask_of(segment[0][0])) for segment in self.segments]
        self.last = {number for number, segment in enumerate(self.segments)
                     if number + 1 == len(self.segments) or segment[-1][0].name == "bra"}

    def _mask(self, text):
        """The lanes that must arrive together, of each thread: see `scheduling.Schedule`."""
        if text is None:
            return None
        mask = self.value(text, "b32")
        return scheduling.EVERY_LANE if not mask.ndim and mask == scheduling.ALL else \
            np.broadcast_to(mask, self.threads)

    def value(self, text, kind):
        """The register, as a view of the type, or a constant."""
        if text in self.registers:
            register = self.registers[text]
            if register.itemsize != SIZES[kind]:
                raise Refused(f"{text} as .{kind} in {self.kernel.name}")
            return register.view(TYPES[kind])
        if text in self.symbols:
            return np.array(self.symbols[text], TYPES[kind])
        if not re.match(r"-?\d", text):
            raise Refused(f"operand {text} of {self.kernel.name}")
        return immediate(text, kind)

    def width(self, text):
        """The bytes of a register, 0 of what is none; an address of shared memory may have 4."""
        return self.registers[text].itemsize if text in self.registers else 0

    # ---- blocks

    def block(self, number, order):
        """Run one block from its start to its end."""
        self.position = np.unravel_index(number, self.grid[::-1])[::-1]
        for axis, index in zip("xyz", self.position):
            self.registers[f"%ctaid.{axis}"][:] = index
        for region in self.shared.regions:
            region.forget()
        self.epoch += 1
        self._start_clock(begin=self.epoch)
        self.schedule = scheduling.Schedule(self.threads, order, self.masks.__getitem__)
        try:
            while self._step():
                pass
        except Fault as fault:
            at = self.now or self._stands_at(fault.thread)
            raise KernelError(at, fault, tuple(map(int, self.position))) from None

    def _stands_at(self, thread):
        """The instruction that a thread has reached, or at which it waits."""
        place = self.schedule.place[thread]
        if self.schedule.state[thread] == scheduling.AT_BARRIER:
            return self.segments[place - 1][-1][0]
        return self.segments[place][0][0]

    def _start_clock(self, begin):
        known = np.zeros((self.threads, 32), np.int32)
        known[self.everyone, self.everyone % 32] = 1
        self.clock = Clock(self.epoch, begin, known)

    def _step(self):
        self.now = None
        place, threads = self.schedule.next()
        if place is None:
            if not self.schedule.pass_barrier():
                return False
            self.epoch += 1
            self._start_clock(self.clock.begin)
        elif len(threads):
            self.schedule.move(threads, place + 1)
            for instruction, effect in self.segments[place]:
                self.now = instruction
                running = self._guarded(threads) if instruction.guard else threads
                if len(running):
                    effect(running)
            if place in self.last:
                ended = threads[self.schedule.place[threads] == len(self.segments)]
                self.schedule.stop(ended, scheduling.EXITED)
        return True

    def _guarded(self, threads):
        return threads[self.registers[self.now.guard][threads] != self.now.inverted]
