"""Gradients of structured and normalised rules, deterministic and exponential features, wrong."""
import math

import numpy as np

from hopref import features, sparse
from hopref.features import deterministic
from hopref.gradients import features as right_features
from hopref.gradients import sparse as right_sparse
from hopref.gradients import structured as right_structured
from hopref.maps import of_length_one, outer, strongest
from tests.mutants import mutant

# -- structured ---------------------------------------------------------------------------------


@mutant("gradients.structured.update")
def hidden_patterns_leak(g, xi, X, support=True, /, *, beta=1.0, **options):
    """the mask in the step, not on the way back"""
    return right_structured.update(g, xi, X, beta=beta)


@mutant("gradients.structured.energy")
def longest_of_the_hidden(g, xi, X, support=True, /, *, beta=1.0):
    """the longest of all patterns, not of those in sight"""
    dxi, dX, dbeta = right_structured.energy(g, xi, X, support, beta=beta)
    held = np.where(strongest(np.sum(X * X, -1))[:, None], np.sum(g) * X, 0)
    lone = right_structured.energy(g, 0 * xi, X, support, beta=beta)[1]
    return dxi, dX - lone + held, dbeta


@mutant("gradients.structured.weights")
def hidden_weights_count(g, xi, X, support=True, /, *, renormalise=True, **options):
    """cotangents of weights that are cut to 0 count, without renormalising"""
    if renormalise:
        return right_structured.weights(g, xi, X, support, **options)
    return right_structured.weights(g, xi, X, **options, renormalise=False)


@mutant("gradients.structured.pair_update")
def delta_is_ignored(g, xi, X, support=True, /, *, delta=0.0, **options):
    """scores by the patterns themselves"""
    return right_structured.pair_update(g, xi, X, support, **options)


@mutant("gradients.structured.pair_update")
def pairs_as_values(g, xi, X, support=True, /, *, delta=0.0, **options):
    """X + delta as the values too"""
    return right_structured.pair_update(g, xi, X + delta, support, **options)


@mutant("gradients.structured.top_k_energy")
def longest_of_the_chosen(g, xi, X, /, *, k, beta=1.0):
    """the longest of the k, not of all"""
    chosen = np.argsort(np.argsort(-(xi @ X.T), axis=-1, kind="stable"), axis=-1) < k
    return right_structured.energy(g, xi, X, chosen, beta=beta)


@mutant("gradients.structured.top_k_update")
def step_through_all_scores(g, xi, X, /, *, k, beta=1.0):
    """the gradient of dense retrieval"""
    return right_structured.update(g, xi, X, beta=beta)


@mutant("gradients.structured.linear_update")
def patterns_as_keys_only(g, xi, X, /, **options):
    """the patterns as values forgotten"""
    dxi, dX, ddelta = right_structured.linear_update(g, xi, X, **options)
    return dxi, ddelta, ddelta


@mutant("gradients.structured.random_feature_update")
def delta_without_a_gradient_of_its_own(g, xi, X, omega, /, **options):
    """the gradient of the patterns for that of delta"""
    dxi, dX, domega, ddelta, dbeta = right_structured.random_feature_update(g, xi, X, omega,
                                                                            **options)
    return dxi, dX, domega, dX, dbeta


# -- deterministic features ---------------------------------------------------------------------

@mutant("gradients.features.deterministic.elu")
def elu_of_slope_one(g, x, /):
    """slope 1 below 0 as well"""
    return 1.0 * g


@mutant("gradients.features.deterministic.elu")
def elu_by_its_value(g, x, /):
    """the feature itself for its slope, above 0 as well"""
    return g * deterministic.elu(x)


@mutant("gradients.features.deterministic.relu")
def rectifier_passes_everything(g, x, /, *, eps=0.0):
    """no mask where x < 0"""
    return 1.0 * g, np.sum(g)


@mutant("gradients.features.deterministic.exponential")
def exponential_less_one(g, x, /):
    """expm1, the slope of nothing"""
    return g * np.expm1(x)


