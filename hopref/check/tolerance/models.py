"""The tolerances of operations for which a sharper bound than the running error is known."""
import math

import numpy as np

from hopref.check.tolerance.arithmetic import largest
from hopref.check.tolerance.derivation import (
    by_running_error,
    retrieved,
    rule,
    running,
    weighed,
    widened,
)
from hopref.check.tolerance.running_error import ELEMENTARY
from hopref.check.tolerance.toleranced import exactly
from hopref.maps import LAGRANGIANS, default_scale, dot, followers, visible
from hopref.models import classical
from hopref.theory.separability import separating_beta

__all__ = []


def given(op, args, kwargs):
    """The arguments by name, with defaults, real arrays in long double, and resolved options."""
    args, kwargs = widened(op, args, kwargs)
    bound = op.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    it = dict(bound.arguments)
    for k, domain in op.domains.items():
        if hasattr(domain, "resolve"):
            it[k] = domain.resolve(it[k])
    return it


def transposed(x):
    return np.swapaxes(x, -1, -2)


def patterns(xi, X, beta):
    """Scores of states (..., d) and patterns (n, d), one row for each state, and their sizes."""
    return beta * (xi @ X.T)[..., None, :], beta * (np.abs(xi) @ np.abs(X).T)[..., None, :]


@rule("modern.update", "modern.thresholded_update")
def of_retrieval(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    xi, X = it["xi"], it["X"]
    if "side" in it:
        scores = patterns(it["side"](xi, it["theta"]), it["side"](X, it["theta"]), it["beta"])
    else:
        scores = patterns(xi, X, it["beta"])
    return retrieved(*scores, X, exact[..., None, :], X.shape[-1], profile)[..., 0, :]


@rule("modern.weights")
def of_association(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    scores = patterns(it["xi"], it["X"], it["beta"])
    return weighed(*scores, exact[..., None, :], it["X"].shape[-1], profile)[..., 0, :]


@rule("maps.softmax")
def of_softmax(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    z = it["beta"] * it["z"]
    scores, sizes = biased(z, np.abs(z), it["bias"], it["where"])
    return weighed(scores, sizes, exact, 0, profile)


def biased(scores, sizes, bias, where):
    """Scores plus bias; -inf for hidden ones."""
    scores, sizes = scores + bias, np.where(np.isfinite(bias), sizes + np.abs(bias), 0)
    return np.where(where, scores, -np.inf), np.broadcast_to(sizes, scores.shape)


def of_queries(it):
    """Scores (..., l, s) of attention and their sizes."""
    Q, K = it["Q"], it["K"]
    scale = default_scale(it["scale"], K)
    scores, sizes = scale * (Q @ transposed(K)), scale * (np.abs(Q) @ transposed(np.abs(K)))
    where = visible(Q, K, it["mask"], it["causal"], it["align"])
    return biased(scores, sizes, it["bias"], where)


@rule("attention.softmax_attention")
def of_attention(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    return retrieved(*of_queries(it), it["V"], exact, it["K"].shape[-1], profile)


@rule("attention.softmax_weights")
def of_attention_weights(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    return weighed(*of_queries(it), exact, it["K"].shape[-1], profile)


@rule("heteroassociation.update", "heteroassociation.joint_update")
def of_values(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    xi, X = it["xi"], it["X"]
    if "eta" in it:
        xi, X = (np.concatenate(pair, axis=-1) for pair in ((xi, it["eta"]), (X, it["Y"])))
    scores = patterns(xi, X, it["beta"])
    return retrieved(*scores, it["Y"], exact[..., None, :], X.shape[-1], profile)[..., 0, :]


@rule("modern.energy")
def of_modern_energy(op, args, kwargs, exact, profile):
    """The larger of the errors of the formula and of the direct form of `direct_energy`."""
    it = given(op, args, kwargs)
    scores, sizes = (s[..., 0, :] for s in patterns(it["xi"], it["X"], it["beta"]))
    direct = direct_energy(it, scores, sizes, exact, profile)
    formula = by_running_error(op, args, kwargs, exact, profile)
    return np.where(np.isfinite(formula), np.maximum(direct, formula), direct)


def direct_energy(it, scores, sizes, exact, profile):
    """The error of -lse(scores)/beta + |xi|^2/2 + log n/beta + M^2/2; hidden scores are -inf."""
    xi, X, beta = it["xi"], it["X"], it["beta"]
    n, d = X.shape
    own, longest = np.sum(xi * xi, axis=-1).astype(float), float(np.max(np.sum(X * X, axis=-1)))
    known = np.where(np.isfinite(scores), scores, 0)
    top = np.max(scores, axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    p = np.exp(scores - top)
    p = (p / np.maximum(np.sum(p, axis=-1, keepdims=True), 1)).astype(float)
    below = (top - known).astype(float)
    u, sizes = profile.u, sizes.astype(float)
    tau = profile.g(d + 3) * sizes + (profile.u_s * np.abs(known)).astype(float)
    tau = tau + profile.u * below + 4 * profile.u
    lse = np.max(np.abs(known), axis=-1).astype(float) + np.log(n)
    direct = (np.sum(p * tau, axis=-1) + profile.g(n) + 4 * u * (1 + lse)) / beta
    direct = direct + (profile.g(d) + 8 * u) * (own / 2 + longest / 2 + np.log(n) / beta)
    return direct + profile.u_o * np.abs(exact).astype(float)


def lse_error(xi, X, beta, profile):
    """The error of lse(beta, X xi): that of a score, and the roundings of sum and logarithm."""
    scores, sizes = patterns(xi, X, beta)
    errs = profile.g(X.shape[1] + 2) * sizes + (profile.u_s + 4 * profile.u) * np.abs(scores)
    most = np.max(errs, axis=(-2, -1), initial=0.0) + profile.g(len(X)) + 4 * profile.u
    return (most + 4 * profile.u * np.log(len(X))).astype(float) / beta


@rule("dense.log_energy")
def of_log_energy(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    return lse_error(it["xi"], it["X"], 1.0, profile) + profile.u_o * np.abs(exact).astype(float)


def plainly_modern(it):
    """Whether the visible layer is quadratic and the hidden one softmax."""
    return it["visible"] is LAGRANGIANS["quadratic"] and it["hidden"] is LAGRANGIANS["softmax"]


@rule("lagrangian.update")
def of_fast_layers(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    if not plainly_modern(it):
        return by_running_error(op, args, kwargs, exact, profile)
    scores = patterns(it["v"], it["X"], it["beta"])
    return retrieved(*scores, it["X"], exact[..., None, :], it["X"].shape[-1], profile)[..., 0, :]


@rule("lagrangian.reduced_energy")
def of_reduced_energy(op, args, kwargs, exact, profile):
    it = given(op, args, kwargs)
    if not plainly_modern(it):
        return by_running_error(op, args, kwargs, exact, profile)
    v, own = it["v"], np.sum(it["v"] ** 2, axis=-1).astype(float)
    squares = (profile.g(v.shape[-1] + 2) + 4 * profile.u) * 1.5 * own
    return squares + lse_error(v, it["X"], it["beta"], profile) \
        + (profile.u_o + 2 * profile.u) * np.abs(exact).astype(float)


@rule("graded.energy", "graded.two_step_energy")
def of_graded_energy(op, args, kwargs, exact, profile):
    """The error of the formula, plus that of rounding 1 + x or 1 - x before the logarithm."""
    it = given(op, args, kwargs)
    rounded_first = 4 * profile.u * it["xi"].shape[-1] / it["beta"]
    naive = np.isfinite(it["activation"].high) * rounded_first * (1 + ("previous" in it))
    return by_running_error(op, args, kwargs, exact, profile) + naive


@rule("storage.projection")
def of_projection(op, args, kwargs, exact, profile):
    """An error E of the patterns moves their span by |E| / s_min (Wedin); the catalogue's own form,
    with the inverse of X X^T, by the square of the condition.  Entries are in [-1, 1]; the result
    is uncertain where a residual is below n d roundings."""
    X = np.asarray(args[0], dtype=float)
    if kwargs.get("sequence", "none") != "none":
        return of_followers(X, kwargs["sequence"] == "loop", exact, profile)
    s, rank = np.linalg.svd(X, compute_uv=False), int(np.rint(np.trace(exact)))
    condition = s[0] / s[rank - 1] if rank else 1.0
    hidden = 2 * profile.u * X.size * condition >= 1
    radius = 2.0 if hidden else min(2.0, float(profile.g(X.size) * condition**2))
    return np.full(exact.shape, radius + profile.u_o)


def of_followers(X, loop, exact, profile):
    """The same for Y^T (X^+)^T, whose size is that of Y over s_min, of the patterns that are not in
    the span of earlier ones."""
    size = np.max(np.abs(X), axis=-1, keepdims=True, initial=0.0)
    Y, X = (A / np.where(size > 0, size, 1.0) for A in (followers(X, loop), X))
    rows = []
    for i in range(len(X)):
        rows += [i] if np.linalg.matrix_rank(X[[*rows, i]]) > len(rows) else []
    s = np.linalg.svd(X[rows], compute_uv=False) if rows else np.ones(1)
    condition = s[0] / s[-1]
    if 2 * profile.u * X.size * condition >= 1:
        return np.full(exact.shape, np.inf)
    moved = profile.g(X.size) * condition**2 * np.linalg.norm(Y[rows]) / s[-1]
    return moved + profile.u_o * np.abs(exact)


@rule("storage.perceptron")
def of_perceptron(op, args, kwargs, exact, profile):
    """Zero for a row of integers whose decisions are clear, for limits with a few roundings, and
    infinite for others."""
    it = given(op, args, kwargs)
    X, margin = it["X"].astype(float), float(it["margin"])
    own, W = np.eye(X.shape[1], dtype=bool), np.zeros((X.shape[1], X.shape[1]))
    unclear = np.zeros(X.shape[1], dtype=bool)
    for _ in range(it["epochs"]):
        before = W
        for x in X:
            aligned, limit = x * (W @ x), margin * np.sqrt(np.sum(W * W, axis=-1))
            near = (X.shape[1] + 8) * profile.u * limit
            unclear |= (np.abs(aligned - limit) <= near) & (near > 0)
            W = W + np.where(own, 0.0, x[:, None] * x) * (aligned <= limit)[:, None]
        if np.array_equal(before, W):
            break
    unclear |= np.sum(np.abs(W), axis=-1) > profile.integers
    return np.broadcast_to(np.where(unclear, np.inf, 0.0)[:, None], np.shape(exact))


@rule("storage.storkey")
def of_storkey(op, args, kwargs, exact, profile):
    """Each pattern adds |x|^2 to the weights; the tolerance is infinite where they overflow."""
    X = np.asarray(args[0], dtype=float)
    size = np.max(np.abs(exact), initial=0.0) * X.shape[1] * np.max(np.abs(X), initial=0.0) ** 2
    if size >= largest(profile.dtype):
        return np.full(exact.shape, np.inf)
    return by_running_error(op, args, kwargs, exact, profile)


@rule("classical.update", "classical.low_rank_update", "classical.asynchronous_update",
      "classical.low_rank_asynchronous_update", "classical.glauber_update",
      "classical.willshaw_update", "dense.update", "dense.asynchronous_update",
      "dense.first_order_update", "sequences.update", "bam.forward", "bam.backward")
def of_signs(op, args, kwargs, exact, profile):
    """Zero, or the distance of the two signs where the error of the field exceeds it."""
    return np.minimum(by_running_error(op, args, kwargs, exact, profile, regrouped=1.0), 2.0)


@rule("classical.winners_update")
def of_winners(op, args, kwargs, exact, profile):
    """Uncertain for sites whose field is within its error of a field of the other class."""
    it = given(op, args, kwargs)
    h = running(classical.field, (it["xi"], it["W"], it["b"]), {}, profile, regrouped=1.0)
    won = exact > 0
    weakest = np.min(np.where(won, h.value - h.radius, np.inf), axis=-1, keepdims=True)
    strongest = np.max(np.where(won, -np.inf, h.value + h.radius), axis=-1, keepdims=True)
    near = np.where(won, h.value - h.radius <= strongest, h.value + h.radius >= weakest)
    return 1.0 * (near & np.any(h.radius > 0, axis=-1, keepdims=True))


@rule("classical.greedy_update")
def of_greedy(op, args, kwargs, exact, profile):
    """Uncertain where the two largest fields of unstable sites differ by less than their errors."""
    it = given(op, args, kwargs)
    h = running(classical.field, (it["xi"], it["W"], it["b"]), {}, profile, regrouped=1.0)
    low = it["states"]
    new = it["ties"](h.value, it["xi"], low)
    undecided = (h.radius > 0) & (np.abs(h.value) <= h.radius)
    urge = np.where((new != it["xi"]) | undecided, np.abs(h.value), -np.inf)
    best = np.max(urge + h.radius, axis=-1, keepdims=True)
    reach = 2 * h.radius + np.max(h.radius, axis=-1, keepdims=True)
    rivals = (urge + reach >= best) & (urge > -np.inf)
    certain = np.all((urge == -np.inf) | (h.radius == 0), axis=-1, keepdims=True)
    open_ = ~certain & ((np.sum(rivals, axis=-1, keepdims=True) > 1) |
                        np.any(undecided, axis=-1, keepdims=True))
    return np.broadcast_to(np.where(open_, 1.0 - low, 0.0), np.shape(exact)).astype(float)


@rule("theory.smallest_beta")
def of_separation(op, args, kwargs, exact, profile):
    """The solutions for gaps and a sum at both ends of their intervals."""
    it = given(op, args, kwargs)
    xi, X = (exactly(it[k], profile) for k in ("xi", "X"))
    gaps, n = dot(xi, X)[:, None] - xi @ X.T, len(it["X"])
    least = math.log1p(-it["tolerance"]) - math.log(it["tolerance"])
    off = gaps.radius + 4 * profile.u * np.abs(gaps.value)
    sums = profile.g(n) + 2 * ELEMENTARY * profile.u
    early, late = (separating_beta(gaps.value + sign * off, least - sign * sums)
                   for sign in (1, -1))
    late = np.where(np.isfinite(off).all(axis=-1), late, np.inf)
    moved = np.maximum(np.abs(late - exact), np.abs(exact - early)) + 4 * profile.u * np.abs(exact)
    return np.where(late == early, 0.0, moved).astype(float)
