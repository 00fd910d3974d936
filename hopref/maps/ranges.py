"""Scaling of features and values by powers of two, so that their products do not overflow."""
from hopref.dispatch.namespace import namespace, on_host
from hopref.dispatch.overrides import overridable
from hopref.maps.loops import running_maximum


def unit(size):
    """The power of two that scales a magnitude to [1, 2); 1 for 0 and NaN."""
    xp, one = namespace(size), namespace(size).ones_like(size)
    rest, factor = xp.where(size == 0, one, size), one
    for k in (512, 256, 128, 64, 32, 16, 8, 4, 2, 1):
        large, little = rest >= 2.0**k, rest < 2.0**(1 - k)
        step = xp.where(large, 2.0**-k, xp.where(little, 2.0**k, one))
        rest, factor = rest * step, factor * step
    return factor


def evened(q, k, z):
    """Features q and k, scaled by powers of two so that their products do not under- or overflow.

    Returns q, k, the factors of the features of k and of the sum z of earlier keys, and the factors
    of the rows of q.  After scaling, the largest key (or z) of each feature and the largest feature
    of each query are in [1, 2).  Arrays whose magnitudes are near 1 are not scaled; scaling by
    powers of two does not change the rounding of results.
    """
    xp, most = namespace(k), _sizes(z, k)
    if 0 in k.shape:
        return q, k, xp.ones_like(most), (1.0,)
    most = xp.maximum(most, _most(k, -2))
    if on_host(k) and _near_one(most) and _near_one(_most(q, -1)):
        return q, k, xp.ones_like(most), (1.0,)
    c = unit(most)
    q, rows = _queries(q, c[..., None, :])
    return q, k * c[..., None, :], c, rows


def evened_in_turn(q, k, z):
    """`evened`, where keys of later rows may be larger than those of earlier ones by any factor.

    Returns q, k, the factors of the state before the first row and after the last, those by which
    the state is multiplied before each row, if there are any, and the factors of the rows of q.
    The factors of a row are then those of the largest key, or z, up to it.  One factor for all rows
    does not suffice, because the products of keys and values may differ by more than 2^2046, the
    range of float64: where the keys are not known to the host, the factors are those of rows.
    """
    xp = namespace(k)
    if 0 in k.shape or on_host(k):
        even_q, even_k, c, rows = evened(q, k, z)
        if 0 in k.shape or bool(xp.all((k == 0) | (xp.abs(even_k) > 2.0**-500))):
            return even_q, even_k, c, c, (), rows
    c = unit(running_maximum(_sizes(z, k), xp.abs(k)))
    before, here = c[..., :-1, :], c[..., 1:, :]
    q, rows = _queries(q, here)
    return q, k * here, c[..., 0, :], c[..., -1, :], (here / before,), rows


def _sizes(z, k):
    """The magnitudes of earlier keys, of the features of k."""
    return abs(z) + namespace(k).zeros((*k.shape[:-2], k.shape[-1]), dtype=k.dtype)


def _queries(q, c):
    """Queries divided by the factors c of keys, their largest feature in [1, 2); their factors."""
    xp = namespace(q)
    part = xp.maximum(xp.minimum(c, 2.0**500), 2.0**-500)
    rest = c / part
    row = xp.max(xp.abs(q / part / rest), axis=-1, keepdims=True)
    one = xp.ones_like(row)
    first, second = (xp.where(row < 2.0**-900, 2.0**k, xp.where(row < 2.0**1000, one, 2.0**-k))
                     for k in (900, 400))
    q = q * first / part * second / rest
    third = unit(xp.max(xp.abs(q), axis=-1, keepdims=True))
    return q * third, (first, second, third)


@overridable
def shrunk(state, factors):
    """A state (..., r, n) multiplied by powers of two (..., r), if there are any."""
    for factor in factors:
        state = factor[..., None] * state
    return state


def _most(x, axis):
    """The largest magnitude along an axis."""
    xp = namespace(x)
    return xp.maximum(xp.max(x, axis=axis), -xp.min(x, axis=axis))


def _near_one(size):
    """Whether all magnitudes other than 0 are between 2^-20 and 2^20."""
    xp = namespace(size)
    return bool(xp.all((size == 0) | ((size > 2.0**-20) & (size < 2.0**20))))


def times(x, factors):
    """x multiplied by one factor after the other, because their product may overflow."""
    for factor in factors:
        x = x * factor
    return x


def over(x, factors):
    """x divided by one factor after the other, the last one first."""
    for factor in reversed(factors):
        x = x / factor
    return x


def tame(V):
    """Values with columns above 2^900 scaled by 2^-80, and the factors that undo the scaling."""
    xp = namespace(V)
    if 0 in V.shape:
        return V, 1.0
    if on_host(V) and bool(xp.all((xp.max(V) < 2.0**900) & (xp.min(V) > -2.0**900))):
        return V, 1.0
    most = xp.max(xp.abs(V), axis=-2, keepdims=True)
    down = xp.where(most < 2.0**900, xp.ones_like(most), 2.0**-80)
    return V * down, 1 / down
