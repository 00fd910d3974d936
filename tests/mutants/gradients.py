"""Vector-Jacobian products, wrong."""
import math
from functools import partial

import numpy as np

from hopref import attention, features, maps, modern
from hopref.check.engine.judge import parts
from hopref.dispatch.operation import gradient_of, load
from hopref.gradients import attention as right_attention
from hopref.gradients import dense as right_dense
from hopref.gradients import features as right_features
from hopref.gradients import graded as right_graded
from hopref.gradients import maps as right_maps
from hopref.gradients import modern as right_modern
from hopref.gradients import performer as right_performer
from hopref.gradients import sparse as right_sparse
from hopref.maps import outer
from tests.gradients.differences import GRADIENTS, wrt
from tests.mutants import mutant

# -- a derivative that is forgotten, for every rule ---------------------------------------------


def forgetful(rule, which):
    """The gradient with the derivative of one argument left out."""
    gradient, place = gradient_of(rule), wrt(rule).index(which)

    def forgets(*args, **kwargs):
        found = list(parts(gradient(*args, **kwargs)))
        found[place] = np.zeros_like(found[place])
        return tuple(found) if len(found) > 1 else found[0]
    forgets.__name__ = f"{rule.name.replace('.', '_')}_forgets_{which}"
    forgets.__doc__ = f"custom derivative without d/d{which}"
    return forgets


for _rule in GRADIENTS.values():
    mutant(gradient_of(_rule).name)(forgetful(_rule, wrt(_rule)[-1]))
mutant("gradients.sparse.update")(forgetful(load()["sparse.update"], "beta"))
mutant("gradients.performer.update")(forgetful(load()["performer.update"], "omega"))


# -- maps ---------------------------------------------------------------------------------------

def softmax_weights(xi, X, beta):
    return maps.softmax(xi @ X.T, beta=beta)


@mutant("gradients.maps.softmax")
def softmax_gradient_without_the_mean(g, z, /, *, beta=1.0, bias=0.0, **options):
    """diag(p) without - p p^T"""
    p = maps.softmax(z, beta=beta, bias=bias, **options)
    return beta * p * g, p * g, np.sum(p * g * np.where(p > 0, z, 0))


@mutant("gradients.maps.softmax")
def softmax_gradient_scales_the_bias(g, z, /, *, beta=1.0, **options):
    """beta in the derivative of what is added after beta"""
    dz, dbias, dbeta = right_maps.softmax(g, z, beta=beta, **options)
    return dz, beta * dbias, dbeta


@mutant("gradients.maps.sparsemax")
def sparsemax_mean_over_everything(g, z, /, *, beta=1.0, **options):
    """the mean over all entries, not over the support"""
    p = maps.sparsemax(z, beta=beta, **options)
    w = (p > 0) * (g - g.mean(-1, keepdims=True))
    return beta * w, np.sum(w * np.where(p > 0, z, 0))


@mutant("gradients.maps.entmax")
def entmax_with_the_jacobian_of_softmax(g, z, /, *, beta=1.0, alpha=1.5, **options):
    """q = p, whatever alpha"""
    p, dalpha = maps.entmax(z, beta=beta, alpha=alpha, **options), \
        right_maps.entmax(g, z, beta=beta, alpha=alpha, **options)[2]
    w = p * (g - np.sum(p * g, axis=-1, keepdims=True))
    return beta * w, np.sum(w * np.where(p > 0, z, 0)), dalpha


@mutant("gradients.maps.entmax")
def entmax_alpha_without_the_normalisation(g, z, /, *, beta=1.0, alpha=1.5, **options):
    """d/dalpha of the unnormalised powers"""
    dz, dbeta, _ = right_maps.entmax(g, z, beta=beta, alpha=alpha, **options)
    p = maps.entmax(z, beta=beta, alpha=alpha, **options)
    return dz, dbeta, -np.sum(g * right_maps.bend(p, 1, alpha - 1))


@mutant("gradients.maps.normmax")
def normmax_like_sparsemax(g, z, /, *, beta=1.0, gamma=2.0, **options):
    """the Jacobian of sparsemax on the support of normmax"""
    p = maps.normmax(z, beta=beta, gamma=gamma, **options)
    w = right_maps.spread(1.0 * (p > 0), g)
    return beta * w, np.sum(w * np.where(p > 0, z, 0)), np.zeros(())


@mutant("gradients.maps.k_subsets")
def k_subsets_through_the_bounds(g, z, /, *, k, beta=1.0, **options):
    """entries that are clipped to 1 take part"""
    mu = maps.k_subsets(z, k=k, beta=beta, **options)
    w = right_maps.spread(1.0 * (mu > 0), g)
    return beta * w, np.sum(w * np.where(mu > 0, z, 0))


@mutant("gradients.maps.top_k")
def top_k_through_all_scores(g, z, /, *, k, beta=1.0, **options):
    """the gradient of the softmax of all"""
    dz, _, dbeta = right_maps.softmax(g, z, beta=beta, **options)
    return dz, dbeta


