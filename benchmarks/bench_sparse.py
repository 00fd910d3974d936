"""Benchmarks of `hopref.sparse`, as functions of the number of patterns."""
from benchmarks import accuracy, comparisons, growth, timing


class _Retrieval(timing._Timed):
    """64 states or a single one, d = 64."""
    params = ([256, 1024, 4096, 16384], [1, 64], timing.PATHS)
    param_names = ("patterns", "states", "path")

    def arguments(self, N, M):
        return growth.memory(N, M, 64)


class Update(_Retrieval):
    op, options = "sparse.update", {"beta": 0.125, "alpha": 1.5}


class Energy(_Retrieval):
    op, options = "sparse.energy", {"beta": 0.125, "alpha": 1.5}


class Subsets(_Retrieval):
    op, options = "sparse.k_subsets_update", {"beta": 0.125, "k": 8}


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("sparse"), timing.PATHS)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("sparse")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("sparse")
