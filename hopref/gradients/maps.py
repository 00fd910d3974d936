r"""Vector-Jacobian products of the separation maps and of their potentials.

The differential of every map is :math:`dp = \beta\, q \circ (dz - \bar{dz})`, where the mean is
weighted by q.  The weights q are p for softmax, :math:`p^{2-\alpha}` for entmax, 1 inside the
support for sparsemax, and 1 strictly between the bounds for k-subsets.  The Jacobian is symmetric.

References: Martins & Astudillo 2016; Peters, Niculae & Martins 2019; Correia, Niculae & Martins
2019, *Adaptively Sparse Transformers* (the derivative in alpha).
"""
import math

from hopref import maps
from hopref.dispatch.domains import count, mask, positive, scores
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.dispatch.preconditions import k_of_n
from hopref.maps import (
    beside_sink,
    dot,
    empty_rows,
    finite_or_zero,
    power_remainder,
    raised,
    raised_log,
    ratio,
    something_visible,
    strongest,
    taking_part,
)
from hopref.maps.sparse import above_one, at_least_one, seen

__all__ = ["softmax", "sink_softmax", "logsumexp", "sparsemax", "entmax", "entmax_threshold",
           "normmax", "k_subsets", "top_k", "entmax_conjugate", "normmax_conjugate",
           "k_subsets_conjugate"]

options = dict(z=scores(), beta=positive, where=mask("(...,n)"), empty_row=empty_rows)


@overridable
def weighted_mean(q, g):
    """The mean of g with weights q."""
    return ratio(dot(q, g), namespace(q).sum(q, axis=-1), 0.0)[..., None]


@overridable
def jacobian_product(q, g):
    """Product of a map's Jacobian with g: q (g - mean), where the mean is weighted by q.

    Rows sum to 0, and the entry of largest weight is computed as minus the sum of the others: if it
    has nearly all the weight, the difference g - mean would cancel.
    """
    xp, most = namespace(q), strongest(q)
    others = xp.where(most, 0.0, q * (g - weighted_mean(q, g)))
    return xp.where(most, 0.0 - xp.sum(others, axis=-1, keepdims=True), others)


@overridable
def interior(mu):
    """1 strictly between the bounds 0 and 1, else 0."""
    return namespace(mu).astype((mu > 0) & (mu < 1), mu.dtype)


def gaps(z):
    """Differences z - max z <= 0 of each row; 0 where z is -inf."""
    xp, top = namespace(z), finite_or_zero(namespace(z).max(z, axis=-1, keepdims=True))
    return xp.where(z > -math.inf, z - top, 0.0)


@overridable
def temperature_gradient(w, z, axis=None):
    """Sum of w z, where rows of w sum to 0: scores are measured from the largest of their row."""
    return namespace(z).sum(w * gaps(z), axis=axis)


@op("(...,n),(...,n)->(...,n),(...,n),()", bias=scores("(...,n)"), precondition=something_visible,
    **options)
def softmax(g, z, /, *, beta=1.0, bias=0.0, where=True, empty_row="zeros"):
    r"""Gradient of `maps.softmax`.  Source: Ramsauer et al. 2021, Appendix A [GR-1].

    .. math:: w = p \circ (g - p^T g), \quad (dz, db, d\beta) = (\beta w, w, w^T z)

    Returns
    -------
    (dz, dbias, dbeta) : 0 for rows in which no entry takes part, for every ``empty_row``

    >>> from hopref.gradients import maps
    >>> maps.softmax([1.0, 0.0], [0.0, 0.0], beta=2.0)
    (array([ 0.5, -0.5]), array([ 0.25, -0.25]), np.float64(0.0))
    """
    w = jacobian_product(maps.softmax(z, beta=beta, bias=bias, where=where), g)
    return beta * w, w, temperature_gradient(w, taking_part(z, bias, where))


@op("(...,n),(...,n),(...)->(...,n),(...),(...,n),()", z=scores(), beta=positive,
    bias=scores("(...,n)"), where=mask("(...,n)"))
