r"""Vector-Jacobian products of modern networks that map keys to values.

``g`` is the cotangent of the result; the other arguments are those of `models.heteroassociation`.
Gradients of keys, values and beta are summed over all states.
"""
from hopref.dispatch.domains import inverse_temperature
from hopref.dispatch.operation import op
from hopref.gradients import modern as modern_gradients
from hopref.gradients.maps import softmax as softmax_gradient
from hopref.maps import outer, overlaps, softmax
from hopref.models import modern

__all__ = ["update", "joint_update"]


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
