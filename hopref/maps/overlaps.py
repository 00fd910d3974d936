"""Products of states and patterns, also where they exceed the range of floating point."""
import math
from functools import partial

from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.overrides import overridable
from hopref.maps.entries import dot, finite_or_zero, kth_largest, seen
from hopref.maps.loops import over_rows

inf = math.inf
SMALL, LARGE = 2.0**-600, 2.0**600
NEAR, FAR = 2.0**1022, 2.0**1023        # the difference of two scores up to FAR is finite


def overlaps(xi, X, where=True, k=1):
    """The scores xi X^T, up to an additive constant for each row, which separation maps ignore.

    The result is bitwise xi X^T if no product overflows.  In other rows a score that differs from
    the k-th largest visible score by more than 2^1023 is set to that distance, where no weight
    depends on it for beta >= 1e-300; if the magnitude of the k-th largest score exceeds 2^1022, it
    is subtracted.  Differences are accurate to the rounding of the products at any magnitude.
    Underflow changes beta xi X^T by less than d 2^-50.
    """
    return _apart(_times, xi, X, partial(_largest, where=where, k=k))


@overridable
def squared_distances(xi, X):
    """|xi - x|^2 of states (..., d) and patterns (n, d), without cancellation."""
    away = xi[..., None, :] - X
    return dot(away, away)


def pair_overlaps(xi, X, where):
    """`overlaps` of states (..., 1, d) with separate patterns (..., n, d) for each state."""
    return _apart(dot, xi, X, partial(_largest, where=where, k=1))


def listed_overlaps(xi, X, i, first, start, stop):
    """`overlaps` of listed pairs (see `loops.listed_once`), -inf for repeated pairs."""
    xp = namespace(xi)
    z = _apart(dot, xi, X, partial(_largest_listed, i=i, first=first, start=start, stop=stop))
    return xp.where(first, z, -inf)


def _apart(product, xi, X, largest):
    """The product, with a constant added to each row in which it overflows."""
    z = product(xi, X)
    if on_host(z) and _within(namespace(z), z):
        return z
    return moved(z, product(SMALL * xi, SMALL * X), largest)


def moved(z, small, largest):
    """z, with overflowed entries recomputed from ``small`` = 2^-1200 z, minus a large maximum."""
    xp = namespace(z)
    whole = xp.where(xp.isfinite(z), z, small * LARGE * LARGE)
    small = xp.where(xp.isfinite(z), z * SMALL * SMALL, small)
    near = xp.abs(largest(whole)) < NEAR
    apart = (small - finite_or_zero(largest(small))) * LARGE * LARGE
    return xp.maximum(xp.minimum(xp.where(near, whole, apart), FAR), -FAR)


def _times(xi, X):
    return xi @ namespace(X).matrix_transpose(X)


def _within(xp, z):
    """Whether the magnitudes of all scores are below `NEAR`; False if one is NaN."""
    entries = xp.reshape(z, (-1,))
    if z.dtype == xp.float64 and xp.isfinite(entries @ entries):    # then all are below 2^512
        return True
    return 0 in z.shape or bool(xp.all((xp.max(z) < NEAR) & (xp.min(z) > -NEAR)))


def _largest(z, where, k):
    """The k-th largest visible score of each row."""
    z = seen(z, where)
    return namespace(z).max(z, axis=-1, keepdims=True) if k == 1 else kth_largest(z, k)


def _largest_listed(z, i, first, start, stop):
    """The largest score of the row of every pair of a list."""
    xp = namespace(z)
    return xp.take(over_rows(xp.maximum, xp.where(first, z, -inf), -inf, start, stop), i)


@overridable
def weighted_sum(A, V, seen=True):
    """A V for weights >= 0, in which hidden values have no effect, even if they are not finite.

    ``seen`` (..., l, s) is True where a row of A sees a row of V; the weights of others must be 0.
    The sum of a row of A is what IEEE arithmetic gives for the values that it sees.
    """
    xp, Z = namespace(V), A @ V
    if seen is True or on_host(Z) and _within(xp, Z):
        return Z

    def some(seen, entries):
        return xp.astype(seen, V.dtype) @ xp.astype(entries, V.dtype) > 0
    known, drawn = xp.isfinite(V), seen & (A > 0)
    Z = A @ xp.where(known, V, 0.0)
    for value in (inf, -inf):
        Z = xp.where(some(drawn, V == value), Z + value, Z)
    return xp.where(some(seen, V != V) | some(seen & ~drawn, ~known), math.nan, Z)


def shorter(X, top, where=True):
    """M^2 - |x_t|^2 for rows x_t and the largest visible norm M; 0 for equal norms of any size."""
    xp = namespace(X)
    longest, own = _longest(X, where), dot(top, top)
    if on_host(X) and bool(xp.all(longest < FAR)):
        return longest - own
    small, far = SMALL * top, ~(longest < FAR)
    apart = (_longest(SMALL * X, where) - dot(small, small)) * LARGE * LARGE
    return xp.where(far, apart, longest - own)


def _longest(X, where):
    """The largest squared norm of the visible patterns."""
    return namespace(X).max(seen(dot(X, X), where), axis=-1)


def biased(z, beta, bias, where):
    """beta z + bias; in rows whose largest value overflows, beta (z - max z) + bias.

    It is -inf where the bias is, whatever beta z is.
    """
    xp, logits = namespace(z), seen(beta * z + bias, bias != -inf)
    visible = (bias > -inf) & where
    near = xp.abs(_largest(logits, visible, 1)) < NEAR
    if on_host(z) and bool(xp.all(near)):
        return logits
    apart = beta * (z - finite_or_zero(_largest(z, visible, 1))) + bias
    return xp.where(near, logits, seen(apart, bias != -inf))


def squared_unit(beta):
    """b and a power of two r with beta = b r^2, so that beta x y = b (r x) (r y)."""
    root = 2.0 ** (math.frexp(beta)[1] // 2)
    return beta / root / root, root
