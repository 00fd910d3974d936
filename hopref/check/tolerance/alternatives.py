"""Other honest algorithms, beside those that hopref uses.

A tolerance must cover the textbook algorithm and automatic differentiation, also where the formula
avoids their rounding.  Each function below is such an algorithm, written like a formula.

* Derivatives in a temperature or scale: formulas measure scores from the largest of their row,
  because rows of the cotangent sum to 0; reverse mode multiplies it by the scores themselves, or by
  the states or patterns that were scaled in their place.
* The height of the features of a query cancels in attention, which reverse mode does not know.
* Local fields: the threshold may be one of the weights, and be added before the other terms.
* Linear attention: weights may be normalised before they meet the values.  Sums of integers are
  exact, quotients are not.
"""
import math

from hopref.check.tolerance.toleranced import alternative
from hopref.dispatch.namespace import namespace
from hopref.gradients import attention as attention_gradients
from hopref.gradients import maps as maps_gradients
from hopref.gradients import modern as modern_gradients
from hopref.gradients import performer as performer_gradients
from hopref.gradients import sinks as sink_gradients
from hopref.gradients import sparse as sparse_gradients
from hopref.gradients import structured as structured_gradients
from hopref.gradients.sums import transposed
from hopref.maps import (
    default_scale,
    dot,
    finite_or_zero,
    logsumexp,
    masked,
    ratio,
    squared_distances,
)
from hopref.models import attention, classical, feature_memory
from hopref.models.attention import joined_state

__all__ = []


def visible(z):
    """Scores, with 0 in place of -inf."""
    return namespace(z).where(z > -math.inf, z, 0.0)


@alternative(maps_gradients.temperature_gradient)
def by_scores(w, z, axis=None):
    """<w, z>, the reverse mode of beta z."""
    return namespace(z).sum(w * visible(z), axis=axis)


@alternative(maps_gradients.logsumexp_temperature_gradient)
def by_terms(g, p, z, beta):
    """<g p, z>/beta - <g, lse(beta, z)>/beta, the reverse mode of log(sum e^(beta z))/beta."""
    return -terms_of_lse(g, p, z, z, beta)


@alternative(modern_gradients.energy_temperature_gradient)
def by_terms_of_the_energy(g, p, z, best, beta, where=True):
    """The reverse mode of log(n)/beta - lse(beta, z) for the n scores that take part."""
    xp = namespace(z)
    best = best if where is True else xp.where(where, best, -math.inf)
    n = xp.sum(xp.astype(best > -math.inf, z.dtype), axis=-1)
    uniform = xp.log(xp.maximum(n, 1.0)) / beta
    return terms_of_lse(g, p, z, best, beta) - xp.sum(g * (uniform / beta))


def terms_of_lse(g, p, z, best, beta):
    xp = namespace(z)
    total = xp.sum(g * (finite_or_zero(logsumexp(best, beta=beta)) / beta))
    return total - xp.sum(g[..., None] * (p * visible(z))) / beta


# -- states or queries scaled before the product with patterns or keys -----------------------------

def by_states(gradient, at):
    """<dxi, xi>/beta: the reverse mode of (beta xi) X^T.  ``at`` is the place of dbeta."""
    @alternative(gradient, of_results=True)
    def scaled(found, g, xi, X, *more, beta=1.0, **options):
        dbeta = namespace(xi).sum(found[0] * xi) / beta
        return *found[:at], dbeta, *found[at + 1:]
    return scaled


BY_STATES = [by_states(gradient, at) for gradient, at in (
    (modern_gradients.weights, 2), (structured_gradients.weights, 3),
    (structured_gradients.top_k_update, 2), (sparse_gradients.weights, 2),
    (sparse_gradients.update, 2), (sparse_gradients.normmax_weights, 2),
    (sparse_gradients.normmax_update, 2), (sparse_gradients.k_subsets_weights, 2),
    (sparse_gradients.k_subsets_update, 2), (sink_gradients.update, 2))]


@alternative(attention_gradients.softmax_weights, sink_gradients.attention_weights,
             of_results=True)
def by_queries(found, g, Q, K, *sink, scale=None, **options):
    """<dQ, Q>/scale: the reverse mode of (scale Q) K^T."""
    return *found[:-1], namespace(Q).sum(found[0] * Q) / default_scale(scale, K)


@alternative(performer_gradients.query_height)
def by_features(dq, q):
    """<dq, q>: reverse mode does not see that a common factor cancels."""
    return dot(dq, q)


@alternative(classical.field)
def threshold_as_a_weight(xi, W, b=0.0):
    """(W, b) (xi, -1)."""
    xp = namespace(W)
    weights = xp.concat([W, (0.0 * W[:, 0] + b)[:, None]], axis=-1)
    return xp.concat([xi, -xp.ones_like(xi[..., :1])], axis=-1) @ transposed(weights)


@alternative(squared_distances)
def by_products(xi, X):
    """|xi|^2 - 2 xi.x + |x|^2."""
    return dot(xi, xi)[..., None] - 2 * (xi @ X.T) + dot(X, X)


@alternative(feature_memory.update)
def along_the_gradient(xi, omega, log_sums, *, beta=1.0, step=0.5):
    """xi - step (2 xi - W^T p / sqrt(beta))."""
    full = feature_memory.update.formula(xi, omega, log_sums, beta=beta, step=1.0)
    return xi - step * (2 * xi - (full + xi))


# -- weights before values -------------------------------------------------------------------------

def normalised_first(phi_q, G, V, S, z, eps):
    """(G / D) V + (Q' / D) S, with D the row sums of the kernel G and of the earlier keys."""
    earlier = joined_state(phi_q, V, S, z)
    D = namespace(V).sum(G, axis=-1, keepdims=True) + phi_q @ earlier[..., :1] + eps
    return ratio(G, D, 0.0) @ V + ratio(phi_q, D, 0.0) @ earlier[..., 1:]


@alternative(attention.linear_attention)
def weights_first(phi_q, phi_k, V, *, mask=True, S=0.0, z=0.0, eps=0.0, **options):
    """Weights of all visible keys."""
    G = phi_q @ transposed(masked(phi_k, mask, 0.0))
    return normalised_first(phi_q, G, V, S, z, eps)


@alternative(attention.causal_linear_attention)
def causal_weights_first(phi_q, phi_k, V, *, mask=True, S=0.0, z=0.0, eps=0.0, **options):
    """Weights of the keys up to the position of the query, and the sums over all keys."""
    G = namespace(V).tril(phi_q @ transposed(masked(phi_k, mask, 0.0)))
    return (normalised_first(phi_q, G, V, S, z, eps),
            *attention.key_state.formula(phi_k, V, mask=mask, S=S, z=z))
