"""Attention by other functions of scores, by hand: the fastest forms in NumPy and in torch."""
import numpy as np

__all__ = ["logsumexp", "softcapped", "with_sinks", "retrieval_with_sink", "sigmoid",
           "retrieval_by_sigmoid", "logsumexp_in_torch", "softcapped_in_torch",
           "softcapped_gradient", "softcapped_gradient_in_torch",
           "with_sinks_in_torch", "sinks_gradient", "sinks_gradient_in_torch",
           "retrieval_with_sink_in_torch", "sigmoid_in_torch", "retrieval_by_sigmoid_in_torch",
           "feature_step", "feature_step_in_torch"]


def logsumexp(Q, K):
    def run():
        z = _scores(Q, K)
        top = np.max(z, axis=-1, keepdims=True)
        return (top + np.log(np.sum(np.exp(z - top), axis=-1, keepdims=True)))[..., 0]
    return run


def logsumexp_in_torch(Q, K):
    import torch
    Q, K = map(torch.from_numpy, (Q, K))
    return lambda: torch.logsumexp(_scores(Q, K), dim=-1)


def softcapped(Q, K, V, softcap):
    def run():
        z = softcap * np.tanh(_scores(Q, K) / softcap)
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        return p / p.sum(axis=-1, keepdims=True) @ V
    return run


def softcapped_in_torch(Q, K, V, softcap):
    import torch
    (Q, K, V), softcap = map(torch.from_numpy, (Q, K, V)), float(softcap)
    return lambda: torch.softmax(softcap * torch.tanh(_scores(Q, K) / softcap), dim=-1) @ V


def softcapped_gradient(g, Q, K, V, softcap):
    scale = Q.dtype.type(Q.shape[-1] ** -0.5)

    def run():
        t = np.tanh(_scores(Q, K) / softcap)
        p = np.exp(softcap * (t - t.max(axis=-1, keepdims=True)))
        p /= p.sum(axis=-1, keepdims=True)
        a = g @ V.swapaxes(-1, -2)
        a -= (p * a).sum(axis=-1, keepdims=True)
        a *= p
        w = scale * a * (1 - t * t)
        return w @ K, w.swapaxes(-1, -2) @ Q, p.swapaxes(-1, -2) @ g, a
    return run


def softcapped_gradient_in_torch(g, Q, K, V, softcap):
    """By hand: no kernel of torch for the processor has a cap."""
    import torch
    g, Q, K, V = (torch.from_numpy(np.ascontiguousarray(a)) for a in (g, Q, K, V))
    scale, softcap = Q.shape[-1] ** -0.5, float(softcap)

    def run():
        t = torch.tanh(_scores(Q, K, scale / softcap))
        p = torch.softmax(softcap * t, dim=-1)
        a = g @ V.swapaxes(-1, -2)
        a = p * (a - (p * a).sum(dim=-1, keepdim=True))
        w = scale * a * (1 - t * t)
        return w @ K, w.swapaxes(-1, -2) @ Q, p.swapaxes(-1, -2) @ g, a
    return run


def with_sinks(Q, K, V, sink, beta=None):
    sink = sink[..., None, None]

    def run():
        z = _scores(Q, K, beta)
        top = np.maximum(z.max(axis=-1, keepdims=True), sink)
        p = np.exp(z - top)
        return p / (p.sum(axis=-1, keepdims=True) + np.exp(sink - top)) @ V
    return run


def with_sinks_in_torch(Q, K, V, sink, beta=None):
    """By the log of the denominator, which the kernel of torch for the processor returns."""
    import torch
    Q, K, V, sink = map(torch.from_numpy, (Q, K, V, sink[..., None]))
    scale = None if beta is None else float(beta)
    attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu

    def run():
        Z, lse = attend(Q[None], K[None], V[None], scale=scale)
        return torch.sigmoid(lse[0] - sink)[..., None].to(Z.dtype) * Z[0]
    return run


def sinks_gradient(g, Q, K, V, sink):
    sink, scale = sink[..., None, None], Q.dtype.type(Q.shape[-1] ** -0.5)

    def run():
        z = _scores(Q, K, scale)
        top = np.maximum(z.max(axis=-1, keepdims=True), sink)
        p, own = np.exp(z - top), np.exp(sink - top)
        total = p.sum(axis=-1, keepdims=True) + own
        p /= total
        a = g @ V.swapaxes(-1, -2)
        mean = (p * a).sum(axis=-1, keepdims=True)
        w = p * (a - mean)
        return (scale * w @ K, scale * w.swapaxes(-1, -2) @ Q, p.swapaxes(-1, -2) @ g,
                -(own / total * mean).sum(axis=(-1, -2)), w)
    return run


def sinks_gradient_in_torch(g, Q, K, V, sink):
    """By the kernels of torch for the processor, whose log of the denominator gets the sink."""
    import torch
    g, Q, K, V = (torch.from_numpy(np.ascontiguousarray(a))[None] for a in (g, Q, K, V))
    attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    pull_back = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
    sink = torch.from_numpy(sink)[:, None]

    def run():
        Z, lse = attend(Q, K, V)
        whole = torch.logaddexp(lse, sink)
        Z = torch.exp(lse - whole)[..., None].to(Z.dtype) * Z
        dsink = -(torch.exp(sink - whole) * (g * Z).sum(dim=-1)).sum(dim=-1)
        return *pull_back(g, Q, K, V, Z, whole, 0.0, False), dsink
    return run


def retrieval_with_sink(xi, X, beta, sink):
    return with_sinks(xi, X, X, np.asarray(sink), beta)


def retrieval_with_sink_in_torch(xi, X, beta, sink):
    return with_sinks_in_torch(xi[None], X[None], X[None], np.asarray([sink]), beta)


def sigmoid(Q, K, V, offset, beta=None):
    return lambda: 1 / (1 + np.exp(-_scores(Q, K, beta) - offset)) @ V


def sigmoid_in_torch(Q, K, V, offset, beta=None):
    import torch
    (Q, K, V), offset = map(torch.from_numpy, (Q, K, V)), float(offset)
    return lambda: torch.sigmoid(_scores(Q, K, beta) + offset) @ V


def retrieval_by_sigmoid(xi, X, beta, offset):
    return sigmoid(xi, X, X, offset, beta)


def retrieval_by_sigmoid_in_torch(xi, X, beta, offset):
    return sigmoid_in_torch(xi, X, X, offset, float(beta))


def feature_step(xi, omega, log_sums, beta):
    def run():
        z = beta**0.5 * (xi @ omega.T) + log_sums
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True) @ omega * (0.5 / beta**0.5)
    return run


def feature_step_in_torch(xi, omega, log_sums, beta):
    import torch
    root = float(beta) ** 0.5
    xi, omega, log_sums = (torch.from_numpy(a)[None] for a in (xi, omega, log_sums[None]))
    attend = torch.nn.functional.scaled_dot_product_attention

    def run():
        bias = log_sums.expand(-1, xi.shape[1], -1)
        return attend(xi, omega, omega, bias, scale=root) * (0.5 / root)
    return run


def _scores(Q, K, beta=None):
    return (Q.shape[-1] ** -0.5 if beta is None else beta) * (Q @ K.swapaxes(-1, -2))
