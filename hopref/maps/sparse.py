r"""Sparse separation maps along the last axis, whose results have exact zeros.

Each map is the regularised argmax of the scores, :math:`\hat y_\Omega(z) = \arg\max_p\; p^T z -
\Omega(p)` over the simplex (k-subsets: over the hypersimplex); softmax is the one of the Shannon
entropy.  ``beta`` multiplies the scores: the result is the map of beta z, not beta times the map.
A score of -inf, or False in ``where``, hides an entry.  The potentials are defined in
`hopref.maps.potentials`.

`hopref.maps.thresholds` computes the thresholds.  The error of every result, relative to the exact
solution for the given numbers, is at most four ulp of its largest entry.

References: Martins & Astudillo 2016 (sparsemax); Peters, Niculae & Martins 2019 (entmax); Blondel,
Martins & Niculae 2020 (Fenchel-Young losses); Santos, Niculae, McNamee & Martins 2024 (Hopfield-
Fenchel-Young networks).
"""
import math

from hopref.dispatch.domains import Scalar, count, mask, positive, scores
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n
from hopref.maps.double_double import added, reciprocal
from hopref.maps.entries import raised, seen
from hopref.maps.preconditions import something_visible
from hopref.maps.signs import among_largest
from hopref.maps.soft import empty_rows, softmax
from hopref.maps.thresholds import clipped, heights, normalised, powers_by_edge, relative

__all__ = ["sparsemax", "entmax", "entmax_threshold", "normmax", "k_subsets", "top_k"]

inf = math.inf
at_least_one = Scalar("a finite number >= 1", lambda v: 1 <= v < inf)
above_one = Scalar("a finite number > 1", lambda v: 1 < v < inf)


@op("(...,n)->(...,n)", z=scores(), beta=positive, where=mask("(...,n)"), empty_row=empty_rows,
    precondition=something_visible)
def sparsemax(z, /, *, beta=1.0, where=True, empty_row="zeros"):
    r"""Euclidean projection of the scores onto the simplex.

    Source: Martins & Astudillo 2016 [FY-1].

    .. math:: p = \arg\min_{p \in \Delta} \|p - \beta z\|^2 = [\beta z - \tau]_+, \quad
        \textstyle\sum_i p_i = 1

    >>> from hopref.maps import sparsemax
    >>> sparsemax([0.5, 0.0, -1.0])
    array([0.75, 0.25, 0.  ])
    """
    return entmax(z, beta=beta, alpha=2.0, where=where, empty_row=empty_row)


@op("(...,n)->(...,n)", z=scores(), beta=positive, alpha=at_least_one, where=mask("(...,n)"),
    empty_row=empty_rows, precondition=something_visible)
def entmax(z, /, *, beta=1.0, alpha=1.5, where=True, empty_row="zeros"):
    r"""Argmax regularised by Tsallis' entropy: softmax at alpha = 1, sparsemax at alpha = 2.

    Source: Peters, Niculae & Martins 2019 [FY-1].

    .. math:: p = \arg\max_{p \in \Delta} \beta p^T z - \frac{\sum_i p_i^\alpha - 1}
        {\alpha (\alpha - 1)} = [(\alpha - 1) \beta z - \tau]_+^{1 / (\alpha - 1)}

    Parameters
    ----------
    z : (..., n) scores, finite or -inf
    beta : inverse temperature, > 0
    alpha : >= 1; one entry has weight 1 if its score leads by at least 1/((alpha - 1) beta)
    where : (..., n) bool, True where an entry takes part
    empty_row : result for rows without visible entries: "zeros", "nan", or an error ("raise")

    Notes
    -----
    Closed forms are used at alpha = 1, 1.5 and 2, Newton's method elsewhere.  The cost is
    O(n log n).  Sums that determine the support are computed in double-double arithmetic: for
    alpha > 2 an ulp of the sum would be many ulp of an entry at the boundary of the support.

    >>> from hopref.maps import entmax
    >>> entmax([2.0, 0.0])
    array([1., 0.])
    >>> entmax([0.0, 0.0, float("-inf")], alpha=3.0)
    array([0.5, 0.5, 0. ])
    """
    if alpha == 1:
        return softmax(z, beta=beta, where=where, empty_row=empty_row)
    z, factors, q = seen(z, where), (beta, alpha - 1), reciprocal(alpha - 1)
    if alpha > 2:
        return with_empty_rows(z, normalised(powers_by_edge(z, factors, q)), empty_row)
    return with_empty_rows(z, normalised(relative(*heights(z, factors, q), q[0])), empty_row)


