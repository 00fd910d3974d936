r"""Nonparametric and sparse-structured modern Hopfield networks.

``xi`` (..., d) states, ``X`` (n, d) stored patterns in rows (the papers' columns), ``support``
(..., n) True where a state may attend to a pattern (see `supports`), ``delta`` (n, d) what a query
of a pattern has more than the pattern: scores are taken with ``X + delta``, means of ``X``.

The result for a state with an empty support is 0, unless ``empty_row`` is "nan" or "raise".

References: the abstract of Hu et al. 2025, *Nonparametric Modern Hopfield Models*.
"""
import math
from operator import add
from typing import Any

from hopref.dispatch.domains import (
    choice,
    count,
    finite,
    flag,
    inverse_temperature,
    mask,
    sites,
    state,
)
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n, list_not_empty, support_not_empty
from hopref.features import random_features
from hopref.features.deterministic import deterministic_features, paired
from hopref.maps import (
    among,
    band,
    dot,
    empty_rows,
    listed_once,
    listed_overlaps,
    mean_gain,
    otherwise,
    over_rows,
    overlaps,
    pair_overlaps,
    ratio,
    rows,
    seen,
    shorter,
    softmax,
    softmax_among,
    top_k,
    weighted_sum,
    zero_denominators,
)
from hopref.models.attention import linear_attention
from hopref.models.performer import attention
from hopref.models.supports import align, listed

__all__ = ["energy", "update", "weights", "pair_update", "top_k_energy", "top_k_update",
           "top_k_weights", "window_update", "listed_update", "csr_update", "linear_update",
           "random_feature_update"]

supported = dict(support=mask("(...,n)"), empty_row=empty_rows, precondition=support_not_empty,
                 scratch="(...,n)")


@op("(...,d),(n,d),(...,n)->(...)", support=mask("(...,n)"), beta=inverse_temperature,
    scratch="(...,n)", result=finite)
def energy(xi, X, support=True, /, *, beta=1.0):
    r"""Energy of a state over the patterns of its support.

    Source: Ramsauer et al. 2021, eq. (2), for the patterns of a support M [MH-1, NP-3].

    .. math:: E = -\mathrm{lse}(\beta, X_M \xi) + \tfrac12 \xi^T \xi + \beta^{-1} \ln |M|
        + \tfrac12 \max_{\mu \in M} \|x_\mu\|^2

    Notes
    -----
    The energy depends on the support, so that energies for different supports are not comparable.
    For an empty support it is |xi|^2/2, the energy for the single pattern 0.  It is computed like
    `modern.energy`, as a sum of three terms >= 0.

    >>> from hopref import structured
    >>> X = [[1.0], [-1.0], [5.0]]
    >>> float(structured.energy([-1.0], X, [True, False, False]))      # modern.energy([-1], [[1]])
    2.0
    """
    xp = namespace(xi)
    z = seen(overlaps(xi, X, support), support)
    nearest = rows(X, xp.argmax(z, axis=-1))
    offset, gaps = xi - nearest, z - otherwise(xp.max(z, axis=-1), support, 0.0)[..., None]
    E = dot(offset, offset) / 2 + shorter(X, nearest, support) / 2 \
        - mean_gain(gaps, beta, support)
    return otherwise(E, support, dot(xi, xi) / 2)


@op("(...,d),(n,d),(...,n)->(...,d)", beta=inverse_temperature, lowers=energy, **supported,
    result=finite)
