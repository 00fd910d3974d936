r"""Vector-Jacobian products of the energies of dense associative memories, in continuous states.

``g`` is the cotangent of the energy; ``xi`` (..., d) need not be polar.  The updates are signs and
have no gradient.
"""
from hopref.dispatch.domains import choice, count
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients.maps import logsumexp
from hopref.maps import outer, power

__all__ = ["energy", "log_energy"]


def quadratic(z, n):
    return z


def polynomial(z, n):
    return n * power(z, n - 1)


def rectified(z, n):
    xp = namespace(z)
    return xp.where(z > 0, polynomial(xp.where(z > 0, z, 0.0), n), 0.0)


def exponential(z, n):
    return namespace(z).exp(z)


slopes = choice(quadratic=quadratic, polynomial=polynomial, rectified=rectified,
                exponential=exponential)


@op("(...),(...,d),(n,d)->(...,d),(n,d)", interaction=slopes, n=count, scratch="(...,n)")
def energy(g, xi, X, /, *, interaction="polynomial", n=3):
    r"""Gradient of `dense.energy`.  Source: Ramsauer et al. 2021, eq. (544) [DA-1].

    .. math:: d\xi = X^T h, \quad dX = h\, \xi^T, \quad h_\mu = -g\, F'(x_\mu^T \xi)

    >>> from hopref.gradients import dense
    >>> dense.energy(1.0, [1.0, -1.0], [[1.0, -1.0]], n=3)
    (array([-12.,  12.]), array([[-12.,  12.]]))
    """
    h = -g[..., None] * interaction(xi @ X.T, n)
    return h @ X, outer(h, xi)


@op("(...),(...,d),(n,d)->(...,d),(n,d)", scratch="(...,n)")
def log_energy(g, xi, X, /):
    r"""Gradient of `dense.log_energy`.  Source: Ramsauer et al. 2021, Appendix A.3 [DA-1].

    .. math:: d\xi = -g\, X^T p, \quad dX = -g\, p\, \xi^T, \quad p = \mathrm{softmax}(X \xi)

    >>> from hopref.gradients import dense
    >>> dense.log_energy(1.0, [2.0], [[1.0]])
    (array([-1.]), array([[-2.]]))
    """
    dz, dbeta = logsumexp(-g, xi @ X.T)
    return dz @ X, outer(dz, xi)
