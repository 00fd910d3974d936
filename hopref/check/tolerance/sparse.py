"""Tolerances of the sparse maps.

Entmax and k-subsets are monotone: an entry is largest if its own score is at the upper end of its
interval and all others are at their lower ends; and it is no larger than for the threshold of
scores that are all at their lower ends.  The sum of these changes is 0.  That of the changes by a
rounded threshold, which moves all entries to one side, is not: the entries are then divided by
their sum.  For alpha > 2 the slope of an entry is infinite at the edge of the support, where this
is the larger error.
"""
import numpy as np

from hopref import maps
from hopref.check.tolerance.derivation import of_others
from hopref.check.tolerance.memory import remembered
from hopref.check.tolerance.softmax import softmax
from hopref.check.tolerance.toleranced import Toleranced, implements
from hopref.maps import potentials

__all__ = ["weighted"]


def blurred(z, steep, beta, where=True):
    """The error of visible scores and their threshold, by storing, scaling and sums over n."""
    u, g = z.profile.u, z.profile.g(z.shape[-1])
    seen = np.isfinite(z.value) & where
    known = np.where(seen, np.abs(z.value), 0).astype(float)
    own = z.radius + (2 * u + z.profile.u_s) * known
    own = own + 2 * u * np.max(known, axis=-1, keepdims=True, initial=0.0)     # the threshold
    return np.where(seen, own + (g + 8 * u) * steep / beta, 0.0)


def weighted(z, p, radius):
    """Weights with the error of their scores, of storing them, which may underflow, and of a
    normalisation."""
    size = np.abs(np.where(np.isfinite(p), p, 0)).astype(float)
    g = z.profile.g(z.shape[-1])
    stored = (2 * g + 8 * z.profile.u + z.profile.u_p) * size + z.profile.eta * (size > 0)
    return Toleranced(p, radius + stored, z.profile)


@remembered
def exact(f, *scores, where=True, **options):
    """The maps of several scores that are known, hidden ones -inf, by one evaluation."""
    z = np.stack(np.broadcast_arrays(*scores, where)[:-1])
    return tuple(f.formula(np.where(where, z, -np.inf), **options))


def monotone(f, z, r, threshold, entry, **options):
    """The change of each entry if its score increases by r and the others decrease, or vice versa.

    ``threshold(z, p, sign)`` is that of the changed scores, and ``entry(z - threshold)`` the entry.
    The sum of the changes of all entries is 0.
    """
    p, *changed = exact(f, z.value, z.value - r, z.value + r, **options)
    where, moves = options.get("where", True), []
    for sign, of_changed in zip((1, -1), changed):
        w = np.where(where, z.value - sign * r, -np.inf)
        q = entry(w + 2 * sign * r, threshold(w, of_changed, sign))
        q = np.where(where & np.isfinite(q), sign * (q - p), 0.0)
        moves.append(np.maximum(q, 0.0).astype(float))
    reach = [np.minimum(mine, np.sum(others, axis=-1, keepdims=True) - others)
             for mine, others in (moves, moves[::-1])]
    return weighted(z, p, np.maximum(*reach))


@implements(maps.entmax)
@remembered
def entmax(z, *, alpha=1.5, beta=1.0, **options):
    if alpha == 1:
        return softmax(z, beta=beta, **options)
    a = alpha - 1

    def threshold(w, p, sign):
        """The threshold as the score of an entry 0; the largest entry has the largest score."""
        return largest(w) - largest(p) ** a / (a * beta)

    def entry(w, tau):
        return np.minimum(np.maximum(a * beta * (w - tau), 0.0) ** (1 / a), 1.0)
    r = blurred(z, 1 + 1 / a, beta, options.get("where", True))
    found = monotone(maps.entmax, z, r, threshold, entry, alpha=alpha, beta=beta, **options)
    if alpha > 2:
        w, p = np.where(options.get("where", True), z.value, -np.inf), found.value
        size = largest(np.where(np.isfinite(w), np.abs(w), 0)).astype(float)
        unit = 2 * z.profile.u * (size + 1 / (a * beta))
        more = shifted(entry, w, threshold(w, p, 1), p, unit)
        found = Toleranced(p, found.radius + more, found.profile)
    return found


def shifted(entry, z, tau, p, unit):
    """The change of normalised entries if the threshold is off by one of its units."""
    moves = []
    for sign in (1, -1):
        q = np.where(p > 0, entry(z, tau + sign * unit), 0.0)
        total = np.sum(q, axis=-1, keepdims=True)
        moves.append(np.where(p > 0, np.abs(q / np.where(total > 0, total, 1) - p), 0.0))
    return np.maximum(*moves).astype(float)


@implements(maps.sparsemax)
def sparsemax(z, *, beta=1.0, **options):
    return entmax(z, alpha=2.0, beta=beta, **options)


@implements(maps.k_subsets)
@remembered
def k_subsets(z, *, k, beta=1.0, **options):
    def threshold(w, p, sign):
        """If no entry is between 0 and 1: the threshold for this sign of the change."""
        level = w - p / beta
        return -largest(np.where(p > 0, -level, -np.inf)) if sign > 0 else \
            largest(np.where(p < 1, level, -np.inf))

    def entry(w, tau):
        return np.clip(beta * (w - tau), 0.0, 1.0)
    r = blurred(z, 2 * k, beta, options.get("where", True))
    return monotone(maps.k_subsets, z, r, threshold, entry, k=k, beta=beta, **options)


def largest(a):
    return np.max(a, axis=-1, keepdims=True)


