"""Bugs of the vector-Jacobian products of supports, of deterministic features, of normalised sparse
networks and of layers."""
import math

import numpy as np

from hopref import layers as rules
from hopref.check.bugs import bug, run, wrong_argument, wrong_call
from hopref.check.bugs.places import square
from hopref.features import deterministic
from hopref.gradients import modern, sparse, structured
from hopref.maps import of_length_one, outer, strongest
from hopref.models import sparse as models

__all__ = []


# -- supports -------------------------------------------------------------------------------------

@wrong_call("longest of all patterns, not of the visible ones", "gradients.structured.energy")
def longest_of_the_hidden(op, given):
    dxi, dX, dbeta = run(op, given)
    X = given["X"]
    held = np.where(strongest(square(X))[:, None], np.sum(given["g"]) * X, 0)
    lone = run(op, given | {"xi": 0 * given["xi"]})[1]
    return dxi, dX - lone + held, dbeta


@wrong_call("cotangents of hidden weights count", "gradients.structured.weights")
def hidden_weights_count(op, given):
    return None if given["renormalise"] else run(op, given | {"support": True})


@wrong_call("X + delta as the values too", "gradients.structured.pair_update")
def pairs_as_values(op, given):
    return run(op, given | {"X": given["X"] + given["delta"], "delta": 0.0})


@wrong_call("longest of the k chosen, not of all", "gradients.structured.top_k_energy")
def longest_of_the_chosen(op, given):
    order = np.argsort(-(given["xi"] @ given["X"].T), axis=-1, kind="stable")
    chosen = np.argsort(order, axis=-1) < given["k"]
    return structured.energy.formula(given["g"], given["xi"], given["X"], chosen,
                                     beta=given["beta"])


@bug("gradient of the softmax of all scores", "gradients.structured.top_k_update")
def through_all_scores(g, xi, X, /, *, k, beta=1.0):
    return structured.update.formula(g, xi, X, beta=beta)


@bug("gradient of the softmax of all scores", "gradients.structured.top_k_weights")
def weights_through_all_scores(g, xi, X, /, *, k, beta=1.0):
    return modern.weights.formula(g, xi, X, beta=beta)


@wrong_call("patterns as keys, not as values", "gradients.structured.linear_update")
def patterns_as_keys(op, given):
    dxi, dX, ddelta = run(op, given)
    return dxi, ddelta, ddelta


@wrong_call("derivative in the patterns for that in delta",
            "gradients.structured.random_feature_update")
def of_the_patterns(op, given):
    dxi, dX, domega, _, dbeta = run(op, given)
    return dxi, dX, domega, dX, dbeta


# -- deterministic features -----------------------------------------------------------------------

@bug("slope 1 below 0 too", "gradients.features.deterministic.elu")
def elu_of_slope_one(g, x, /):
    return 1.0 * g


@bug("feature for its slope above 0 too", "gradients.features.deterministic.elu")
def elu_by_its_value(g, x, /):
    return g * deterministic.elu.formula(x)


@bug("no mask where the feature is 0", "gradients.features.deterministic.relu")
def rectifier_passes_everything(g, x, /, *, eps=0.0):
    return 1.0 * g, np.sum(g)


@bug("slope exp(x) - 1", "gradients.features.deterministic.exponential")
def exponential_less_one(g, x, /):
    return g * np.expm1(x)


@bug("G x without G^T x", "gradients.features.deterministic.quadratic")
def one_of_two_factors(g, x, /):
    G = np.reshape(g, (*x.shape, x.shape[-1]))
    return (G @ x[..., None])[..., 0]


@bug("mean over the features of a key, not over the keys",
     "gradients.features.deterministic.softmax_keys")
def softmax_over_features(g, K, /):
    p = deterministic.softmax_keys.formula(K)
    return p * (g - np.sum(p * g, axis=-1, keepdims=True))


# -- normalised sparse networks -------------------------------------------------------------------

@bug("1/|y| without the projection", "gradients.sparse.normalized_update")
def without_the_projection(g, xi, X, /, *, eps=0.0, **options):
    size = np.sqrt(square(models.update.formula(xi, X, **options)) + eps)[..., None]
    deps = sparse.normalized_update.formula(g, xi, X, eps=eps, **options)[-1]
    return *sparse.update.formula(g / size, xi, X, **options), deps


@bug("projection without 1/|y|", "gradients.sparse.normalized_update")
def without_the_radius(g, xi, X, /, *, eps=0.0, **options):
    n = models.normalized_update.formula(xi, X, eps=eps, **options)
    deps = sparse.normalized_update.formula(g, xi, X, eps=eps, **options)[-1]
    along = np.sum(n * g, axis=-1)[..., None]
    return *sparse.update.formula(g - n * along, xi, X, **options), deps


