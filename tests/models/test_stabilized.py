"""The Performer as published: stabilisers, guards, kernel epsilons (Choromanski et al. 2021)."""
import numpy as np
from hypothesis import strategies as st

from hopref import performer
from tests.draw import arrays, projected
from tests.laws import law
from tests.rounding import close, of, u

ACTIVATIONS = {"relu": lambda v: np.maximum(v, 0), "abs": np.abs,
               "identity": lambda v: v, "sigmoid": lambda v: 1 / (1 + np.exp(-v))}


@st.composite
def heads(draw, epsilons=(0.0, 2.0**-20, 0.5)):
    """Queries, keys, values of their own, a draw, a stabiliser."""
    case = draw(projected(max_m=3, max_r=4, max_d=3))
    return {"Q": case["xi"], "K": case["X"], "omega": case["omega"], "scale": case["beta"],
            "V": draw(arrays(len(case["X"]), 2)), "eps": draw(st.sampled_from(epsilons))}


def published(x, omega, beta, eps, axis):
    """Plainly, and the largest exponent: what rounding the exponents to double may carry."""
    x = np.sqrt(beta) * x
    w, half = x @ omega.T, (x * x).sum(-1)[:, None] / 2
    return (np.exp(w - half - w.max(axis, keepdims=True)) + eps) / np.sqrt(len(omega))


def agree(got, want, op, *args, **how):
    """Two honest evaluations, each within the tolerance that the arguments allow."""
    close(got, want, 2 * of(op, *args, **how)[1])


@law("performer.stabilized_features", id="PF-1", over=heads(),
     kills=["stabilized_after_the_norm", "stabilized_over_the_wrong_axis", "stabilized_without_m",
            "stabilized_eps_within"])
def test_stabilised_features_take_the_maximum_before_the_norm_and_add_eps_last(
        rules, Q, K, omega, scale, V, eps):
    for over, axis in (("row", -1), ("all", None)):
        how = {"beta": scale, "eps": eps, "over": over}
        agree(rules.performer.stabilized_features(K, omega, **how),
              published(K, omega, scale, eps, axis), performer.stabilized_features, K, omega, **how)


@law("performer.stabilized_features", id="PF-1", over=heads(),
     kills=["stabilized_after_the_norm", "stabilized_without_m"])
def test_the_largest_feature_of_a_row_tells_its_norm(rules, Q, K, omega, scale, V, eps):
    """max sqrt(m) phi - eps = exp(-beta |x|^2 / 2), whatever the draw."""
    how = {"beta": scale, "eps": eps}
    phi = rules.performer.stabilized_features(Q, omega, **how)
    want = (np.exp(-scale * (Q * Q).sum(-1) / 2) + eps) / np.sqrt(len(omega))
    close(phi.max(-1), want, 2 * of(performer.stabilized_features, Q, omega, **how)[1].max(-1))


@law("performer.stabilized_attention", "performer.attention", id="PF-1", over=heads((0.0,)),
     kills=["stabilized_per_key", "stabilized_scale_twice", "stabilized_mask_hides_values_only"])
def test_without_eps_every_shift_cancels(rules, Q, K, omega, scale, V, eps):
    how = {"scale": scale, "mask": np.arange(len(K)) < max(1, len(K) - 1)}
    agree(rules.performer.stabilized_attention(Q, K, V, omega, eps=0.0, **how),
          rules.performer.attention(Q, K, V, omega, **how),
          performer.stabilized_attention, Q, K, V, omega, eps=0.0, **how)


@law("performer.stabilized_attention", id="PF-1", over=heads((4.0, 2.0**30)),
     kills=["stabilized_eps_ignored", "stabilized_eps_in_the_denominator"])
def test_eps_draws_every_row_to_the_mean_of_the_values(rules, Q, K, omega, scale, V, eps):
    """sqrt(m) phi lies in [eps, 1 + eps], so that no weight differs from another by more than
    (1 + 1/eps)^2 in ratio, nor from 1/s by more than its square."""
    ratio = (1 + 1 / eps) ** 2
    Z = rules.performer.stabilized_attention(Q, K, V, omega, scale=scale, eps=eps)
    room = of(performer.stabilized_attention, Q, K, V, omega, scale=scale, eps=eps)[1]
    spread = np.abs(V - V.mean(0)).max(0)
    close(Z, V.mean(0), (ratio - 1) * spread + room + 4 * len(V) * u * np.abs(V).max())


