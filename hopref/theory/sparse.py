r"""Properties of sparse maps: margins, exact retrieval in one step, and bounds on the energy.

``X`` (n, d) patterns in rows, N = n of them, M the largest norm.  ``xi`` (n, d) holds a state for
each pattern.  The margin m of a map is the smallest difference, in units of 1/beta, between the
largest score and all others at which one entry has weight 1.

References: Blondel, Martins & Niculae 2020, on margins of Fenchel-Young losses; Santos, Niculae,
McNamee & Martins 2024, *Hopfield-Fenchel-Young Networks*.
"""
import math

import numpy as np

from hopref.dispatch.domains import choice, count, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n
from hopref.errors import naming
from hopref.maps import dot, half_square, norm, tsallis
from hopref.maps.sparse import above_one, at_least_one, kth_largest
from hopref.models import sparse
from hopref.theory.arguments import validated
from hopref.theory.separability import cue_separation

__all__ = ["margin", "exact_retrieval_separation", "exact_beta", "subset_separation",
           "support_size_bound",
           "entmax_energy_bound", "normmax_energy_bound", "k_subsets_energy_bound"]

# The alpha of the entmax that has the same margin.
rules = choice(softmax=1.0, entmax=None, sparsemax=2.0, normmax=2.0, k_subsets=2.0)


def margin(rule, /, *, alpha=1.5):
    r"""Margin of a map: the smallest lead, in beta z, at which one entry has weight 1.

    Source: Blondel, Martins & Niculae 2020; Santos et al. 2024 [FY-5].

    .. math:: m = \frac{1}{\alpha - 1} \text{ for entmax}, \quad
        m = 1 \text{ for sparsemax, normmax of any } \gamma \text{ and } k\text{-subsets}

    Parameters
    ----------
    rule : {"softmax", "entmax", "sparsemax", "normmax", "k_subsets"}; for "k_subsets" the margin is
        that between the k-th and the next score, and k entries have weight 1
    alpha : float >= 1, exponent of entmax

    Returns
    -------
    float; infinite for softmax, and for entmax with alpha = 1

    Notes
    -----
    e_i maximises p^T z - Omega(p) if and only if z - grad Omega(e_i) is largest at i.  The
    derivative of Omega at e_i is 1/(alpha - 1) along i and 0 along other axes for the Tsallis
    entropy, and 1 and 0 for every norm with gamma > 1.

    Status: derived.

    >>> from hopref import theory
    >>> theory.margin("entmax", alpha=3.0), theory.margin("normmax"), theory.margin("softmax")
    (0.5, 1.0, inf)
    """
    with naming("hopref.theory.margin"):
        alpha = at_least_one.validate("alpha", alpha)
        alpha = rules.validate("rule", rule) or alpha
    return 1 / (alpha - 1) if alpha > 1 else math.inf


@op("(n,d),(n,d)->(n)", beta=positive, margin=positive)
def exact_retrieval_separation(xi, X, /, *, beta=1.0, margin=1.0):
    r"""Separation at which one step from state i gives exactly pattern i.

    Source: Santos et al. 2024 [FY-5].

    .. math:: \Delta_i \geq \frac{m}{\beta} + 2 M \|\xi_i - x_i\|
        \quad \Rightarrow \quad f(\xi_i) = x_i

    Notes: The condition is sufficient.  For the patterns as states it is m/beta, at which x_i is a
    fixed point.  It is attained if the pattern of the next largest score is -x_i, of length M, and
    the state is on the line between the two.

    Status: derived.

    >>> from hopref import theory
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> theory.separation(X) >= theory.exact_retrieval_separation([[0.5, 0.0], [0.0, 0.0]], X)
    array([ True, False])
    """
    xp, away = namespace(X), xi - X
    return margin / beta + 2 * _longest(X) * xp.sqrt(dot(away, away))


@op("(n,d),(n,d)->(n)", margin=positive, scratch="(n,n)")
def exact_beta(xi, X, /, *, margin=1.0):
    r"""Smallest beta at which pattern i has weight 1 for state i.

    Source: the margin of Santos et al. 2024, solved for beta [FY-5].

    .. math:: \beta_i = \frac{m}{\xi_i^T x_i - \max_{j \neq i} \xi_i^T x_j}

    Notes: The condition is sufficient and necessary; beta is infinite if another pattern has at
    least the same score.  The counterpart for softmax, whose weights are below 1, is
    `smallest_beta`.

    Status: derived.

    >>> from hopref import theory
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> theory.exact_beta([[0.25, 0.0], [0.0, 0.0]], X)
    array([ 2., inf])
    """
    xp, lead = namespace(X), cue_separation(xi, X)
    ahead = lead > 0
    return xp.where(ahead, margin / xp.where(ahead, lead, 1.0), math.inf)


