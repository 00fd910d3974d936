"""Laws of gated linear attention: its chunks, its kernel, its memory, the loss that it lowers."""
import numpy as np

from hopref.check.cases.draws import composed, integers
from hopref.check.cases.gated import gated_heads, orthonormal_keys
from hopref.check.cases.heads import feature_heads
from hopref.check.laws import equal, law
from hopref.check.laws.attention import first

__all__ = []

OP = "gated.linear_attention"
STEEP = 2.0**8          # e^-512 for some tokens: the inverses of few such decays are out of range


def cumulated(log_decay, log_gates):
    """Sums of the logs of all decays up to each token, for each entry of a key."""
    return np.tri(log_gates.shape[0]) @ (log_decay[:, None] + log_gates)


def kernel(Q, K, G):
    """sum_c q_tc k_sc e^(G_tc - G_sc) for s <= t, where no exponent is positive."""
    past = np.tri(K.shape[0], dtype=bool)[..., None]
    factors = np.exp(np.where(past, G[:, None] - G[None], 0.0))
    return np.tril(np.sum(Q[:, None] * K[None] * factors, axis=-1))


def solved(A, B):
    """U with U + A U = B, for A with zeros on and above the diagonal."""
    rows = []
    for t in range(A.shape[0]):
        rows.append(B[t] - sum((A[t, s] * rows[s] for s in range(t)), start=0.0))
    return np.stack(rows)


def in_one_chunk(Q, K, V, log_decay, log_gates, beta, S, rule):
    """The results, unscaled, and the final memory, by products over the whole sequence."""
    G, erased = cumulated(log_decay, log_gates), beta[:, None] * float(rule == "delta")
    e, A = np.exp(G), np.tril(kernel(K, K, G), -1)
    U = solved(erased * A, beta[:, None] * V - erased * ((e * K) @ S))
    return (e * Q) @ S + kernel(Q, K, G) @ U, \
        e[-1][:, None] * S + (np.exp(G[-1] - G) * K).T @ U


@law(OP, id="GD-1, GD-3", over=gated_heads(),
     kills=("decay after the write", "prediction of the memory before its decay",
            "memory read before the write", "gates shifted by one token",
            "prediction erased without the strength of the write",
            "values written in place of errors", "memory passed in is dropped",
            "decay in place of its logarithm", "gates of the entries ignored",
            "memory holds scaled keys"))
def the_writes_of_a_chunk_solve_a_triangular_system(f, Q, K, V, rule, S, **gates):
    """U = (I + tril(beta A, -1))^-1 (beta V - beta e^G K S), O = e^G Q S + tril(B) U: results and
    memory of the recurrence, where A and B are products with the factors e^(G_t - G_s)."""
    answer = f(Q, K, V, rule=rule, scale=0.5, S=S, **gates)
    O, S = in_one_chunk(Q, K, V, **gates, S=S, rule=rule)
    yield equal(first(answer), 0.5 * O, "results")
    if isinstance(answer, tuple) and len(answer) == 2:
        yield equal(answer[1], S, "memory")


@law(OP, id="GD-2, GD-10", over=gated_heads(rules=("linear",), steep=STEEP),
     kills=("factors e^G and e^-G apart", "decay after the write", "gates shifted by one token"))
def decays_far_beyond_the_range_of_numbers_have_no_inverse(f, Q, K, V, rule, S, **gates):
    """O = (Q K^T o L) beta V with L_ts = e^(G_t - G_s), for sums G down to -2000 and below."""
    G, beta = cumulated(gates["log_decay"], gates["log_gates"]), gates["beta"]
    O = kernel(Q, K, G) @ (beta[:, None] * V)
    yield equal(first(f(Q, K, V, rule=rule, scale=1.0, **gates)), O)


@law(OP, id="GD-1", over=feature_heads(square=True),
     kills=("denominator of kernel attention", "memory read before the write",
            "1/sqrt(v) in place of 1/sqrt(d)"))
def without_gates_it_is_the_numerator_of_causal_attention(f, phi_q, phi_k, V):
    """A column of ones among the values holds the denominator; sqrt(d) restores the scale."""
    values = np.concatenate([np.ones((V.shape[0], 1)), V], axis=-1)
    O = first(f(phi_q, phi_k, values)) * np.sqrt(np.longdouble(phi_k.shape[-1]))
    A = np.tril(phi_q @ phi_k.T)
    yield equal(O, A @ values)


@composed
def cut_sequences(draw):
    """A sequence of at least two tokens, and where it is cut."""
    case = draw(gated_heads(least=2))
    return case | {"cut": draw(integers(1, len(case["Q"]) - 1))}


@law(OP, id="GD-8", over=cut_sequences(),
     kills=("memory passed in is dropped", "memory holds scaled keys",
            "memory without its last token"))
