"""Products of states and patterns, where they leave the range of floating point too."""
import math
from functools import partial

from hopref.dispatch.namespace import namespace, on_host
from hopref.maps.entries import dot, finite_or_zero
from hopref.maps.loops import over_rows

inf = math.inf
SMALL, LARGE = 2.0**-600, 2.0**600
NEAR, FAR = 2.0**1022, 2.0**1023        # the difference of two scores up to FAR is finite


def overlaps(xi, X, where=True, k=1):
    """The scores xi X^T, up to a number a row: all that separation maps ask for.

    They are xi X^T itself, bit for bit, as long as no product overflows.  In other rows a score
    farther than 2^1023 from the k-th largest that is seen is moved to that distance, where no
    weight depends on it for beta >= 1e-300; if the k-th largest itself is beyond 2^1022, it is
    subtracted.  Differences are right to the rounding of the products, at any size.  Underflow
    needs no care: it changes beta xi X^T by less than d 2^-50.
    """
    return _apart(_times, xi, X, partial(_largest, where=where, k=k))


def pair_overlaps(xi, X, where):
    """The same for states (..., 1, d) and patterns (..., n, d) of their own."""
    return _apart(dot, xi, X, partial(_largest, where=where, k=1))


def listed_overlaps(xi, X, i, first, start, stop):
    """The same for pairs in a list (see `loops.listed_once`), -inf where one is repeated."""
    xp = namespace(xi)
    z = _apart(dot, xi, X, partial(_largest_listed, i=i, first=first, start=start, stop=stop))
    return xp.where(first, z, -inf)


def _apart(product, xi, X, largest):
    """The product, moved by a number for each row where it leaves the range."""
    z = product(xi, X)
    if on_host(z) and _within(namespace(z), z):
        return z
    return moved(z, product(SMALL * xi, SMALL * X), largest)


def moved(z, small, largest):
    """z, given 2^-1200 z too: what is not finite from that, less the largest where it is beyond."""
    xp = namespace(z)
    whole = xp.where(xp.isfinite(z), z, small * LARGE * LARGE)
    small = xp.where(xp.isfinite(z), z * SMALL * SMALL, small)
    near = xp.abs(largest(whole)) < NEAR
    apart = (small - finite_or_zero(largest(small))) * LARGE * LARGE
    return xp.maximum(xp.minimum(xp.where(near, whole, apart), FAR), -FAR)


def _times(xi, X):
    return xi @ namespace(X).matrix_transpose(X)


def _within(xp, z):
    """Whether all scores are nearer to 0 than `NEAR`; not if one is NaN."""
    return 0 in z.shape or bool(xp.all((xp.max(z) < NEAR) & (xp.min(z) > -NEAR)))


def _largest(z, where, k):
    """The k-th largest score that is seen, of every row."""
    xp = namespace(z)
    z = z if where is True else xp.where(where, z, -inf)
    return xp.max(z, axis=-1, keepdims=True) if k == 1 else \
        xp.sort(z, axis=-1)[..., z.shape[-1] - k][..., None]


def _largest_listed(z, i, first, start, stop):
    """The largest score of its row, for every pair of a list."""
    xp = namespace(z)
    return xp.take(over_rows(xp.maximum, xp.where(first, z, -inf), -inf, start, stop), i, axis=0)


def shorter(X, top, where=True):
    """M^2 - |x_t|^2 for the longest pattern that is seen and rows x_t; 0 of equals at any size."""
    xp = namespace(X)
    longest, own = _longest(X, where), dot(top, top)
    if on_host(X) and bool(xp.all(longest < FAR)):
        return longest - own
    small, far = SMALL * top, ~(longest < FAR)
    apart = (_longest(SMALL * X, where) - dot(small, small)) * LARGE * LARGE
    return xp.where(far, apart, xp.where(far, 0.0, longest) - xp.where(far, 0.0, own))


def _longest(X, where):
    """The largest squared length among the patterns seen."""
    xp, squares = namespace(X), dot(X, X)
    return xp.max(squares if where is True else xp.where(where, squares, -inf), axis=-1)


def biased(z, beta, bias, where):
    """beta z + bias; of a row without a finite largest one, beta (z - max z) + bias."""
    xp = namespace(z)
    seen = (bias > -inf) & where
    logits = beta * z + bias
    near = xp.abs(_largest(logits, seen, 1)) < NEAR
    if on_host(z) and bool(xp.all(near)):
        return logits
    return xp.where(near, logits, beta * (z - finite_or_zero(_largest(z, seen, 1))) + bias)


def squared_unit(beta):
    """b and a power of two r with beta = b r^2: products of r x neither over- nor underflow alone.
    """
    root = 2.0 ** (math.frexp(beta)[1] // 2)
    return beta / root / root, root
