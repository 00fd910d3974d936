r"""Error bounds of one update over a support of patterns, for each pattern as the target.

``xi`` (..., d) are states, ``X`` (n, d) patterns, and ``support`` (..., n) is True for the patterns
to which a state may attend.  The published bound (Hu et al. 2025, theorem 4.1) contains the overlap
x_mu . x_nu in place of the score x_nu . xi; the bound and its corollary are false as printed (see
the errata), and are corrected here.

The separation of a pattern does not decrease if other patterns are removed.  A pattern that is well
separated among all patterns (`required_separation`) is therefore well separated in every support
that contains it, and capacities of the dense network hold for every support.
"""
from hopref.dispatch.domains import mask, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot, seen
from hopref.models import structured

__all__ = ["support_separation", "support_gap_bound", "support_error_bound"]

visible = mask("(...,n)")


@op("(...,d),(n,d),(...,n)->(...,n)", support=visible, scratch="(...,n)")
def support_separation(xi, X, support=True, /):
    r"""Score of each pattern minus the largest score of another pattern in the support.

    Source: after Ramsauer et al. 2021, definition 2 (eq. 5), over a support [NP-7, NP-8].

    .. math:: \Delta_\mu(\xi) = x_\mu^T \xi - \max_{\nu \in M, \nu \neq \mu} x_\nu^T \xi

    Returns: (..., n); infinite if the support contains no other pattern.  The pattern itself need
    not be in the support.

    >>> from hopref import theory
    >>> theory.support_separation([1.0], [[3.0], [1.0], [7.0]], [True, True, False])
    array([ 2., -2.,  4.])
    """
    xp, z = namespace(xi), xi @ X.T
    among = seen(z, support)
    alone = xp.full_like(z[..., :1], -xp.inf)
    best = xp.sort(xp.concat([alone, among], axis=-1), axis=-1)
    second, top = best[..., -2, None], best[..., -1, None]
    return z - xp.where(among < top, top, second)


@op("(...,d),(n,d),(...,n)->(...,n)", support=visible, beta=positive, scratch="(...,n)")
def support_gap_bound(xi, X, support=True, /, *, beta=1.0):
    r"""Upper bound on the distance from each pattern after one update, by its separation.

    Source: Hu et al. 2025, the bound of sparse retrieval, corrected [NP-7].

    .. math:: \|T(\xi) - x_\mu\| \le 2 m \min(1, (k - 1) e^{-\beta \Delta_\mu(\xi)}), \quad
        m = \max_{\nu \in M} \|x_\nu\|, \; k = |M|

    Returns: (..., n); infinite for patterns outside the support, to which the bound does not apply.

    >>> from hopref import theory
    >>> theory.support_gap_bound([0.0], [[3.0], [1.0], [7.0]], [True, True, False])
    array([ 6.,  6., inf])
    """
    xp = namespace(xi)
    inside = seen(xp.zeros_like(xi @ X.T), support) == 0
    gap = xp.where(inside, support_separation(xi, X, support), 0.0)
    longest = xp.max(xp.where(inside, xp.sqrt(dot(X, X)), 0.0), axis=-1, keepdims=True)
    k = xp.sum(xp.astype(inside, X.dtype), axis=-1, keepdims=True)
    return xp.where(inside, 2 * longest * xp.minimum((k - 1) * xp.exp(-beta * gap), 1.0), xp.inf)


@op("(...,d),(n,d),(...,n)->(...,n)", support=visible, beta=positive, scratch="(n,n,d)")
def support_error_bound(xi, X, support=True, /, *, beta=1.0):
    r"""Upper bound on the distance from each pattern after one update, by the weighted distances.

    Source: the update as a mean of the patterns of the support: Hu et al. 2025 [NP-3, NP-7].

    .. math:: \|T(\xi) - x_\mu\| \le \sum_{\nu \in M} p_\nu \|x_\nu - x_\mu\|
        \le \mathrm{diam}\,(1 - p_\mu)

    Returns: (..., n), at most `support_gap_bound`.

    Notes: the first inequality also holds for patterns outside the support.

    >>> from hopref import theory
    >>> theory.support_error_bound([0.0], [[3.0], [1.0], [7.0]], [True, True, False])
    array([1., 1., 5.])
    """
    xp, apart = namespace(xi), X[:, None, :] - X
    p = structured.weights(xi, X, support, beta=beta)
    bound = p @ xp.sqrt(dot(apart, apart))
    if support is True:
        return bound
    return xp.where(xp.any(support, axis=-1, keepdims=True), bound, xp.sqrt(dot(X, X)))
