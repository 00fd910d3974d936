"""Laws of the layouts of attention: groups of heads, packed sequences, caches of keys."""
import numpy as np

from hopref.check.cases.draws import composed, integers, sampled
from hopref.check.cases.gated import gated_heads
from hopref.check.cases.heads import heads
from hopref.check.laws import equal, law
from hopref.check.laws.attention import FUTURE, first

__all__ = []

SOFTMAX, SINKS = "attention.softmax_attention", "sinks.attention"
CAPPED, SIGMOID = "attention.softcapped_attention", "sigmoid.attention"
SEQUENCES = (SOFTMAX, SINKS, CAPPED, SIGMOID)


@composed
def sequences(draw):
    """A sequence of two to five tokens, a scale, and where it is cut."""
    case = draw(heads(square=True, max_l=5))
    while len(case["Q"]) < 2:
        case = draw(heads(square=True, max_l=5))
    return case | {"cut": draw(integers(1, len(case["Q"]) - 1))}


@composed
def groups(draw):
    """Queries of a group of two or three heads that share keys and values."""
    case, heads_of_group = draw(heads()), draw(sampled([2, 3]))
    Q = np.stack([np.roll(case["Q"], i, axis=-1) * (1 + i) for i in range(heads_of_group)])
    return case | {"Q": Q}


def attend(f, Q, K, V, **how):
    """The implementation with a sink of 1/2 for each head, or with a cap of 2, where it has one."""
    if f.subject == SINKS:
        return f(Q, K, V, np.full(Q.shape[:-2], 0.5), **how)
    return f(Q, K, V, **({"softcap": 2.0} if f.subject == CAPPED else {}), **how)


@law(*SEQUENCES, id="GQ-1", over=groups(), kills=("softmax over the queries",))
def heads_that_share_keys_are_more_queries_of_one_head(f, Q, K, V, scale):
    """Keys repeated for each head of a group: the results are those of all its queries at once."""
    group, l, d = Q.shape
    Z = attend(f, Q, *(np.stack([x] * group) for x in (K, V)), scale=scale)
    yield equal(np.reshape(Z, (group * l, V.shape[-1])),
                attend(f, np.reshape(Q, (group * l, d)), K, V, scale=scale))


@law(*SEQUENCES, id="GQ-2", over=sequences(),
     kills=("mask ignored where causal is set", "mask ignored", "hidden scores set to -10",
            "offset of -log n of the keys that are given", "hidden scores capped"))
def packed_sequences_are_separate_ones(f, Q, K, V, scale, cut):
    """A causal mask with blocks gives each sequence the results that it has alone."""
    part = np.arange(len(Q)) < cut
    Z = attend(f, Q, K, V, scale=scale, causal=True, mask=part[:, None] == part)
    for rows in (part, ~part):
        yield equal(Z[rows], attend(f, Q[rows], K[rows], V[rows], scale=scale, causal=True))


@law("gated.linear_attention", id="GQ-2, GD-8", over=gated_heads(least=2),
     kills=("gates shifted by one token", "decay after the write"))
def a_memory_erased_at_the_first_token_of_a_sequence_is_a_new_one(f, Q, K, V, rule, S, **gates):
    """With log_decay = -inf there, the results of a sequence do not depend on those before it."""
    cut = len(Q) // 2
    erased = gates["log_decay"] + np.where(np.arange(len(Q)) == cut, -np.inf, 0.0)
    Z = first(f(Q, K, V, rule=rule, S=S, **gates | {"log_decay": erased}))
    alone = f(Q[cut:], K[cut:], V[cut:], rule=rule, **{k: x[cut:] for k, x in gates.items()})
    yield equal(Z[cut:], first(alone))


@law(*SEQUENCES, id="GQ-3", over=sequences(),
     kills=("causal aligned to the start", FUTURE,
            "offset of -log n of the keys that are given"))
def prefill_is_decoding_piece_by_piece(f, Q, K, V, scale, cut):
    """Queries that come later, with the keys so far: the last query sees the last key."""
    whole = attend(f, Q, K, V, scale=scale, causal=True)
    for start, stop in ((0, cut), (cut, len(Q)), (len(Q) - 1, len(Q))):
        piece = attend(f, Q[start:stop], K[:stop], V[:stop], scale=scale, causal=True)
        yield equal(piece, whole[start:stop])


@law(*SEQUENCES, id="GQ-3", over=sequences(),
     kills=("mask ignored", "hidden scores set to -10", "hidden scores capped"))
def a_window_needs_the_last_keys_alone(f, Q, K, V, scale, cut):
    """With a window of w keys, a cache of the last w suffices for the last query."""
    i = np.arange(len(Q))
    seen = (i[:, None] >= i) & (i[:, None] - i < cut)
    yield equal(attend(f, Q, K, V, scale=scale, mask=seen)[-1:],
                attend(f, Q[-1:], K[-cut:], V[-cut:], scale=scale))
