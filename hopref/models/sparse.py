r"""Sparse modern Hopfield networks (Hopfield-Fenchel-Young networks).

``xi`` (..., d) states, ``X`` (n, d) stored patterns in rows (the papers' columns), ``beta`` > 0
the inverse temperature.  The softmax of the modern network becomes a map with exact zeros, and a
pattern with a margin is retrieved exactly, in one step.

References: Santos, Niculae, McNamee & Martins 2024, *Hopfield-Fenchel-Young Networks*; Hu et al.
2023, *On Sparse Modern Hopfield Model* (sparsemax); Martins, Niculae & McNamee 2023.
"""
import math

from hopref.dispatch.domains import count, finite, inverse_temperature
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n
from hopref.maps import (
    centred,
    dot,
    entmax,
    half_square_excess,
    k_subsets,
    lengths,
    norm_excess,
    normmax,
    of_length_one,
    overlaps,
    rows,
    shorter,
    tsallis_excess,
)
from hopref.maps.sparse import above_one, at_least_one

__all__ = ["energy", "update", "weights", "normmax_energy", "normmax_update", "normmax_weights",
           "k_subsets_energy", "k_subsets_update", "k_subsets_weights", "normalized_energy",
           "normalized_update", "layer_norm_energy", "layer_norm_update"]


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, alpha=at_least_one, scratch="(...,n)",
    result=finite)
