r"""Nonparametric and sparse-structured modern Hopfield networks.

``xi`` (..., d) states, ``X`` (n, d) stored patterns in rows (the papers' columns), ``support``
(..., n) True where a state may attend to a pattern (see `supports`), ``delta`` (n, d) by which
the query of a pattern differs from the pattern: scores are taken with ``X + delta``, means of
``X``.

A state that looks at nothing answers 0, as if 0 were its only pattern; ``empty_row="nan"`` and
"raise" are the other two policies.

References: Hu et al. 2025, *Nonparametric Modern Hopfield Models*, of which only the abstract was
at hand.
"""
import math
from operator import add

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
from hopref.dispatch.preconditions import k_of_n
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
    zero_denominators,
)
from hopref.models._preconditions import inhabited, inhabited_list
from hopref.models.attention import linear_attention
from hopref.models.performer import attention
from hopref.models.supports import align, listed

__all__ = ["energy", "update", "weights", "pair_update", "top_k_energy", "top_k_update",
           "window_update", "listed_update", "csr_update", "linear_update",
           "random_feature_update"]

supported = dict(support=mask("(...,n)"), empty_row=empty_rows, precondition=inhabited,
                 scratch="(...,n)")


@op("(...,d),(n,d),(...,n)->(...)", support=mask("(...,n)"), beta=inverse_temperature,
    scratch="(...,n)", result=finite)
def energy(xi, X, support=True, /, *, beta=1.0):
    r"""Energy of a state over the patterns that it looks at.

    Source: Ramsauer et al. 2021, eq. (2), for the patterns of a support M [MH-1, NP-3].

    .. math:: E = -\mathrm{lse}(\beta, X_M \xi) + \tfrac12 \xi^T \xi + \beta^{-1} \ln |M|
        + \tfrac12 \max_{\mu \in M} \|x_\mu\|^2

    One energy for each support: those of different states are not to be compared.  Where a state
    looks at nothing it is that of the lone pattern 0, |xi|^2/2.

    Notes
    -----
    Computed like `modern.energy`, as a sum of three terms >= 0.

    >>> from hopref import structured
    >>> X = [[1.0], [-1.0], [5.0]]
    >>> float(structured.energy([-1.0], X, [True, False, False]))      # modern.energy([-1], [[1]])
    2.0
    """
    xp = namespace(xi)
    z = seen(overlaps(xi, X, support), support)
    nearest = rows(X, xp.argmax(z, axis=-1))
    away, gaps = xi - nearest, z - otherwise(xp.max(z, axis=-1), support, 0.0)[..., None]
    E = dot(away, away) / 2 + shorter(X, nearest, support) / 2 \
        - mean_gain(gaps, beta, support)
    return otherwise(E, support, dot(xi, xi) / 2)


@op("(...,d),(n,d),(...,n)->(...,d)", beta=inverse_temperature, lowers=energy, **supported,
    result=finite)
