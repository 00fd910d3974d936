"""Benchmarks of `hopref.dense`, as functions of the number of components."""
import numpy as np

from benchmarks import comparisons, growth, timing


class Update(timing._Timed):
    """One synchronous step of 8 states over d / 20 patterns."""
    op = "dense.update"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("components", "path")

    def arguments(self, d):
        return growth.store(d, 8, d // 20)


class Sweep(Update):
    """One sweep of 8 states over d / 20 patterns."""
    op = "dense.asynchronous_update"

    def arguments(self, d):
        self.options = {"order": np.arange(d)}
        return super().arguments(d)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("dense")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("dense")
