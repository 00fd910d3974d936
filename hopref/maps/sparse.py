r"""Sparse separation maps along the last axis: answers with exact zeros.

Each map is the regularised argmax of the scores, :math:`\hat y_\Omega(z) = \arg\max_p\; p^T z -
\Omega(p)` over the simplex (k-subsets: over the hypersimplex); softmax is the one of the Shannon
entropy.  ``beta`` multiplies the scores: the map of beta z, not beta times the map.  A score of
-inf, or False in ``where``, hides an entry.  The potentials stand in `hopref.maps.potentials`.

The threshold tau is found by its support.  Every score but the largest is a place where an entry
would leave; the sum over the others there tells, by halving, the last entry that stays, the edge.
All else is measured from the edge upwards, so that no difference cancels, and Newton's method, on
a convex function from above, has a fixed number of steps: no value is looked at, on any device.

References: Martins & Astudillo 2016 (sparsemax); Peters, Niculae & Martins 2019 (entmax); Blondel,
Martins & Niculae 2020 (Fenchel-Young losses); Santos, Niculae, McNamee & Martins 2024 (Hopfield-
Fenchel-Young networks).
"""
import math

from hopref.demands import k_of_n
from hopref.domains import Scalar, count, mask, positive, scores
from hopref.maps.entries import ratio
from hopref.maps.scales import finite_or_zero
from hopref.maps.soft import empty_rows, softmax, something_visible
from hopref.namespace import namespace
from hopref.op import op

__all__ = ["sparsemax", "entmax", "normmax", "k_subsets", "top_k"]

inf = math.inf
at_least_one = Scalar("a finite number >= 1", lambda v: 1 <= v < inf)
above_one = Scalar("a finite number > 1", lambda v: 1 < v < inf)
NEWTON = 30     # steps: the sum falls by e each until it is near 1, then its excess is squared


def k_of_the_visible(xp, given):
    """There are k entries, and with empty_row="raise" every row sees one."""
    return k_of_n(xp, given) or something_visible(xp, given)


@op("(...,n)->(...,n)", z=scores(), beta=positive, where=mask("(...,n)"), empty_row=empty_rows,
    demands=something_visible)