def sink_softmax(g, z, sink, /, *, beta=1.0, bias=0.0, where=True):
    r"""Gradient of `maps.sink_softmax`.  Source: the attention sinks of gpt-oss [SK-2].

    .. math:: w = p \circ (g - p^T g), \quad
        (dz, ds, db, d\beta) = (\beta w, -p_s\, p^T g, w, w^T z)

    where p_s = 1 - sum p is the weight of the sink.

    Parameters
    ----------
    sink : score of the sink, in the units of beta z

    >>> from hopref.gradients import maps
    >>> maps.sink_softmax([1.0], [0.0], 0.0)[:2]
    (array([0.25]), np.float64(-0.25))
    """
    z = with_last(z, 0.0)
    bias, where = beside_sink(z, sink[..., None], bias, where)
    dz, dbias, dbeta = softmax.formula(with_last(g, 0.0), z, beta=beta, bias=bias, where=where)
    return dz[..., :-1], dbias[..., -1], dbias[..., :-1], dbeta


def with_last(x, number):
    """Rows with this number as one more entry."""
    xp = namespace(x)
    return xp.concat([x, xp.zeros_like(x[..., :1]) + number], axis=-1)


@op("(...),(...,n)->(...,n),()", z=scores(), beta=positive)
def logsumexp(g, z, /, *, beta=1.0):
    r"""Gradient of `maps.logsumexp`: the softmax.  Source: Ramsauer et al. 2021, eq. (3) [GR-1].

    .. math:: dz = g\,p, \quad d\beta = g\, (p^T z - \mathrm{lse}(\beta, z)) / \beta

    >>> from hopref.gradients import maps
    >>> maps.logsumexp(2.0, [1.0, 1.0])[0]
    array([1., 1.])
    """
    p = maps.softmax(z, beta=beta)
    return g[..., None] * p, logsumexp_temperature_gradient(g, p, z, beta)


@overridable
def logsumexp_temperature_gradient(g, p, z, beta):
    """Gradient of `maps.logsumexp` in beta: scores are measured from the largest of their row."""
    xp = namespace(z)
    below = z - finite_or_zero(xp.max(z, axis=-1, keepdims=True))
    total = finite_or_zero(maps.logsumexp(below, beta=beta))
    return xp.sum(g * ((dot(p, gaps(z)) - total) / beta))


@op("(...,n),(...,n)->(...,n),()", precondition=something_visible, **options)
def sparsemax(g, z, /, *, beta=1.0, where=True, empty_row="zeros"):
    r"""Gradient of `maps.sparsemax`.  Source: Martins & Astudillo 2016 [GR-7, FY-8].

    .. math:: w = 1_S \circ (g - \operatorname{mean}_S g), \quad (dz, d\beta) = (\beta w, w^T z)

    where S is the support of the result.

    >>> from hopref.gradients import maps
    >>> maps.sparsemax([1.0, 0.0, 5.0], [0.0, 0.0, -9.0])[0]
    array([ 0.5, -0.5,  0. ])
    """
    dz, dbeta, dalpha = entmax(g, z, beta=beta, alpha=2.0, where=where)
    return dz, dbeta


