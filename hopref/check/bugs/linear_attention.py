"""Bugs of kernel attention: denominators, features, states, the log domain."""
import numpy as np

from hopref.check.bugs import bug, estimated, run, wrong_argument, wrong_call
from hopref.check.bugs.attention import CAUSAL, transposed
from hopref.models import attention

__all__ = []

LINEAR = ("attention.linear_attention", "attention.causal_linear_attention")
LOGS = ("attention.log_linear_attention", "attention.log_causal_linear_attention")


# -- denominators ---------------------------------------------------------------------------------

@wrong_call("denominator eps 1e-4", *LINEAR)
def denominator_eps(op, given):
    return run(op, given | {"eps": given["eps"] + 1e-4})


@wrong_call("denominator eps 1e-6", *LINEAR)
def small_denominator_eps(op, given):
    return run(op, given | {"eps": given["eps"] + 1e-6})


@estimated("{} is added to the denominator", *LINEAR)
def any_denominator_eps(op, given, number):
    return run(op, given | {"eps": given["eps"] + number})


@estimated("{} is added to every feature", *LINEAR)
def any_feature_eps(op, given, number):
    return run(op, given | {k: given[k] + number for k in ("phi_q", "phi_k")})


@wrong_call("normaliser cumulated over the heads", "attention.linear_attention")
def cumulated_over_heads(op, given):
    if np.ndim(given["phi_q"]) < 3:
        return None
    numerator, denominator = sums(given)
    return numerator / np.cumsum(denominator, axis=-3)


def sums(given):
    """The numerator and the denominator of linear attention."""
    state = {k: given[k] for k in ("mask", "S", "z")}
    S, z = attention.key_state.formula(given["phi_k"], given["V"], **state)
    return given["phi_q"] @ S, given["phi_q"] @ z[..., None] + given["eps"]


@wrong_call("denominator missing", "attention.linear_attention")
def denominator_missing(op, given):
    return sums(given)[0]


@wrong_call("D in place of its inverse", "attention.linear_attention")
def multiplied_by_the_denominator(op, given):
    numerator, denominator = sums(given)
    return denominator * numerator


@wrong_call("divided by the sum of the query's features", "attention.linear_attention")
def divided_by_the_sum_of_the_query(op, given):
    return sums(given)[0] / np.sum(given["phi_q"], axis=-1, keepdims=True)


@wrong_call("1e-4 added to every feature", *LINEAR)
def feature_eps(op, given):
    return run(op, given | {k: given[k] + 1e-4 for k in ("phi_q", "phi_k")})


@wrong_call("keys of all heads summed", "attention.linear_attention")
def keys_of_all_heads_summed(op, given):
    lead = tuple(range(given["V"].ndim - 2))
    if not lead:
        return None
    state = {k: given[k] for k in ("mask", "S", "z")}
    S, z = attention.key_state.formula(given["phi_k"], given["V"], **state)
    S, z = (np.sum(x, axis=lead) for x in (S, z))
    return given["phi_q"] @ S / (given["phi_q"] @ z[..., None] + given["eps"])


@bug("normalised over the queries", "attention.linear_weights")
def weights_over_the_queries(phi_q, phi_k, /, *, empty_row="zeros"):
    A = phi_q @ transposed(phi_k)
    return A / np.sum(A, axis=-2, keepdims=True)


@bug("denominator missing", "attention.linear_weights")
def weights_without_denominator(phi_q, phi_k, /, *, empty_row="zeros"):
    return phi_q @ transposed(phi_k)


@bug("denominator of kernel attention", "attention.association")
def association_divides(phi_q, phi_k, V, /):
    return attention.linear_attention.formula(phi_q, phi_k, V)


@bug("V^T K' for K'^T V", "attention.association")
def association_of_values_first(phi_q, phi_k, V, /):
    W = transposed(phi_k) @ V
    return phi_q @ (transposed(W) if W.shape[-1] == W.shape[-2] else W)


# -- states ---------------------------------------------------------------------------------------

@wrong_call("state not handed on", *CAUSAL)
def state_not_handed_on(op, given):
    return run(op, given | {"S": 0.0, "z": 0.0} | ({"c": -np.inf} if "c" in given else {}))


@wrong_call("S and z passed on without their scale", *CAUSAL[1:])
def scale_of_the_state_dropped(op, given):
    return run(op, given | {"c": 0 * given["c"]}) if np.ndim(given["c"]) else None


@wrong_call("state passed in is returned twice", "attention.causal_linear_attention")
def state_doubled(op, given):
    Z, S, z = run(op, given)
    return Z, S + given["S"], z + given["z"]


@wrong_call("hidden keys enter the state", *CAUSAL)
def hidden_keys_in_the_state(op, given):
    return run(op, given)[0], *run(op, given | {"mask": True})[1:]


