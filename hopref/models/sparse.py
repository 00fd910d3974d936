r"""Sparse modern Hopfield networks (Hopfield-Fenchel-Young networks).

``xi`` (..., d) states, ``X`` (n, d) stored patterns in rows (the papers' columns), ``beta`` > 0
the inverse temperature.  The softmax of the modern network is replaced by a map with exact zeros; a
pattern whose score exceeds the others by a margin is retrieved exactly, in one step.

References: Santos, Niculae, McNamee & Martins 2024, *Hopfield-Fenchel-Young Networks*; Hu et al.
2023, *On Sparse Modern Hopfield Model* (sparsemax); Martins, Niculae & McNamee 2023.
"""
import math

from hopref.dispatch.domains import count, finite, inverse_temperature, nonnegative
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
    (...) array, energies with 0 <= E <= min(2 M^2, M^2/2 - Omega(u)/beta) on the convex hull of the
        patterns

    Notes
    -----
    The energy equals -Omega*(beta X xi)/beta - Omega(u)/beta + |xi|^2/2 + M^2/2, which is the
    modern energy at alpha = 1.  It is computed as the sum of four terms, where p are the weights
    and t is the pattern of the largest score: |xi - x_t|^2/2 + (M^2 - |x_t|^2)/2 + p^T (z_t - z) +
    (Omega(p) - Omega(u))/beta, the last of which is a sum of Bregman divergences.  All terms are
    >= 0, so that they do not cancel at any beta.

    >>> from hopref import sparse
    >>> float(sparse.energy([-1.0], [[1.0]]))       # 2 M^2, its largest value
    2.0
    """
    z = overlaps(xi, X)
    p = entmax(z, beta=beta, alpha=alpha)
    gain = tsallis_excess(p, alpha=alpha)
    return quadratic_excess(xi, X, z) + score_deficit(z, p) + gain / beta


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, alpha=at_least_one, lowers=energy,
    scratch="(...,n)", result=finite)
def update(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""One retrieval step.  Source: Santos et al. 2024 [FY-3].

    .. math:: \xi^{new} = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    Notes
    -----
    The result is a convex combination of few patterns.  It is exactly x_i where the score of x_i
    exceeds all others by 1/((alpha - 1) beta).  The energy decreases by exactly |xi_new - xi|^2/2
    plus 1/beta times the Bregman divergence of Omega* between the new and the old scores.

    >>> from hopref import sparse
    >>> sparse.update([0.9, 0.2], [[1.0, 0.0], [0.0, 1.0]], beta=4.0)
    array([1., 0.])
    """
    return entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X


@op("(...,d),(n,d)->(...,n)", beta=inverse_temperature, alpha=at_least_one, scratch="(...,n)",
    result=finite)
def weights(xi, X, /, *, beta=1.0, alpha=1.5):
    r"""Weights of the patterns in the update.  Source: Santos et al. 2024 [FY-3].

    .. math:: p = \mathrm{entmax}_\alpha(\beta X \xi)

    >>> from hopref import sparse
    >>> sparse.weights([0.25], [[1.0], [-1.0]], alpha=2.0)
    array([0.75, 0.25])
    """
    return entmax(overlaps(xi, X), beta=beta, alpha=alpha)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, gamma=above_one, scratch="(...,n)",
    result=finite)
