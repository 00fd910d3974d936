r"""Convergence of classical networks: fixed points, flips, descent, contraction, bifurcation.

``W`` (d, d) symmetric weights, ``b`` (d,) threshold.  ``activation`` is "tanh", "sigmoid" or
"identity"; ``beta`` its gain.

References: Hopfield 1982 and 1984; Goles-Chacc, Fogelman-Soulie & Pellegrin 1985; Marcus &
Westervelt 1989.
"""
import numpy as np

from hopref.dispatch.domains import Array, choice, flag, positive, symmetric
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.errors import naming
from hopref.theory.arguments import validated

__all__ = ["unstable_sites", "flips_bound", "descent_margin", "critical_beta",
           "graded_contraction_factor"]

polar = Array(description="-1 or +1", holds=lambda xp, x: xp.abs(x) == 1)
slope = choice(tanh=1.0, sigmoid=0.25, identity=1.0)        # the largest slope of f, at beta = 1


@op("(n,d)->(n)", X=polar, zero_diagonal=flag, scratch="(n,n)")
def unstable_sites(X, /, *, zero_diagonal=False):
    r"""Number of components of each polar pattern that a Hebbian synchronous update flips.
    Source: blog eqs. (1) and (2), signal against crosstalk [CB-9].

    .. math:: \#\{k : x_{ik} (W x_i)_k < 0\}, \qquad W = X^T X

    Returns: (n,) array; 0 for a fixed point.  Ties keep the component.

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
    r"""Upper bound on the number of flips until a classical network converges, one site at a time.

    Source: each flip lowers the energy by 2 |h| + 2 w_ii; Hopfield 1982 [CB-4].

    .. math:: \tfrac12 \sum_{i \neq j} |w_{ij}| + \sum_i |b_i|

    Notes: The bound requires integers W and b, w_ii >= 0, and the tie rule "keep"; other weights
    must be given in units in which they are integers.  It is attained by two components with
    negative coupling, one of which flips once.

    Status: derived.

    >>> from hopref import theory
    >>> float(theory.flips_bound([[0.0, -1.0], [-1.0, 0.0]]))
    1.0
    """
    xp = namespace(W)
    beside = xp.where(xp.eye(W.shape[0], dtype=xp.bool), 0.0, xp.abs(W))
    return xp.sum(xp.sum(beside, axis=-1) / 2 + abs(b))


def descent_margin(W, /, *, activation="tanh", beta=1.0):
    r"""Margin of descent: if it is >= 0, every synchronous step decreases the graded energy.

    Source: E(xi') - E(xi) = -d^T W d / 2 - D_G(xi, xi') for d = xi' - xi [CC-2].

    .. math:: \lambda_{\min}(W) + \frac{1}{\beta L}, \quad L = 1 \text{ (tanh, identity)},
        \; \tfrac14 \text{ (sigmoid)}

    Notes: The condition is weaker than W >= 0, that of the blog, and sharp: for W = -w I the energy
    increases if w > 1/(beta L).  If it does not hold, the dynamics may have cycles of length 2, but
    no longer ones, since `graded.two_step_energy` decreases for every symmetric W.  NumPy only.

    Status: derived; Marcus & Westervelt's constant was not read.

    >>> from hopref import theory
    >>> theory.descent_margin([[0.0, -1.0], [-1.0, 0.0]], beta=0.5)
    1.0
    """
    L, beta, spectrum = _validated("descent_margin", W, activation, beta)
    return float(spectrum.min(initial=np.inf) + 1 / (beta * L))


def critical_beta(W, /):
    r"""Largest beta at which the origin is the only fixed point of tanh(beta W xi).

    Source: the bifurcation of Hopfield 1984 at high gain [CC-6].

    .. math:: \beta_c = \frac{1}{\lambda_{\max}(W)}

    Returns: infinite if no eigenvalue is positive.

    Notes: The result holds for every symmetric W.  Below it there is no other fixed point, because
    xi artanh(xi) > xi^2; above it the energy decreases from the origin along an eigenvector, so
    that its minimum is elsewhere.  NumPy only.

    Status: derived.

    >>> from hopref import theory
    >>> theory.critical_beta([[2.0, 0.0], [0.0, -3.0]])
    0.5
    """
    _, _, spectrum = _validated("critical_beta", W, "tanh", 1.0)
    largest = spectrum.max(initial=0.0)
    return float(1 / largest) if largest > 0 else np.inf


def graded_contraction_factor(W, /, *, activation="tanh", beta=1.0):
    r"""Lipschitz constant of the graded update; if below 1, all states converge to one fixed point.

    Source: the slope of f times the spectral norm [CC-6].

    .. math:: \beta L \, \|W\|_2, \quad L = 1 \text{ (tanh, identity)},
        \; \tfrac14 \text{ (sigmoid)}

    Status: derived.

    >>> from hopref import theory
    >>> theory.graded_contraction_factor([[2.0, 0.0], [0.0, -3.0]], activation="sigmoid")
    0.75
    """
    L, beta, spectrum = _validated("graded_contraction_factor", W, activation, beta)
    return float(beta * L * np.abs(spectrum).max(initial=0.0))


def _validated(name, W, activation, beta):
    """Slope, gain, and the eigenvalues of W."""
    W, *_ = validated(flips_bound, name, W)
    with naming(f"hopref.theory.{name}"):
        L, beta = slope.validate("activation", activation), positive.validate("beta", beta)
    return L, beta, np.linalg.eigvalsh(W)
