"""Softmax attention and kernel attention: blog eqs. (14)-(18)."""
import numpy as np
import pytest

from hopref import attention
from tests import rounding
from tests.draw import feature_heads, heads
from tests.laws import law
from tests.rounding import close, eta, g, u


def softmax(z, where=True):
    z = np.where(where, z, -np.inf)
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def room(Q, K, V, scale=None, where=True, bias=0.0):
    """What rounding may do to softmax attention; bias and scale round each score twice more."""
    scale = 1 / np.sqrt(K.shape[-1]) if scale is None else scale
    z = scale * (Q @ K.T) + bias
    dz = scale * rounding.dot(Q, K) + 4 * u * (np.abs(z) + np.abs(bias))
    return rounding.softmax_rule(np.where(where, z, -np.inf), dz, V)


# -- softmax attention --------------------------------------------------------------------------

@law("attention.softmax_attention", "attention.softmax_weights", id="AT-1", over=heads(masked=True),
     kills=["scale_missing", "scale_by_d", "mask_after_softmax", "mask_inverted",
            "mask_hides_values_only", "bias_before_the_scale"])
def test_an_answer_is_the_softmax_weighted_mean_of_the_values_seen(rules, Q, K, V, mask):
    z = Q @ K.T / np.sqrt(Q.shape[1]) + 0.5 * (Q[:, :1] - K[:, 0])
    p, bias = softmax(z, mask), 0.5 * (Q[:, :1] - K[:, 0])
    close(rules.attention.softmax_attention(Q, K, V, mask=mask, bias=bias), p @ V,
          2 * room(Q, K, V, where=mask, bias=bias))
    close(rules.attention.softmax_weights(Q, K, mask=mask, bias=bias), p,
          2 * room(Q, K, np.eye(len(K)), where=mask, bias=bias))


@law("attention.softmax_attention", "attention.linear_attention", id="AT-1",
     over=heads(masked=True),
     kills=["mask_after_softmax", "mask_hides_values_only", "answer_not_normalised",
            "linear_mask_hides_values_only"])
def test_values_of_one_give_one(rules, Q, K, V, mask):
    """A softmax rounds n + 3 times on each side of its quotient, a kernel r times more."""
    ones = np.ones((len(K), 1))
    close(rules.attention.softmax_attention(Q, K, ones, mask=mask), 1.0, 2 * g(len(K) + 3))
    phi_q, phi_k, seen = np.abs(Q) + 1, np.abs(K) + 1, mask[0]
    close(rules.attention.linear_attention(phi_q, phi_k, ones, mask=seen), 1.0,
          2 * g(len(K) + Q.shape[1] + 3))


@law("attention.softmax_attention", "attention.linear_attention", id="AT-1",
     over=heads(masked=True),
     kills=["mask_after_softmax", "mask_hides_values_only", "mask_inverted",
            "mask_fills_minus_ten", "linear_mask_hides_values_only", "mask_fills_zero"])
def test_hiding_a_key_is_deleting_it(rules, Q, K, V, mask):
    for q, seen in zip(Q, mask, strict=True):
        q = q[None]
        got = rules.attention.softmax_attention(q, K, V, mask=seen[None])
        close(got, rules.attention.softmax_attention(q, K[seen], V[seen]),
              2 * room(q, K[seen], V[seen]))
        same = rules.attention.softmax_attention(q, K, V, bias=np.where(seen, 0.0, -np.inf)[None])
        close(got, same, 2 * room(q, K[seen], V[seen]))
        phi = np.abs(K) + 1
        got = rules.attention.linear_attention(np.abs(q) + 1, phi, V, mask=seen)
        close(got, rules.attention.linear_attention(np.abs(q) + 1, phi[seen], V[seen]),
              2 * rounding.linear_attention(np.abs(q) + 1, phi, V, seen))


@law("attention.softmax_attention", id="AT-1", over=heads(max_l=5),
     kills=["causal_off_by_one", "causal_strict", "causal_from_the_start"])
def test_a_causal_query_sees_up_to_its_own_position(rules, Q, K, V):
    """The last query is aligned with the last key; on request the first with the first."""
    l, s = len(Q), len(K)
    i, j = np.ogrid[:l, :s]
    for align, mask in (("end", j <= i + s - l), ("start", j <= i)):
        got = rules.attention.softmax_attention(Q, K, V, causal=True, align=align)
        for row, q, seen in zip(got, Q, mask, strict=True):
            want = softmax(q @ K[seen].T / np.sqrt(len(q))) @ V[seen] if seen.any() else 0 * V[0]
            allowed = 2 * room(q[None], K[seen], V[seen])[0] if seen.any() else 0.0
            close(row, want, allowed)


