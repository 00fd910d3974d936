"""equinox.nn: attention with projections that are the identity, and layer norm."""
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def multihead_attention(Q, K, V, *, num_heads, mask=None):
    """equinox.nn.MultiheadAttention whose projections are the identity."""
    import equinox
    import jax
    if not num_heads:
        raise NotOffered("no heads")
    width = Q.shape[-1]
    layer = equinox.nn.MultiheadAttention(num_heads, width, key=jax.random.key(0), dtype=Q.dtype)
    for name in ("query_proj", "key_proj", "value_proj", "output_proj"):
        layer = equinox.tree_at(lambda layer, name=name: getattr(layer, name).weight, layer,
                                jax.numpy.eye(width, dtype=Q.dtype))
    return layer(Q, K, V, mask=mask)


def layer_norm(x, *, gain=None, shift=None, eps=1e-5):
    """equinox.nn.LayerNorm of one vector."""
    import equinox
    layer = equinox.nn.LayerNorm(x.shape, eps=eps, use_weight=gain is not None,
                                 use_bias=shift is not None, dtype=x.dtype)
    for name, array in (("weight", gain), ("bias", shift)):
        if array is not None:
            layer = equinox.tree_at(lambda layer, name=name: getattr(layer, name), layer, array)
    return layer(x)


PEERS = (
    Peer("equinox.nn.MultiheadAttention, identity projections", "attention.softmax_attention",
         f"{__name__}:multihead_attention", "equinox",
         call={"array": "jax", "lead": 1, "sizes": {"v": "d"}, "fixed": {"num_heads": "size:b"},
               "layout": {"Q": "l (b d)", "K": "s (b d)", "V": "s (b v)", "out": "l (b v)"},
               "given": {"empty_row": "undefined"}},
         profile=Profile(mask="True shows", empty_row="the mean of the values",
                         scale="1/sqrt(d)")),
    Peer("equinox.nn.LayerNorm", "layers.layer_norm", f"{__name__}:layer_norm", "equinox",
         call={"array": "jax", "lead": 0}, profile=Profile(eps="1e-5")),
)
