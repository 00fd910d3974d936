"""Benchmarks of `hopref.graded`, as functions of the number of components."""
from benchmarks import growth, timing


class Update(timing._Timed):
    """One synchronous step of 64 states inside the range of tanh."""
    op = "graded.update"
    params, param_names = ([256, 512, 1024, 2048], ["formula"]), ("components", "path")

    def arguments(self, d):
        return growth.network(d)


class Growth(growth._Growth):
    params = growth.titles("graded")