def energy(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Energy of a state.  Source: Santos et al. 2024 [FY-2].

    .. math:: E = -\beta^{-1} L_\Omega(\beta X \xi; u) + \tfrac12 \|\xi - \bar x\|^2
        + \tfrac12 (M^2 - \|\bar x\|^2), \quad u = 1/N, \; \bar x = X^T u, \; M = \max_i \|x_i\|

    Returns
    -------
    (...) energies; 0 <= E <= min(2 M^2, M^2/2 - Omega(u)/beta) on the hull of the patterns

    Notes
    -----
    Equals -Omega*(beta X xi)/beta - Omega(u)/beta + |xi|^2/2 + M^2/2, the modern energy at alpha
    = 1.  With p the weights and t the pattern of the largest score, four terms are computed:
    |xi - x_t|^2/2 + (M^2 - |x_t|^2)/2 + p^T (z_t - z) + (Omega(p) - Omega(u))/beta, the last as a
    sum of Bregman divergences.  All are >= 0 and none cancels, at any beta.

    >>> from hopref import sparse
    >>> float(sparse.energy([-1.0], [[1.0]]))       # 2 M^2, its largest value
    2.0
    """
    z = overlaps(xi, X)
    p = entmax(z, beta=beta, alpha=alpha)
    gain = tsallis_excess(p, alpha=alpha)
    return seen_from_the_best(xi, X, z) + shortfall(z, p) + gain / beta


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, alpha=at_least_one, lowers=energy,
    scratch="(...,n)", result=finite)
def update(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""One retrieval step.  Source: Santos et al. 2024 [FY-3].

    .. math:: \xi^{new} = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    Notes
    -----
    A convex combination of few patterns: x_i itself, exactly, where its score leads every other
    by 1/((alpha - 1) beta).  The energy falls by exactly |xi_new - xi|^2/2 and the Bregman
    divergence of Omega* between the new and the old scores, over beta.

    >>> from hopref import sparse
    >>> sparse.update([0.9, 0.2], [[1.0, 0.0], [0.0, 1.0]], beta=4.0)
    array([1., 0.])
    """
    return entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X


@op("(...,d),(n,d)->(...,n)", beta=inverse_temperature, alpha=at_least_one, scratch="(...,n)",
    result=finite)
def weights(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""How much each pattern takes part.  Source: Santos et al. 2024 [FY-3].

    .. math:: p = \mathrm{entmax}_\alpha(\beta X \xi)

    >>> from hopref import sparse
    >>> sparse.weights([0.25], [[1.0], [-1.0]], alpha=2.0)
    array([0.75, 0.25])
    """
    return entmax(overlaps(xi, X), beta=beta, alpha=alpha)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, gamma=above_one, scratch="(...,n)",
    result=finite)
def normmax_energy(xi, X, /, *, beta=1.0, gamma=2.0):
    r"""Energy with the norm as regulariser.  Source: Santos et al. 2024 [FY-2].

    .. math:: E = -\beta^{-1} \Omega^*(\beta X \xi) - \beta^{-1} \Omega(u) + \tfrac12 \|\xi\|^2
        + \tfrac12 M^2, \quad \Omega(p) = \|p\|_\gamma - 1, \; u = 1/N

    >>> from hopref import sparse
    >>> float(sparse.normmax_energy([-1.0], [[1.0]]))
    2.0
    """
    z = overlaps(xi, X)
    p = normmax(z, beta=beta, gamma=gamma)
    gain = norm_excess(p, gamma=gamma)
    return seen_from_the_best(xi, X, z) + shortfall(z, p) + gain / beta


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, gamma=above_one, lowers=normmax_energy,
    scratch="(...,n)", result=finite)
def normmax_update(xi, X, /, *, beta=1.0, gamma=2.0):
    r"""One retrieval step by normmax.  Source: Santos et al. 2024 [FY-3].

    .. math:: \xi^{new} = X^T \mathrm{normmax}_\gamma(\beta X \xi)

    >>> from hopref import sparse
    >>> sparse.normmax_update([0.9, 0.2], [[1.0, 0.0], [0.0, 1.0]], beta=4.0)
    array([1., 0.])
    """
    return normmax(overlaps(xi, X), beta=beta, gamma=gamma) @ X


@op("(...,d),(n,d)->(...,n)", beta=inverse_temperature, gamma=above_one, scratch="(...,n)",
    result=finite)
def normmax_weights(xi, X, /, *, beta=1.0, gamma=2.0):
    r"""How much each pattern takes part, by normmax.  Source: Santos et al. 2024 [FY-3].

    .. math:: p = \mathrm{normmax}_\gamma(\beta X \xi)

    >>> from hopref import sparse
    >>> sparse.normmax_weights([0.0], [[1.0], [-1.0]])
    array([0.5, 0.5])
    """
    return normmax(overlaps(xi, X), beta=beta, gamma=gamma)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, k=count, shape_rule=k_of_n, scratch="(...,n)",
    result=finite)
def k_subsets_energy(xi, X, /, *, k, beta=1.0):
    r"""Energy over subsets of k patterns.  Source: Santos et al. 2024 [FY-2].

    .. math:: E = -\beta^{-1} \Omega^*(\beta X \xi) - \beta^{-1} \Omega(u) + \tfrac12 \|\xi\|^2
        + \tfrac12 (k M)^2, \quad \Omega(\mu) = \tfrac12 \|\mu\|^2, \; u = k/N

    Notes
    -----
    A sum of k patterns is at most k M long, and Omega at least Omega(u): E >= (|xi| - k M)^2/2.
    With y = X^T mu three terms >= 0 are computed: |xi - y|^2/2 + ((k M)^2 - |y|^2)/2 + (Omega(mu) -
    Omega(u))/beta.

    >>> from hopref import sparse
    >>> float(sparse.k_subsets_energy([-1.0], [[1.0]], k=1))
    2.0
    """
    mu = k_subsets(overlaps(xi, X, k=k), k=k, beta=beta)
    y, gain = mu @ X, half_square_excess(mu, k=k)
    return dot(xi - y, xi - y) / 2 + shorter(k * X, y) / 2 + gain / beta


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, k=count, shape_rule=k_of_n,
    lowers=k_subsets_energy, scratch="(...,n)", result=finite)
def k_subsets_update(xi, X, /, *, k, beta=1.0):
    r"""One step towards the sum of k patterns.  Source: Santos et al. 2024 [FY-3].

    .. math:: \xi^{new} = X^T \mathrm{k\text{-}subsets}(\beta X \xi)

    Exactly the sum of the k best patterns where the k-th score leads the next by 1/beta.

    >>> from hopref import sparse
    >>> sparse.k_subsets_update([2.0, 1.0, 0.0], [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]], k=2)
    array([1., 1., 0.])
    """
    return k_subsets(overlaps(xi, X, k=k), k=k, beta=beta) @ X


@op("(...,d),(n,d)->(...,n)", beta=inverse_temperature, k=count, shape_rule=k_of_n,
    scratch="(...,n)", result=finite)
def k_subsets_weights(xi, X, /, *, k, beta=1.0):
    r"""How much each pattern takes part in the sum of k.  Source: Santos et al. 2024 [FY-3].

    .. math:: \mu = \mathrm{k\text{-}subsets}(\beta X \xi)

    >>> from hopref import sparse
    >>> sparse.k_subsets_weights([0.0], [[1.0], [-1.0]], k=1)
    array([0.5, 0.5])
    """
    return k_subsets(overlaps(xi, X, k=k), k=k, beta=beta)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, alpha=at_least_one, scratch="(...,n)",
    result=finite)
def normalized_energy(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Energy of a state of length 1 or less, that of a step followed by a normalisation.

    Source: Santos et al. 2024, two Fenchel-Young losses, the second of the unit ball; derived and
    checked here [FY-6].

    .. math:: E = -\beta^{-1} \Omega^*(\beta X \xi) - \beta^{-1} \Omega(u) + M, \quad
        \|\xi\| \le 1, \; u = 1/N, \; M = \max_i \|x_i\|

    Returns
    -------
    (...) energies; 0 <= E <= M - xi . mean of the patterns, on the ball

    Notes
    -----
    The difference of two losses, -L_Omega(beta X xi; u)/beta + L_Psi(X^T u; xi) with Psi = 0 on the
    ball and infinite elsewhere, is this less M - |X^T u|.  Off the ball, too, the formula is
    computed, and is no energy.

    >>> from hopref import sparse
    >>> float(sparse.normalized_energy([-1.0], [[1.0]]))
    2.0
    """
    z = xi @ X.T
    p = entmax(z, beta=beta, alpha=alpha)
    gain = tsallis_excess(p, alpha=alpha)
    return longest(X) - best(z) + shortfall(z, p) + gain / beta


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, alpha=at_least_one,
    lowers=(normalized_energy, "|xi| <= 1, as of every result"), scratch="(...,n)", result=finite)
