r"""Sparse networks: margins of the maps, exact retrieval in one step, and bounds on the energy.

``X`` (n, d) holds N = n patterns in rows, and M is the largest norm.  ``xi`` (n, d) holds a state
for each pattern.  The margin m of a map is the smallest lead of a score over all others, in units
of 1/beta, for which the entry of that score has the weight 1.

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
from hopref.maps import dot, half_square, kth_largest, norm, tsallis
from hopref.maps.sparse import above_one, at_least_one
from hopref.models import sparse
from hopref.theory.arguments import validated
from hopref.theory.retrieval import largest_norm
from hopref.theory.separability import cue_separation

__all__ = ["margin", "exact_retrieval_separation", "exact_beta", "subset_separation",
           "support_size_bound",
           "entmax_energy_bound", "normmax_energy_bound", "k_subsets_energy_bound"]

# The alpha of the entmax with the same margin.
rules = choice(softmax=1.0, entmax=None, sparsemax=2.0, normmax=2.0, k_subsets=2.0)


def margin(rule, /, *, alpha=1.5):
    r"""Margin of a map: the smallest lead in beta z for which one entry has the weight 1.

    Source: Blondel, Martins & Niculae 2020; Santos et al. 2024 [FY-5].

    .. math:: m = \frac{1}{\alpha - 1} \text{ for entmax}, \quad
        m = 1 \text{ for sparsemax, normmax of any } \gamma \text{ and } k\text{-subsets}

    Parameters
    ----------
    rule : "softmax", "entmax", "sparsemax", "normmax", or "k_subsets", for which the lead is that
        of the k-th score over the next, and k entries have the weight 1
    alpha : exponent of entmax, >= 1; other rules do not use it

    Returns
    -------
    float > 0; infinite for softmax, and for entmax with alpha = 1

    Notes
    -----
    e_i maximises p^T z - Omega(p) if and only if z - grad Omega(e_i) has its largest component at
    i.  The component i of grad Omega(e_i) is 1/(alpha - 1) for Tsallis' entropy and 1 for every
    norm with gamma > 1; the other components are 0.

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
    r"""Separation that guarantees the exact retrieval of pattern i from state i in one step.

    Source: Santos et al. 2024 [FY-5].

    .. math:: \Delta_i \geq \frac{m}{\beta} + 2 M \|\xi_i - x_i\|
        \quad \Rightarrow \quad f(\xi_i) = x_i

    Notes: the condition is sufficient.  At the patterns themselves it is m/beta, for which x_i is a
    fixed point.  It is necessary if -x_i has the second largest score and the norm M, and the state
    lies between the two.

    Status: derived.

    >>> from hopref import theory
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> theory.separation(X) >= theory.exact_retrieval_separation([[0.5, 0.0], [0.0, 0.0]], X)
    array([ True, False])
    """
    xp, away = namespace(X), xi - X
    return margin / beta + 2 * largest_norm(X) * xp.sqrt(dot(away, away))


@op("(n,d),(n,d)->(n)", margin=positive, scratch="(n,n)")
def exact_beta(xi, X, /, *, margin=1.0):
    r"""Smallest beta at which pattern i has all the weight at state i.

    Source: the margin of Santos et al. 2024, solved for beta [FY-5].

    .. math:: \beta_i = \frac{m}{\xi_i^T x_i - \max_{j \neq i} \xi_i^T x_j}

    Returns: (n,); infinite where the score of another pattern is at least as large.

    Notes: the condition is necessary and sufficient.  The counterpart for softmax, whose weights
    are never 0, is `smallest_beta`.

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
    r"""Difference of the k-th largest score of a state and the next one.

    Source: Santos et al. 2024 [FY-5].

    .. math:: z_{(k)} - z_{(k+1)} \geq \frac{1}{\beta}
        \quad \Leftrightarrow \quad \text{the weights of } k\text{-subsets are 0 and 1}

    Returns: (...); infinite for k = n.  If it is at least 1/beta, the update is exactly the sum of
    the k patterns with the largest scores.

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
    r"""Error bound of the sparse model by the size of its support, as quoted in the literature.

    Source: Hu et al. 2023, quoted by other authors [FY-7].

    .. math:: \|f(\xi) - x_i\| \leq M + \sqrt d \, M \beta \Big(\kappa
        \big(\max_j x_j^T \xi - [X \xi]_{(\kappa)}\big) + \frac1\beta\Big)

    f is the update with sparsemax, kappa the number of patterns with positive weight, and
    [.]_(kappa) the kappa-th largest score.

    Parameters
    ----------
    xi : (..., d) states
    X : (n, d) stored patterns, one a row
    beta : inverse temperature, >= 1e-300

    Returns
    -------
    (...) bounds

    Notes
    -----
    The bound is correct and vacuous: it is at least (1 + sqrt(d)) M, and every mean of patterns is
    within 2 M of each of them.  `exact_retrieval_separation` is an informative alternative.  NumPy
    only.

    Status: not verified in the paper itself; derived, with its range of validity.

    >>> from hopref import theory
    >>> float(theory.support_size_bound([9.0], [[1.0], [-1.0]]))        # kappa = 1
    2.0
    """
    xi, X = validated(sparse.update, "support_size_bound", xi, X, beta=beta)
    z = xi @ X.T
    kept = sparse.weights(xi, X, beta=beta, alpha=2.0) > 0
    gap = np.max(np.where(kept, z.max(-1, keepdims=True) - z, 0.0), axis=-1)
    return largest_norm(X) * (1 + math.sqrt(X.shape[1]) * (beta * (kept.sum(-1) * gap) + 1))


# --- energies in the convex hull of the patterns -------------------------------------------------

@op("(n,d)->()", beta=positive, alpha=at_least_one)
def entmax_energy_bound(X, /, *, beta=1.0, alpha=1.5):
    r"""Upper bound on the energy of the sparse network in the convex hull of its patterns.

    Source: Santos et al. 2024, with the mean in place of one M [FY-4].

    .. math:: 0 \leq E \leq \min(M (M + \|\bar x\|), \; \tfrac12 M^2 - \beta^{-1} \Omega(u))

    Notes: the bound is at most the paper's min(2 M^2, ...).  The first term is attained for small
    beta at a pattern of norm M antiparallel to the mean, the second for large beta at the origin.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.entmax_energy_bound([[1.0], [-1.0]], beta=2.0, alpha=2.0))
    0.625
    """
    return _hull_bound(X, 1, -tsallis(_uniform(X), alpha=alpha) / beta)


@op("(n,d)->()", beta=positive, gamma=above_one)
def normmax_energy_bound(X, /, *, beta=1.0, gamma=2.0):
    r"""Upper bound on the energy of the normmax network in the convex hull of its patterns.

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
    r"""Upper bound on the energy of the k-subsets network in the hull of sums of k patterns.

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
    """The minimum of two bounds, from Omega* at the uniform p and at the p of the state itself."""
    xp, M = namespace(X), largest_norm(X)
    mean = xp.mean(X, axis=0)
    return xp.minimum(k * k * M * (M + xp.sqrt(dot(mean, mean))), k * k * M * M / 2 + gain)


def _uniform(X):
    return namespace(X).full_like(dot(X, X), 1 / X.shape[0])
