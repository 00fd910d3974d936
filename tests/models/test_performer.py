"""The Performer, attention and one-step Hopfield retrieval: blog eqs. (16)-(19), (23), (24)."""
import mpmath
import numpy as np
from hypothesis import strategies as st

from hopref import attention, features, performer, projections
from tests import exact, rounding
from tests.draw import arrays, projected
from tests.laws import law
from tests.rounding import close, g, u

KINDS = ("positive", "hyperbolic", "trigonometric", "relu")


def kernel(xi, X, omega, beta, kind="positive"):
    """Plain features, plain sums: the estimated kernel (m, n)."""
    def phi(x):
        w, half = np.sqrt(beta) * x @ omega.T, beta * (x * x).sum(-1)[:, None] / 2
        return {"positive": lambda: np.exp(w - half),
                "hyperbolic": lambda: np.exp(np.hstack([w, -w]) - half),
                "trigonometric": lambda: np.exp(half) * np.hstack([np.sin(w), np.cos(w)]),
                "relu": lambda: np.maximum(w, 0)}[kind]()
    return phi(xi) @ phi(X).T


def room(xi, X, omega, beta, V=None, where=True, kind="positive"):
    """Hyperbolic features are the positive ones of omega and -omega."""
    omega = np.vstack([omega, -omega]) if kind == "hyperbolic" else omega
    logs = [np.sqrt(beta) * x @ omega.T - beta * (x * x).sum(-1)[:, None] / 2 for x in (xi, X)]
    return rounding.performer(*logs, *(rounding.log_features(x, omega, beta) for x in (xi, X)),
                              X if V is None else V, where)


@law("performer.update", "performer.weights", id="PF-6", over=projected(),
     kills=["performer_beta_outside", "performer_without_denominator", "performer_softmax_instead",
            "performer_h_missing", "performer_query_unscaled", "performer_eps_on_the_features",
            "performer_max_per_key"])
def test_a_step_is_the_mean_of_the_patterns_by_their_estimated_kernels(rules, xi, X, omega, beta):
    for kind in ("positive", "hyperbolic"):
        K = kernel(xi, X, omega, beta, kind)
        p = K / K.sum(-1, keepdims=True)
        how = {"beta": beta, "features": kind}
        close(rules.performer.weights(xi, X, omega, **how), p,
              2 * room(xi, X, omega, beta, V=np.eye(len(X)), kind=kind))
        close(rules.performer.update(xi, X, omega, **how), p @ X,
              2 * room(xi, X, omega, beta, kind=kind))


@law("performer.update", id="PF-6", over=projected(max_n=3, max_r=3, max_d=2),
     kills=["performer_eps_on_the_features",
            "performer_max_before_the_norm"])
def test_a_step_is_right_however_large_the_norms(rules, xi, X, omega, beta):
    """Against sixty digits; 64 times the size is beyond any plain exponential."""
    big_xi, big_X = 64 * xi[:1], 64 * X
    want = exact.performer(big_xi[0], big_X, big_X, omega, beta)
    got = rules.performer.update(big_xi, big_X, omega, beta=beta)[0]
    for y, t, r in zip(got, want, room(big_xi, big_X, omega, beta)[0], strict=True):
        assert abs(mpmath.mpf(float(y)) - t) <= 2 * r


@law("performer.update", id="PF-6", over=projected(),
     kills=["performer_trig_with_decay", "performer_sign_dropped"])
def test_trigonometric_and_relu_steps_use_their_own_kernels(rules, xi, X, omega, beta):
    """Where no denominator cancels: |D| at least a quarter of its sum of sizes.  A kernel is known
    up to its size times e, so N/D up to e (sum/|D|) (max|X| + |N/D|) <= 20 e max|X|."""
    for kind in KINDS[2:]:
        K, size = kernel(xi, X, omega, beta, kind), sizes(xi, X, omega, beta, kind)
        D, total = K.sum(-1), size.sum(-1)
        sound = (np.abs(D) >= total / 4) & (D != 0)
        e = g(2 * len(X) + 6 * len(omega) + 80) + 4 * max(
            rounding.log_features(x, omega, beta).max() for x in (xi, X))
        got = rules.performer.update(xi, X, omega, beta=beta, features=kind)
        close(got[sound], (K @ X)[sound] / D[sound, None], 20 * e * np.abs(X).max())


