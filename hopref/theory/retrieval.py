r"""Error bounds of retrieval by the modern network, from the papers and sharper ones.

``X`` (n, d) holds N = n patterns in rows, M is the largest norm and diam the largest distance
between two patterns.  ``xi`` (n, d) holds a state for each pattern, ``fixed`` (n, d) a fixed point
for each.  A bound has no preconditions other than those in its docstring.

References: Ramsauer et al. 2021, Appendix A.1.5 and A.1.6.
"""
import math

from hopref.dispatch.domains import positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot, each, softmax
from hopref.theory.separability import cue_separation, own_entries, separation

__all__ = ["diameter", "sphere_radius", "retrieval_error_bound", "gap_error_bound",
           "separation_error_bound", "near_error_bound", "fixed_point_distance_bound",
           "jacobian_bound", "jacobian_norm_bound", "softmax_slope_bound", "contraction_factor",
           "contraction_factor_about_mean"]


@op("(n,d)->()")
def diameter(X, /):
    r"""Largest distance between two patterns.  Source: the bounds of this module [MH-6].

    .. math:: \mathrm{diam} = \max_{i,j} \|x_i - x_j\|

    Notes: O(n^2 d) time, O(n d) memory.  Distances are computed from differences, so that a common
    offset of the patterns causes no loss of accuracy.

    >>> from hopref import theory
    >>> float(theory.diameter([[0.0, 0.0], [3.0, 4.0]]))
    5.0
    """
    xp = namespace(X)
    return xp.sqrt(xp.max(each(lambda x: xp.max(dot(X - x, X - x)), X)))


@op("(n,d)->()", beta=positive)
def sphere_radius(X, /, *, beta=1.0):
    r"""Radius of the sphere about a pattern in which its fixed point is sought.

    Source: Ramsauer et al. 2021, definition 3 [MH-9].

    .. math:: \frac{1}{\beta N M}, \quad S_i = \{\xi : \|\xi - x_i\| \leq \tfrac{1}{\beta N M}\}

    Notes: The radius is infinite if all patterns are 0.  Spheres of well separated patterns
    (`required_separation`) are disjoint if 2 (N - 1) N beta M^2 > 1.

    Status: read.

    >>> from hopref import theory
    >>> float(theory.sphere_radius([[2.0], [-1.0]], beta=0.5))
    0.5
    """
    xp, M = namespace(X), largest_norm(X)
    return xp.where(M > 0, 1 / (beta * X.shape[0] * xp.where(M > 0, M, 1.0)), math.inf)


# --- error after one update ----------------------------------------------------------------------

@op("(n,d),(n,d)->(n)", beta=positive, scratch="(n,n)")
def retrieval_error_bound(xi, X, /, *, beta=1.0):
    r"""Upper bound on the distance from pattern i after one update of state i.

    Source: the update of Ramsauer et al. 2021, eq. (3), as a mean of the patterns [MH-9].

    .. math:: \|f(\xi_i) - x_i\| \leq \mathrm{diam} \; (1 - p_i)

    Notes: the bound is attained for two patterns.  1 - p_i is computed as the sum of the other
    weights, without cancellation.

    Status: derived.

    >>> from hopref import theory
    >>> theory.retrieval_error_bound([[0.0], [0.0]], [[1.0], [-1.0]])
    array([1., 1.])
    """
    xp, own = namespace(X), own_entries(X)
    rest = xp.sum(xp.where(own, 0.0, softmax(xi @ X.T, beta=beta)), axis=-1)
    return diameter(X) * rest


@op("(n,d),(n,d)->(n)", beta=positive, scratch="(n,n)")
def gap_error_bound(xi, X, /, *, beta=1.0):
    r"""Upper bound on the distance from pattern i after one update, by the gap in the scores.

    Source: Ramsauer et al. 2021, lemma A4 [MH-9].

    .. math:: \|f(\xi_i) - x_i\| \leq 2 M \min\{1, (N - 1) e^{-\beta c_i}\},
        \quad c_i = \xi_i^T x_i - \max_{j \neq i} \xi_i^T x_j

    Notes: (N - 1) e^{-beta c} is a bound on the weight 1 - p_i; the lemma omits the 1.

    Status: read; never below `retrieval_error_bound`.

    >>> from hopref import theory
    >>> theory.gap_error_bound([[0.0], [0.0]], [[1.0], [-1.0]])
    array([2., 2.])
    """
    return 2 * largest_norm(X) * _weight_of_others(X, beta * cue_separation(xi, X))


