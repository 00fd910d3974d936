r"""How the threshold tau of a sparse map is found: by its support.

Every score is a place where an entry would leave; the sum over the others there tells, by halving,
the last entry that stays, the edge.  All else is measured from the edge upwards, so that no
difference cancels.  Halvings, and steps of Newton's method on a convex function from above, have a
fixed number: no value is looked at, on any device.

A score enters as its distance from another, times ``factors`` (beta, alpha - 1): a pair of numbers,
without rounding.  Where a sum decides, or an entry is a root of its height or what others leave of
the whole, its powers are pairs as well, and the sum is rounded once.
"""
import math

from hopref.dispatch.namespace import namespace
from hopref.maps import double_double
from hopref.maps.double_double import added, left, plus, product, scaled_by, total
from hopref.maps.entries import finite_or_zero, ratio

inf = math.inf
NEWTON = 30         # steps: the sum falls by e each until it is near 1, then its excess is squared
FINE = 3            # more of them, with powers in pairs
SURE = 2.0**8       # ulp: beyond what a sum of plain powers near 1 errs by, q log t and all
HALVINGS = 8        # with powers in pairs, of the places that plain ones leave open: few, or equal
MOOT = 1.25         # a height that makes more than a whole by itself, whatever its power


def seen(z, where):
    """Scores, -inf where hidden."""
    return z if where is True else namespace(z).where(where, z, -inf)


def above(z, b, factors):
    """The pair ``factors (z - b)``: 0 from b down, `MOOT` from there on."""
    xp = namespace(z)
    plain = scaled(xp.where((z > b) & (b > -inf), z - finite_or_zero(b), 0.0), factors)
    near = (plain > 0) & (plain < MOOT)
    t = plus(xp.where(near, z, 0.0), -xp.where(near, b, 0.0))
    for c in factors:
        t = scaled_by(t, c)
    return xp.where(plain < MOOT, t[0], MOOT), t[1]


def scaled(gap, factors):
    for c in factors:
        gap = c * gap
    return gap


# -- entries [t]_+^q of sum 1 -------------------------------------------------------------------

def support(z, factors, q):
    """Mask of the support, and the pair of heights e above its lowest score.

    A score b is in the support if the entries above it, measured from b, do not yet make a whole:
    ``sum (factors (z - b))_+^q < 1``.
    """
    xp = namespace(z)
    falling, low, high = fallen(z)
    sure = SURE * xp.finfo(z.dtype).eps

    def remainder(b, powers):
        return xp.where(b > -inf, left(1.0, *powers(above(z, b, factors), q)), -inf)
    if closed(q):
        low = halved(falling, low, high, lambda b: remainder(b, powers) > 0)
    else:
        high = halved(falling, low, high, lambda b: remainder(b, plainly) > -sure) + 1
        low = halved(falling, low, high, lambda b: remainder(b, plainly) > sure)
        low = halved(falling, low, high, lambda b: remainder(b, powers) > 0, HALVINGS)
    edge = finite_or_zero(xp.take_along_axis(falling, low, axis=-1))
    inside = z >= edge
    return inside, above(z, edge, factors)


def closed(q):
    return q in ((1.0, 0.0), (2.0, 0.0))


def powers(t, q):
    """Parts whose sum is the power q of the pair t, for a pair q."""
    if q == (1.0, 0.0):
        return t
    if q == (2.0, 0.0):
        h, l = product(t[0], t[0])
        return h, l, 2 * t[0] * t[1]
    xp, (p, more) = namespace(t[0]), double_double.power(t, q)
    return xp.minimum(p, 2.0), xp.where(p < 2, more, 0.0)


def plainly(t, q):
    """The power as the library gives it; no more than 2, which is as good as more."""
    xp = namespace(t[0])
    return (xp.minimum(xp.pow(t[0], q[0]), 2.0),)


def heights(z, factors, q):
    """``t = factors (z - tau)_+`` with ``sum t^q = 1`` for q >= 1, and ``1 - t / max t``."""
    xp = namespace(z)
    inside, e = support(z, factors, q)
    t = xp.where(inside, e[0] + rise(inside, e, q), 0.0)
    top = xp.max(z, axis=-1, keepdims=True)
    depth = scaled(xp.where(inside, finite_or_zero(top) - z, 0.0), factors)
    return t, xp.where(inside, ratio(depth, xp.max(t, axis=-1, keepdims=True), 1.0), 1.0)


