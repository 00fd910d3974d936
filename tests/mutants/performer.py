"""Random features, their draws and the Performer, wrong."""
import numpy as np

from hopref import features, performer, projections
from tests.mutants import mutant
from tests.mutants.attention import linear


def half(x):
    return (x * x).sum(-1)[..., None] / 2


def waves(w):
    return np.concatenate([np.sin(w), np.cos(w)], -1)


# -- features -----------------------------------------------------------------------------------

@mutant("features.positive")
def missing_h(x, omega, /, *, beta=1.0):
    """no exp(-|x|^2/2)"""
    return np.exp(np.sqrt(beta) * x @ omega.T) / np.sqrt(len(omega))


@mutant("features.positive")
def h_of_the_other_sign(x, omega, /, *, beta=1.0):
    """exp(+|x|^2/2), right for trigonometric features"""
    return np.exp(np.sqrt(beta) * x @ omega.T + beta * half(x)) / np.sqrt(len(omega))


@mutant("features.positive")
def norm_without_half(x, omega, /, *, beta=1.0):
    """exp(-|x|^2): the Gaussian kernel"""
    return np.exp(np.sqrt(beta) * x @ omega.T - 2 * beta * half(x)) / np.sqrt(len(omega))


@mutant("features.positive")
def beta_unrooted(x, omega, /, *, beta=1.0):
    """beta omega x for sqrt(beta) omega x"""
    return np.exp(beta * x @ omega.T - beta * half(x)) / np.sqrt(len(omega))


@mutant("features.positive")
def features_without_sqrt_m(x, omega, /, *, beta=1.0):
    """a sum over draws in place of a mean"""
    return features.positive(x, omega, beta=beta) * np.sqrt(len(omega))


@mutant("features.trigonometric")
def one_over_sqrt_r(x, omega, /, *, beta=1.0):
    """eq. (19) as printed: 1/sqrt(r), which halves the kernel"""
    return features.trigonometric(x, omega, beta=beta) / np.sqrt(2)


@mutant("features.trigonometric")
def trig_h_missing(x, omega, /, *, beta=1.0):
    """no exp(+|x|^2/2)"""
    return waves(np.sqrt(beta) * x @ omega.T) / np.sqrt(len(omega))


@mutant("features.trigonometric")
def trig_with_decay(x, omega, /, *, beta=1.0):
    """exp(-|x|^2/2), right for positive features"""
    return trig_h_missing(x, omega, beta=beta) * np.exp(-beta * half(x))


@mutant("features.hyperbolic")
def hyperbolic_without_sqrt_2(x, omega, /, *, beta=1.0):
    """1/sqrt(m) for 2m features"""
    return features.hyperbolic(x, omega, beta=beta) * np.sqrt(2)


@mutant("features.relu")
def relu_missing(x, omega, /):
    """omega x, unrectified"""
    return x @ omega.T / np.sqrt(len(omega))


@mutant("features.relu")
def relu_with_epsilon(x, omega, /):
    """relu + 1e-3, as in three published versions"""
    return features.relu(x, omega) + 1e-3


@mutant("features.log_positive")
def log_without_the_norm(x, omega, /, *, beta=1.0):
    """no -|x|^2/2"""
    return features.log_positive(x, omega, beta=beta) + beta * half(x)


@mutant("features.log_positive")
def log_max_subtracted(x, omega, /, *, beta=1.0):
    """a stabiliser left in"""
    log = features.log_positive(x, omega, beta=beta)
    return log - log.max(-1, keepdims=True)


@mutant("features.log_positive")
def log_of_the_exponential(x, omega, /, *, beta=1.0):
    """log of the features, which under- and overflow"""
    with np.errstate(all="ignore"):
        return np.log(features.positive(x, omega, beta=beta))


@mutant("features.log_trigonometric")
def log_trig_sign_lost(x, omega, /, *, beta=1.0):
    """all signs +1"""
    log, sign = features.log_trigonometric(x, omega, beta=beta)
    return log, np.ones_like(sign)


@mutant("features.general")
def general_one_over_sqrt_r(x, omega, /, *, h, functions, beta=1.0):
    """eq. (19) as printed: 1/sqrt(l m)"""
    return features.general(x, omega, h=h, functions=functions, beta=beta) / np.sqrt(len(functions))


