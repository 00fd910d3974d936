"""The operations of a Hopfield layer: MH-13, HL-1, HL-2.

Allowed differences are the derived tolerances of the operations themselves (`rounding.of`).
"""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import attention, layers, maps, modern
from hopref.errors import DomainError, ShapeError
from tests.draw import arrays, projections, records, spaces
from tests.laws import law
from tests.rounding import close, g, of, u

OPERANDS = ("R", "Y", "P", "W_q", "W_k", "W_v", "W_o")


def parted(case):
    """Operands, and modifiers by name."""
    return [case[k] for k in OPERANDS], {k: v for k, v in case.items() if k not in OPERANDS}


# -- the pieces ---------------------------------------------------------------------------------

@law("layers.layer_norm", id="HL-1",
     over=records(x=arrays(2, 4), gain=arrays(4), shift=arrays(4),
                  eps=st.sampled_from([0.125, 1.0])),
     kills=["unbiased_variance", "eps_outside_the_root", "not_centred", "shift_before_gain"])
def test_what_is_normalised_has_mean_nought_and_the_variance_that_eps_leaves(rules, x, gain, shift,
                                                                             eps):
    """The mean of y is 0, and that of y^2 is w / (w + eps); the affine part comes after."""
    y, room = rules.layers.layer_norm(x, eps=eps), of(layers.layer_norm, x, eps=eps)[1]
    w = np.var(x, axis=-1)
    close(y.mean(-1), 0.0, room.mean(-1) + g(5) * np.abs(y).mean(-1))
    close((y * y).mean(-1), w / (w + eps), (2 * np.abs(y) * room + room**2).mean(-1) + 16 * u)
    far, room = of(layers.layer_norm, x, eps=eps, gain=gain, shift=shift)
    close(rules.layers.layer_norm(x, eps=eps, gain=gain, shift=shift), gain * y + shift,
          2 * room + 8 * u * (np.abs(gain * y) + np.abs(shift)))


@law("layers.layer_norm", id="HL-1",
     over=records(x=arrays(2, 3), eps=st.sampled_from([0.0, 0.25]), k=st.integers(-500, 500)),
     kills=["layer_norm_squares_overflow"])
def test_a_layer_norm_has_no_unit(rules, x, eps, k):
    """c x and c^2 eps, c = 2^k: to the last bit, though c^2 x^2 leaves the range with k = 500."""
    want = rules.layers.layer_norm(x, eps=eps)
    assert np.all(rules.layers.layer_norm(2.0**k * x, eps=4.0**k * eps) == want)
    assert np.all(rules.layers.layer_norm(4.0**k * x, eps=0.0)
                  == rules.layers.layer_norm(x, eps=0.0))


@pytest.mark.parametrize("size", [1e200, 1e-200, 1.7e308, 5e-324])
def test_rows_of_any_size_are_normalised(size):
    assert np.all(layers.layer_norm([size, -size], eps=0.0) == [1.0, -1.0])
    assert np.all(layers.layer_norm([1e200, -1e200]) == [1.0, -1.0])


@law("layers.project", id="MH-13",
     over=records(x=arrays(2, 3, 2), W=arrays(2, 4, 2), b=arrays(2, 4)),
     kills=["bias_of_the_first_head", "heads_interleaved"])
def test_a_head_projects_with_its_own_matrix(rules, x, W, b):
    """Eighths: to the last bit."""
    q = rules.layers.project(x, W, b=b)
    for h in range(2):
        for i in range(2):
            np.testing.assert_array_equal(q[i, h], x[i] @ W[h].T + b[h])


@law("layers.read_out", id="MH-13",
     over=records(A=arrays(2, 3, 2), V=arrays(2, 2, 2), W=arrays(2, 4, 2), b=arrays(4)),
     kills=["heads_averaged", "output_of_interleaved_heads", "output_bias_of_every_head"])
def test_the_output_is_linear_in_the_heads_side_by_side(rules, A, V, W, b):
    concat = np.concatenate([A[0] @ V[0], A[1] @ V[1]], axis=-1)
    want = concat @ np.concatenate([W[0], W[1]], axis=-1).T + b
    close(rules.layers.read_out(A, V, W, b=b), want, 2 * of(layers.read_out, A, V, W, b=b)[1])


# -- associations -------------------------------------------------------------------------------

@law("layers.associations", id="MH-13", over=spaces(),
     kills=["per_head_tiled_over_channels", "steps_plus_one", "scaled_after_the_softmax"])