@law("performer.stabilized_attention", id="PF-2", over=heads((0.0, 0.5)),
     kills=["guard_added_once", "guard_added_everywhere", "guard_ignored"])
def test_a_guard_counts_twice_where_the_denominator_is_within_it(rules, Q, K, omega, scale, V, eps):
    """Z (D + 2 guard) = Z_0 D where |D| <= guard, and Z = Z_0 elsewhere."""
    def phi(x, over):
        return published(x, omega, scale, eps, over)
    D = (phi(Q, -1) @ phi(K, None).T).sum(-1)
    plain = rules.performer.stabilized_attention(Q, K, V, omega, scale=scale, eps=eps)
    for guard in (np.median(D) * 1.01, 2 * D.max(), D.min() / 2):
        if np.any(np.abs(D - guard) <= 1e-3 * D) or not 0 < guard:      # which side is rounding's
            continue
        want = plain * np.where(D <= guard, D / (D + 2 * guard), 1.0)[:, None]
        agree(rules.performer.stabilized_attention(Q, K, V, omega, scale=scale, eps=eps,
                                                   guard=guard), want,
              performer.stabilized_attention, Q, K, V, omega, scale=scale, eps=eps, guard=guard)


@law("performer.generalized_attention", id="PF-3", over=heads((2.0**-10, 0.5)),
     kills=["generalized_eps_within", "generalized_one_over_sqrt_m", "generalized_without_eps",
            "generalized_always_relu", "generalized_scale_of_attention"])
def test_generalised_attention_weighs_by_activations_of_projections(
        rules, Q, K, omega, scale, V, eps):
    for name in ("relu", "abs", "sigmoid"):
        for s in (None, scale):
            factor = K.shape[-1] ** -0.25 if s is None else s
            q, k = (ACTIVATIONS[name](factor * x @ omega.T) + eps for x in (Q, K))
            A = q @ k.T
            how = {"activation": name, "scale": s, "eps": eps}
            agree(rules.performer.generalized_attention(Q, K, V, omega, **how),
                  A @ V / A.sum(-1, keepdims=True),
                  performer.generalized_attention, Q, K, V, omega, **how)


@law("performer.generalized_attention", "performer.attention", id="PF-3", over=heads((0.0,)),
     kills=["generalized_eps_of_its_own", "generalized_always_sigmoid"])
def test_without_eps_relu_has_no_temperature(rules, Q, K, omega, scale, V, eps):
    """Homogeneous: every scale is the ReLU Performer, to the tolerance of either."""
    for s in (scale, 4 * scale):
        how = {"scale": s, "eps": 0.0}
        agree(rules.performer.generalized_attention(Q, K, V, omega, **how),
              rules.performer.attention(Q, K, V, omega, features="relu"),
              performer.generalized_attention, Q, K, V, omega, **how)


@law("performer.attention", id="PF-4", over=heads((0.0,)),
     kills=["trigonometric_shifted_per_key", "trigonometric_shift_of_the_values"])
def test_the_shift_of_trigonometric_features_cancels(rules, Q, K, omega, scale, V, eps):
    """Half the largest squared norm of all positions, taken out of every exponent; where the
    denominator keeps a quarter of the sum of its terms' sizes."""
    def parts(x):
        half = scale * (x * x).sum(-1)[:, None] / 2
        w = np.sqrt(scale) * x @ omega.T
        return np.exp(half - half.max()), np.hstack([np.sin(w), np.cos(w)])
    (_, f), (b, h) = parts(Q), parts(K)
    A, sizes = (f @ h.T) * b[:, 0], (np.abs(f) @ np.abs(h).T) * b[:, 0]
    sound = np.abs(A.sum(-1)) >= sizes.sum(-1) / 4
    how = {"scale": scale, "features": "trigonometric"}
    got = rules.performer.attention(Q, K, V, omega, **how)
    allowed = 2 * of(performer.attention, Q, K, V, omega, **how)[1]
    close(got[sound], (A @ V)[sound] / A.sum(-1)[sound, None], allowed[sound])


def test_long_keys_sink_to_eps_and_look_alike():
    """At norms of 30 every key is eps: the answer is the mean of V, not softmax attention."""
    keys, V = [[30.0], [40.0]], [[1.0], [3.0]]
    for eps in (1e-6, 1e-4):
        assert performer.stabilized_attention([[1.0]], keys, V, [[0.0]], eps=eps) == 2.0
    assert performer.attention([[1.0]], keys, V, [[0.0]]) == 1.0
