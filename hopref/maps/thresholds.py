r"""Thresholds tau of sparse maps, computed from their supports.

The support is determined by bisection in the sorted scores: a score is in the support if the
entries above it, measured from it, sum to less than the total.  The lowest score of the support is
called the edge.  All other quantities are measured upwards from the edge, which avoids
cancellation.  The numbers of bisections, and of Newton steps on a convex function, are fixed, so
that no values are read from a device; in host memory, steps that would change nothing are left out.

Scores enter as differences times ``factors`` (beta, alpha - 1).  Bisections and Newton steps begin
with rounded heights and powers.  Where a sum determines the support, or an entry is a root of its
height or a remainder of the total, both are pairs of double-double arithmetic and the sum is
rounded once.
"""
import math
from functools import partial

from hopref.dispatch.namespace import namespace, on_host
from hopref.maps import double_double
from hopref.maps.double_double import added, left, plus, product, scaled_by, total
from hopref.maps.entries import finite_or_zero, ratio

inf = math.inf
NEWTON = 30         # steps: each divides the sum by e until it is near 1, then squares its excess
FINE = 3            # further steps, with powers in pairs
SURE = 2.0**8       # ulp: a bound on the error of a sum of rounded powers near 1, for q <= 32
HALVINGS = 8        # bisections with powers in pairs, of the scores that rounded powers leave open
AT_ONCE = 2.0**13   # numbers, up to which a predicate is evaluated at all scores of a row at once
CONVERGED = 2.0**-33  # relative change of a Newton step whose square is below every rounding
MOOT = 1.25         # a height whose power alone exceeds the total


def above(z, b, factors):
    """The pair ``factors (z - b)``, clipped to the interval from 0 to `MOOT`."""
    xp, plain = namespace(z), scaled(gap_above(z, b), factors)
    near = (plain > 0) & (plain < MOOT)
    t = plus(xp.where(near, z, 0.0), -xp.where(near, b, 0.0))
    for c in factors:
        t = scaled_by(t, c)
    return xp.where(plain < MOOT, t[0], MOOT), t[1]


def gap_above(z, b):
    """z - b, and 0 where it is negative or b is -inf."""
    xp = namespace(z)
    return xp.where((z > b) & (b > -inf), z - finite_or_zero(b), 0.0)


def scaled(gap, factors):
    """A difference of scores times all factors."""
    for c in factors:
        gap = c * gap
    return gap


def rounded_above(z, b, factors, q):
    """``factors (z - b)`` in the interval from 0 to `MOOT`, as `rough` numbers."""
    return namespace(z).minimum(scaled(rough(gap_above(z, b), q), factors), MOOT)


def rough(x, q):
    """Numbers whose powers q are to be rounded: float64 in host memory, if tiny powers are moot."""
    xp = namespace(x)
    return xp.astype(x, xp.float64, copy=False) if on_host(x) and q[0] >= 1 else x


# -- entries [t]_+^q of sum 1 -------------------------------------------------------------------

def support(z, factors, q):
    """Mask of the support, and the heights e above its lowest score, as a pair.

    A score b is in the support if ``sum (factors (z - b))_+^q < 1``.
    """
    xp = namespace(z)
    falling, low, high = sorted_scores(z)
    sure = SURE * max(1.0, q[0] / 32) * float(xp.finfo(rough(z, q).dtype).eps)

    def remainder(b, z=z):
        return xp.where(b > -inf, left(1.0, *powers(above(z, b, factors), q)), -inf)

    def rounded(b, z=z):
        t = rounded_above(z, b, factors, q)
        return xp.where(b > -inf, left(1.0, rounded_power(t, q)), -inf)
    if few(z):
        low = among_few(z, falling, remainder, rounded, sure)
    else:
        if on_host(z) or not closed(q):
            high = bisected(falling, low, high, lambda b: rounded(b) > -sure) + 1
            low = bisected(falling, low, high, lambda b: rounded(b) > sure)
        steps = inf if on_host(z) or closed(q) else HALVINGS
        low = bisected(falling, low, high, lambda b: remainder(b) > 0, steps)
    edge = finite_or_zero(xp.take_along_axis(falling, low, axis=-1))
    inside = z >= edge
    return inside, above(z, edge, factors)