def sizes(xi, X, omega, beta, kind):
    """The kernel with every term, and every term of every projection, taken absolutely."""
    if kind == "relu":
        return beta * np.abs(xi) @ np.abs(omega).T @ np.abs(omega) @ np.abs(X).T
    half = [beta * (x * x).sum(-1) / 2 for x in (xi, X)]
    return 2 * len(omega) * np.exp(half[0][:, None] + half[1])


@law("performer.attention", id="PF-1", over=projected(),
     kills=["performer_scale_is_one", "performer_scale_twice", "performer_mask_hides_values_only"])
def test_attention_is_retrieval_with_values_of_its_own(rules, xi, X, omega, beta):
    V, d = X[:, :1] - 2, xi.shape[1]
    scale = 1 / np.sqrt(d)
    K = kernel(xi, X, omega, scale)
    close(rules.performer.attention(xi, X, V, omega), K @ V / K.sum(-1, keepdims=True),
          2 * room(xi, X, omega, scale, V))
    same = rules.performer.attention(xi, X, X, omega, scale=beta)
    close(same, rules.performer.update(xi, X, omega, beta=beta), 2 * room(xi, X, omega, beta))
    seen = np.arange(len(X)) < max(1, len(X) - 1)
    hidden = rules.performer.attention(xi, X, V, omega, mask=seen)
    close(hidden, rules.performer.attention(xi, X[seen], V[seen], omega),
          2 * room(xi, X[seen], omega, scale, V[seen]))


@law("performer.attention", "performer.update", id="PF-1", over=projected(),
     kills=["performer_eps_in_the_denominator",
            "performer_mask_hides_values_only"])
def test_values_of_one_give_one(rules, xi, X, omega, beta):
    """Numerator and denominator are the same sums, rounded n + r + 3 times each at most."""
    ones = np.ones((len(X), 1))
    seen = np.arange(len(X)) < max(1, len(X) - 1)
    for size in (1, 64):
        Z = rules.performer.attention(size * xi, size * X, ones, omega, mask=seen)
        close(Z, 1.0, 2 * g(len(X) + len(omega) + 3))


@law("performer.update", id="PF-6", over=projected(),
     kills=["performer_without_denominator", "performer_adds_the_state"])
def test_a_step_lies_among_the_patterns_if_the_features_are_positive(rules, xi, X, omega, beta):
    for kind in KINDS[:2]:
        got = rules.performer.update(xi, X, omega, beta=beta, features=kind)
        slack = room(xi, X, omega, beta, kind=kind)
        assert np.all((got <= X.max(0) + slack) & (got >= X.min(0) - slack))


@law("performer.update", id="PF-6", over=projected(),
     kills=["performer_query_unscaled"])
def test_order_of_patterns_and_of_projections_is_irrelevant_and_units_cancel(
        rules, xi, X, omega, beta):
    f, r = rules.performer.update(xi, X, omega, beta=beta), 2 * room(xi, X, omega, beta)
    close(rules.performer.update(xi, X[::-1], omega, beta=beta), f, r)
    close(rules.performer.update(xi, X, omega[::-1], beta=beta), f, r)
    assert np.all(rules.performer.update(2 * xi, 2 * X, omega, beta=beta / 4) == 2 * f)
    for x, y, s in zip(xi, f, r, strict=True):
        close(rules.performer.update(x, X, omega, beta=beta), y, s)


@law("performer.update", id="RF-10", over=projected(),
     kills=["performer_relu_shifted"])
def test_a_relu_performer_has_no_temperature(rules, xi, X, omega, beta):
    K = kernel(xi, X, omega, 1.0, "relu")
    sound = K.sum(-1) > 0
    step = rules.performer.update
    got = [step(xi[sound], X, omega, beta=b, features="relu") for b in (1.0, 64.0)]
    bound = 2 * g(len(X) + 2 * len(omega) + 6 * xi.shape[1] + 40) * np.abs(X).max()
    close(got[0], got[1], bound * cancelled(xi[sound], X, omega))


def cancelled(xi, X, omega):
    """How much larger the terms of omega.x are than omega.x, where it counts."""
    sizes = [np.abs(x) @ np.abs(omega).T for x in (xi, X)]
    values = [np.abs(x @ omega.T) for x in (xi, X)]
    return 1 + max(np.where(v > 0, s / np.where(v > 0, v, 1), 0).max(initial=0)
                   for s, v in zip(sizes, values, strict=True))


# -- causal -------------------------------------------------------------------------------------

@st.composite
def sequences(draw):
    l, d, r = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    eighths = st.integers(-16, 16).map(lambda k: k / 8)
    size = draw(st.sampled_from([1.0, 32.0]))
    return {"Q": size * draw(arrays(l, d, elements=eighths)),
            "K": size * draw(arrays(l, d, elements=eighths)), "V": draw(arrays(l, 1)),
            "omega": draw(arrays(r, d, elements=eighths))}


