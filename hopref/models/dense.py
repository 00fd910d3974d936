r"""Dense associative memory: polar states, interactions steeper than quadratic.

``xi`` (..., d) polar states, ``X`` (n, d) patterns in rows.  ``interaction`` is the name of F:
"polynomial" z^n, "rectified" max(z, 0)^n, "exponential" e^z, "quadratic" z^2/2 (the classical
network with zero diagonal), or an `Interaction` that the caller defines.

References: Krotov and Hopfield 2016; Demircigil et al. 2017; Ramsauer et al. 2021, Appendix A.3,
eqs. (544), (545).
"""
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hopref.dispatch.domains import Array, Choice, count, finite, no_larger_than, sites
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import polar
from hopref.maps import (
    column,
    double_double,
    in_common_range,
    in_common_unit,
    keep,
    logsumexp,
    odd_part,
    others,
    power,
    power_gain,
    scan,
    shifted_exp,
)

__all__ = ["Interaction", "energy", "log_energy", "update", "asynchronous_update",
           "first_order_update"]


def difference(F, r, x, n):
    """sum_mu F(r + x) - F(r - x), over the patterns along axis -2."""
    return namespace(x).sum(F(r + x, n) - F(r - x, n), axis=-2)


class Interaction(NamedTuple):
    """An interaction function F.

    Attributes
    ----------
    F : callable F(z, n)
    slope : callable slope(z, n), the derivative of F in z; the slopes of all patterns may have a
        common factor > 0
    gain : callable gain(F, r, x, n) with the sign of sum_mu F(r + x) - F(r - x), which is the
        default; the patterns are along axis -2
    """
    F: Callable
    slope: Callable
    gain: Callable = difference


def _quadratic(z, n):
    return z * z / 2


def _quadratic_slope(z, n):
    return in_common_unit(z, 2)


def _quadratic_gain(F, r, x, n):
    return namespace(x).sum(power_gain(r, x, 2), axis=-2)


def _polynomial_slope(z, n):
    return n * power(in_common_unit(z, n), n - 1)


def _polynomial_gain(F, r, x, n):
    return namespace(x).sum(power_gain(r, x, n), axis=-2)


def _positive(z):
    return namespace(z).where(z > 0, z, 0.0)


def _rectified(z, n):
    return power(_positive(z), n)


def _rectified_slope(z, n):
    xp = namespace(z)
    return xp.where(z > 0, _polynomial_slope(_positive(z), n), 0.0)


def _rectified_gain(F, r, x, n):
    """The gain of max(z, 0)^n, which is that of z^n where both r + x and r - x are positive."""
    xp, quotient = namespace(x), partial(_rectified_quotient, F)
    size = _positive(r + xp.abs(x))
    return xp.sum(in_common_range((x,), quotient, size, r, x, n), axis=-2)


def _rectified_quotient(F, r, x, n):
    """(F(r + x) - F(r - x))/(2 x) >= 0, without cancellation."""
    xp = namespace(x)
    share = (F(r + x, n) - F(r - x, n)) / (2 * xp.where(x == 0, 1.0, x))
    return xp.where(r > xp.abs(x), odd_part(r, x, n), share)


def _exponential(z, n):
    return namespace(z).exp(z)


def _exponential_slope(z, n):
    return shifted_exp(z, -2)


def _exponential_gain(F, r, x, n):
    """The gain of e^z: by rank where r + x and r - x are exact, to detect ties; else e^r sinh x."""
    xp = namespace(x)
    (up, more), (down, less) = double_double.plus(r, x), double_double.plus(r, -x)
    rounded = xp.any((more != 0) | (less != 0), axis=-2)
    return xp.where(rounded, _gain_of_sines(r, x), _gain_by_rank(up, down))


def _gain_by_rank(up, down):
    """The gain from the sorted overlaps r + x and r - x.

    The unit is the largest overlap that differs from the one of equal rank: the exponentials do not
    overflow, and equal terms cancel exactly.
    """
    xp = namespace(up)
    up, down = _ranked(up), _ranked(down)
    top = xp.where(up == down, -math.inf, xp.maximum(up, down))
    return xp.sum(_rise(up - down, top, -1), axis=-1)


def _rise(gap, top, axis):
    """e^up - e^down of overlaps with difference ``gap`` and maximum ``top``, relative to the
    largest exponential."""
    xp = namespace(gap)
    return xp.sign(gap) * shifted_exp(top, axis) * -xp.expm1(-xp.abs(gap))


def _ranked(z):
    """The overlaps of all patterns in ascending order, along the last axis."""
    xp = namespace(z)
    return xp.sort(xp.matrix_transpose(z), axis=-1)


def _gain_of_sines(r, x):
    """The sum of 2 e^r sinh x over the patterns."""
    xp = namespace(x)
    return xp.sum(_rise(2 * x, r + xp.abs(x), -2), axis=-2)


INTERACTIONS = {
    "quadratic": Interaction(_quadratic, _quadratic_slope, _quadratic_gain),
    "polynomial": Interaction(power, _polynomial_slope, _polynomial_gain),
    "rectified": Interaction(_rectified, _rectified_slope, _rectified_gain),
    "exponential": Interaction(_exponential, _exponential_slope, _exponential_gain),
}
interaction = Choice(INTERACTIONS, record=Interaction)
large = no_larger_than(960)     # sums of such patterns do not overflow
in_range = Array(description="finite (log_energy has that of the exponential at any size)",
                 holds=finite.holds)