def few(z):
    """Whether all scores of a row are compared with each other, in host memory."""
    return on_host(z) and z.size * z.shape[-1] <= AT_ONCE


def among_few(z, falling, remainder, rounded, sure):
    """The index of the lowest score with a positive remainder, from those of all scores."""
    xp = namespace(z)
    rest = rounded(falling[..., None], z[..., None, :])
    if bool(xp.any(xp.abs(rest) <= sure)):
        rest = xp.where(xp.abs(rest) <= sure, remainder(falling[..., None], z[..., None, :]), rest)
    inside = xp.sum(xp.astype(rest[..., 0] > 0, xp.int64), axis=-1, keepdims=True)
    return xp.maximum(inside - 1, 0)


def closed(q):
    """Whether the threshold has a closed form for this exponent."""
    return q in ((1.0, 0.0), (2.0, 0.0))


def powers(t, q):
    """Numbers whose sum is the power q of the pair t, for a pair q."""
    if q == (1.0, 0.0):
        return t
    if q == (2.0, 0.0):
        h, l = product(t[0], t[0])
        return h, l, 2 * t[0] * t[1]
    p, more = double_double.power(t, q)
    return namespace(p).minimum(p, 2.0), more


def rounded_power(t, q):
    """The library's power, truncated to at most 2."""
    return namespace(t).minimum(power(t, q[0]), 2.0)


def heights(z, factors, q):
    """``t = factors (z - tau)_+`` with ``sum t^q = 1`` for q >= 1, and ``1 - t / max t``."""
    xp = namespace(z)
    inside, e = support(z, factors, q)
    t = xp.where(inside, e[0] + height_of_edge(inside, e, q), 0.0)
    top = xp.max(z, axis=-1, keepdims=True)
    depth = scaled(finite_or_zero(top) - z, factors)
    return t, depth / xp.max(t, axis=-1, keepdims=True)


def height_of_edge(inside, e, q):
    """Height of the edge above tau, the root r of ``sum (e + r)^q = 1`` over the support."""
    xp = namespace(e[0])
    many, first = total(xp.astype(inside, e[0].dtype)), total(e[0])
    if closed(q):
        lack = xp.maximum(left(1.0, *powers(e, q)), 0.0)
        slope = first + xp.sqrt(first * first + many * lack) if q[0] == 2 else many
        return lack / slope
    r = 1 - xp.max(e[0], axis=-1, keepdims=True)       # the largest height is at most 1
    near = rough(e[0], q)

    def newton(r, t, p):
        slope = q[0] * total(ratio(p[0], t, 0.0))
        return xp.maximum(r + ratio(left(1.0, *p), slope, 0.0), 0.0)

    def rounded_step(r):
        t = xp.where(inside, near + r, 0.0)
        return newton(r, t, [rounded_power(t, q)])

    def paired_step(r):
        t = [xp.where(inside, part, 0.0) for part in added(e, (r, 0.0))]
        return newton(r, t[0], powers(t, q))
    r = iterated(rounded_step, rough(r, q), q, NEWTON)
    return iterated(paired_step, xp.astype(r, e[0].dtype), q, FINE)


def iterated(step, r, q, times):
    """The root that Newton steps reach from r.

    The relative change by the next step is at most max(q, 1/q) times the square of the last.
    """
    near = CONVERGED / max(q[0], 1 / q[0])
    for _ in range(times):
        before, r = r, step(r)
        if on_host(r) and bool(namespace(r).all(namespace(r).abs(r - before) <= near * r)):
            break
    return r


