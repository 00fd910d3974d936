r"""Vector-Jacobian products of kernelised modern networks.

``g`` is the cotangent of the result; the other arguments are those of `models.kernelized`.
Gradients of patterns, of the map and of beta are summed over all states.
"""
from hopref.dispatch.domains import inverse_temperature
from hopref.dispatch.operation import op
from hopref.gradients import modern as modern_gradients
from hopref.maps import outer
from hopref.models import modern

__all__ = ["update"]


@op("(...,d),(...,d),(n,d),(m,d)->(...,d),(n,d),(m,d),()", beta=inverse_temperature,
    scratch="(...,n)")
def update(g, xi, X, W, /, *, beta=1.0):
    r"""Gradient of `kernelized.update`.

    Source: Wu et al. 2024, differentiated; Ramsauer et al. 2021, Appendix A.1.7 [UH-1, GR-2].

    .. math:: w = p \circ (a - p^T a), \; a = X g, \quad u = \beta W X^T w, \quad
        V = \beta\, w\, (W \xi)^T, \quad d\xi = W^T u, \quad dX = p\,g^T + V W, \quad
        dW = u\, \xi^T + V^T X, \quad d\beta = w^T X G\, \xi

    Parameters
    ----------
    W : linear map of states and patterns

    >>> from hopref.gradients import kernelized
    >>> kernelized.update([1.0], [0.0], [[1.0], [-1.0]], [[3.0]])[0]
    array([9.])
    """
    mapped, patterns = xi @ W.T, X @ W.T
    u, V, dbeta = modern_gradients.weights(g @ X.T, mapped, patterns, beta=beta)
    p = modern.weights(mapped, patterns, beta=beta)
    return u @ W, outer(p, g) + V @ W, outer(u, xi) + V.T @ X, dbeta
