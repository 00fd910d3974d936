r"""Vector-Jacobian products of the features that are functions of projections.

Reference: Choromanski et al. 2021, eq. (5), Lemmas 1 and 2.
"""
import math

from hopref import features
from hopref.dispatch.domains import positive as positive_number
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.features.projected import (
    cos,
    decay,
    derivatives,
    divided,
    exp,
    exp_minus,
    functions,
    growth,
    half_decay,
    heights,
    one,
    rectifier,
    sin,
)
from hopref.gradients.preconditions import features_of_each_function, slopes_are_known
from hopref.gradients.sums import times_exp
from hopref.maps import dot, finite_or_zero, outer, table

__all__ = ["general", "log_general", "positive", "log_positive", "hyperbolic", "log_hyperbolic",
           "trigonometric", "log_trigonometric", "relu", "log_relu"]


def projection_gradient(du, height, excess, h, x, omega, beta):
    """Cotangents of x, omega and beta from those of every f(u) and ``height``, that of log h.

    The cotangents of each row are given divided by e^excess.
    """
    xp, m, y = namespace(x), omega.shape[0], math.sqrt(beta) * x
    du = xp.sum(xp.reshape(du, (*du.shape[:-1], du.shape[-1] // m, m)), axis=-2)
    dy = du @ omega + h.slope * height[..., None] * y
    most = largest_excess(excess)
    share = xp.exp(excess - most)[..., None]
    dbeta = times_exp(xp.sum(dy * share * x) / (2 * math.sqrt(beta)), most)
    domega = times_exp(outer(du * share, y), most)
    return times_exp(math.sqrt(beta) * dy, excess[..., None]), domega, dbeta


@overridable
def log_excess(x, omega, h, functions, beta):
    """Excess over 300 of the largest log feature or log slope of each row; 0 in most cases."""
    xp = namespace(x)
    log, sign = features.log_general(x, omega, h=h, functions=functions, beta=beta)
    log_slope, slope_sign = features.log_general(x, omega, h=h, functions=derivatives(functions),
                                                 beta=beta)
    return row_excess(xp.maximum(log, log_slope))


@overridable
def row_excess(log):
    """Excess over 300 of the largest entry of each row, >= 0."""
    xp = namespace(log)
    top = finite_or_zero(xp.max(log, axis=-1))
    return xp.maximum(top - 300.0, xp.zeros_like(top))


def largest_excess(excess):
    """The maximum over all rows, or 0."""
    xp = namespace(excess)
    return xp.max(xp.concat([table(excess[..., None])[:, 0], xp.zeros((1,), dtype=excess.dtype)]))


@op("(...,lm),(...,d),(m,d)->(...,d),(m,d),()", h=heights, functions=functions,
    beta=positive_number, shape_rule=features_of_each_function, precondition=slopes_are_known)
def general(g, x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    r"""Gradient of `features.general`.

    Source: Choromanski et al. 2021, eq. (5), differentiated [GR-6, RF-10].

    .. math:: du = \tfrac{h(y)}{\sqrt m} \sum_f g_f \circ f'(u), \quad u = \Omega y, \;
        y = \sqrt\beta x, \quad dy = \Omega^T du + c\,(g^T \phi)\, y, \quad d\Omega = du\,y^T, \quad
        (dx, d\beta) = (\sqrt\beta\, dy, \tfrac{1}{2\sqrt\beta} x^T dy)

    with c from grad log h(y) = c y: 0 for "one", 1 for "growth", -1 for "decay" and "half_decay".
    User-defined records must define their slopes.

    Notes
    -----
    Where features overflow, a row is computed in the unit of its largest feature.  Contributions of
    features that are smaller by a factor below e^-1000 are then 0, even if they are infinite or the
    cotangent of the largest feature is 0.

    >>> from hopref.gradients import features
    >>> features.general([1.0], [0.0], [[3.0]], functions=("exp",))
    (array([3.]), array([[0.]]), np.float64(0.0))
    """
    excess = log_excess(x, omega, h, functions, beta)
    low = divided(h, excess)
    phi = features.general(x, omega, h=low, functions=functions, beta=beta)
    slopes = features.general(x, omega, h=low, functions=derivatives(functions), beta=beta)
    return projection_gradient(g * slopes, dot(g, phi), excess, h, x, omega, beta)


@op("(...,lm),(...,d),(m,d)->(...,d),(m,d),()", h=heights, functions=functions,
    beta=positive_number, shape_rule=features_of_each_function, precondition=slopes_are_known)
def log_general(g, x, omega, /, *, h="decay", functions=("exp",), beta=1.0):
    r"""Gradient of the logarithms of `features.log_general`; signs are constants.

    Source: Choromanski et al. 2021, eq. (5), differentiated [GR-6, RF-10].

    .. math:: du = \sum_f g_f \circ f'(u) / f(u), \quad
        dy = \Omega^T du + c\,\textstyle\sum_i g_i\, y, \quad d\Omega = du\,y^T

    and dx, dbeta as in `general`.  A feature of 0, whose logarithm has no derivative, is treated as
    a constant.

    >>> from hopref.gradients import features
    >>> features.log_general([1.0], [1.0], [[3.0]], functions=("exp",))
    (array([2.]), array([[1.]]), np.float64(1.0))
    """
    xp = namespace(x)
    log, sign = features.log_general(x, omega, h=one, functions=functions, beta=beta)
    log_slope, slope_sign = features.log_general(x, omega, h=one, functions=derivatives(functions),
                                                 beta=beta)
    nonzero = log > -math.inf
    slope = sign * slope_sign * xp.exp(log_slope - xp.where(nonzero, log, 0.0))
    g = xp.where(nonzero, g, 0.0)
    du, height = xp.where(nonzero, g * slope, 0.0), xp.sum(g, axis=-1)
    return projection_gradient(du, height, xp.zeros_like(height), h, x, omega, beta)


@op("(...,m),(...,d),(m,d)->(...,d),(m,d),()", beta=positive_number)
def positive(g, x, omega, /, *, beta=1.0):
    r"""Gradient of `features.positive`.

    Source: Choromanski et al. 2021, Lemma 1, differentiated [GR-6, RF-2].

    .. math:: du = g \circ \phi, \quad
        dx = \sqrt\beta\, \Omega^T du - \beta\, x \textstyle\sum_i du_i, \quad
        d\Omega = \sqrt\beta\, du\,x^T

    >>> from hopref.gradients import features
    >>> features.positive([1.0], [0.0], [[3.0]])[0]
    array([3.])
    """
    return general(g, x, omega, h=decay, functions=(exp,), beta=beta)


@op("(...,m),(...,d),(m,d)->(...,d),(m,d),()", beta=positive_number)
def log_positive(g, x, omega, /, *, beta=1.0):
    r"""Gradient of `features.log_positive`.

    Source: Choromanski et al. 2021, Lemma 1, differentiated [GR-6, RF-2].

    .. math:: dx = \sqrt\beta\, \Omega^T g - \beta\, x \textstyle\sum_i g_i, \quad
        d\Omega = \sqrt\beta\, g\,x^T

    >>> from hopref.gradients import features
    >>> features.log_positive([1.0], [1.0], [[3.0]])[0]
    array([2.])
    """
    return log_general(g, x, omega, h=decay, functions=(exp,), beta=beta)


@op("(...,2m),(...,d),(m,d)->(...,d),(m,d),()", beta=positive_number)
def hyperbolic(g, x, omega, /, *, beta=1.0):
    r"""Gradient of `features.hyperbolic`.

    Source: Choromanski et al. 2021, Lemma 1, differentiated [GR-6, RF-3].

    .. math:: du = g_+ \circ \phi_+ - g_- \circ \phi_-, \quad
        dx = \sqrt\beta\, \Omega^T du - \beta\, x\, g^T \phi, \quad d\Omega = \sqrt\beta\, du\,x^T

    >>> from hopref.gradients import features
    >>> features.hyperbolic([2**0.5, -(2**0.5)], [0.0], [[3.0]])[0].round(12)
    array([6.])
    """
    return general(g, x, omega, h=half_decay, functions=(exp, exp_minus), beta=beta)


@op("(...,2m),(...,d),(m,d)->(...,d),(m,d),()", beta=positive_number)
def log_hyperbolic(g, x, omega, /, *, beta=1.0):
    r"""Gradient of `features.log_hyperbolic`.

    Source: Choromanski et al. 2021, Lemma 1, differentiated [GR-6, RF-3].

    .. math:: dx = \sqrt\beta\, \Omega^T (g_+ - g_-) - \beta\, x \textstyle\sum_i g_i, \quad
        d\Omega = \sqrt\beta\, (g_+ - g_-)\,x^T

    >>> from hopref.gradients import features
    >>> features.log_hyperbolic([1.0, 0.0], [1.0], [[3.0]])[0]
    array([2.])
    """
    return log_general(g, x, omega, h=half_decay, functions=(exp, exp_minus), beta=beta)


@op("(...,2m),(...,d),(m,d)->(...,d),(m,d),()", beta=positive_number)
def trigonometric(g, x, omega, /, *, beta=1.0):
    r"""Gradient of `features.trigonometric`.

    Source: Choromanski et al. 2021, eq. (5), differentiated [GR-6, RF-1].

    .. math:: du = g_s \circ \phi_c - g_c \circ \phi_s, \quad
        dx = \sqrt\beta\, \Omega^T du + \beta\, x\, g^T \phi, \quad d\Omega = \sqrt\beta\, du\,x^T

    >>> from hopref.gradients import features
    >>> features.trigonometric([1.0, 0.0], [0.0], [[3.0]])[0]
    array([3.])
    """
    return general(g, x, omega, h=growth, functions=(sin, cos), beta=beta)


@op("(...,2m),(...,d),(m,d)->(...,d),(m,d),()", beta=positive_number)
def log_trigonometric(g, x, omega, /, *, beta=1.0):
    r"""Gradient of the logarithms of `features.log_trigonometric`; signs are constants.

    Source: Choromanski et al. 2021, eq. (5), differentiated [GR-6, RF-1].

    .. math:: du = g_s \circ \cot u - g_c \circ \tan u, \quad
        dx = \sqrt\beta\, \Omega^T du + \beta\, x \textstyle\sum_i g_i, \quad
        d\Omega = \sqrt\beta\, du\,x^T

    >>> from hopref.gradients import features
    >>> features.log_trigonometric([1.0, 1.0], [0.0], [[3.0]])[0]         # log|sin 0| is constant
    array([0.])
    """
    return log_general(g, x, omega, h=growth, functions=(sin, cos), beta=beta)


@op("(...,m),(...,d),(m,d)->(...,d),(m,d)")
def relu(g, x, omega, /):
    r"""Gradient of `features.relu`.

    Source: Choromanski et al. 2021, eq. (5), differentiated [GR-6, RF-10].

    .. math:: du = g \circ 1_{\Omega x > 0} / \sqrt m, \quad dx = \Omega^T du, \quad
        d\Omega = du\,x^T

    >>> from hopref.gradients import features
    >>> features.relu([1.0], [2.0], [[3.0]])
    (array([3.]), array([[2.]]))
    """
    dx, domega, dbeta = general(g, x, omega, h=one, functions=(rectifier,))
    return dx, domega


@op("(...,m),(...,d),(m,d)->(...,d),(m,d)")
def log_relu(g, x, omega, /):
    r"""Gradient of `features.log_relu`; du is 0 where the feature is 0.

    Source: blog eq. (19), differentiated [GR-6, RF-10].

    .. math:: du = g / u \text{ where } u = \Omega x > 0, \quad dx = \Omega^T du, \quad
        d\Omega = du\,x^T

    >>> from hopref.gradients import features
    >>> features.log_relu([1.0], [1.0], [[2.0]])
    (array([1.]), array([[0.5]]))
    """
    dx, domega, dbeta = log_general(g, x, omega, h=one, functions=(rectifier,))
    return dx, domega
