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

from hopref.dispatch.domains import Array, Choice, count, finite, no_larger_than, sites
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    NEAR,
    column,
    double_double,
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
from hopref.models._preconditions import polar

__all__ = ["Interaction", "energy", "log_energy", "update", "asynchronous_update",
           "first_order_update"]


def difference(F, r, x, n):
    """sum_mu F(r + x) - F(r - x), over the patterns along axis -2."""
    return namespace(x).sum(F(r + x, n) - F(r - x, n), axis=-2)


class Interaction(NamedTuple):
    """F(z, n), its slope in z, and the gain(F, r, x, n) whose sign is that of `difference`.

    Patterns lie along axis -2; the slopes of all patterns may carry a common factor > 0.
    """
    F: Callable
    slope: Callable
    gain: Callable = difference


def _quadratic(z, n):
    return z * z / 2


def _quadratic_slope(z, n):
    return in_common_unit(z, 2)


def _quadratic_gain(F, r, x, n):
    return namespace(x).sum(in_common_unit(r, 2) * in_common_unit(x, 2), axis=-2)


def _polynomial_slope(z, n):
    return n * power(in_common_unit(z, n), n - 1)


def _polynomial_gain(F, r, x, n):
    return namespace(x).sum(power_gain(r, x, n, _size(r, x)), axis=-2)


def _size(r, x):
    """Of what r + x and r - x may be; 0 where they are the same."""
    xp = namespace(x)
    return xp.where(x == 0, 0.0, xp.abs(r) + xp.abs(x))


def _positive(z):
    return namespace(z).where(z > 0, z, 0.0)


def _rectified(z, n):
    return power(_positive(z), n)


def _rectified_slope(z, n):
    xp = namespace(z)
    return xp.where(z > 0, _polynomial_slope(_positive(z), n), 0.0)


def _rectified_gain(F, r, x, n):
    """That of the polynomial where both r + x and r - x are positive."""
    xp, size, own = namespace(x), _size(r, x), in_common_unit(x, NEAR)
    r = in_common_unit(xp.where(x == 0, 0 * r, r), n, size)
    x = in_common_unit(x, n, size)
    share = (F(r + x, n) - F(r - x, n)) / (2 * xp.where(x == 0, 1.0, x))
    return xp.sum(own * xp.where(r > xp.abs(x), odd_part(r, x, n), share), axis=-2)


def _exponential(z, n):
    return namespace(z).exp(z)


def _exponential_slope(z, n):
    return shifted_exp(z, -2)


def _exponential_gain(F, r, x, n):
    """By rank where r + x and r - x are exact, so that ties are seen; elsewhere by e^r sinh x."""
    xp = namespace(x)
    (up, more), (down, less) = double_double.plus(r, x), double_double.plus(r, -x)
    rounded = xp.any((more != 0) | (less != 0), axis=-2)
    return xp.where(rounded, _gain_of_sines(r, x), _gain_by_rank(up, down))


def _gain_by_rank(up, down):
    """The largest overlap that is not, in its rank, the same up and down is the unit: no overflow,
    and what is the same cancels to the last bit."""
    xp = namespace(up)
    up, down = _ranked(up), _ranked(down)
    top = xp.where(up == down, -math.inf, xp.maximum(up, down))
    return xp.sum(_rise(up - down, top, -1), axis=-1)


def _rise(gap, top, axis):
    """e^up - e^down of overlaps ``gap`` apart, the larger of them ``top``, in units of the largest
    of all."""
    xp = namespace(gap)
    return xp.sign(gap) * shifted_exp(top, axis) * -xp.expm1(-xp.abs(gap))


def _ranked(z):
    xp = namespace(z)
    return xp.sort(xp.matrix_transpose(z), axis=-1)


def _gain_of_sines(r, x):
    """The sum of 2 e^r sinh x."""
    xp = namespace(x)
    return xp.sum(_rise(2 * x, r + xp.abs(x), -2), axis=-2)