def update(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    r"""One retrieval step among the patterns of a support.

    Source: Hu et al. 2025, sparse-structured retrieval, normalised over the support [NP-3].

    .. math:: \xi^{new} = \sum_{\mu \in M} \frac{e^{\beta x_\mu^T \xi}}
        {\sum_{\nu \in M} e^{\beta x_\nu^T \xi}} x_\mu

    Notes
    -----
    `modern.update` on the patterns of M alone, a convex combination of them.  The energy of M falls
    by exactly |xi_new - xi|^2/2 + KL(p(xi) || p(xi_new))/beta.

    >>> from hopref import structured
    >>> structured.update([2.0], [[1.0], [-1.0], [5.0]], [True, True, False], beta=50.0)
    array([1.])
    """
    return weights(xi, X, support, beta=beta, empty_row=empty_row) @ X


@op("(...,d),(n,d),(...,n)->(...,n)", delta=state("(n,d)"), beta=inverse_temperature,
    renormalise=flag, **supported, result=finite)
def weights(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True, empty_row="zeros"):
    r"""How much each pattern takes part.  Source: Hu et al. 2025 [NP-2, NP-3].

    .. math:: p_\mu = \frac{e^{\beta (x_\mu + \delta_\mu)^T \xi}}
        {\sum_\nu e^{\beta (x_\nu + \delta_\nu)^T \xi}} \text{ if } \mu \in M, \text{ else } 0

    Parameters
    ----------
    delta : (n, d) by which the query of each pattern differs from it
    renormalise : whether the sum runs over M, or over all patterns: the weights then sum to less
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

    Parameters are those of `weights`.

    Notes
    -----
    With delta = 0 it is `update`, and so it is with the same delta for every pattern.  Otherwise,
    and without renormalising, no energy belongs to it: its Jacobian is not symmetric.  Without
    renormalising it also leaves the hull of the patterns.

    >>> from hopref import structured
    >>> structured.pair_update([1.0], [[3.0], [4.0]], delta=[[0.0], [-1.0]])    # equal queries
    array([3.5])
    """
    return weights(xi, X, support, delta=delta, beta=beta, renormalise=renormalise,
                   empty_row=empty_row) @ X


@op("(...,d),(n,d)->(...)", k=count, beta=inverse_temperature, shape_rule=k_of_n, scratch="(...,n)",
    result=finite)
def top_k_energy(xi, X, /, *, k, beta=1.0):
    r"""Energy over the k patterns of largest score.  Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: E = -\beta^{-1} \ln \sum_{\mu \in \mathrm{top}_k} e^{\beta x_\mu^T \xi}
        + \tfrac12 \xi^T \xi + \beta^{-1} \ln k + \tfrac12 M^2, \quad M = \max_i \|x_i\|

    The least over all sets of k patterns.  The sum over the k largest is convex in xi, as a largest
    one of convex functions, and descent needs no more.  `modern.energy` at k = n.

    >>> from hopref import structured
    >>> float(structured.top_k_energy([-1.0], [[1.0]], k=1))
    2.0
    """
    xp = namespace(xi)
    z = overlaps(xi, X)
    nearest = rows(X, xp.argmax(z, axis=-1))
    away, best = xi - nearest, xp.sort(z, axis=-1)[..., -k:]
    gaps = best - xp.max(best, axis=-1, keepdims=True)
    return dot(away, away) / 2 + shorter(X, nearest) / 2 - mean_gain(gaps, beta)


@op("(...,d),(n,d)->(...,d)", k=count, beta=inverse_temperature, shape_rule=k_of_n,
    lowers=top_k_energy, scratch="(...,n)", result=finite)
def top_k_update(xi, X, /, *, k, beta=1.0):
    r"""One retrieval step among the k patterns of largest score, of equals those of lowest index.

    Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: \xi^{new} = \sum_{\mu \in \mathrm{top}_k} \frac{e^{\beta x_\mu^T \xi}}
        {\sum_{\nu \in \mathrm{top}_k} e^{\beta x_\nu^T \xi}} x_\mu

    Notes
    -----
    The energy falls by |xi_new - xi|^2/2 at least, although the support moves: by that, a
    divergence of weights over beta, and what the new support gains on the old.

    >>> from hopref import structured
    >>> structured.top_k_update([0.0], [[1.0], [2.0], [6.0]], k=2)      # all scores are equal
    array([1.5])
    """
    return top_k(overlaps(xi, X), k=k, beta=beta) @ X


@op("(l,d),(n,d)->(l,d)", width=count, dilation=count, causal=flag, align=align,
    beta=inverse_temperature, empty_row=choice(zeros=0.0, nan=math.nan), scratch="(l,width,d)",
    result=finite)
def window_update(xi, X, /, *, width, dilation=1, causal=False, align="end", beta=1.0,
                  empty_row="zeros"):
    r"""One retrieval step of states in order, each within its window, without a mask (l, n).

    Source: Hu et al. 2025, window models; Beltagy et al. 2020 [NP-3].

    .. math:: \xi_i^{new} = X_M^T\, \mathrm{softmax}(\beta X_M \xi_i), \quad
        M = \{i + a o : |o| \le w\}

    Parameters are those of `window`.

    Notes
    -----
    O(l w d) time and memory.  `update` with that support; its energies, one a state, are those of
    `energy` with that support.

    >>> from hopref import structured
    >>> structured.window_update([[0.0], [0.0], [0.0]], [[1.0], [3.0], [7.0]], width=1)[0]
    array([2.])
    """
    columns, exists = band(xi.shape[0], X, width, dilation, causal, align)
    near = rows(X, columns)
    z = pair_overlaps(xi[:, None, :], near, exists)
    p = softmax(z, beta=beta, where=exists, empty_row=empty_row)
    return (p[:, None, :] @ near)[:, 0, :]


@op("(l,d),(n,d),(e),(e)->(l,d)", rows=sites("(e)", "l"), columns=sites("(e)", "n"),
    beta=inverse_temperature, empty_row=empty_rows, precondition=inhabited_list, scratch="(e,d)",
    result=finite)
def listed_update(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    r"""One retrieval step over a support that is a list of pairs: state ``rows`` sees ``columns``.

    Source: Hu et al. 2025, sparse-structured retrieval [NP-3].

    .. math:: \xi_i^{new} = \sum_{(i, j)} e^{\beta x_j^T \xi_i} x_j \,\Big/
        \sum_{(i, j)} e^{\beta x_j^T \xi_i}

    Pairs may come in any order; a repeated pair is one pair.

    Notes
    -----
    The rule is `update` with the same support as a mask, whose `energy` it lowers.  For e pairs it
    takes O(e d) memory and O((e + l log e) d) time, after sorting the pairs; nothing of size l n is
    formed.

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


def csr_update(xi, X, support, /, *, beta=1.0, empty_row="zeros"):
    r"""`listed_update` over a boolean scipy.sparse support (l, n) in CSR, CSC or COO format.

    Source: Hu et al. 2025, sparse-structured retrieval [NP-3].

    .. math:: \xi_i^{new} = X_M^T\, \mathrm{softmax}(\beta X_M \xi_i), \quad
        M = \{j : S_{ij} = \text{True}\}

    What is stored twice counts once, a stored False is no pair (see `hopref.supports.listed`).

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
    r"""One retrieval step by features without randomness, in time linear in the patterns.

    Source: Hu et al. 2025, linear models; Katharopoulos et al. 2020 [NP-4, AT-2].

    .. math:: \xi^{new} = \frac{\sum_\mu \phi(x_\mu + \delta_\mu)^T \phi(\xi)\, x_\mu}
        {\sum_\mu \phi(x_\mu + \delta_\mu)^T \phi(\xi)}

    Parameters
    ----------
    features : "elu" (plus one), "relu", "exponential", "quadratic" or "identity" (see
        `features.deterministic`);
        with "identity" the denominator may come near 0 or below

    No energy belongs to it: its Jacobian is not symmetric.

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

    `performer.update` with delta = 0.  No energy belongs to it: for a finite draw its Jacobian is
    not symmetric.

    >>> from hopref import structured
    >>> structured.random_feature_update([1.0], [[2.0], [2.0]], [[0.3]], delta=[[0.0], [5.0]])
    array([2.])
    """
    return attention(xi[..., None, :], X + delta, X, omega, features=features, scale=beta,
                     empty_row=empty_row)[..., 0, :]
