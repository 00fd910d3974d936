"""Benchmarks of `hopref.performer`, as functions of the length."""
from benchmarks import accuracy, growth, timing


class Attention(timing._Timed):
    """Self-attention, d = 64, 256 positive features."""
    op = "performer.attention"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("length", "path")

    def arguments(self, L):
        return growth.performer_heads(L, 64, 256)


class Growth(growth._Growth):
    params = growth.titles("performer")


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("performer"), timing.PATHS)
