"""Benchmarks of `hopref.gradients`, as functions of the numbers of patterns, positions and scores.

The cotangent of the result is its first argument in reverse order.
"""
from benchmarks import accuracy, comparisons, growth, timing


class Retrieval(timing._Timed):
    """Gradients of a step of 64 states, d = 64."""
    op, options = "gradients.modern.update", {"beta": 0.125}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("patterns", "path")

    def arguments(self, N):
        xi, X = growth.memory(N, 64, 64)
        return xi[::-1], xi, X


class SparseRetrieval(Retrieval):
    op = "gradients.sparse.update"
    params = ([256, 1024, 4096], timing.PATHS)


class Softmax(timing._Timed):
    """Gradients of softmax self-attention, d = 64."""
    op = "gradients.attention.softmax_attention"
    params, param_names = ([256, 512, 1024, 2048], timing.PATHS), ("length", "path")

    def arguments(self, L):
        Q, K, V = growth.heads(L, 64)
        return V[::-1], Q, K, V


class Linear(timing._Timed):
    """Gradients of linear attention, r = 256 features, v = 64."""
    op = "gradients.attention.linear_attention"
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("length", "path")

    def arguments(self, L):
        phi_q, phi_k, V = growth.features(L, 256, 64)
        return V[::-1], phi_q, phi_k, V


class PositiveFeatures(timing._Timed):
    """Gradients of 256 positive features of vectors of 64 components."""
    op = "gradients.features.positive"
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("vectors", "path")

    def arguments(self, L):
        x, omega = growth.vectors(L, 64, 256)
        return *growth.scores(256, L), x / 2, omega


class Entmax(timing._Timed):
    """Gradients of entmax with alpha = 1.5, for 64 rows."""
    op, options = "gradients.maps.entmax", {"alpha": 1.5}
    params, param_names = ([256, 1024, 4096, 16384], timing.PATHS), ("scores", "path")

    def arguments(self, n):
        z, = growth.scores(n, 64)
        return z[::-1], z


class Accuracy(accuracy._Accuracy):
    params = (accuracy.cases("gradients"), timing.PATHS)


class Ratio(comparisons._Ratio):
    params = comparisons.ratios_of("gradients")


class FirstCall(comparisons._FirstCall):
    params = comparisons.first_calls_of("gradients")
