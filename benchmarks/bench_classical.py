"""`hopref.classical` and its storage: in the number of components."""
import numpy as np

from benchmarks import growth, timing


class Update:
    """One synchronous step of 64 states."""
    params = ([256, 512, 1024, 2048], ["formula"])
    param_names = ("components", "path")
    version = "1"

    def setup(self, d, path):
        self.step = timing.admitted("classical.update", path, growth.network(d))

    def time_update(self, d, path):
        self.step()


class Sweep:
    """One asynchronous sweep of 64 states over d / 20 patterns, W never formed."""
    params = ([256, 512, 1024, 2048], timing.PATHS)
    param_names = ("components", "path")
    version = "1"

    def setup(self, d, path):
        args = growth.store(d, 64, d // 20)
        self.step = timing.admitted("classical.low_rank_asynchronous_update", path, args,
                                    order=np.arange(d), zero_diagonal=True)

    def time_sweep(self, d, path):
        self.step()


class Growth:
    params = growth.titles("classical", "storage")
    param_names = ("growth",)
    unit, version = "exponent", "1"

    def track_work(self, title):
        return growth.work_exponent(title)

    def track_memory(self, title):
        return growth.memory_exponent(title)
