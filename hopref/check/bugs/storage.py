"""Bugs of the learning rules."""
import numpy as np

from hopref.check.bugs import bug, run, variant, wrong_argument, wrong_call
from hopref.maps import followers
from hopref.storage import of_one_unit, onto_span, roundings

__all__ = []

# -- sums of outer products -----------------------------------------------------------------------

@wrong_call("weights with the wrong sign", "storage.hebbian")
def wrong_sign(op, given):
    return -run(op, given)


@wrong_call("divided by the number of patterns", "storage.hebbian", "storage.bam",
            "storage.covariance", "dense.energy")
def divided_by_the_number(op, given):
    return run(op, given) / len(given["X"])


@wrong_call("the patterns scaled, so that the scale is squared", "storage.hebbian")
def scale_squared(op, given):
    return run(op, given | {"scale": given["scale"] ** 2})


@bug("the number of patterns taken off the diagonal", "storage.hebbian")
def number_taken_off_the_diagonal(X, /, *, scale=1.0, zero_diagonal=False):
    return scale * (X.T @ X - len(X) * np.eye(X.shape[1])) if zero_diagonal else None


@wrong_call("the mean pattern subtracted", "storage.hebbian", "storage.projection")
def mean_pattern_subtracted(op, given):
    X = given["X"]
    away = X - np.mean(X, axis=0)
    noise = 1e-9 * np.max(np.abs(X), initial=0.0)
    return run(op, given | {"X": np.where(np.abs(away) > noise, away, 0.0)})


@bug("patterns and answers exchanged", "storage.bam")
def exchanged(X, Y, /):
    return X.T @ Y if X.shape == Y.shape else None


# -- covariance -----------------------------------------------------------------------------------

def about(X, p, zero_diagonal):
    W = (X - p).T @ (X - p)
    return W - np.diag(np.diag(W)) if zero_diagonal else W


@bug("each site about its own mean", "storage.covariance")
def about_each_mean(X, /, *, activity=None, zero_diagonal=False):
    return about(X, np.mean(X, axis=0), zero_diagonal) if activity is None else None


@bug("nothing subtracted", "storage.covariance")
def about_nothing(X, /, *, activity=None, zero_diagonal=False):
    return about(X, 0.0, zero_diagonal)


# -- projection -----------------------------------------------------------------------------------

@bug("inverse of the Gram matrix missing", "storage.projection")
def inverse_missing(X, /, *, sequence="none"):
    Y = X if sequence == "none" else followers(X, sequence == "loop")
    return Y.T @ X / X.shape[1]


@wrong_call("the sequence runs backwards", "storage.projection")
def backwards(op, given):
    return run(op, given | {"X": given["X"][::-1]}) if given["sequence"] != "none" else None


@wrong_call("the last pattern always followed by the first", "storage.projection")
def always_a_loop(op, given):
    return run(op, given | {"sequence": "loop"}) if given["sequence"] == "open" else None


@wrong_call("followers in units of their own", "storage.projection")
def in_own_units(op, given):
    """Each pattern is divided by its largest entry before it is stored."""
    return run(op, given | {"X": of_one_unit(given["X"])})


@bug("dependent patterns counted twice", "storage.projection")
def dependent_patterns_twice(X, /, *, sequence="none"):
    if sequence != "none":
        return None
    X = of_one_unit(X)
    squares = np.sum(X * X, axis=-1, keepdims=True)
    return (X / np.where(squares > 0, squares, 1.0)).T @ X


@wrong_call("diagonal set to 0", "storage.projection")
def without_its_diagonal(op, given):
    W = run(op, given)
    return W - np.diag(np.diag(W))


@bug("squares of the patterns overflow", "storage.projection")
def squares_overflow(X, /, *, sequence="none"):
    if sequence != "none":
        return None
    X = np.asarray(X, dtype=float)
    return onto_span(X, roundings(len(X), X) * np.sum(X * X, axis=-1))


@bug("one pass of Gram-Schmidt", "storage.projection")
def one_pass(X, /, *, sequence="none"):
    if sequence != "none":
        return None
    W = np.zeros(2 * X.shape[1:], dtype=X.dtype)
    X = of_one_unit(X)
    for x, noise in zip(X, roundings(len(X), X) * np.sum(X * X, axis=-1)):
        r = x - W @ x
        left = np.sum(r * r)
        W = W + np.outer(r, r) / left if left > noise else W
    return W


# -- Storkey --------------------------------------------------------------------------------------

def learnt(X, own=0.0, fields=1.0):
    """Storkey's rule with the own term kept in the local fields, or without local fields."""
    d = X.shape[1]
    W, off = np.zeros((d, d), dtype=X.dtype), 1 - np.eye(d)
    for x in X:
        H = fields * ((W @ x)[:, None] - (1 - own) * W * x)
        W = (W + (np.outer(x, x) - x[:, None] * H.T - H * x) / d) * off
    return W


@bug("not divided by d", "storage.storkey")
def not_divided(X, /):
    d = X.shape[1]
    W, off = np.zeros((d, d), dtype=X.dtype), 1 - np.eye(d)
    for x in X:
        H = (W @ x)[:, None] - W * x
        W = (W + np.outer(x, x) - x[:, None] * H.T - H * x) * off
    return W


@wrong_call("last pattern first", "storage.storkey")
def in_reverse(op, given):
    return run(op, given | {"X": given["X"][::-1]})


# -- Willshaw -------------------------------------------------------------------------------------

@wrong_call("weights not clipped", "storage.willshaw", "storage.willshaw_pairs")
def weights_not_clipped(op, given):
    return given.get("Y", given["X"]).T @ given["X"]


@wrong_call("AND over the patterns", "storage.willshaw", "storage.willshaw_pairs")
def and_over_the_patterns(op, given):
    return np.min(given.get("Y", given["X"])[:, :, None] * given["X"][:, None, :], axis=0)


@bug("OR of cue and answer", "storage.willshaw_pairs")
def or_of_either(X, Y, /):
    return np.max(np.maximum(Y[:, :, None], X[:, None, :]), axis=0)


REGISTERED = [
    wrong_argument("patterns followed by themselves", "storage.projection", sequence="none"),
    wrong_argument("activity ignored", "storage.covariance", activity=None),
    variant("own terms kept in the local fields", "storage.storkey", learnt, own=1.0),
    variant("local fields missing", "storage.storkey", learnt, fields=0.0),
]