def sparsemax(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    r"""The point of the simplex nearest to the scores.

    Source: Martins & Astudillo 2016 [FY-1].

    .. math:: p = \arg\min_{p \in \Delta} \|p - \beta z\|^2 = [\beta z - \tau]_+, \quad
        \textstyle\sum_i p_i = 1

    >>> from hopref.maps import sparsemax
    >>> sparsemax([0.5, 0.0, -1.0])
    array([0.75, 0.25, 0.  ])
    """
    return entmax(z, beta=beta, alpha=2.0, where=where, empty_row=empty_row)


@op("(...,n)->(...,n)", z=scores(), beta=positive, alpha=at_least_one, where=mask("(...,n)"),
    empty_row=empty_rows, demands=something_visible)
def entmax(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    r"""The argmax regularised by Tsallis' entropy: softmax (alpha = 1) to sparsemax (2) and beyond.

    Source: Peters, Niculae & Martins 2019 [FY-1].

    .. math:: p = \arg\max_{p \in \Delta} \beta p^T z - \frac{\sum_i p_i^\alpha - 1}
        {\alpha (\alpha - 1)} = [(\alpha - 1) \beta z - \tau]_+^{1 / (\alpha - 1)}

    Parameters
    ----------
    z : (..., n) scores, finite or -inf
    beta : inverse temperature, > 0
    alpha : >= 1; the largest score gets everything from a lead of 1/((alpha - 1) beta) on
    where : (..., n) bool, True where an entry takes part
    empty_row : a row in which nothing takes part is "zeros", "nan", or refused ("raise")

    Notes
    -----
    Closed forms at alpha = 1, 1.5 and 2, Newton's method elsewhere.  Cost O(n log n).  Beyond
    alpha = 2 an entry at the edge of the support is as right as the sum of the others, to a few
    ulp of 1 and not of itself.

    >>> from hopref.maps import entmax
    >>> entmax([2.0, 0.0])
    array([1., 0.])
    >>> entmax([0.0, 0.0, float("-inf")], alpha=3.0)
    array([0.5, 0.5, 0. ])
    """
    if alpha == 1:
        return softmax(z, beta=beta, where=where, empty_row=empty_row)
    z, q = seen(z, where), 1 / (alpha - 1)

    def scaled(gap):
        return (alpha - 1) * (beta * gap)
    if alpha > 2:
        return answered(z, shares(steep(*support(z, scaled, q), q)), empty_row)
    return answered(z, shares(relative(*heights(z, scaled, q), q)), empty_row)


@op("(...,n)->(...,n)", z=scores(), beta=positive, gamma=above_one, where=mask("(...,n)"),
    empty_row=empty_rows, demands=something_visible)
def normmax(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    r"""The argmax regularised by a norm: near a face its entries are alike.

    Source: Blondel, Martins & Niculae 2020; Santos et al. 2024 [FY-1].

    .. math:: p = \arg\max_{p \in \Delta} \beta p^T z - \|p\|_\gamma \propto
        [\beta z - \tau]_+^{1 / (\gamma - 1)}, \quad
        \textstyle\sum_i [\beta z_i - \tau]_+^{\gamma / (\gamma - 1)} = 1

    Notes
    -----
    Closed form at gamma = 2.  Beyond it, an entry at the edge of the support has the root
    1/(gamma - 1) of a rounding error.

    >>> from hopref.maps import normmax
    >>> normmax([1.0, 0.0])
    array([1., 0.])
    >>> normmax([0.2, 0.0]).round(3)         # thresholds 0.8 and 0.6 of a 3-4-5 triangle
    array([0.571, 0.429])
    """
    z = seen(z, where)
    t, below = heights(z, lambda gap: beta * gap, gamma / (gamma - 1))
    return answered(z, shares(relative(t, below, 1 / (gamma - 1))), empty_row)


@op("(...,n)->(...,n)", z=scores(), beta=positive, k=count, where=mask("(...,n)"),
    empty_row=empty_rows, demands=k_of_the_visible)
def k_subsets(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    r"""The mean of indicators of k entries that is nearest to the scores (SparseMAP).

    Source: Niculae et al. 2018; Santos et al. 2024 [FY-1].

    .. math:: \mu = \arg\min_{0 \le \mu \le 1,\, \sum_i \mu_i = k} \|\mu - \beta z\|^2
        = \mathrm{clip}(\beta z - \tau, 0, 1)

    A row in which no more than k entries take part gives each of them 1.

    >>> from hopref.maps import k_subsets
    >>> k_subsets([2.0, 1.5, 1.0, -3.0], k=2)
    array([1.  , 0.75, 0.25, 0.  ])
    """
    xp, z = namespace(z), seen(z, where)
    u = xp.clip(beta * (z - pivot(z, k)), -1.0, 1.0)
    places = xp.sort(xp.clip(xp.concat([u, u - 1], axis=-1), -1.0, 0.0), axis=-1)

    def over(b):
        return total(xp.clip(u - b, 0.0, 1.0)) - k
    low, high = last(places, lambda b: over(b) >= 0)
    between = (u > low) & (u - 1 < high)
    many = total(xp.astype(between, u.dtype))
    tau = low + ratio(xp.maximum(over(low), 0.0), many, 0.0)
    return answered(z, xp.clip(u - tau, 0.0, 1.0), empty_row)


@op("(...,n)->(...,n)", z=scores(), beta=positive, k=count, where=mask("(...,n)"),
    empty_row=empty_rows, demands=k_of_the_visible)
def top_k(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    r"""Softmax of the k largest scores; of equal scores those of lowest index.

    Source: Hu et al. 2024, top-K memories [NP-3].

    .. math:: p = \arg\max_{p \in \Delta,\, \|p\|_0 \le k}
        \beta p^T z - \textstyle\sum_i p_i \ln p_i

    A row in which fewer than k entries take part is their softmax.

    >>> from hopref.maps import top_k
    >>> top_k([0.0, 1.0, 1.0, 1.0], k=2)
    array([0. , 0.5, 0.5, 0. ])
    """
    z = seen(z, where)
    return softmax(z, beta=beta, where=among_largest(z, k), empty_row=empty_row)


def among_largest(z, k):
    """Who is among the k largest; of equals those of lowest index; who is NaN is among them."""
    xp, kth = namespace(z), kth_largest(z, k)
    better, equal = (z > kth) | (z != z), z == kth
    room = k - total(xp.astype(better, xp.int64))
    return better | (equal & (xp.cumulative_sum(xp.astype(equal, xp.int64), axis=-1) <= room))


def seen(z, where):
    """Scores, -inf where hidden."""
    return z if where is True else namespace(z).where(where, z, -inf)


def support(z, scaled, q):
    """Who stays, and the heights ``e = scaled(z - edge)`` above the lowest score that does.

    A score b stays if the entries above it, measured from b, do not yet make a whole:
    ``sum scaled(z - b)_+^q < 1``.  ``scaled`` multiplies a gap between scores.
    """
    xp = namespace(z)

    def stays(b):
        above = (z > b) & (b > -inf)
        t = scaled(xp.where(above, z - finite_or_zero(b), 0.0))
        return (b > -inf) & (total(power(t, q)) < 1)
    falling = xp.flip(xp.sort(z, axis=-1), axis=-1)
    edge = finite_or_zero(last(falling, stays)[0])
    inside = z >= edge
    return inside, scaled(xp.where(inside, z - edge, 0.0))


def heights(z, scaled, q):
    """``t = scaled(z - tau)_+`` with ``sum t^q = 1`` for q >= 1, and ``1 - t / max t``."""
    xp = namespace(z)
    inside, e = support(z, scaled, q)
    t = xp.where(inside, e + rise(inside, e, q), 0.0)
    top = xp.max(z, axis=-1, keepdims=True)
    depth = scaled(xp.where(inside, finite_or_zero(top) - z, 0.0))
    return t, xp.where(inside, ratio(depth, xp.max(t, axis=-1, keepdims=True), 1.0), 1.0)


def rise(inside, e, q):
    """How far the edge lies above tau: the root r of ``sum (e + r)^q = 1`` over the support."""
    xp = namespace(e)
    many, first = total(xp.astype(inside, e.dtype)), total(e)
    if q == 1:
        return xp.maximum(ratio(1 - first, many, 0.0), 0.0)
    if q == 2:
        lack = xp.maximum(1 - total(e * e), 0.0)
        return ratio(lack, first + xp.sqrt(first * first + many * lack), 0.0)
    r = 1 - xp.max(e, axis=-1, keepdims=True)       # the largest height is at most 1
    for _ in range(NEWTON):
        t = xp.where(inside, e + r, 0.0)
        p = power(t, q)
        r = xp.maximum(r - ratio(total(p) - 1, q * total(ratio(p, t, 0.0)), 0.0), 0.0)
    return r


def steep(inside, e, q):
    """``p = (e + r)^q`` of sum 1 for q < 1, by the edge's own value ``v = r^q``.

    In r the sum has an infinite slope at 0; in v it is convex and its slope is at least 1.
    """
    xp = namespace(e)
    edges = total(xp.astype(inside & (e == 0), e.dtype))

    def of(v):
        r = power(v, 1 / q)
        near = v * power(1 + ratio(xp.minimum(e, r), r, 0.0), q)
        return xp.where(inside, xp.where(e <= r, near, power(e + r, q)), 0.0)
    v = ratio(xp.maximum(1 - total(power(e, q)), 0.0), edges, 0.0)
    for _ in range(NEWTON):
        p = of(v)
        slope = total(power(ratio(v, p, 0.0), 1 / q - 1))
        v = xp.maximum(v - ratio(total(p) - 1, slope, 0.0), 0.0)
    return of(v)


def relative(t, below, q):
    """``(t / max t)^q`` up to a factor of the row; for large q from ``below = 1 - t / max t``."""
    if q <= 2:
        return power(t, q)
    xp = namespace(t)
    near = below < 0.5
    whole = ratio(t, xp.max(t, axis=-1, keepdims=True), 0.0)
    return xp.where(near, xp.exp(q * xp.log1p(-xp.where(near, below, 0.0))), power(whole, q))


def power(t, q):
    """``t^q`` for t >= 0: the same bits in every namespace where q is 1 or 2."""
    return t if q == 1 else t * t if q == 2 else namespace(t).pow(t, q)


def total(a):
    return namespace(a).sum(a, axis=-1, keepdims=True)


def shares(p):
    return ratio(p, total(p), 0.0)


def answered(z, p, empty_row):
    """The map p of the scores z; ``empty_row`` where nothing is seen, NaN where a NaN is."""
    xp = namespace(z)
    top = xp.max(z, axis=-1, keepdims=True)
    return xp.where(top > -inf, p, xp.where(top == -inf, empty_row, top))


def last(places, holds):
    """The last place that holds, where all before it do, and the place after it; by halving."""
    xp, n = namespace(places), places.shape[-1]
    low = xp.zeros((*places.shape[:-1], 1), dtype=xp.int64)
    high = low + n
    for _ in range(n.bit_length()):
        middle = (low + high) // 2
        yes = holds(xp.take_along_axis(places, middle, axis=-1))
        low, high = xp.where(yes, middle, low), xp.where(yes, high, middle)
    after = xp.where(low + 1 < n, low + 1, low)
    return (xp.take_along_axis(places, low, axis=-1),
            xp.take_along_axis(places, after, axis=-1))


def kth_largest(z, k):
    xp = namespace(z)
    return xp.sort(z, axis=-1)[..., z.shape[-1] - k][..., None]


def pivot(z, k):
    """The k-th largest score; the smallest that is seen where fewer are, 0 where none is."""
    xp, kth = namespace(z), kth_largest(z, k)
    least = xp.min(xp.where(z > -inf, z, inf), axis=-1, keepdims=True)
    return xp.where(kth > -inf, kth, xp.where(least < inf, least, 0.0))
