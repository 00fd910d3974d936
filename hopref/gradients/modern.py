r"""Vector-Jacobian products of the modern continuous Hopfield network.

``g`` is the cotangent of the result; ``xi`` (..., d), ``X`` (n, d) and ``beta`` are those of
`models.modern`.  dX and dbeta are summed over all states.

Reference: Ramsauer et al. 2021, Appendix A.1.7, whose derivative with respect to the patterns is
misprinted (see the errata).
"""
from hopref.dispatch.domains import inverse_temperature, real
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.gradients.maps import gaps
from hopref.gradients.maps import softmax as softmax_gradient
from hopref.gradients.preconditions import at_a_strict_minimum
from hopref.gradients.thresholds import side
from hopref.maps import (
    dot,
    logmeanexp,
    outer,
    overlaps,
    softmax,
    solved,
    strongest,
    summed,
)
from hopref.models import modern

__all__ = ["energy", "update", "weights", "thresholded_update", "fixed_point"]


@op("(...),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, scratch="(...,n)")
def energy(g, xi, X, /, *, beta=1.0):
    r"""Gradient of `modern.energy`.  Source: Ramsauer et al. 2021, eqs. (2), (3) [MH-2, GR-2].

    .. math:: d\xi = g\, (\xi - X^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, \mathrm{KL}(p \,\|\, u) / \beta^2

    m is the indicator of the first pattern of largest norm, and u = 1/N.

    Notes
    -----
    dbeta is a difference that cancels where beta times the range of the scores is small.

    >>> from hopref.gradients import modern
    >>> modern.energy(1.0, [0.5], [[1.0], [-1.0]], beta=1e9)
    (array([-0.5]), array([[0.5],
           [0. ]]), np.float64(-6.931471805599453e-19))
    """
    z = overlaps(xi, X)
    p = softmax(z, beta=beta)
    dxi, dX = energy_gradient(g, xi, X, p, strongest(dot(X, X)))
    return dxi, dX, energy_temperature_gradient(g, p, z, z, beta)


@overridable
def energy_temperature_gradient(g, p, z, best, beta, where=True):
    """-g KL(p || u)/beta^2, where u is uniform over those of the scores ``best`` that are visible.
    """
    gain = logmeanexp(beta * gaps(best), where) / beta - dot(p, gaps(z))
    return namespace(z).sum(g * (gain / beta))


def energy_gradient(g, xi, X, p, longest):
    """(dxi, dX) at weights p, where ``longest`` is the mask m."""
    xp = namespace(xi)
    share = summed(xp.where(longest, g[..., None], 0.0), 1)[:, None]
    dX = xp.where(share == 0, 0.0, share * X) - outer(p, g[..., None] * xi)
    return g[..., None] * (xi - p @ X), dX


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, scratch="(...,n)")
def update(g, xi, X, /, *, beta=1.0):
    r"""Gradient of `modern.update`.

    Source: Ramsauer et al. 2021, Appendix A.1.7, with the derivative in X corrected [GR-2].

    .. math:: w = p \circ (a - p^T a), \quad a = X g, \quad d\xi = \beta X^T w, \quad
        dX = p\,g^T + \beta\, w\, \xi^T, \quad d\beta = w^T X \xi

    >>> from hopref.gradients import modern
    >>> dxi, dX, dbeta = modern.update([1.0], [0.0], [[1.0], [-1.0]], beta=2.0)
    >>> dxi, dX[:, 0], float(dbeta)
    (array([2.]), array([0.5, 0.5]), 0.0)
    """
    dxi, dkeys, dbeta = weights(g @ X.T, xi, X, beta=beta)
    return dxi, outer(modern.weights(xi, X, beta=beta), g) + dkeys, dbeta


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, scratch="(...,n)")
def weights(g, xi, X, /, *, beta=1.0):
    r"""Gradient of `modern.weights`.  Source: Ramsauer et al. 2021, Appendix A.1.7 [GR-2].

    .. math:: w = p \circ (g - p^T g), \quad d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T,
        \quad d\beta = w^T X \xi

    >>> from hopref.gradients import modern
    >>> modern.weights([1.0, 0.0], [0.0], [[1.0], [-1.0]], beta=2.0)[0]
    array([1.])
    """
    dz, dbias, dbeta = softmax_gradient(g, overlaps(xi, X), beta=beta)
    return dz @ X, outer(dz, xi), dbeta


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, theta=real, side=side,
    scratch="(...,n)")
def thresholded_update(g, xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    r"""Gradient of `modern.thresholded_update`, which is 0 for thresholded components.

    Source: blog eq. (22) [GR-2, MH-14].

    .. math:: d\xi = 1_{\xi \le \theta} \circ \beta S_\theta(X)^T w, \quad
        dX = p\,g^T + 1_{X \le \theta} \circ \beta\, w\, S_\theta(\xi)^T, \quad
        w = p \circ (a - p^T a), \; a = X g

    >>> from hopref.gradients import modern
    >>> modern.thresholded_update([1.0, 1.0], [0.9, -1.0], [[0.0, -1.0], [0.0, -1.0]])[0]
    array([0., 0.])
    """
    S, kept = side
    dstates, dkeys, dbeta = weights(g @ X.T, S(xi, theta), S(X, theta), beta=beta)
    p = modern.weights(S(xi, theta), S(X, theta), beta=beta)
    return kept(dstates, xi, theta), outer(p, g) + kept(dkeys, X, theta), dbeta


def hessian(J):
    """I - J, the Hessian of the energy at a state."""
    return namespace(J).eye(J.shape[-1], dtype=J.dtype) - J


@op("(...,d),(...,d),(n,d)->(n,d),()", beta=inverse_temperature, scratch="(...,n,d)",
    precondition=at_a_strict_minimum)
def fixed_point(g, xi, X, /, *, beta=1.0):
    r"""Gradient of a fixed point of `modern.update`, by the implicit function theorem.

    Source: Ramsauer et al. 2021, eq. (3), at a fixed point [GR-3].

    .. math:: (I - J)\, \lambda = g, \quad dX = p\,\lambda^T + \beta\, w\, \xi^T, \quad
        d\beta = w^T X \xi, \quad w = p \circ (a - p^T a), \; a = X \lambda

    Parameters
    ----------
    xi : (..., d) fixed points, which is not verified

    Returns
    -------
    (dX, dbeta) : the gradient with respect to the initial state is 0

    Raises
    ------
    DomainError : J has an eigenvalue >= 1, so that xi is not a strict minimum of the energy

    Notes
    -----
    A residual r in xi changes the result by O(r).  The cost is O(d^3) for each state.

    >>> from hopref.gradients import modern
    >>> modern.fixed_point([1.0], [0.0], [[1.0], [-1.0]], beta=0.5)[0]
    array([[1.],
           [1.]])
    """
    lam = solved(hessian(modern.jacobian(xi, X, beta=beta)), g)[0]
    dxi, dX, dbeta = update(lam, xi, X, beta=beta)
    return dX, dbeta
