r"""Convergence of classical networks: fixed points, flips, descent, contraction, bifurcation.

``W`` (d, d) are symmetric weights and ``b`` (d,) is the threshold.  ``activation`` is "tanh",
"sigmoid" or "identity", and ``beta`` is its gain.

References: Hopfield 1982 and 1984; Goles-Chacc, Fogelman-Soulie & Pellegrin 1985; Marcus &
Westervelt 1989.
"""
import numpy as np

from hopref.dispatch.domains import choice, flag, polar, positive, symmetric
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.errors import naming
from hopref.theory.arguments import validated

__all__ = ["unstable_sites", "flips_bound", "descent_margin", "critical_beta",
           "graded_contraction_factor"]

slope = choice(tanh=1.0, sigmoid=0.25, identity=1.0)        # the largest slope of f, at beta = 1


@op("(n,d)->(n)", X=polar, zero_diagonal=flag, scratch="(n,n)")
def unstable_sites(X, /, *, zero_diagonal=False):
    r"""Number of components of each polar pattern that one Hebbian sign update flips.
    Source: blog eqs. (1) and (2), signal and crosstalk [CB-9].

    .. math:: \#\{k : x_{ik} (W x_i)_k < 0\}, \qquad W = X^T X

    Returns: (n,) integers; 0 means that the pattern is a fixed point.  Ties keep the component.

    Notes: W is not formed.  The cost is O(n^2 d) time and O(n d) memory.

    >>> from hopref import theory
    >>> theory.unstable_sites([[1.0, 1.0], [1.0, -1.0], [1.0, -1.0]], zero_diagonal=True)
    array([2, 0, 0])
    """
    xp = namespace(X)
    diagonal = X.shape[0] if zero_diagonal else 0
    flips = X * ((X @ X.T) @ X - diagonal * X) < 0
    return xp.sum(xp.astype(flips, xp.int64), axis=-1)


@op("(d,d),(d)->()", W=symmetric)
def flips_bound(W, b=0.0, /):
    r"""Upper bound on the number of flips until an asynchronous classical network converges.

    Source: each flip lowers the energy by 2 |h| + 2 w_ii; Hopfield 1982 [CB-4].

    .. math:: \tfrac12 \sum_{i \neq j} |w_{ij}| + \sum_i |b_i|

    Notes: the bound holds for integer W and b with w_ii >= 0 and the tie rule "keep"; other
    weights must first be scaled to integers.  It is attained by two components with a negative
    weight, which flip once.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.flips_bound([[0.0, -1.0], [-1.0, 0.0]]))
    1.0
    """
    xp = namespace(W)
    beside = xp.where(xp.eye(W.shape[0], dtype=xp.bool), 0.0, xp.abs(W))
    return xp.sum(xp.sum(beside, axis=-1) / 2 + abs(b))


def descent_margin(W, /, *, activation="tanh", beta=1.0):
    r"""Margin whose sign decides whether synchronous updates lower the energy of a graded network.

    Source: E(xi') - E(xi) = -d^T W d / 2 - D_G(xi, xi') for d = xi' - xi [CC-2].

    .. math:: \lambda_{\min}(W) + \frac{1}{\beta L}, \quad L = 1 \text{ (tanh, identity)},
        \; \tfrac14 \text{ (sigmoid)}

    Parameters
    ----------
    W : (d, d) symmetric weights
    activation : "tanh", "sigmoid" or "identity"
    beta : gain, > 0

    Returns
    -------
    float; if it is >= 0, the energy does not increase in any synchronous step

    Notes
    -----
    The condition is weaker than the blog's W >= 0.  It is sharp: for W = -w I the energy increases
    if w > 1/(beta L).  A network that violates it may end in a cycle of period two, and in no
    longer cycle, because the Lyapunov function of two successive states
    (`graded.two_step_energy`) decreases for every symmetric W.  NumPy only.

    Status: derived; Marcus & Westervelt's constant was not read.

    >>> from hopref import theory
    >>> theory.descent_margin([[0.0, -1.0], [-1.0, 0.0]], beta=0.5)
    1.0
    """
    L, beta, spectrum = _validated("descent_margin", W, activation, beta)
    return float(spectrum.min(initial=np.inf) + 1 / (beta * L))


def critical_beta(W, /):
    r"""Largest beta for which the origin is the only fixed point of tanh(beta W xi).

    Source: the bifurcation of Hopfield 1984 at high gain [CC-6].

    .. math:: \beta_c = \frac{1}{\lambda_{\max}(W)}

    Parameters
    ----------
    W : (d, d) symmetric weights

    Returns
    -------
    float; infinite if no eigenvalue is positive

    Notes
    -----
    The result holds for every symmetric W.  Below beta_c, xi artanh(xi) > xi^2 excludes other fixed
    points.  Above it, the energy decreases from the origin along an eigenvector, so that its
    minimum is elsewhere.  NumPy only.

    Status: derived.

    >>> from hopref import theory
    >>> theory.critical_beta([[2.0, 0.0], [0.0, -3.0]])
    0.5
    """
    _, _, spectrum = _validated("critical_beta", W, "tanh", 1.0)
    largest = spectrum.max(initial=0.0)
    return float(1 / largest) if largest > 0 else np.inf


def graded_contraction_factor(W, /, *, activation="tanh", beta=1.0):
    r"""Lipschitz constant of the graded update.

    Source: the slope of f times the spectral norm [CC-6].

    .. math:: \beta L \, \|W\|_2, \quad L = 1 \text{ (tanh, identity)},
        \; \tfrac14 \text{ (sigmoid)}

    Parameters
    ----------
    W : (d, d) symmetric weights
    activation : "tanh", "sigmoid" or "identity"
    beta : gain, > 0

    Returns
    -------
    float; if it is below 1, iteration converges to a unique fixed point from every state

    Status: derived.

    >>> from hopref import theory
    >>> theory.graded_contraction_factor([[2.0, 0.0], [0.0, -3.0]], activation="sigmoid")
    0.75
    """
    L, beta, spectrum = _validated("graded_contraction_factor", W, activation, beta)
    return float(beta * L * np.abs(spectrum).max(initial=0.0))


def _validated(name, W, activation, beta):
    """The slope L, the gain beta, and the eigenvalues of W."""
    W, *_ = validated(flips_bound, name, W)
    with naming(f"hopref.theory.{name}"):
        L, beta = slope.validate("activation", activation), positive.validate("beta", beta)
    return L, beta, np.linalg.eigvalsh(W)