INTERACTIONS = {
    "quadratic": Interaction(_quadratic, _quadratic_slope, _quadratic_gain),
    "polynomial": Interaction(power, _polynomial_slope, _polynomial_gain),
    "rectified": Interaction(_rectified, _rectified_slope, _rectified_gain),
    "exponential": Interaction(_exponential, _exponential_slope, _exponential_gain),
}
interaction = Choice(INTERACTIONS, record=Interaction)
large = no_larger_than(960)     # their sums stay in range
in_range = Array(description="finite (log_energy holds that of the exponential at any size)",
                 holds=finite.holds)


@op("(...,d),(n,d)->(...)", interaction=interaction, n=count, scratch="(...,n)",
    result=in_range)
def energy(xi, X, /, *, interaction="polynomial", n=3):
    r"""Energy of a state.  Source: Ramsauer et al. 2021, eq. (544) [DA-1].

    .. math:: E = -\sum_\mu F(x_\mu^T \xi)

    Parameters
    ----------
    interaction : "polynomial" z^n, "rectified" max(z, 0)^n, "exponential" e^z, "quadratic" z^2/2,
        or an `Interaction`
    n : the degree of the first two; the others do not look at it

    Raises RangeError where the energy leaves the range of float64, as the exponential does from
    overlaps of 710 on: `log_energy` has that range.

    >>> from hopref import dense
    >>> float(dense.energy([1.0, -1.0], [[1.0, -1.0]], n=3))
    -8.0
    """
    return -namespace(xi).sum(interaction.F(xi @ X.T, n), axis=-1)


@op("(...,d),(n,d)->(...)", scratch="(...,n)", result=finite)
def log_energy(xi, X, /):
    r"""The exponential energy on a log scale: -ln(-E), which falls where E falls.

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
    r"""All sites at once: each takes the value of lower energy if the others stay.

    Source: Ramsauer et al. 2021, eq. (545) [DA-2].

    .. math:: \xi^{new}_i = \mathrm{sgn} \sum_\mu
        \left[F(r_{\mu i} + x_{\mu i}) - F(r_{\mu i} - x_{\mu i})\right], \quad
        r_{\mu i} = \sum_{j \ne i} x_{\mu j} \xi_j

    A tie keeps the site.  The others do not stay, so the energy may rise: no guarantee.

    Notes
    -----
    r is summed without the site's own part, and the named interactions' differences without
    subtracting near equals: a small entry counts beside a large one, at any size of either.

    >>> from hopref import dense
    >>> dense.update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]])
    array([1., 1., 1.])
    """
    r = others(X * xi[..., None, :])
    return keep(interaction.gain(interaction.F, r, X, n), xi, -1.0)


@op("(...,d),(n,d)->(...,d)", order=sites("(k)", below="d"), interaction=interaction, n=count,
    precondition=polar("xi"), lowers=(energy, "always"), scratch="(...,n)")
def asynchronous_update(xi, X, /, *, order, interaction="polynomial", n=3):
    r"""Visit the sites of ``order``; each takes the value of lower energy, whatever F.

    Source: Krotov and Hopfield 2016; Ramsauer et al. 2021, eq. (545) [DA-2].

    .. math:: \xi_i \leftarrow \mathrm{sgn} \sum_\mu
        \left[F(r_{\mu i} + x_{\mu i}) - F(r_{\mu i} - x_{\mu i})\right]

    A tie keeps the site.  At each visit the overlaps of all other sites are summed anew, so that no
    large part is taken off again: O(n d) a visit.

    >>> from hopref import dense
    >>> dense.asynchronous_update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]], order=[1])
    array([1., 1., 1.])
    """
    here = namespace(xi).arange(xi.shape[-1])
    visit = partial(_visit, X=X, here=here, interaction=interaction, n=n)
    return scan(visit, xi, (column(order),))[1]


def _visit(xi, site, *, X, here, interaction, n):
    xp = namespace(X)
    r, x = xp.where(here == site, 0.0, xi) @ X.T, xp.take(X, site, axis=1)
    gain = interaction.gain(interaction.F, r[..., None], x, n)
    return xp.where(here == site, keep(gain, xp.take(xi, site, axis=-1), -1.0), xi), None


@op("(...,d),(n,d)->(...,d)", interaction=interaction, n=count, X=large, precondition=polar("xi"),
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
    slopes = interaction.slope(others(X * xi[..., None, :]), n)
    return keep(namespace(xi).sum(in_common_unit(X, 2) * slopes, axis=-2), xi, -1.0)
