"""Laws of kernel attention: its denominator, its state, causal sums, the log domain."""
import numpy as np

from hopref.check.cases.heads import feature_heads, halves, log_heads, signed_heads
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.attention import first, plain

FAR, APART = 2.0**20, 2.0**15


def weighed(kernel, V):
    """Values weighted by a kernel, over its row sums; 0 where a sum is exactly 0."""
    D = np.sum(kernel, axis=-1, keepdims=True)
    sound = D.value != 0
    return np.where(sound, kernel @ V / np.where(sound, D, 1.0), 0.0)


# -- kernel attention ------------------------------------------------------------------------------

@law("attention.linear_attention", "attention.linear_weights", id="AT-2",
     over=feature_heads() | signed_heads(),
     kills=("D in place of its inverse", "denominator eps 1e-6", "denominator missing",
            "divided by the sum of the query's features", "normalised over the queries"))
def kernel_attention_divides_by_its_row_sums(f, phi_q, phi_k, V):
    """Z = D^-1 Q' (K'^T V), D = diag(Q' K'^T 1); the inverse is missing in eq. (17)."""
    kernel = phi_q @ phi_k.T
    yield equal(f.attention.linear_attention(phi_q, phi_k, V), weighed(kernel, V), "answers")
    yield equal(f.attention.linear_weights(phi_q, phi_k), weighed(kernel, np.eye(len(phi_k))),
                "weights")


@law("attention.linear_attention", id="AT-2",
     kills=("denominator eps 1e-4", "denominator eps 1e-6", "1e-4 added to every feature",
            "D in place of its inverse", "divided by the sum of the query's features"))
def a_common_scale_of_the_features_cancels(f, phi_q, phi_k, V, **options):
    """A factor of each query and a factor of all keys cancel, without eps and state."""
    if plain(options):
        scale = 2.0 ** -np.arange(4, 4 + phi_q.shape[-2])[:, None]
        yield equal(f(scale * phi_q, phi_k / 1024, V, **options), f(phi_q, phi_k, V, **options))


@law("attention.linear_attention", id="AT-2",
     kills=("denominator missing", "D in place of its inverse"))
def features_that_are_not_negative_answer_among_the_values(f, phi_q, phi_k, V, **options):
    """For features >= 0 every result is between the smallest and the largest value."""
    if plain(options) and np.all(phi_q.value >= 0) and np.all(phi_k.value >= 0):
        Z = f(phi_q, phi_k, V, **options)
        yield at_most(Z, np.max(V, axis=-2, keepdims=True), "below the largest")
        yield at_most(np.min(V, axis=-2, keepdims=True), Z, "above the smallest")


@law("attention.association", id="AT-4", over=signed_heads(),
     kills=("denominator of kernel attention", "V^T K' for K'^T V"))
def association_is_a_matrix_memory(f, phi_q, phi_k, V):
    """Q' W with W = sum_j k_j v_j^T; with V = K' the field of the classical network, eq. (4)."""
    W = sum(phi_k[j][:, None] * V[j] for j in range(len(V)))
    yield equal(f(phi_q, phi_k, V), phi_q @ W)
    yield equal(f(phi_q, phi_k, phi_k), phi_q @ (phi_k.T @ phi_k).T, "field")


@law("attention.key_state", "attention.linear_attention", id="MO-2", over=feature_heads(),
     kills=("state passed in is dropped", "S passed on, z not"))
def keys_may_come_in_chunks(f, phi_q, phi_k, V):
    """With the state of the first keys, attention to the others is attention to all."""
    whole = f.attention.key_state(phi_k, V)
    Z = f.attention.linear_attention(phi_q, phi_k, V)
    for cut in range(1, len(V)):
        S, z = f.attention.key_state(phi_k[:cut], V[:cut])
        both = f.attention.key_state(phi_k[cut:], V[cut:], S=S, z=z)
        yield equal(both[0], whole[0], "S")
        yield equal(both[1], whole[1], "z")
        yield equal(f.attention.linear_attention(phi_q, phi_k[cut:], V[cut:], S=S, z=z), Z)


# -- the past --------------------------------------------------------------------------------------

@law("attention.causal_linear_attention", id="AT-3", over=feature_heads(square=True),
     kills=("own position not seen", "the whole sequence is seen", "denominator eps 1e-4",
            "cumulative sums along the features", "denominator eps 1e-6"))
def a_causal_answer_is_that_of_its_past(f, phi_q, phi_k, V):
    """Z_i = sum_{j <= i} (q_i.k_j) v_j / sum_{j <= i} q_i.k_j; the state is that of all keys."""
    answer = f(phi_q, phi_k, V)
    yield equal(first(answer), weighed(np.tril(phi_q @ phi_k.T), V), "answers")
    if isinstance(answer, tuple) and len(answer) == 3:
        yield equal(answer[1], phi_k.T @ V, "S")
        yield equal(answer[2], np.sum(phi_k, axis=0), "z")


@law("attention.causal_linear_attention", "attention.log_causal_linear_attention",
     "performer.causal_attention", id="AT-3",
     kills=("the whole sequence is seen", "future-dependent stabiliser, eps 1e-4",
            "future-dependent stabiliser, eps 1e-6"))