def a_gated_sequence_may_be_cut_anywhere(f, Q, K, V, rule, cut, S, **gates):
    """With the memory after the first tokens, the results of the others and the final memory are
    those of the whole sequence; those of the first do not depend on the others."""
    whole = f(Q, K, V, rule=rule, S=S, **gates)
    if not isinstance(whole, tuple) or len(whole) < 2:
        return
    head, tail = ({k: x[rows] for k, x in gates.items()} for rows in (slice(cut),
                                                                      slice(cut, None)))
    O, S = f(Q[:cut], K[:cut], V[:cut], rule=rule, S=S, **head)
    more, S = f(Q[cut:], K[cut:], V[cut:], rule=rule, S=S, **tail)
    yield equal(np.concatenate([O, more]), whole[0], "results")
    yield equal(S, whole[1], "memory")


@law(OP, id="GD-8", over=cut_sequences(),
     kills=("strength of the write ignored", "decay in place of its logarithm"))
def a_token_without_decay_and_write_leaves_the_memory_as_it_is(f, Q, K, V, rule, cut, S, **gates):
    """Padding with log_decay = 0 and beta = 0, wherever it is."""
    at = [*range(cut), cut, *range(cut, Q.shape[0])]
    kept = np.array([i != cut for i in range(len(at))])
    padded = {k: np.where(kept.reshape(-1, *(1,) * (x.ndim - 1)), x[at], 0.0)
              for k, x in gates.items()}
    whole = f(Q, K, V, rule=rule, S=S, **gates)
    more = f(Q[at], K[at], V[at], rule=rule, S=S, **padded)
    yield equal(first(more)[kept], first(whole), "results")
    if isinstance(whole, tuple) and len(whole) == 2:
        yield equal(more[1], whole[1], "memory")


@law(OP, id="GD-6", over=gated_heads(most=1, rules=("delta",)),
     kills=("prediction of the memory before its decay", "values written in place of errors",
            "prediction erased without the strength of the write", "keys divided by their length"))
def a_write_is_a_gradient_step_on_the_loss_of_its_token(f, Q, K, V, rule, S, log_decay, log_gates,
                                                        beta):
    """v - S_t^T k = (1 - beta |k|^2) (v - S^T k) for the decayed memory S; the loss |v - S^T k|^2/2
    decreases by beta |k|^2 (2 - beta |k|^2) times its value."""
    answer = f(Q, K, V, rule=rule, S=S, log_decay=log_decay, log_gates=log_gates, beta=beta)
    if not isinstance(answer, tuple) or len(answer) < 2:
        return
    before = V - K @ (np.exp(log_decay[:, None] + log_gates).T * S)
    after, share = V - K @ answer[1], beta[:, None] * np.sum(K * K, axis=-1, keepdims=True)
    yield equal(after, (1 - share) * before, "error")
    loss, left = (np.sum(error * error, axis=-1) / 2 for error in (before, after))
    yield equal(loss - left, (share * (2 - share))[:, 0] * loss, "loss")


@law(OP, id="GD-4", over=gated_heads(rules=("delta",)),
     kills=("prediction erased without the strength of the write",
            "values written in place of errors", "keys divided by their length"))
def erasures_are_a_product_of_rank_one_changes(f, Q, K, V, rule, S, beta, **gates):
    """Without values and gates the memory is S times I - beta_t k_t k_t^T, one after the other."""
    answer = f(Q, K, 0.0 * V, rule=rule, S=S, beta=beta)
    for t in range(K.shape[0]):
        S = S - beta[t] * K[t][:, None] * (K[t] @ S)
    if isinstance(answer, tuple) and len(answer) == 2:
        yield equal(answer[1], S)


@law(OP, id="GD-9", over=orthonormal_keys(),
     kills=("keys of the past erased",))
def orthonormal_keys_are_not_in_the_way_of_each_other(f, Q, K, V):
    """With beta = 1 both rules write the same memory, and each key reads its own value."""
    linear, delta = (f(Q, K, V, rule=rule) for rule in ("linear", "delta"))
    yield equal(first(linear), first(delta), "results")
    root = np.sqrt(np.longdouble(K.shape[-1]))
    yield equal(first(delta)[-1], (Q[-1] @ K.T) @ V / root, "last result")


@law(OP, id="GD-9", over=gated_heads(),
     kills=("decay after the write", "gates shifted by one token"))
def an_erased_memory_holds_the_newest_pair_alone(f, Q, K, V, rule, S, beta, **gates):
    """With log_decay = -inf at each token: o_t = (q_t.k_t) beta_t v_t, for both rules."""
    O = first(f(Q, K, V, rule=rule, S=S, beta=beta, scale=1.0,
                log_decay=np.full(K.shape[0], -np.inf)))
    yield equal(O, np.sum(Q * K, axis=-1, keepdims=True) * beta[:, None] * V)
