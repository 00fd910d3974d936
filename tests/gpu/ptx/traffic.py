"""Passes of shared memory and sectors of global memory that the accesses of warps take.

Shared memory has 32 banks of 4 bytes.  Different words of one bank take one pass after the other,
and lanes that read the same word take part in one.  Global memory is moved in sectors of 32 bytes.
Beside the number of passes or sectors of a line of the source is the least that its bytes allow.
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
        unit = WORD if space == "shared" else SECTOR
        for warp in np.unique(threads // 32):
            of_warp = addresses[threads // 32 == warp].astype(np.int64)
            touched = np.unique(np.concatenate([of_warp, of_warp + size - 1]) // unit)
            distinct = len(np.unique(of_warp)) * size
            if space == "shared":
                taken = np.bincount(touched % BANKS).max()
                least = -(-len(touched) // BANKS)
            else:
                taken, least = len(touched), -(-distinct // SECTOR)
            count = self.counts.setdefault((space, line), [0, 0, 0])
            count[0] += 1
            count[1] += int(taken)
            count[2] += least

    def excess(self, space):
        """{line: what its accesses took, relative to the least} of a space."""
        return {line: taken / least for (where, line), (_, taken, least) in self.counts.items()
                if where == space}
