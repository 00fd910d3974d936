"""Benchmarks of `hopref.features` and `hopref.projections`: errors, work and time of a draw."""
from time import process_time

import numpy as np

from benchmarks import accuracy, estimators, growth, timing
from hopref import projections


class Error:
    """Error over kernel of 64 features at |x + y|^2 = 1, 60 degrees, d = 16."""
    params = list(estimators.ENTRIES)
    param_names = ("estimator",)
    unit, version = "relative error", "1"

    def track_error(self, title):
        return float(np.sqrt(estimators.measured_errors(title, 1.0).mean()))

    def track_exact_error(self, title):
        return estimators.exact_error(title, 1.0)


class Work:
    """Number of operations of a map of 64 features, for one vector of 16 components."""
    params = list(estimators.ENTRIES)
    param_names = ("estimator",)
    unit, version = "operations", "1"

    def track_operations(self, title):
        return estimators.work(title)


class Draw:
    """Draw of d rows of d components."""
    params = ([64, 256, 1024], ["iid", "orthogonal", "simplex", "hadamard", "givens", "qmc"])
    param_names = ("dimension", "draw")
    version, timer = "2", process_time

    def setup(self, d, draw):
        self.draw = getattr(projections, draw)
        self.draw(1, 2, rng=0)                              # import scipy before timing

    def time_draw(self, d, draw):
        self.draw(d, d, rng=0)


class Positive(timing._Timed):
    """256 positive features, d = 64, as a function of the number of vectors."""
    op = "features.positive"
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("vectors", "path")

    def arguments(self, L):
        return growth.vectors(L, 64, 256)


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("features"), timing.PATHS)