# -- modern -------------------------------------------------------------------------------------

def modern_parts(g, xi, X, beta):
    p = softmax_weights(xi, X, beta)
    w = right_maps.spread(p, g @ X.T)
    return p, w, np.sum(w * (xi @ X.T))


@mutant("gradients.modern.update")
def modern_gradient_without_beta(g, xi, X, /, *, beta=1.0):
    """no beta in front of the Jacobian"""
    p, w, dbeta = modern_parts(g, xi, X, beta)
    return w @ X, outer(p, g) + outer(w, xi), dbeta


@mutant("gradients.modern.update")
def modern_gradient_without_p_p(g, xi, X, /, *, beta=1.0):
    """J = beta X^T diag(p) X"""
    p = softmax_weights(xi, X, beta)
    w = p * (g @ X.T)
    return beta * w @ X, outer(p, g) + beta * outer(w, xi), np.sum(w * (xi @ X.T))


@mutant("gradients.modern.update")
def modern_gradient_one_over_sqrt_d_twice(g, xi, X, /, *, beta=1.0):
    """attention's 1/sqrt(d) in the gradient too, on top of beta"""
    p, w, dbeta = modern_parts(g, xi, X, beta)
    c = beta / np.sqrt(X.shape[1])
    return c * w @ X, outer(p, g) + c * outer(w, xi), dbeta


@mutant("gradients.modern.update")
def modern_gradient_of_values_only(g, xi, X, /, *, beta=1.0):
    """dX = p g^T: the patterns as values, not as keys"""
    p, w, dbeta = modern_parts(g, xi, X, beta)
    return beta * w @ X, outer(p, g), dbeta


@mutant("gradients.modern.update")
def modern_gradient_of_keys_only(g, xi, X, /, *, beta=1.0):
    """dX = beta w xi^T: the patterns as keys, not as values"""
    p, w, dbeta = modern_parts(g, xi, X, beta)
    return beta * w @ X, beta * outer(w, xi), dbeta


@mutant("gradients.modern.update")
def modern_gradient_transposed(g, xi, X, /, *, beta=1.0):
    """the two outer products the wrong way round"""
    p, w, dbeta = modern_parts(g, xi, X, beta)
    a, b = outer(p, xi), outer(w, g)
    return beta * w @ X, a + beta * b, dbeta


@mutant("gradients.modern.energy")
def modern_energy_gradient_is_the_step(g, xi, X, /, *, beta=1.0):
    """f - xi in place of xi - f"""
    dxi, dX, dbeta = right_modern.energy(g, xi, X, beta=beta)
    return -dxi, dX, dbeta


@mutant("gradients.modern.energy")
def modern_energy_gradient_forgets_the_longest(g, xi, X, /, *, beta=1.0):
    """M as a constant"""
    dxi, _, dbeta = right_modern.energy(g, xi, X, beta=beta)
    return dxi, -outer(softmax_weights(xi, X, beta), g[..., None] * xi), dbeta


