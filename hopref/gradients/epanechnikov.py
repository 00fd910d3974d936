r"""Vector-Jacobian products of the memory with the log-sum-ReLU energy.

``g`` is the cotangent of the result; the other arguments are those of `models.epanechnikov`.  The
patterns that are in the neighbourhood of a state are constant.
"""
from hopref.dispatch.domains import inverse_temperature, nonnegative
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot, outer, ratio, squared_distances
from hopref.models import epanechnikov

__all__ = ["energy", "update"]


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, eps=nonnegative,
    scratch="(...,n,d)")
def energy(g, xi, X, /, *, beta=1.0, eps=0.0):
    r"""Gradient of `epanechnikov.energy`.  Source: Hoover et al. 2025, eq. (3) [LR-2].

    .. math:: d\xi = \frac{g}{T} \sum_{i \in B} (\xi - x_i), \quad
        dx_i = \frac{g}{T} (x_i - \xi) \text{ for } i \in B, \quad
        d\beta = \frac{g}{\beta^2} \Bigl(\ln T + \frac{\beta}{2 T} \sum_{i \in B} \|\xi - x_i\|^2
        \Bigr), \quad d\epsilon = -\frac{g}{\beta T}

    T is the sum of eps and of the parts; the gradient is 0 where it is 0.

    >>> from hopref.gradients import epanechnikov
    >>> epanechnikov.energy(1.0, [0.5], [[0.0]], beta=1.0)[0]       # 0.5 / (1 - 1/8)
    array([0.57142857])
    """
    xp, (near, total) = namespace(xi), parts(xi, X, beta, eps)
    h = ratio(g, total, 0.0)
    w, count = h[..., None] * near, xp.sum(near, axis=-1)
    dX = xp.sum(xp.reshape(w, (-1, X.shape[0])), axis=0)[:, None] * X - outer(w, xi)
    inside = dot(near, squared_distances(xi, X))
    logs = xp.log(xp.where(total > 0, total, 1.0)) / beta
    dbeta = xp.sum(g * logs + h * inside / 2) / beta
    return h[..., None] * (count[..., None] * xi - near @ X), dX, dbeta, -xp.sum(h) / beta


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, scratch="(...,n,d)")
def update(g, xi, X, /, *, beta=1.0):
    r"""Gradient of `epanechnikov.update`.  Source: Hoover et al. 2025 [LR-2].

    .. math:: d\xi = 0, \quad dx_i = g / |B| \text{ for } i \in B, \quad d\beta = 0

    The state of an empty neighbourhood is not moved, so that its gradient is g.

    >>> from hopref.gradients import epanechnikov
    >>> epanechnikov.update([1.0], [0.0], [[0.5], [-0.5], [9.0]])[1][:, 0]
    array([0.5, 0.5, 0. ])
    """
    xp, near = namespace(xi), parts(xi, X, beta, 0.0)[0]
    count = xp.sum(near, axis=-1, keepdims=True)
    share = near / xp.maximum(count, xp.ones_like(count))
    return xp.where(count > 0, 0.0 * g, g), outer(share, g), 0.0 * xp.sum(g)


def parts(xi, X, beta, eps):
    """The mask of the near patterns, as numbers, and the sum of their parts and eps."""
    xp, u = namespace(xi), epanechnikov.margins(xi, X, beta)
    near = xp.astype(u > 0, xi.dtype)
    return near, eps + xp.sum(xp.where(u <= 0, 0.0, u), axis=-1)
