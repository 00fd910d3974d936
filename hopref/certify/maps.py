"""Separation maps, their potentials and losses, in ball arithmetic.

References: Martins & Astudillo 2016; Peters, Niculae & Martins 2019; Niculae et al. 2018; Blondel,
Martins & Niculae 2020.
"""
import math

import numpy as np

from hopref.certify.balls import (
    answer_of,
    clipped_below,
    dot,
    exceeds,
    exp,
    greatest,
    known,
    largest_indices,
    log,
    over_rows,
    power,
    ratio,
    shown,
    total,
    vanishes,
)
from hopref.certify.derivatives import detached
from hopref.certify.thresholds import threshold

__all__ = ["softmax", "sink_softmax", "logsumexp", "sparsemax", "entmax", "entmax_threshold",
           "normmax", "k_subsets", "top_k", "tsallis", "norm", "half_square", "entmax_conjugate",
           "normmax_conjugate", "k_subsets_conjugate", "entmax_loss", "normmax_loss",
           "k_subsets_loss"]


def softmax(z, *, beta=1, bias=0, where=True, empty_row="zeros"):
    e = exponentials(z, beta, bias, where)
    return ratio(e, total(e), empty_row)


def sink_softmax(z, sink, *, beta=1, bias=0, where=True):
    e = exponentials(z, beta, bias, where)
    return e / (total(e) + np.asarray(exp(sink), object)[..., None])


def exponentials(z, beta, bias=0, where=True):
    """e^(beta z + bias), 0 where hidden."""
    return np.where(shown(z) & shown(bias) & where, exp(beta * known(z) + known(bias)), 0)


def logsumexp(z, *, beta=1):
    sums = total(exponentials(z, beta))[..., 0]
    return np.frompyfunc(lambda s: -math.inf if vanishes(s) else s.log() / beta, 1, 1)(sums)


# ---- sparse maps --------------------------------------------------------------------------------

def sparsemax(z, *, beta=1, where=True, empty_row="zeros"):
    return entmax(z, beta=beta, alpha=2, where=where, empty_row=empty_row)


def entmax(z, *, beta=1, alpha, where=True, empty_row="zeros"):
    if detached(alpha) == 1:
        p = softmax(z, beta=beta, where=where, empty_row=empty_row)
        return p if detached(alpha) is alpha else p + (alpha - 1) * slope_at_one(p)
    solve = (lambda row: projected(row)) if detached(alpha) == 2 and detached(alpha) is alpha \
        else (lambda row: by_powers([(alpha - 1) * v for v in row], 1 / (alpha - 1)))
    return sparse(solve, z, beta, where, empty_row)


def slope_at_one(p):
    """The derivative of entmax by alpha at alpha = 1: -p (log(p)^2 - its mean)/2."""
    p = np.frompyfunc(detached, 1, 1)(p)
    squares = np.frompyfunc(lambda v: 0 if vanishes(v) else v.log() * v.log(), 1, 1)(p)
    return p * (total(p * squares) - squares) / 2


def sparse(solve, z, beta, where, empty_row):
    """A map of beta z over the entries that are shown; ``solve`` maps a list to a list."""
    def row(values, visible):
        at = [i for i, v in enumerate(values) if not isinstance(v, float) and visible[i]]
        if not at:
            return [answer_of(empty_row)] * len(values)
        weights = dict(zip(at, solve([beta * values[i] for i in at]), strict=True))
        return [weights.get(i, 0) for i in range(len(values))]
    return over_rows(row, z, np.broadcast_to(where, np.shape(z)))


def projected(z):
    """The projection onto the simplex: z_i - tau for the largest z with 1 + r z_(r) > sum."""
    order = largest_indices(z, len(z))
    support, above = 0, 0
    for r, i in enumerate(order, 1):
        if not exceeds(1 + r * z[i], above + z[i]):
            break
        support, above = r, above + z[i]
    inside = set(order[:support])
    return [(1 + support * v - above) / support if i in inside else 0 for i, v in enumerate(z)]


def by_powers(z, q):
    """[z - tau]_+^q with sum 1."""
    tau = threshold_of_powers(z, q)
    return [power(clipped_below(v - tau), q) for v in z]


def threshold_of_powers(z, q):
    """The tau of `by_powers`."""
    top = greatest([detached(v) for v in z])
    return threshold(z, lambda t: power(clipped_below(t), q), lambda t: slope_of_power(t, q), 1,
                     top - 1, top)


def entmax_threshold(z, *, beta=1, alpha, where=True):
    def row(values, visible):
        at = [(alpha - 1) * beta * v for v, shows in zip(values, visible, strict=True)
              if shows and not isinstance(v, float)]
        return threshold_of_powers(at, 1 / (alpha - 1)) if at else -math.inf
    return over_rows(row, z, np.broadcast_to(where, np.shape(z)), count=0)


def slope_of_power(t, q):
    return detached(q) * power(t, detached(q) - 1) if exceeds(t, 0) else 0