@mutant("gradients.modern.thresholded_update")
def thresholded_gradient_straight_through(g, xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    """components that were cut get a gradient"""
    S = {"above": maps.above, "below": maps.below}[side]
    dxi, dX, dbeta = right_modern.thresholded_update(g, xi, X, beta=beta, theta=theta, side=side)
    p = softmax_weights(S(xi, theta), S(X, theta), beta)
    return beta * right_maps.spread(p, g @ X.T) @ S(X, theta), dX, dbeta


# -- attention ----------------------------------------------------------------------------------

@mutant("gradients.attention.softmax_attention")
def attention_gradient_scaled_twice(g, Q, K, V, /, *, scale=None, **options):
    """the scale in the scores' cotangent and again in dQ"""
    dQ, dK, *rest = right_attention.softmax_attention(g, Q, K, V, scale=scale, **options)
    s = maps.default_scale(scale, K)
    return s * dQ, dK, *rest


@mutant("gradients.attention.softmax_attention")
def attention_gradient_with_weights_as_constants(g, Q, K, V, /, **options):
    """stop-gradient on the attention matrix"""
    dQ, dK, dV, dbias, dscale = right_attention.softmax_attention(g, Q, K, V, **options)
    return 0 * dQ, 0 * dK, dV, 0 * dbias, 0 * dscale


@mutant("gradients.attention.linear_attention")
def linear_gradient_with_a_constant_denominator(g, phi_q, phi_k, V, /, *, mask=True, S=0.0, z=0.0,
                                                eps=0.0, empty_row="zeros"):
    """dD left out"""
    S, z = attention.key_state(phi_k, V, mask=mask, S=S, z=z)
    g = maps.ratio(g, phi_q @ z[..., None] + eps, 0.0)
    dS, dz = np.swapaxes(phi_q, -1, -2) @ g, np.zeros_like(z)
    return (g @ np.swapaxes(S, -1, -2), *right_attention.key_state(dS, dz, phi_k, V, mask=mask),
            np.zeros(()))


@mutant("gradients.attention.causal_linear_attention")
def causal_gradient_from_the_past(g, g_S, g_z, phi_q, phi_k, V, /, **options):
    """sums over i <= j where i >= j belongs: the pass backwards runs forwards"""
    turn = partial(np.flip, axis=-2)
    right = right_attention.causal_linear_attention
    dq, _, _, *rest = right(g, g_S, g_z, phi_q, phi_k, V, **options)
    _, dk, dv, *_ = right(turn(g), g_S, g_z, turn(phi_q), turn(phi_k), turn(V), **options)
    return dq, turn(dk), turn(dv), *rest


@mutant("gradients.attention.log_linear_attention")
def log_gradient_of_the_features(g, log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, **options):
    """d/dphi in place of d/dlog phi"""
    q, k = sign_q * np.exp(log_q), sign_k * np.exp(log_k)
    return right_attention.linear_attention(g, q, k, V, **options)[:3]


# -- features and the Performer -----------------------------------------------------------------

@mutant("gradients.features.positive")
def positive_gradient_without_the_norm(g, x, omega, /, *, beta=1.0):
    """exp(-|x|^2/2) as a constant"""
    u = g * features.positive(x, omega, beta=beta)
    dx, domega = math.sqrt(beta) * u @ omega, math.sqrt(beta) * outer(u, x)
    return dx, domega, np.sum(dx * x) / (2 * beta)


@mutant("gradients.features.trigonometric")
def cosine_that_rises(g, x, omega, /, *, beta=1.0):
    """d cos = + sin"""
    m = len(omega)
    return right_features.trigonometric(np.concatenate([g[..., :m], -g[..., m:]], -1), x, omega,
                                        beta=beta)


@mutant("gradients.features.hyperbolic")
def both_exponentials_rise(g, x, omega, /, *, beta=1.0):
    """the minus of exp(-u) forgotten"""
    m, phi = len(omega), features.hyperbolic(x, omega, beta=beta)
    u = (g * phi)[..., :m] + (g * phi)[..., m:]
    dy = u @ omega - np.sum(g * phi, -1)[..., None] * math.sqrt(beta) * x
    return (math.sqrt(beta) * dy, math.sqrt(beta) * outer(u, x),
            np.sum(dy * x) / (2 * math.sqrt(beta)))


@mutant("gradients.features.relu")
def relu_passes_everything(g, x, omega, /):
    """no mask where the feature is 0"""
    u = g / math.sqrt(len(omega))
    return u @ omega, outer(u, x)


@mutant("gradients.performer.attention")
def performer_gradient_with_fixed_keys(g, Q, K, V, omega, /, **options):
    """the state K'^T V as a constant"""
    dQ, dK, dV, domega, dscale = right_performer.attention(g, Q, K, V, omega, **options)
    return dQ, 0 * dK, dV, domega, dscale


@mutant("gradients.performer.update")
def performer_gradient_of_softmax(g, xi, X, omega, /, *, beta=1.0, **options):
    """the gradient of what is estimated, not of the estimate"""
    dxi, dX, dbeta = right_modern.update(g, xi, X, beta=beta)
    return dxi, dX, np.zeros_like(omega), dbeta


# -- the others ---------------------------------------------------------------------------------

@mutant("gradients.graded.update")
def graded_gradient_of_another_sign(g, xi, W, b=0.0, /, **options):
    """the threshold added, not subtracted"""
    dxi, dW, db, dbeta = right_graded.update(g, xi, W, b, **options)
    return dxi, dW, -db, dbeta


@mutant("gradients.dense.energy")
def dense_gradient_without_the_degree(g, xi, X, /, *, n=3, **options):
    """z^(n-1) without the n"""
    dxi, dX = right_dense.energy(g, xi, X, n=n, **options)
    return dxi / n, dX / n


@mutant("gradients.sparse.update")
def sparse_gradient_by_softmax(g, xi, X, /, *, beta=1.0, alpha=1.5):
    """backward pass of the dense rule"""
    dxi, dX, dbeta = right_modern.update(g, xi, X, beta=beta)
    return dxi, dX, dbeta, np.zeros(())


@mutant("gradients.sparse.energy")
def sparse_energy_gradient_by_softmax(g, xi, X, /, *, beta=1.0, alpha=1.5):
    """xi - f of the dense rule"""
    _, dX, dbeta, dalpha = right_sparse.energy(g, xi, X, beta=beta, alpha=alpha)
    return g[..., None] * (xi - modern.update(xi, X, beta=beta)), dX, dbeta, dalpha


@mutant("gradients.performer.thresholded_update")
def performer_threshold_straight_through(g, xi, X, omega, /, *, theta=0.5, side="above",
                                         **options):
    """components of the patterns that were cut get a gradient"""
    S = {"above": maps.above, "below": maps.below}[side]
    right = right_performer.thresholded_update(g, xi, X, omega, theta=theta, side=side, **options)
    far = right_performer.thresholded_update(g, S(xi, theta), X, omega, theta=1e9, side="above",
                                             **options)
    return far[0], *right[1:]


