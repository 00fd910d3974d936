"""Softmax, sparsemax and other maps along the last axis, top-k retrieval, layer normalisation."""
import numpy as np

from hopref.check.engine.candidate import NotOffered
from tests.check.honest import honest, log_domain, on_rows, powers_of_two, weights_of


def scaled(r, z, beta, where=True):
    """beta (z - max z), which is at most 0, of visible scores."""
    z = np.where(where, r.given(z), -np.inf).astype(r.given(z).dtype)
    top = np.max(z, axis=-1, keepdims=True, initial=-np.inf)
    return r(r(z - np.where(np.isfinite(top), top, 0)) * r(beta))


@honest("maps.softmax")
def maximum_first(r):
    def softmax(z, beta=1.0, where=True):
        return weights_of(r, scaled(r, z, beta, where))
    return softmax


@honest("maps.softmax")
def base_two(r):
    def softmax(z, beta=1.0):
        return powers_of_two(r, scaled(r, z, beta))
    return softmax


@honest("maps.softmax")
def through_logarithms(r):
    def softmax(z, beta=1.0):
        return log_domain(r, scaled(r, z, beta))
    return softmax


@honest("maps.softmax")
def running_maximum(r):
    """One pass for maximum and sum, one for the weights."""
    def softmax(z, beta=1.0):
        z = r.given(z)
        top = np.full((*z.shape[:-1], 1), -np.inf, z.dtype)
        total = r(np.zeros_like(top))
        for k in range(z.shape[-1]):
            new = np.maximum(top, z[..., k, None])
            shown = np.where(np.isfinite(new), new, 0)
            kept = r(total * r(np.exp(r(r(top - shown) * r(beta)))))
            total, top = r(kept + r(np.exp(r(r(z[..., k, None] - shown) * r(beta))))), new
        e = r(np.exp(r(r(z - np.where(np.isfinite(top), top, 0)) * r(beta))))
        return r(e / np.where(total > 0, total, 1))
    return softmax


@honest("maps.logsumexp")
def maximum_and_logarithm(r):
    def logsumexp(z, beta=1.0):
        z = r.given(z)
        top, total = np.max(z, axis=-1), r.add(r(np.exp(scaled(r, z, beta))))[..., 0]
        rest = r(r(np.log(np.where(total > 0, total, 1))) / r(beta))
        return r(np.where(np.isfinite(top), top, -np.inf) + rest)
    return logsumexp


@honest("maps.logsumexp")
def pairs_of_logaddexp(r):
    """Neighbours first: max + log1p(exp(-gap)), level by level."""
    def logsumexp(z, beta=1.0):
        z = r.given(z)
        top = np.max(z, axis=-1, keepdims=True)
        s = scaled(r, z, beta)
        while s.shape[-1] > 1:
            odd = s[..., s.shape[-1] - s.shape[-1] % 2:]
            a, b = s[..., :-1:2], s[..., 1::2]
            high = np.maximum(a, b)
            gap = np.where(np.isfinite(high), r(np.minimum(a, b) - high), -np.inf)
            s = np.concatenate([r(high + r(np.log1p(r(np.exp(gap))))), odd], axis=-1)
        top = np.where(np.isfinite(top), top, -np.inf)
        return r(top + np.where(np.isfinite(top), r(s / r(beta)), 0))[..., 0]
    return logsumexp


@honest("maps.entmax")
def bisection(r):
    """The interval of the threshold, [-1, 0], is halved until its bounds are neighbours.

    Above alpha = 2 an ulp of the threshold moves small weights by many of theirs.
    """
    def entmax(z, beta=1.0, alpha=1.5, where=True):
        if not 1 < alpha <= 2:
            raise NotOffered(f"alpha={alpha}")
        s = scaled(r, z, beta, where)
        t = np.maximum(r(s * r(alpha - 1)), -1)

        def weights(tau):
            return r(np.maximum(r(t - tau), 0) ** r(1 / r(alpha - 1)))
        p = np.where(np.isneginf(s), 0, weights(halved(r, t, weights)))
        total = r.add(p)
        return r(p / np.where(total > 0, total, 1))
    return entmax


def halved(r, t, terms, enough=1, high=0.0):
    """The threshold between -1 and ``high`` at which the sum of the terms is enough."""
    low, high = (r(np.full_like(t[..., :1], v)) for v in (-1.0, high))
    for _ in range(60):
        middle = r(r(low / 2) + r(high / 2))
        more = r.add(terms(middle)) >= enough
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return low


