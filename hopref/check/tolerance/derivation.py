"""Derivation of tolerances, by the running error of a formula or by a rule of the operation.

The running error of an operation is computed by its formula, called with toleranced arguments; for
these, softmax, sparse maps and other functions have separate implementations (see
`hopref.check.tolerance.toleranced.implements`).  A rule, ``bound(op, args, kwargs, truth,
profile)``, replaces the running error for the operations for which it is declared.
"""
import numpy as np

from hopref.check.tolerance.memory import remembered
from hopref.check.tolerance.toleranced import Toleranced, exactly
from hopref.dispatch.operation import unchecked
from hopref.dispatch.overrides import implementation

__all__ = ["REGROUPED", "BOUNDS", "by_running_error", "depth_error", "of_others", "retrieved",
           "rule", "running", "stored", "weighed", "weighed_within", "widened"]

BOUNDS = {}             # name of an operation -> its rule
REGROUPED = 2.0         # roundings charged for each; terms may be grouped differently


def rule(*names):
    """Declare that the decorated function computes the tolerance of these operations."""
    def declare(bound):
        BOUNDS.update(dict.fromkeys(names, bound))
        return bound
    return declare


def widened(op, args, kwargs):
    """The arguments with their real arrays and numbers in long double."""
    given = op.signature.bind(*args, **kwargs).arguments
    wide = {k: wide_array(op, k, v) for k, v in given.items()}
    return [wide[k] for k, p in op.signature.parameters.items()
            if p.kind is p.POSITIONAL_ONLY and k in wide], \
        {k: v for k, v in wide.items()
         if op.signature.parameters[k].kind is not op.signature.parameters[k].POSITIONAL_ONLY}


def wide_array(op, k, v):
    absent = k in op.optional and isinstance(v, (bool, float))
    if k not in op.arrays or isinstance(v, Toleranced) or absent:
        return v
    v = np.asarray(v)
    return v if op.domains[k].kind != "real" else v.astype(np.longdouble)


@remembered
def running(op, args, kwargs, profile, regrouped=REGROUPED):
    """The formula with toleranced arguments: the running error of every output."""
    profile = profile.regrouped(regrouped)
    args, kwargs = widened(op, args, kwargs)
    given = [toleranced_array(a, profile) for a in args]
    named = {k: toleranced_array(v, profile) if k in op.arrays else v for k, v in kwargs.items()}
    own = implementation(op, given)
    with np.errstate(all="ignore"):
        if own is None:
            return op.formula(*given, **named)
        with unchecked():
            return own(*given, **resolved(op, named))


def resolved(op, named):
    """The options with names replaced by their functions or records, as formulas receive them."""
    options = {k: d for k, d in op.domains.items() if hasattr(d, "resolve")}
    return named | {k: d.resolve(named.get(k, op.signature.parameters[k].default))
                    for k, d in options.items()}


def toleranced_array(a, profile):
    real = isinstance(a, Toleranced) or isinstance(a, np.ndarray) and a.dtype.kind == "f"
    return exactly(a, profile) if real else a


def by_running_error(op, args, kwargs, exact, profile, regrouped=REGROUPED):
    """The running error of the formula, and the rounding of the stored result."""
    return stored(running(op, args, kwargs, profile, regrouped), exact, profile)


def stored(computed, exact, profile):
    """The running error of results, and the rounding of each that is stored."""
    if isinstance(computed, tuple):
        return tuple(stored(y, e, profile) for y, e in zip(computed, exact))
    radius = np.broadcast_to(getattr(computed, "radius", 0.0), np.shape(exact))
    return radius + profile.u_o * np.abs(np.where(np.isfinite(exact), exact, 0)).astype(float)


def retrieved(scores, sizes, V, y, d, profile):
    """The tolerance of ``softmax(scores) @ V``; ``sizes`` bounds ``sum |terms|`` of each score.

    An error of a probability is multiplied by |v|, one of a score by |v - y|.  A result is in the
    convex hull of the visible values.
    """
    tau, log_p = score_error(scores, sizes, d, profile), log_softmax(scores)
    p = np.exp(log_p)
    value = np.broadcast_to(V, (*p.shape[:-2], *V.shape[-2:]))
    seen = np.isfinite(scores)[..., None]
    away = np.where(seen, np.abs(value[..., None, :, :] - y[..., :, None, :]), 0).astype(float)
    size = np.abs(value).astype(float)
    moved = np.einsum("...ij,...ijv->...iv", swelling(log_p, tau), away)
    left = np.sum(np.exp(log_p - tau), axis=-1)[..., None]
    hull = np.max(away, axis=-2, initial=0.0)
    slid = np.minimum(np.where(moved == 0, 0.0, moved / left), hull)
    n, answer = scores.shape[-1], np.abs(y).astype(float)
    summed = p @ size + (profile.u_p == 0) * answer
    tiny = np.sum(away, axis=-2) + seen[..., 0].astype(float) @ size + 1
    return (slid + (profile.g(n) + 3 * profile.u + profile.u_p) * summed
            + (profile.u_o + 2 * profile.u) * answer + profile.eta * tiny)


def weighed(scores, sizes, p, d, profile):
    """The tolerance of ``softmax(scores)``: `retrieved` with the values ``v_ij = (i == j)``."""
    return weighed_within(score_error(scores, sizes, d, profile), scores, p, profile)


def weighed_within(tau, scores, p, profile):
    """The tolerance of ``softmax(scores)`` for errors of at most tau in the exponent."""
    log_p = log_softmax(scores)
    p, swell = p.astype(float), swelling(log_p, tau)
    moved = swell * (1 - p) + p * of_others(swell)
    left = np.sum(np.exp(log_p - tau), axis=-1, keepdims=True)
    slid = np.minimum(np.where(moved == 0, 0.0, moved / left), np.maximum(p, 1 - p))
    n = scores.shape[-1]
    return np.where(np.isfinite(scores), slid + (profile.g(n) + 3 * profile.u + profile.u_p) * 2 * p
                    + (profile.u_o + 2 * profile.u) * p + profile.eta * (n + 1), 0.0)


def of_others(a):
    """The sum of all other entries of the row, without cancellation if one is far larger."""
    before, after = np.zeros_like(a), np.zeros_like(a)
    before[..., 1:] = np.cumsum(a, axis=-1)[..., :-1]
    after[..., :-1] = np.cumsum(a[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    return before + after


def score_error(scores, sizes, d, profile):
    """tau, the bound on the error of a score in the exponent."""
    known = np.where(np.isfinite(scores), scores, 0)
    return (profile.g(d + 2) * np.where(np.isfinite(scores), sizes, 0).astype(float)
            + profile.u_s * np.abs(known).astype(float) + depth_error(scores, profile))


def depth_error(scores, profile):
    """The contribution to tau of the subtraction of the largest score and of one exponential."""
    known = np.where(np.isfinite(scores), scores, 0)
    top = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    below = np.where(np.isfinite(scores), np.where(np.isfinite(top), top, 0) - known, 0)
    return profile.u * below.astype(float) + 4 * profile.u


def swelling(log_p, tau):
    """p (e^tau - 1), where p alone may underflow; beyond e^600 the bound by the hull is smaller."""
    return np.exp(np.minimum(log_p + tau, 600.0)) * -np.expm1(-tau)


def log_softmax(scores):
    """log p as float64, -inf where hidden."""
    top = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    below = scores - np.where(np.isfinite(top), top, 0)
    total = np.sum(np.exp(below), axis=-1, keepdims=True)
    return (below - np.log(np.where(total > 0, total, 1))).astype(float)
