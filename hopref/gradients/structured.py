r"""Vector-Jacobian products of nonparametric and sparse-structured modern Hopfield networks.

``g`` is the cotangent of the result; the other arguments are those of `models.structured`.  The
gradient of a pattern outside of every support is 0.  For a state with an empty support only the
term |xi|^2/2 of the energy has a gradient.  Supports, and the selection of the k largest scores,
are constants.

References: Hu et al. 2025, *Nonparametric Modern Hopfield Models*; Ramsauer et al. 2021,
Appendix A.1.7.
"""
import math

from hopref.dispatch.domains import count, flag, inverse_temperature, mask, state
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n
from hopref.features import random_features
from hopref.gradients import maps as map_gradients
from hopref.gradients.attention import linear_attention
from hopref.gradients.features.deterministic import deterministic_features
from hopref.gradients.modern import energy_gradient, energy_temperature_gradient
from hopref.gradients.performer import attention
from hopref.maps import (
    among,
    dot,
    masked,
    outer,
    overlaps,
    seen,
    softmax,
    strongest,
    table,
    top_k,
    zero_denominators,
)
from hopref.models import structured
from hopref.models.structured import supported

__all__ = ["energy", "update", "weights", "pair_update", "top_k_energy", "top_k_update",
           "top_k_weights", "linear_update", "random_feature_update"]


@op("(...),(...,d),(n,d),(...,n)->(...,d),(n,d),()", support=mask("(...,n)"),
    beta=inverse_temperature, scratch="(...,n)")
def energy(g, xi, X, support=True, /, *, beta=1.0):
    r"""Gradient of `structured.energy`.

    Source: Ramsauer et al. 2021, eqs. (2), (3), for the patterns of a support M [GR-2, NP-3].

    .. math:: d\xi = g\, (\xi - X_M^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, \mathrm{KL}(p \,\|\, u_M) / \beta^2

    m is the indicator of the first pattern of M of largest norm, and u_M = 1/|M|.

    >>> from hopref.gradients import structured
    >>> dxi, dX, dbeta = structured.energy(1.0, [0.5], [[2.0], [5.0]], [True, False])
    >>> dxi, dX[:, 0]
    (array([-1.5]), array([1.5, 0. ]))
    """
    z, lengths = seen(overlaps(xi, X, support), support), seen(dot(X, X), support)
    p, longest = softmax(z, beta=beta), strongest(lengths) & (lengths > -math.inf)
    dxi, dX = energy_gradient(g, xi, X, p, longest)
    return dxi, dX, energy_temperature_gradient(g, p, z, z, beta, support)