@op("(...,d),(n,d)->(...)", interaction=interaction, n=count, scratch="(...,n)",
    result=in_range)
def energy(xi, X, /, *, interaction="polynomial", n=3):
    r"""Energy of a state.  Source: Ramsauer et al. 2021, eq. (544) [DA-1].

    .. math:: E = -\sum_\mu F(x_\mu^T \xi)

    Parameters
    ----------
    interaction : F: "polynomial" z^n, "rectified" max(z, 0)^n, "exponential" e^z, "quadratic"
        z^2/2, or an `Interaction`
    n : degree of the polynomial and the rectified interaction; the others ignore it

    Raises
    ------
    RangeError : the energy is beyond the range of float64, as that of the exponential interaction
        is for overlaps above 710; `log_energy` can be used there

    >>> from hopref import dense
    >>> float(dense.energy([1.0, -1.0], [[1.0, -1.0]], n=3))
    -8.0
    """
    return -namespace(xi).sum(interaction.F(xi @ X.T, n), axis=-1)


@op("(...,d),(n,d)->(...)", scratch="(...,n)", result=finite)
def log_energy(xi, X, /):
    r"""Logarithmic form of the exponential energy, -ln(-E), which decreases where E decreases.

    Source: Demircigil et al. 2017, in Ramsauer et al. 2021, Appendix A.3 [DA-1].

    .. math:: -\ln \sum_\mu e^{x_\mu^T \xi}

    >>> from hopref import dense
    >>> float(dense.log_energy([1.0] * 1000, [[1.0] * 1000]))
    -1000.0
    """
    return -logsumexp(xi @ X.T)


@op("(...,d),(n,d)->(...,d)", interaction=interaction, n=count, X=large, precondition=polar("xi"),
    scratch="(...,n,d)")
def update(xi, X, /, *, interaction="polynomial", n=3):
    r"""Synchronous update: each site takes the value of lower energy for fixed other sites.

    Source: Ramsauer et al. 2021, eq. (545) [DA-2].

    .. math:: \xi^{new}_i = \mathrm{sgn} \sum_\mu
        \left[F(r_{\mu i} + x_{\mu i}) - F(r_{\mu i} - x_{\mu i})\right], \quad
        r_{\mu i} = \sum_{j \ne i} x_{\mu j} \xi_j

    A tie keeps the value of the site.

    Notes
    -----
    The energy may increase, because all sites change at the same time.  The sum r omits the site
    itself, and the differences of the named interactions are computed without cancellation, so that
    small entries are taken into account beside large ones.

    >>> from hopref import dense
    >>> dense.update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]])
    array([1., 1., 1.])
    """
    r = others(X * xi[..., None, :])
    return keep(interaction.gain(interaction.F, r, X, n), xi, -1.0)


@op("(...,d),(n,d)->(...,d)", order=sites("(k)", below="d"), interaction=interaction, n=count,
    precondition=polar("xi"), lowers=(energy, "always"), scratch="(...,n)")
def asynchronous_update(xi, X, /, *, order, interaction="polynomial", n=3):
    r"""Asynchronous update: the sites in ``order`` take the value of lower energy, for any F.

    Source: Krotov and Hopfield 2016; Ramsauer et al. 2021, eq. (545) [DA-2].

    .. math:: \xi_i \leftarrow \mathrm{sgn} \sum_\mu
        \left[F(r_{\mu i} + x_{\mu i}) - F(r_{\mu i} - x_{\mu i})\right]

    A tie keeps the value of the site.

    Notes
    -----
    The overlaps of the other sites are recomputed for each site, without subtracting the
    contribution of the site: each site takes O(n d) operations.

    >>> from hopref import dense
    >>> dense.asynchronous_update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]], order=[1])
    array([1., 1., 1.])
    """
    here = namespace(xi).arange(xi.shape[-1])
    visit = partial(_visit, X=X, here=here, interaction=interaction, n=n)
    return scan(visit, xi, (column(order),))[1]


def _visit(xi, site, *, X, here, interaction, n):
    """The state after the update of one site."""
    xp = namespace(X)
    r, x = xp.where(here == site, 0.0, xi) @ X.T, xp.take(X, site, axis=1)
    gain = interaction.gain(interaction.F, r[..., None], x, n)
    return xp.where(here == site, keep(gain, xp.take(xi, site, axis=-1), -1.0), xi), None


@op("(...,d),(n,d)->(...,d)", interaction=interaction, n=count, X=large, precondition=polar("xi"),
    scratch="(...,n,d)")
def first_order_update(xi, X, /, *, interaction="polynomial", n=3):
    r"""Synchronous update by the derivative of F.  Source: first order of [DA-2], [DA-3].

    .. math:: \xi^{new}_i = \mathrm{sgn} \sum_\mu x_{\mu i} F'(r_{\mu i})

    A tie keeps the value of the site.

    Notes
    -----
    The rule equals `update` for the quadratic interaction.  For other interactions it is an
    approximation, which may increase the energy even if applied to one site at a time.

    >>> from hopref import dense
    >>> dense.first_order_update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]])
    array([1., 1., 1.])
    """
    slopes = interaction.slope(others(X * xi[..., None, :]), n)
    return keep(namespace(xi).sum(in_common_unit(X, 2) * slopes, axis=-2), xi, -1.0)
