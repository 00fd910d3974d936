"""Vector-Jacobian products of the memory of random features.

``g`` is the cotangent of the result; the other arguments are those of `models.feature_memory`.
Gradients of the directions, the sums and the numbers are summed over all states.
"""
import math

from hopref.dispatch.domains import inverse_temperature, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.gradients.maps import softmax as softmax_gradient
from hopref.gradients.sums import transposed
from hopref.maps import dot, logsumexp, outer, softmax, summed
from hopref.models.feature_memory import kernels

__all__ = ["log_sums", "energy", "update"]


@op("(m),(n,d),(m,d)->(n,d),(m,d),()", beta=inverse_temperature, kernel=kernels, scratch="(m,n)")
def log_sums(g, X, omega, /, *, beta=1.0, kernel="exponential"):
    r"""Gradient of `feature_memory.log_sums`.  Source: Hoover et al. 2024, differentiated [PE-4].

    .. math:: dx_i = \sum_j w_{ji} (\sqrt\beta\, \omega_j - 2 c \beta\, x_i), \quad
        d\omega_j = \sqrt\beta \sum_i w_{ji} x_i, \quad
        d\beta = \sum_{ji} w_{ji} \Bigl(\frac{\omega_j^T x_i}{2 \sqrt\beta} - c \|x_i\|^2\Bigr)

    where w is g times the share r of each pattern in its sum.

    Parameters
    ----------
    kernel : "exponential" (c = 1/2) or "gaussian" (c = 1)

    Returns
    -------
    (dX, domega, dbeta)

    >>> from hopref.gradients import feature_memory
    >>> feature_memory.log_sums([1.0], [[2.0]], [[5.0]])[0]                 # 5 - 2
    array([[3.]])
    """
    xp, root, heights = namespace(X), math.sqrt(beta), dot(X, X)
    products = omega @ X.T
    w = g[:, None] * softmax(root * products - kernel * beta * heights)
    dX = root * (transposed(w) @ omega) - 2 * kernel * beta * xp.sum(w, axis=0)[:, None] * X
    return dX, root * (w @ X), xp.sum(w * (products / (2 * root) - kernel * heights))


@op("(...),(...,d),(m,d),(m)->(...,d),(m,d),(m),()", beta=inverse_temperature,
    scratch="(...,m)")
def energy(g, xi, omega, log_sums, /, *, beta=1.0):
    r"""Gradient of `feature_memory.energy`.  Source: Hoover et al. 2024, differentiated [PE-4].

    .. math:: d\xi = g\, (2 \xi - \beta^{-1/2} \Omega^T p), \quad
        d\Omega = -\beta^{-1/2}\, g\, p\, \xi^T, \quad d\log T = -g\, p / \beta, \quad
        d\beta = \frac{g}{\beta} \Bigl(\frac{\mathrm{lse}(z)}\beta
        - \frac{p^T \Omega \xi}{2 \sqrt\beta}\Bigr)

    Parameters
    ----------
    log_sums : what `feature_memory.log_sums` returns

    Returns
    -------
    (dxi, domega, dlog_sums, dbeta)

    >>> from hopref.gradients import feature_memory
    >>> feature_memory.energy(1.0, [2.0], [[1.0]], [3.0])[0]                # 4 - 1
    array([3.])
    """
    xp, root = namespace(xi), math.sqrt(beta)
    products = xi @ transposed(omega)
    z = root * products + log_sums
    p, g = softmax(z), g[..., None]
    change = logsumexp(z)[..., None] / beta - dot(p, products)[..., None] / (2 * root)
    return (g * (2 * xi - p @ omega / root), -outer(g * p, xi) / root,
            -summed(g * p, 1) / beta, xp.sum(g * change) / beta)


@op("(...,d),(...,d),(m,d),(m)->(...,d),(m,d),(m),(),()",
    beta=inverse_temperature, step=positive, scratch="(...,m)")
def update(g, xi, omega, log_sums, /, *, beta=1.0, step=0.5):
    r"""Gradient of `feature_memory.update`.

    Source: the gradient step of Hoover et al. 2024, differentiated [PE-4].

    .. math:: w = p \circ (a - p^T a), \quad a = \tfrac{\eta}{\sqrt\beta} \Omega\, g, \quad
        d\xi = (1 - 2 \eta)\, g + \sqrt\beta\, \Omega^T w, \quad
        d\Omega = \tfrac{\eta}{\sqrt\beta} p\, g^T + \sqrt\beta\, w\, \xi^T, \quad
        d\log T = w, \quad
        d\beta = \frac{w^T \Omega \xi - p^T a / \sqrt\beta}{2 \sqrt\beta}, \quad
        d\eta = g^T (\beta^{-1/2} \Omega^T p - 2 \xi)

    Parameters
    ----------
    log_sums : what `feature_memory.log_sums` returns
    step : eta, the size of the step

    Returns
    -------
    (dxi, domega, dlog_sums, dbeta, dstep)

    >>> from hopref.gradients import feature_memory
    >>> feature_memory.update([1.0], [5.0], [[3.0]], [0.0])[4]              # 3 - 10
    np.float64(-7.0)
    """
    xp, root = namespace(xi), math.sqrt(beta)
    products = xi @ transposed(omega)
    p, share = softmax(root * products + log_sums), step / root
    a = share * (g @ transposed(omega))
    w = softmax_gradient(a, root * products + log_sums)[1]
    dbeta = xp.sum(w * products - p * a / root) / (2 * root)
    return ((1 - 2 * step) * g + root * (w @ omega), share * outer(p, g) + root * outer(w, xi),
            summed(w, 1), dbeta, xp.sum(g * (p @ omega / root - 2 * xi)))
