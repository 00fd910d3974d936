"""transformers: the functions by which its models compute attention."""
from hopref.check.peers.peer import NO_EMPTY, Peer, Profile

__all__ = ["PEERS"]

LLAMA = "transformers.models.llama.modeling_llama:eager_attention_forward"
BERT = "transformers.models.bert.modeling_bert:eager_attention_forward"
SDPA = "transformers.integrations.sdpa_attention:sdpa_attention_forward"


def judged(name, target, *, within=(), empty_row="NaN", **profile):
    return Peer(f"transformers {name}", "attention.softmax_attention", target, "transformers",
                needs=("torch",), call={"convention": "transformers"}, within=dict(within),
                expected=NO_EMPTY,
                profile=Profile(mask="a bias", scale="1/sqrt(d)", empty_row=empty_row,
                                **profile))


PEERS = (
    judged("sdpa_attention_forward", SDPA, empty_row="0"),
    judged("eager_attention_forward of Llama", LLAMA, inside="softmax in float32",
           within=[("float64", "float64-single")]),
    judged("eager_attention_forward of BERT", BERT),
)