# -- the past -------------------------------------------------------------------------------------

def shifted(x, first=0.0):
    """Rows one position later, after a first row of this number."""
    return np.concatenate([np.full_like(x[..., :1, :], first), x[..., :-1, :]], axis=-2)


@wrong_call("own position not seen", *CAUSAL[:2])
def own_position_not_seen(op, given):
    late = {k: shifted(given[k]) for k in ("phi_k", "V", "sign_k") if np.ndim(given.get(k))}
    if "log_k" in given:
        late["log_k"] = shifted(given["log_k"], -np.inf)
    return run(op, given | late)[0]


@wrong_call("the whole sequence is seen", "attention.causal_linear_attention")
def whole_sequence_seen(op, given):
    Z = attention.linear_attention.formula(*(given[k] for k in ("phi_q", "phi_k", "V")),
                                           **{k: given[k] for k in ("mask", "S", "z", "eps")})
    return Z, *run(op, given)[1:]


@wrong_call("cumulative sums along the features", "attention.causal_linear_attention")
def sums_along_the_features(op, given):
    Z = whole_sequence_seen(op, given | {"phi_k": np.cumsum(given["phi_k"], axis=-1)})[0]
    return Z, *run(op, given)[1:]


# -- the log domain -------------------------------------------------------------------------------

def features_of(given):
    """Features of queries and keys as logarithms and signs of full shape."""
    ones = np.ones_like(given["V"][..., :1])
    mask = given.get("mask", True)
    log_k = given["log_k"] if mask is True else \
        np.where(mask[..., None], given["log_k"], -np.inf)
    return (given["log_q"], given["sign_q"]), (log_k, given["sign_k"] * ones)


@wrong_call("exponentials before the sums", *LOGS)
def exponentials_first(op, given):
    (log_q, sign_q), (log_k, sign_k) = features_of(given)
    q, k = sign_q * np.exp(log_q), sign_k * np.exp(log_k)
    if op.name == LOGS[0]:
        return attention.linear_attention.formula(q, k, given["V"])
    if np.ndim(given["S"]):
        return None
    return attention.causal_linear_attention.formula(q, k, given["V"])[0]


def at_scale(given, q_scale, k_scale, eps=0.0):
    (log_q, sign_q), (log_k, sign_k) = features_of(given)
    q, k = sign_q * np.exp(log_q - q_scale), sign_k * np.exp(log_k - k_scale) + eps
    return attention.linear_attention.formula(q, k, given["V"])


def largest(x, axis):
    return np.max(x, axis=axis, keepdims=True, initial=-1e300)


@wrong_call("one scale for all features", LOGS[0])
def one_scale(op, given):
    return at_scale(given, largest(given["log_q"], None), largest(given["log_k"], None))


@wrong_call("scale of a feature not given back to the query", LOGS[0])
def scale_not_given_back(op, given):
    return at_scale(given, largest(given["log_q"], -1), largest(given["log_k"], -2))


@wrong_call("a scale of its own for every key", LOGS[0])
def scale_per_key(op, given):
    return at_scale(given, 0.0, largest(given["log_k"], -1))


@wrong_call("1e-6 added to the scaled features", LOGS[0])
def eps_on_scaled_features(op, given):
    top = largest(features_of(given)[1][0], -2)
    return at_scale(given, largest(given["log_q"] + top, -1) - top, top, 1e-6)


@wrong_call("past not rescaled when the maximum grows", LOGS[1])
def past_not_rescaled(op, given):
    V, (log_q, sign_q), (log_k, sign_k) = given["V"], *features_of(given)
    q_signs, r = sign_q * np.ones_like(log_q), log_k.shape[-1]
    S = given["S"] + np.zeros((*V.shape[:-2], r, V.shape[-1]), V.dtype)
    z, c = (given[k] + np.zeros((*V.shape[:-2], r), V.dtype) for k in ("z", "c"))
    rows = []
    for i in range(V.shape[-2]):
        c = np.maximum(c, log_k[..., i, :])
        k = sign_k[..., i, :] * np.exp(log_k[..., i, :] - c)
        S, z = S + k[..., None] * V[..., i, None, :], z + k
        q = log_q[..., i, :] + c
        q = q_signs[..., i, :] * np.exp(q - largest(q, -1))
        rows.append((q[..., None, :] @ S)[..., 0, :] / np.sum(q * z, axis=-1, keepdims=True))
    return np.stack(rows, axis=-2), S, z, c


REGISTERED = [
    wrong_argument("state passed in is dropped", "attention.key_state", S=0.0, z=0.0),
    wrong_argument("S passed on, z not", "attention.key_state", z=0.0),
    wrong_argument("signs ignored", *LOGS, sign_q=1.0, sign_k=1.0),
]