@op("(n,d),(n,d),(n,d)->(n)", beta=positive, scratch="(n,n)")
def separation_error_bound(xi, fixed, X, /, *, beta=1.0):
    r"""Upper bound on the distance from pattern i after one update, by the pattern's separation.

    Source: Ramsauer et al. 2021, theorem 5 = A9, eq. (8) [MH-9].

    .. math:: \|f(\xi_i) - x_i\| \leq 2 M \min\{1, (N - 1) e^{-\beta (\Delta_i - 2 r_i M)}\},
        \quad r_i = \max(\|\xi_i - x_i\|, \|x_i^* - x_i\|)

    Notes: the theorem concerns the fixed point of a well separated pattern, and omits the 1; the
    bound holds for every ``fixed``.

    Status: read.

    >>> from hopref import theory
    >>> X = [[1.0], [-1.0]]
    >>> theory.separation_error_bound(X, X, X).round(6)         # 2 exp(-2)
    array([0.270671, 0.270671])
    """
    return 2 * largest_norm(X) * _weight_of_others(X, _least_gap(xi, fixed, X, beta))


@op("(n,d)->(n)", beta=positive, scratch="(n,n)")
def near_error_bound(X, /, *, beta=1.0):
    r"""Upper bound on the distance from pattern i after one update of a state near it.

    Source: Ramsauer et al. 2021, theorem 5 = A9, its second half, eq. (9) [MH-9].

    .. math:: \|f(\xi) - x_i\| \leq 2 M \min\{1, e (N - 1) e^{-\beta \Delta_i}\}
        \quad \text{if } \|\xi - x_i\|, \|x_i^* - x_i\| \leq \tfrac{1}{2 \beta M}

    Notes: only the condition on the state is necessary.  The theorem omits the 1.

    Status: read.

    >>> from hopref import theory
    >>> theory.near_error_bound([[1.0], [-1.0]]).round(6)       # 2 e exp(-2)
    array([0.735759, 0.735759])
    """
    return 2 * largest_norm(X) * _weight_of_others(X, beta * separation(X) - 1)


@op("(n,d),(n,d),(n,d)->(n)", beta=positive, scratch="(n,n)")
def fixed_point_distance_bound(xi, fixed, X, /, *, beta=1.0):
    r"""Upper bound on the distance from the fixed point near pattern i after one update of state i.

    Source: Ramsauer et al. 2021, theorem 4 = A8, eqs. (6) and (7) [MH-9].

    .. math:: \|f(\xi_i) - x_i^*\| \leq 2 \beta N M^2
        \min\{\tfrac14, (N - 1) e^{-\beta (\Delta_i - 2 r_i M)}\} \|\xi_i - x_i^*\|,
        \quad r_i = \max(\|\xi_i - x_i\|, \|x_i^* - x_i\|)

    Parameters
    ----------
    fixed : (n, d) fixed points of the update, one for each pattern, at any distance from it

    Notes: the minimum is a bound on p_i (1 - p_i).  The theorem omits the 1/4 and requires
    separated patterns; the existence of the fixed points is sufficient.

    Status: read; derived without the separation.

    >>> from hopref import theory
    >>> bound = theory.fixed_point_distance_bound([[0.5]], [[1.0]], [[1.0]])
    >>> bound                                                   # a single pattern
    array([0.])
    """
    away = namespace(X).sqrt(dot(xi - fixed, xi - fixed))
    weight = _weight_of_others(X, _least_gap(xi, fixed, X, beta), most=0.25)
    return 2 * namespace(X).square(largest_norm(X)) * weight * away * X.shape[0] * beta


# --- Jacobian and Lipschitz constant of the update -----------------------------------------------

@op("(...,d),(n,d)->(...)", beta=positive, scratch="(...,n)")
def jacobian_bound(xi, X, /, *, beta=1.0):
    r"""Upper bound on the spectral norm of the update's Jacobian at a state.

    Source: the variance of numbers in an interval, one of which has the weight q [MH-6].

    .. math:: \|J\| \leq \beta \, \mathrm{diam}^2 \, q (1 - q), \quad q = \max(p_{\max}, \tfrac12)

    Notes: for two patterns the bound is attained at every state.  A fixed point at which the bound
    is below 1 is a strict minimum of the energy.

    Status: derived; sharper than min(1/4, 1 - p_max), and than lemma A2.

    >>> from hopref import theory
    >>> float(theory.jacobian_bound([0.0], [[1.0], [-1.0]]))
    1.0
    """
    rest = namespace(X).minimum(_one_minus_largest(xi @ X.T, beta), 0.5)
    return beta * namespace(X).square(diameter(X)) * rest * (1 - rest)


