"""Modern retrieval and its maps, wrong."""
import numpy as np

from tests.mutants import mutant


def softmax(z, beta=1.0):
    e = np.exp(beta * (z - z.max(-1, keepdims=True)))
    return e / e.sum(-1, keepdims=True)


def lse(z, beta):
    top = z.max(-1)
    return top + np.log(np.exp(beta * (z - top[..., None])).sum(-1)) / beta


def half(x):
    return (x * x).sum(-1) / 2


def parts(xi, X, beta):
    """-lse, |xi|^2/2, log(N)/beta, M^2/2."""
    return -lse(xi @ X.T, beta), half(xi), np.log(len(X)) / beta, half(X).max()


# -- update -------------------------------------------------------------------------------------

@mutant("modern.update")
def beta_twice(xi, X, /, *, beta=1.0):
    """beta in the scores and in the softmax again"""
    return softmax(beta * xi @ X.T, beta) @ X


@mutant("modern.update")
def beta_outside(xi, X, /, *, beta=1.0):
    """beta in front of the softmax"""
    return beta * softmax(xi @ X.T) @ X


@mutant("modern.update")
def beta_ignored(xi, X, /, *, beta=1.0):
    """no beta"""
    return softmax(xi @ X.T) @ X


@mutant("modern.update")
def beta_halved(xi, X, /, *, beta=1.0):
    """the beta of exp(-beta |x - xi|^2 / 4)"""
    return softmax(xi @ X.T, beta / 2) @ X


@mutant("modern.update")
def extra_one_over_sqrt_d(xi, X, /, *, beta=1.0):
    """attention's 1/sqrt(d) on top of beta"""
    return softmax(xi @ X.T, beta / np.sqrt(X.shape[1])) @ X


@mutant("modern.update")
def softmax_over_states(xi, X, /, *, beta=1.0):
    """normalised along the batch"""
    return softmax(np.atleast_2d(xi @ X.T).T, beta).T @ X


@mutant("modern.update")
def batch_shares_its_maximum(xi, X, /, *, beta=1.0):
    """one maximum subtracted from all rows: small rows underflow"""
    z = xi @ X.T
    e = np.exp(beta * (z - z.max()))
    with np.errstate(invalid="ignore"):
        return e @ X / e.sum(-1, keepdims=True)


@mutant("modern.update")
def update_divided_by_n(xi, X, /, *, beta=1.0):
    """a mean in place of a sum"""
    return softmax(xi @ X.T, beta) @ X / len(X)


@mutant("modern.update")
def update_adds_the_state(xi, X, /, *, beta=1.0):
    """a residual connection"""
    return xi + softmax(xi @ X.T, beta) @ X


@mutant("modern.update")
def state_thresholded(xi, X, /, *, beta=1.0):
    """a ReLU on the state"""
    return softmax(np.maximum(xi, 0) @ X.T, beta) @ X


@mutant("modern.update")
def state_normalised(xi, X, /, *, beta=1.0):
    """the state scaled to norm one first"""
    return softmax(xi / np.maximum(np.sqrt(2 * half(xi)), 1e-9)[..., None] @ X.T, beta) @ X


@mutant("modern.update")
def nearest_by_distance(xi, X, /, *, beta=1.0):
    """scores -|x - xi|^2/2, which forgets the patterns' norms"""
    return softmax(xi @ X.T - half(X), beta) @ X


@mutant("modern.update")
def distances_by_coordinate(xi, X, /, *, beta=1.0):
    """scores by the sum of |x_l - xi_l|"""
    return softmax(-np.abs(xi[..., None, :] - X).sum(-1), beta) @ X


@mutant("modern.weights")
def weights_unnormalised(xi, X, /, *, beta=1.0):
    """exponentials, not divided"""
    z = xi @ X.T
    return np.exp(beta * (z - z.max(-1, keepdims=True)))


@mutant("modern.weights")
def ties_to_the_first(xi, X, /, *, beta=1.0):
    """argmax for a large beta"""
    z = xi @ X.T
    return softmax(z, beta) if beta < 1e9 else 1.0 * (np.arange(len(X)) == z.argmax(-1)[..., None])