def normalized_update(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""A retrieval step, then the length 1.

    Source: Santos et al. 2024; its energy derived and checked here [FY-6].

    .. math:: \xi^{new} = \frac{y}{\|y\|}, \quad y = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    Where y = 0 the result is 0.

    Notes
    -----
    The point of the ball furthest along y.  From a state in the ball the energy falls by exactly
    |y| - y . xi >= 0 and the Bregman divergence of Omega* between the new and the old scores, over
    beta; from one outside it may rise.

    >>> from hopref import sparse
    >>> sparse.normalized_update([1.0, 0.0], [[3.0, 4.0], [-3.0, -4.0]])
    array([0.6, 0.8])
    """
    return of_length_one(entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, alpha=at_least_one, scratch="(...,n)",
    result=finite)
def layer_norm_energy(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Energy of a state of mean 0 and variance 1 or less, that of a step and a layer norm.

    Source: Santos et al. 2024, two Fenchel-Young losses, the second of the ball in the plane of
    mean 0; derived and checked here [FY-6].

    .. math:: E = -\beta^{-1} \Omega^*(\beta X \xi) - \beta^{-1} \Omega(u) + \sqrt d \, M, \quad
        \|\xi\|^2 \le d, \; \textstyle\sum_k \xi_k = 0, \; M = \max_i \|x_i - \bar x_i\|

    Returns
    -------
    (...) energies; 0 <= E <= sqrt(d) M - xi . mean of the patterns, on that set

    Notes
    -----
    Less sqrt(d) (M - |X^T u - its mean|) it is the difference of two losses.  Off the set, too, the
    formula is computed, with X xi and not the centred patterns' scores, and is no energy.

    >>> from hopref import sparse
    >>> float(sparse.layer_norm_energy([-1.0, 1.0], [[3.0, 1.0]]))       # 2 sqrt(d) M
    4.0
    """
    z, r = xi @ X.T, math.sqrt(xi.shape[-1])
    p = entmax(z, beta=beta, alpha=alpha)
    gain = tsallis_excess(p, alpha=alpha)
    return r * longest(centred(X)) - best(z) + shortfall(z, p) + gain / beta


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, alpha=at_least_one,
    lowers=(layer_norm_energy, "sum of xi = 0, |xi|^2 <= d, as of every result"),
    scratch="(...,n)", result=finite)
def layer_norm_update(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""A retrieval step, then mean 0 and variance 1.

    Source: Santos et al. 2024; its energy derived and checked here [FY-6].

    .. math:: \xi^{new} = \sqrt d \, \frac{y - \bar y}{\|y - \bar y\|}, \quad
        y = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    Where all components of y are equal the result is 0.

    Notes
    -----
    From a state of mean 0 and length sqrt(d) at most, the energy falls by exactly
    sqrt(d) |y - mean y| - y . xi >= 0 and the Bregman divergence of Omega*, over beta.

    >>> from hopref import sparse
    >>> sparse.layer_norm_update([1.0, 0.0], [[3.0, 1.0], [-3.0, -1.0]])
    array([ 1., -1.])
    """
    y = entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X
    return math.sqrt(xi.shape[-1]) * of_length_one(centred(y))


def seen_from_the_best(xi, X, z):
    """|xi|^2/2 + M^2/2 - max z, as two terms >= 0."""
    top = rows(X, namespace(xi).argmax(z, axis=-1))
    return dot(xi - top, xi - top) / 2 + shorter(X, top) / 2


def longest(X):
    """M, the length of the longest pattern."""
    return namespace(X).max(lengths(X))


def best(z):
    return namespace(z).max(z, axis=-1)


def shortfall(z, p):
    """max z - p.z, of terms >= 0."""
    return dot(p, namespace(z).max(z, axis=-1, keepdims=True) - z)