@law("attention.softmax_attention", id="AT-1", over=heads(masked=True),
     kills=["causal_forgets_the_mask", "causal_strict"])
def test_causal_and_mask_hide_together(rules, Q, K, V, mask):
    attend, past = rules.attention.softmax_attention, np.tri(len(Q), len(K), len(K) - len(Q), bool)
    got = attend(Q, K, V, causal=True, mask=mask)
    assert np.all(got == attention.softmax_attention(Q, K, V, mask=mask & past))


@law("attention.softmax_attention", id="AT-3", over=heads(square=True),
     kills=["causal_off_by_one", "causal_ignored"])
def test_what_lies_ahead_changes_no_causal_answer(rules, Q, K, V):
    whole = rules.attention.softmax_attention(Q, K, V, causal=True)
    other = rules.attention.softmax_attention(Q, np.vstack([K[:-1], 9 - K[-1:]]),
                                              np.vstack([V[:-1], V[-1:] + 99]), causal=True)
    close(whole[:-1], other[:-1], 2 * room(Q, K, V).max() + eta if len(Q) > 1 else 0.0)
    for i in range(1, len(Q)):
        part = rules.attention.softmax_attention(Q[:i], K[:i], V[:i], causal=True)
        close(part[-1], whole[i - 1], 2 * room(Q[i - 1:i], K[:i], V[:i])[0])


@law("attention.softmax_attention", id="AT-1", over=heads(masked=True),
     kills=["answer_not_normalised", "answer_adds_the_query"])
def test_an_answer_lies_among_the_values_seen(rules, Q, K, V, mask):
    Z, slack = rules.attention.softmax_attention(Q, K, V, mask=mask), room(Q, K, V, where=mask)
    for row, seen, r in zip(Z, mask, slack, strict=True):
        assert np.all((row <= V[seen].max(0) + r) & (row >= V[seen].min(0) - r))


@law("attention.softmax_attention", id="AT-1", over=heads(),
     kills=["softmax_over_queries"])
def test_keys_come_in_any_order_and_queries_keep_theirs(rules, Q, K, V):
    Z, allowed = rules.attention.softmax_attention(Q, K, V), room(Q, K, V)
    close(rules.attention.softmax_attention(Q, K[::-1], V[::-1]), Z, 2 * allowed)
    close(rules.attention.softmax_attention(Q[::-1], K, V)[::-1], Z, 2 * allowed)
    for q, z, r in zip(Q, Z, allowed, strict=True):
        close(rules.attention.softmax_attention(q[None], K, V)[0], z, 2 * r)


@law("attention.softmax_attention", "attention.linear_attention",
     "attention.causal_linear_attention", "attention.log_linear_attention", id="AT-1",
     over=heads(square=True), kills=["heads_share_their_maximum", "heads_share_their_keys"])
def test_leading_axes_are_problems_of_their_own(rules, Q, K, V):
    """Three heads, the first sixteen times as large."""
    a, sizes = rules.attention, np.array([16.0, 1.0, 0.25])[:, None, None]
    phi, past = [1 + np.abs(sizes * x) for x in (Q, K)], np.tri(len(V), dtype=bool)
    for attend, q, k, bound in (
            (a.softmax_attention, sizes * Q, sizes * K, room),
            (a.linear_attention, *phi, rounding.linear_attention),
            (lambda *x: a.causal_linear_attention(*x)[0], *phi,
             lambda *x: rounding.linear_attention(*x, past)),
            (a.log_linear_attention, *np.log(phi), rounding.log_linear_attention)):
        together = attend(q, k, np.broadcast_to(V, (3, *V.shape)))
        for z, one_q, one_k in zip(together, q, k, strict=True):
            close(z, attend(one_q, one_k, V), 2 * bound(one_q, one_k, V))


@law("attention.softmax_attention", id="AT-1", over=heads(),
     kills=["bias_ignored_in_the_maximum"])
def test_a_row_of_scores_may_be_shifted(rules, Q, K, V):
    bias = np.linspace(-2048, 2048, len(Q))[:, None] + np.zeros(len(K))
    close(rules.attention.softmax_attention(Q, K, V, bias=bias),
          rules.attention.softmax_attention(Q, K, V),
          room(Q, K, V, bias=bias) + room(Q, K, V))


