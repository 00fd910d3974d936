"""Bugs of the vector-Jacobian products of attention, of random features and of the Performer."""
import math

import numpy as np

from hopref import attention, features, maps
from hopref.check.bugs import bug, named, run, wrong_call
from hopref.features import log_trigonometric
from hopref.gradients import attention as gradients
from hopref.gradients import features as gradients_of_features
from hopref.gradients import modern, performer
from hopref.maps import outer

__all__ = []

LARGEST_EXPONENT = 300.0        # of features that float64 and long double both hold


# -- attention ------------------------------------------------------------------------------------

@wrong_call("dQ scaled twice", "gradients.attention.softmax_attention")
def scaled_twice(op, given):
    dQ, *rest = run(op, given)
    return maps.default_scale(given["scale"], given["K"]) * dQ, *rest


@wrong_call("attention matrix treated as a constant", "gradients.attention.softmax_attention")
def matrix_as_a_constant(op, given):
    dQ, dK, dV, dbias, dscale = run(op, given)
    return 0 * dQ, 0 * dK, dV, 0 * dbias, 0 * dscale


@wrong_call("hidden keys in the denominator", "gradients.attention.softmax_attention")
def values_masked_alone(op, given):
    Q, K, V = given["Q"], given["K"], given["V"]
    mask = np.broadcast_to(given["mask"], (*Q.shape[:-1], K.shape[-2]))
    seen = np.any(mask, axis=-2)[..., None]
    dQ, dK, dV, *rest = run(op, given | {"mask": True, "V": np.where(seen, V, 0)})
    return dQ, dK, np.where(seen, dV, 0), *rest


@wrong_call("0 times NaN in empty rows", "gradients.attention.softmax_attention")
def zero_times_nan(op, given):
    rest = {k: x for k, x in given.items() if k not in ("g", "V")}
    Q, K = rest.pop("Q"), rest.pop("K")
    A = attention.softmax_weights.formula(Q, K, **rest)
    dQ, *others = run(op, given)
    return dQ + 0 * A @ K, *others


@wrong_call("hidden keys in the denominator", "gradients.attention.linear_attention",
            "gradients.attention.causal_linear_attention")
def linear_values_masked_alone(op, given):
    seen = np.broadcast_to(given["mask"], given["V"].shape[:-1])[..., None]
    V = np.where(seen, given["V"], 0)
    dq, dk, dV, *rest = run(op, given | {"mask": True, "V": V})
    return dq, dk, np.where(seen, dV, 0), *rest


@bug("denominator treated as a constant", "gradients.attention.linear_attention")
def denominator_as_a_constant(g, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0, eps=0.0,
                              empty_row="zeros"):
    S, z = attention.key_state.formula(phi_k, V, mask=mask, S=S, z=z)
    g = maps.ratio(g, phi_q @ z[..., None] + eps, 0.0)
    dS, dz = np.swapaxes(phi_q, -1, -2) @ g, np.zeros_like(z)
    return (g @ np.swapaxes(S, -1, -2),
            *gradients.key_state.formula(dS, dz, phi_k, V, mask=mask), np.zeros(()))


@wrong_call("sums over i <= j in place of i >= j", "gradients.attention.causal_linear_attention")
def from_the_past(op, given):
    turned = {k: np.flip(given[k], axis=-2) for k in ("g", "phi_q", "phi_k", "V")}
    dq, _, _, *rest = run(op, given)
    _, dk, dV, *_ = run(op, given | turned)
    return dq, np.flip(dk, axis=-2), np.flip(dV, axis=-2), *rest


@wrong_call("cotangent of the final state ignored", "gradients.attention.causal_linear_attention",
            "gradients.attention.log_causal_linear_attention",
            "gradients.performer.causal_attention")
def final_state_ignored(op, given):
    return run(op, given | {k: 0 * given[k] for k in ("g_S", "g_z", "g_c") if k in given})


@wrong_call("state run backwards by subtraction", "gradients.attention.causal_linear_attention")
def state_run_backwards(op, given):
    """The state is computed backwards as S - k v and z - k, in float64."""
    g, q, k, V = (np.asarray(given[name], float) for name in ("g", "phi_q", "phi_k", "V"))
    k = np.where(np.asarray(given["mask"])[..., None], k, 0.0)
    start = {name: given[name] for name in ("S", "z", "eps", "empty_row")}
    Z, S, z = map(np.array, attention.causal_linear_attention.formula(q, k, V, **start))
    dq = np.zeros_like(q)
    for i in reversed(range(V.shape[-2])):
        D = np.sum(q[..., i, :] * z, axis=-1)[..., None] + given["eps"]
        through = np.sum(g[..., i, :] * Z[..., i, :], axis=-1)[..., None] / D
        dq[..., i, :] = (S @ (g[..., i, :] / D)[..., None])[..., 0] - z * through
        S = S - k[..., i, :, None] * V[..., i, None, :]
        z = z - k[..., i, :]
    return dq, *run(op, given)[1:]


# -- logarithmic features -------------------------------------------------------------------------

def exponentiated(given, largest=math.inf):
    """The features of queries and keys; None where one exceeds e^largest."""
    logs = given["log_q"], given["log_k"]
    if max(np.max(x, initial=-np.inf) for x in logs) > largest:
        return None
    return [sign * np.exp(x) for sign, x in zip((given["sign_q"], given["sign_k"]), logs)]


@wrong_call("d/dphi in place of d/dlog phi", "gradients.attention.log_linear_attention")
def of_the_features(op, given):
    if (found := exponentiated(given, LARGEST_EXPONENT)) is None:
        return None
    return gradients.linear_attention.formula(
        given["g"], *found, given["V"], mask=given["mask"], empty_row=given["empty_row"])[:3]


