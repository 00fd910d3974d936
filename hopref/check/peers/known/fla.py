"""fla (flash-linear-attention): its references in plain torch, called naive."""
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.peer import Peer, Profile, Uncovered

__all__ = ["PEERS", "UNCOVERED"]


def attention(q, k, v, *, scale=None, causal=False):
    """fla.ops.attn.naive.naive_parallel_attn, without a window, gates or sinks."""
    from fla.ops.attn.naive import naive_parallel_attn
    return naive_parallel_attn(q, k, v, scale=scale, causal=causal)[0]


# -- gates and the delta rule: chunks form differences of sums of logs -----------------------------

def summable(gates):
    """Logs of decays whose sums are finite."""
    if bool(gates.isinf().any()):
        raise NotOffered("sums of logs of which one is -inf")
    return gates


def simple_gla_by_chunks(q, k, v, g, *, scale=None, initial_state=None, output_final_state=True):
    """fla.ops.simple_gla.naive.naive_chunk_simple_gla."""
    from fla.ops.simple_gla.naive import naive_chunk_simple_gla
    return naive_chunk_simple_gla(q, k, v, summable(g), initial_state, output_final_state,
                                  scale=scale)


def gated_delta_rule_by_chunks(q, k, v, g, beta, *, scale=None, initial_state=None,
                               output_final_state=True):
    """fla.ops.gated_delta_rule.naive.naive_chunk_gated_delta_rule."""
    from fla.ops.gated_delta_rule.naive import naive_chunk_gated_delta_rule
    return naive_chunk_gated_delta_rule(q, k, v, summable(g), beta, scale=scale,
                                        initial_state=initial_state,
                                        output_final_state=output_final_state)


HEADS = {"Q": "b l h d", "K": "b s h d", "V": "b s h v", "out": "b l h v"}
CAUSAL = {"array": "torch", "returns": ("0",), "fixed": {"normalize": True, "scale": 1.0},
          "given": {"eps": 1e-10},
          "layout": {"phi_q": "b l h r", "phi_k": "b l h r", "V": "b l h v", "out": "b l h v"}}
NAMES = {"log_gates": "gk", "S": "initial_state"}


def gated(name, rule, target="", **call):
    """The declaration of a rule: fla.ops.MODULE.naive:FUNCTION, where there is no adapter."""
    module = name.removeprefix("naive_").removeprefix("recurrent_").removesuffix("_recurrence")
    target = f"{__name__}:{target}" if target else f"fla.ops.{module}.naive:{name}"
    return Peer(f"fla {name}", "gated.linear_attention", target, "fla", "flash-linear-attention",
                call={"given": {"rule": rule}, **(call or {"convention": "fla"})},
                dtypes=("float32",),            # of its final memory
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
    gated("naive_recurrent_gla", "linear", convention="fla-gates", names=NAMES),
    gated("naive_recurrent_simple_gla", "linear"),
    gated("naive_chunk_simple_gla", "linear", "simple_gla_by_chunks"),
    gated("delta_rule_recurrence", "delta", array="torch", lead=2,
          names={"S": "initial_state"}, fixed={"output_final_state": True}),
    gated("naive_recurrent_gated_delta_rule", "delta"),
    gated("naive_chunk_gated_delta_rule", "delta", "gated_delta_rule_by_chunks"),
    gated("naive_recurrent_kda", "delta", convention="fla-gates"),
)

UNCOVERED = (
    Uncovered("fla naive_retention", "fla", "the number of a head fixes its decay"),
    Uncovered("fla naive_parallel_based", "fla",
              "features and attention in one, which are two operations of hopref"),
)
