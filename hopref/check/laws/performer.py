"""Laws of the Performer: attention and one-step retrieval by random features."""
import numpy as np

from hopref.check.cases.draws import sampled
from hopref.check.cases.projected import projected, projected_heads, sequences, several
from hopref.check.laws import at_most, equal, law, toleranced
from hopref.check.laws.attention import first
from hopref.check.laws.linear_attention import weighed
from hopref.check.laws.modern import kept
from hopref.features import log_positive
from hopref.maps import default_scale
from hopref.projections import iid

EPS = ("FAVOR+ eps 1e-4", "FAVOR+ eps 1e-6")


def square(x):
    return np.sum(x * x, axis=-1, keepdims=True)


def features_of(kind, x, omega, beta):
    """h(x) f(u), without the factor 1/sqrt(m) that cancels; u = sqrt(beta) omega x."""
    x = np.sqrt(np.longdouble(beta)) * x
    u, half = x @ omega.T, square(x) / 2
    if kind == "positive":
        return np.exp(u - half)
    if kind == "hyperbolic":
        return np.concatenate([np.exp(u - half), np.exp(-u - half)], axis=-1)
    if kind == "trigonometric":
        return np.exp(half) * np.concatenate([np.sin(u), np.cos(u)], axis=-1)
    return np.maximum(u, 0.0)


def kernel(kind, x, y, omega, beta):
    """The estimated kernel of every row of x and of y."""
    return features_of(kind, x, omega, beta) @ features_of(kind, y, omega, beta).T


def root_of(K):
    return 1 / np.sqrt(np.longdouble(K.shape[-1]))


# -- estimated kernels ----------------------------------------------------------------------------

@law("performer.update", "performer.weights", id="PF-6", over=projected(),
     kills=("beta ignored", "beta applied twice", "denominator missing",
            "softmax in place of its estimate", "exp(-|x|^2/2) missing",
            "sqrt(beta) on the patterns only", "exp(-|x|^2/2) in trigonometric features",
            "signs of the features dropped", "stabiliser per key", *EPS))
def a_step_is_the_mean_of_the_patterns_by_their_estimated_kernels(
        f, xi, X, omega, beta, features):
    """p_i = phi(xi).phi(x_i) / D, and the new state is sum_i p_i x_i."""
    estimate, how = kernel(features, xi, X, omega, beta), {"beta": beta, "features": features}
    yield equal(f.performer.weights(xi, X, omega, **how), weighed(estimate, np.eye(len(X))),
                "weights")
    yield equal(f.performer.update(xi, X, omega, **how), weighed(estimate, X), "update")


@law("performer.attention", id="PF-1, PF-4", over=projected_heads(),
     kills=("scale missing", "scale applied twice", "scale argument ignored",
            "padding masks V only", "mask ignored", "denominator eps 1e-6",
            "exp(|x|^2/2) of trigonometric features missing",
            "shift of the features taken out of the values too"))
def attention_is_the_mean_of_the_values_by_estimated_kernels(
        f, Q, K, V, omega, features, mask, scale):
    """Z_i = sum_j phi(q_i).phi(k_j) v_j / D over the keys that are seen, at beta = scale."""
    estimate = kernel(features, Q, K, omega, root_of(K) if scale is None else scale)
    Z = f(Q, K, V, omega, features=features, mask=mask, scale=scale)
    yield equal(Z, weighed(np.where(mask, estimate, 0.0), V))


@law("performer.causal_attention", id="AT-3", over=sequences(),
     kills=("own position not seen", "the whole sequence is seen", "features option ignored",
            "future-dependent stabiliser, eps 1e-4", "future-dependent stabiliser, eps 1e-6"))
def a_causal_answer_is_that_of_its_past_by_estimated_kernels(f, Q, K, V, omega, features):
    """Z_i = sum_{j <= i} phi(q_i).phi(k_j) v_j / sum_{j <= i} phi(q_i).phi(k_j)."""
    estimate = np.tril(kernel(features, Q, K, omega, root_of(K)))
    yield equal(first(f(Q, K, V, omega, features=features)), weighed(estimate, V))


@law("performer.thresholded_update", id="PF-7",
     over=projected(theta=sampled([0.5, -0.5]), side=sampled(["above", "below"])),
     kills=("threshold on the wrong side", "theta itself dropped",
            "thresholded patterns in the outer product too"))
def what_exceeds_theta_is_not_compared_by_features_and_whole_patterns_are_returned(
        f, xi, X, omega, beta, features, theta, side):
    """phi of S(xi) and S(X), S_theta with the components beyond theta set to 0; patterns whole."""
    estimate = kernel(features, kept(xi, theta, side), kept(X, theta, side), omega, beta)
    how = {"beta": beta, "theta": theta, "side": side, "features": features}
    yield equal(f(xi, X, omega, **how), weighed(estimate, X))


@law("performer.thresholded_update", id="PF-7", over=projected(kinds=("positive",)),
     kills=("theta -0.5 by default",))
def what_exceeds_one_half_is_not_compared_by_default(f, xi, X, omega, beta, features):
    """theta is +0.5, not the -0.5 that the blog's eqs. (20) and (22) print."""
    yield equal(f(xi, X, omega, beta=beta), f(xi, X, omega, beta=beta, theta=0.5))


