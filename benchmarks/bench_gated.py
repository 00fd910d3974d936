"""Benchmarks of `hopref.gated`, as functions of the number of tokens."""
from benchmarks import accuracy, comparisons, growth, timing


class Linear(timing._Timed):
    """Without decays, d = v = 64; the formula scans token by token."""
    op = "gated.linear_attention"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("length", "path")

    def arguments(self, L):
        return growth.tokens(L, 64)[0]


class Delta(Linear):
    """The same by the delta rule."""
    options = {"rule": "delta"}


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("gated"), timing.PATHS)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("gated")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("gated")