@mutant("gradients.features.deterministic.quadratic")
def one_of_two_factors(g, x, /):
    """G x without G^T x"""
    G = g.reshape(*x.shape, x.shape[-1])
    return (G @ x[..., None])[..., 0]


@mutant("gradients.features.deterministic.softmax_keys")
def softmax_over_features(g, K, /):
    """the mean over the features of a key, not over the keys"""
    p = deterministic.softmax_keys(K)
    return p * (g - np.sum(p * g, axis=-1, keepdims=True))


# -- sparse -------------------------------------------------------------------------------------

@mutant("gradients.sparse.normalized_update")
def sphere_without_its_projection(g, xi, X, /, **options):
    """1/|y| without the projection"""
    y = sparse.update(xi, X, **options)
    return right_sparse.update(g / np.sqrt(np.sum(y * y, -1))[..., None], xi, X, **options)


@mutant("gradients.sparse.normalized_update")
def sphere_without_its_radius(g, xi, X, /, **options):
    """the projection without 1/|y|"""
    n = sparse.normalized_update(xi, X, **options)
    return right_sparse.update(g - n * np.sum(n * g, -1)[..., None], xi, X, **options)


@mutant("gradients.sparse.normalized_energy")
def length_by_its_square(g, xi, X, /, **options):
    """x_m, the slope of |x|^2/2, for x_m/|x_m|"""
    dxi, dX, dbeta, dalpha = right_sparse.normalized_energy(g, xi, X, **options)
    longest = strongest(np.sum(X * X, -1))[:, None]
    return dxi, dX + np.sum(g) * np.where(longest, X - of_length_one(X), 0), dbeta, dalpha


@mutant("gradients.sparse.layer_norm_energy")
def patterns_keep_their_mean(g, xi, X, /, **options):
    """the derivative in the centred patterns, not centred back"""
    dxi, dX, dbeta, dalpha = right_sparse.layer_norm_energy(g, xi, X, **options)
    p = sparse.weights(xi, X - X.mean(-1, keepdims=True), **options)
    return dxi, dX - outer(p, g[..., None] * xi.mean(-1, keepdims=True)), dbeta, dalpha


@mutant("gradients.sparse.layer_norm_update")
def norm_without_the_mean(g, xi, X, /, **options):
    """the sphere alone: y is not centred"""
    return right_sparse.normalized_update(math.sqrt(X.shape[1]) * g, xi, X, **options)


# -- features -----------------------------------------------------------------------------------

def without_the_determinant(right, name):
    """A's gradient without that of log det(I - 4A)/4"""
    def wrong(g, x, omega, /, *, A=0.0, beta=1.0):
        dx, domega, dA, dbeta = right(g, x, omega, A=A, beta=beta)
        phi = getattr(features, name)(x, omega, A=A, beta=beta)
        weight = g if name.startswith("log") else g * phi
        return dx, domega, dA + np.sum(weight) * x.shape[-1] / (1 - 4 * A), dbeta
    wrong.__name__, wrong.__doc__ = f"{name}_without_the_determinant", \
        without_the_determinant.__doc__
    return wrong


for _name in ("gerf", "log_gerf"):
    mutant(f"gradients.features.{_name}")(
        without_the_determinant(getattr(right_features, _name), _name))


@mutant("gradients.features.log_derf")
def rows_without_their_square(g, x, omega, a, B, /, *, beta=1.0):
    """omega^T A omega as a constant"""
    dx, domega, *rest = right_features.log_derf(g, x, omega, a, B, beta=beta)
    return dx, domega - 2 * g.reshape(-1, len(omega)).sum(0)[:, None] * omega * a, *rest


@mutant("gradients.features.derf")
def queries_not_turned_back(g, x, omega, a, B, /, *, beta=1.0):
    """B in place of B^T"""
    dx, *rest = right_features.derf(g, x, omega, a, B, beta=beta)
    return dx @ np.linalg.inv(B) @ B.T, *rest