def normmax_energy(xi, X, /, *, beta=1.0, gamma=2.0):
    r"""Energy whose regulariser is the norm.  Source: Santos et al. 2024 [FY-2].

    .. math:: E = -\beta^{-1} \Omega^*(\beta X \xi) - \beta^{-1} \Omega(u) + \tfrac12 \|\xi\|^2
        + \tfrac12 M^2, \quad \Omega(p) = \|p\|_\gamma - 1, \; u = 1/N

    >>> from hopref import sparse
    >>> float(sparse.normmax_energy([-1.0], [[1.0]]))
    2.0
    """
    z = overlaps(xi, X)
    p = normmax(z, beta=beta, gamma=gamma)
    gain = norm_excess(p, gamma=gamma)
    return quadratic_excess(xi, X, z) + score_deficit(z, p) + gain / beta


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
    r"""Weights of the patterns in the update by normmax.  Source: Santos et al. 2024 [FY-3].

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
    The length of a sum of k patterns is at most k M, and Omega is at least Omega(u), so that
    E >= (|xi| - k M)^2/2.  The energy is computed as the sum of three terms >= 0, with y = X^T mu:
    |xi - y|^2/2 + ((k M)^2 - |y|^2)/2 + (Omega(mu) - Omega(u))/beta.

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
    r"""One step of the retrieval of a sum of k patterns.  Source: Santos et al. 2024 [FY-3].

    .. math:: \xi^{new} = X^T \mathrm{k\text{-}subsets}(\beta X \xi)

    Parameters
    ----------
    k : number of patterns in the sum

    Notes
    -----
    The result is exactly the sum of the k patterns of largest score where the k-th score exceeds
    the next by 1/beta.

    >>> from hopref import sparse
    >>> sparse.k_subsets_update([2.0, 1.0, 0.0], [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]], k=2)
    array([1., 1., 0.])
    """
    return k_subsets(overlaps(xi, X, k=k), k=k, beta=beta) @ X


@op("(...,d),(n,d)->(...,n)", beta=inverse_temperature, k=count, shape_rule=k_of_n,
    scratch="(...,n)", result=finite)
def k_subsets_weights(xi, X, /, *, k, beta=1.0):
    r"""Weights of the patterns in the sum of k patterns.  Source: Santos et al. 2024 [FY-3].

    .. math:: \mu = \mathrm{k\text{-}subsets}(\beta X \xi)

    >>> from hopref import sparse
    >>> sparse.k_subsets_weights([0.0], [[1.0], [-1.0]], k=1)
    array([0.5, 0.5])
    """
    return k_subsets(overlaps(xi, X, k=k), k=k, beta=beta)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, alpha=at_least_one, eps=nonnegative,
    scratch="(...,n)", result=finite)
def normalized_energy(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""Energy of `normalized_update`, for states of length at most 1.

    Source: Santos et al. 2024, as two Fenchel-Young losses, the second of which is that of the unit
    sphere and its interior; derived and verified in this library [FY-6].

    .. math:: E = -\beta^{-1} \Omega^*(\beta X \xi) - \beta^{-1} \Omega(u) + M
        - \sqrt{\epsilon\, (1 - \|\xi\|^2)}, \quad
        \|\xi\| \le 1, \; u = 1/N, \; M = \max_i \sqrt{\|x_i\|^2 + \epsilon}

    Parameters
    ----------
    eps : stabiliser of the update

    Returns
    -------
    (...) array, energies with 0 <= E <= M - xi . mean of the patterns where |xi| <= 1

    Notes
    -----
    E - (M - sqrt(|X^T u|^2 + eps)) is the difference of two losses, -L_Omega(beta X xi; u)/beta +
    L_Psi(X^T u; xi), where Psi is -sqrt(eps (1 - |xi|^2)) for |xi| <= 1 and infinite elsewhere.
    The formula is also evaluated for |xi| > 1, with Psi = 0, where it is not an energy of the
    update.

    >>> from hopref import sparse
    >>> float(sparse.normalized_energy([-1.0], [[1.0]]))
    2.0
    """
    z = xi @ X.T
    p = entmax(z, beta=beta, alpha=alpha)
    gain = tsallis_excess(p, alpha=alpha)
    return (longest(X, eps) - slack(xi, 1, eps) - largest(z) + score_deficit(z, p)
            + gain / beta)


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, alpha=at_least_one, eps=nonnegative,
    lowers=(normalized_energy, "|xi| <= 1, as of every result"), scratch="(...,n)", result=finite)
