"""`hopref.graded`: in the number of components."""
from benchmarks import growth, timing


class Update:
    """One synchronous step of 64 states inside the range of tanh."""
    params = ([256, 512, 1024, 2048], ["formula"])
    param_names = ("components", "path")
    version = "1"

    def setup(self, d, path):
        self.step = timing.admitted("graded.update", path, growth.network(d))

    def time_update(self, d, path):
        self.step()


class Growth:
    params = growth.titles("graded")
    param_names = ("growth",)
    unit, version = "exponent", "1"

    def track_work(self, title):
        return growth.work_exponent(title)

    def track_memory(self, title):
        return growth.memory_exponent(title)