@mutant("modern.thresholded_update")
def modern_outer_thresholded(xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    """thresholded patterns come back"""
    S = lambda x: np.where(x > theta if side == "above" else x < theta, 0, x)
    return softmax(S(xi) @ S(X).T, beta) @ S(X)


@mutant("modern.thresholded_update")
def modern_side_swapped(xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    """the positive components survive"""
    S = lambda x: np.where(x < theta if side == "above" else x > theta, 0, x)
    return softmax(S(xi) @ S(X).T, beta) @ X


@mutant("modern.thresholded_update")
def modern_theta_itself_dropped(xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    """>= for >"""
    S = lambda x: np.where(x >= theta if side == "above" else x <= theta, 0, x)
    return softmax(S(xi) @ S(X).T, beta) @ X


# -- energy and Jacobian ------------------------------------------------------------------------

@mutant("modern.energy")
def energy_without_1_over_beta(xi, X, /, *, beta=1.0):
    """log sum exp(beta z), not divided by beta"""
    a, b, c, d = parts(xi, X, beta)
    return beta * a + b + c + d


@mutant("modern.energy")
def energy_log_n_of_wrong_sign(xi, X, /, *, beta=1.0):
    """- log(N)/beta"""
    a, b, c, d = parts(xi, X, beta)
    return a + b - c + d


@mutant("modern.energy")
def energy_without_log_n(xi, X, /, *, beta=1.0):
    """no log(N)/beta"""
    a, b, _, d = parts(xi, X, beta)
    return a + b + d


@mutant("modern.energy")
def energy_without_m2(xi, X, /, *, beta=1.0):
    """no M^2/2"""
    return sum(parts(xi, X, beta)[:3])


@mutant("modern.energy")
def energy_without_half_the_square(xi, X, /, *, beta=1.0):
    """|xi|^2 for |xi|^2/2"""
    return sum(parts(xi, X, beta)) + half(xi)


@mutant("modern.energy")
def energy_m2_of_the_mean(xi, X, /, *, beta=1.0):
    """mean |x|^2 for max |x|^2"""
    return sum(parts(xi, X, beta)[:3]) + half(X).mean()


@mutant("modern.energy")
def energy_m2_of_the_first(xi, X, /, *, beta=1.0):
    """|x_1|^2 for max |x|^2"""
    return sum(parts(xi, X, beta)[:3]) + half(X)[0]


@mutant("modern.energy")
def energy_as_printed(xi, X, /, *, beta=1.0):
    """the four terms as printed, which cancel"""
    return sum(parts(xi, X, beta))


@mutant("modern.jacobian")
def jacobian_without_beta(xi, X, /, *, beta=1.0):
    """the covariance alone"""
    p = softmax(xi @ X.T, beta)
    away = X - (p @ X)[..., None, :]
    return np.einsum("...n,...nk,...nl->...kl", p, away, away)


@mutant("modern.jacobian")
def jacobian_not_centred(xi, X, /, *, beta=1.0):
    """X^T diag(p) X, without the - p p^T"""
    return beta * np.einsum("...n,nk,nl->...kl", softmax(xi @ X.T, beta), X, X)


# -- maps ---------------------------------------------------------------------------------------

@mutant("maps.softmax")
def softmax_without_beta(z, /, *, beta=1.0, where=True):
    """beta ignored"""
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(softmax(np.where(where, z, -np.inf)))


@mutant("maps.softmax")
def softmax_unnormalised(z, /, *, beta=1.0, where=True):
    """no division"""
    return np.exp(beta * (z - z.max(-1, keepdims=True))) * where


@mutant("maps.softmax")
def softmax_over_columns(z, /, *, beta=1.0, where=True):
    """the first axis"""
    return softmax(z.T, beta).T


@mutant("maps.softmax")
def softmax_naive(z, /, *, beta=1.0, where=True):
    """exp without subtracting the maximum"""
    with np.errstate(all="ignore"):
        e = np.exp(beta * z) * where
        return e / e.sum(-1, keepdims=True)


@mutant("maps.softmax")
def softmax_mask_after(z, /, *, beta=1.0, where=True):
    """hidden entries zeroed after the softmax"""
    return softmax(z, beta) * where


@mutant("maps.logsumexp")
def lse_without_1_over_beta(z, /, *, beta=1.0):
    """log sum exp(beta z)"""
    return beta * lse(z, beta)


@mutant("maps.logsumexp")
def lse_forgets_the_maximum(z, /, *, beta=1.0):
    """the maximum subtracted and not added back"""
    return lse(z - z.max(-1, keepdims=True), beta)