@law("performer.causal_attention", id="AT-3", over=sequences(),
     kills=["causal_stabiliser_of_the_whole", "causal_performer_strict", "causal_favor_eps"])
def test_a_causal_answer_is_that_of_its_past_alone(rules, Q, K, V, omega):
    Z = rules.performer.causal_attention(Q, K, V, omega)[0]
    scale = 1 / np.sqrt(Q.shape[1])
    for i in range(len(V)):
        past = slice(0, i + 1)
        want = rules.performer.attention(Q[i:i + 1], K[past], V[past], omega)
        # the past is rescaled at most i times, an exponential and a product each
        close(Z[i], want[0], 2 * room(Q[i:i + 1], K[past], omega, scale, V[past])[0]
              + g(24 * (i + 1)) * np.abs(V).max())


@law("performer.causal_attention", id="AT-3", over=sequences(),
     kills=["causal_stabiliser_of_the_whole", "causal_favor_eps", "causal_performer_sees_all"])
def test_no_causal_answer_knows_the_future_to_the_last_bit(rules, Q, K, V, omega):
    Z = rules.performer.causal_attention(Q, K, V, omega)[0]
    other = rules.performer.causal_attention(Q, np.vstack([K[:-1], 3 - 4 * K[-1:]]),
                                             np.vstack([V[:-1], 99 - V[-1:]]), omega)[0]
    assert np.all(Z[:-1] == other[:-1])


@law("performer.causal_attention", id="MO-3", over=sequences(),
     kills=["causal_performer_forgets_its_scale"])
def test_a_causal_sequence_may_be_cut_anywhere(rules, Q, K, V, omega):
    attend = rules.performer.causal_attention
    whole = attend(Q, K, V, omega)
    for cut in range(1, len(V)):
        head, S, z, c = attend(Q[:cut], K[:cut], V[:cut], omega)
        tail, S, z, c = attend(Q[cut:], K[cut:], V[cut:], omega, S=S, z=z, c=c)
        shift = 4 * rounding.log_features(K, omega, 1.0).max() + g(24 * len(V))     # BLAS by batch
        for got, want in zip((np.vstack([head, tail]), S, z, c), whole, strict=True):
            close(got, want, shift * (len(V) + 1) * (1 + np.abs(V).max()) + 4 * u * np.abs(want)
                  + 2 * rounding.log_features(K, omega, 1.0).max())


@law("performer.causal_attention", id="AT-3", over=sequences(),
     kills=["causal_performer_always_positive"])
def test_causal_attention_takes_the_features_asked_for(rules, Q, K, V, omega):
    """To the last bit those of `features`, in the log domain, at scale 1/sqrt(d)."""
    beta = 1 / np.sqrt(Q.shape[1])
    for kind in ("hyperbolic", "trigonometric"):
        maps = [getattr(features, f"log_{kind}")(x, omega, beta=beta) for x in (Q, K)]
        signed = maps if kind == "trigonometric" else [(log, 1 + 0 * log) for log in maps]
        (q, sign_q), (k, sign_k) = signed
        want = attention.log_causal_linear_attention(q, k, V, sign_q=sign_q, sign_k=sign_k)
        got = rules.performer.causal_attention(Q, K, V, omega, features=kind)
        assert all(map(np.array_equal, got, want))


# -- expectation and thresholds -----------------------------------------------------------------

@law("performer.expected_update", id="PF-6", over=projected(),
     kills=["standard_error_of_a_single_draw", "standard_error_biased", "expectation_of_features"])
def test_the_expectation_is_the_mean_over_draws_with_its_standard_error(rules, xi, X, omega, beta):
    omegas = np.stack([omega, -omega, omega / 2, omega + 0.25])
    draws = np.stack([rules.performer.update(xi, X, w, beta=beta) for w in omegas])
    mean, error = rules.performer.expected_update(xi, X, omegas, beta=beta)
    r = 2 * sum(room(xi, X, w, beta) for w in omegas) + g(16) * np.abs(X).max()
    close(mean, draws.mean(0), r)
    close(error, draws.std(0, ddof=1) / 2, r)


@law("performer.update", "performer.expected_update", "projections.iid", id="RF-12",
     kills=["performer_softmax_instead", "performer_h_missing", "standard_error_of_a_single_draw",
            "iid_uniform"])
