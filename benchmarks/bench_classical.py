"""Benchmarks of `hopref.classical`, as functions of the number of components."""
import numpy as np

from benchmarks import comparisons, growth, timing


class Update(timing._Timed):
    """One synchronous step of 64 states."""
    op = "classical.update"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("components", "path")

    def arguments(self, d):
        return growth.network(d)


class Sweep(timing._Timed):
    """One asynchronous sweep of 64 states over d / 20 patterns, without W."""
    op = "classical.low_rank_asynchronous_update"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("components", "path")

    def arguments(self, d):
        self.options = {"order": np.arange(d), "zero_diagonal": True}
        return growth.store(d, 64, d // 20)


class Growth(growth._Growth):
    params = growth.titles("classical", "storage")


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("classical")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("classical")