@op("(...,d),(n,d)->(...)", k=count, shape_rule=k_of_n, scratch="(...,n)")
def subset_separation(xi, X, /, *, k):
    r"""Difference between the k-th largest score of a state and the next.

    Source: Santos et al. 2024 [FY-5].

    .. math:: z_{(k)} - z_{(k+1)} \geq \frac{1}{\beta}
        \quad \Leftrightarrow \quad \text{the weights of } k\text{-subsets are 0 and 1}

    Returns
    -------
    (...) array; infinite for k = n

    Notes: If the separation is at least 1/beta, the update is exactly the sum of the k patterns of
    largest score.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.subset_separation([1.0], [[3.0], [2.0], [0.5]], k=2))
    1.5
    """
    z = xi @ X.T
    if k == X.shape[0]:
        return namespace(z).full_like(z[..., 0], math.inf)
    return (kth_largest(z, k) - kth_largest(z, k + 1))[..., 0]


def support_size_bound(xi, X, /, *, beta=1.0):
    r"""Error bound of the sparse model in terms of the size of its support, as quoted elsewhere.

    Source: Hu et al. 2023, through other authors [FY-7].

    .. math:: \|f(\xi) - x_i\| \leq M + \sqrt d \, M \beta \Big(\kappa
        \big(\max_j x_j^T \xi - [X \xi]_{(\kappa)}\big) + \frac1\beta\Big)

    Here f is the step by sparsemax, kappa the number of patterns with positive weight, and
    [.]_(kappa) the kappa-th largest score.

    Parameters
    ----------
    xi : (..., d) array, states
    X : (n, d) array, stored patterns, one in each row
    beta : float > 0, inverse temperature

    Returns
    -------
    (...) array

    Notes
    -----
    The bound is true but useless: it is at least (1 + sqrt(d)) M, whereas the distance of a
    mean of patterns from any pattern is at most 2 M.  `exact_retrieval_separation` is useful
    instead.  NumPy only.

    Status: not verified in the paper itself; derived, with its range of validity.

    >>> from hopref import theory
    >>> float(theory.support_size_bound([9.0], [[1.0], [-1.0]]))        # kappa = 1
    2.0
    """
    xi, X = validated(sparse.update, "support_size_bound", xi, X, beta=beta)
    z = xi @ X.T
    kept = sparse.weights(xi, X, beta=beta, alpha=2.0) > 0
    gap = np.max(np.where(kept, z.max(-1, keepdims=True) - z, 0.0), axis=-1)
    return _longest(X) * (1 + math.sqrt(X.shape[1]) * (beta * (kept.sum(-1) * gap) + 1))


# --- energies on the hull of the patterns --------------------------------------------------------

@op("(n,d)->()", beta=positive, alpha=at_least_one)
def entmax_energy_bound(X, /, *, beta=1.0, alpha=1.5):
    r"""Upper bound on the energy of the sparse network on the convex hull of its patterns.

    Source: Santos et al. 2024, with the mean in place of one M [FY-4].

    .. math:: 0 \leq E \leq \min(M (M + \|\bar x\|), \; \tfrac12 M^2 - \beta^{-1} \Omega(u))

    Notes: The bound is at most min(2 M^2, ...), that of the paper.  The first term is attained for
    small beta by a longest pattern opposite to the mean, the second for large beta at the origin.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.entmax_energy_bound([[1.0], [-1.0]], beta=2.0, alpha=2.0))
    0.625
    """
    return _hull_bound(X, 1, -tsallis(_uniform(X), alpha=alpha) / beta)


@op("(n,d)->()", beta=positive, gamma=above_one)
def normmax_energy_bound(X, /, *, beta=1.0, gamma=2.0):
    r"""Upper bound on the energy of the normmax network on the convex hull of its patterns.

    Source: Santos et al. 2024, with the mean in place of one M [FY-4].

    .. math:: 0 \leq E \leq \min(M (M + \|\bar x\|), \;
        \tfrac12 M^2 + \beta^{-1} (1 - \|u\|_\gamma))

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.normmax_energy_bound([[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]], beta=2.0))
    0.75
    """
    return _hull_bound(X, 1, -norm(_uniform(X), gamma=gamma) / beta)


@op("(n,d)->()", beta=positive, k=count, shape_rule=k_of_n)
def k_subsets_energy_bound(X, /, *, k, beta=1.0):
    r"""Upper bound on the energy over subsets on the convex hull of the sums of k patterns.

    Source: after Santos et al. 2024 [FY-4].

    .. math:: 0 \leq E \leq \min(k^2 M (M + \|\bar x\|), \;
        \tfrac12 (k M)^2 + \beta^{-1} \frac{k (N - k)}{2 N})

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.k_subsets_energy_bound([[1.0], [-1.0]], k=1, beta=2.0))
    0.625
    """
    return _hull_bound(X, k, (k / 2 - half_square(k * _uniform(X))) / beta)


def _hull_bound(X, k, gain):
    """The smaller of the bounds from the uniform weights and from the weights of the state."""
    xp, M = namespace(X), _longest(X)
    mean = xp.mean(X, axis=0)
    return xp.minimum(k * k * M * (M + xp.sqrt(dot(mean, mean))), k * k * M * M / 2 + gain)


def _longest(X):
    xp = namespace(X)
    return xp.sqrt(xp.max(dot(X, X)))


def _uniform(X):
    return namespace(X).full_like(dot(X, X), 1 / X.shape[0])
