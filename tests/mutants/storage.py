"""Learning rules beyond Hebb's, wrong; and how sparse memories are recalled, wrong."""
import numpy as np

from hopref import classical, storage
from tests.mutants import mutant

# -- covariance ---------------------------------------------------------------------------------

@mutant("storage.covariance")
def covariance_of_each_site(X, /, *, activity=None, zero_diagonal=False):
    """each site about its own mean"""
    p = X.mean(0) if activity is None else activity
    return storage.hebbian(X - p, zero_diagonal=zero_diagonal)


@mutant("storage.covariance")
def covariance_uncentred(X, /, *, activity=None, zero_diagonal=False):
    """nothing subtracted"""
    return storage.hebbian(X, zero_diagonal=zero_diagonal)


@mutant("storage.covariance")
def covariance_ignores_the_activity(X, /, *, activity=None, zero_diagonal=False):
    """always the mean of the patterns"""
    return storage.covariance(X, zero_diagonal=zero_diagonal)


@mutant("storage.covariance")
def covariance_keeps_the_diagonal(X, /, *, activity=None, zero_diagonal=False):
    """zero_diagonal ignored"""
    return storage.covariance(X, activity=activity)


# -- projection ---------------------------------------------------------------------------------

def learnt(X, passes=2, noise=1e-20):
    W = np.zeros((X.shape[1],) * 2)
    for x in X:
        r = x
        for _ in range(passes):
            r = r - W @ r
        if r @ r > noise * (x @ x):
            W = W + np.outer(r, r) / (r @ r)
    return W


@mutant("storage.projection")
def projection_is_hebbian(X, /):
    """X^T X / d: right for orthogonal polar patterns only"""
    return X.T @ X / X.shape[1]


@mutant("storage.projection")
def projection_of_dependent_patterns_counts_twice(X, /):
    """every pattern is taken for a new direction"""
    return sum(np.outer(x, x) / max(x @ x, 1.0) for x in X)


@mutant("storage.projection")
def projection_without_its_diagonal(X, /):
    """the diagonal zeroed"""
    W = storage.projection(X)
    return W - np.diag(np.diag(W))


@mutant("storage.projection")
def projection_of_the_centred(X, /):
    """the mean pattern subtracted"""
    return storage.projection(X - X.mean(0))


@mutant("storage.projection")
def projection_in_one_pass(X, /):
    """Gram-Schmidt once: what rounding left in the span stays"""
    return learnt(X, passes=1, noise=1e-30)


@mutant("storage.projection")
def projection_squares_overflow(X, /):
    """|r|^2 of patterns as they come"""
    return learnt(X)


# -- Storkey ------------------------------------------------------------------------------------

def storkey(X, own=0.0, scale=None, base=None):
    d = X.shape[1]
    W, off = np.zeros((d, d)), 1 - np.eye(d)
    for x in X:
        V = W if base is None else base
        H = (V @ x)[:, None] - (1 - own) * V * x
        W = (W + (np.outer(x, x) - x[:, None] * H.T - H * x) / (scale or d)) * off
    return W


@mutant("storage.storkey")
def storkey_with_its_own_terms(X, /):
    """h_ij sums over k = j too"""
    return storkey(X, own=1.0)


@mutant("storage.storkey")
def storkey_all_at_once(X, /):
    """all patterns see the weights of none"""
    return storkey(X, base=np.zeros((X.shape[1],) * 2))


@mutant("storage.storkey")
def storkey_without_its_scale(X, /):
    """not divided by d"""
    return storkey(X, scale=1)


@mutant("storage.storkey")
def storkey_is_hebbian(X, /):
    """X^T X / d with a zero diagonal"""
    return storage.hebbian(X, scale=1 / X.shape[1], zero_diagonal=True)


@mutant("storage.storkey")
def storkey_in_reverse(X, /):
    """the last pattern first"""
    return storage.storkey(X[::-1])


# -- Willshaw -----------------------------------------------------------------------------------

@mutant("storage.willshaw")
def willshaw_unclipped(X, /):
    """counts in place of bits"""
    return X.T @ X


@mutant("storage.willshaw")
def willshaw_of_all(X, /):
    """an AND over the patterns"""
    return np.min(X[:, :, None] * X[:, None, :], axis=0)


@mutant("storage.willshaw_pairs")
def willshaw_pairs_of_either(X, Y, /):
    """an OR of ORs"""
    return np.max(np.maximum(Y[:, :, None], X[:, None, :]), axis=0)


@mutant("classical.willshaw_update")
def willshaw_strictly_above(x, W, /):
    """W x > |x|: nobody"""
    return 1.0 * (x @ W.T > x.sum(-1, keepdims=True))


@mutant("classical.willshaw_update")
def willshaw_with_a_fixed_threshold(x, W, /):
    """the threshold of a cue of three"""
    return 1.0 * (x @ W.T >= 3)


@mutant("classical.willshaw_update")
def willshaw_by_majority(x, W, /):
    """half of the cue is enough"""
    return 1.0 * (x @ W.T >= x.sum(-1, keepdims=True) / 2)


# -- winners ------------------------------------------------------------------------------------

@mutant("classical.winners_update")
def winners_ties_to_the_last(xi, W, b=0.0, /, *, k):
    """of equal fields the last win"""
    return _won(xi @ W.T - b, k, -1)


def _won(h, k, step):
    order = np.argsort(-h[..., ::step], axis=-1, kind="stable")[..., :k]
    won = np.zeros_like(h)
    np.put_along_axis(won, order, 1.0, axis=-1)
    return won[..., ::step]


@mutant("classical.winners_update")
def winners_above_a_threshold(xi, W, b=0.0, /, *, k):
    """all sites as strong as the k-th"""
    h = xi @ W.T - b
    return 1.0 * (h >= np.sort(h, axis=-1)[..., -k, None])


@mutant("classical.winners_update")
def winners_are_the_weakest(xi, W, b=0.0, /, *, k):
    """sorted the wrong way round"""
    return _won(b - xi @ W.T, k, 1)


@mutant("classical.winners_update")
def winners_of_the_whole_batch(xi, W, b=0.0, /, *, k):
    """k for all states together"""
    h = xi @ W.T - b
    return _won(h.reshape(-1), k, 1).reshape(h.shape)


@mutant("classical.winners_update")
def winners_forget_the_threshold(xi, W, b=0.0, /, *, k):
    """no b"""
    return classical.winners_update(xi, W, k=k)