def test_the_ratio_is_biased_and_spread_as_the_delta_method_says(rules):
    """bias = -1.C v/D^2 + N 1.C 1/D^3, var = (v - N/D).C (v - N/D)/D^2, to first order in 1/m, C
    from RF-11; at m = 64 the rest is below a quarter of either.  The first-order error of each
    draw, whose mean is 0, is taken off before averaging; six standard errors of what is left."""
    xi = np.array([[0.25, 0.1, 0.0]])
    X = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.2], [-0.3, 0.1, 0.4]])
    m, draws, v = 64, 1000, X[:, 0]
    omegas = rules.projections.iid(m * draws, 3, rng=13).reshape(draws, m, 3)
    k, one = np.exp(X @ xi[0]), np.ones(3)
    C = k[:, None] * k * np.expm1((xi + X) @ (xi + X).T) / m
    D, N = k.sum(), k @ v
    error = np.stack([kernel(xi, X, w, 1.0)[0] / m for w in omegas]) - k
    steps = np.stack([rules.performer.update(xi, X, w)[0, 0] for w in omegas])
    rest = steps - error @ (v - N / D) / D - N / D
    bias = -one @ C @ v / D**2 + N * (one @ C @ one) / D**3
    close(rest.mean(), bias, 6 * rest.std() / np.sqrt(draws) + abs(bias) / 4)
    spread = np.sqrt((v - N / D) @ C @ (v - N / D) / D**2 / draws)
    assert rest.std() <= spread * np.sqrt(draws) / 4          # of second order indeed
    close(rules.performer.expected_update(xi, X, omegas)[1][0, 0], spread, spread / 4)


@law("performer.thresholded_update", id="PF-7", over=projected(),
     kills=["performer_theta_negative", "performer_side_swapped", "performer_theta_itself_dropped",
            "performer_outer_thresholded"])
def test_only_what_lies_beyond_theta_is_compared_and_whole_patterns_come_back(
        rules, xi, X, omega, beta):
    for theta, side in ((0.5, "above"), (-0.5, "below")):
        keep = (lambda x: x <= 0.5) if side == "above" else (lambda x: x >= -0.5)
        a, c = np.where(keep(xi), xi, 0), np.where(keep(X), X, 0)
        K = kernel(a, c, omega, beta)
        how = {"side": side, "theta": theta} if side == "below" else {}
        got = rules.performer.thresholded_update(xi, X, omega, beta=beta, **how)
        close(got, K @ X / K.sum(-1, keepdims=True), 2 * room(a, c, omega, beta, X))


# -- what each statement needs ------------------------------------------------------------------

def test_a_finite_draw_has_no_energy():
    """The Jacobian of a step is not symmetric, so the step is no gradient."""
    assert performer.update.lowers is None
    omega, X = projections.iid(4, 2, rng=1), np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0]])
    xi, h = np.array([0.3, -0.2]), 2.0**-20
    J = np.stack([(performer.update(xi + h * e, X, omega) - performer.update(xi - h * e, X, omega))
                  / (2 * h) for e in np.eye(2)], -1)
    assert abs(J[0, 1] - J[1, 0]) > 1e-3


def test_no_feasible_draw_approximates_softmax_at_beta_25():
    """One feature of unit-norm matches has relative variance e^100 - 1: 256 of them scatter the
    weight of the stored pattern over (0, 1), where softmax gives it all but 1e-10."""
    X = np.eye(8)[:6]
    shares = [performer.weights(X[0], X, projections.iid(256, 8, rng=seed), beta=25.0)[0]
              for seed in range(40)]
    assert min(shares) < 0.1 and max(shares) > 0.999 and np.ptp(shares) > 0.9


def test_trigonometric_denominators_change_sign_and_the_answer_leaves_the_patterns():
    """Kernels e^2 cos 0 and e^0 cos 4 < 0: the answer overshoots both patterns."""
    omega, X = np.array([[2.0]]), np.array([[2.0], [0.0]])
    assert performer.update([2.0], X, omega, features="trigonometric") > X.max()


def test_an_eps_on_the_features_returns_the_mean_of_the_values():
    """Upstream's stabiliser: at |k|^2/2 = 128 every key sits at its floor."""
    V, phi = np.array([[1.0], [3.0]]), np.exp(np.array([[-128.0], [-120.0]])) + 1e-4
    assert abs(phi.T @ V / phi.sum() - 2.0) < 1e-12
    K = np.array([[16.0], [15.5]])
    assert performer.attention([[1.0]], K, V, [[0.0]], scale=1.0) > 2.99
