r"""Vector-Jacobian products of the features whose exponent is quadratic in the row.

The gradient of a feature is that of its logarithm, for the cotangent g times the feature.

References: the CRT paper (FAVOR++), the FAVOR# paper, differentiated.
"""
import math

from hopref import features
from hopref.dispatch.domains import below_an_eighth, each_below_an_eighth
from hopref.dispatch.domains import positive as positive_number
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients.features.projected import largest_excess, log_positive, row_excess
from hopref.gradients.sums import times_exp
from hopref.maps import dot, outer, summed

__all__ = ["gerf", "log_gerf", "derf", "log_derf"]


@op("(...,m),(...,d),(m,d)->(...,d),(m,d),(),()", A=below_an_eighth, beta=positive_number)
def log_gerf(g, x, omega, /, *, A=0.0, beta=1.0):
    r"""Gradient of `features.log_gerf`.  Source: the CRT paper, differentiated [GR-6, RF-7].

    .. math:: dx = s \sqrt\beta\, \Omega^T g - \beta\, x \textstyle\sum_i g_i, \quad
        d\Omega = s \sqrt\beta\, g\, x^T + 2 A\, g \circ \Omega, \quad s = \sqrt{1 - 4A}

    .. math:: dA = \sum_i g_i \left(\|\omega_i\|^2 - \tfrac{d}{s^2}
        - \tfrac{2 \sqrt\beta}{s} \omega_i^T x\right), \quad
        d\beta = \tfrac12 \sum_i g_i \left(\tfrac{s}{\sqrt\beta} \omega_i^T x - \|x\|^2\right)

    Returns
    -------
    (dx, domega, dA, dbeta)

    >>> from hopref.gradients import features
    >>> features.log_gerf([1.0], [1.0], [[2.0]])
    (array([1.]), array([[1.]]), np.float64(-1.0), np.float64(0.5))
    """
    xp, s = namespace(x), math.sqrt(1 - 4 * A)
    dx, turned, dbeta = log_positive(g, x, s * omega, beta=beta)
    each = summed(g, 1)
    dA = xp.sum(each * (dot(omega, omega) - x.shape[-1] / (1 - 4 * A))) \
        - 2 / s * xp.sum(turned * omega)
    return dx, s * turned + 2 * A * each[:, None] * omega, dA, dbeta


@op("(...,m),(...,d),(m,d)->(...,d),(m,d),(),()", A=below_an_eighth, beta=positive_number)
def gerf(g, x, omega, /, *, A=0.0, beta=1.0):
    r"""Gradient of `features.gerf`.  Source: the CRT paper, differentiated [GR-6, RF-7].

    .. math:: (dx, d\Omega, dA, d\beta) = J^T_{\log\phi}\, (g \circ \phi)

    with the gradient of `log_gerf`.

    >>> from hopref.gradients import features
    >>> features.gerf([1.0], [0.0], [[2.0]])[0]
    array([2.])
    """
    log = features.log_gerf(x, omega, A=A, beta=beta)
    dx, most, (domega, dA, dbeta) = scaled_gradient(log_gerf, g, log, (x, omega), A=A, beta=beta)
    return dx, times_exp(domega, most), times_exp(dA, most), times_exp(dbeta, most)


@op("(...,m),(...,d),(m,d),(d),(d,d)->(...,d),(m,d),(d),(d,d),()", a=each_below_an_eighth,
    beta=positive_number)
def log_derf(g, x, omega, a, B, /, *, beta=1.0):
    r"""Gradient of `features.log_derf`.  Source: the FAVOR# paper, differentiated [GR-6, RF-8].

    .. math:: dy = \Omega^T g - \textstyle\sum_i g_i\, S^{-1} y, \quad y = \sqrt\beta B x, \quad
        S = I - 4A, \quad dx = \sqrt\beta B^T dy, \quad dB = \sqrt\beta\, dy\, x^T, \quad
        d\beta = \tfrac{1}{2\sqrt\beta} dy^T B x

    .. math:: d\Omega = g\, y^T + 2\, g \circ \Omega A, \quad
        da_l = \sum_i g_i \left(\omega_{il}^2 - \frac{1}{1 - 4 a_l}
        - \frac{2 y_l^2}{(1 - 4 a_l)^2}\right)

    Returns
    -------
    (dx, domega, da, dB, dbeta)

    >>> from hopref.gradients import features
    >>> dx, domega, da, dB, dbeta = features.log_derf([1.0], [1.0], [[2.0]], [0.0], [[1.0]])
    >>> dx, domega, da, dB, float(dbeta)
    (array([1.]), array([[1.]]), array([1.]), array([[1.]]), 0.5)
    """
    xp, turned, s = namespace(x), x @ B.T, 1 - 4 * a
    y, height, each = math.sqrt(beta) * turned, xp.sum(g, axis=-1)[..., None], summed(g, 1)
    dy = g @ omega - height * (y / s)
    da = each @ (omega * omega) - xp.sum(g) / s - 2 * summed(height * (y / s) * (y / s), 1)
    dx, dB = math.sqrt(beta) * (dy @ B), math.sqrt(beta) * outer(dy, x)
    return (dx, outer(g, y) + 2 * each[:, None] * omega * a, da, dB,
            xp.sum(dy * turned) / (2 * math.sqrt(beta)))


@op("(...,m),(...,d),(m,d),(d),(d,d)->(...,d),(m,d),(d),(d,d),()", a=each_below_an_eighth,
    beta=positive_number)
def derf(g, x, omega, a, B, /, *, beta=1.0):
    r"""Gradient of `features.derf`.  Source: the FAVOR# paper, differentiated [GR-6, RF-8].

    .. math:: (dx, d\Omega, da, dB, d\beta) = J^T_{\log\phi}\, (g \circ \phi)

    with the gradient of `log_derf`.

    >>> from hopref.gradients import features
    >>> features.derf([1.0], [0.0], [[2.0]], [0.0], [[3.0]])[0]
    array([6.])
    """
    log = features.log_derf(x, omega, a, B, beta=beta)
    dx, most, (domega, da, dB, dbeta) = scaled_gradient(log_derf, g, log, (x, omega, a, B),
                                                        beta=beta)
    return (dx, times_exp(domega, most), times_exp(da, most), times_exp(dB, most),
            times_exp(dbeta, most))


def scaled_gradient(gradient, g, log, operands, **numbers):
    """``gradient`` of the logarithms for the cotangent g e^log, without overflow.

    The results are dx, the log of the unit of the sums over rows, and these sums in that unit.
    """
    xp, excess = namespace(log), row_excess(log)
    most = largest_excess(excess)
    rowwise = g * xp.exp(log - excess[..., None])
    dx, *_ = gradient(rowwise, *operands, **numbers)
    _, *sums = gradient(rowwise * xp.exp(excess - most)[..., None], *operands, **numbers)
    return times_exp(dx, excess[..., None]), most, sums