def test_one_association_is_attention_of_every_head(rules, Q, K, beta, per_head, steps):
    A = rules.layers.associations(Q, K, beta=beta, per_head=per_head, steps=1)
    _, room = of(layers.associations, Q, K, beta=beta, per_head=per_head)
    for h in range(len(Q)):
        want = attention.softmax_weights(Q[h], K[h], scale=beta * per_head[h])
        close(A[h], want, 2 * room[h])


@law("layers.associations", id="MH-2", over=spaces(),
     kills=["steps_plus_one", "stopped_by_the_largest_change", "states_scaled_again",
            "per_head_tiled_over_channels", "state_averaged_with_the_old"])
def test_n_associations_are_weights_after_n_minus_one_modern_updates(rules, Q, K, beta, per_head,
                                                                     steps):
    A = rules.layers.associations(Q, K, beta=beta, per_head=per_head, steps=steps)
    _, room = of(layers.associations, Q, K, beta=beta, per_head=per_head, steps=steps)
    for h in range(len(Q)):
        own, xi = beta * per_head[h], Q[h]
        for _ in range(steps - 1):
            xi = modern.update(xi, K[h], beta=own)
        close(A[h], modern.weights(xi, K[h], beta=own), 2 * room[h])


@law("layers.associations", id="MH-4", over=spaces(max_h=1),
     kills=["state_averaged_with_the_old", "states_scaled_again"])
def test_where_states_iterate_the_energy_falls_by_an_exact_amount(rules, Q, K, beta, per_head,
                                                                  steps):
    """E(q) - E(q') = |q' - q|^2/2 + KL(A || A')/beta for q = A_n K and q' = A_{n+1} K."""
    K, how = K[0], {"beta": beta, "per_head": np.ones(1)}
    found = [rules.layers.associations(Q, K[None], steps=steps + i, **how)[0] for i in range(3)]
    rooms = [of(layers.associations, Q, K[None], steps=steps + i, **how)[1][0] for i in range(3)]
    (q, new), A, after = (a @ K for a in found[:2]), *found[1:]
    q_room, new_room = (r @ np.abs(K) + g(5) * np.abs(K).sum(0) for r in rooms[:2])
    E, at = of(modern.energy, q, K, beta=beta)
    E_new, at_new = of(modern.energy, new, K, beta=beta)
    KL = (A * (np.log(A) - np.log(after))).sum(-1)
    slope = 2 * np.abs(K).max(0)                            # of E, and of |q' - q|^2/2, in the hull
    room = at + at_new + 2 * ((q_room + new_room) @ slope)
    moved = (rooms[1] + rooms[2] * A / after).sum(-1)       # of KL, whose rows sum to 1
    log_room = (rooms[1] * np.abs(np.log(A) - np.log(after))).sum(-1) + moved
    fall = ((new - q) ** 2).sum(-1) / 2 + KL / beta
    close(E - E_new, fall, room + 2 * log_room / beta + 32 * u * (1 + np.abs(E) + 8 / beta))


@law("layers.associations", id="HL-2", over=spaces(batch=True),
     kills=["per_head_tiled_over_channels", "stopped_by_the_largest_change", "static_order"])
def test_samples_and_heads_know_nothing_of_each_other(rules, Q, K, beta, per_head, steps):
    A = rules.layers.associations(Q, K, beta=beta, per_head=per_head, steps=steps)
    for i in range(2):
        for h in range(Q.shape[1]):
            one = {"beta": beta, "per_head": per_head[h:h + 1], "steps": steps}
            Q_1, K_1 = Q[i, h:h + 1], K[i, h:h + 1]
            alone, room = of(layers.associations, Q_1, K_1, **one)
            close(A[i, h:h + 1], alone, 2 * room)


@law("layers.associations", id="HL-3", over=spaces(masked=True),
     kills=["true_is_forbidden", "mask_of_the_first_association", "hidden_after_the_softmax"])
def test_a_hidden_pattern_is_an_absent_one(rules, Q, K, beta, per_head, steps, mask):
    how = {"beta": beta, "per_head": per_head, "steps": steps}
    added = np.broadcast_to(np.where(mask, 0.0, -np.inf), (*Q.shape[:-1], K.shape[-2]))
    for hidden in ({"mask": mask}, {"bias": np.array(added)}):
        A = rules.layers.associations(Q, K, **how, **hidden)
        for i, seen in enumerate(mask):
            part, room = of(layers.associations, Q[:, i:i + 1], K[:, seen], **how)
            close(A[:, i:i + 1, seen], part, 2 * room)
            assert not A[:, i, ~seen].any()


@law("layers.associations", id="HL-3", over=spaces(masked=True),
     kills=["blind_states_are_nan", "blind_states_take_the_mean"])