def earlier_answers_do_not_depend_on_later_keys(f, Q, K, V, *rest, **options):
    """The first results do not change if the last key is multiplied by 4."""
    if not plain(options) or Q.shape[-2] < 2:
        return
    grown = np.concatenate([K[..., :-1, :], 4 * K[..., -1:, :]], axis=-2)
    yield equal(first(f(Q, grown, V, *rest, **options))[..., :-1, :],
                first(f(Q, K, V, *rest, **options))[..., :-1, :])


@law("attention.causal_linear_attention", "performer.causal_attention", id="AT-3",
     kills=("own position not seen",
            "future-dependent stabiliser, eps 1e-4, and 1e-6 on the key sums"))
def the_first_answer_is_the_first_value(f, Q, K, V, *rest, **options):
    """The result of a single token is its value."""
    if plain(options) and "features" not in options and Q.shape[-2]:
        yield equal(first(f(Q, K, V, *rest, **options))[..., :1, :], V[..., :1, :])


@law("attention.causal_linear_attention", "attention.log_causal_linear_attention",
     "performer.causal_attention", id="MO-3", over=halves(),
     kills=("state not handed on", "S and z passed on without their scale",
            "state passed in is returned twice"))
def a_sequence_may_be_cut_anywhere(f, q, k, V, cut, omega):
    """With the state of the first tokens, the results of the others and the final state are those
    of the whole sequence."""
    rest = (omega,) if "omega" in f.op.arrays else ()
    whole = f(q, k, V, *rest)
    if not isinstance(whole, tuple) or len(whole) < len(f.op.outputs):
        return
    head, *state = f(q[:cut], k[:cut], V[:cut], *rest)
    tail, *state = f(q[cut:], k[cut:], V[cut:], *rest, **dict(zip("Szc", state)))
    yield equal(np.concatenate([head, tail]), whole[0], "answers")
    for name, mine, wanted in zip("Szc", state, whole[1:]):
        yield equal(mine, wanted, name)


@law("attention.causal_linear_attention", "attention.log_causal_linear_attention",
     "performer.causal_attention", id="AT-3, MO-3", over=halves(),
     kills=("mask ignored", "padding masks V only", "hidden keys enter the state"))
def a_hidden_key_is_absent_from_all_results_and_the_state(f, q, k, V, cut, omega):
    """The results of the other positions, and the state, are those without the hidden one; the
    result of its query is that of the keys before it."""
    rest, kept = (omega,) if "omega" in f.op.arrays else (), np.arange(len(V)) != cut
    whole = f(q, k, V, *rest, mask=kept)
    fewer = f(q[kept], k[kept], V[kept], *rest)
    early = np.concatenate([q[1:cut], q[cut:cut + 1]])
    yield equal(first(whole)[kept], first(fewer), "other positions")
    yield equal(first(whole)[cut], first(f(early, k[:cut], V[:cut], *rest))[-1], "its position")
    if isinstance(whole, tuple) and isinstance(fewer, tuple):
        for name, mine, wanted in zip("Szc", whole[1:], fewer[1:]):
            yield equal(mine, wanted, name)


# -- the log domain --------------------------------------------------------------------------------

@law("attention.log_linear_attention", "attention.log_causal_linear_attention", id="AT-2, MO-2",
     over=feature_heads(square=True) | signed_heads(square=True),
     kills=("scale of a feature not given back to the query", "a scale of its own for every key",
            "1e-6 added to the scaled features", "signs ignored", "own position not seen",
            "past not rescaled when the maximum grows"))
def logarithms_give_the_attention_of_their_features(f, phi_q, phi_k, V):
    """f(log |q|, log |k|, signs) is the attention of the features q and k themselves."""
    kernel = phi_q @ phi_k.T
    kernel = np.tril(kernel) if "causal" in f.subject else kernel
    sound = np.sum(kernel, axis=-1).value != 0                  # the logarithms are rounded
    Z = first(f(np.log(np.abs(phi_q)), np.log(np.abs(phi_k)), V,
                sign_q=np.sign(phi_q.value), sign_k=np.sign(phi_k.value)))
    yield equal(Z[sound], weighed(kernel, V)[sound])


@law("attention.log_linear_attention", "attention.log_causal_linear_attention", id="MO-2",
     over=log_heads(), kills=("exponentials before the sums",))
def no_size_of_the_features_matters(f, log_q, log_k, V):
    """Features of e^(+-2^20) give the results of e^0: q is multiplied and k divided."""
    yield equal(first(f(log_q + FAR, log_k - FAR, V)), first(f(log_q, log_k, V)))


@law("attention.log_linear_attention", id="MO-2", over=log_heads(),
     kills=("one scale for all features",))
def features_may_have_scales_of_their_own(f, log_q, log_k, V):
    """q_r e^(a_r) and k_r e^(-a_r) have the same products, however far apart the a_r are."""
    apart = APART * np.arange(log_q.shape[-1])
    yield equal(f(log_q + apart, log_k - apart, V), f(log_q, log_k, V))
