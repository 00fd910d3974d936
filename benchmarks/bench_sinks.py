"""Benchmarks of `hopref.sinks`, as functions of the length and of the number of patterns."""
import numpy as np

from benchmarks import comparisons, growth, timing


class Attention(timing._Timed):
    """Self-attention with a sink, d = 64."""
    op = "sinks.attention"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("length", "path")

    def arguments(self, L):
        return *growth.heads(L, 64), np.asarray(1.0)


class Update(timing._Timed):
    """64 states, d = 64."""
    op, options = "sinks.update", {"beta": 0.125, "sink": 1.0}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("patterns", "path")

    def arguments(self, N):
        return growth.memory(N, 64, 64)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("sinks")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("sinks")
