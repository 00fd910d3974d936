r"""Vector-Jacobian products of kernelised modern networks.

``g`` is the cotangent of the result; the other arguments are those of `models.kernelized`.
Gradients of patterns, of the map and of beta are summed over all states.
"""
from hopref.dispatch.domains import inverse_temperature
from hopref.dispatch.operation import op
from hopref.gradients import modern as modern_gradients
from hopref.maps import outer
from hopref.models import modern

__all__ = ["energy", "update"]


@op("(...),(...,d),(n,d),(m,d)->(...,d),(n,d),(m,d),()", beta=inverse_temperature,
    scratch="(...,n)")
def energy(g, xi, X, W, /, *, beta=1.0):
    r"""Gradient of `kernelized.energy`.

    Source: Wu et al. 2024, differentiated; Ramsauer et al. 2021, eqs. (2), (3) [UH-1, GR-2].

    .. math:: d\xi = g\,G\,(\xi - X^T p), \quad dX = g\,(m\,x_m^T - p\,\xi^T)\, G, \quad
        dW = g\,W \bigl((\xi - X^T p)\, \xi^T + x_m x_m^T - \xi\, (X^T p)^T\bigr), \quad
        d\beta = -g\, \mathrm{KL}(p \,\|\, u) / \beta^2

    m is the indicator of the first mapped pattern of largest norm, and u = 1/N.

    Parameters
    ----------
    W : linear map of states and patterns

    >>> from hopref.gradients import kernelized
    >>> kernelized.energy(1.0, [1.0], [[1.0], [-1.0]], [[3.0]], beta=1e9)[0]
    array([0.])
    """
    d_mapped, d_patterns, dbeta = modern_gradients.energy(g, xi @ W.T, X @ W.T, beta=beta)
    return d_mapped @ W, d_patterns @ W, outer(d_mapped, xi) + d_patterns.T @ X, dbeta


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
