"""fla (flash-linear-attention): its references in plain torch, called naive."""
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def attention(q, k, v, *, scale=None, causal=False):
    """fla.ops.attn.naive.naive_parallel_attn, without a window, gates or sinks."""
    from fla.ops.attn.naive import naive_parallel_attn
    return naive_parallel_attn(q, k, v, scale=scale, causal=causal)[0]


HEADS = {"Q": "b l h d", "K": "b s h d", "V": "b s h v", "out": "b l h v"}
CAUSAL = {"array": "torch", "returns": ("0",), "fixed": {"normalize": True, "scale": 1.0},
          "given": {"eps": 1e-10},
          "layout": {"phi_q": "b l h r", "phi_k": "b l h r", "V": "b l h v", "out": "b l h v"}}
PEERS = (
    Peer("fla naive_parallel_attn", "attention.softmax_attention", f"{__name__}:attention", "fla",
         "flash-linear-attention", call={"array": "torch", "layout": HEADS, "sizes": {"s": "l"}},
         profile=Profile(align="equal lengths", scale="1/sqrt(d)")),
    Peer("fla naive_recurrent_linear_attn", "attention.causal_linear_attention",
         "fla.ops.linear_attn.naive:naive_recurrent_linear_attn", "fla", "flash-linear-attention",
         call=CAUSAL, within={"float64": "float64-single"},
         profile=Profile(scale="1/sqrt(d) of the features", eps="1e-10", inside="float32")),
    Peer("fla naive_chunk_linear_attn", "attention.causal_linear_attention",
         "fla.ops.linear_attn.naive:naive_chunk_linear_attn", "fla", "flash-linear-attention",
         call=CAUSAL | {"sizes": {"l": 64}},
         profile=Profile(scale="1/sqrt(d) of the features", eps="1e-10")),
)
