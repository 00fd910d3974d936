"""Laws of softmax attention, and those that all kinds of attention share."""
import numpy as np

from hopref.check.cases.heads import heads, stacked
from hopref.check.laws import at_most, equal, law

FUTURE = "causal mask off by one: the next key is seen"
OWN = "causal mask off by one: the own key is hidden"


def plain(options):
    """Whether nothing is hidden and no state comes in."""
    return not {"mask", "bias", "causal", "S", "z", "c", "sign_q", "sign_k", "eps", "guard"} \
        & set(options)


def softmax(z, seen=True):
    """Softmax over the visible keys; 0 where there are none."""
    z = np.where(seen, z, -np.inf)
    top = np.max(z, axis=-1, keepdims=True)
    any_seen = np.broadcast_to(np.any(seen, axis=-1, keepdims=True), top.shape)
    e = np.exp(z - np.where(any_seen, top, 0.0))
    return e / np.where(any_seen, np.sum(e, axis=-1, keepdims=True), 1.0)


def scores(Q, K, scale):
    return Q @ K.T / np.sqrt(np.longdouble(K.shape[-1])) if scale is None else scale * (Q @ K.T)


# -- the attention matrix --------------------------------------------------------------------------

@law("attention.softmax_attention", "attention.softmax_weights", id="AT-1",
     over=heads(masked=True),
     kills=("scale missing", "scale 1/d in place of 1/sqrt(d)", "scale argument ignored",
            "mask applied after the softmax", "mask inverted", "bias scaled like the scores",
            "bias ignored", "softmax over the queries", "weights not normalised"))
def an_answer_is_the_softmax_weighted_mean_of_the_values_seen(f, Q, K, V, scale, mask):
    """A = softmax(s Q K^T + B) over the visible keys, and Z = A V."""
    bias = (Q[:, :1] - K[:, 0]) / 2
    A = softmax(scores(Q, K, scale) + bias, mask)
    how = {"scale": scale, "mask": mask, "bias": bias}
    yield equal(f.attention.softmax_weights(Q, K, **how), A, "weights")
    yield equal(f.attention.softmax_attention(Q, K, V, **how), A @ V, "answers")


@law("attention.softmax_logsumexp", id="AT-1, MO-1", over=heads(masked=True),
     kills=("scale missing", "hidden keys counted", "bias ignored", "logarithm to the base 2",
            "maximum not added again", "mean in place of the sum"))
