"""Benchmarks of the sparse maps of `hopref.maps`, as functions of the number of scores."""
from benchmarks import accuracy, comparisons, growth, timing


class _Map(timing._Timed):
    """64 rows, or a single one."""
    params = ([256, 1024, 4096, 16384], [1, 64], timing.PATHS)
    param_names = ("scores", "rows", "path")

    def arguments(self, n, M):
        return growth.scores(n, M)


class Sparsemax(_Map):
    op = "maps.sparsemax"


class Entmax(_Map):
    """Entmax with a closed form of the threshold."""
    op, options = "maps.entmax", {"alpha": 1.5}


class EntmaxByNewton(_Map):
    """Entmax without a closed form."""
    op, options = "maps.entmax", {"alpha": 1.25}


class Normmax(_Map):
    op = "maps.normmax"


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("maps"), timing.PATHS)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("maps")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("maps")
