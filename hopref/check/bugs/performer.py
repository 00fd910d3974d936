"""Bugs of the Performer: features, stabilisers, denominators, causality, expectations."""
import math
from functools import partial

import numpy as np

from hopref.check.bugs import bug, estimated, named, run, wrong_argument, wrong_call
from hopref.check.bugs.linear_attention import shifted
from hopref.maps import default_scale, masked
from hopref.models import attention, modern, performer

__all__ = []

RETRIEVAL = ("performer.update", "performer.weights")
ATTENTION = (*RETRIEVAL, "performer.attention")


def half_square(x):
    return np.sum(x * x, axis=-1, keepdims=True) / 2


def operands(given):
    """The inverse temperature, queries and keys."""
    if "xi" in given:
        return given["beta"], given["xi"][..., None, :], given["X"]
    return default_scale(given["scale"], given["K"]), given["Q"], given["K"]


def answered(op, given, q, k, eps=0.0):
    """Weights, new states or answers by these features of queries and keys."""
    if op.name == "performer.weights":
        return attention.linear_weights.formula(q, k)[..., 0, :]
    if "xi" in given:
        return attention.linear_attention.formula(q, k, given["X"], eps=eps)[..., 0, :]
    return attention.linear_attention.formula(q, k, given["V"], mask=given["mask"], eps=eps)


def by_features(op, given, change, eps=0.0):
    """With features ``change(log size, sign, beta |x|^2 / 2)``."""
    features, (beta, queries, keys) = named(op, "features", given), operands(given)
    q, k = (change(*features(x, given["omega"], beta), beta * half_square(x))
            for x in (queries, keys))
    return answered(op, given, q, k, eps)


# -- features -------------------------------------------------------------------------------------

@wrong_call("exp(-|x|^2/2) missing", *ATTENTION)
def decay_missing(op, given):
    if given["features"] in ("positive", "hyperbolic"):
        return by_features(op, given, lambda log, sign, half: sign * np.exp(log + half))


@wrong_call("exp(|x|^2/2) of trigonometric features missing", *ATTENTION)
def growth_missing(op, given):
    if given["features"] == "trigonometric":
        return by_features(op, given, lambda log, sign, half: sign * np.exp(log - half))


@wrong_call("exp(-|x|^2/2) in trigonometric features", *ATTENTION)
def growth_of_the_other_sign(op, given):
    if given["features"] == "trigonometric":
        return by_features(op, given, lambda log, sign, half: sign * np.exp(log - 2 * half))


@wrong_call("signs of the features dropped", *ATTENTION)
def signs_dropped(op, given):
    return by_features(op, given, lambda log, sign, half: np.exp(log))


@wrong_call("1e-3 added to ReLU features", *ATTENTION)
def relu_eps(op, given):
    if given["features"] == "relu":
        return by_features(op, given, lambda log, sign, half: sign * np.exp(log) + 1e-3)


@wrong_call("denominator eps 1e-6", "performer.attention")
def denominator_eps(op, given):
    return by_features(op, given, lambda log, sign, half: sign * np.exp(log), 1e-6)


@estimated("{} is added to the denominator", *ATTENTION)
def any_denominator_eps(op, given, number):
    if op.name == "performer.weights":
        return None
    return by_features(op, given, lambda log, sign, half: sign * np.exp(log), number)


@estimated("{} is added to every feature", *ATTENTION)
def any_feature_eps(op, given, number):
    return by_features(op, given, lambda log, sign, half: sign * np.exp(log) + number)


@wrong_call("sqrt(beta) on the patterns only", *RETRIEVAL)
def query_unscaled(op, given):
    return run(op, given | {"xi": given["xi"] / math.sqrt(given["beta"])})


@wrong_call("softmax in place of its estimate", *RETRIEVAL)
def softmax_itself(op, given):
    exact = modern.weights if op.name == "performer.weights" else modern.update
    return exact.formula(given["xi"], given["X"], beta=given["beta"])


@wrong_call("denominator missing", *RETRIEVAL)
def denominator_missing(op, given):
    features = named(op, "features", given)
    q, k = (sign * np.exp(log) for log, sign in (
        features(given[x], given["omega"], given["beta"]) for x in ("xi", "X")))
    return q @ k.T if op.name == "performer.weights" else q @ (k.T @ given["X"])


@wrong_call("shift of the features taken out of the values too", "performer.attention")
def shift_of_the_values(op, given):
    if given["features"] == "trigonometric":
        return run(op, given | {"V": given["V"] * np.exp(-half_square(given["K"]))})


# -- stabilisers ----------------------------------------------------------------------------------

def stabilised(x, omega, beta, eps, over):
    """Positive features as in published code: the maximum is that of omega x alone."""
    x = math.sqrt(beta) * x
    u = x @ omega.T
    top = np.max(u, axis=over, keepdims=True)
    return (np.exp(u - half_square(x) - top) + eps) / math.sqrt(len(omega))


