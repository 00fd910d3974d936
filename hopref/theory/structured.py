r"""Error bounds for one retrieval step over a support, for every pattern as the target.

``xi`` (..., d) states, ``X`` (n, d) patterns, ``support`` (..., n) True where a state may attend.
The published bound (Hu et al. 2025, theorem 4.1) has x_mu . x_nu in place of x_nu . xi; it is false
as printed, and so is its corollary (see the errata).  The bounds of this module are proved.

Over fewer patterns the separation is larger: over every support that holds it, a pattern
that is well separated among all (`required_separation`) is so among those.  So the number of
patterns that is promised for the dense network is promised for every support.
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
    r"""Difference between the score of each pattern and the largest other score in the support.

    Source: after Ramsauer et al. 2021, definition 2 (eq. 5), over a support [NP-7, NP-8].

    .. math:: \Delta_\mu(\xi) = x_\mu^T \xi - \max_{\nu \in M, \nu \neq \mu} x_\nu^T \xi

    Returns: (..., n) array; infinite if the support has no other pattern

    >>> from hopref import theory
    >>> theory.support_separation([1.0], [[3.0], [1.0], [7.0]], [True, True, False])
    array([ 2., -2.,  4.])
    """
    xp, z = namespace(xi), xi @ X.T
    among = seen(z, support)
    alone = xp.full_like(z[..., :1], -xp.inf)
    best = xp.sort(xp.concat([alone, among], axis=-1), axis=-1)
    second, top = best[..., -2, None], best[..., -1, None]
    return z - xp.where(among < top, top, second)           # of equals either is the other's rival


@op("(...,d),(n,d),(...,n)->(...,n)", support=visible, beta=positive, scratch="(...,n)")
def support_gap_bound(xi, X, support=True, /, *, beta=1.0):
    r"""Upper bound on the distance from each pattern of the support after one step, by separation.

    Source: Hu et al. 2025, the bound of sparse retrieval, corrected [NP-7].

    .. math:: \|T(\xi) - x_\mu\| \le 2 m \min(1, (k - 1) e^{-\beta \Delta_\mu(\xi)}), \quad
        m = \max_{\nu \in M} \|x_\nu\|, \; k = |M|

    Returns: (..., n) array; infinite for patterns outside the support

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
    r"""Upper bound on the distance from each pattern after one step, by the mean distance.

    Source: Hu et al. 2025, whose step is a mean of the patterns of the support [NP-3, NP-7].

    .. math:: \|T(\xi) - x_\mu\| \le \sum_{\nu \in M} p_\nu \|x_\nu - x_\mu\|
        \le \mathrm{diam}\,(1 - p_\mu)

    The first holds for patterns out of sight too.  Never above `support_gap_bound`.

    Returns: (..., n)

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
