"""transformers: the functions by which its models compute attention."""
from types import SimpleNamespace

from hopref.check.peers.peer import NO_EMPTY, Peer, Profile

__all__ = ["PEERS"]

LLAMA = "transformers.models.llama.modeling_llama:eager_attention_forward"
BERT = "transformers.models.bert.modeling_bert:eager_attention_forward"
SDPA = "transformers.integrations.sdpa_attention:sdpa_attention_forward"


def sinks_of_gpt_oss(Q, K, V, sink, *, scale=None, attention_mask=None):
    """eager_attention_forward of GPT-OSS, with all leading axes as heads of one sequence."""
    from transformers.models.gpt_oss.modeling_gpt_oss import eager_attention_forward
    module = SimpleNamespace(sinks=sink.reshape(-1), num_key_value_groups=1, training=False)
    q, k, v = (x.reshape(1, -1, *x.shape[-2:]) for x in (Q, K, V))
    mask = None if attention_mask is None else attention_mask.reshape(
        1, -1, *attention_mask.shape[-2:])
    scale = K.shape[-1] ** -0.5 if scale is None else scale
    Z = eager_attention_forward(module, q, k, v, mask, scale)[0].transpose(1, 2)
    return Z.reshape(V.shape[:-2] + Z.shape[-2:])


def caps_of_gemma(module, query, key, value, attention_mask=None, *, softcap, scaling=None,
                  is_causal=False):
    """eager_attention_forward of Gemma 2, in a layer with heads of the dimension of the keys."""
    from transformers.models.gemma2.modeling_gemma2 import eager_attention_forward
    layer = SimpleNamespace(**vars(module), head_dim=key.shape[-1])
    return eager_attention_forward(layer, query, key, value, attention_mask, scaling=scaling,
                                   softcap=softcap)


def judged(name, target, *, like="attention.softmax_attention", within=(), empty_row="NaN",
           **profile):
    return Peer(f"transformers {name}", like, target, "transformers",
                needs=("torch",), call={"convention": "transformers"}, within=dict(within),
                expected=NO_EMPTY,
                profile=Profile(mask="a bias", scale="1/sqrt(d)", empty_row=empty_row,
                                **profile))


PEERS = (
    judged("sdpa_attention_forward", SDPA, empty_row="0"),
    judged("eager_attention_forward of Llama", LLAMA, inside="softmax in float32",
           within=[("float64", "float64-single")]),
    judged("eager_attention_forward of BERT", BERT),
    judged("eager_attention_forward of Gemma 2", f"{__name__}:caps_of_gemma",
           like="attention.softcapped_attention", inside="softmax in float32",
           within=[("float64", "float64-single")]),
    Peer("transformers eager_attention_forward of GPT-OSS", "sinks.attention",
         f"{__name__}:sinks_of_gpt_oss", "transformers", needs=("torch",),
         call={"array": "torch", "mask": "additive", "lead": 2,
               "names": {"mask": "attention_mask", "bias": "attention_mask"},
               "given": {"causal": False}}, expected=NO_EMPTY,
         profile=Profile(mask="a bias", scale="1/sqrt(d)", empty_row="0")),
)