def normmax(z, *, beta=1, gamma, where=True, empty_row="zeros"):
    s = 1 / (gamma - 1)

    def solve(row):
        top = greatest([detached(v) for v in row])
        tau = threshold(row, lambda t: power(clipped_below(t), s + 1),
                        lambda t: slope_of_power(t, s + 1), 1, top - 1, top)
        heights = [power(clipped_below(v - tau), s) for v in row]
        return [h / sum(heights, start=0) for h in heights]
    return sparse(solve, z, beta, where, empty_row)


def k_subsets(z, *, k, beta=1, where=True, empty_row="zeros"):
    return sparse(lambda row: clipped(row, k), z, beta, where, empty_row)


def clipped(z, k):
    """clip(z - tau, 0, 1) with sum k."""
    if len(z) <= k:
        return [1] * len(z)
    values = [detached(v) for v in z]
    order = largest_indices(values, len(z))
    if not exceeds(1, values[order[k - 1]] - values[order[k]]):
        return [int(i in order[:k]) for i in range(len(z))]
    tau = threshold(z, within_one, slope_within_one, k, values[order[k]] - 1, values[order[k - 1]])
    return [within_one(v - tau) for v in z]


def within_one(t):
    """min(max(t, 0), 1)."""
    return 1 - clipped_below(1 - clipped_below(t))


def slope_within_one(t):
    return int(exceeds(t, 0) and exceeds(1, t))


def top_k(z, *, k, beta=1, where=True, empty_row="zeros"):
    z = np.where(where, z, -math.inf)
    return softmax(z, beta=beta, where=among_largest(z, k), empty_row=empty_row)


def among_largest(z, k):
    """True for the k largest entries of each row, of equal ones the first."""
    return over_rows(lambda row: [i in largest_indices(row, k) for i in range(len(row))],
                     z).astype(bool)


# ---- potentials ---------------------------------------------------------------------------------

def tsallis(p, *, alpha):
    """(sum p^alpha - sum p)/(alpha (alpha - 1)); sum p log p at alpha = 1."""
    if detached(alpha) == 1:
        value = dot(each_positive(p, lambda v: v * v.log()), 1)
        return value if detached(alpha) is alpha else value - (alpha - 1) * omega_slope(p)
    return dot(each_positive(p, lambda v: power(v, alpha)) - p, 1) / (alpha * (alpha - 1))


def each_positive(p, function):
    return np.frompyfunc(lambda v: 0 if vanishes(v) else function(v), 1, 1)(p)


def norm(p, *, gamma):
    sums = total(each_positive(p, lambda v: power(v, gamma)))[..., 0]
    return np.frompyfunc(lambda s: 0 if vanishes(s) else power(s, 1 / gamma), 1, 1)(sums) - 1


def half_square(p):
    return dot(p, p) / 2


def constant(function, z, **options):
    """A map as a constant: by the envelope theorem it is one in the derivatives of a conjugate."""
    z = np.frompyfunc(detached, 1, 1)(z)
    return function(z, **{k: detached(v) for k, v in options.items()})


def entmax_conjugate(z, *, beta=1, alpha):
    if detached(alpha) == 1:
        value = logsumexp(z, beta=beta)
        return value if detached(alpha) is alpha else \
            value + (alpha - 1) * omega_slope(softmax(z, beta=beta)) / detached(beta)
    p = constant(entmax, z, beta=beta, alpha=alpha)
    return dot(p, z) - tsallis(p, alpha=alpha) / beta


def omega_slope(p):
    """Minus the derivative of `tsallis` by alpha at alpha = 1: sum p (log p - log(p)^2/2)."""
    p = np.frompyfunc(detached, 1, 1)(p)
    return total(each_positive(p, lambda v: v * (log(v) - log(v) * log(v) / 2)))[..., 0]


def normmax_conjugate(z, *, beta=1, gamma):
    p = constant(normmax, z, beta=beta, gamma=gamma)
    return dot(p, z) - norm(p, gamma=gamma) / beta


def k_subsets_conjugate(z, *, k, beta=1):
    mu = constant(k_subsets, z, k=k, beta=beta)
    return dot(mu, z) - half_square(mu) / beta


def among_visible(loss):
    """The loss of the classes that are shown, as if there were no others; 0 without any."""
    def of_rows(z, p, *, where=True, **options):
        lead, result = z.shape[:-1], np.empty(z.shape[:-1], object)
        seen = np.broadcast_to(where, z.shape)
        for at in np.ndindex(lead):
            here = seen[at]
            result[at] = loss(z[at][here], p[at][here], **options) if here.any() else 0
        return result[()]
    return of_rows


@among_visible
def entmax_loss(z, p, *, alpha):
    return tsallis(p, alpha=alpha) + entmax_conjugate(z, alpha=alpha) - dot(z, p)


@among_visible
def normmax_loss(z, p, *, gamma):
    return norm(p, gamma=gamma) + normmax_conjugate(z, gamma=gamma) - dot(z, p)


@among_visible
def k_subsets_loss(z, p, *, k):
    k = min(k, len(z))
    return half_square(p) + k_subsets_conjugate(z, k=k) - dot(z, p)