@wrong_call("the derivative with respect to the square of eps",
            "gradients.sparse.normalized_update", "gradients.sparse.layer_norm_update",
            "gradients.sparse.normalized_energy", "gradients.sparse.layer_norm_energy")
def of_the_square_of_eps(op, given):
    *others, deps = run(op, given)
    return *others, 2 * given["eps"] * deps


@wrong_call("slope of |x|^2/2 in place of |x|", "gradients.sparse.normalized_energy")
def length_by_its_square(op, given):
    dxi, dX, *rest = run(op, given)
    X = given["X"]
    longest = strongest(square(X))[:, None]
    return dxi, dX + np.sum(given["g"]) * np.where(longest, X - of_length_one(X), 0), *rest


@wrong_call("derivative in the centred patterns, not centred back",
            "gradients.sparse.layer_norm_energy")
def patterns_keep_their_mean(op, given):
    xi, X = given["xi"], given["X"]
    p = models.weights.formula(xi, X - np.mean(X, axis=-1, keepdims=True), beta=given["beta"],
                               alpha=given["alpha"])
    dxi, dX, *rest = run(op, given)
    return dxi, dX - outer(p, given["g"][..., None] * np.mean(xi, axis=-1, keepdims=True)), *rest


@bug("y not centred", "gradients.sparse.layer_norm_update")
def without_the_mean(g, xi, X, /, **options):
    return sparse.normalized_update.formula(math.sqrt(X.shape[1]) * g, xi, X, **options)


# -- layers ---------------------------------------------------------------------------------------

def moments(given):
    """The normalised states and their widths."""
    x = given["x"]
    away = x - np.mean(x, axis=-1, keepdims=True)
    width = np.sqrt(np.mean(away * away, axis=-1, keepdims=True) + given["eps"])
    return away / width, width


def mean(x):
    return np.mean(x, axis=-1, keepdims=True)


@wrong_call("mean treated as a constant", "gradients.layers.layer_norm")
def mean_as_a_constant(op, given):
    n, width = moments(given)
    a = given["gain"] * given["g"]
    return (a - n * mean(a * n)) / width, *run(op, given)[1:]


@wrong_call("width treated as a constant", "gradients.layers.layer_norm")
def width_as_a_constant(op, given):
    a = given["gain"] * given["g"]
    return (a - mean(a)) / moments(given)[1], *run(op, given)[1:]


@wrong_call("bias gradient averaged over the rows", "gradients.layers.project")
def bias_averaged(op, given):
    dx, dW, db = run(op, given)
    return dx, dW, db / given["g"].shape[-2]


def association_options(given, **changed):
    return {k: x for k, x in given.items() if k not in ("g", "Q", "K")} | changed


@wrong_call("states before the last association treated as constants",
            "gradients.layers.associations")
def last_association_alone(op, given):
    Q, K, steps = given["Q"], given["K"], given["steps"]
    if steps > 1:
        options = association_options(given, steps=steps - 1)
        Q = rules.associations.formula(Q, K, **options) @ K
    return run(op, given | {"Q": Q, "steps": 1})


@wrong_call("patterns as keys, not as values of the steps before", "gradients.layers.associations")
def patterns_as_scores_alone(op, given):
    Q, K, steps = given["Q"], given["K"], given["steps"]
    dQ, dK, *rest = run(op, given)
    for n in range(1, steps):
        A = rules.associations.formula(Q, K, **association_options(given, steps=n))
        dq = run(op, given | {"Q": A @ K, "steps": steps - n})[0]
        dK = dK - np.swapaxes(A, -1, -2) @ dq
    return dQ, dK, *rest


@wrong_call("beta gradient averaged over the heads", "gradients.layers.associations")
def beta_averaged(op, given):
    *rest, dbeta = run(op, given)
    return *rest, dbeta / given["K"].shape[-3]


@wrong_call("cotangent divided by the number of heads", "gradients.layers.read_out")
def cotangent_shared(op, given):
    return run(op, given | {"g": given["g"] / len(given["W"])})


@wrong_call("gradient of the patterns that are read out averaged over the heads",
            "gradients.layers.associate")
def read_out_averaged(op, given):
    dR, dY, dP, *rest = run(op, given)
    return dR, dY, dP / len(given["W_q"]), *rest


REGISTERED = [
    wrong_argument("support ignored in the gradient", "gradients.structured.update", support=True),
    wrong_argument("delta ignored", "gradients.structured.pair_update", delta=0.0),
]
