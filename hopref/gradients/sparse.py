r"""Vector-Jacobian products of the sparse modern Hopfield networks.

``g`` is the cotangent of the result; the other arguments are those of `models.sparse`.  dX and the
derivatives with respect to numbers are summed over all states.

References: Santos, Niculae, McNamee & Martins 2024; Correia, Niculae & Martins 2019 (alpha).
"""
import math

from hopref import maps
from hopref.dispatch.domains import count, inverse_temperature, nonnegative
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
    shown,
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


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),(),()", beta=inverse_temperature, alpha=at_least_one,
    eps=nonnegative, scratch="(...,n)")
def normalized_energy(g, xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""Gradient of `sparse.normalized_energy`.  Source: Santos et al. 2024 [FY-6].

    .. math:: d\xi = g \left(\xi \sqrt{\frac{\epsilon}{1 - \|\xi\|^2}} - X^T p\right), \quad
        dX = g \left(\frac{m\, x_m^T}{\sqrt{\|x_m\|^2 + \epsilon}} - p\, \xi^T\right)

    with m, dbeta and dalpha those of `energy`; the gradient of M is 0 at M = 0, and the root is 0
    for |xi| >= 1.  With respect to eps it is that of M less sqrt(1 - |xi|^2)/(2 sqrt(eps)), of
    which the second part is set to 0 for eps = 0, where it is infinite.

    >>> from hopref.gradients import sparse
    >>> dxi, dX, *_ = sparse.normalized_energy(1.0, [0.5], [[2.0], [-1.0]], beta=8.0)
    >>> dxi, dX[:, 0]
    (array([-2.]), array([0.5, 0. ]))
    """
    p, gain, dalpha = regulariser_terms(g, xi @ X.T, beta, alpha)
    *others, deps = normalized_energy_gradient(g, xi, X, X, p, gain, beta, 1, eps)
    return *others, dalpha, deps


def normalized_energy_gradient(g, xi, X, Y, p, gain, beta, c, eps):
    """(dxi, dX, dbeta, deps) of r M - s(xi) - p.z + gain/beta at the minimising p, with c = r^2; Y
    are the patterns whose longest has the length M."""
    xp, rest = namespace(xi), c - dot(xi, xi)
    inside, all_of_g = rest > 0, xp.sum(g)
    root = xp.sqrt(xp.where(inside, rest, 1.0))
    pull = math.sqrt(c * eps) * shown(xi / root[..., None], inside[..., None]) - p @ X
    dX = math.sqrt(c) * all_of_g * longest_direction(Y, c * eps) - outer(p, g[..., None] * xi)
    slope = math.sqrt(c) / 2 * ratio(shown(root, inside), xp.full_like(root, math.sqrt(eps)), 0.0)
    deps = c * math.sqrt(c) / 2 * ratio(all_of_g, xp.max(lengths(Y, c * eps)), 0.0)
    return g[..., None] * pull, dX, -xp.sum(g * (gain / beta / beta)), deps - xp.sum(g * slope)


def longest_direction(X, square):
    """The first pattern of largest norm, divided by sqrt(|x|^2 + square); 0 for all others."""
    return namespace(X).where(strongest(lengths(X))[:, None], of_length_one(X, square), 0.0)


def uniform(z):
    return namespace(z).full_like(z, 1 / z.shape[-1])


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),(),()", beta=inverse_temperature, alpha=at_least_one,
    eps=nonnegative, scratch="(...,n)")
def normalized_update(g, xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""Gradient of `sparse.normalized_update`: that of `update` for a tangential cotangent.

    Source: Santos et al. 2024 [GR-2, FY-6].

    .. math:: dy = \frac{g - \hat y\, \hat y^T g}{s}, \quad
        y = X^T \mathrm{entmax}_\alpha(\beta X \xi), \; s = \sqrt{\|y\|^2 + \epsilon},
        \; \hat y = y / s

    The gradient is 0 where s = 0.  With respect to eps it is the sum of -g^T y / (2 s^3).

    >>> from hopref.gradients import sparse
    >>> sparse.normalized_update([7.0, 5.0], [9.0, 0.0], [[2.0, 0.0], [-2.0, 0.0]])[1]
    array([[0. , 2.5],
           [0. , 0. ]])
    """
    y = maps.entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X
    dy, deps = normalisation_gradient(g, y, 1, eps)
    return *update(dy, xi, X, beta=beta, alpha=alpha), deps


def normalisation_gradient(g, y, c, eps):
    """Vector-Jacobian product of sqrt(c) y / s, s = sqrt(|y|^2 + c eps): that of y, and of eps."""
    n, s = of_length_one(y, c * eps), lengths(y, c * eps)
    along, g = math.sqrt(c) * dot(n, g), math.sqrt(c) * g
    dy = ratio(g - n * along[..., None], s[..., None], 0.0)
    return dy, -c / 2 * namespace(y).sum(ratio(ratio(along, s, 0.0), s, 0.0))


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),(),()", beta=inverse_temperature, alpha=at_least_one,
    eps=nonnegative, scratch="(...,n)")
def layer_norm_energy(g, xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""Gradient of `sparse.layer_norm_energy`.  Source: Santos et al. 2024 [FY-6].

    .. math:: d\xi = g \left(\xi \sqrt{\frac{d \epsilon}{d - \|\xi\|^2}} - X^T p\right), \quad
        dX = g \left(\frac{\sqrt d\, m\, x_{c,m}^T}{\sqrt{\|x_{c,m}\|^2 + d \epsilon}}
        - p\, \xi^T\right)

    with dbeta and dalpha those of `energy`; the index c denotes rows minus their means, and m is
    the indicator of the longest of these rows.  The gradient with respect to eps is that of
    `normalized_energy`, for the radius sqrt(d).

    >>> from hopref.gradients import sparse
    >>> sparse.layer_norm_energy(1.0, [1.0, -1.0], [[3.0, 1.0], [-3.0, -1.0]], beta=8.0)[0]
    array([-3., -1.])
    """
    p, gain, dalpha = regulariser_terms(g, xi @ X.T, beta, alpha)
    *others, deps = normalized_energy_gradient(g, xi, X, centred(X), p, gain, beta, xi.shape[-1],
                                               eps)
    return *others, dalpha, deps


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),(),()", beta=inverse_temperature, alpha=at_least_one,
    eps=nonnegative, scratch="(...,n)")
def layer_norm_update(g, xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""Gradient of `sparse.layer_norm_update`: that of `update` for a centred cotangent.

    Source: Santos et al. 2024 [GR-2, FY-6].

    .. math:: dy = \sqrt d \left(\frac{g - n\, n^T g}{s}\right)_c, \quad
        s = \sqrt{\|y_c\|^2 + d \epsilon}, \quad n = y_c / s, \quad
        y = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    In two dimensions the gradient is 0 for eps = 0, because the results are (1, -1) and (-1, 1).
    With respect to eps it is the sum of -d^(3/2) g^T y_c / (2 s^3).

    >>> from hopref.gradients import sparse
    >>> X = [[1.5**0.5, -(1.5**0.5), 0.0]]                              # of variance 1
    >>> sparse.layer_norm_update([0.0, 0.0, 3.0], [9.0, 0.0, 0.0], X)[1].round(12)
    array([[-1., -1.,  2.]])
    """
    y = centred(maps.entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X)
    dy, deps = normalisation_gradient(g, y, xi.shape[-1], eps)
    return *update(centred(dy), xi, X, beta=beta, alpha=alpha), deps
