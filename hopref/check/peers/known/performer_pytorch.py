"""performer_pytorch: FAVOR+ with given projections, and its projections."""
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def favor_kernels(Q, K, omega, scale):
    """Features of performer_pytorch, which scales by d^(-1/4); Q and K contain the other factor."""
    from performer_pytorch.performer_pytorch import softmax_kernel
    more = 1.0 if scale is None else (scale * Q.shape[-1] ** 0.5) ** 0.5
    return (softmax_kernel(Q * more, projection_matrix=omega, is_query=True),
            softmax_kernel(K * more, projection_matrix=omega, is_query=False))


def attention(Q, K, V, omega, *, scale=None, features="positive"):
    """performer_pytorch.FastAttention with a fixed projection."""
    from performer_pytorch.performer_pytorch import linear_attention
    only_positive(features)
    return linear_attention(*favor_kernels(Q, K, omega, scale), V)


def causal_attention(Q, K, V, omega, *, scale=None, features="positive"):
    """performer_pytorch's causal attention, the form without CUDA."""
    from performer_pytorch.performer_pytorch import causal_linear_attention_noncuda
    only_positive(features)
    return causal_linear_attention_noncuda(*favor_kernels(Q, K, omega, scale), V)


def generalized_attention(Q, K, V, omega, *, scale=None, eps=1e-3):
    """performer_pytorch.FastAttention with generalized_attention, its ReLU, a fixed projection."""
    from performer_pytorch.performer_pytorch import generalized_kernel, linear_attention
    more = 1.0 if scale is None else scale * Q.shape[-1] ** 0.25
    phi_q, phi_k = (generalized_kernel(a * more, projection_matrix=omega, kernel_epsilon=eps)
                    for a in (Q, K))
    return linear_attention(phi_q, phi_k, V)


def projection(m, d, *, rng):
    """performer_pytorch.gaussian_orthogonal_random_matrix."""
    import torch
    from performer_pytorch.performer_pytorch import gaussian_orthogonal_random_matrix
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(rng)
        return gaussian_orthogonal_random_matrix(m, d)


def only_positive(features):
    if features != "positive":
        raise NotOffered(f"features={features}")


def judged(name, like, target, **fields):
    return Peer(f"performer-pytorch {name}", like, target, "performer_pytorch",
                "performer-pytorch", **fields)


HEADS = {"array": "torch", "lead": 2}
PEERS = (
    judged("attention", "performer.attention", f"{__name__}:attention", call=HEADS,
           profile=Profile(scale="1/sqrt(d)", eps="1e-4 on every feature"),
           remark="softmax_kernel adds 1e-4 to every feature after the subtraction of the maximum, "
                  "which adds a part of the mean of the values to the result."),
    judged("causal attention", "performer.causal_attention", f"{__name__}:causal_attention",
           call=HEADS, profile=Profile(
               scale="1/sqrt(d)", eps="1e-4 on every feature, 1e-6 on the key sums"),
           remark="The maximum that softmax_kernel subtracts from keys is that of all positions, "
                  "later ones included; since 1e-4 is then added to every feature, a result "
                  "depends on later keys.  1e-6 is added to the sums of keys."),
    judged("generalized attention", "performer.generalized_attention",
           f"{__name__}:generalized_attention", call=HEADS,
           profile=Profile(scale="d^(-1/4) of queries and keys", eps="1e-3 on every feature")),
    judged("linear_attention", "attention.linear_attention",
           "performer_pytorch.performer_pytorch:linear_attention", call=HEADS),
    judged("projection", "projections.orthogonal", f"{__name__}:projection",
           dtypes=("float32",), refuted=("same seed for every block",),
           remark="Its blocks are Q of a QR decomposition whose signs are those that LAPACK "
                  "returns, so that entries have a mean: the law on blocks fails for this reason, "
                  "each block has a draw of its own."),
)