def update(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    r"""One retrieval step over the patterns of a support.

    Source: Hu et al. 2025, sparse-structured retrieval, normalised over the support [NP-3].

    .. math:: \xi^{new} = \sum_{\mu \in M} \frac{e^{\beta x_\mu^T \xi}}
        {\sum_{\nu \in M} e^{\beta x_\nu^T \xi}} x_\mu

    Notes
    -----
    The rule is `modern.update` on the patterns of M, and its result a convex combination of them.
    The energy over M decreases by exactly |xi_new - xi|^2/2 + KL(p(xi) || p(xi_new))/beta.

    >>> from hopref import structured
    >>> structured.update([2.0], [[1.0], [-1.0], [5.0]], [True, True, False], beta=50.0)
    array([1.])
    """
    return weighted_sum(weights(xi, X, support, beta=beta, empty_row=empty_row), X, support)


@op("(...,d),(n,d),(...,n)->(...,n)", delta=state("(n,d)"), beta=inverse_temperature,
    renormalise=flag, **supported, result=finite)
def weights(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True, empty_row="zeros"):
    r"""Weights of the patterns in the update.  Source: Hu et al. 2025 [NP-2, NP-3].

    .. math:: p_\mu = \frac{e^{\beta (x_\mu + \delta_\mu)^T \xi}}
        {\sum_\nu e^{\beta (x_\nu + \delta_\nu)^T \xi}} \text{ if } \mu \in M, \text{ else } 0

    Parameters
    ----------
    delta : difference between the query of each pattern and the pattern
    renormalise : whether the sum is over M, or over all patterns, so that the weights sum to less
        than 1

    >>> from hopref import structured
    >>> structured.weights([0.0], [[1.0], [2.0]], [True, False], renormalise=False)
    array([0.5, 0. ])
    """
    z = overlaps(xi, X + delta, among(support, renormalise))
    return softmax_among(z, beta, support, renormalise, empty_row)


@op("(...,d),(n,d),(...,n)->(...,d)", delta=state("(n,d)"), beta=inverse_temperature,
    renormalise=flag, **supported, result=finite)
def pair_update(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                empty_row="zeros"):
    r"""One retrieval step from query-memory pairs (x + delta, x).

    Source: Hu et al. 2025, nonparametric retrieval, dense or over a support [NP-1, NP-2, NP-3].

    .. math:: \xi^{new} = X_M^T\, \mathrm{softmax}(\beta (X + \Delta) \xi)_M

    Parameters
    ----------
    delta : difference between the query of each pattern and the pattern
    renormalise : whether the sum in the softmax is over M, or over all patterns

    Notes
    -----
    The rule is `update` if delta is 0 or the same for every pattern.  For other delta, or without
    ``renormalise``, it has no energy, because its Jacobian is not symmetric.  Without
    ``renormalise`` the result may lie outside the convex hull of the patterns.

    >>> from hopref import structured
    >>> structured.pair_update([1.0], [[3.0], [4.0]], delta=[[0.0], [-1.0]])    # equal queries
    array([3.5])
    """
    return weighted_sum(weights(xi, X, support, delta=delta, beta=beta, renormalise=renormalise,
                                empty_row=empty_row), X, support)


@op("(...,d),(n,d)->(...)", k=count, beta=inverse_temperature, shape_rule=k_of_n, scratch="(...,n)",
    result=finite)
def top_k_energy(xi, X, /, *, k, beta=1.0):
    r"""Energy over the k patterns of largest score.  Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: E = -\beta^{-1} \ln \sum_{\mu \in \mathrm{top}_k} e^{\beta x_\mu^T \xi}
        + \tfrac12 \xi^T \xi + \beta^{-1} \ln k + \tfrac12 M^2, \quad M = \max_i \|x_i\|

    Parameters
    ----------
    k : number of patterns

    Notes
    -----
    The energy is the minimum over all sets of k patterns, and equals `modern.energy` for k = n.
    The sum over the k largest scores is convex in xi, because it is a maximum of convex functions;
    this implies that `top_k_update` decreases the energy.

    >>> from hopref import structured
    >>> float(structured.top_k_energy([-1.0], [[1.0]], k=1))
    2.0
    """
    xp = namespace(xi)
    z = overlaps(xi, X)
    nearest = rows(X, xp.argmax(z, axis=-1))
    offset, largest = xi - nearest, xp.sort(z, axis=-1)[..., -k:]
    gaps = largest - xp.max(largest, axis=-1, keepdims=True)
    return dot(offset, offset) / 2 + shorter(X, nearest) / 2 - mean_gain(gaps, beta)


@op("(...,d),(n,d)->(...,n)", k=count, beta=inverse_temperature, shape_rule=k_of_n)
def top_k_weights(xi, X, /, *, k, beta=1.0):
    r"""Weights of the patterns in `top_k_update`.  Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: p_M = \mathrm{softmax}(\beta X_M \xi), \quad M = \mathrm{top}_k(X \xi)

    >>> from hopref import structured
    >>> structured.top_k_weights([0.0], [[1.0], [2.0], [6.0]], k=2)     # all scores are equal
    array([0.5, 0.5, 0. ])
    """
    return top_k(overlaps(xi, X), k=k, beta=beta)


@op("(...,d),(n,d)->(...,d)", k=count, beta=inverse_temperature, shape_rule=k_of_n,
    lowers=top_k_energy, scratch="(...,n)", result=finite)
def top_k_update(xi, X, /, *, k, beta=1.0):
    r"""One retrieval step over the k patterns of largest score.

    Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: \xi^{new} = X_M^T\, \mathrm{softmax}(\beta X_M \xi), \quad M = \mathrm{top}_k(X \xi)

    Notes
    -----
    Among equal scores the patterns of lowest index are taken.  Although the support changes, the
    energy decreases, by the sum of |xi_new - xi|^2/2, of a divergence between the weights divided
    by beta, and of the difference of the energies over the old and the new support.

    >>> from hopref import structured
    >>> structured.top_k_update([0.0], [[1.0], [2.0], [6.0]], k=2)      # all scores are equal
    array([1.5])
    """
    return top_k_weights(xi, X, k=k, beta=beta) @ X


@op("(l,d),(n,d)->(l,d)", width=count, dilation=count, causal=flag, align=align,
    beta=inverse_temperature, empty_row=choice(zeros=0.0, nan=math.nan), scratch="(l,width,d)",
    result=finite)
def window_update(xi, X, /, *, width, dilation=1, causal=False, align="end", beta=1.0,
                  empty_row="zeros"):
    r"""One retrieval step of a sequence of states, each within its window, without a mask (l, n).

    Source: Hu et al. 2025, window models; Beltagy et al. 2020 [NP-3].

    .. math:: \xi_i^{new} = X_M^T\, \mathrm{softmax}(\beta X_M \xi_i), \quad
        M = \{i + a o : |o| \le w\}

    Parameters
    ----------
    width : w, number of steps of the window to each side
    dilation : a, distance between neighbouring positions of the window
    causal : whether the window extends to the left only

    Notes
    -----
    The rule is `update` with the support `supports.window`, and decreases `energy` with that
    support.  It takes O(l w d) time and memory.

    >>> from hopref import structured
    >>> structured.window_update([[0.0], [0.0], [0.0]], [[1.0], [3.0], [7.0]], width=1)[0]
    array([2.])
    """
    columns, exists = band(xi.shape[0], X, width, dilation, causal, align)
    near = rows(X, columns)
    z = pair_overlaps(xi[:, None, :], near, exists)
    p = softmax(z, beta=beta, where=exists, empty_row=empty_row)
    return weighted_sum(p[:, None, :], near, exists[:, None, :])[:, 0, :]


@op("(l,d),(n,d),(e),(e)->(l,d)", rows=sites("(e)", "l"), columns=sites("(e)", "n"),
    beta=inverse_temperature, empty_row=empty_rows, precondition=list_not_empty, scratch="(e,d)",
    result=finite)
def listed_update(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    r"""One retrieval step over a support given as a list of pairs of a state and a pattern.

    Source: Hu et al. 2025, sparse-structured retrieval [NP-3].

    .. math:: \xi_i^{new} = \sum_{(i, j)} e^{\beta x_j^T \xi_i} x_j \,\Big/
        \sum_{(i, j)} e^{\beta x_j^T \xi_i}

    Parameters
    ----------
    rows : index of the state of each pair
    columns : index of the pattern of each pair

    Notes
    -----
    The pairs may have any order, and repeated pairs count once.  The rule is `update` with the same
    support as a mask, whose `energy` it decreases.  For e pairs it takes O(e d) memory and
    O((e + l log e) d) time after the pairs are sorted; no array of size l n is formed.

    >>> from hopref import structured
    >>> structured.listed_update([[0.0], [0.0]], [[1.0], [3.0]], [0, 0, 1], [0, 1, 1])
    array([[2.],
           [3.]])
    """
    xp = namespace(xi)
    i, j, first, start, stop = listed_once(rows, columns, xi.shape[0], X.shape[0])
    near = xp.take(X, j, axis=0)
    z = listed_overlaps(xp.take(xi, i, axis=0), near, i, first, start, stop)
    top = over_rows(xp.maximum, z, -math.inf, start, stop)
    e = xp.exp(beta * (z - xp.take(top, i, axis=0)))[:, None]
    total = over_rows(add, e, 0.0, start, stop)
    return ratio(over_rows(add, e * near, 0.0, start, stop), total, empty_row)


def csr_update(xi: Any, X: Any, support: Any, /, *, beta: float = 1.0,
               empty_row: str = "zeros") -> Any:
    r"""One retrieval step over a support given as a sparse array.

    Source: Hu et al. 2025, sparse-structured retrieval [NP-3].

    .. math:: \xi_i^{new} = X_M^T\, \mathrm{softmax}(\beta X_M \xi_i), \quad
        M = \{j : S_{ij} = \text{True}\}

    Parameters
    ----------
    xi : (l, d) array, states, one in each row
    X : (n, d) array, stored patterns, one in each row
    support : (l, n) boolean scipy.sparse array in CSR, CSC or COO format, True where a state may
        attend to a pattern
    beta : float > 0, inverse temperature
    empty_row : {"zeros", "nan", "raise"}, result of a state with an empty support

    Returns
    -------
    (l, d) array

    Raises
    ------
    DTypeError, ShapeError : the support is not boolean, or its shape is not (l, n)

    Notes
    -----
    The result is that of `listed_update` for the stored pairs (see `hopref.supports.listed`).
    Entries that are stored twice count once, and a stored False is not a pair.

    >>> import scipy.sparse
    >>> from hopref import structured
    >>> S = scipy.sparse.csr_array([[True, True], [False, True]])
    >>> structured.csr_update([[0.0], [0.0]], [[1.0], [3.0]], S)
    array([[2.],
           [3.]])
    """
    i, j = listed(support, xi, X)
    return listed_update(xi, X, i, j, beta=beta, empty_row=empty_row)


@op("(...,d),(n,d)->(...,d)", delta=state("(n,d)"), features=deterministic_features,
    empty_row=zero_denominators, result=finite)
def linear_update(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    r"""One retrieval step by deterministic features, in time linear in the number of patterns.

    Source: Hu et al. 2025, linear models; Katharopoulos et al. 2020 [NP-4, AT-2].

    .. math:: \xi^{new} = \frac{\sum_\mu \phi(x_\mu + \delta_\mu)^T \phi(\xi)\, x_\mu}
        {\sum_\mu \phi(x_\mu + \delta_\mu)^T \phi(\xi)}

    Parameters
    ----------
    delta : difference between the query of each pattern and the pattern
    features : feature map (see `features.deterministic`); with "identity" the denominator may be
        near 0 or negative
    empty_row : result where the denominator is exactly 0

    Notes
    -----
    The rule has no energy, because its Jacobian is not symmetric.

    >>> from hopref import structured
    >>> structured.linear_update([0.0], [[0.0], [3.0]])             # kernels 1 and 4
    array([2.4])
    """
    q, keys = paired(features, xi[..., None, :], X + delta)
    return linear_attention(q, keys, X, empty_row=empty_row)[..., 0, :]


@op("(...,d),(n,d),(m,d)->(...,d)", delta=state("(n,d)"), features=random_features,
    beta=inverse_temperature, empty_row=zero_denominators, result=finite)
def random_feature_update(xi, X, omega, /, *, delta=0.0, beta=1.0, features="positive",
                          empty_row="zeros"):
    r"""One retrieval step from query-memory pairs by random features, for one draw.

    Source: Hu et al. 2025, positive random feature models [NP-6, RF-2].

    .. math:: \xi^{new} = X^T \phi(\sqrt\beta (X + \Delta))\, \phi(\sqrt\beta \xi) / D

    Parameters
    ----------
    delta : difference between the query of each pattern and the pattern
    empty_row : result where the denominator is exactly 0

    Notes
    -----
    The rule is `performer.update` if delta = 0.  It has no energy: for finitely many features its
    Jacobian is not symmetric.

    >>> from hopref import structured
    >>> structured.random_feature_update([1.0], [[2.0], [2.0]], [[0.3]], delta=[[0.0], [5.0]])
    array([2.])
    """
    return attention(xi[..., None, :], X + delta, X, omega, features=features, scale=beta,
                     empty_row=empty_row)[..., 0, :]