@op("(...,d),(...,d),(n,d),(...,n)->(...,d),(n,d),()", beta=inverse_temperature, **supported)
def update(g, xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    r"""Gradient of `structured.update`.

    Source: Hu et al. 2025, differentiated as in Ramsauer et al. 2021, A.1.7 [GR-2, NP-3].

    .. math:: w = p \circ (a - p^T a), \quad a = X g, \quad d\xi = \beta X^T w, \quad
        dX = p\,g^T + \beta\, w\, \xi^T, \quad d\beta = w^T X \xi

    with p = 0 outside of the support.

    >>> from hopref.gradients import structured
    >>> structured.update([1.0], [0.0], [[1.0], [-1.0], [5.0]], [True, True, False])[1][:, 0]
    array([0.5, 0.5, 0. ])
    """
    dxi, dX, ddelta, dbeta = pair_update(g, xi, X, support, beta=beta)
    return dxi, dX, dbeta


@op("(...,n),(...,d),(n,d),(...,n)->(...,d),(n,d),(n,d),()", delta=state("(n,d)"),
    beta=inverse_temperature, renormalise=flag, **supported)
def weights(g, xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
            empty_row="zeros"):
    r"""Gradient of `structured.weights`.

    Source: Hu et al. 2025, differentiated [GR-2, NP-2, NP-3].

    .. math:: w = p \circ (g_M - p^T g_M), \quad d\xi = \beta (X + \Delta)^T w, \quad
        dX = d\Delta = \beta\, w\, \xi^T, \quad d\beta = w^T (X + \Delta) \xi

    The sum of p is 1 over M, or over all patterns if ``renormalise`` is False; g_M is 0 outside of
    M.

    Returns
    -------
    (dxi, dX, ddelta, dbeta)

    >>> from hopref.gradients import structured
    >>> structured.weights([1.0, 9.0], [3.0], [[0.0], [0.0]], [True, False], renormalise=False)[1]
    array([[ 0.75],
           [-0.75]])
    """
    keys, g = X + delta, masked(g[..., None], support, 0.0)[..., 0]
    among_these = among(support, renormalise)
    z = overlaps(xi, keys, among_these)
    dz, dbias, dbeta = map_gradients.softmax(g, z, beta=beta, where=among_these)
    return dz @ keys, outer(dz, xi), outer(dz, xi), dbeta


@op("(...,d),(...,d),(n,d),(...,n)->(...,d),(n,d),(n,d),()", delta=state("(n,d)"),
    beta=inverse_temperature, renormalise=flag, **supported)
def pair_update(g, xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                empty_row="zeros"):
    r"""Gradient of `structured.pair_update`, in which patterns are also the values.

    Source: Hu et al. 2025, differentiated [GR-2, NP-1, NP-2, NP-3].

    .. math:: w = p \circ (a_M - p^T a_M), \quad a = X g, \quad
        d\xi = \beta (X + \Delta)^T w, \quad d\Delta = \beta\, w\, \xi^T, \quad
        dX = p_M\, g^T + d\Delta

    Returns
    -------
    (dxi, dX, ddelta, dbeta)

    >>> from hopref.gradients import structured
    >>> structured.pair_update([1.0], [0.0], [[3.0], [4.0]], delta=[[1.0], [0.0]])[:2]
    (array([0.]), array([[0.5],
           [0.5]]))
    """
    dxi, dkeys, ddelta, dbeta = weights(g @ X.T, xi, X, support, delta=delta, beta=beta,
                                        renormalise=renormalise)
    p = structured.weights(xi, X, support, delta=delta, beta=beta, renormalise=renormalise)
    return dxi, outer(p, g) + dkeys, ddelta, dbeta


@op("(...),(...,d),(n,d)->(...,d),(n,d),()", k=count, beta=inverse_temperature, shape_rule=k_of_n,
    scratch="(...,n)")
def top_k_energy(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `structured.top_k_energy`: that of `energy` for the k selected patterns.

    Source: Hu et al. 2025, differentiated [GR-2, NP-3].

    .. math:: d\xi = g\, (\xi - X^T p), \quad dX = g\, (m x_m^T - p\, \xi^T), \quad
        d\beta = -g\, \mathrm{KL}(p \,\|\, 1/k) / \beta^2

    where m is the indicator of the first of all patterns with the largest norm.

    >>> from hopref.gradients import structured
    >>> structured.top_k_energy(1.0, [0.5], [[2.0], [-5.0]], k=1)[1]
    array([[-0.5],
           [-5. ]])
    """
    z = overlaps(xi, X)
    p, best = top_k(z, k=k, beta=beta), namespace(z).sort(z, axis=-1)[..., -k:]
    dxi, dX = energy_gradient(g, xi, X, p, strongest(dot(X, X)))
    return dxi, dX, energy_temperature_gradient(g, p, z, best, beta)


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),()", k=count, beta=inverse_temperature, shape_rule=k_of_n,
    scratch="(...,n)")
def top_k_update(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `structured.top_k_update`: that of `update` for the selected patterns.

    Source: Hu et al. 2025, differentiated [GR-2, NP-3].

    .. math:: w = p \circ (a - p^T a), \quad a = X g, \quad d\xi = \beta X^T w, \quad
        dX = p\,g^T + \beta\, w\, \xi^T, \quad d\beta = w^T X \xi

    >>> from hopref.gradients import structured
    >>> structured.top_k_update([1.0], [0.0], [[1.0], [2.0], [6.0]], k=2)[1][:, 0]
    array([0.5, 0.5, 0. ])
    """
    dxi, dX, dbeta = top_k_weights(g @ X.T, xi, X, k=k, beta=beta)
    return dxi, outer(structured.top_k_weights(xi, X, k=k, beta=beta), g) + dX, dbeta


@op("(...,n),(...,d),(n,d)->(...,d),(n,d),()", k=count, beta=inverse_temperature, shape_rule=k_of_n,
    scratch="(...,n)")
def top_k_weights(g, xi, X, /, *, k, beta=1.0):
    r"""Gradient of `structured.top_k_weights`.

    Source: Hu et al. 2025, differentiated [GR-2, NP-3].

    .. math:: d\xi = \beta X^T w, \quad dX = \beta\, w\, \xi^T, \quad d\beta = w^T X \xi, \quad
        w = p \circ (g - p^T g)

    >>> from hopref.gradients import structured
    >>> structured.top_k_weights([1.0, 0.0, 0.0], [0.0], [[1.0], [2.0], [6.0]], k=2)[0]
    array([-0.25])
    """
    dz, dbeta = map_gradients.top_k(g, overlaps(xi, X), k=k, beta=beta)
    return dz @ X, outer(dz, xi), dbeta


@op("(...,d),(...,d),(n,d)->(...,d),(n,d),(n,d)", delta=state("(n,d)"),
    features=deterministic_features, empty_row=zero_denominators)
def linear_update(g, xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    r"""Gradient of `structured.linear_update`.

    Source: Hu et al. 2025, linear models, differentiated [GR-4, NP-4, AT-2].

    .. math:: d\xi = \phi'(\xi)^T dq', \quad d\Delta = \phi'(X + \Delta)^T dK', \quad
        dX = K' dS + d\Delta

    with dq', dK' and dS from `gradients.attention.linear_attention`.

    Returns
    -------
    (dxi, dX, ddelta)

    >>> from hopref.gradients import structured
    >>> structured.linear_update([1.0], [0.0], [[0.0], [3.0]])[2]       # (0 - 2.4)/5, (3 - 2.4)/5
    array([[-0.48],
           [ 0.12]])
    """
    (phi, pulled), queries, keys = features, table(xi), X + delta
    dq, dk, dV, dS, dz, deps = linear_attention(table(g), phi(queries), phi(keys), X)
    ddelta = pulled(dk, keys)
    return namespace(X).reshape(pulled(dq, queries), xi.shape), dV + ddelta, ddelta


@op("(...,d),(...,d),(n,d),(m,d)->(...,d),(n,d),(m,d),(n,d),()", delta=state("(n,d)"),
    features=random_features, beta=inverse_temperature, empty_row=zero_denominators)
def random_feature_update(g, xi, X, omega, /, *, delta=0.0, beta=1.0, features="positive",
                          empty_row="zeros"):
    r"""Gradient of `structured.random_feature_update`, for one draw.

    Source: Hu et al. 2025, positive random feature models, differentiated [GR-4, GR-6, NP-6].

    .. math:: d\xi = \phi'(\xi)^T dq', \quad d\Delta = \phi'(X + \Delta)^T dK', \quad
        dX = K' dS + d\Delta

    Returns
    -------
    (dxi, dX, domega, ddelta, dbeta)

    >>> from hopref.gradients import structured
    >>> structured.random_feature_update([1.0], [1.0], [[2.0], [2.0]], [[0.3]])[1]
    array([[0.5],
           [0.5]])
    """
    dQ, dK, dV, domega, dbeta = attention(table(g), table(xi), X + delta, X, omega,
                                          features=features, scale=beta)
    return namespace(X).reshape(dQ, xi.shape), dK + dV, domega, dK, dbeta