# -- one feature ----------------------------------------------------------------------------------

@law("performer.attention", id="PF-1", kills=EPS)
def one_feature_weighs_keys_exactly(f, Q, K, V, omega, *, scale=None, **options):
    """With a single positive feature the answer is softmax(log phi(K)) V, whatever the query."""
    if options:
        return
    logs = f.exact(log_positive, K, omega[:1], beta=default_scale(scale, K))[..., 0]
    p = np.exp(logs - np.max(logs, axis=-1, keepdims=True))
    p = p / np.sum(p, axis=-1, keepdims=True)
    answer = np.sum(p[..., None] * V, axis=-2)[..., None, :]
    yield equal(f(Q, K, V, omega[:1], scale=scale, **options), answer)


@law("performer.update", id="PF-6", kills=EPS)
def one_feature_weighs_patterns_exactly(f, xi, X, omega, *, beta=1.0, **options):
    """With a single positive feature the answer is softmax(log phi(X)) X, whatever the state."""
    if options:
        return
    logs = f.exact(log_positive, X, omega[:1], beta=beta)[..., 0]
    p = np.exp(logs - np.max(logs))
    yield equal(f(xi, X, omega[:1], beta=beta, **options), (p / np.sum(p)) @ X)


# -- bounds and symmetries ------------------------------------------------------------------------

@law("performer.update", id="PF-6", over=projected(kinds=("positive", "hyperbolic")),
     kills=("denominator missing", "state added to the answer"))
def by_positive_features_a_step_lies_among_the_patterns(f, xi, X, omega, beta, features):
    """Every component lies between the smallest and the largest of the patterns."""
    new = f(xi, X, omega, beta=beta, features=features)
    yield at_most(new, np.max(X, axis=0), "below the largest")
    yield at_most(np.min(X, axis=0), new, "above the smallest")


@law("performer.update", "performer.attention", id="AT-1", kills=("first pattern counted twice",))
def order_of_keys_and_of_features_is_irrelevant(f, *operands, **options):
    """Patterns (or keys with their values), and the rows of omega, may change places."""
    if "mask" in options:
        return
    *states, omega = operands
    turned = [states[0], *(a[..., ::-1, :] for a in states[1:])]
    yield equal(f(*turned, omega[::-1], **options), f(*operands, **options))


@law("performer.update", id="PF-6", over=projected(),
     kills=("sqrt(beta) on the patterns only", "beta applied twice"))
def scaling_states_and_patterns_is_scaling_the_temperature_of_features(
        f, xi, X, omega, beta, features):
    """f(2 X, 2 xi; beta / 4) = 2 f(X, xi; beta) for the same draw."""
    yield equal(f(2 * xi, 2 * X, omega, beta=beta / 4, features=features),
                2 * f(xi, X, omega, beta=beta, features=features))


@law("performer.update", id="RF-10", over=projected(kinds=("relu",)),
     kills=("1e-3 added to ReLU features",))
def a_relu_performer_has_no_temperature(f, xi, X, omega, beta, features):
    """ReLU features are homogeneous: f(beta = 1) = f(beta = 64)."""
    yield equal(f(xi, X, omega, beta=1.0, features="relu"),
                f(xi, X, omega, beta=64.0, features="relu"))


# -- the expectation ------------------------------------------------------------------------------

@law("performer.expected_update", id="PF-6", over=several(),
     kills=("standard deviation of a single draw", "variance divided by k",
            "ratio of expectations"))
def the_expectation_is_the_mean_over_draws_with_its_standard_error(f, xi, X, omegas, beta):
    """mean_k f_k, and sqrt(sum_k (f_k - mean)^2 / (k (k - 1)))."""
    steps = np.stack([f.performer.update(xi, X, omega, beta=beta) for omega in omegas])
    k, mean = len(omegas), np.mean(steps, axis=0)
    away = steps - mean
    answer = f(xi, X, omegas, beta=beta)
    yield equal(answer[0], mean, "mean")
    yield equal(answer[1] * answer[1], np.sum(away * away, axis=0) / (k * (k - 1.0)), "error")


@law("performer.expected_update", id="RF-12", kills=("standard deviation of a single draw",))
def the_spread_of_the_ratio_is_that_of_the_delta_method(f):
    """Var = (v - N/D).C (v - N/D) / D^2 to first order in 1/m, C the covariance of the estimated
    kernels [RF-11]: 100 draws of m = 64 rows give the standard deviation to 1/sqrt(198), and terms
    of higher order are below a tenth; six of the former and the latter make 0.53."""
    xi = np.array([[0.25, 0.1, 0.0]])
    X = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.2], [-0.3, 0.1, 0.4]])
    m, draws, v = 64, 100, X[:, 0]
    k = np.exp(X @ xi[0])
    C = k[:, None] * k * np.expm1((xi + X) @ (xi + X).T) / m
    away, D = v - k @ v / np.sum(k), np.sum(k)
    spread = np.sqrt(away @ C @ away / draws) / D
    omegas = iid(m * draws, 3, rng=13).reshape(draws, m, 3)
    error = f(f.array(xi), f.array(X), f.array(omegas))[1]
    yield equal(error[0, 0], toleranced(spread, (6 / np.sqrt(2 * (draws - 1)) + 0.1) * spread))
