"""`hopref.modern`: retrieval and energy in the number of patterns."""
from benchmarks import growth, timing


class Update:
    """One step of 64 states, or of one alone, d = 64."""
    params = ([256, 1024, 4096, 16384], [1, 64], timing.PATHS)
    param_names = ("patterns", "states", "path")
    version = "1"

    def setup(self, N, M, path):
        self.step = timing.admitted("modern.update", path, growth.memory(N, M, 64), beta=0.125)

    def time_update(self, N, M, path):
        self.step()


class Energy:
    """The energies of 64 states, d = 64."""
    params = ([256, 1024, 4096, 16384], timing.PATHS)
    param_names = ("patterns", "path")
    version = "1"

    def setup(self, N, path):
        self.step = timing.admitted("modern.energy", path, growth.memory(N, 64, 64), beta=0.125)

    def time_energy(self, N, path):
        self.step()


class Growth:
    params = growth.titles("modern")
    param_names = ("growth",)
    unit, version = "exponent", "1"

    def track_work(self, title):
        return growth.work_exponent(title)

    def track_memory(self, title):
        return growth.memory_exponent(title)
