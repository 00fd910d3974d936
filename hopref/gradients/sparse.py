r"""Vector-Jacobian products of the sparse modern Hopfield networks.

``g`` is the cotangent of the result; the other arguments are those of `models.sparse`.  dX and the
derivatives with respect to numbers are summed over all states.

References: Santos, Niculae, McNamee & Martins 2024; Correia, Niculae & Martins 2019 (alpha).
"""
import math

from hopref import maps
from hopref.dispatch.domains import count, inverse_temperature
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n
from hopref.gradients import maps as map_gradients
from hopref.gradients.maps import norm_gamma_derivative, tsallis_alpha_derivative
from hopref.maps import (
    centred,
    dot,
    half_square_excess,
    lengths,
    norm_excess,
    of_length_one,
    outer,
    overlaps,
    ratio,
    strongest,
    tsallis_excess,
)
from hopref.maps.sparse import above_one, at_least_one

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights", "normalized_energy",
           "normalized_update", "layer_norm_energy", "layer_norm_update"]


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, alpha=at_least_one,
    scratch="(...,n)")
def energy(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.energy`.  Source: Santos et al. 2024 [FY-2, FY-3].

    .. math:: d\xi = g\, (\xi - X^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, (\Omega(p) - \Omega(u)) / \beta^2, \quad
        d\alpha = g\, \partial_\alpha (\Omega(p) - \Omega(u)) / \beta

    m is the indicator of the first pattern of largest norm, and u = 1/N.

    >>> from hopref.gradients import sparse
    >>> sparse.energy(1.0, [0.5], [[1.0], [-1.0]], beta=8.0, alpha=2.0)[0]
    array([-0.5])
    """
    p, gain, dalpha = regulariser_terms(g, overlaps(xi, X), beta, alpha)
    return *energy_gradient(g, xi, X, p, gain, beta, 1), dalpha


def regulariser_terms(g, z, beta, alpha):
    """p, Omega(p) - Omega(u), and the gradient of (Omega(p) - Omega(u))/beta in alpha."""
    p, u = maps.entmax(z, beta=beta, alpha=alpha), uniform(z)
    gain = tsallis_excess(p, alpha=alpha)
    dalpha = g * ((tsallis_alpha_derivative(p, alpha) - tsallis_alpha_derivative(u, alpha)) / beta)
    return p, gain, namespace(z).sum(dalpha)


def energy_gradient(g, xi, X, p, gain, beta, k):
    """(dxi, dX, dbeta) of |xi|^2/2 + (k M)^2/2 - p.z + gain/beta at the minimising p."""
    xp = namespace(xi)
    longest = xp.where(strongest(lengths(X))[:, None], X, 0.0)
    dX = k * k * xp.sum(g) * longest - outer(p, g[..., None] * xi)
    return g[..., None] * (xi - p @ X), dX, -xp.sum(g * (gain / beta / beta))


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, alpha=at_least_one,
    scratch="(...,n)")
def update(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.update`.  Source: Santos et al. 2024 [GR-2, FY-8].

    .. math:: w = q \circ (a - q^T a / \textstyle\sum_i q_i), \quad q_i = p_i^{2 - \alpha}, \quad
        a = X g, \quad d\xi = \beta X^T w, \quad dX = p\,g^T + \beta\, w\, \xi^T

    with dbeta and dalpha those of `gradients.maps.entmax` for the cotangent a.  Where one pattern
    is retrieved exactly, all gradients except dX are 0.

    >>> from hopref.gradients import sparse
    >>> sparse.update([1.0], [0.0], [[1.0], [-1.0]], alpha=2.0)[0]
    array([2.])
    """
    z = overlaps(xi, X)
    dz, dbeta, dalpha = map_gradients.entmax(g @ X.T, z, beta=beta, alpha=alpha)
    p = maps.entmax(z, beta=beta, alpha=alpha)
    return dz @ X, outer(p, g) + outer(dz, xi), dbeta, dalpha


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, alpha=at_least_one,
    scratch="(...,n)")
def weights(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.weights`.  Source: Santos et al. 2024 [GR-2, FY-8].

    .. math:: d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T, \quad
        w = q \circ (g - q^T g / \textstyle\sum_i q_i), \quad q_i = p_i^{2 - \alpha}

    >>> from hopref.gradients import sparse
    >>> sparse.weights([1.0, 0.0], [0.0], [[1.0], [-1.0]], alpha=2.0)[0]
    array([1.])
    """
    dz, dbeta, dalpha = map_gradients.entmax(g, overlaps(xi, X), beta=beta, alpha=alpha)
    return dz @ X, outer(dz, xi), dbeta, dalpha


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, gamma=above_one,
    scratch="(...,n)")
