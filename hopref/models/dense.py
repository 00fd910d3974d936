r"""Dense associative memory: polar states, interactions steeper than quadratic.

``xi`` (..., d) polar states, ``X`` (n, d) patterns in rows.  ``interaction`` names F: "polynomial"
z^n, "rectified" max(z, 0)^n, "exponential" e^z, "quadratic" z^2/2 (the classical network, zero
diagonal), or is an `Interaction` of one's own.

References: Krotov and Hopfield 2016; Demircigil et al. 2017; Ramsauer et al. 2021, Appendix A.3,
eqs. (544), (545).
"""
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hopref.dispatch.domains import Choice, count, sites
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    column,
    common_unit,
    finite_or_zero,
    keep,
    logsumexp,
    power,
    scan,
    shifted_exp,
)
from hopref.models._preconditions import polar

__all__ = ["Interaction", "energy", "log_energy", "update", "asynchronous_update",
           "first_order_update"]


def difference(F, up, down, n):
    """sum_mu F(up) - F(down), over the patterns along axis -2."""
    return namespace(up).sum(F(up, n) - F(down, n), axis=-2)


class Interaction(NamedTuple):
    """F(z, n), its slope in z, and the gain(F, up, down, n) whose sign is that of `difference`.

    Patterns lie along axis -2; the slopes of all patterns may carry a common factor > 0.
    """
    F: Callable
    slope: Callable
    gain: Callable = difference


def _quadratic(z, n):
    return z * z / 2


def _itself(z, n):
    return z


def _polynomial_slope(z, n):
    return n * power(common_unit(z, n) * z, n - 1)


def _positive(z):
    return namespace(z).where(z > 0, z, 0.0)


def _rectified(z, n):
    return power(_positive(z), n)


def _rectified_slope(z, n):
    xp = namespace(z)
    return xp.where(z > 0, _polynomial_slope(_positive(z), n), 0.0)


def _homogeneous(F, up, down, n):
    """F(c z) = c^n F(z): a common factor keeps the powers among the floating-point numbers."""
    xp = namespace(up)
    c = common_unit(xp.maximum(xp.abs(up), xp.abs(down)), n)
    return difference(F, c * up, c * down, n)


def _exponential(z, n):
    return namespace(z).exp(z)


def _exponential_slope(z, n):
    return shifted_exp(z, -2)


def _exponential_gain(F, up, down, n):
    """In units of the largest overlap that is not, in its rank, the same up and down: no overflow,
    and what is the same cancels to the last bit, so that ties are seen."""
    xp = namespace(up)
    up, down = _ranked(up), _ranked(down)
    same = up == down
    unit = xp.max(xp.where(same, -math.inf, xp.maximum(up, down)), axis=-1, keepdims=True)
    unit = finite_or_zero(unit)
    up, down = xp.where(same, 0.0, up - unit), xp.where(same, 0.0, down - unit)
    return xp.sum(xp.exp(up) - xp.exp(down), axis=-1)


def _ranked(z):
    xp = namespace(z)
    return xp.sort(xp.matrix_transpose(z), axis=-1)


INTERACTIONS = {
    "quadratic": Interaction(_quadratic, _itself),
    "polynomial": Interaction(power, _polynomial_slope, _homogeneous),
    "rectified": Interaction(_rectified, _rectified_slope, _homogeneous),
    "exponential": Interaction(_exponential, _exponential_slope, _exponential_gain),
}
interaction = Choice(INTERACTIONS, record=Interaction)


@op("(...,d),(n,d)->(...)", interaction=interaction, n=count, scratch="(...,n)")
def energy(xi, X, /, *, interaction="polynomial", n=3):
    r"""Energy of a state.  Source: Ramsauer et al. 2021, eq. (544) [DA-1].

    .. math:: E = -\sum_\mu F(x_\mu^T \xi)

    Parameters
    ----------
    interaction : "polynomial" z^n, "rectified" max(z, 0)^n, "exponential" e^z, "quadratic" z^2/2,
        or an `Interaction`
    n : the degree of the first two; the others do not look at it

    The exponential overflows to -inf from overlaps of 710 on: see `log_energy`.

    >>> from hopref import dense
    >>> float(dense.energy([1.0, -1.0], [[1.0, -1.0]], n=3))
    -8.0
    """
    return -namespace(xi).sum(interaction.F(xi @ X.T, n), axis=-1)


