"""Benchmarks of `hopref.attention`: softmax and linear attention, as functions of the length."""
from benchmarks import accuracy, comparisons, growth, timing


class Softmax(timing._Timed):
    """Softmax self-attention, d = 64."""
    op = "attention.softmax_attention"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("length", "path")

    def arguments(self, L):
        return growth.heads(L, 64)


class Linear(timing._Timed):
    """r = 256 features, v = 64."""
    op = "attention.linear_attention"
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("length", "path")

    def arguments(self, L):
        return growth.features(L, 256, 64)


class CausalLinear(Linear):
    """r = 256 features, v = 64; the formula scans position by position."""
    op = "attention.causal_linear_attention"
    params = ([256, 512, 1024, 2048], timing.PATHS)


class Growth(growth._Growth):
    params = growth.titles("attention")


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("attention"), timing.PATHS)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("attention")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("attention")