def normmax_energy(g, xi, X, /, *, beta=1.0, gamma=2.0):
    r"""Gradient of `sparse.normmax_energy`.  Source: Santos et al. 2024 [FY-2, FY-3].

    .. math:: d\xi = g\, (\xi - X^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, (\|p\|_\gamma - \|u\|_\gamma) / \beta^2, \quad
        d\gamma = g\, \partial_\gamma (\|p\|_\gamma - \|u\|_\gamma) / \beta

    >>> from hopref.gradients import sparse
    >>> sparse.normmax_energy(1.0, [0.5], [[1.0], [-1.0]], beta=8.0)[0]
    array([-0.5])
    """
    z = overlaps(xi, X)
    p, u = maps.normmax(z, beta=beta, gamma=gamma), uniform(z)
    gain = norm_excess(p, gamma=gamma)
    dgamma = g * ((norm_gamma_derivative(p, gamma) - norm_gamma_derivative(u, gamma)) / beta)
    return *energy_gradient(g, xi, X, p, gain, beta, 1), namespace(xi).sum(dgamma)


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, gamma=above_one,
    scratch="(...,n)")
def normmax_update(g, xi, X, /, *, beta=1.0, gamma=2.0):
    r"""Gradient of `sparse.normmax_update`.  Source: Santos et al. 2024 [GR-2, GR-7].

    .. math:: d\xi = \beta X^T w, \quad dX = p\,g^T + \beta\, w\, \xi^T

    with w, dbeta and dgamma those of `gradients.maps.normmax` for the cotangent X g.

    >>> from hopref.gradients import sparse
    >>> dxi, dX, dbeta, dgamma = sparse.normmax_update([1.0], [9.0], [[1.0], [-1.0]])
    >>> dxi, dX[:, 0]
    (array([0.]), array([1., 0.]))
    """
    z = overlaps(xi, X)
    dz, dbeta, dgamma = map_gradients.normmax(g @ X.T, z, beta=beta, gamma=gamma)
    p = maps.normmax(z, beta=beta, gamma=gamma)
    return dz @ X, outer(p, g) + outer(dz, xi), dbeta, dgamma


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, gamma=above_one,
    scratch="(...,n)")
def normmax_weights(g, xi, X, /, *, beta=1.0, gamma=2.0):
    r"""Gradient of `sparse.normmax_weights`.  Source: Santos et al. 2024 [GR-2, GR-7].

    .. math:: d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T

    with w, dbeta and dgamma those of `gradients.maps.normmax`.

    >>> from hopref.gradients import sparse
    >>> sparse.normmax_weights([1.0, 0.0], [9.0], [[1.0], [-1.0]])[0]
    array([0.])
    """
    dz, dbeta, dgamma = map_gradients.normmax(g, overlaps(xi, X), beta=beta, gamma=gamma)
    return dz @ X, outer(dz, xi), dbeta, dgamma


@op("(...),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, k=count, shape_rule=k_of_n,
    scratch="(...,n)")
def k_subsets_energy(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `sparse.k_subsets_energy`.  Source: Santos et al. 2024 [FY-2, FY-3].

    .. math:: d\xi = g\, (\xi - X^T \mu), \quad dX = g\, (k^2 m x_m^T - \mu\, \xi^T), \quad
        d\beta = -\tfrac12 g\, (\|\mu\|^2 - k^2/N) / \beta^2

    >>> from hopref.gradients import sparse
    >>> sparse.k_subsets_energy(1.0, [0.5], [[1.0], [-1.0]], k=1, beta=8.0)[0]
    array([-0.5])
    """
    z = overlaps(xi, X, k=k)
    mu = maps.k_subsets(z, k=k, beta=beta)
    return energy_gradient(g, xi, X, mu, half_square_excess(mu, k=k), beta, k)


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, k=count, shape_rule=k_of_n,
    scratch="(...,n)")
def k_subsets_update(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `sparse.k_subsets_update`.  Source: Santos et al. 2024 [GR-2, GR-7].

    .. math:: w = 1_F \circ (a - \operatorname{mean}_F a), \quad a = X g, \quad
        F = \{i : 0 < \mu_i < 1\}, \quad d\xi = \beta X^T w, \quad dX = \mu\,g^T + \beta\, w\,\xi^T

    >>> from hopref.gradients import sparse
    >>> sparse.k_subsets_update([1.0], [0.0], [[1.0], [-1.0]], k=1)[0]
    array([2.])
    """
    z = overlaps(xi, X, k=k)
    dz, dbeta = map_gradients.k_subsets(g @ X.T, z, k=k, beta=beta)
    return dz @ X, outer(maps.k_subsets(z, k=k, beta=beta), g) + outer(dz, xi), dbeta


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),()", beta=inverse_temperature, k=count, shape_rule=k_of_n,
    scratch="(...,n)")