def favor(op, given, eps, denominator=0.0, over=(-1, -2)):
    if given.get("features", "positive") != "positive":
        return None
    beta, queries, keys = operands(given)
    q = stabilised(queries, given["omega"], beta, eps, -1)
    k = stabilised(keys, given["omega"], beta, eps, over)
    if op.name == "performer.causal_attention":
        return None if "S" in given and np.ndim(given["S"]) else \
            attention.causal_linear_attention.formula(q, k, given["V"], mask=given["mask"],
                                                      z=denominator)[0]
    return answered(op, given, q, k)


@estimated("FAVOR+ eps {}", *ATTENTION)
def favor_eps(op, given, number):
    return favor(op, given, number)


@wrong_call("stabiliser of the whole exponent per key", *ATTENTION)
def whole_exponent_per_key(op, given):
    """Each key is divided by its largest feature, and so loses its weight."""
    features, (beta, queries, keys) = named(op, "features", given), operands(given)
    log_q, sign_q = features(queries, given["omega"], beta)
    log_k, sign_k = features(keys, given["omega"], beta)
    q = sign_q * np.exp(log_q - np.max(log_q, axis=-1, keepdims=True))
    k = sign_k * np.exp(log_k - np.max(log_k, axis=-1, keepdims=True))
    return answered(op, given, q, k)


# -- the past -------------------------------------------------------------------------------------

@wrong_call("own position not seen", "performer.causal_attention")
def own_position_not_seen(op, given):
    log_q, log_k, signs = causal_features(op, given)
    signs["sign_k"] = shifted(signs["sign_k"])
    return attention.log_causal_linear_attention.formula(
        log_q, shifted(log_k, -np.inf), shifted(given["V"]), **signs,
        **{k: given[k] for k in "Szc"})[0]


@wrong_call("the whole sequence is seen", "performer.causal_attention")
def whole_sequence_seen(op, given):
    if np.ndim(given["S"]):
        return None
    log_q, log_k, signs = causal_features(op, given)
    return attention.log_linear_attention.formula(log_q, log_k, given["V"], **signs)


def causal_features(op, given):
    features, (beta, queries, keys) = named(op, "features", given), operands(given)
    (log_q, sign_q), (log_k, sign_k) = (features(x, given["omega"], beta) for x in (queries, keys))
    log_k = masked(log_k, given["mask"], -math.inf)
    return log_q, log_k, {"sign_q": sign_q, "sign_k": sign_k}


# -- expectations and thresholds ------------------------------------------------------------------

@wrong_call("standard deviation of a single draw", "performer.expected_update")
def deviation_of_a_single_draw(op, given):
    mean, error = run(op, given)
    return mean, error * math.sqrt(len(given["omegas"]))


@wrong_call("variance divided by k", "performer.expected_update")
def biased_variance(op, given):
    mean, error = run(op, given)
    return mean, error * math.sqrt(1 - 1 / len(given["omegas"]))


@wrong_call("ratio of expectations", "performer.expected_update")
def ratio_of_expectations(op, given):
    """Feature maps of all rows at once: the mean of kernels, then the ratio."""
    return performer.update.formula(
        given["xi"], given["X"], np.concatenate(list(given["omegas"])), beta=given["beta"],
        features=named(op, "features", given)), run(op, given)[1]


@bug("theta -0.5 by default", "performer.thresholded_update")
def negative_theta(xi, X, omega, /, *, theta=-0.5, **how):
    return performer.thresholded_update(xi, X, omega, theta=theta, **how)


REGISTERED = [
    wrong_argument("features option ignored", "performer.attention", "performer.causal_attention",
                   "performer.update", features="positive"),
    wrong_call("FAVOR+ eps 1e-4", *ATTENTION)(partial(favor, eps=1e-4)),
    wrong_call("FAVOR+ eps 1e-6", *ATTENTION)(partial(favor, eps=1e-6)),
    wrong_call("maximum of omega x alone subtracted", *ATTENTION,
               benign="it cancels; differs where an exponential underflows, a limit that is "
                      "reported")(partial(favor, eps=0.0)),
    wrong_call("maximum of omega x subtracted from the new keys, not from the state",
               "performer.causal_attention")(partial(favor, eps=0.0)),
    wrong_call("future-dependent stabiliser, eps 1e-4",
               "performer.causal_attention")(partial(favor, eps=1e-4)),
    wrong_call("future-dependent stabiliser, eps 1e-6",
               "performer.causal_attention")(partial(favor, eps=1e-6)),
    wrong_call("future-dependent stabiliser, eps 1e-4, and 1e-6 on the key sums",
               "performer.causal_attention")(partial(favor, eps=1e-4, denominator=1e-6)),
    wrong_call("stabiliser per key", *ATTENTION)(partial(favor, eps=0.0, over=-1)),
]
