r"""Kernelised modern network: states and patterns are compared after a linear map.

``xi`` (..., d) states, ``X`` (n, d) patterns, one a row; ``W`` (m, d) the linear map, so that the
kernel is x^T G xi with G = W^T W.  The mapped states and patterns are a modern network.

References: Wu et al. 2024, *Uniform Memory Retrieval with Larger Capacity for Modern Hopfield
Models* (U-Hop).  The text of the paper was not available: the equations are those of the modern
network of mapped patterns, which laws verify.
"""
from hopref.dispatch.domains import finite, inverse_temperature
from hopref.dispatch.operation import op
from hopref.models import modern

__all__ = ["energy", "update"]


@op("(...,d),(n,d),(m,d)->(...)", beta=inverse_temperature, scratch="(...,n)", result=finite)
def energy(xi, X, W, /, *, beta=1.0):
    r"""Energy of a state, the modern energy of the mapped state and patterns.

    Source: Wu et al. 2024; Ramsauer et al. 2021, eq. (2) [UH-1].

    .. math:: E = -\mathrm{lse}(\beta, X G \xi) + \tfrac12 \xi^T G\, \xi + \beta^{-1} \ln N
        + \tfrac12 \max_i \|W x_i\|^2, \quad G = W^T W

    Parameters
    ----------
    W : linear map of states and patterns

    >>> from hopref import kernelized
    >>> float(kernelized.energy([-1.0, 5.0], [[1.0, 0.0]], [[2.0, 0.0]]))   # 2 M^2 for M = 2
    8.0
    """
    return modern.energy(xi @ W.T, X @ W.T, beta=beta)


@op("(...,d),(n,d),(m,d)->(...,d)", beta=inverse_temperature, lowers=energy, scratch="(...,n)",
    result=finite)
def update(xi, X, W, /, *, beta=1.0):
    r"""One retrieval step.  Source: Wu et al. 2024; Ramsauer et al. 2021, eq. (3) [UH-1].

    .. math:: \xi^{new} = X^T \mathrm{softmax}(\beta X G \xi), \quad G = W^T W

    Parameters
    ----------
    W : linear map of states and patterns

    Notes
    -----
    The energy decreases by exactly |W (xi_new - xi)|^2/2 + KL(p(xi) || p(xi_new))/beta, and W
    maps the step to the modern update of W xi.  What W maps to 0 has no part in it.

    >>> from hopref import kernelized
    >>> kernelized.update([2.0, 7.0], [[1.0, 3.0], [-1.0, 4.0]], [[1.0, 0.0]], beta=50.0)
    array([1., 3.])
    """
    return modern.weights(xi @ W.T, X @ W.T, beta=beta) @ X