def rise(inside, e, q):
    """How far the edge lies above tau: the root r of ``sum (e + r)^q = 1`` over the support."""
    xp = namespace(e[0])
    many, first = total(xp.astype(inside, e[0].dtype)), total(e[0])
    if closed(q):
        lack = xp.maximum(left(1.0, *powers(e, q)), 0.0)
        slope = first + xp.sqrt(first * first + many * lack) if q[0] == 2 else many
        return ratio(lack, slope, 0.0)
    r = 1 - xp.max(e[0], axis=-1, keepdims=True)       # the largest height is at most 1
    for how in [plainly] * NEWTON + [powers] * FINE:
        h, l = added(e, (r, 0.0))
        t = xp.where(inside, h, 0.0), xp.where(inside, l, 0.0)
        p = how(t, q)
        r = xp.maximum(r + ratio(left(1.0, *p), q[0] * total(ratio(p[0], t[0], 0.0)), 0.0), 0.0)
    return r


def steep(z, factors, q):
    """``(factors (z - tau))_+^q`` of sum 1 for q < 1, by the edge's own value ``v = r^q``.

    In r the sum has an infinite slope at 0; in v it is convex and its slope is at least 1.
    """
    xp = namespace(z)
    inside, e = support(z, factors, q)
    edges = total(xp.astype(inside & (e[0] == 0), z.dtype))

    def of(v, how):
        r = xp.pow(v, 1 / q[0])
        p = how(added(e, (r, 0.0)), q)
        near = e[0] <= (r if how is plainly else xp.where(r < double_double.tiny(r), r, 0.0))
        close = v * xp.pow(1 + ratio(xp.minimum(e[0], r), r, 0.0), q[0])
        p = [xp.where(near, close, p[0]), *(xp.where(near, 0.0, more) for more in p[1:])]
        return [xp.where(inside, part, 0.0) for part in p]
    v = ratio(xp.maximum(left(1.0, *plainly(e, q)), 0.0), edges, 0.0)
    for how in [plainly] * NEWTON + [powers] * FINE:
        p = of(v, how)
        slope = total(xp.where(inside, xp.pow(ratio(v, p[0], 1.0), 1 / q[0] - 1), 0.0))
        v = xp.maximum(v + ratio(left(1.0, *p), slope, 0.0), 0.0)
    return of(v, plainly)[0]


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


def shares(p):
    """Of numbers in [0, 1]."""
    return ratio(p, -left(0.0, p), 0.0)


# -- entries between 0 and 1 of sum k -----------------------------------------------------------

def between(z, k, beta):
    """``clip(beta z - tau, 0, 1)`` of sum k; all are 1 where no more than k are seen.

    Down to the edge entries are positive, down to another score they are 1.
    """
    xp, factors = namespace(z), (beta,)
    falling, low, high = fallen(z)

    def stays(b):
        t, whole = topped(above(z, b, factors))
        return (b > -inf) & (left(k - total(xp.astype(whole, z.dtype)), *t) > 0)

    def is_one(b):
        """Whether no more than k is used up where tau is beta b - 1."""
        t, whole = topped(above(-z, -finite_or_zero(b), factors))
        rest = total(xp.astype(~whole, z.dtype))
        return (b > -inf) & (left(k - rest, *(-part for part in t)) >= 0)
    edge = finite_or_zero(xp.take_along_axis(falling, halved(falling, low, high, stays), axis=-1))
    last = xp.take_along_axis(falling, halved(falling, low, high, is_one), axis=-1)
    ones = (z >= last) & is_one(last)
    some = (z >= edge) & ~ones
    e = [xp.where(some, part, 0.0) for part in above(z, edge, factors)]
    ones, many = (xp.astype(mask, z.dtype) for mask in (ones, some))
    r = ratio(left(k - total(ones), *e), total(many), 0.0)
    return xp.minimum(ones + many * (e[0] + r), 1.0)


def topped(t):
    """A pair below 1, else 0, and where it is 1 or more."""
    xp = namespace(t[0])
    whole = (t[0] - 1) + t[1] >= 0
    return [xp.where(whole, 0.0, part) for part in t], whole


def fallen(z):
    """Scores in falling order, the first place and the one after the last."""
    xp = namespace(z)
    low = xp.zeros((*z.shape[:-1], 1), dtype=xp.int64)
    return xp.flip(xp.sort(z, axis=-1), axis=-1), low, low + z.shape[-1]


def halved(places, low, high, holds, steps=inf):
    """The last place before ``high`` that holds, where all before it do, and ``low`` does."""
    xp = namespace(places)
    for _ in range(min(steps, places.shape[-1].bit_length())):
        middle = (low + high) // 2
        yes = holds(xp.take_along_axis(places, middle, axis=-1))
        low, high = xp.where(yes, middle, low), xp.where(yes, high, middle)
    return low