@law("attention.softmax_attention", id="MH-13", over=heads(),
     kills=["scale_missing", "softmax_over_queries"])
def test_with_patterns_for_keys_and_values_it_is_hopfield_retrieval(rules, Q, K, V):
    for beta in (0.5, 2.0):
        want = rules.modern.update(Q, K, beta=beta)
        got = rules.attention.softmax_attention(Q, K, K, scale=beta)
        close(got, want, 2 * room(Q, K, K, scale=beta))


@law("attention.softmax_attention", "attention.log_linear_attention", id="AT-1", over=heads(),
     kills=["empty_rows_are_uniform"])
def test_a_query_that_sees_nothing_has_a_stated_answer(rules, Q, K, V):
    nothing = np.zeros((len(Q), len(K)), bool)
    attend = rules.attention.softmax_attention
    assert np.all(attend(Q, K, V, mask=nothing) == 0)
    assert np.all(np.isnan(attend(Q, K, V, mask=nothing, empty_row="nan")))
    log_linear = rules.attention.log_linear_attention
    assert np.all(log_linear(Q, K, V, mask=nothing[0]) == 0)


# -- kernel attention ---------------------------------------------------------------------------

@law("attention.linear_attention", "attention.linear_weights", id="AT-2",
     over=feature_heads(low=-16),
     kills=["inverse_missing", "hidden_eps", "denominator_of_queries",
            "kernel_weights_of_the_keys"])
def test_kernel_attention_divides_by_its_row_sums(rules, phi_q, phi_k, V):
    """Eq. (17) with the inverse its print lacks: Z = D^-1 Q' (K'^T V), D = diag(Q' K'^T 1)."""
    A = np.array([[sum(a * c for a, c in zip(q, k, strict=True)) for k in phi_k] for q in phi_q])
    D = A.sum(-1, keepdims=True)
    sound = D[:, 0] != 0                                     # eighths: the sums are exact
    allowed = rounding.linear_attention(phi_q[sound], phi_k, V)
    got = rules.attention.linear_attention(phi_q, phi_k, V)
    close(got[sound], (A @ V)[sound] / D[sound], allowed)
    assert np.all(got[~sound] == 0)
    weights = rules.attention.linear_weights(phi_q, phi_k)
    close(weights[sound], A[sound] / D[sound], 4 * u * np.abs(A[sound] / D[sound]))


@law("attention.linear_attention", id="AT-2", over=feature_heads(),
     kills=["hidden_eps", "eps_on_the_features", "inverse_missing", "denominator_of_queries"])
def test_a_common_scale_of_features_cancels(rules, phi_q, phi_k, V):
    """Each query by its own factor, all keys by one: powers of two, so exactly."""
    scale = 2.0 ** -np.arange(40, 40 + len(phi_q))[:, None]
    attend = rules.attention.linear_attention
    assert np.all(attend(scale * phi_q, phi_k / 2**30, V) == attend(phi_q, phi_k, V))


@law("attention.linear_attention", id="AT-2", over=feature_heads(),
     kills=["inverse_missing", "hidden_eps"])
def test_with_features_of_one_sign_an_answer_lies_among_the_values(rules, phi_q, phi_k, V):
    Z, slack = (rules.attention.linear_attention(phi_q, phi_k, V),
                rounding.linear_attention(phi_q, phi_k, V))
    assert np.all((Z <= V.max(0) + slack) & (Z >= V.min(0) - slack))


@law("attention.association", id="AT-4", over=feature_heads(low=-16),
     kills=["association_divides", "association_of_values_first"])
def test_association_is_a_matrix_memory(rules, phi_q, phi_k, V):
    """Eq. (18): Q' W with W = sum_j k_j v_j^T; eighths, so exactly."""
    W = sum(np.outer(k, v) for k, v in zip(phi_k, V, strict=True))
    assert np.all(rules.attention.association(phi_q, phi_k, V) == phi_q @ W)
    # identity features, K = V = X: the field of the classical network, eq. (4)
    field = rules.classical.field(phi_q, rules.storage.hebbian(phi_k))
    assert np.all(rules.attention.association(phi_q, phi_k, phi_k) == field)


@law("attention.key_state", "attention.linear_attention", id="MO-2", over=feature_heads(),
     kills=["state_replaced", "state_z_forgotten"])