@honest("maps.normmax")
def bisection_of_the_norm(r):
    """The threshold at which (beta z - tau)_+^(gamma/(gamma - 1)) have the sum 1."""
    def normmax(z, beta=1.0, gamma=2.0, where=True):
        s, power = scaled(r, z, beta, where), r(1 / r(gamma - 1))
        t = np.maximum(s, -1)

        def above(tau):
            return np.maximum(r(t - tau), 0)

        def terms(tau):
            return r(above(tau) ** r(power + 1))
        p = np.where(np.isneginf(s), 0, r(above(halved(r, t, terms)) ** power))
        total = r.add(p)
        return r(p / np.where(total > 0, total, 1))
    return normmax


@honest("maps.k_subsets")
def bisection_of_clipped_scores(r):
    """The k-th largest score is subtracted, from which the threshold is at most 1 away."""
    def k_subsets(z, *, k, beta=1.0, where=True):
        z = np.where(where, r.given(z), -np.inf).astype(r.given(z).dtype)
        lowest = np.min(np.where(np.isneginf(z), np.inf, z), axis=-1, keepdims=True)
        kth = np.maximum(np.sort(z, axis=-1)[..., z.shape[-1] - k, None], lowest)
        s = np.clip(r(r(z - np.where(np.isfinite(kth), kth, 0)) * r(beta)), -2, 2)

        def chosen(tau):
            return np.where(np.isneginf(z), 0, np.clip(r(s - tau), 0, 1)).astype(s.dtype)
        return chosen(halved(r, s, chosen, k, 1.0))
    return k_subsets


@honest("maps.sparsemax")
def sorted_scores(r):
    """The threshold from the cumulative sums of sorted scores, with the maximum subtracted."""
    def sparsemax(z, beta=1.0, where=True):
        s = scaled(r, z, beta, where)
        ordered = np.sort(s, axis=-1)[..., ::-1]
        total, at = r(np.zeros_like(s[..., :1])), np.full((*s.shape[:-1], 1), np.inf, s.dtype)
        for k in range(s.shape[-1]):
            inside = r(1 + r((k + 1) * ordered[..., k, None])) > r(total + ordered[..., k, None])
            total = np.where(inside, r(total + ordered[..., k, None]), total)
            at = np.where(inside, r(r(total - 1) / (k + 1)), at)
        return np.maximum(r(s - at), 0)
    return sparsemax


@honest("maps.sparsemax")
def shrinking_support(r):
    """Michelot's iteration: the threshold of the support, until no entry leaves it.

    A score that is 1 below the largest has no weight; lower ones could overflow in a sum.
    """
    def sparsemax(z, beta=1.0, where=True):
        s = np.maximum(scaled(r, z, beta, where), -1)
        seen = s > -1
        for _ in range(s.shape[-1]):
            size = np.sum(seen, axis=-1, keepdims=True)
            tau = r(r(r.add(np.where(seen, s, 0).astype(s.dtype)) - 1) / np.maximum(size, 1))
            if not np.any(seen & (s <= tau)):
                break
            seen = seen & (s > tau)
        return np.where(seen, np.maximum(r(s - tau), 0), 0)
    return sparsemax


@honest("maps.top_k")
def best_of_a_stable_sort(r):
    def top_k(z, *, k, beta=1.0, where=True):
        s = scaled(r, z, beta, where)
        order = np.argsort(-np.where(where, z, -np.inf), axis=-1, kind="stable")
        rank = np.argsort(order, axis=-1, kind="stable")
        return weights_of(r, np.where(rank < k, s, -np.inf).astype(s.dtype))
    return top_k


@honest("layers.layer_norm")
def two_passes(r):
    def layer_norm(x, gain=1.0, shift=0.0, eps=1e-5):
        x, size = r.given(x), np.shape(x)[-1]
        away = r(x - r(r.add(x) / size))
        deviation = r(np.sqrt(r(r(r.add(r(away * away)) / size) + r(eps))))
        return r(r(r(away / deviation) * r.given(gain)) + r.given(shift))
    return layer_norm


@honest("layers.layer_norm")
def reciprocal_root(r):
    def layer_norm(x, gain=1.0, shift=0.0, eps=1e-5):
        x, size = r.given(x), np.shape(x)[-1]
        away = r(x - r(r.add(x) * r(1 / size)))
        factor = r(1 / r(np.sqrt(r(r(r.add(r(away * away)) * r(1 / size)) + r(eps)))))
        return r(r(away * r(r.given(gain) * factor)) + r.given(shift))
    return layer_norm


@honest("structured.top_k_update")
def hidden_behind_the_kth(r):
    def top_k_update(xi, X, *, k, beta=1.0):
        X = r.given(X)
        s = r(r.mul(on_rows(r, xi), X.T) * r(beta))
        rank = np.argsort(np.argsort(-s, axis=-1, kind="stable"), axis=-1, kind="stable")
        return r.mul(weights_of(r, np.where(rank < k, s, -np.inf)), X)[..., 0, :]
    return top_k_update
