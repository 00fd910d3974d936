"""fla (flash-linear-attention): its references in plain torch, called naive."""
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def attention(q, k, v, *, scale=None, causal=False):
    """fla.ops.attn.naive.naive_parallel_attn, without a window, gates or sinks."""
    from fla.ops.attn.naive import naive_parallel_attn
    return naive_parallel_attn(q, k, v, scale=scale, causal=causal)[0]


# -- gates and the delta rule: (batch, length, heads, dimension); gates are logs -------------------

def summable(gates):
    """The logs of decays, whose differences are formed from sums."""
    if bool(gates.isinf().any()):
        raise NotOffered("sums of logs of which one is -inf")
    return gates


def gla(q, k, v, *, log_gates=None, S=None):
    """fla.ops.gla.naive.naive_recurrent_gla; without gates they are 0."""
    from fla.ops.gla.naive import naive_recurrent_gla
    gates = k.new_zeros(k.shape) if log_gates is None else log_gates
    return naive_recurrent_gla(q, k, v, gates, S, True)


def simple_gla(q, k, v, *, log_decay=None, scale=None, S=None):
    """fla.ops.simple_gla.naive.naive_recurrent_simple_gla."""
    from fla.ops.simple_gla.naive import naive_recurrent_simple_gla
    decay = k.new_zeros(k.shape[:-1]) if log_decay is None else log_decay
    return naive_recurrent_simple_gla(q, k, v, decay, scale, S, True)


def simple_gla_by_chunks(q, k, v, *, log_decay=None, scale=None, S=None):
    """fla.ops.simple_gla.naive.naive_chunk_simple_gla."""
    from fla.ops.simple_gla.naive import naive_chunk_simple_gla
    decay = k.new_zeros(k.shape[:-1]) if log_decay is None else summable(log_decay)
    return naive_chunk_simple_gla(q, k, v, decay, S, True, scale=scale)


def delta_rule(q, k, v, *, beta, S=None):
    """fla.ops.delta_rule.naive.delta_rule_recurrence; heads before the length."""
    from fla.ops.delta_rule.naive import delta_rule_recurrence
    return delta_rule_recurrence(q, k, v, beta, S)


def gated_delta_rule(q, k, v, *, beta, log_decay=None, scale=None, S=None):
    """fla.ops.gated_delta_rule.naive.naive_recurrent_gated_delta_rule."""
    from fla.ops.gated_delta_rule.naive import naive_recurrent_gated_delta_rule
    decay = k.new_zeros(k.shape[:-1]) if log_decay is None else log_decay
    return naive_recurrent_gated_delta_rule(q, k, v, beta, decay, scale, S, True)


def gated_delta_rule_by_chunks(q, k, v, *, beta, log_decay=None, scale=None, S=None):
    """fla.ops.gated_delta_rule.naive.naive_chunk_gated_delta_rule."""
    from fla.ops.gated_delta_rule.naive import naive_chunk_gated_delta_rule
    decay = k.new_zeros(k.shape[:-1]) if log_decay is None else summable(log_decay)
    return naive_chunk_gated_delta_rule(q, k, v, decay, beta, scale=scale, initial_state=S,
                                        output_final_state=True)


def kda(q, k, v, *, beta, log_gates=None, scale=None, S=None):
    """fla.ops.kda.naive.naive_recurrent_kda."""
    from fla.ops.kda.naive import naive_recurrent_kda
    gates = k.new_zeros(k.shape) if log_gates is None else log_gates
    return naive_recurrent_kda(q, k, v, gates, beta, scale, S, True)


HEADS = {"Q": "b l h d", "K": "b s h d", "V": "b s h v", "out": "b l h v"}
CAUSAL = {"array": "torch", "returns": ("0",), "fixed": {"normalize": True, "scale": 1.0},
          "given": {"eps": 1e-10},
          "layout": {"phi_q": "b l h r", "phi_k": "b l h r", "V": "b l h v", "out": "b l h v"}}
TOKENS = {"Q": "b l h d", "K": "b l h d", "V": "b l h v", "log_decay": "b l h",
          "log_gates": "b l h d", "beta": "b l h", "out": "b l h v"}


def gated(function, adapter, rule):
    """The declaration of one of the adapters above."""
    call = {"array": "torch", "lead": 2, "given": {"rule": rule}}
    call |= {} if adapter == "delta_rule" else {"layout": TOKENS}
    return Peer(f"fla {function}", "gated.linear_attention", f"{__name__}:{adapter}", "fla",
                "flash-linear-attention", call=call, dtypes=("float32",),   # of its final memory
                profile=Profile(scale="1/sqrt(d)", inside="float32"))


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
    gated("naive_recurrent_gla", "gla", "linear"),
    gated("naive_recurrent_simple_gla", "simple_gla", "linear"),
    gated("naive_chunk_simple_gla", "simple_gla_by_chunks", "linear"),
    gated("delta_rule_recurrence", "delta_rule", "delta"),
    gated("naive_recurrent_gated_delta_rule", "gated_delta_rule", "delta"),
    gated("naive_chunk_gated_delta_rule", "gated_delta_rule_by_chunks", "delta"),
    gated("naive_recurrent_kda", "kda", "delta"),
)