@op("(...,n),(...,n)->(...,n),(),()", alpha=at_least_one, precondition=something_visible, **options)
def entmax(g, z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    r"""Gradient of `maps.entmax`, including the derivative in alpha.

    Source: Peters, Niculae & Martins 2019; Correia, Niculae & Martins 2019 [GR-7, FY-8].

    .. math:: w = q \circ \left(g - \bar g\right), \quad q_i = p_i^{2 - \alpha}, \quad
        \bar g = q^T g / \textstyle\sum_i q_i, \quad (dz, d\beta) = (\beta w, w^T z)

    .. math:: d\alpha = -\sum_i p_i (g_i - \bar g)
        \frac{e^{x_i} - 1 - x_i}{(\alpha - 1)^2}, \quad x_i = -(\alpha - 1) \ln p_i

    The last quotient is :math:`\tfrac12 \ln^2 p_i` at alpha = 1.  Sums are over the support.

    Returns
    -------
    (dz, dbeta, dalpha)

    >>> from hopref.gradients import maps
    >>> maps.entmax([1.0, 0.0], [0.0, 0.0], beta=2.0, alpha=2.0)[0]
    array([ 1., -1.])
    """
    xp, p = namespace(z), maps.entmax(z, beta=beta, alpha=alpha, where=where)
    q = raised(p, 2 - alpha)
    w, away = jacobian_product(q, g), g - weighted_mean(q, g)
    dalpha = -xp.sum(power_remainder(p, 1, alpha - 1) * away)
    return beta * w, temperature_gradient(w, seen(z, where)), dalpha


@op("(...),(...,n)->(...,n),(),()", z=scores(), beta=positive, alpha=above_one,
    where=mask("(...,n)"))
def entmax_threshold(g, z, /, *, beta=1.0, alpha=1.5, where=True):
    r"""Gradient of `maps.entmax_threshold`, including the derivative in alpha.

    Source: Peters, Niculae & Martins 2019, by the condition that the sum is 1 [GR-7].

    .. math:: dz = g\,(\alpha - 1) \beta\, s, \quad d\beta = g\,(\alpha - 1)\, s^T z, \quad
        d\alpha = g \left(\beta\, s^T z - \frac{\sum_i p_i \ln p_i}{\sum_i q_i}\right), \quad
        q_i = p_i^{2 - \alpha}, \quad s = q / \textstyle\sum_i q_i

    Returns
    -------
    (dz, dbeta, dalpha) : 0 for rows in which no entry takes part

    >>> from hopref.gradients import maps
    >>> maps.entmax_threshold(1.0, [0.0, 0.0, -9.0], alpha=2.0)[0]
    array([0.5, 0.5, 0. ])
    """
    xp, p, z = namespace(z), maps.entmax(z, beta=beta, alpha=alpha, where=where), seen(z, where)
    q = raised(p, 2 - alpha)
    total = xp.sum(q, axis=-1, keepdims=True)
    share, entropy = ratio(q, total, 0.0), -xp.sum(raised_log(p, 1), axis=-1)
    mean = dot(share, xp.where(z > -math.inf, z, 0.0))
    dalpha = xp.sum(g * (beta * mean + ratio(entropy, total[..., 0], 0.0)))
    return (alpha - 1) * beta * g[..., None] * share, (alpha - 1) * xp.sum(g * mean), dalpha


@op("(...,n),(...,n)->(...,n),(),()", gamma=above_one, precondition=something_visible, **options)
def normmax(g, z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    r"""Gradient of `maps.normmax`, including the derivative in gamma.

    Source: after Blondel, Martins & Niculae 2020, by the optimality conditions [GR-7].

    .. math:: w = h - p \textstyle\sum_i h_i, \quad h = q \circ (g - p^T g), \quad
        q_i = \frac{N}{\gamma - 1} y_i^{2 - \gamma}, \quad y = p / N, \; N = \|p\|_\gamma

    .. math:: d\gamma = -\frac{N}{\gamma - 1} \sum_i (g_i - p^T g) \left(y_i \ln y_i
        - \frac{N}{\gamma}\, y_i^{2 - \gamma} \sum_j y_j^\gamma \ln y_j\right)

    with :math:`(dz, d\beta) = (\beta w, w^T z)`.  Sums are over the support.

    Returns
    -------
    (dz, dbeta, dgamma)

    >>> from hopref.gradients import maps
    >>> [float(d.round(12)) for d in maps.normmax([1.0, 0.0], [0.0, 0.0])[0]]     # sqrt(1/8)
    [0.353553390593, -0.353553390593]
    """
    xp, p = namespace(z), maps.normmax(z, beta=beta, gamma=gamma, where=where)
    N = maps.norm(p, gamma=gamma)[..., None] + 1
    y, away = ratio(p, N, 0.0), g - weighted_mean(p, g)
    q = raised(y, 2 - gamma) * N / (gamma - 1)
    h = q * away
    w = h - p * xp.sum(h, axis=-1, keepdims=True)
    entropy = xp.sum(raised_log(y, gamma), axis=-1, keepdims=True)
    dy = raised_log(y, 1) - N * entropy / gamma * raised(y, 2 - gamma)
    dgamma = -xp.sum(N * away * dy) / (gamma - 1)
    return beta * w, temperature_gradient(w, seen(z, where)), dgamma


@op("(...,n),(...,n)->(...,n),()", k=count, shape_rule=k_of_n, precondition=something_visible,
    **options)
def k_subsets(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    r"""Gradient of `maps.k_subsets`.  Source: Niculae et al. 2018 [GR-7].

    .. math:: w = 1_F \circ (g - \operatorname{mean}_F g), \quad F = \{i : 0 < \mu_i < 1\},
        \quad (dz, d\beta) = (\beta w, w^T z)

    >>> from hopref.gradients import maps
    >>> maps.k_subsets([1.0, 0.0, 5.0], [0.0, 0.0, -9.0], k=1)[0]
    array([ 0.5, -0.5,  0. ])
    """
    mu = maps.k_subsets(z, k=k, beta=beta, where=where)
    w = jacobian_product(interior(mu), g)
    return beta * w, temperature_gradient(w, seen(z, where))


@op("(...,n),(...,n)->(...,n),()", k=count, shape_rule=k_of_n, precondition=something_visible,
    **options)
def top_k(g, z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    r"""Gradient of `maps.top_k`: that of the softmax of the selected entries.

    Source: after Hu et al. 2024, top-K memories [GR-1, NP-3].

    .. math:: w = p \circ (g - p^T g), \quad (dz, d\beta) = (\beta w, w^T z)

    >>> from hopref.gradients import maps
    >>> maps.top_k([1.0, 0.0, 5.0], [0.0, 0.0, -9.0], k=2)[0]
    array([ 0.25, -0.25,  0.  ])
    """
    w = jacobian_product(maps.top_k(z, k=k, beta=beta, where=where), g)
    return beta * w, temperature_gradient(w, seen(z, where))


@op("(...),(...,n)->(...,n),(),()", beta=positive, alpha=at_least_one)
def entmax_conjugate(g, z, /, *, beta=1.0, alpha=1.5):
    r"""Gradient of `maps.entmax_conjugate`: entmax.

    Source: Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: dz = g\,p, \quad d\beta = g\, \Omega(p) / \beta^2, \quad
        d\alpha = -g\, \partial_\alpha \Omega(p) / \beta, \quad p = \mathrm{entmax}_\alpha(\beta z)

    >>> from hopref.gradients import maps
    >>> maps.entmax_conjugate(1.0, [0.0, 0.0], alpha=2.0)[:2]
    (array([0.5, 0.5]), np.float64(-0.25))
    """
    xp, p = namespace(z), maps.entmax(z, beta=beta, alpha=alpha)
    dbeta = xp.sum(g * (maps.tsallis(p, alpha=alpha) / beta / beta))
    return g[..., None] * p, dbeta, -xp.sum(g * tsallis_alpha_derivative(p, alpha)) / beta


@op("(...),(...,n)->(...,n),(),()", beta=positive, gamma=above_one)
def normmax_conjugate(g, z, /, *, beta=1.0, gamma=2.0):
    r"""Gradient of `maps.normmax_conjugate`: normmax.

    Source: Blondel, Martins & Niculae 2020 [FY-1].

    .. math:: dz = g\,p, \quad d\beta = g\, (\|p\|_\gamma - 1) / \beta^2, \quad
        d\gamma = -g\, \partial_\gamma \|p\|_\gamma / \beta, \quad
        p = \mathrm{normmax}_\gamma(\beta z)

    >>> from hopref.gradients import maps
    >>> maps.normmax_conjugate(2.0, [0.0, 0.0])[0]
    array([1., 1.])
    """
    xp, p = namespace(z), maps.normmax(z, beta=beta, gamma=gamma)
    dbeta = xp.sum(g * (maps.norm(p, gamma=gamma) / beta / beta))
    return g[..., None] * p, dbeta, -xp.sum(g * norm_gamma_derivative(p, gamma)) / beta


@op("(...),(...,n)->(...,n),()", beta=positive, k=count, shape_rule=k_of_n)
def k_subsets_conjugate(g, z, /, *, k, beta=1.0):
    r"""Gradient of `maps.k_subsets_conjugate`: k-subsets.  Source: Niculae et al. 2018 [FY-1].

    .. math:: dz = g\,\mu, \quad d\beta = \tfrac12 g\, \|\mu\|^2 / \beta^2, \quad
        \mu = \mathrm{k\text{-}subsets}(\beta z)

    >>> from hopref.gradients import maps
    >>> maps.k_subsets_conjugate(1.0, [3.0, 2.0, 0.0], k=2)
    (array([1., 1., 0.]), np.float64(1.0))
    """
    mu = maps.k_subsets(z, k=k, beta=beta)
    return g[..., None] * mu, namespace(z).sum(g * (maps.half_square(mu) / beta / beta))


def tsallis_alpha_derivative(p, alpha):
    """Derivative of Tsallis' negative entropy with respect to alpha."""
    bent = namespace(p).sum(power_remainder(p, alpha, alpha - 1), axis=-1)
    return (bent - maps.tsallis(p, alpha=alpha)) / alpha


def norm_gamma_derivative(p, gamma):
    """Derivative of the norm with respect to gamma."""
    N = maps.norm(p, gamma=gamma) + 1
    return N * namespace(p).sum(raised_log(ratio(p, N[..., None], 0.0), gamma), axis=-1) / gamma