def normalized_update(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""One retrieval step, followed by normalisation to length 1.

    Source: Santos et al. 2024; the energy is derived and verified in this library [FY-6].

    .. math:: \xi^{new} = \frac{y}{\sqrt{\|y\|^2 + \epsilon}}, \quad
        y = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    Where y = 0 the result is 0.

    Parameters
    ----------
    eps : stabiliser, added to the square of the length under the root

    Notes
    -----
    The result maximises y . x + s(x) over |x| <= 1, where s(x) = sqrt(eps (1 - |x|^2)).  From a
    state of length at most 1 the energy decreases by exactly sqrt(|y|^2 + eps) - y . xi - s(xi) >=
    0 plus 1/beta times the Bregman divergence of Omega* between the new and the old scores; from a
    longer state it may increase.

    >>> from hopref import sparse
    >>> sparse.normalized_update([1.0, 0.0], [[3.0, 4.0], [-3.0, -4.0]])
    array([0.6, 0.8])
    """
    return of_length_one(entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X, eps)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, alpha=at_least_one, eps=nonnegative,
    scratch="(...,n)", result=finite)
def layer_norm_energy(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""Energy of `layer_norm_update`, for states of mean 0 and variance at most 1.

    Source: Santos et al. 2024, as two Fenchel-Young losses, the second of which is that of the
    states of mean 0 and variance at most 1; derived and verified in this library [FY-6].

    .. math:: E = -\beta^{-1} \Omega^*(\beta X \xi) - \beta^{-1} \Omega(u) + \sqrt d \, M
        - \sqrt{d \epsilon\, (d - \|\xi\|^2)}, \quad
        \|\xi\|^2 \le d, \; \textstyle\sum_k \xi_k = 0, \;
        M = \max_i \sqrt{\|x_i - \bar x_i\|^2 + d \epsilon}

    Parameters
    ----------
    eps : stabiliser of the update

    Returns
    -------
    (...) array, energies with 0 <= E <= sqrt(d) M - xi . mean of the patterns for such states

    Notes
    -----
    E - sqrt(d) (M - sqrt(|v|^2 + d eps)), where v is X^T u minus the mean of its components, is the
    difference of two losses.  The formula is also evaluated for other states, with the scores X xi
    instead of those of the centred patterns, and 0 for the root of a negative number; it is not an
    energy of the update there.

    >>> from hopref import sparse
    >>> float(sparse.layer_norm_energy([-1.0, 1.0], [[3.0, 1.0]]))       # 2 sqrt(d) M
    4.0
    """
    z, d = xi @ X.T, xi.shape[-1]
    p = entmax(z, beta=beta, alpha=alpha)
    gain = tsallis_excess(p, alpha=alpha)
    reach = math.sqrt(d) * longest(centred(X), d * eps) - slack(xi, d, d * eps)
    return reach - largest(z) + score_deficit(z, p) + gain / beta


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, alpha=at_least_one, eps=nonnegative,
    lowers=(layer_norm_energy, "sum of xi = 0, |xi|^2 <= d, as of every result"),
    scratch="(...,n)", result=finite)
def layer_norm_update(xi, X, /, *, beta=1.0, alpha=1.5, eps=0.0):
    r"""One retrieval step, followed by normalisation to mean 0 and variance 1.

    Source: Santos et al. 2024; the energy is derived and verified in this library [FY-6].

    .. math:: \xi^{new} = \sqrt d \, \frac{y - \bar y}{\sqrt{\|y - \bar y\|^2 + d \epsilon}}, \quad
        y = X^T \mathrm{entmax}_\alpha(\beta X \xi)

    Where all components of y are equal the result is 0.

    Parameters
    ----------
    eps : stabiliser, added to the variance under the root, as in `layers.layer_norm`

    Notes
    -----
    From a state of mean 0 and length at most sqrt(d), the energy decreases by exactly
    sqrt(d (|y - mean y|^2 + d eps)) - y . xi - sqrt(d eps (d - |xi|^2)) >= 0 plus 1/beta times the
    Bregman divergence of Omega* between the new and the old scores.

    >>> from hopref import sparse
    >>> sparse.layer_norm_update([1.0, 0.0], [[3.0, 1.0], [-3.0, -1.0]])
    array([ 1., -1.])
    """
    y = entmax(overlaps(xi, X), beta=beta, alpha=alpha) @ X
    d = xi.shape[-1]
    return math.sqrt(d) * of_length_one(centred(y), d * eps)


def quadratic_excess(xi, X, z):
    """|xi|^2/2 + M^2/2 - max z, as the sum of two terms >= 0."""
    nearest = rows(X, namespace(xi).argmax(z, axis=-1))
    return dot(xi - nearest, xi - nearest) / 2 + shorter(X, nearest) / 2


def longest(X, square=0.0):
    """The largest sqrt(|x|^2 + square) of the patterns."""
    return namespace(X).max(lengths(X, square))


def slack(xi, square, eps):
    """sqrt(eps (square - |xi|^2)), and 0 for longer states."""
    xp, rest = namespace(xi), square - dot(xi, xi)
    return math.sqrt(eps) * xp.sqrt(xp.where(rest > 0, rest, 0.0))


def largest(z):
    """The largest score."""
    return namespace(z).max(z, axis=-1)


def score_deficit(z, p):
    """max z - p.z, as a sum of terms >= 0."""
    return dot(p, namespace(z).max(z, axis=-1, keepdims=True) - z)
