r"""Vector-Jacobian products of the sparse modern Hopfield networks.

``g`` is the cotangent of the result; the other arguments are those of `models.sparse`.  dX and the
derivatives with respect to numbers are summed over all states.

References: Santos, Niculae, McNamee & Martins 2024; Correia, Niculae & Martins 2019 (alpha).
"""
from hopref import maps
from hopref.demands import k_of_n
from hopref.domains import count, positive
from hopref.gradients import maps as through
from hopref.gradients.maps import norm_gamma, tsallis_alpha
from hopref.maps import dot, outer, strongest
from hopref.maps.sparse import above_one, at_least_one
from hopref.models.sparse import uniform
from hopref.namespace import namespace
from hopref.op import op

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights"]


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", beta=positive, alpha=at_least_one,
    scratch="(...,n)")
def energy(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.energy`.  Source: Santos et al. 2024 [FY-2, FY-3].

    .. math:: d\xi = g\, (\xi - X^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, (\Omega(p) - \Omega(u)) / \beta^2, \quad
        d\alpha = g\, \partial_\alpha (\Omega(p) - \Omega(u)) / \beta

    m is the indicator of the longest pattern, the first of equals, and u = 1/N.

    >>> from hopref.gradients import sparse
    >>> sparse.energy(1.0, [0.5], [[1.0], [-1.0]], beta=8.0, alpha=2.0)[0]
    array([-0.5])
    """
    z = xi @ X.T
    p, u = maps.entmax(z, beta=beta, alpha=alpha), uniform(z, 1)
    gain = maps.tsallis(p, alpha=alpha) - maps.tsallis(u, alpha=alpha)
    dalpha = g * ((tsallis_alpha(p, alpha) - tsallis_alpha(u, alpha)) / beta)
    return *of_energy(g, xi, X, p, gain, beta, 1), namespace(xi).sum(dalpha)


def of_energy(g, xi, X, p, gain, beta, k):
    """dxi, dX, dbeta of |xi|^2/2 + (k M)^2/2 - p.z + gain/beta, at its largest in p."""
    xp = namespace(xi)
    longest = xp.where(strongest(dot(X, X))[:, None], X, 0.0)
    dX = k * k * xp.sum(g) * longest - outer(p, g[..., None] * xi)
    return g[..., None] * (xi - p @ X), dX, -xp.sum(g * (gain / beta / beta))


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", beta=positive, alpha=at_least_one,
    scratch="(...,n)")
def update(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.update`.  Source: Santos et al. 2024 [GR-2, FY-8].

    .. math:: w = q \circ (a - q^T a / \textstyle\sum_i q_i), \quad q_i = p_i^{2 - \alpha}, \quad
        a = X g, \quad d\xi = \beta X^T w, \quad dX = p\,g^T + \beta\, w\, \xi^T

    with dbeta and dalpha those of `gradients.maps.entmax` for the cotangent a.  All are 0 but
    dX where one pattern is retrieved exactly.

    >>> from hopref.gradients import sparse
    >>> sparse.update([1.0], [0.0], [[1.0], [-1.0]], alpha=2.0)[0]
    array([2.])
    """
    z = xi @ X.T
    dz, dbeta, dalpha = through.entmax(g @ X.T, z, beta=beta, alpha=alpha)
    p = maps.entmax(z, beta=beta, alpha=alpha)
    return dz @ X, outer(p, g) + outer(dz, xi), dbeta, dalpha


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),(),()", beta=positive, alpha=at_least_one,
    scratch="(...,n)")
def weights(g, xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `sparse.weights`.  Source: Santos et al. 2024 [GR-2, FY-8].

    .. math:: d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T, \quad
        w = q \circ (g - q^T g / \textstyle\sum_i q_i), \quad q_i = p_i^{2 - \alpha}

    >>> from hopref.gradients import sparse
    >>> sparse.weights([1.0, 0.0], [0.0], [[1.0], [-1.0]], alpha=2.0)[0]
    array([1.])
    """
    dz, dbeta, dalpha = through.entmax(g, xi @ X.T, beta=beta, alpha=alpha)
    return dz @ X, outer(dz, xi), dbeta, dalpha


@op("(...),(...,d),(n,d)->(...,d),(n,d),(),()", beta=positive, gamma=above_one, scratch="(...,n)")
def normmax_energy(g, xi, X, /, *, beta=1.0, gamma=2.0):
    r"""Gradient of `sparse.normmax_energy`.  Source: Santos et al. 2024 [FY-2, FY-3].

    .. math:: d\xi = g\, (\xi - X^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, (\|p\|_\gamma - \|u\|_\gamma) / \beta^2, \quad
        d\gamma = g\, \partial_\gamma (\|p\|_\gamma - \|u\|_\gamma) / \beta

    >>> from hopref.gradients import sparse
    >>> sparse.normmax_energy(1.0, [0.5], [[1.0], [-1.0]], beta=8.0)[0]
    array([-0.5])
    """
    z = xi @ X.T
    p, u = maps.normmax(z, beta=beta, gamma=gamma), uniform(z, 1)
    gain = maps.norm(p, gamma=gamma) - maps.norm(u, gamma=gamma)
    dgamma = g * ((norm_gamma(p, gamma) - norm_gamma(u, gamma)) / beta)
    return *of_energy(g, xi, X, p, gain, beta, 1), namespace(xi).sum(dgamma)


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(),()", beta=positive, gamma=above_one,
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
    z = xi @ X.T
    dz, dbeta, dgamma = through.normmax(g @ X.T, z, beta=beta, gamma=gamma)
    p = maps.normmax(z, beta=beta, gamma=gamma)
    return dz @ X, outer(p, g) + outer(dz, xi), dbeta, dgamma


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),(),()", beta=positive, gamma=above_one,
    scratch="(...,n)")
