r"""Modern continuous Hopfield network.

``xi`` (..., d) states, ``X`` (n, d) stored patterns in rows (the papers' columns), ``beta`` > 0
the inverse temperature.

References: Ramsauer et al. 2021, *Hopfield Networks is All You Need*, eqs. (1)-(3); the blog,
eqs. (21), (22).
"""
from hopref.dispatch.domains import choice, finite, inverse_temperature, real
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    above,
    below,
    dot,
    mean_gain,
    overlaps,
    rows,
    shorter,
    softmax,
    squared_unit,
)

__all__ = ["energy", "update", "weights", "jacobian", "thresholded_update"]

side = choice(above=above, below=below)


@op("(...,d),(n,d)->(...)", beta=inverse_temperature, scratch="(...,n)", result=finite)
def energy(xi, X, /, *, beta=1.0):
    r"""Energy of a state.  Source: Ramsauer et al. 2021, eq. (2) [MH-1].

    .. math:: E = -\mathrm{lse}(\beta, X \xi) + \tfrac12 \xi^T \xi + \beta^{-1} \ln N
        + \tfrac12 M^2, \quad M = \max_i \|x_i\|

    Returns
    -------
    (...) array, energies >= 0; at most 2 M^2 where |xi| <= M

    Notes
    -----
    The energy is computed as the sum of three terms >= 0, where t is the pattern of the largest
    score: |xi - x_t|^2/2 + (M^2 - |x_t|^2)/2 - logmeanexp(beta (z - z_t))/beta.

    >>> from hopref import modern
    >>> float(modern.energy([-1.0], [[1.0]]))      # 2 M^2, its largest value
    2.0
    """
    xp = namespace(xi)
    z = overlaps(xi, X)
    nearest = rows(X, xp.argmax(z, axis=-1))
    offset, gaps = xi - nearest, z - xp.max(z, axis=-1, keepdims=True)
    return dot(offset, offset) / 2 + shorter(X, nearest) / 2 - mean_gain(gaps, beta)


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, lowers=energy, scratch="(...,n)",
    result=finite)
def update(xi, X, /, *, beta=1.0):
    r"""One retrieval step.  Source: Ramsauer et al. 2021, eq. (3); blog eq. (21) [MH-2].

    .. math:: \xi^{new} = X^T \mathrm{softmax}(\beta X \xi)

    Notes
    -----
    The result is a convex combination of the patterns.  The energy decreases by exactly
    |xi_new - xi|^2/2 + KL(p(xi) || p(xi_new))/beta, for every state and every beta.

    >>> from hopref import modern
    >>> modern.update([2.0, 0.0], [[1.0, 0.0], [-1.0, 0.0]], beta=50.0)
    array([1., 0.])
    """
    return softmax(overlaps(xi, X), beta=beta) @ X


@op("(...,d),(n,d)->(...,n)", beta=inverse_temperature, scratch="(...,n)", result=finite)
def weights(xi, X, /, *, beta=1.0):
    r"""Weights of the patterns in the update.  Source: Ramsauer et al. 2021, eq. (3) [MH-2].

    .. math:: p = \mathrm{softmax}(\beta X \xi)

    >>> from hopref import modern
    >>> modern.weights([0.0, 1.0], [[1.0, 0.0], [-1.0, 0.0]])
    array([0.5, 0.5])
    """
    return softmax(overlaps(xi, X), beta=beta)


@op("(...,d),(n,d)->(...,d,d)", beta=inverse_temperature, scratch="(...,n,d)", result=finite)
def jacobian(xi, X, /, *, beta=1.0):
    r"""Derivative of the update.  Source: Ramsauer et al. 2021, Appendix A [MH-6].

    .. math:: J = \beta X^T (\mathrm{diag}(p) - p p^T) X

    Notes
    -----
    J is symmetric and positive semidefinite.  I - J is the Hessian of the energy, so that it is
    positive definite at a fixed point if and only if the largest eigenvalue of J is below 1.

    >>> from hopref import modern
    >>> modern.jacobian([0.0], [[1.0], [-1.0]], beta=2.0)
    array([[2.]])
    """
    xp, (b, root) = namespace(xi), squared_unit(beta)
    p = softmax(overlaps(xi, X), beta=beta)
    centred = root * (X - (p @ X)[..., None, :])
    return b * (xp.matrix_transpose(p[..., None] * centred) @ centred)


@op("(...,d),(n,d)->(...,d)", beta=inverse_temperature, theta=real, side=side, scratch="(...,n)",
    result=finite)
def thresholded_update(xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    r"""Retrieval step by thresholded ("sparse") patterns and state.  Source: blog eq. (22) [MH-14].

    .. math:: \xi^{new} = X^T \mathrm{softmax}(\beta S_\theta(X) S_\theta(\xi)), \quad
        S_\theta(x)_l = 0 \text{ if } x_l > \theta, \text{ else } x_l

    Parameters
    ----------
    theta : threshold; a component equal to it is kept
    side : "above" sets the components > theta to 0, as the blog does; "below" those < theta

    Notes
    -----
    The result is a convex combination of the patterns X, not of the thresholded ones.  The rule has
    no energy.

    >>> from hopref import modern
    >>> modern.thresholded_update([0.9, -1.0], [[5.0, -1.0], [-0.1, 0.2]], beta=50.0)
    array([ 5., -1.])
    """
    return softmax(overlaps(side(xi, theta), side(X, theta)), beta=beta) @ X