def powers_by_edge(z, factors, q):
    """``(factors (z - tau))_+^q`` of sum 1 for q < 1, by the value ``v = r^q`` at the edge.

    As a function of r the sum has an infinite slope at 0; as a function of v it is convex, and its
    slope is at least 1.
    """
    xp = namespace(z)
    inside, e = support(z, factors, q)
    edges = total(xp.astype(inside & (e[0] == 0), z.dtype))

    def entries(v, paired=False):
        r = xp.pow(v, 1 / q[0])
        p = powers(added(e, (r, 0.0)), q) if paired else [rounded_power(e[0] + r, q)]
        tiny = xp.where(r < double_double.tiny(r), r, 0.0)
        near = e[0] <= (tiny if paired else r)
        close = v * xp.pow(1 + ratio(e[0], r, 0.0), q[0])
        p = [xp.where(near, close, p[0]), *(xp.where(near, 0.0, more) for more in p[1:])]
        return [xp.where(inside, part, 0.0) for part in p]
    v = ratio(xp.maximum(left(1.0, rounded_power(e[0], q)), 0.0), edges, 0.0)

    def step(v, paired=False):
        p = entries(v, paired)
        slope = total(xp.where(inside, xp.pow(ratio(v, p[0], 1.0), 1 / q[0] - 1), 0.0))
        return xp.maximum(v + ratio(left(1.0, *p), slope, 0.0), 0.0)
    v = iterated(step, v, q, NEWTON)
    return entries(iterated(partial(step, paired=True), v, q, FINE))[0]


def relative(t, below, q):
    """``(t / max t)^q`` up to a factor per row; for large q from ``below = 1 - t / max t``."""
    if q <= 2:
        return power(t, q)
    xp = namespace(t)
    whole = t / xp.max(t, axis=-1, keepdims=True)
    return xp.where(below < 0.5, xp.exp(q * xp.log1p(-below)), power(whole, q))


def power(t, q):
    """``t^q`` for t >= 0, bitwise the same in every namespace if q is 1 or 2."""
    return t if q == 1 else t * t if q == 2 else namespace(t).pow(t, q)


def normalised(p):
    """Numbers p in [0, 1] divided by the sum of their row."""
    return p / -left(0.0, p)


# -- entries between 0 and 1 of sum k -----------------------------------------------------------

def clipped(z, k, beta):
    """``clip(beta z - tau, 0, 1)`` of sum k; in rows with at most k visible entries these are 1.

    Entries are positive down to the edge, and they are 1 down to a second score.
    """
    xp, factors = namespace(z), (beta,)
    falling, low, high = sorted_scores(z)

    def stays(b):
        t, whole = split_at_one(above(z, b, factors))
        return (b > -inf) & (left(k - total(xp.astype(whole, z.dtype)), *t) > 0)

    def is_one(b):
        """Whether the sum is at most k for tau = beta b - 1."""
        t, whole = split_at_one(above(-z, -finite_or_zero(b), factors))
        rest = total(xp.astype(~whole, z.dtype))
        return (b > -inf) & (left(k - rest, *(-part for part in t)) >= 0)
    edge = finite_or_zero(xp.take_along_axis(falling, bisected(falling, low, high, stays), axis=-1))
    last = xp.take_along_axis(falling, bisected(falling, low, high, is_one), axis=-1)
    ones = (z >= last) & is_one(last)
    some = (z >= edge) & ~ones
    e = [xp.where(some, part, 0.0) for part in above(z, edge, factors)]
    ones, many = (xp.astype(mask, z.dtype) for mask in (ones, some))
    r = ratio(left(k - total(ones), *e), total(many), 0.0)
    return xp.minimum(ones + many * (e[0] + r), 1.0)


def split_at_one(t):
    """The pair where it is below 1, else 0, and a mask of where it is at least 1."""
    xp = namespace(t[0])
    whole = (t[0] - 1) + t[1] >= 0
    return [xp.where(whole, 0.0, part) for part in t], whole


def sorted_scores(z):
    """Scores in decreasing order, the first index and the one after the last."""
    xp = namespace(z)
    low = xp.zeros((*z.shape[:-1], 1), dtype=xp.int64)
    return xp.flip(xp.sort(z), axis=-1), low, low + z.shape[-1]


def bisected(places, low, high, holds, steps=inf):
    """The last index below ``high`` at which a monotone predicate holds; it holds at ``low``."""
    xp = namespace(places)
    for _ in range(min(steps, places.shape[-1].bit_length())):
        if on_host(low) and bool(xp.all(high - low <= 1)):
            break
        middle = (low + high) // 2
        yes = holds(xp.take_along_axis(places, middle, axis=-1))
        low, high = xp.where(yes, middle, low), xp.where(yes, high, middle)
    return low
