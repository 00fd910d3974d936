"""keras.ops: attention and maps, by default on JAX in single precision."""
import os

from hopref.check.peers.peer import NO_EMPTY, Peer, Profile, Uncovered

__all__ = ["PEERS", "UNCOVERED"]


def operations():
    """keras.ops, on JAX unless KERAS_BACKEND names another library."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras.ops
    return keras.ops


def attention(query, key, value, *, bias=None, mask=None, scale=None, is_causal=False):
    """keras.ops.dot_product_attention."""
    return operations().dot_product_attention(query, key, value, bias=bias, mask=mask,
                                              scale=scale, is_causal=is_causal)


def softmax(z, *, beta=1.0):
    """keras.ops.softmax of beta z."""
    return operations().softmax(z.dtype.type(beta) * z, axis=-1)


def logsumexp(z, *, beta=1.0):
    """keras.ops.logsumexp of beta z, divided by beta."""
    return operations().logsumexp(z.dtype.type(beta) * z, axis=-1) / z.dtype.type(beta)


def sparsemax(z, *, beta=1.0):
    """keras.ops.sparsemax of beta z."""
    return operations().sparsemax(z.dtype.type(beta) * z, axis=-1)


def layer_normalization(x, *, gain=None, shift=None, eps=1e-5):
    """keras.ops.layer_normalization over the last axis."""
    return operations().layer_normalization(x, gamma=gain, beta=shift, axis=-1, epsilon=eps)


def judged(name, like, **fields):
    """A function of keras.ops, in the format that it has on JAX without further settings."""
    return Peer(f"keras.ops.{name}", like, f"{__name__}:{fields.pop('adapter', name)}", "keras",
                needs=("jax",), dtypes=("float32",), **fields)


PEERS = (
    judged("dot_product_attention", "attention.softmax_attention", adapter="attention",
           call={"convention": "keras"}, expected=NO_EMPTY,
           profile=Profile(mask="True shows, or a bias", align="start",
                           empty_row="the mean of the values; NaN by a bias", scale="1/sqrt(d)")),
    judged("softmax", "maps.softmax"),
    judged("logsumexp", "maps.logsumexp"),
    judged("sparsemax", "maps.sparsemax",
           remark="Its threshold is (the sum of all cumulative sums over the support - 1) / k, "
                  "where the definition has the last of them: of (0.6, 0, 0) it makes "
                  "(1/3, 0, 0), right is (11, 2, 2) / 15; the weights of "
                  "(0.1, 0.2, 0.3, 0.4) are all 0."),
    judged("layer_normalization", "layers.layer_norm", profile=Profile(eps="1e-3")),
)

UNCOVERED = (
    Uncovered("keras.ops.dot_product_attention, attn_logits_soft_cap", "keras",
              "it raises an error except for JAX on a TPU"),
)
