"""Passes of shared memory and sectors of global memory that the accesses of warps take.

Shared memory has 32 banks of 4 bytes.  Different words of one bank take one pass after the other,
and lanes that read the same word take part in one.  Of accesses to 8 and 16 bytes, each half or
quarter of a warp takes passes of its own; two of them share passes where each lane has the address
of the lane beside it, or where each has that of the second next.  Global memory is moved in sectors
of 32 bytes.  Beside the number of passes or sectors of a line of the source is the least that its
bytes allow.
"""
import numpy as np

__all__ = ["Traffic"]

WORD, BANKS, SECTOR = 4, 32, 32


class Traffic:
    """Counts for each space and line: requests of warps, what they took, and the least possible."""

    def __init__(self):
        self.counts = {}

    def add(self, space, line, addresses, size, threads):
        """Count one access of ``size`` bytes at each address, by the warps of the threads."""
        for warp in np.unique(threads // 32):
            here = threads // 32 == warp
            of_warp, lanes = addresses[here].astype(np.int64), threads[here] % 32
            distinct = np.unique(of_warp)
            if space == "shared":
                taken = _passes(of_warp, lanes, size)
                least = -(-len(distinct) * size // (WORD * BANKS))
            else:
                taken = len(np.unique(np.concatenate([distinct, distinct + size - 1]) // SECTOR))
                least = -(-len(distinct) * size // SECTOR)
            count = self.counts.setdefault((space, line), [0, 0, 0])
            count[0] += 1
            count[1] += int(taken)
            count[2] += least

    def excess(self, space):
        """{line: what its accesses took, relative to the least} of a space."""
        return {line: taken / least for (where, line), (_, taken, least) in self.counts.items()
                if where == space}


def _passes(addresses, lanes, size):
    """The passes of an access to shared memory by the lanes of a warp."""
    words = max(1, size // WORD)
    together = 32 // words
    every = np.full(32, -1)
    every[lanes] = addresses
    if words > 1 and any(_equal(every, every[np.arange(32) ^ gap]) for gap in (1, 2)):
        together *= 2
    passes = 0
    for part in np.unique(lanes // together):
        first = np.unique(addresses[lanes // together == part]) // WORD
        touched = np.unique(first[:, None] + np.arange(words))
        passes += int(np.bincount(touched % BANKS).max())
    return passes


def _equal(some, others):
    """Whether they are, but for lanes that take no part."""
    return ((some == others) | (some < 0) | (others < 0)).all()
