"""torch: attention, layer norm and maps, and their gradients by autograd."""
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def multihead_attention(Q, K, V, *, num_heads, attn_mask=None):
    """torch.nn.MultiheadAttention whose projections are the identity, without gradients."""
    import torch
    width = Q.shape[-1]
    with torch.random.fork_rng(devices=()):
        layer = torch.nn.MultiheadAttention(width, num_heads, bias=False, batch_first=True,
                                            dtype=Q.dtype).eval()
    one = torch.eye(width, dtype=Q.dtype)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([one, one, one]))
        layer.out_proj.weight.copy_(one)
        return layer(Q, K, V, attn_mask=attn_mask, need_weights=False)[0]


def layer_norm(x, *, gain=None, shift=None, eps=1e-5):
    """torch.nn.functional.layer_norm over the last axis."""
    import torch
    return torch.nn.functional.layer_norm(x, x.shape[-1:], weight=gain, bias=shift, eps=eps)


def softmax(z, *, beta=1.0):
    """torch.softmax of beta z."""
    import torch
    return torch.softmax(beta * z, dim=-1)


def logsumexp(z, *, beta=1.0):
    """torch.logsumexp of beta z, divided by beta."""
    import torch
    return torch.logsumexp(beta * z, dim=-1) / beta


def pulled_back(function, g, *inputs):
    """The gradients of a function at its inputs, for the gradient ``g`` of its result."""
    import torch
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    return torch.autograd.grad(function(*leaves), leaves, g)


def attention_gradient(g, Q, K, V, *, attn_mask=None, is_causal=False, scale=None):
    """The gradient of torch.nn.functional.scaled_dot_product_attention."""
    import torch

    def attention(Q, K, V):
        return torch.nn.functional.scaled_dot_product_attention(
            Q, K, V, attn_mask=attn_mask, is_causal=is_causal, scale=scale)
    return pulled_back(attention, g, Q, K, V)


def layer_norm_gradient(g, x, *, gain=None, shift=None, eps=1e-5):
    """The gradient of torch.nn.functional.layer_norm."""
    gain = x.new_ones(x.shape[-1]) if gain is None else gain
    shift = x.new_zeros(x.shape[-1]) if shift is None else shift

    def norm(x, gain, shift):
        return layer_norm(x, gain=gain, shift=shift, eps=eps)
    return pulled_back(norm, g, x, gain, shift)


def softmax_gradient(g, z, *, beta=1.0):
    """The gradient of torch.softmax."""
    return pulled_back(lambda z: softmax(z, beta=beta), g, z)[0]


def logsumexp_gradient(g, z, *, beta=1.0):
    """The gradient of torch.logsumexp."""
    return pulled_back(lambda z: logsumexp(z, beta=beta), g, z)[0]


HIDDEN = {("tolerance of gradients.maps.logsumexp", "infinite scores"):
          "where all scores are -inf it is NaN, that of hopref is 0"}
MASKED = {"mask": "True shows, or a bias", "empty_row": "0", "scale": "1/sqrt(d)"}
JOINED = {"Q": "b l (h d)", "K": "b s (h d)", "V": "b s (h v)", "out": "b l (h v)",
          "mask": "(b h) l s", "bias": "(b h) l s"}
PEERS = (
    Peer("torch scaled_dot_product_attention", "attention.softmax_attention",
         "torch.nn.functional:scaled_dot_product_attention", "torch",
         call={"convention": "torch-sdpa"}, profile=Profile(**MASKED, align="start")),
    Peer("torch scaled_dot_product_attention, gradient", "gradients.attention.softmax_attention",
         f"{__name__}:attention_gradient", "torch",
         call={"convention": "torch-sdpa", "returns": ("Q", "K", "V")},
         profile=Profile(**MASKED, align="start")),
    Peer("torch.nn.MultiheadAttention, identity projections", "attention.softmax_attention",
         f"{__name__}:multihead_attention", "torch",
         call={"array": "torch", "layout": JOINED, "mask": "hidden", "sizes": {"v": "d"},
               "names": {"mask": "attn_mask", "bias": "attn_mask"},
               "fixed": {"num_heads": "size:h"}, "given": {"empty_row": "undefined"}},
         profile=Profile(mask="True hides, or a bias", empty_row="0", scale="1/sqrt(d)")),
    Peer("torch layer_norm", "layers.layer_norm", f"{__name__}:layer_norm", "torch",
         call={"array": "torch"}, profile=Profile(eps="1e-5")),
    Peer("torch layer_norm, gradient", "gradients.layers.layer_norm",
         f"{__name__}:layer_norm_gradient", "torch",
         call={"array": "torch", "returns": ("x", "gain", "shift")}, profile=Profile(eps="1e-5")),
    Peer("torch softmax", "maps.softmax", f"{__name__}:softmax", "torch",
         call={"array": "torch"}),
    Peer("torch softmax, gradient", "gradients.maps.softmax", f"{__name__}:softmax_gradient",
         "torch", call={"array": "torch", "returns": ("z",)}),
    Peer("torch logsumexp", "maps.logsumexp", f"{__name__}:logsumexp", "torch",
         call={"array": "torch"}),
    Peer("torch logsumexp, gradient", "gradients.maps.logsumexp",
         f"{__name__}:logsumexp_gradient", "torch", call={"array": "torch", "returns": ("z",)},
         expected=HIDDEN),
)
