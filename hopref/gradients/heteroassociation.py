r"""Vector-Jacobian products of modern networks that map keys to values.

``g`` is the cotangent of the result; the other arguments are those of `models.heteroassociation`.
Gradients of keys, values and beta are summed over all states.
"""
from hopref.dispatch.domains import inverse_temperature, symmetric
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients import modern as modern_gradients
from hopref.gradients.maps import logsumexp as logsumexp_gradient
from hopref.gradients.maps import softmax as softmax_gradient
from hopref.maps import outer, overlaps, softmax, table
from hopref.models import modern

__all__ = ["energy", "update", "joint_energy", "joint_update"]


@op("(...),(...,d),(n,d),(d,d),(d)->(...,d),(n,d),(d,d),(d),()", G=symmetric,
    beta=inverse_temperature, scratch="(...,n)")
def energy(g, xi, X, G, t=0.0, /, *, beta=1.0):
    r"""Gradient of `heteroassociation.energy`.

    Source: Ramsauer et al. 2021, eqs. (2), (3), for C = 1 [HA-3, GR-2].

    .. math:: d\xi = g\, (G (\xi - t) - X^T p), \quad dX = -g\, p\, \xi^T, \quad
        dG = \tfrac12 g\, (\xi - t) (\xi - t)^T, \quad dt = -g\, G (\xi - t), \quad
        d\beta = g\, (\mathrm{lse}(\beta, X \xi) - p^T X \xi) / \beta

    Parameters
    ----------
    X : keys, one in each row
    G : inverse of C, symmetric
    t : the value of a key of 0

    Notes
    -----
    For values y_i = C x_i + t, dxi is g G (xi - f(xi)), where f is `heteroassociation.update`.

    >>> from hopref.gradients import heteroassociation
    >>> heteroassociation.energy(1.0, [2.0], [[1.0]], [[0.5]], [4.0])[0]
    array([-2.])
    """
    away = xi - t
    pull = g[..., None] * (away @ (G + G.T)) / 2
    dz, dbeta = logsumexp_gradient(-g, overlaps(xi, X), beta=beta)
    dG = outer(g[..., None] * away, away) / 2
    return pull + dz @ X, outer(dz, xi), dG, -namespace(xi).sum(table(pull), axis=0), dbeta


@op("(...,d),(...,d),(n,d),(n,d)->(...,d),(n,d),(n,d),()", beta=inverse_temperature,
    scratch="(...,n)")
def update(g, xi, X, Y, /, *, beta=1.0):
    r"""Gradient of `heteroassociation.update`.

    Source: Ramsauer et al. 2021, eq. (10), differentiated [HA-1, GR-2].

    .. math:: w = p \circ (a - p^T a), \quad a = Y g, \quad d\xi = \beta X^T w, \quad
        dX = \beta\, w\, \xi^T, \quad dY = p\,g^T, \quad d\beta = w^T X \xi

    Parameters
    ----------
    X : keys, one in each row
    Y : values, one in each row

    >>> from hopref.gradients import heteroassociation
    >>> heteroassociation.update([1.0], [0.0], [[1.0], [-1.0]], [[2.0], [0.0]])[0]
    array([1.])
    """
    dxi, dX, dbeta = modern_gradients.weights(g @ Y.T, xi, X, beta=beta)
    return dxi, dX, outer(modern.weights(xi, X, beta=beta), g), dbeta


@op("(...),(...,e),(...,d),(n,d),(n,e)->(...,e),(...,d),(n,d),(n,e),()",
    beta=inverse_temperature, scratch="(...,n)")
def joint_energy(g, eta, xi, X, Y, /, *, beta=1.0):
    r"""Gradient of `heteroassociation.joint_energy`.

    Source: Ramsauer et al. 2021, eqs. (2), (3), of the patterns (x_i, y_i) [HA-2, GR-2].

    .. math:: d\eta = g\, (\eta - Y^T p), \quad d\xi = -g\, X^T p, \quad
        dX = -g\, p\, \xi^T, \quad dY = -g\, p\, \eta^T, \quad
        d\beta = g\, (\mathrm{lse}(\beta, z) - p^T z) / \beta, \; z = X \xi + Y \eta

    Parameters
    ----------
    eta : state of the values
    xi : cue
    X : keys, one in each row
    Y : values, one in each row

    >>> from hopref.gradients import heteroassociation
    >>> heteroassociation.joint_energy(1.0, [2.0], [3.0], [[1.0]], [[1.0]])[:2]
    (array([1.]), array([-1.]))
    """
    z = overlaps(xi, X) + overlaps(eta, Y)
    dz, dbeta = logsumexp_gradient(-g, z, beta=beta)
    return (g[..., None] * eta + dz @ Y, dz @ X, outer(dz, xi), outer(dz, eta), dbeta)


@op("(...,e),(...,e),(...,d),(n,d),(n,e)->(...,e),(...,d),(n,d),(n,e),()",
    beta=inverse_temperature, scratch="(...,n)")
def joint_update(g, eta, xi, X, Y, /, *, beta=1.0):
    r"""Gradient of `heteroassociation.joint_update`.

    Source: Ramsauer et al. 2021, eq. (3), differentiated [HA-2, GR-2].

    .. math:: w = p \circ (a - p^T a), \quad a = Y g, \quad d\eta = \beta Y^T w, \quad
        d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T, \quad
        dY = p\,g^T + \beta\, w\, \eta^T, \quad d\beta = w^T (X \xi + Y \eta)

    Parameters
    ----------
    eta : state of the values
    xi : cue
    X : keys, one in each row
    Y : values, one in each row

    >>> from hopref.gradients import heteroassociation
    >>> heteroassociation.joint_update([1.0], [0.0], [0.0], [[1.0], [-1.0]], [[2.0], [0.0]])[1]
    array([1.])
    """
    z = overlaps(xi, X) + overlaps(eta, Y)
    dz, _, dbeta = softmax_gradient(g @ Y.T, z, beta=beta)
    dY = outer(softmax(z, beta=beta), g) + outer(dz, eta)
    return dz @ Y, dz @ X, outer(dz, xi), dY, dbeta
