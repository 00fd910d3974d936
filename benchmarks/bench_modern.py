"""Benchmarks of `hopref.modern`: update and energy, as functions of the number of patterns."""
from benchmarks import accuracy, comparisons, growth, timing


class Update(timing._Timed):
    """One step of 64 states, or of a single one, d = 64."""
    op, options = "modern.update", {"beta": 0.125}
    params = ([256, 1024, 4096, 16384], [1, 64], timing.PATHS)
    param_names = ("patterns", "states", "path")

    def arguments(self, N, M):
        return growth.memory(N, M, 64)


class Energy(timing._Timed):
    """Energies of 64 states, d = 64."""
    op, options = "modern.energy", {"beta": 0.125}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("patterns", "path")

    def arguments(self, N):
        return growth.memory(N, 64, 64)


class Growth(growth._Growth):
    params = growth.titles("modern")


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("modern"), timing.PATHS)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("modern")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("modern")
