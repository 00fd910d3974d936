r"""Convergence of the modern network: bounds on energies, steps and distances, and basins.

``xi`` (..., d) states, ``X`` (n, d) patterns in rows, M their largest norm.

References: Ramsauer et al. 2021, Appendix A.1.
"""
import math

import numpy as np

from hopref.dispatch.domains import Scalar, count, nonnegative, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.errors import naming
from hopref.maps import dot
from hopref.models import modern
from hopref.theory.arguments import validated
from hopref.theory.separability import separation

__all__ = ["energy_bounds", "hull_energy_bound", "smallest_step_bound", "distance_bound",
           "basin_radius"]

contracting = Scalar("a number >= 0 and below 1", lambda v: 0 <= v < 1)
HALVINGS = 100          # bisections of a bracket of radii, beyond its last bit


@op("(...,d),(n,d)->(...),(...)")
def energy_bounds(xi, X, /):
    r"""Lower and upper bounds on the energy of a state, for every beta.

    Source: after Ramsauer et al. 2021, lemma A1 [MH-3].

    .. math:: \tfrac12 (M - \|\xi\|)^2 \leq E(\xi) \leq \tfrac12 (M + \|\xi\|)^2

    Returns: (lower, upper), (...) arrays.

    Notes: a single pattern x attains both, at states parallel and antiparallel to x.  The upper
    bound equals the 2 M^2 of the paper at |xi| = M.

    Status: derived.

    >>> from hopref import theory
    >>> [float(v) for v in theory.energy_bounds([-1.0], [[1.0]])]
    [0.0, 2.0]
    """
    xp = namespace(X)
    M, size = xp.sqrt(xp.max(dot(X, X))), xp.sqrt(dot(xi, xi))
    return xp.square(M - size) / 2, xp.square(M + size) / 2


@op("(n,d)->()", beta=positive)
def hull_energy_bound(X, /, *, beta=1.0):
    r"""Upper bound on the energy of states in the convex hull of the patterns.

    Source: Ramsauer et al. 2021, lemma A1 [MH-3].

    .. math:: E(\xi) \leq \min\big(2 M^2, \; \beta^{-1} \ln N + \tfrac12 M^2\big),
        \quad \xi \in \mathrm{conv}\{x_i\}

    Notes: every updated state lies in the convex hull.

    Status: read.

    >>> from hopref import theory
    >>> float(theory.hull_energy_bound([[1.0], [-1.0]], beta=0.01))
    2.0
    """
    xp = namespace(X)
    square = xp.max(dot(X, X))
    return xp.minimum(2 * square, math.log(X.shape[0]) / beta + square / 2)


@op("(...,d),(n,d)->(...)", beta=positive, steps=count, scratch="(...,n)")
def smallest_step_bound(xi, X, /, *, beta=1.0, steps):
    r"""Upper bound on the length of the shortest of the first ``steps`` steps from a state.

    Source: the sum of the energy decreases; after Ramsauer et al. 2021, theorem 2 [MH-4].

    .. math:: \min_{t < T} \|\xi^{t+1} - \xi^t\| \leq \sqrt{2 E(\xi^0) / T}

    Notes: the bound holds for all patterns and every beta.  No rate of convergence of the states
    themselves holds in this generality.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.smallest_step_bound([3.0], [[1.0]], steps=4))      # E = 2
    1.0
    """
    return namespace(X).sqrt(2 * modern.energy(xi, X, beta=beta) / steps)


@op("->()", step=nonnegative, factor=contracting, steps=count)
def distance_bound(step, /, *, factor, steps):
    r"""Upper bound on the distance from the unique fixed point after ``steps`` updates.

    Source: Banach's fixed point theorem, for Ramsauer et al. 2021, lemma A3 [MH-8].

    .. math:: \|\xi^T - \xi^*\| \leq \frac{q^T}{1 - q} \|\xi^1 - \xi^0\|

    Parameters
    ----------
    step : length of the first step, >= 0
    factor : q, a Lipschitz constant below 1: `contraction_factor`, `graded_contraction_factor`
    steps : T, the number of updates

    Returns: float, a distance.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.distance_bound(1.0, factor=0.5, steps=4))
    0.125
    """
    return np.float64(factor) ** steps / (1 - factor) * step


def basin_radius(X, /, *, beta=1.0):
    r"""Radius about each pattern within which all states converge to one fixed point.

    Source: the method of Ramsauer et al. 2021, lemmas A5 to A7, with sharper bounds [MH-9].

    .. math:: g_i(\rho) = \sum_{j \neq i} D_{ij} e^{-\beta (x_i^T x_i - x_i^T x_j - \rho D_{ij})}
        - \rho, \qquad \rho_i = \arg\min g_i \text{ if } g_i(\rho_i) \leq 0, \text{ else } 0,
        \qquad D_{ij} = \|x_i - x_j\|

    Parameters
    ----------
    X : (n, d) stored patterns, one a row
    beta : inverse temperature, > 0

    Returns
    -------
    (n,) radii; 0 where no basin is guaranteed, infinite where all patterns are equal

    Notes
    -----
    One update of a state within rho of x_i lies within rho + g(rho) of x_i, and the Lipschitz
    constant of the update there is at most 1 + g'(rho).  Where g(rho) <= 0 the update therefore
    maps the sphere of radius rho into itself, and up to the minimum of the convex g it is a
    contraction; the fixed point lies in the sphere.  The radius of a well separated pattern
    (`required_separation`) is at least `sphere_radius`.  O(n^2 d) time, O(n^2) memory; NumPy only.

    Status: derived.

    >>> from hopref import theory
    >>> theory.basin_radius([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.1]], beta=8.0).round(2)
    array([0.7, 0.7, 0. ])
    """
    X, = validated(separation, "basin_radius", X)
    with naming("hopref.theory.basin_radius"):
        beta = positive.validate("beta", beta)
    D = np.sqrt(np.stack([((X - x) ** 2).sum(-1) for x in X]))
    gap = np.stack([(x - X) @ x for x in X])
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        logs = np.where(D > 0, np.log(D) - beta * gap, -np.inf)     # of g's terms at rho = 0
        rho = _where_slope_is_one(logs + np.log(beta * D), beta * D)
        g = np.exp(logs + np.where(D > 0, beta * D * rho[:, None], 0.0)).sum(-1) - rho
    alone = ~(D > 0).any(-1)
    return np.where(alone, np.inf, np.where((g <= 0) & (rho > 0), rho, 0.0))


def _where_slope_is_one(logs, rates):
    """Largest rho with sum exp(logs + rho rates) <= 1 in each row; 0 if the sum at 0 exceeds 1."""
    live = rates > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(live, -logs / rates, np.inf).min(-1)       # each term alone stays below 1
    low, high = np.zeros(len(logs)), np.where(np.isfinite(least), np.maximum(least, 0.0), 0.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        at = np.where(live, logs + middle[:, None] * rates, -np.inf)
        enough = np.exp(at).sum(-1) <= 1
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return low
