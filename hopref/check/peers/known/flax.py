"""flax: attention and layer norm."""
from dataclasses import replace

from hopref.check.peers.peer import NO_EMPTY, Peer, Profile

__all__ = ["PEERS"]


def layer_norm(x, *, gain=None, shift=None, eps=1e-5, **options):
    """flax.linen.LayerNorm, whose variance is by default the mean square minus the square mean."""
    from flax.linen import LayerNorm
    weights = {k: a for k, a in (("scale", gain), ("bias", shift)) if a is not None}
    layer = LayerNorm(epsilon=eps, use_scale=gain is not None, use_bias=shift is not None,
                      **options)
    return layer.apply({"params": weights}, x)


def layer_norm_two_passes(x, *, gain=None, shift=None, eps=1e-5):
    """flax.linen.LayerNorm with use_fast_variance=False."""
    return layer_norm(x, gain=gain, shift=shift, eps=eps, use_fast_variance=False)


MASKED = Profile(mask="True shows; a bias", empty_row="the mean of the values; NaN by a bias",
                 scale="1/sqrt(d)")
PEERS = (
    Peer("flax.linen.dot_product_attention", "attention.softmax_attention",
         "flax.linen:dot_product_attention", "flax", call={"convention": "flax"}, profile=MASKED),
    Peer("flax.linen.dot_product_attention_weights", "attention.softmax_weights",
         "flax.linen:dot_product_attention_weights", "flax",
         call={"convention": "flax", "layout": {"out": "b h l s"}}, profile=MASKED),
    Peer("flax.nnx.dot_product_attention", "attention.softmax_attention",
         "flax.nnx:dot_product_attention", "flax", call={"convention": "jax"},
         within={"float64": "float64-single"}, expected=NO_EMPTY,
         profile=replace(MASKED, align="start", inside="softmax in float32")),
    Peer("flax.linen.LayerNorm", "layers.layer_norm", f"{__name__}:layer_norm", "flax",
         call={"array": "jax"}, profile=Profile(eps="1e-6"),
         remark="Its variance is by default (use_fast_variance=True) the mean square minus the "
                "square of the mean, which cancel where the mean is large: with eps = 1e-5 the "
                "result for (1e8 - 1, 1e8 + 1) in float64 is (-316.2, 316.2) in the place of "
                "(-0.999995, 0.999995).  With use_fast_variance=False it conforms."),
    Peer("flax.linen.LayerNorm, use_fast_variance=False", "layers.layer_norm",
         f"{__name__}:layer_norm_two_passes", "flax", call={"array": "jax"},
         profile=Profile(eps="1e-6")),
)