@op("(...,d),(n,d)->(...)", beta=positive, scratch="(...,n)")
def jacobian_norm_bound(xi, X, /, *, beta=1.0):
    r"""Upper bound on the spectral norm of the update's Jacobian, by the largest pattern norm.

    Source: Ramsauer et al. 2021, lemma A2 [MH-6].

    .. math:: \|J\| \leq 2 \beta N M^2 \max_i p_i (1 - p_i)

    Status: read; never below `jacobian_bound`.

    >>> from hopref import theory
    >>> float(theory.jacobian_norm_bound([0.0], [[1.0], [-1.0]]))
    1.0
    """
    rest = _one_minus_largest(xi @ X.T, beta)
    return 2 * beta * X.shape[0] * namespace(X).square(largest_norm(X)) * rest * (1 - rest)


@op("(...,n)->(...)", beta=positive)
def softmax_slope_bound(z, /, *, beta=1.0):
    r"""Upper bound on the spectral norm of the softmax's Jacobian at the scores z.

    Source: Ramsauer et al. 2021, lemma A24 [MH-6].

    .. math:: \|\beta (\mathrm{diag}(p) - p p^T)\| \leq 2 \beta \max_i p_i (1 - p_i)
        \leq \tfrac{\beta}{2}

    Notes: the bound is attained for two scores.  The largest p_i (1 - p_i) is that of the largest
    p_i.

    Status: read.

    >>> from hopref import theory
    >>> float(theory.softmax_slope_bound([0.0, 0.0], beta=3.0))
    1.5
    """
    rest = _one_minus_largest(z, beta)
    return 2 * beta * rest * (1 - rest)


@op("(n,d)->()", beta=positive)
def contraction_factor(X, /, *, beta=1.0):
    r"""Lipschitz constant of the update, by the diameter of the patterns.

    Source: the variance of numbers in an interval, for Ramsauer et al. 2021, lemma A3 [MH-8].

    .. math:: \|f(\xi) - f(\eta)\| \leq \tfrac14 \beta \, \mathrm{diam}^2 \, \|\xi - \eta\|

    Notes: if it is below 1, iteration converges from every state to a unique fixed point, and each
    step reduces the distance to it at least by this factor (`distance_bound`).  Two patterns attain
    the constant to first order midway between them.  The condition is then also necessary: two
    opposite patterns have three fixed points if the constant exceeds 1.

    Status: derived; at most `contraction_factor_about_mean`.

    >>> from hopref import theory
    >>> float(theory.contraction_factor([[1.0], [-1.0]], beta=0.5))
    0.5
    """
    return beta * namespace(X).square(diameter(X)) / 4


@op("(n,d)->()", beta=positive)
def contraction_factor_about_mean(X, /, *, beta=1.0):
    r"""Lipschitz constant of the update, from the largest distance to the mean.

    Source: Ramsauer et al. 2021, lemma A3 (the main text calls it A7) [MH-8].

    .. math:: \beta \max_i \|x_i - \bar x\|^2

    Status: read.

    >>> from hopref import theory
    >>> float(theory.contraction_factor_about_mean([[1.0], [-1.0]], beta=0.5))
    0.5
    """
    xp = namespace(X)
    away = X - xp.mean(X, axis=0)
    return beta * xp.max(dot(away, away))


def largest_norm(X):
    xp = namespace(X)
    return xp.sqrt(xp.max(dot(X, X)))


def _weight_of_others(X, gap, most=1.0):
    """min(most, (N - 1) exp(-gap)), a bound on the weight of N - 1 scores lower by gap or more."""
    xp, log_others = namespace(X), math.log(max(X.shape[0] - 1, 1))
    return xp.exp(xp.minimum(log_others - gap, math.log(most)))


def _least_gap(xi, fixed, X, beta):
    """beta (Delta_i - 2 r_i M), a lower bound on the gap of the scaled scores."""
    xp = namespace(X)
    away, off = xi - X, fixed - X
    r = xp.sqrt(xp.maximum(dot(away, away), dot(off, off)))
    return beta * (separation(X) - 2 * r * largest_norm(X))


def _one_minus_largest(z, beta):
    """1 - max p, computed as the sum of the other weights."""
    xp = namespace(z)
    return xp.sum(xp.sort(softmax(z, beta=beta), axis=-1)[..., :-1], axis=-1)
