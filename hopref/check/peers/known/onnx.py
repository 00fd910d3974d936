"""onnx.reference: operators in the reference implementation of the standard."""
import numpy as np

from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]

OPSET, LINEAR_OPSET = 23, 27


def evaluated(operator, *inputs, **attributes):
    """The first result of one operator in a model of its own."""
    return all_evaluated(operator, inputs, 1, OPSET, **attributes)[0]


def all_evaluated(operator, inputs, results, opset, **attributes):
    """The results of one operator in a model of its own; an input of None is left out."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator
    given = {f"input_{i}": a for i, a in enumerate(inputs) if a is not None}
    names = [f"input_{i}" if a is not None else "" for i, a in enumerate(inputs)]
    kinds = {name: helper.np_dtype_to_tensor_dtype(a.dtype) for name, a in given.items()}
    values = [helper.make_tensor_value_info(*pair, None) for pair in kinds.items()]
    outputs = [f"result_{i}" for i in range(results)]
    node = helper.make_node(operator, names, outputs, **attributes)
    graph = helper.make_graph([node], operator, values, [
        helper.make_tensor_value_info(name, kinds["input_0"], None) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return ReferenceEvaluator(model).run(None, given)


def softmax(z, *, beta=1.0):
    """The operator Softmax of beta z."""
    return evaluated("Softmax", z.dtype.type(beta) * z, axis=-1)


def logsumexp(z, *, beta=1.0):
    """The operator ReduceLogSumExp of beta z, divided by beta."""
    return evaluated("ReduceLogSumExp", z.dtype.type(beta) * z,
                     keepdims=0)[...] / z.dtype.type(beta)


def layer_normalization(x, gain, shift, *, eps=1e-5):
    """The operator LayerNormalization over the last axis."""
    return evaluated("LayerNormalization", x, gain, shift, axis=-1, epsilon=eps)


def packed(x):
    """(batch, heads, length, dimension) as (batch, length, heads times dimension)."""
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


def linear_attention(Q, K, V, *, log_decay=None, log_gates=None, beta=None, rule="linear",
                     scale=None, S=None):
    """The operator LinearAttention of arrays (batch, heads, length, dimension)."""
    if rule == "linear" and beta is not None:
        raise NotOffered("strengths of writes without a correction")
    if 0 in Q.shape:
        raise NotOffered("arrays without entries")
    if rule == "delta" and beta is None:
        beta = np.ones_like(Q[..., 0])
    decay = None if log_decay is None else log_decay[..., None]
    if log_gates is not None:
        decay = log_gates + (0 if decay is None else decay)
    name = rule if decay is None else {"linear": "gated", "delta": "gated_delta"}[rule]
    O, state = all_evaluated(
        "LinearAttention", [packed(Q), packed(K), packed(V), S,
                            None if decay is None else packed(decay),
                            None if beta is None else packed(beta[..., None])],
        2, LINEAR_OPSET, q_num_heads=Q.shape[1], kv_num_heads=Q.shape[1], update_rule=name,
        **({} if scale is None else {"scale": scale}))
    return O.reshape(*V.shape[:1], V.shape[2], V.shape[1], -1).swapaxes(1, 2), state


PEERS = (
    Peer("onnx.reference Attention", "attention.softmax_attention",
         "onnx.reference.ops.op_attention:_compute_attention", "onnx",
         call={"convention": "onnx"},
         profile=Profile(mask="True shows, or a bias", align="start", empty_row="0",
                         scale="1/sqrt(d)")),
    Peer("onnx.reference Attention, softcap", "attention.softcapped_attention",
         "onnx.reference.ops.op_attention:_compute_attention", "onnx",
         call={"convention": "onnx"},
         profile=Profile(mask="True shows, or a bias", align="start", empty_row="0",
                         scale="1/sqrt(d)")),
    Peer("onnx.reference Softmax", "maps.softmax", f"{__name__}:softmax", "onnx"),
    Peer("onnx.reference LayerNormalization", "layers.layer_norm",
         f"{__name__}:layer_normalization", "onnx", call={"names": {"gain": "gain",
                                                                    "shift": "shift"}},
         dtypes=("float32",),           # its attribute epsilon has single precision
         profile=Profile(eps="1e-5, an attribute in float32", inside="float32 (stash_type)")),
    Peer("onnx.reference LinearAttention", "gated.linear_attention",
         f"{__name__}:linear_attention", "onnx", call={"lead": 2},
         within={"float64": "float64-single"},
         profile=Profile(scale="1/sqrt(d)", inside="float32")),
)
