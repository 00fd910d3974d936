r"""Positive feature maps whose exponent is quadratic in the row: smaller variance, same kernel.

The maps of `features.positive` grow without bound in the row; with a negative quadratic part they
are bounded.  Which part makes the variance smallest is a function of the data:
`theory.gerf_parameter`, `theory.derf_parameters`.

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
    r"""Generalised exponential features of the softmax kernel (GERF, FAVOR++); A = 0 is `positive`.

    Source: the CRT paper, with C = -1/2 for exp(x.y) [RF-7].

    .. math:: \phi(x) = \frac{(1 - 4A)^{d/4}}{\sqrt m} e^{-\beta\|x\|^2/2}
        \exp(A \|\omega_i\|^2 + \sqrt{(1 - 4A) \beta}\, \omega_i^T x)

    Parameters
    ----------
    A : below 1/8, where the variance is finite, the same for queries and keys; for A < 0 the
        features are bounded.  The best is `theory.gerf_parameter`

    For rows N(0, I) alone, independent or orthogonal in blocks: rows of one length are biased.

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
    a : (d,) below 1/8, where the variance is finite
    B : (d, d) for queries; keys take C with B^T (I - 4A)^{-1} C = I, and phi_B(x).phi_C(y) then
        has mean exp(beta x.y).  `theory.derf_parameters` gives a, B and C

    A full symmetric A is no gain: Gaussian rows may be turned into its eigenvectors.

    >>> import math
    >>> from hopref import features
    >>> features.derf([0.0], [[2.0]], [-0.75], [[2.0]]) * math.exp(3)   # 4^(1/4)
    array([1.41421356])
    """
    return namespace(x).exp(log_derf(x, omega, a, B, beta=beta))
