"""Laws of softmax attention and of linear attention with its state."""
import numpy as np

from hopref.check.laws import at_most, equal, law

CAUSAL = "causal mask off by one: the next key is seen"


def plain(options):
    """Whether nothing is hidden and no state comes in."""
    return not {"mask", "bias", "causal", "S", "z", "c", "sign_q", "sign_k", "eps"} & set(options)


@law("attention.softmax_weights", "attention.linear_weights", id="AT-1",
     kills=("mask applied after the softmax",))
def rows_of_weights_sum_to_one(f, *operands, **options):
    """Every row of the attention matrix sums to 1, or to 0 where it sees nothing."""
    total = np.sum(f(*operands, **options), axis=-1)
    seen = np.abs(total.value) > 0.5
    yield equal(total, np.where(seen, 1.0, 0.0))


@law("attention.softmax_attention", id="AT-1",
     kills=("mask applied after the softmax",))
def equal_values_are_the_answer(f, Q, K, V, **options):
    """V = 1 gives 1, wherever a key is seen."""
    Z = f(Q, K, np.ones(V.shape), **options)
    yield equal(Z, np.where(np.abs(Z.value) > 0, 1.0, 0.0))


@law("attention.softmax_attention", "attention.linear_attention", "performer.attention", id="AT-1",
     kills=("mask applied after the softmax", "mask ignored", "padding masks V only"))
def a_hidden_key_is_an_absent_key(f, Q, K, V, *rest, **options):
    """Hiding the last key by the mask is leaving it out."""
    if not plain(options) or K.shape[-2] < 2:
        return
    per_key = f.op.arrays["mask"][-1] == "s" and f.op.arrays["mask"][-2] != "l"
    shape = K.shape[:-1] if per_key else (*Q.shape[:-1], K.shape[-2])
    seen = np.broadcast_to(np.arange(K.shape[-2]) < K.shape[-2] - 1, shape)
    hidden = f(Q, K, V, *rest, mask=np.array(seen), **options)
    yield equal(hidden, f(Q, K[..., :-1, :], V[..., :-1, :], *rest, **options))


@law("attention.softmax_attention", id="AT-1", kills=(CAUSAL,))
def the_past_does_not_see_the_future(f, Q, K, V, **options):
    """Causal attention of the first tokens is the first rows of that of all tokens."""
    n = min(Q.shape[-2], K.shape[-2])
    if not plain(options) or n < 3:
        return
    Q, K, V = Q[..., :n, :], K[..., :n, :], V[..., :n, :]
    whole = f(Q, K, V, causal=True, **options)
    part = f(Q[..., :-1, :], K[..., :-1, :], V[..., :-1, :], causal=True, **options)
    yield equal(whole[..., :-1, :], part)


@law("attention.softmax_attention", id="AT-1",
     kills=(CAUSAL, "causal mask off by one: the own key is hidden", "causal flag ignored"))
def the_first_token_sees_itself_alone(f, Q, K, V, **options):
    """With as many queries as keys, the first row of causal attention is the first value."""
    n = min(Q.shape[-2], K.shape[-2])
    if not plain(options) or not n:
        return
    Z = f(Q[..., :n, :], K[..., :n, :], V[..., :n, :], causal=True, **options)
    yield equal(Z[..., :1, :], V[..., :1, :])


@law("attention.softmax_attention", id="AT-1", kills=("causal aligned to the start",))
def the_last_query_sees_every_key(f, Q, K, V, **options):
    """Aligned at the end, causal attention hides nothing from the last query."""
    if not plain(options) or Q.shape[-2] >= K.shape[-2]:
        return
    seen = f(Q, K, V, causal=True, **options)[..., -1:, :]
    yield equal(seen, f(Q[..., -1:, :], K, V, **options))


@law("attention.softmax_attention", id="AT-1", kills=("keys and values out of step",))
def order_of_keys_is_irrelevant(f, Q, K, V, **options):
    """Keys permuted together with their values give the same answer."""
    if plain(options):
        yield equal(f(Q, K[..., ::-1, :], V[..., ::-1, :], **options), f(Q, K, V, **options))


@law("attention.softmax_attention", id="AT-1", kills=("scale applied twice",))
def scaling_queries_and_keys_is_scaling_the_scale(f, Q, K, V, *, scale=None, **options):
    """f(2 Q, 2 K; s / 4) = f(Q, K; s)."""
    if scale is not None:
        yield equal(f(2 * Q, 2 * K, V, scale=scale / 4, **options),
                    f(Q, K, V, scale=scale, **options))


@law("attention.linear_attention", id="AT-2", kills=("denominator eps 1e-4",))
def a_common_scale_of_the_features_cancels(f, phi_q, phi_k, V, **options):
    """f(Q', K'/1024) = f(Q', K') without eps and state."""
    if plain(options):
        yield equal(f(phi_q, phi_k / 1024, V, **options), f(phi_q, phi_k, V, **options))


@law("attention.linear_attention", id="AT-2", kills=("denominator missing",))
def features_that_are_not_negative_answer_among_the_values(f, phi_q, phi_k, V, **options):
    """For features >= 0 every answer lies between the smallest and the largest value."""
    if plain(options) and np.all(phi_q.value >= 0) and np.all(phi_k.value >= 0):
        Z = f(phi_q, phi_k, V, **options)
        yield at_most(Z, np.max(V, axis=-2, keepdims=True), "below the largest")
        yield at_most(np.min(V, axis=-2, keepdims=True), Z, "above the smallest")


@law("attention.causal_linear_attention", "attention.log_causal_linear_attention",
     "performer.causal_attention", id="AT-3",
     kills=("future-dependent stabiliser, eps 1e-4", "future-dependent stabiliser, eps 1e-6"))
def the_future_leaves_no_trace(f, Q, K, V, *rest, **options):
    """The first answers do not change when the last key grows fourfold."""
    if not plain(options) or Q.shape[-2] < 2:
        return
    grown = np.concatenate([K[..., :-1, :], 4 * K[..., -1:, :]], axis=-2)
    yield equal(first(f(Q, grown, V, *rest, **options))[..., :-1, :],
                first(f(Q, K, V, *rest, **options))[..., :-1, :])


@law("attention.causal_linear_attention", "performer.causal_attention", id="AT-3",
     kills=("own position not seen",
            "future-dependent stabiliser, eps 1e-4, and 1e-6 on the key sums"))
def the_first_answer_is_the_first_value(f, Q, K, V, *rest, **options):
    """A lone token answers its own value."""
    if plain(options) and "features" not in options and Q.shape[-2]:
        yield equal(first(f(Q, K, V, *rest, **options))[..., :1, :], V[..., :1, :])


@law("attention.causal_linear_attention", id="MO-3", kills=("state not handed on",))
def two_chunks_are_the_whole(f, phi_q, phi_k, V, **options):
    """The state of the first half, passed on, makes the second half answer as in the whole."""
    half = phi_q.shape[-2] // 2
    if not plain(options) or not half:
        return
    whole = f(phi_q, phi_k, V, **options)
    if not isinstance(whole, tuple) or len(whole) < 3:
        return
    _, S, z = f(phi_q[..., :half, :], phi_k[..., :half, :], V[..., :half, :], **options)
    Z = f(phi_q[..., half:, :], phi_k[..., half:, :], V[..., half:, :], S=S, z=z, **options)[0]
    yield equal(Z, whole[0][..., half:, :])


def first(answer):
    return answer[0] if isinstance(answer, tuple) else answer
