"""The order in which the threads of a block run: divergence, barriers, and deadlocks.

Each thread has its own place in the program.  In the order "together" all threads at the earliest
place run first; in the order "last" the last warp runs alone, from its latest place, until it
waits; a number is the seed of a random choice.  A correct kernel gives the same bits in each order.
"""
import numpy as np

from tests.gpu.ptx.errors import Fault

__all__ = ["Schedule", "RUNNING", "WAITING", "AT_BARRIER", "EXITED", "ALL",
           "EVERY_LANE"]

RUNNING, WAITING, AT_BARRIER, EXITED = range(4)
NOWHERE = 2**62
ALL, EVERY_LANE = 2**32 - 1, "every lane"
MOST_STEPS = 1_000_000


class Schedule:
    """Places and states of the threads of a block.

    ``masks(place)`` gives for each thread the lanes that must arrive at that place together,
    `EVERY_LANE`, or None where no lane waits for another.
    """

    def __init__(self, threads, order, masks):
        self.place = np.zeros(threads, np.int64)
        self.ready = self.place.copy()      # the places of those that run, NOWHERE for the others
        self.state = np.full(threads, RUNNING)
        self.everyone = np.arange(threads)
        self.common = 0                     # the place of all threads, if they all run, or None
        self.order, self.masks = order, masks
        self.warp, self.lane = np.divmod(self.everyone, 32)
        self.random = np.random.default_rng(order) if isinstance(order, int) else None
        self.steps = 0

    def next(self):
        """The place and the threads to run; threads are None while they wait, or if all exited."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Fault("endless loop", f"{MOST_STEPS} steps", np.argmin(self.state))
        if self.common is not None and self.order == "together":
            masks = self.masks(self.common)
            if masks is None or masks is EVERY_LANE:
                return self.common, self.everyone
        if self.order == "together":
            place, warp = self.ready.min(), None
        else:
            place, warp = self._choice((self.ready < NOWHERE).nonzero()[0])
        if place == NOWHERE:
            return None, None
        masks = self.masks(place)
        here = self.ready == place if masks is None else \
            (self.place == place) & (self.state <= WAITING)
        if warp is not None:
            here &= self.warp == warp
        return place, here.nonzero()[0] if masks is None else self._arrived(here, masks)

    def _choice(self, ready):
        """The place and the warp that run next, in an order in which these run one by one."""
        if not len(ready):
            return NOWHERE, None
        warps = np.unique(self.warp[ready])
        warp = warps[-1] if self.random is None else self.random.choice(warps)
        places = np.unique(self.place[ready[self.warp[ready] == warp]])
        return (places[-1] if self.random is None else self.random.choice(places)), warp

    def _arrived(self, here, masks):
        """Those threads all of whose lanes are here; the others wait."""
        run = np.zeros(len(here), bool)
        if masks is EVERY_LANE or (masks[here] == ALL).all():
            here_of, alive_of = (np.bincount(self.warp, weights=each) for each in (
                here, self.state != EXITED))
            run = here & (here_of == alive_of)[self.warp]
            self._wait(here & ~run)
            return run.nonzero()[0]
        for warp in np.unique(self.warp[here]):
            members = np.flatnonzero(here & (self.warp == warp))
            for mask in np.unique(masks[members]):
                group = members[masks[members] == mask]
                named = int(mask) >> self.lane & 1 == 1
                if not named[group].all():
                    raise Fault("mask of a warp", f"{mask:#x} does not name the thread's own lane",
                                group[np.argmin(named[group])])
                needed = np.flatnonzero((self.warp == warp) & named & (self.state != EXITED))
                run[group] = len(group) == len(needed)
        self._wait(here & ~run)
        return run.nonzero()[0]

    def _wait(self, threads):
        self.state[threads], self.ready[threads] = WAITING, NOWHERE

    def move(self, threads, place):
        """Let threads go on at a place."""
        self.place[threads] = self.ready[threads] = place
        self.state[threads] = RUNNING
        self.common = place if len(threads) == len(self.place) else None

    def stop(self, threads, state):
        """Let threads wait at a barrier, or exit."""
        self.state[threads], self.ready[threads] = state, NOWHERE
        if len(threads):
            self.common = None

    def pass_barrier(self):
        """Let all threads leave the barrier at which they wait; False if all have exited."""
        if (self.state == EXITED).all():
            return False
        waiting = np.flatnonzero(self.state == WAITING)
        if len(waiting):
            raise Fault("divergent warp", "it waits for lanes that exited or wait elsewhere",
                        waiting[0])
        at_barrier = np.flatnonzero(self.state == AT_BARRIER)
        if len(at_barrier) < len(self.state):
            raise Fault("divergent barrier", "other threads have exited", at_barrier[0])
        elsewhere = self.place != self.place[0]
        if elsewhere.any():
            raise Fault("divergent barrier", "threads wait at different barriers",
                        np.argmax(elsewhere))
        self.state[:], self.ready[:] = RUNNING, self.place
        self.common = self.place[0]
        return True