@op("(...,n)->(...)", z=scores(), beta=positive, alpha=above_one, where=mask("(...,n)"))
def entmax_threshold(z, /, *, beta=1.0, alpha=1.5, where=True):
    r"""Threshold of entmax; that of sparsemax at alpha = 2.

    Source: Martins & Astudillo 2016; Peters, Niculae & Martins 2019 [FY-1].

    .. math:: \sum_i [(\alpha - 1) \beta z_i - \tau]_+^{1 / (\alpha - 1)} = 1

    Returns
    -------
    (...) array, thresholds tau, in the units of (alpha - 1) beta z; -inf for rows without visible
    entries

    Notes
    -----
    It is evaluated from the largest entry p_t of the map as (alpha - 1) beta z_t - p_t^(alpha - 1).

    >>> from hopref.maps import entmax_threshold
    >>> float(entmax_threshold([0.5, 0.0, -1.0], alpha=2.0))            # sparsemax is .75, .25, 0
    -0.25
    """
    xp, p = namespace(z), entmax(z, beta=beta, alpha=alpha, where=where)
    top = xp.max(seen(z, where), axis=-1)
    return (alpha - 1) * (beta * top) - raised(xp.max(p, axis=-1), alpha - 1)


@op("(...,n)->(...,n)", z=scores(), beta=positive, gamma=above_one, where=mask("(...,n)"),
    empty_row=empty_rows, precondition=something_visible)
def normmax(z, /, *, beta=1.0, gamma=2.0, where=True, empty_row="zeros"):
    r"""Argmax regularised by a gamma-norm.

    Source: Blondel, Martins & Niculae 2020; Santos et al. 2024 [FY-1].

    .. math:: p = \arg\max_{p \in \Delta} \beta p^T z - \|p\|_\gamma \propto
        [\beta z - \tau]_+^{1 / (\gamma - 1)}, \quad
        \textstyle\sum_i [\beta z_i - \tau]_+^{\gamma / (\gamma - 1)} = 1

    Notes
    -----
    A closed form is used at gamma = 2.  An entry at the boundary of the support is the power
    1/(gamma - 1) of the distance of its score from tau, which is accurate to 2^-85 or an ulp.
    Where p_i > 0 the threshold is tau = beta z_i - (p_i / |p|_gamma)^(gamma - 1).

    >>> from hopref.maps import normmax
    >>> normmax([1.0, 0.0])
    array([1., 0.])
    >>> p = normmax([0.2, 0.0])              # above tau = -0.6 by two sides of a 3-4-5 triangle
    >>> p.round(3), [0.2, 0.0] - p / (p @ p) ** 0.5
    (array([0.571, 0.429]), array([-0.6, -0.6]))
    """
    z, s = seen(z, where), reciprocal(gamma - 1)
    t, below = heights(z, (beta,), added(s, (1.0, 0.0)))
    return with_empty_rows(z, normalised(relative(t, below, s[0])), empty_row)


@op("(...,n)->(...,n)", z=scores(), beta=positive, k=count, where=mask("(...,n)"),
    empty_row=empty_rows, shape_rule=k_of_n, precondition=something_visible)
def k_subsets(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    r"""Projection of the scores onto the convex hull of indicators of k entries (SparseMAP).

    Source: Niculae et al. 2018; Santos et al. 2024 [FY-1].

    .. math:: \mu = \arg\min_{0 \le \mu \le 1,\, \sum_i \mu_i = k} \|\mu - \beta z\|^2
        = \mathrm{clip}(\beta z - \tau, 0, 1)

    In a row with at most k visible entries each of them is 1.  Where 0 < mu_i < 1 the threshold is
    tau = beta z_i - mu_i.

    >>> from hopref.maps import k_subsets
    >>> k_subsets([2.0, 1.5, 1.0, -3.0], k=2)
    array([1.  , 0.75, 0.25, 0.  ])
    """
    z = seen(z, where)
    return with_empty_rows(z, clipped(z, k, beta), empty_row)


@op("(...,n)->(...,n)", z=scores(), beta=positive, k=count, where=mask("(...,n)"),
    empty_row=empty_rows, shape_rule=k_of_n, precondition=something_visible)
def top_k(z, /, *, k, beta=1.0, where=True, empty_row="zeros"):
    r"""Softmax of the k largest scores, where ties are resolved by the lowest index.

    Source: Hu et al. 2024, top-K memories [NP-3].

    .. math:: p = \arg\max_{p \in \Delta,\, \|p\|_0 \le k}
        \beta p^T z - \textstyle\sum_i p_i \ln p_i

    In a row with fewer than k visible entries the result is their softmax.

    >>> from hopref.maps import top_k
    >>> top_k([0.0, 1.0, 1.0, 1.0], k=2)
    array([0. , 0.5, 0.5, 0. ])
    """
    z = seen(z, where)
    return softmax(z, beta=beta, where=among_largest(z, k), empty_row=empty_row)


def with_empty_rows(z, p, empty_row):
    """The map p, with ``empty_row`` in rows without visible entries and NaN in rows with a NaN."""
    xp = namespace(z)
    top = xp.max(z, axis=-1, keepdims=True)
    return xp.where(top > -inf, p, xp.where(top == -inf, empty_row, top))