def k_subsets_weights(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `sparse.k_subsets_weights`.  Source: Santos et al. 2024 [GR-2, GR-7].

    .. math:: d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T, \quad
        w = 1_F \circ (g - \operatorname{mean}_F g), \quad F = \{i : 0 < \mu_i < 1\}

    >>> from hopref.gradients import sparse
    >>> sparse.k_subsets_weights([1.0, 0.0], [0.0], [[1.0], [-1.0]], k=1)[0]
    array([1.])
    """
    dz, dbeta = map_gradients.k_subsets(g, overlaps(xi, X, k=k), k=k, beta=beta)
    return dz @ X, outer(dz, xi), dbeta


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, alpha=at_least_one,
    scratch="(...,n)")
def normalized_energy(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.normalized_energy`.  Source: Santos et al. 2024 [FY-6].

    .. math:: d\xi = -g\, X^T p, \quad dX = g\, (m\, x_m^T / \|x_m\| - p\, \xi^T)

    with m, dbeta and dalpha those of `energy`; the gradient of M is 0 at M = 0.

    >>> from hopref.gradients import sparse
    >>> dxi, dX, *_ = sparse.normalized_energy(1.0, [0.5], [[2.0], [-1.0]], beta=8.0)
    >>> dxi, dX[:, 0]
    (array([-2.]), array([0.5, 0. ]))
    """
    p, gain, dalpha = regulariser_terms(g, xi @ X.T, beta, alpha)
    return *normalized_energy_gradient(g, xi, X, p, gain, beta, longest_direction(X)), dalpha


def normalized_energy_gradient(g, xi, X, p, gain, beta, dM):
    """(dxi, dX, dbeta) of M - p.z + gain/beta at the minimising p; dM is the gradient of M."""
    xp = namespace(xi)
    dX = xp.sum(g) * dM - outer(p, g[..., None] * xi)
    return -g[..., None] * (p @ X), dX, -xp.sum(g * (gain / beta / beta))


def longest_direction(X):
    """The first pattern of largest norm, divided by its norm; 0 for all other patterns."""
    return namespace(X).where(strongest(lengths(X))[:, None], of_length_one(X), 0.0)


def uniform(z):
    return namespace(z).full_like(z, 1 / z.shape[-1])


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, alpha=at_least_one,
    scratch="(...,n)")
def normalized_update(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.normalized_update`: that of `update` for a tangential cotangent.

    Source: Santos et al. 2024 [GR-2, FY-6].

    .. math:: dy = \frac{g - \hat y\, \hat y^T g}{\|y\|}, \quad
        y = X^T \mathrm{entmax}_\alpha(\beta X \xi), \; \hat y = y / \|y\|

    The gradient is 0 where y = 0.

    >>> from hopref.gradients import sparse
    >>> sparse.normalized_update([7.0, 5.0], [9.0, 0.0], [[2.0, 0.0], [-2.0, 0.0]])[1]
    array([[0. , 2.5],
           [0. , 0. ]])
    """
    y = maps.entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X
    return update(normalisation_gradient(g, y), xi, X, beta=beta, alpha=alpha)


def normalisation_gradient(g, y):
    """Vector-Jacobian product of y / |y|: the projection orthogonal to y, divided by |y|."""
    n = of_length_one(y)
    return ratio(g - n * dot(n, g)[..., None], lengths(y)[..., None], 0.0)


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, alpha=at_least_one,
    scratch="(...,n)")
def layer_norm_energy(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.layer_norm_energy`.  Source: Santos et al. 2024 [FY-6].

    .. math:: d\xi = -g\, X^T p, \quad
        dX = g\, (\sqrt d\, m\, x_{c,m}^T / \|x_{c,m}\| - p\, \xi^T)

    with dbeta and dalpha those of `energy`; the index c denotes rows minus their means, and m is
    the indicator of the longest of these rows.

    >>> from hopref.gradients import sparse
    >>> sparse.layer_norm_energy(1.0, [1.0, -1.0], [[3.0, 1.0], [-3.0, -1.0]], beta=8.0)[0]
    array([-3., -1.])
    """
    p, gain, dalpha = regulariser_terms(g, xi @ X.T, beta, alpha)
    dM = math.sqrt(xi.shape[-1]) * longest_direction(centred(X))
    return *normalized_energy_gradient(g, xi, X, p, gain, beta, dM), dalpha


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", beta=inverse_temperature, alpha=at_least_one,
    scratch="(...,n)")
def layer_norm_update(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.layer_norm_update`: that of `update` for a centred cotangent.

    Source: Santos et al. 2024 [GR-2, FY-6].

    .. math:: dy = \sqrt d \left(\frac{g - n\, n^T g}{\|y_c\|}\right)_c, \quad
        n = y_c / \|y_c\|, \quad y = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    In two dimensions the gradient is 0, because the results are (1, -1) and (-1, 1).

    >>> from hopref.gradients import sparse
    >>> X = [[1.5**0.5, -(1.5**0.5), 0.0]]                              # of variance 1
    >>> sparse.layer_norm_update([0.0, 0.0, 3.0], [9.0, 0.0, 0.0], X)[1].round(12)
    array([[-1., -1.,  2.]])
    """
    y = centred(maps.entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X)
    dy = math.sqrt(xi.shape[-1]) * centred(normalisation_gradient(g, y))
    return update(dy, xi, X, beta=beta, alpha=alpha)
