r"""Positive feature maps whose exponent is quadratic in the random direction.

They estimate the same kernel as `features.positive` with smaller variance.  The features of
`features.positive` are unbounded in the random direction; with a negative quadratic term they are
bounded.  The term of smallest variance depends on the data and is given by `theory.gerf_parameter`
and `theory.derf_parameters`.

References: the CRT paper (FAVOR++), the FAVOR# paper.
"""
import math

from hopref.dispatch.domains import below_an_eighth, each_below_an_eighth
from hopref.dispatch.domains import positive as positive_number
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot

__all__ = ["gerf", "log_gerf", "derf", "log_derf"]


@op("(...,d),(m,d)->(...,m)", A=below_an_eighth, beta=positive_number)
def log_gerf(x, omega, /, *, A=0.0, beta=1.0):
    r"""Logarithms of `gerf` features.  Source: the CRT paper, with C = -1/2 for exp(x.y) [RF-7].

    .. math:: \log \phi(x) = \tfrac d4 \log(1 - 4A) + A \|\omega_i\|^2
        + \sqrt{(1 - 4A) \beta}\, \Omega x - \tfrac\beta2 \|x\|^2 - \tfrac12 \log m

    Parameters
    ----------
    A : coefficient of the quadratic term, as in `gerf`

    >>> from hopref import features
    >>> features.log_gerf([1.0], [[2.0]], A=0.0)
    array([1.5])
    """
    x = math.sqrt(beta) * x
    scale = x.shape[-1] / 4 * math.log1p(-4 * A) - math.log(omega.shape[0]) / 2
    return math.sqrt(1 - 4 * A) * (x @ omega.T) + A * dot(omega, omega) \
        - dot(x, x)[..., None] / 2 + scale


@op("(...,d),(m,d)->(...,m)", A=below_an_eighth, beta=positive_number)
def gerf(x, omega, /, *, A=0.0, beta=1.0):
    r"""Generalised exponential features of the softmax kernel (GERF, FAVOR++).

    Source: the CRT paper, with C = -1/2 for exp(x.y) [RF-7].

    .. math:: \phi(x) = \frac{(1 - 4A)^{d/4}}{\sqrt m} e^{-\beta\|x\|^2/2}
        \exp(A \|\omega_i\|^2 + \sqrt{(1 - 4A) \beta}\, \omega_i^T x)

    Parameters
    ----------
    A : coefficient of the quadratic term, which must be the same for queries and keys.  The
        variance is finite for A < 1/8, and the features are bounded for A < 0

    Notes
    -----
    With A = 0 the map is `positive`.  The value of A with the smallest variance is
    `theory.gerf_parameter`.  The estimate is unbiased only if each row of omega is distributed as
    N(0, I); the rows may be independent or orthogonal in blocks, but rows of constant length give a
    bias.

    >>> import math
    >>> from hopref import features
    >>> features.gerf([0.0], [[2.0]], A=-0.75) * math.exp(3)            # 4^(1/4)
    array([1.41421356])
    """
    return namespace(x).exp(log_gerf(x, omega, A=A, beta=beta))


@op("(...,d),(m,d),(d),(d,d)->(...,m)", a=each_below_an_eighth, beta=positive_number)
def log_derf(x, omega, a, B, /, *, beta=1.0):
    r"""Logarithms of `derf` features.  Source: the FAVOR# paper [RF-8].

    .. math:: \log \phi(x) = \tfrac14 \sum_l \log(1 - 4a_l) + \omega_i^T A \omega_i
        + \sqrt\beta\, \omega_i^T B x - \tfrac\beta2 \|(I - 4A)^{-1/2} B x\|^2 - \tfrac12 \log m

    Parameters
    ----------
    a : diagonal of A
    B : matrix of the linear term, as in `derf`

    >>> from hopref import features
    >>> features.log_derf([1.0], [[2.0]], [0.0], [[1.0]])
    array([1.5])
    """
    xp = namespace(x)
    y = math.sqrt(beta) * (x @ B.T)
    scale = xp.sum(xp.log1p(-4 * a)) / 4 - math.log(omega.shape[0]) / 2
    return y @ omega.T + (omega * omega) @ a - xp.sum(y * y / (1 - 4 * a), axis=-1)[..., None] / 2 \
        + scale


@op("(...,d),(m,d),(d),(d,d)->(...,m)", a=each_below_an_eighth, beta=positive_number)
def derf(x, omega, a, B, /, *, beta=1.0):
    r"""Dense exponential features of the softmax kernel (DERF, FAVOR#), A = diag(a).

    Source: the FAVOR# paper [RF-8].

    .. math:: \phi(x) = \frac{\prod_l (1 - 4a_l)^{1/4}}{\sqrt m} \exp(\omega_i^T A \omega_i
        + \sqrt\beta\, \omega_i^T B x - \tfrac\beta2 \|(I - 4A)^{-1/2} B x\|^2)

    Parameters
    ----------
    a : diagonal of A; the variance is finite if all components are below 1/8
    B : matrix of the linear term.  Queries have B, and keys C with B^T (I - 4A)^{-1} C = I; then
        phi_B(x).phi_C(y) has mean exp(beta x.y)

    Notes
    -----
    `theory.derf_parameters` computes a, B and C.  A full symmetric A would not be more general,
    because the distribution of Gaussian rows is invariant under the rotation that diagonalises A.

    >>> import math
    >>> from hopref import features
    >>> features.derf([0.0], [[2.0]], [-0.75], [[2.0]]) * math.exp(3)   # 4^(1/4)
    array([1.41421356])
    """
    return namespace(x).exp(log_derf(x, omega, a, B, beta=beta))
