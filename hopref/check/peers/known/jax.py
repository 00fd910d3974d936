"""jax.nn: attention and maps, and their gradients by jax.vjp."""
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.peer import NO_EMPTY, Peer, Profile

__all__ = ["PEERS"]


def attention(Q, K, V, *, bias=None, mask=None, scale=None, is_causal=False):
    """jax.nn.dot_product_attention of arrays (batch, heads, length, dimension)."""
    import jax
    q, k, v = (a.swapaxes(1, 2) for a in (Q, K, V))
    return jax.nn.dot_product_attention(q, k, v, bias=bias, mask=mask, scale=scale,
                                        is_causal=is_causal).swapaxes(1, 2)


def softmax_attention(Q, K, V, *, scale=None):
    """Attention in the usual form of JAX code: jax.nn.softmax of scaled scores, times values."""
    import jax
    z = Q @ jax.numpy.swapaxes(K, -1, -2) * (Q.shape[-1] ** -0.5 if scale is None else scale)
    return jax.nn.softmax(z, axis=-1) @ V


def softmax(z, *, beta=1.0, where=None):
    """jax.nn.softmax of beta z."""
    import jax
    return jax.nn.softmax(beta * z, axis=-1, where=where)


def logsumexp(z, *, beta=1.0):
    """jax.nn.logsumexp of beta z, divided by beta."""
    import jax
    return jax.nn.logsumexp(beta * z, axis=-1) / beta


def standardize(x, *, eps=1e-5):
    """jax.nn.standardize, a layer norm without gain and shift."""
    import jax
    return jax.nn.standardize(x, axis=-1, epsilon=eps)


def attention_gradient(g, Q, K, V, *, bias=None, mask=None, scale=None, is_causal=False):
    """The gradient of jax.nn.dot_product_attention, where each row has a visible entry."""
    import jax
    seen = jax.numpy.ones((Q.shape[-2], K.shape[-2]), bool) if mask is None else mask
    seen = seen if bias is None else seen & (bias > -jax.numpy.inf)
    if not (jax.numpy.tril(seen) if is_causal else seen).any(axis=-1).all():
        raise NotOffered("a row without a visible entry, which contributes to the gradients")
    return jax.vjp(lambda *a: attention(*a, bias=bias, mask=mask, scale=scale,
                                        is_causal=is_causal), Q, K, V)[1](g)


def softmax_attention_gradient(g, Q, K, V, *, scale=None):
    """The gradient of attention in the usual form of JAX code."""
    import jax
    return jax.vjp(lambda *a: softmax_attention(*a, scale=scale), Q, K, V)[1](g)


def softmax_gradient(g, z, *, beta=1.0):
    """The gradient of jax.nn.softmax."""
    import jax
    return jax.vjp(lambda z: softmax(z, beta=beta), z)[1](g)[0]


def logsumexp_gradient(g, z, *, beta=1.0):
    """The gradient of jax.nn.logsumexp."""
    import jax
    return jax.vjp(lambda z: logsumexp(z, beta=beta), z)[1](g)[0]


HIDDEN = {("tolerance of gradients.maps.logsumexp", "infinite scores"):
          "where all scores are -inf it is NaN, that of hopref is 0"}
MASKED = Profile(mask="True shows; a bias", align="start",
                 empty_row="the mean of the values; NaN by a bias", scale="1/sqrt(d)",
                 inside="softmax in float32")
SINGLE = {"float64": "float64-single"}          # "softmax is always computed in float32"
PEERS = (
    Peer("jax.nn.dot_product_attention", "attention.softmax_attention",
         "jax.nn:dot_product_attention", "jax", call={"convention": "jax"}, within=SINGLE,
         expected=NO_EMPTY, profile=MASKED),
    Peer("jax.nn.dot_product_attention, gradient", "gradients.attention.softmax_attention",
         f"{__name__}:attention_gradient", "jax",
         call={"array": "jax", "lead": 2, "names": {"causal": "is_causal"}, "sizes": {"v": "d"},
               "given": {"align": "start", "empty_row": "undefined"},
               "returns": ("Q", "K", "V")}, within=SINGLE, expected=NO_EMPTY, profile=MASKED),
    Peer("jax.nn.softmax attention", "attention.softmax_attention",
         f"{__name__}:softmax_attention", "jax", call={"array": "jax"},
         profile=Profile(scale="1/sqrt(d)")),
    Peer("jax.nn.softmax attention, gradient", "gradients.attention.softmax_attention",
         f"{__name__}:softmax_attention_gradient", "jax",
         call={"array": "jax", "returns": ("Q", "K", "V")}, profile=Profile(scale="1/sqrt(d)")),
    Peer("jax.nn.softmax", "maps.softmax", f"{__name__}:softmax", "jax",
         call={"array": "jax", "given": {"empty_row": "undefined"}},
         profile=Profile(mask="True shows", empty_row="0; NaN if hidden by -inf")),
    Peer("jax.nn.softmax, gradient", "gradients.maps.softmax", f"{__name__}:softmax_gradient",
         "jax", call={"array": "jax", "returns": ("z",)}),
    Peer("jax.nn.logsumexp", "maps.logsumexp", f"{__name__}:logsumexp", "jax",
         call={"array": "jax"}),
    Peer("jax.nn.logsumexp, gradient", "gradients.maps.logsumexp",
         f"{__name__}:logsumexp_gradient", "jax", call={"array": "jax", "returns": ("z",)},
         expected=HIDDEN),
    Peer("jax.nn.standardize", "layers.layer_norm", f"{__name__}:standardize", "jax",
         call={"array": "jax"}, profile=Profile(eps="1e-5"),
         remark="Its variance is by default (algorithm=\"fast\") the mean square minus the square "
                "of the mean, which cancel where the mean is large: the variance of (1e8 - 1, "
                "1e8 + 1) in float64 is 0, and the result (-316.2, 316.2) in the place of "
                "(-0.999995, 0.999995)."),
)
