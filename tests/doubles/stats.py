"""Counts of the substitute for CuPy: synchronisations, bytes moved and held, and launches."""
import math
import weakref

__all__ = ["Stats"]


class Stats:
    """Bytes copied and allocated on the device, and kernels launched, since ``reset``."""

    def __init__(self):
        self.live, self.held = 0, {}
        self.reset()

    def reset(self):
        self.synchronised = self.to_device = self.to_host = self.launches = 0
        self.new, self.recent, self.grown, self.work = 0, set(), 0, None

    def count_work(self):
        """Begin a list of the bytes that each launch reads and writes, and of its operations."""
        self.work = []

    def add_work(self, what, read, written):
        if self.work is None:
            return
        product = what in ("matmul", "rmatmul")
        flops = 2 * written[0].size * read[0].shape[-1] if product else sum(a.size for a in written)
        self.work.append((sum(map(_distinct, [*read, *written])), flops))

    @property
    def quiet(self):
        return self.synchronised == self.to_device == self.to_host == 0

    def hold(self, memory):
        """Count memory once, however many arrays use it, until it is freed.

        ``grown`` is the peak of what was allocated since ``reset``, whatever older memory is freed.
        """
        number, nbytes = id(memory), memory.nbytes
        if number in self.held:
            return
        self.held[number] = nbytes
        self.recent.add(number)
        self.live += nbytes
        self.new += nbytes
        self.grown = max(self.grown, self.new)
        weakref.finalize(memory, self.free, number)

    def free(self, number):
        nbytes = self.held.pop(number)
        self.live -= nbytes
        if number in self.recent:
            self.recent.remove(number)
            self.new -= nbytes

    def __repr__(self):
        return (
            f"{self.synchronised} synchronisations, {self.to_device} bytes to the device, "
            f"{self.to_host} bytes to the host"
        )


def _distinct(a):
    """Bytes of the elements of an array, of which those of a broadcast axis are one."""
    return a.itemsize * math.prod(n for n, step in zip(a.shape, a.strides) if step or n == 0)
