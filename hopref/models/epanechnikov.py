r"""Memory with the log-sum-ReLU energy, by the kernel of Epanechnikov.

``xi`` (..., d) states, ``X`` (n, d) stored patterns, one a row; ``beta`` > 0 sets the radius
sqrt(2/beta) of the neighbourhood of a state, outside of which patterns have no part.  The energy is
a log of a density of patterns, and the update the mean of those in the neighbourhood, mean shift
with a flat kernel; it ends exactly, after finitely many steps.

Reference: Hoover, Shi, Krotov, Balasubramanian and Ram 2025, *Dense Associative Memory with
Epanechnikov Energy*.
"""
import math

from hopref.dispatch.domains import inverse_temperature, nonnegative
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import squared_distances

__all__ = ["energy", "update"]


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, eps=nonnegative, scratch="(...,n,d)")
def energy(xi, X, /, *, beta=1.0, eps=0.0):
    r"""Log-sum-ReLU energy of a state.  Source: Hoover et al. 2025, eq. (3) [LR-1].

    .. math:: E = -\tfrac1\beta \ln\Bigl(\epsilon
        + \sum_i \bigl[1 - \tfrac\beta2 \|\xi - x_i\|^2\bigr]_+\Bigr)

    Parameters
    ----------
    beta : 2 over the squared radius of the neighbourhood of a state
    eps : added to the sum; with 0 the energy is infinite where no pattern is in the neighbourhood

    >>> from hopref import epanechnikov
    >>> epanechnikov.energy([[1.0], [9.0]], [[1.0], [3.0]], beta=0.5)      # -2 ln(1 + 0)
    array([-0., inf])
    """
    xp = namespace(xi)
    u = margins(xi, X, beta)
    total = eps + xp.sum(xp.where(u <= 0, 0.0, u), axis=-1)
    some = total > 0
    return xp.where(some, -xp.log(xp.where(some, total, 1.0)) / beta, math.inf)


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, lowers=energy, scratch="(...,n,d)")
def update(xi, X, /, *, beta=1.0):
    r"""One retrieval step: the mean of the patterns in the neighbourhood.

    Source: Hoover et al. 2025, the gradient step of eq. (3) [LR-2].

    .. math:: \xi^{new} = \frac{1}{|B|} \sum_{i \in B} x_i, \quad
        B = \{i : \tfrac\beta2 \|\xi - x_i\|^2 < 1\}

    Parameters
    ----------
    beta : 2 over the squared radius of the neighbourhood of a state

    Returns
    -------
    (..., d) new states; a state whose neighbourhood holds no pattern does not move

    Notes
    -----
    e^(-beta E) increases by at least beta |B| |xi_new - xi|^2/2, and by more where patterns enter
    or leave the neighbourhood.  A single near pattern is the new state, bit for bit.

    >>> from hopref import epanechnikov
    >>> epanechnikov.update([[1.5], [9.0]], [[1.0], [2.0], [5.0]])
    array([[1.5],
           [9. ]])
    """
    xp = namespace(xi)
    near = xp.astype(margins(xi, X, beta) > 0, xi.dtype)
    count = xp.sum(near, axis=-1, keepdims=True)
    return xp.where(count > 0, near @ X / xp.maximum(count, xp.ones_like(count)), xi)


def margins(xi, X, beta):
    """1 - beta |xi - x|^2/2, which is positive inside of the neighbourhood."""
    return 1 - beta / 2 * squared_distances(xi, X)