@implements(maps.normmax)
@remembered
def normmax(z, *, beta=1.0, gamma=2.0, **options):
    """Weights t^(1/(gamma - 1)) over their sum, of heights t above the threshold in bounds: an
    entry is largest if its own height is, and those of all others are smallest."""
    own = blurred(z, 2.0, beta, options.get("where", True))
    p, = exact(maps.normmax, z.value, beta=beta, gamma=gamma, **options)
    seen = np.isfinite(z.value) & options.get("where", True)
    tau = lowest(np.where(seen, z.value, -np.inf), p, beta, gamma)
    t = np.where(seen, beta * (z.value - tau), 0)
    reach = beta * (own + largest(own))
    least, most = (np.maximum(np.where(seen, t + sign * reach, 0), 0) ** (1 / (gamma - 1))
                   for sign in (-1, 1))
    bounds = [share(mine, of_others(others)) for mine, others in ((least, most), (most, least))]
    moved = np.max([np.abs(bound - np.where(np.isfinite(p), p, 0)) for bound in bounds], axis=0)
    return weighted(z, p, np.where(seen, moved, 0.0).astype(float))


def share(mine, others):
    """The share of a sum that is its own."""
    total = mine + others
    return np.where(total > 0, mine / np.where(total > 0, total, 1), 0.0)


def lowest(z, p, beta, gamma):
    """The threshold of normmax as a score, from the scores and their weights."""
    N = maps.norm.formula(p, gamma=gamma)[..., None] + 1
    return largest(z) - (largest(p) / np.where(N > 0, N, 1)) ** (gamma - 1) / beta


@implements(maps.top_k)
def top_k(z, *, k, beta=1.0, where=True, **options):
    """Uncertain where rounding may exchange a score and the k-th largest, except for exact ties."""
    value = z.value if where is True else np.where(where, z.value, -np.inf)
    p = maps.top_k.formula(value, k=k, beta=beta, **options)
    kth = maps.kth_largest(value, k)
    reach = 2 * np.max(z.radius, axis=-1, keepdims=True)
    rival = (np.abs(value - np.where(np.isfinite(kth), kth, 0)) <= reach) & (reach > 0)
    weights = softmax(z, beta=beta, where=p > 0, **options)
    loose = np.sum(rival, axis=-1, keepdims=True) > 1
    radius = np.where(p > 0, weights.radius, 0.0)
    return Toleranced(p, np.where(loose, 1.0, radius), z.profile)


@implements(maps.kth_largest)
def kth_largest(z, k):
    return Toleranced(maps.kth_largest(z.value, k), np.max(z.radius, axis=-1, keepdims=True),
                z.profile)


@implements(maps.norm)
def norm(p, *, gamma=2.0):
    """The error of a norm is at most the sum of the errors of its entries."""
    if not isinstance(p, Toleranced):
        return maps.norm.formula(p, gamma=gamma)
    y = maps.norm.formula(p.value, gamma=gamma)
    some = np.any((p.value > 0) | (p.radius > 0), axis=-1)
    own = some * (p.profile.g(p.shape[-1]) + 8 * p.profile.u) * np.abs(y + 2).astype(float)
    return Toleranced(y, np.sum(p.radius, axis=-1) + own, p.profile)


@implements(maps.tsallis)
def tsallis(p, *, alpha=1.5):
    """The change of each term with its entry; at the edge of a support p may be 0 or positive."""
    if not isinstance(p, Toleranced):
        return maps.tsallis.formula(p, alpha=alpha)

    def of_each(p):
        return maps.tsallis.formula(p[..., None], alpha=alpha)
    terms = of_each(p.value)
    moved = [np.abs(of_each(np.maximum(p.value + sign * p.radius, 0.0)) - terms)
             for sign in (1, -1)]
    own = (p.profile.g(p.shape[-1]) + 16 * p.profile.u) * np.abs(terms)
    own = own + p.profile.eta / (alpha - 1 or 1.0)
    return Toleranced(np.sum(terms, axis=-1),
                      np.sum(np.maximum(*moved) + own, axis=-1).astype(float), p.profile)


@implements(potentials.tsallis_excess)
def tsallis_excess(p, *, alpha=1.5):
    def of_each(p):
        return potentials.power_divergence(p, 1 / p.shape[-1], alpha)
    y = np.sum(of_each(p.value), axis=-1)
    moved = [np.abs(of_each(np.maximum(p.value + sign * p.radius, 0.0)) - of_each(p.value))
             for sign in (1, -1)]
    return excess(p, y, np.sum(np.maximum(*moved), axis=-1), maps.tsallis.formula, alpha=alpha)


@implements(potentials.norm_excess)
def norm_excess(p, *, gamma=2.0):
    y = potentials.norm_excess(p.value, gamma=gamma)
    return excess(p, y, np.sum(p.radius, axis=-1), maps.norm.formula, gamma=gamma)


@implements(potentials.half_square_excess)
def half_square_excess(mu, *, k):
    away = np.abs(mu.value - k / mu.shape[-1]) + mu.radius
    y = potentials.half_square_excess(mu.value, k=k)
    return excess(mu, y, np.sum(away * mu.radius, axis=-1), maps.half_square.formula)


def excess(p, y, moved, Omega, **options):
    """Omega(p) - Omega(u) of weights with errors, for candidates that subtract the two terms."""
    u = np.full_like(p.value, np.sum(p.value, axis=-1, keepdims=True) / p.shape[-1])
    size = sum(np.abs(Omega(q, **options)) for q in (p.value, u)) + 1
    size = np.where(np.isfinite(size), size, 0.0).astype(float)
    own = (p.profile.g(p.shape[-1]) + 8 * p.profile.u) * size
    return Toleranced(y, moved.astype(float) + own, p.profile)
