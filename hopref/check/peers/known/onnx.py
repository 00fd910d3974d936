"""onnx.reference: operators in the reference implementation of the standard."""
from hopref.check.peers.peer import Peer, Profile, Uncovered

__all__ = ["PEERS", "UNCOVERED"]

OPSET = 23


def evaluated(operator, *inputs, **attributes):
    """The first result of one operator in a model of its own."""
    from onnx import helper
    from onnx.reference import ReferenceEvaluator
    names = [f"input_{i}" for i in range(len(inputs))]
    kinds = [helper.np_dtype_to_tensor_dtype(a.dtype) for a in inputs]
    values = [helper.make_tensor_value_info(*pair, None) for pair in zip(names, kinds)]
    node = helper.make_node(operator, names, ["result"], **attributes)
    graph = helper.make_graph([node], operator, values, [
        helper.make_tensor_value_info("result", kinds[0], None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    return ReferenceEvaluator(model).run(None, dict(zip(names, inputs)))[0]


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


PEERS = (
    Peer("onnx.reference Attention", "attention.softmax_attention",
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
)
UNCOVERED = (
    Uncovered("onnx.reference LinearAttention", "onnx",
              "its rules (linear, gated, delta) are not operations of hopref yet"),
)