def logarithms_of_denominators_merge(f, Q, K, V, scale, mask):
    """L = ln sum_j e^z_ij over the visible keys; that of all keys is that of two halves, added as
    logarithms, and -inf is that of none."""
    bias = (Q[:, :1] - K[:, 0]) / 2
    how, half = {"scale": scale, "bias": bias}, max(1, len(K) // 2)
    z = np.where(mask, scores(Q, K, scale) + bias, -np.inf)
    top = np.max(z, axis=-1)
    yield equal(f(Q, K, mask=mask, **how), top + np.log(np.sum(np.exp(z - top[:, None]), axis=-1)))
    halves, both = (slice(half), slice(-1, None)), [*range(half), len(K) - 1]
    parts = [f(Q, K[rows], scale=scale, bias=bias[:, rows]) for rows in halves]
    larger = np.maximum(*parts)
    joined = larger + np.log(sum(np.exp(part - larger) for part in parts))
    yield equal(f(Q, K[both], scale=scale, bias=bias[:, both]), joined, "halves")
    yield equal(f(Q, K, mask=np.zeros(mask.shape, bool), **how), -np.inf, "no key")


@law("attention.softmax_weights", "attention.linear_weights", id="AT-1",
     kills=("mask applied after the softmax", "weights not normalised", "denominator missing",
            "normalised over the queries"))
def rows_of_weights_sum_to_one(f, *operands, **options):
    """Every row of the attention matrix sums to 1, or to 0 without visible keys."""
    total = np.sum(f(*operands, **options), axis=-1)
    yield equal(total, np.where(total.value != 0, 1.0, 0.0))


@law("attention.softmax_attention", "attention.linear_attention", "performer.attention", id="AT-1",
     kills=("mask applied after the softmax", "padding masks V only", "weights not normalised",
            "denominator eps 1e-4", "denominator missing"))
def equal_values_are_the_answer(f, Q, K, V, *rest, **options):
    """V = 1 gives 1 for every query with a visible key."""
    if not {"S", "z", "eps"} & set(options):
        Z = f(Q, K, np.ones(V.shape), *rest, **options)
        yield equal(Z, np.where(Z.value != 0, 1.0, 0.0))


@law("attention.softmax_attention", id="AT-1", over=heads(masked=True),
     kills=("weights not normalised", "query added to the answer"))
def an_answer_lies_among_the_values_seen(f, Q, K, V, scale, mask):
    """Every component is between the smallest and the largest of the visible values."""
    Z = f(Q, K, V, scale=scale, mask=mask)
    for i, seen in enumerate(mask):
        yield at_most(Z[i], np.max(V[seen], axis=0), "below the largest")
        yield at_most(np.min(V[seen], axis=0), Z[i], "above the smallest")


@law("attention.softmax_attention", id="MH-13", over=heads(scales=(0.5, 2.0)),
     kills=("scale missing", "scale argument ignored", "softmax over the queries"))
def with_patterns_for_keys_and_values_it_is_hopfield_retrieval(f, Q, K, V, scale):
    """softmax(beta Q X^T) X is `modern.update` with the states Q."""
    yield equal(f.attention.softmax_attention(Q, K, K, scale=scale),
                f.modern.update(Q, K, beta=scale))


# -- hidden keys -----------------------------------------------------------------------------------

@law("attention.softmax_attention", "attention.linear_attention", "performer.attention", id="AT-1",
     kills=("mask applied after the softmax", "mask ignored", "mask inverted",
            "padding masks V only", "hidden scores set to -10", "hidden scores set to 0"))
def a_hidden_key_is_an_absent_key(f, Q, K, V, *rest, **options):
    """The result with the last key masked is that without the last key."""
    if not plain(options) or K.shape[-2] < 2:
        return
    seen = np.arange(K.shape[-2]) < K.shape[-2] - 1
    hidden = f(Q, K, V, *rest, mask=np.array(np.broadcast_to(seen, mask_shape(f, Q, K))), **options)
    yield equal(hidden, f(Q, K[..., :-1, :], V[..., :-1, :], *rest, **options))


def mask_shape(f, Q, K):
    """One entry a key, or for softmax attention one a query and key."""
    per_key = f.op.arrays["mask"][-2:] != ("l", "s")
    return K.shape[:-1] if per_key else (*Q.shape[:-1], K.shape[-2])


@law("attention.softmax_attention", id="AT-1", over=heads(masked=True), kills=("bias ignored",))
def a_bias_of_minus_infinity_hides_a_key(f, Q, K, V, scale, mask):
    """f(bias = -inf where hidden) = f(mask)."""
    bias = np.where(mask, 0.0, -np.inf)
    yield equal(f(Q, K, V, scale=scale, bias=bias), f(Q, K, V, scale=scale, mask=mask))


@law("attention.softmax_attention", "attention.log_linear_attention", id="AT-1",
     over=heads(scales=(None,)),
     kills=("fully masked rows answer the mean", "fully masked rows answer NaN"))
def a_query_that_sees_nothing_has_a_stated_answer(f, Q, K, V, scale):
    """0 by default, NaN on request."""
    none = np.zeros(mask_shape(f, Q, K), bool)
    yield equal(f(Q, K, V, mask=none), 0.0, "zeros")
    yield equal(f(Q, K, V, mask=none, empty_row="nan"), np.nan, "nan")


@law("attention.softmax_attention", "attention.softmax_weights", id="AT-1", over=heads(masked=True),
     kills=(FUTURE, OWN, "causal aligned to the start", "causal flag ignored",
            "mask ignored where causal is set"))
def a_causal_query_sees_up_to_its_own_position(f, Q, K, V, scale, mask):
    """The last query is aligned with the last key, on request the first with the first; a mask
    hides further keys."""
    l, s = len(Q), len(K)
    for align, past in (("end", np.tri(l, s, s - l, bool)), ("start", np.tri(l, s, 0, bool))):
        A = softmax(scores(Q, K, scale), past & mask)
        how = {"scale": scale, "causal": True, "mask": mask, "align": align}
        yield equal(f.attention.softmax_weights(Q, K, **how), A, f"weights, {align}")
        yield equal(f.attention.softmax_attention(Q, K, V, **how), A @ V, f"answers, {align}")


@law("attention.softmax_attention", id="AT-3", kills=(FUTURE, "causal flag ignored"))
def causal_answers_of_the_first_tokens_are_those_of_the_whole(f, Q, K, V, **options):
    """Causal attention of the first tokens equals the first rows of that of all tokens."""
    n = min(Q.shape[-2], K.shape[-2])
    if not plain(options) or n < 3:
        return
    Q, K, V = Q[..., :n, :], K[..., :n, :], V[..., :n, :]
    whole = f(Q, K, V, causal=True, **options)
    part = f(Q[..., :-1, :], K[..., :-1, :], V[..., :-1, :], causal=True, **options)
    yield equal(whole[..., :-1, :], part)


# -- symmetries ------------------------------------------------------------------------------------

@law("attention.softmax_attention", id="AT-1, GQ-4",
     kills=("keys and values out of step", "softmax over the queries"))
def keys_come_in_any_order_and_queries_keep_theirs(f, Q, K, V, **options):
    """Keys permuted together with their values give the same result; the result of a query is the
    same alone."""
    if plain(options):
        Z = f(Q, K, V, **options)
        yield equal(f(Q, K[..., ::-1, :], V[..., ::-1, :], **options), Z, "keys")
        yield equal(f(Q[..., :1, :], K, V, **options), Z[..., :1, :], "queries")


@law("attention.softmax_attention", id="AT-1", kills=("scale applied twice",))
def scaling_queries_and_keys_is_scaling_the_scale(f, Q, K, V, *, scale=None, **options):
    """f(2 Q, 2 K; s / 4) = f(Q, K; s)."""
    if scale is not None:
        yield equal(f(2 * Q, 2 * K, V, scale=scale / 4, **options),
                    f(Q, K, V, scale=scale, **options))


@law("attention.softmax_attention", "attention.softmax_weights", id="AT-1", over=heads(),
     kills=("maximum taken before the bias is added",))
def a_row_of_scores_may_be_shifted(f, Q, K, V, scale):
    """f(bias_ij = b_i) = f, for |b_i| as large as 32768."""
    bias = np.linspace(-32768, 32768, len(Q))[:, None] + np.zeros(len(K))
    how = {"scale": scale, "bias": bias}
    yield equal(f.attention.softmax_weights(Q, K, **how), softmax(scores(Q, K, scale)), "weights")
    yield equal(f.attention.softmax_attention(Q, K, V, **how),
                f.attention.softmax_attention(Q, K, V, scale=scale), "answers")


@law("attention.softmax_attention", "attention.linear_attention",
     "attention.causal_linear_attention", "attention.log_linear_attention", id="AT-1",
     over=stacked(),
     kills=("one maximum subtracted from all heads", "keys of all heads summed"))
def leading_axes_are_independent_problems(f, q, k, V):
    """Each of three heads, the first 256 times as large, has the same result as alone."""
    together = first(f(q, k, V))
    for i in range(len(V)):
        yield equal(together[i], first(f(q[i], k[i], V[i])))


def first(answer):
    return answer[0] if isinstance(answer, tuple) else answer