def test_keys_may_come_in_chunks(rules, phi_q, phi_k, V):
    """A state split anywhere is the whole: the sums of eighths are exact."""
    S, z = rules.attention.key_state(phi_k, V)
    whole = rules.attention.linear_attention(phi_q, phi_k, V)
    for cut in range(1, len(V)):
        S_1, z_1 = rules.attention.key_state(phi_k[:cut], V[:cut])
        S_2, z_2 = rules.attention.key_state(phi_k[cut:], V[cut:], S=S_1, z=z_1)
        assert np.all(S_2 == S) and np.all(z_2 == z)
        got = rules.attention.linear_attention(phi_q, phi_k[cut:], V[cut:], S=S_1, z=z_1)
        assert np.all(got == whole)


# -- causal kernel attention --------------------------------------------------------------------

@law("attention.causal_linear_attention", id="AT-3", over=feature_heads(square=True),
     kills=["causal_linear_strict", "causal_linear_sees_all", "causal_sum_over_features",
            "causal_hidden_eps"])
def test_each_causal_answer_is_that_of_its_past_alone(rules, phi_q, phi_k, V):
    Z, S, z = rules.attention.causal_linear_attention(phi_q, phi_k, V)
    for i in range(len(V)):
        past = slice(0, i + 1)
        want = rules.attention.linear_attention(phi_q[i:i + 1], phi_k[past], V[past])
        close(Z[i], want[0], 2 * rounding.linear_attention(phi_q[i:i + 1], phi_k[past], V[past])[0])
    assert np.all(S == phi_k.T @ V) and np.all(z == phi_k.sum(0))


@law("attention.causal_linear_attention", id="MO-3", over=feature_heads(square=True),
     kills=["causal_state_dropped", "causal_state_doubled", "causal_linear_strict"])
def test_a_causal_sequence_may_be_cut_anywhere(rules, phi_q, phi_k, V):
    attend = rules.attention.causal_linear_attention
    whole = attend(phi_q, phi_k, V)
    for cut in range(len(V) + 1):
        head, S, z = attend(phi_q[:cut], phi_k[:cut], V[:cut])
        tail, S, z = attend(phi_q[cut:], phi_k[cut:], V[cut:], S=S, z=z)
        for got, want in zip((np.vstack([head, tail]), S, z), whole, strict=True):
            assert np.all(got == want)                        # eighths: every sum is exact


# -- what each theorem needs --------------------------------------------------------------------

def test_a_scale_for_each_key_does_not_cancel():
    phi_q, phi_k, V = np.ones((1, 1)), np.array([[1.0], [1.0]]), np.array([[0.0], [1.0]])
    assert attention.linear_attention(phi_q, phi_k, V) == 0.5
    assert attention.linear_attention(phi_q, phi_k * [[1.0], [3.0]], V) == 0.75


def test_with_features_of_both_signs_the_answer_leaves_the_values():
    """So the denominator bounds nothing by itself; the blog says that it does."""
    phi_q, phi_k = np.array([[1.0]]), np.array([[1.0], [-0.875]])
    assert attention.linear_attention(phi_q, phi_k, [[1.0], [0.0]]) == 8.0
    assert attention.linear_attention(phi_q, -phi_k[::-1], [[1.0], [0.0]]) < 0


def test_an_eps_on_request_joins_the_denominator_and_pulls_small_kernels_to_nothing():
    phi_q, phi_k, V = np.eye(2), np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([[6.0], [10.0]])
    assert attention.linear_attention(phi_q, phi_k, V, eps=2.0).tolist() == [[6.0], [32 / 6]]
    Z = attention.causal_linear_attention(phi_q, phi_k, V, eps=2.0)[0]
    assert Z.tolist() == [[2.0], [32 / 6]]
    phi, V = np.full((2, 1), 1e-3), np.ones((2, 1))
    biased = attention.linear_attention(phi, phi, V, eps=1e-4)
    assert np.all(biased < 0.05)


@pytest.mark.parametrize("norm", [1e3, 1e100])
def test_the_largest_scores_are_weighed_without_overflow(norm):
    Q = np.array([[norm, 0.0], [0.0, -norm]])
    K = np.array([[norm, norm], [norm, -norm]])
    assert attention.softmax_attention(Q, K, [[1.0], [3.0]]).tolist() == [[2.0], [3.0]]