def in_float64(given):
    return {k: np.asarray(x, float) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
            for k, x in given.items()}


@wrong_call("features exponentiated", "gradients.attention.log_linear_attention")
def by_exponentials(op, given):
    given = in_float64(given)
    q, k = exponentiated(given)
    dq, dk, dV, *_ = gradients.linear_attention.formula(
        given["g"], q, k, given["V"], mask=given["mask"], empty_row=given["empty_row"])
    return q * dq, k * dk, dV


@wrong_call("features exponentiated", "gradients.attention.log_causal_linear_attention")
def causal_by_exponentials(op, given):
    """Applies if no state is given and the scale of the final state has no cotangent."""
    if np.any(given["g_c"]) or np.any(given["c"] > -np.inf) or np.any(given["g_S"]):
        return None
    given = in_float64(given)
    q, k = exponentiated(given)
    dq, dk, dV, dS, dz, _ = gradients.causal_linear_attention.formula(
        given["g"], given["g_S"], given["g_z"], q, k, given["V"], mask=given["mask"],
        empty_row=given["empty_row"])
    return q * dq, k * dk, dV, dS, dz, np.zeros_like(dz)


# -- random features ------------------------------------------------------------------------------

@bug("exp(-|x|^2/2) treated as a constant", "gradients.features.positive")
def norm_as_a_constant(g, x, omega, /, *, beta=1.0):
    u = g * features.positive.formula(x, omega, beta=beta)
    dx, domega = math.sqrt(beta) * u @ omega, math.sqrt(beta) * outer(u, x)
    return dx, domega, np.sum(dx * x) / (2 * beta)


@wrong_call("d cos u = + sin u", "gradients.features.trigonometric")
def cosine_that_rises(op, given):
    g, m = given["g"], len(given["omega"])
    return run(op, given | {"g": np.concatenate([g[..., :m], -g[..., m:]], axis=-1)})


@bug("d exp(-u) = + exp(-u)", "gradients.features.hyperbolic")
def both_exponentials_rise(g, x, omega, /, *, beta=1.0):
    m, c, phi = len(omega), math.sqrt(beta), features.hyperbolic.formula(x, omega, beta=beta)
    u = (g * phi)[..., :m] + (g * phi)[..., m:]
    dy = u @ omega - np.sum(g * phi, axis=-1)[..., None] * c * x
    return c * dy, c * outer(u, x), np.sum(dy * x) / (2 * c)


@bug("no mask where the feature is 0", "gradients.features.relu")
def relu_passes_everything(g, x, omega, /):
    u = g / math.sqrt(len(omega))
    return u @ omega, outer(u, x)


@wrong_call("log det(I - 4 A) / 4 treated as a constant", "gradients.features.gerf",
            "gradients.features.log_gerf")
def without_the_determinant(op, given):
    g, x, A = given["g"], given["x"], given["A"]
    dx, domega, dA, dbeta = run(op, given)
    phi = 1.0 if "log" in op.name else features.gerf.formula(x, given["omega"], A=A,
                                                             beta=given["beta"])
    return dx, domega, dA + np.sum(g * phi) * x.shape[-1] / (1 - 4 * A), dbeta


@wrong_call("omega^T A omega treated as a constant", "gradients.features.log_derf")
def rows_without_their_square(op, given):
    g, omega = given["g"], given["omega"]
    dx, domega, *rest = run(op, given)
    return dx, domega - 2 * np.sum(np.reshape(g, (-1, len(omega))), axis=0)[:, None] * omega \
        * given["a"], *rest


@wrong_call("B in place of B^T", "gradients.features.derf")
def queries_not_turned_back(op, given):
    dx, *rest = run(op, given)
    B = given["B"].astype(float)
    return dx @ np.linalg.inv(B) @ B.T, *rest


# -- Performer ------------------------------------------------------------------------------------

@bug("through log|sin| and log|cos|", "gradients.performer.attention")
def by_logarithms(g, Q, K, V, omega, /, *, features="positive", scale=None, mask=True,
                  empty_row="zeros"):
    """The derivative of a feature that is 0 is lost."""
    if features != "trigonometric":
        return None
    beta, map_of = maps.default_scale(scale, K), log_trigonometric.formula
    (log_q, sign_q), (log_k, sign_k) = (map_of(x, omega, beta=beta) for x in (Q, K))
    dq, dk, dV = gradients.log_linear_attention.formula(
        g, log_q, log_k, V, sign_q=sign_q, sign_k=sign_k, mask=mask, empty_row=empty_row)
    pull = gradients_of_features.log_trigonometric.formula
    (dQ, by_q, a), (dK, by_k, b) = (pull(d, x, omega, beta=beta) for d, x in ((dq, Q), (dk, K)))
    return dQ, dK, dV, by_q + by_k, a + b


@bug("gradient of what is estimated, not of the estimate", "gradients.performer.update")
def of_softmax(g, xi, X, omega, /, *, beta=1.0, **options):
    dxi, dX, dbeta = modern.update.formula(g, xi, X, beta=beta)
    return dxi, dX, np.zeros_like(omega), dbeta


@wrong_call("gradient through components of the state that are cut",
            "gradients.performer.thresholded_update")
def state_straight_through(op, given):
    side, _ = named(op, "side", given)
    Q, K = side(given["xi"], given["theta"]), side(given["X"], given["theta"])
    dQ, *_ = performer.attention.formula(
        maps.table(given["g"]), maps.table(Q), K, given["X"], given["omega"],
        features=given["features"], scale=given["beta"], empty_row=given["empty_row"])
    return np.reshape(dQ, Q.shape), *run(op, given)[1:]
