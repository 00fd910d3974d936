"""Benchmarks of `hopref.feature_memory`, as functions of the number of features."""
from benchmarks import comparisons, growth, timing


class Update(timing._Timed):
    """64 states, d = 64."""
    op, options = "feature_memory.update", {"beta": 0.125}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("features", "path")

    def arguments(self, m):
        xi, omega = growth.memory(m, 64, 64)
        return xi, omega, omega[:, 0].copy()


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("feature_memory")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("feature_memory")
