"""`hopref.attention`: the quadratic and the linear kind, in the length."""
from benchmarks import growth, timing


class Softmax:
    """Self-attention, d = 64."""
    params = ([256, 512, 1024, 2048], ["formula"])
    param_names = ("length", "path")
    version = "1"

    def setup(self, L, path):
        self.step = timing.admitted("attention.softmax_attention", path, growth.heads(L, 64))

    def time_attention(self, L, path):
        self.step()


class Linear:
    """r = 256 features, v = 64."""
    params = ([256, 1024, 4096, 16384], ["formula"])
    param_names = ("length", "path")
    version = "1"

    def setup(self, L, path):
        args = growth.features(L, 256, 64)
        self.step = timing.admitted("attention.linear_attention", path, args)

    def time_attention(self, L, path):
        self.step()


class CausalLinear:
    """r = 256 features, v = 64; the formula scans position by position."""
    params = ([256, 512, 1024, 2048], timing.PATHS)
    param_names = ("length", "path")
    version = "1"

    def setup(self, L, path):
        args = growth.features(L, 256, 64)
        self.step = timing.admitted("attention.causal_linear_attention", path, args)

    def time_attention(self, L, path):
        self.step()


class Growth:
    params = growth.titles("attention")
    param_names = ("growth",)
    unit, version = "exponent", "1"

    def track_work(self, title):
        return growth.work_exponent(title)

    def track_memory(self, title):
        return growth.memory_exponent(title)
