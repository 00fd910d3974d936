"""Benchmarks of `hopref.structured`, as functions of the number of patterns."""
from benchmarks import accuracy, comparisons, growth, timing


class Window(timing._Timed):
    """One step of L states within windows of 129 patterns, d = 64."""
    op, options = "structured.window_update", {"width": 64, "beta": 0.125}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("patterns", "path")

    def arguments(self, L):
        return growth.positions(L)


class List(timing._Timed):
    """One step of 64 states over lists of a tenth of the patterns, d = 64."""
    op, options = "structured.listed_update", {"beta": 0.125}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("patterns", "path")

    def arguments(self, N):
        return growth.listed(N)


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("structured"), timing.PATHS)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("structured")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("structured")
