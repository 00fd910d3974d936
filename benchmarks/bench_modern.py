"""`hopref.modern`: retrieval and energy in the number of patterns."""
from benchmarks import growth, timing


class Update(timing._Timed):
    """One step of 64 states, or of one alone, d = 64."""
    op, options = "modern.update", {"beta": 0.125}
    params = ([256, 1024, 4096, 16384], [1, 64], timing.PATHS)
    param_names = ("patterns", "states", "path")

    def arguments(self, N, M):
        return growth.memory(N, M, 64)


class Energy(timing._Timed):
    """The energies of 64 states, d = 64."""
    op, options = "modern.energy", {"beta": 0.125}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("patterns", "path")

    def arguments(self, N):
        return growth.memory(N, 64, 64)


class Growth(growth._Growth):
    params = growth.titles("modern")