def normmax_weights(g, xi, X, /, *, beta=1.0, gamma=2.0):
    r"""Gradient of `sparse.normmax_weights`.  Source: Santos et al. 2024 [GR-2, GR-7].

    .. math:: d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T

    with w, dbeta and dgamma those of `gradients.maps.normmax`.

    >>> from hopref.gradients import sparse
    >>> sparse.normmax_weights([1.0, 0.0], [9.0], [[1.0], [-1.0]])[0]
    array([0.])
    """
    dz, dbeta, dgamma = through.normmax(g, xi @ X.T, beta=beta, gamma=gamma)
    return dz @ X, outer(dz, xi), dbeta, dgamma


@op("(...),(...,d),(n,d)->(...,d),(n,d),()", beta=positive, k=count, fits=k_of_n,
    scratch="(...,n)")
def k_subsets_energy(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `sparse.k_subsets_energy`.  Source: Santos et al. 2024 [FY-2, FY-3].

    .. math:: d\xi = g\, (\xi - X^T \mu), \quad dX = g\, (k^2 m x_m^T - \mu\, \xi^T), \quad
        d\beta = -\tfrac12 g\, (\|\mu\|^2 - k^2/N) / \beta^2

    >>> from hopref.gradients import sparse
    >>> sparse.k_subsets_energy(1.0, [0.5], [[1.0], [-1.0]], k=1, beta=8.0)[0]
    array([-0.5])
    """
    z = xi @ X.T
    mu = maps.k_subsets(z, k=k, beta=beta)
    gain = maps.half_square(mu) - maps.half_square(uniform(z, k))
    return of_energy(g, xi, X, mu, gain, beta, k)


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),()", beta=positive, k=count, fits=k_of_n,
    scratch="(...,n)")
def k_subsets_update(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `sparse.k_subsets_update`.  Source: Santos et al. 2024 [GR-2, GR-7].

    .. math:: w = 1_F \circ (a - \operatorname{mean}_F a), \quad a = X g, \quad
        F = \{i : 0 < \mu_i < 1\}, \quad d\xi = \beta X^T w, \quad dX = \mu\,g^T + \beta\, w\,\xi^T

    >>> from hopref.gradients import sparse
    >>> sparse.k_subsets_update([1.0], [0.0], [[1.0], [-1.0]], k=1)[0]
    array([2.])
    """
    z = xi @ X.T
    dz, dbeta = through.k_subsets(g @ X.T, z, k=k, beta=beta)
    return dz @ X, outer(maps.k_subsets(z, k=k, beta=beta), g) + outer(dz, xi), dbeta


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),()", beta=positive, k=count, fits=k_of_n,
    scratch="(...,n)")
def k_subsets_weights(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `sparse.k_subsets_weights`.  Source: Santos et al. 2024 [GR-2, GR-7].

    .. math:: d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T, \quad
        w = 1_F \circ (g - \operatorname{mean}_F g), \quad F = \{i : 0 < \mu_i < 1\}

    >>> from hopref.gradients import sparse
    >>> sparse.k_subsets_weights([1.0, 0.0], [0.0], [[1.0], [-1.0]], k=1)[0]
    array([1.])
    """
    dz, dbeta = through.k_subsets(g, xi @ X.T, k=k, beta=beta)
    return dz @ X, outer(dz, xi), dbeta
