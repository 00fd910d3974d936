r"""The memory whose energy is estimated with positive random features: m numbers for all patterns.

``X`` (n, d) patterns, one a row; ``omega`` (m, d) one draw of directions (see `projections`);
``log_sums`` (m) the logs of the sums of features over the patterns, all that is stored of them;
``xi`` (..., d) states.  The kernel of the energy of the modern network is replaced by its estimate
with this draw, so that an energy exists for every draw, and its gradient is the step.  The rule of
the Performer, `performer.update`, estimates the step itself, and has no energy for one draw.

It is a poor memory: the number of draws that take part in a step, 1 / sum p^2, is close to 1 for
patterns that are far enough apart to be retrieved.

References: Hoover et al. 2024, *Dense Associative Memory Through the Lens of Random Features*, for
the energy; Choromanski et al. 2021, for the features.  The exact decrease is derived here.
"""
import math

from hopref.dispatch.domains import choice, finite, inverse_temperature, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import dot, logsumexp, softmax

__all__ = ["log_sums", "energy", "update"]

kernels = choice(exponential=0.5, gaussian=1.0)     # the share of beta |x|^2 in a feature's log


@op("(n,d),(m,d)->(m)", beta=inverse_temperature, kernel=kernels, scratch="(m,n)", result=finite)
def log_sums(X, omega, /, *, beta=1.0, kernel="exponential"):
    r"""Logs of the sums of features over the patterns, which are the memory.

    Source: Hoover et al. 2024; Choromanski et al. 2021, eq. (7), for the features [PE-1, DR-2].

    .. math:: \log T_j = \ln \sum_i \exp\bigl(\sqrt\beta\, \omega_j^T x_i - c\,\beta \|x_i\|^2\bigr)
        - \ln m

    Parameters
    ----------
    kernel : "exponential" (c = 1/2) for the energy of the modern network, with the kernel
        e^(beta x.xi); "gaussian" (c = 1) for e^(-beta |x - xi|^2/2)

    Returns
    -------
    (m) array; those of two sets of patterns are joined by numpy.logaddexp, and those of patterns in
    chunks computed by `parts.stream`

    >>> from hopref import feature_memory
    >>> feature_memory.log_sums([[2.0], [2.0]], [[1.0], [0.0]])             # 2 - 2 + ln 2 - ln 2
    array([ 0., -2.])
    """
    return logsumexp(log_features(X, omega, beta, kernel)) - math.log(omega.shape[0])


@op("(...,d),(m,d),(m)->(...)", beta=inverse_temperature, scratch="(...,m)",
    result=finite)
def energy(xi, omega, log_sums, /, *, beta=1.0):
    r"""Energy of a state.  Source: Hoover et al. 2024, with positive features [PE-1, DR-2].

    .. math:: E = \|\xi\|^2 - \tfrac1\beta \ln \sum_j e^{z_j}, \quad
        z_j = \sqrt\beta\, \omega_j^T \xi + \log T_j

    Parameters
    ----------
    log_sums : what `log_sums` returns

    Notes
    -----
    With the exponential kernel, E + ln N/beta + M^2/2 tends to `modern.energy` for many features.
    The query's own feature is e^(-beta |xi|^2/2), so that the square is not halved.

    >>> from hopref import feature_memory
    >>> float(feature_memory.energy([2.0], [[1.0]], [3.0]))                 # 4 - (2 + 3)
    -1.0
    """
    return dot(xi, xi) - logsumexp(responses(xi, omega, log_sums, beta)) / beta


@op("(...,d),(m,d),(m)->(...,d)", beta=inverse_temperature, step=positive,
    lowers=(energy, "step <= 1"), scratch="(...,m)", result=finite)
def update(xi, omega, log_sums, /, *, beta=1.0, step=0.5):
    r"""One step along the gradient of the energy.

    Source: the gradient of the energy of Hoover et al. 2024 [PE-2, PE-3].

    .. math:: \xi^{new} = \xi - \eta \nabla E = (1 - 2 \eta)\, \xi
        + \tfrac{\eta}{\sqrt\beta} \sum_j p_j \omega_j, \quad p = \mathrm{softmax}(z)

    Parameters
    ----------
    log_sums : what `log_sums` returns
    step : eta; with 1/2 the new state depends on the weights alone, with 1 the step tends to
        `modern.update` for many features

    Notes
    -----
    The energy decreases by exactly (1/step - 1) |xi_new - xi|^2 + KL(p(xi) || p(xi_new))/beta, for
    every step.  With step = 1 and no more than d features a state can return after two steps, at
    the same energy.

    >>> from hopref import feature_memory
    >>> feature_memory.update([5.0], [[3.0]], [0.0])                        # 3/2, whatever xi
    array([1.5])
    """
    p = softmax(responses(xi, omega, log_sums, beta))
    return (1 - 2 * step) * xi + step / math.sqrt(beta) * (p @ omega)


def log_features(X, omega, beta, kernel):
    """sqrt(beta) omega_j.x_i - c beta |x_i|^2, (m, n)."""
    return math.sqrt(beta) * (omega @ X.T) - kernel * beta * dot(X, X)


def responses(xi, omega, log_sums, beta):
    """z_j = sqrt(beta) omega_j.xi + log T_j."""
    return math.sqrt(beta) * (xi @ namespace(omega).matrix_transpose(omega)) + log_sums