def test_a_state_that_sees_nothing_associates_nothing_and_stops_no_other(rules, Q, K, beta,
                                                                         per_head, steps, mask):
    how = {"beta": beta, "per_head": per_head, "steps": steps}
    blind = mask.copy()
    blind[0] = False
    A = rules.layers.associations(Q, K, mask=blind, **how)
    assert not A[:, 0].any()
    others, room = of(layers.associations, Q[:, 1:], K, mask=mask[1:], **how)
    close(A[:, 1:], others, 2 * room)


# -- the whole ----------------------------------------------------------------------------------

@law("layers.associate", id="HL-1", over=projections(),
     kills=["what_is_read_out_iterates", "values_of_the_keys", "associate_without_scale"])
def test_the_layer_is_its_pieces(rules, **case):
    operands, biases = parted(case)
    got = rules.layers.associate(*operands, steps=2, **biases)
    Q, K, V = (layers.project(case[x], case[f"W_{k}"], b=case[f"b_{k}"])
               for x, k in (("R", "q"), ("Y", "k"), ("P", "v")))
    A = layers.associations(Q, K, steps=2)
    want = layers.read_out(A, V, case["W_o"], b=case["b_o"])
    close(got, want, 2 * of(layers.associate, *operands, steps=2, **biases)[1])


@law("layers.associate", id="MH-13",
     over=records(xi=arrays(2, 3), X=arrays(4, 3), beta=st.sampled_from([0.5, 2.0])),
     kills=["values_out_of_step", "associate_without_scale"])
def test_with_one_head_and_identity_weights_it_is_the_modern_update(rules, xi, X, beta):
    one = np.eye(3)[None]
    got = rules.layers.associate(xi, X, X, one, one, one, one, beta=beta)
    _, room = of(layers.associate, xi, X, X, one, one, one, one, beta=beta)
    close(got, modern.update(xi, X, beta=beta), 2 * room)
    close(got, attention.softmax_attention(xi, X, X, scale=beta), 2 * room)


@law("layers.associate", id="HL-1", over=projections(),
     kills=["what_is_read_out_iterates"])
def test_what_is_read_out_has_no_part_in_the_iteration(rules, **case):
    """Twice the value projection, and its bias, is twice the output."""
    operands, biases = parted(case)
    biases["b_o"] = np.zeros_like(biases["b_o"])
    doubled = {**biases, "b_v": 2 * biases["b_v"]}
    R, Y, P, W_q, W_k, W_v, W_o = operands
    _, room = of(layers.associate, *operands, steps=3, **biases)
    close(rules.layers.associate(R, Y, P, W_q, W_k, 2 * W_v, W_o, steps=3, **doubled),
          2 * rules.layers.associate(*operands, steps=3, **biases), 4 * room)


@law("layers.associate", id="MH-12", over=projections(),
     kills=["values_out_of_step"])
def test_order_of_stored_patterns_is_irrelevant(rules, **case):
    operands, biases = parted(case)
    R, Y, P, *W = operands
    _, room = of(layers.associate, *operands, steps=2, **biases)
    close(rules.layers.associate(R, Y[::-1], P[::-1], *W, steps=2, **biases),
          rules.layers.associate(*operands, steps=2, **biases), 2 * room)


# -- what is refused ----------------------------------------------------------------------------

def test_heads_and_spaces_must_agree():
    Q = np.zeros((2, 1, 3))
    for K in (np.zeros((2, 4, 2)), np.zeros((3, 4, 3)), np.zeros((2, 0, 3))):
        with pytest.raises(ShapeError, match="hopref.layers.associations: .* must be"):
            layers.associations(Q, K)
    with pytest.raises(DomainError, match="per_head must be finite and > 0; got per_head.1. = 0"):
        layers.associations(Q, Q, per_head=[1.0, 0.0])
    with pytest.raises(DomainError, match="steps must be an integer >= 1"):
        layers.associations(Q, Q, steps=0)
    for how in ({"mask": [[False]]}, {"bias": np.full((2, 1, 1), -np.inf)}):
        with pytest.raises(DomainError, match="every state must see a stored pattern"):
            layers.associations(Q, Q, empty_row="raise", **how)


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1e6, 1e150])
def test_scores_of_any_size_associate(scale):
    rng = np.random.default_rng(0)
    Q, K = rng.standard_normal((2, 2, 3, 4))
    A = layers.associations(scale * Q, K, steps=3)
    close(A.sum(-1), 1.0, g(8))
    sure = layers.associations(scale * Q, scale * K, steps=3)
    assert np.isfinite(sure).all()
    np.testing.assert_array_equal(layers.associations(Q, K, beta=1e-300), maps.softmax(0 * sure))
