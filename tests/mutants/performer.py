"""The Performer, wrong."""
import numpy as np

from hopref import performer
from tests.mutants import mutant
from tests.mutants.attention import linear
from tests.mutants.features import half, waves


def phi(x, omega, beta, kind="positive", h=1.0):
    w = np.sqrt(beta) * x @ omega.T
    return {"positive": lambda: np.exp(w - h * beta * half(x)),
            "hyperbolic": lambda: np.exp(np.concatenate([w, -w], -1) - h * beta * half(x)),
            "trigonometric": lambda: np.exp(h * beta * half(x)) * waves(w),
            "relu": lambda: np.maximum(w, 0)}[kind]()


def favor(x, omega, beta, axes, eps=1e-4, after_norm=False):
    """Upstream's stabilised features: max(w.x) subtracted before the norm is, eps added."""
    w, norm = np.sqrt(beta) * x @ omega.T, beta * half(x)
    top = (w - norm if after_norm else w).max(axes, keepdims=True)
    with np.errstate(over="ignore"):
        return np.exp(w - norm - top) + eps


@mutant("performer.update")
def performer_beta_outside(xi, X, omega, /, *, beta=1.0, features="positive"):
    """features at beta = 1"""
    return performer.update(xi, X, omega, features=features)


@mutant("performer.update")
def performer_query_unscaled(xi, X, omega, /, *, beta=1.0, features="positive"):
    """sqrt(beta) on the keys only"""
    return linear(phi(xi, omega, 1.0, features), phi(X, omega, beta, features), X)


@mutant("performer.update")
def performer_without_denominator(xi, X, omega, /, *, beta=1.0, features="positive"):
    """eq. (23) without D"""
    return phi(xi, omega, beta, features) @ phi(X, omega, beta, features).T @ X


@mutant("performer.update")
def performer_softmax_instead(xi, X, omega, /, *, beta=1.0, features="positive"):
    """the limit of infinitely many draws"""
    z = beta * xi @ X.T
    e = np.exp(z - z.max(-1, keepdims=True))
    return e @ X / e.sum(-1, keepdims=True)


@mutant("performer.update")
def performer_h_missing(xi, X, omega, /, *, beta=1.0, features="positive"):
    """no exp(-|x|^2/2)"""
    with np.errstate(all="ignore"):
        return linear(phi(xi, omega, beta, features, 0.0), phi(X, omega, beta, features, 0.0), X)


@mutant("performer.update")
def performer_trig_with_decay(xi, X, omega, /, *, beta=1.0, features="positive"):
    """exp(-|x|^2/2) for trigonometric features"""
    return linear(phi(xi, omega, beta, features, -1.0), phi(X, omega, beta, features, -1.0), X)


@mutant("performer.update")
def performer_sign_dropped(xi, X, omega, /, *, beta=1.0, features="positive"):
    """log |phi| without its sign"""
    return linear(np.abs(phi(xi, omega, beta, features)), np.abs(phi(X, omega, beta, features)), X)


@mutant("performer.update")
def performer_eps_on_the_features(xi, X, omega, /, *, beta=1.0, features="positive"):
    """FAVOR+ with eps = 1e-4 on every feature"""
    return linear(favor(xi, omega, beta, -1, after_norm=True),
                  favor(X, omega, beta, (-1, -2), after_norm=True), X)


@mutant("performer.update")
def performer_max_before_the_norm(xi, X, omega, /, *, beta=1.0, features="positive"):
    """the stabiliser max(w.x), not max(w.x - |x|^2/2): large keys vanish"""
    return linear(favor(xi, omega, beta, -1, 0.0), favor(X, omega, beta, (-1, -2), 0.0), X)


@mutant("performer.update")
def performer_max_per_key(xi, X, omega, /, *, beta=1.0, features="positive"):
    """a maximum of its own for every key, which does not cancel"""
    return linear(favor(xi, omega, beta, -1, 0.0), favor(X, omega, beta, -1, 0.0), X)


@mutant("performer.update")
def performer_adds_the_state(xi, X, omega, /, *, beta=1.0, features="positive"):
    """a residual connection"""
    return xi + performer.update(xi, X, omega, beta=beta, features=features)


@mutant("performer.update")
def performer_relu_shifted(xi, X, omega, /, *, beta=1.0, features="positive"):
    """relu + 1e-3: now a temperature matters"""
    return linear(phi(xi, omega, beta, features) + 1e-3, phi(X, omega, beta, features) + 1e-3, X)


def _attend(Q, K, V, omega, scale, eps=0.0):
    with np.errstate(all="ignore"):
        return linear(phi(Q, omega, scale), phi(K, omega, scale), V, eps)


@mutant("performer.attention")
def performer_scale_is_one(Q, K, V, omega, /, *, scale=1.0, mask=True):
    """no d^(-1/4)"""
    return performer.attention(Q, K, V, omega, scale=scale, mask=mask)


@mutant("performer.attention")
def performer_scale_twice(Q, K, V, omega, /, *, scale=None, mask=True):
    """d^(-1/4) applied twice: 1/d"""
    return performer.attention(Q, K, V, omega, scale=scale or 1 / Q.shape[1], mask=mask)


