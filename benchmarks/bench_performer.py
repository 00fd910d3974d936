"""`hopref.performer`: attention by random features, in the length."""
from benchmarks import growth, timing


class Attention:
    """Self-attention, d = 64, 256 positive features."""
    params = ([256, 512, 1024, 2048], ["formula"])
    param_names = ("length", "path")
    version = "1"

    def setup(self, L, path):
        args = growth.performer_heads(L, 64, 256)
        self.step = timing.admitted("performer.attention", path, args)

    def time_attention(self, L, path):
        self.step()


class Growth:
    params = growth.titles("performer")
    param_names = ("growth",)
    unit, version = "exponent", "1"

    def track_work(self, title):
        return growth.work_exponent(title)

    def track_memory(self, title):
        return growth.memory_exponent(title)
