"""Vector-Jacobian products that are right on paper, or for one row at a time."""
import numpy as np

from hopref import attention, maps
from hopref.features import log_trigonometric
from hopref.gradients import attention as right_attention
from hopref.gradients import features as right_features
from hopref.gradients import maps as right_maps
from hopref.gradients import modern as right_modern
from hopref.maps import outer
from hopref.models import modern
from tests.mutants import mutant


@mutant("gradients.modern.update")
def modern_gradient_by_a_difference(g, xi, X, /, *, beta=1.0):
    """p (a - p.a) for every entry: at p near 1 nothing is left"""
    p, a = maps.softmax(xi @ X.T, beta=beta), g @ X.T
    w = p * (a - np.sum(p * a, axis=-1, keepdims=True))
    return beta * w @ X, outer(p, g) + beta * outer(w, xi), np.sum(w * (xi @ X.T))


@mutant("gradients.attention.causal_linear_attention")
def causal_gradient_by_reverse_subtraction(g, g_S, g_z, phi_q, phi_k, V, /, **options):
    """the state run backwards: S - k v, z - k"""
    Z, S, z = attention.causal_linear_attention(phi_q, phi_k, V)
    right = right_attention.causal_linear_attention(g, g_S, g_z, phi_q, phi_k, V, **options)
    dq = np.zeros_like(phi_q)
    for i in reversed(range(len(V))):
        D = phi_q[i] @ z
        dq[i] = S @ (g[i] / D) - z * (g[i] @ Z[i] / D)
        S, z = S - np.outer(phi_k[i], V[i]), z - phi_k[i]
    return dq, *right[1:]


@mutant("gradients.attention.log_linear_attention")
def log_gradient_by_exponentials(g, log_q, log_k, V, /):
    """the features themselves"""
    q, k = np.exp(log_q), np.exp(log_k)
    with np.errstate(all="ignore"):
        dq, dk, dV, *_ = right_attention.linear_attention.formula(g, q, k, V)
        return q * dq, k * dk, dV


@mutant("gradients.attention.log_causal_linear_attention")
def log_causal_gradient_by_exponentials(g, g_S, g_z, g_c, log_q, log_k, V, /):
    """the features themselves"""
    q, k = np.exp(log_q), np.exp(log_k)
    with np.errstate(all="ignore"):
        dq, dk, dV, dS, dz, _ = right_attention.causal_linear_attention.formula(
            g, g_S, g_z, q, k, V)
        return q * dq, k * dk, dV, dS, dz, np.zeros_like(dz)


@mutant("gradients.attention.softmax_attention")
def attention_gradient_masks_values_only(g, Q, K, V, /, *, mask=True, **options):
    """hidden keys stay in the denominator"""
    seen = np.any(np.broadcast_to(mask, (*Q.shape[:-1], K.shape[-2])), axis=-2)[..., None]
    right = right_attention.softmax_attention(g, Q, K, np.where(seen, V, 0), **options)
    return (*right[:2], np.where(seen, right[2], 0), *right[3:])


@mutant("gradients.attention.linear_attention")
def linear_gradient_masks_values_only(g, phi_q, phi_k, V, /, *, mask=True, **options):
    """hidden keys stay in the denominator"""
    seen = np.broadcast_to(mask, V.shape[:-1])[..., None]
    dq, dk, dV, *rest = right_attention.linear_attention(g, phi_q, phi_k, np.where(seen, V, 0),
                                                         **options)
    return dq, dk, np.where(seen, dV, 0), *rest


@mutant("gradients.attention.softmax_attention")
def attention_gradient_of_an_empty_row(g, Q, K, V, /, *, empty_row="zeros", **options):
    """0 times NaN"""
    right = right_attention.softmax_attention(g, Q, K, V, **options)
    A = attention.softmax_weights(Q, K, empty_row=empty_row, **options)
    return right[0] + 0 * A @ K, *right[1:]


@mutant("gradients.attention.causal_linear_attention")
def causal_gradient_forgets_the_state(g, g_S, g_z, phi_q, phi_k, V, /, **options):
    """what later chunks do with the state is no business of this one"""
    return right_attention.causal_linear_attention(g, 0 * g_S, 0 * g_z, phi_q, phi_k, V, **options)


@mutant("gradients.attention.log_causal_linear_attention")
def log_causal_gradient_forgets_the_state(g, g_S, g_z, g_c, log_q, log_k, V, /, **options):
    """what later chunks do with the state is no business of this one"""
    return right_attention.log_causal_linear_attention(g, 0 * g_S, 0 * g_z, 0 * g_c, log_q, log_k,
                                                       V, **options)


@mutant("gradients.modern.fixed_point")
def fixed_point_by_one_step(g, xi, X, /, *, beta=1.0):
    """the last step only, the state before it a constant"""
    return right_modern.update(g, xi, X, beta=beta)[1:]


@mutant("gradients.modern.fixed_point")
def fixed_point_of_another_sign(g, xi, X, /, *, beta=1.0):
    """(I + J) in place of (I - J)"""
    J = modern.jacobian(xi, X, beta=beta).astype(float)
    lam = np.linalg.solve(np.eye(X.shape[1]) + J, np.asarray(g, float)[..., None])[..., 0]
    return right_modern.update(lam, xi, X, beta=beta)[1:]


@mutant("gradients.maps.entmax")
def entmax_alpha_by_its_quotient(g, z, /, *, beta=1.0, alpha=1.5, **options):
    """(p - q)/(alpha - 1)^2 - (p ln p - q sum p ln p)/(alpha - 1), which cancels near 1"""
    dz, dbeta, dalpha = right_maps.entmax(g, z, beta=beta, alpha=alpha, **options)
    a = alpha - 1
    if a == 0:
        return dz, dbeta, dalpha
    p = maps.entmax(z, beta=beta, alpha=alpha, **options)
    q = maps.raised(p, 2 - alpha)
    q, plogp = q / q.sum(-1, keepdims=True), maps.raised_log(p, 1)
    dp = (p - q) / a**2 - (plogp - q * plogp.sum(-1, keepdims=True)) / a
    return dz, dbeta, np.sum(g * dp)


@mutant("gradients.performer.attention")
def performer_gradient_by_logarithms(g, Q, K, V, omega, /, *, features="trigonometric", scale=1.0):
    """through log|sin|, whose slope at 0 is lost"""
    (log_q, sign_q), (log_k, sign_k) = (log_trigonometric(x, omega, beta=scale) for x in (Q, K))
    dq, dk, dV = right_attention.log_linear_attention(g, log_q, log_k, V, sign_q=sign_q,
                                                      sign_k=sign_k)
    pull = right_features.log_trigonometric
    (dQ, by_q, a), (dK, by_k, b) = (pull(d, x, omega, beta=scale) for d, x in ((dq, Q), (dk, K)))
    return dQ, dK, dV, by_q + by_k, a + b
