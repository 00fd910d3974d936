"""Scores of states and patterns where their products leave the range of floating point."""
import math

from hopref.dispatch.namespace import namespace, on_host
from hopref.maps.scales import finite_or_zero

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
    xp = namespace(xi)
    XT = xp.matrix_transpose(X)
    z = xi @ XT
    if on_host(z) and _within(xp, z):
        return z
    small = (SMALL * xi) @ (SMALL * XT)
    whole = xp.where(xp.isfinite(z), z, small * LARGE * LARGE)
    small = xp.where(xp.isfinite(z), z * SMALL * SMALL, small)
    near = xp.abs(_largest(whole, where, k)) < NEAR
    apart = (small - finite_or_zero(_largest(small, where, k))) * LARGE * LARGE
    return xp.clip(xp.where(near, whole, apart), -FAR, FAR)


def _within(xp, z):
    """Whether all scores are nearer to 0 than `NEAR`; not if one is NaN."""
    return 0 in z.shape or bool(xp.max(z) < NEAR) and bool(xp.min(z) > -NEAR)


def _largest(z, where, k):
    """The k-th largest score that is seen, of every row."""
    xp = namespace(z)
    z = z if where is True else xp.where(where, z, -inf)
    return xp.max(z, axis=-1, keepdims=True) if k == 1 else \
        xp.sort(z, axis=-1)[..., z.shape[-1] - k][..., None]