@mutant("performer.attention")
def performer_mask_hides_values_only(Q, K, V, omega, /, *, scale=None, mask=True):
    """padded keys stay in the denominator"""
    V = V * np.broadcast_to(mask, len(V))[:, None]
    return performer.attention(Q, K, V, omega, scale=scale)


@mutant("performer.attention")
def performer_eps_in_the_denominator(Q, K, V, omega, /, *, scale=None, mask=True):
    """+ 1e-6"""
    V = np.where(np.broadcast_to(mask, len(V))[:, None], V, 0)
    return _attend(Q, K, V, omega, scale or 1 / np.sqrt(Q.shape[1]), 1e-6)


def _causal(Q, K, V, omega, scale, eps, whole=False, shift=0):
    """FAVOR+ to the past, stabilised by the largest key of the whole sequence."""
    scale = scale or 1 / np.sqrt(Q.shape[1])
    A = favor(Q, omega, scale, -1, eps, True) @ favor(K, omega, scale, (-1, -2), eps, True).T
    A = A if whole else A * np.tri(len(V), k=shift)
    with np.errstate(all="ignore"):
        return (np.nan_to_num(A @ V / A.sum(-1, keepdims=True)),)


@mutant("performer.causal_attention")
def causal_favor_eps(Q, K, V, omega, /, *, scale=None, **state):
    """future keys move the stabiliser, and eps = 1e-4 lets it show"""
    return _causal(Q, K, V, omega, scale, 1e-4)


@mutant("performer.causal_attention")
def causal_stabiliser_of_the_whole(Q, K, V, omega, /, *, scale=None, **state):
    """one scale for past and future: small keys underflow when a large one comes"""
    return _causal(Q, K, V, omega, scale, 0.0)


@mutant("performer.causal_attention")
def causal_performer_always_positive(Q, K, V, omega, /, *, features="positive", **state):
    """features= ignored"""
    return performer.causal_attention(Q, K, V, omega, **state)


@mutant("performer.causal_attention")
def causal_performer_sees_all(Q, K, V, omega, /, *, scale=None, **state):
    """not causal"""
    return _causal(Q, K, V, omega, scale, 0.0, whole=True)


@mutant("performer.causal_attention")
def causal_performer_strict(Q, K, V, omega, /, *, scale=None, **state):
    """the own key is hidden"""
    return _causal(Q, K, V, omega, scale, 0.0, shift=-1)


@mutant("performer.causal_attention")
def causal_performer_forgets_its_scale(Q, K, V, omega, /, *, S=0.0, z=0.0, c=-np.inf):
    """S and z carried on without c"""
    carried = {"c": 0 * c, "S": S, "z": z} if np.ndim(c) else {}
    return performer.causal_attention(Q, K, V, omega, **carried)


@mutant("performer.expected_update")
def standard_error_of_a_single_draw(xi, X, omegas, /, *, beta=1.0):
    """the standard deviation, not divided by sqrt(k)"""
    mean, error = performer.expected_update(xi, X, omegas, beta=beta)
    return mean, error * np.sqrt(len(omegas))


@mutant("performer.expected_update")
def standard_error_biased(xi, X, omegas, /, *, beta=1.0):
    """divided by k in place of k - 1"""
    mean, error = performer.expected_update(xi, X, omegas, beta=beta)
    return mean, error * np.sqrt(1 - 1 / len(omegas))


@mutant("performer.expected_update")
def expectation_of_features(xi, X, omegas, /, *, beta=1.0):
    """the ratio of expectations in place of the expectation of the ratio"""
    mean = performer.update(xi, X, np.concatenate(omegas), beta=beta)
    return mean, performer.expected_update(xi, X, omegas, beta=beta)[1]


def S(x, theta, side):
    return np.where(x > theta if side == "above" else x < theta, 0.0, x)


@mutant("performer.thresholded_update")
def performer_theta_negative(xi, X, omega, /, *, beta=1.0, theta=-0.5, side="above"):
    """the -0.5 of eqs. (20) and (22) as the default"""
    return performer.thresholded_update(xi, X, omega, beta=beta, theta=theta, side=side)


@mutant("performer.thresholded_update")
def performer_side_swapped(xi, X, omega, /, *, beta=1.0, theta=0.5, side="above"):
    """the large components survive"""
    other = {"above": "below", "below": "above"}[side]
    return performer.thresholded_update(xi, X, omega, beta=beta, theta=theta, side=other)


@mutant("performer.thresholded_update")
def performer_theta_itself_dropped(xi, X, omega, /, *, beta=1.0, theta=0.5, side="above"):
    """>= for >"""
    xi, Y = (np.where(x == theta, 0, S(x, theta, side)) for x in (xi, X))
    return performer.attention(xi, Y, X, omega, scale=beta)


@mutant("performer.thresholded_update")
def performer_outer_thresholded(xi, X, omega, /, *, beta=1.0, theta=0.5, side="above"):
    """thresholded patterns come back"""
    return performer.update(S(xi, theta, side), S(X, theta, side), omega, beta=beta)
