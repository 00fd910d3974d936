"""The tolerance of structured networks, that of softmax retrieval over the support."""
import numpy as np

from hopref.check.tolerance.derivation import by_running_error, retrieved, rule, weighed
from hopref.check.tolerance.models import biased, direct_energy, given, patterns
from hopref.check.tolerance.performer import kind_of, of_states
from hopref.maps import band

__all__ = []


def scores_of_support(it):
    """Scores (..., 1, n) of states and queries of patterns, -inf outside the support, and sizes;
    with pairs each score has one more rounding, of x + delta."""
    xi, X, delta, beta = it["xi"], it["X"], it.get("delta", 0.0), it["beta"]
    scores, _ = patterns(xi, X + delta, beta)
    _, sizes = patterns(np.abs(xi), np.abs(X) + np.abs(delta), beta)
    support = it["support"] if it.get("renormalise", True) else True
    return biased(scores, sizes, 0.0, support if support is True else support[..., None, :])


@rule("structured.update")
def of_retrieval(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    d = it["X"].shape[-1]
    return retrieved(*scores_of_support(it), it["X"], exact[..., None, :], d, profile)[..., 0, :]


@rule("structured.weights")
def of_weights(op, args, kwargs, exact, profile):
    """Weights outside the support are 0."""
    it = given(op, args, kwargs)
    radius = weighed(*scores_of_support(it), exact[..., None, :], it["X"].shape[-1] + 1, profile)
    return np.where(it["support"], radius[..., 0, :], 0.0)


@rule("structured.pair_update")
def of_pairs(op, args, kwargs, exact, profile):
    """Without renormalisation the result is not a mean, and the errors of weights are added."""
    it = given(op, args, kwargs)
    X, d, scores = it["X"], it["X"].shape[-1] + 1, scores_of_support(it)
    if it["renormalise"]:
        return retrieved(*scores, X, exact[..., None, :], d, profile)[..., 0, :]
    top = np.max(scores[0], axis=-1, keepdims=True)
    p = np.exp(scores[0] - top)
    p = p / np.sum(p, axis=-1, keepdims=True)
    radius = np.where(it["support"], weighed(*scores, p, d, profile)[..., 0, :], 0.0)
    p = np.where(it["support"], p[..., 0, :], 0).astype(float)
    size = np.abs(X).astype(float)
    answer = np.abs(exact).astype(float)
    return radius @ size + profile.g(len(X)) * (p @ size) + profile.u_o * answer


@rule("structured.window_update")
def of_windows(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    xi, X = it["xi"], it["X"]
    columns, exists = band(len(xi), X, it["width"], it["dilation"], it["causal"], it["align"])
    near = X[columns]
    scores = it["beta"] * np.einsum("ld,lbd->lb", xi, near)[:, None]
    sizes = it["beta"] * np.einsum("ld,lbd->lb", np.abs(xi), np.abs(near))[:, None]
    scores, sizes = biased(scores, sizes, 0.0, exists[:, None])
    return retrieved(scores, sizes, near, exact[:, None], X.shape[-1], profile)[:, 0]


@rule("structured.listed_update")
def of_lists(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    it["support"] = np.zeros((len(it["xi"]), len(it["X"])), bool)
    it["support"][it["rows"], it["columns"]] = True
    d = it["X"].shape[-1]
    return retrieved(*scores_of_support(it), it["X"], exact[:, None], d, profile)[:, 0]


@rule("structured.energy")
def of_energy(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    scores, sizes = (s[..., 0, :] for s in scores_of_support(it))
    direct = direct_energy(it, scores, sizes, exact, profile)
    formula = by_running_error(op, args, kwargs, exact, profile)
    return np.where(np.isfinite(formula), np.maximum(direct, formula), direct)


@rule("structured.top_k_energy")
def of_top_k_energy(op, args, kwargs, exact, profile):
    """The error of the k largest scores is at most that of the least accurate score."""
    it = given(op, args, kwargs)
    scores, sizes = (s[..., 0, :] for s in patterns(it["xi"], it["X"], it["beta"]))
    best = np.sort(scores, axis=-1)[..., -it["k"]:]
    most = np.broadcast_to(np.max(sizes, axis=-1, keepdims=True), best.shape)
    direct = direct_energy(it, best, most, exact, profile)
    formula = by_running_error(op, args, kwargs, exact, profile)
    return np.where(np.isfinite(formula), np.maximum(direct, formula), direct)


@rule("structured.random_feature_update")
def of_random_features(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    keys = it["X"] + it["delta"]
    return of_states(it, kind_of(op, args, kwargs), keys, it["xi"], it["X"], exact, profile)


@rule("theory.support_gap_bound")
def of_gap_bound(op, args, kwargs, exact, profile):
    """The bound is between 0 and twice the largest norm, for any error of the gap."""
    most = 2 * np.sqrt(np.max(np.sum(given(op, args, kwargs)["X"] ** 2, axis=-1))).astype(float)
    running = by_running_error(op, args, kwargs, exact, profile)
    return np.where(np.isfinite(exact), np.fmin(running, most), 0.0)


@rule("theory.support_error_bound")
def of_error_bound(op, args, kwargs, exact, profile):
    """The errors of the weights, and those of distances, which are sums over d components."""
    it = given(op, args, kwargs)
    X, d = it["X"], it["X"].shape[-1]
    z, sizes = scores_of_support(it)
    apart = X[:, None, :] - X
    apart = np.sqrt(np.sum(apart * apart, axis=-1))
    y = np.where(np.any(np.isfinite(z), axis=-1), exact, 0.0)[..., None, :]
    moved = retrieved(z, sizes, apart, y, d, profile)[..., 0, :]
    size = np.abs(X).astype(float)
    lost = profile.u * np.sqrt(np.max(np.sum((size[:, None, :] + size) ** 2, axis=-1), axis=0))
    return moved + lost + profile.g(d + 4) * np.abs(exact).astype(float)