@mutant("features.general")
def general_interleaved(x, omega, /, *, h, functions, beta=1.0):
    """f_1, f_2, f_1, f_2 ... in place of all of f_1 first"""
    f = features.general(x, omega, h=h, functions=functions, beta=beta)
    return f.reshape(len(x), len(functions), -1).swapaxes(1, 2).reshape(len(x), -1)


# -- draws --------------------------------------------------------------------------------------

def haar(d, rng, signs=True):
    Q, R = np.linalg.qr(rng.standard_normal((d, d)))
    return Q * np.sign(np.diagonal(R)) if signs else Q


def blocks(m, d, frame):
    return np.concatenate([frame() for _ in range(-(-m // d))])[:m]


def chi(m, d, rng):
    return np.sqrt(rng.chisquare(d, (m, 1)))


@mutant("projections.orthogonal")
def qr_without_sign(m, d, /, *, rng):
    """LAPACK's Q as it comes: not Haar, positive features biased"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: haar(d, rng, signs=False))


@mutant("projections.orthogonal")
def blocks_identical(m, d, /, *, rng):
    """one frame for all blocks, from one seed"""
    rng = np.random.default_rng(rng)
    frame = haar(d, rng)
    return chi(m, d, rng) * blocks(m, d, lambda: frame)


@mutant("projections.orthogonal")
def orthogonal_unit_norms(m, d, /, *, rng):
    """rows of length one"""
    rng = np.random.default_rng(rng)
    return blocks(m, d, lambda: haar(d, rng))


@mutant("projections.orthogonal")
def orthogonal_is_iid(m, d, /, *, rng):
    """not orthogonal at all"""
    return np.random.default_rng(rng).standard_normal((m, d))


@mutant("projections.orthogonal")
def orthogonal_fixed_frame(m, d, /, *, rng):
    """the coordinate axes"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: np.eye(d))


@mutant("projections.orthogonal")
def givens_with_replacement(m, d, /, *, rng):
    """rotations in planes (i, i) too, which scale a row"""
    rng = np.random.default_rng(rng)

    def frame():
        Q = np.eye(d)
        for _ in range(4 * d):
            (i, j), a = rng.integers(d, size=2), rng.uniform(0, np.pi)
            Q[i], Q[j] = np.cos(a) * Q[i] + np.sin(a) * Q[j], np.cos(a) * Q[j] - np.sin(a) * Q[i]
        return Q
    return chi(m, d, rng) * blocks(m, d, frame)


@mutant("projections.regularized")
def qr_without_sign_smreg(m, d, /, *, rng):
    """LAPACK's Q as it comes, times sqrt(d)"""
    rng = np.random.default_rng(rng)
    return np.sqrt(d) * blocks(m, d, lambda: haar(d, rng, signs=False))


@mutant("projections.regularized")
def smreg_norm_one(m, d, /, *, rng):
    """rows of length 1 for sqrt(d)"""
    return projections.regularized(m, d, rng=rng) / np.sqrt(d)


@mutant("projections.regularized")
def smreg_norm_d(m, d, /, *, rng):
    """rows of length d for sqrt(d)"""
    return projections.regularized(m, d, rng=rng) * np.sqrt(d)


@mutant("projections.regularized")
def smreg_chi_norms(m, d, /, *, rng):
    """Gaussian lengths: the unregularised draw"""
    return projections.orthogonal(m, d, rng=rng)


@mutant("projections.iid")
def iid_uniform(m, d, /, *, rng):
    """uniform numbers"""
    return np.random.default_rng(rng).uniform(-1, 1, (m, d))


@mutant("projections.iid")
def iid_unit_rows(m, d, /, *, rng):
    """rows scaled to length sqrt(d)"""
    omega = projections.iid(m, d, rng=rng)
    return omega / np.sqrt((omega**2).mean(-1, keepdims=True))


@mutant("projections.iid")
def iid_rows_identical(m, d, /, *, rng):
    """one row, repeated"""
    return np.repeat(projections.iid(1, d, rng=rng), m, 0)


@mutant("projections.iid")
def seed_ignored(m, d, /, *, rng):
    """a new generator whatever was given"""
    return np.random.default_rng(0).standard_normal((m, d))


# -- the Performer ------------------------------------------------------------------------------

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