@op("(...,d),(n,d)->(...)", scratch="(...,n)")
def log_energy(xi, X, /):
    r"""The exponential energy on a log scale: -ln(-E), which falls where E falls.

    Source: Demircigil et al. 2017, in Ramsauer et al. 2021, Appendix A.3 [DA-1].

    .. math:: -\ln \sum_\mu e^{x_\mu^T \xi}

    >>> from hopref import dense
    >>> float(dense.log_energy([1.0] * 1000, [[1.0] * 1000]))
    -1000.0
    """
    return -logsumexp(xi @ X.T)


@op("(...,d),(n,d)->(...,d)", interaction=interaction, n=count, precondition=polar("xi"),
    scratch="(...,n,d)")
def update(xi, X, /, *, interaction="polynomial", n=3):
    r"""All sites at once: each takes the value of lower energy if the others stay.

    Source: Ramsauer et al. 2021, eq. (545) [DA-2].

    .. math:: \xi^{new}_i = \mathrm{sgn} \sum_\mu
        \left[F(r_{\mu i} + x_{\mu i}) - F(r_{\mu i} - x_{\mu i})\right], \quad
        r_{\mu i} = \sum_{j \ne i} x_{\mu j} \xi_j

    A tie keeps the site.  The others do not stay, so the energy may rise: no guarantee.

    >>> from hopref import dense
    >>> dense.update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]])
    array([1., 1., 1.])
    """
    r = _others(xi, X)
    return keep(interaction.gain(interaction.F, r + X, r - X, n), xi, -1.0)


@op("(...,d),(n,d)->(...,d)", order=sites("(k)", below="d"), interaction=interaction, n=count,
    precondition=polar("xi"), lowers=(energy, "always"), scratch="(...,n)")
def asynchronous_update(xi, X, /, *, order, interaction="polynomial", n=3):
    r"""Visit the sites of ``order``; each takes the value of lower energy, whatever F.

    Source: Krotov and Hopfield 2016; Ramsauer et al. 2021, eq. (545) [DA-2].

    .. math:: \xi_i \leftarrow \mathrm{sgn} \sum_\mu
        \left[F(r_{\mu i} + x_{\mu i}) - F(r_{\mu i} - x_{\mu i})\right]

    A tie keeps the site.  The overlaps are kept up to date, flip by flip: exact for integers.
    O(n) a visit.

    >>> from hopref import dense
    >>> dense.asynchronous_update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]], order=[1])
    array([1., 1., 1.])
    """
    here = namespace(xi).arange(xi.shape[-1])
    visit = partial(_visit, X=X, here=here, interaction=interaction, n=n)
    return scan(visit, (xi, xi @ X.T), (column(order),))[1][0]


def _visit(state, site, *, X, here, interaction, n):
    xp = namespace(X)
    xi, m = state
    x, old = xp.take(X, site, axis=1), xp.take(xi, site, axis=-1)
    r = m[..., None] - x * old[..., None, :]
    new = keep(interaction.gain(interaction.F, r + x, r - x, n), old, -1.0)
    return (xp.where(here == site, new, xi), m + (new - old) * x[:, 0]), None


@op("(...,d),(n,d)->(...,d)", interaction=interaction, n=count, precondition=polar("xi"),
    scratch="(...,n,d)")
def first_order_update(xi, X, /, *, interaction="polynomial", n=3):
    r"""Follow the slope of F, all sites at once.  Source: first order of [DA-2], [DA-3].

    .. math:: \xi^{new}_i = \mathrm{sgn} \sum_\mu x_{\mu i} F'(r_{\mu i})

    Equal to `update` for the quadratic interaction; for others an approximation, which even one
    site at a time may raise the energy.  A tie keeps the site.

    >>> from hopref import dense
    >>> dense.first_order_update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]])
    array([1., 1., 1.])
    """
    slopes = interaction.slope(_others(xi, X), n)
    return keep(namespace(xi).sum(X * slopes, axis=-2), xi, -1.0)


def _others(xi, X):
    """Overlaps without the site's own part: r (..., n, d)."""
    return (xi @ X.T)[..., None] - X * xi[..., None, :]
