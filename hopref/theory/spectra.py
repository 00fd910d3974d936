"""The Jacobian of an update at a state, and its eigenvalues.

The functions take NumPy arrays.  An update is a contraction near a fixed point if all eigenvalues
are below 1 in magnitude; for the modern network the fixed point is then a strict minimum of the
energy.
"""
import numpy as np

from hopref.dispatch.operation import gradient_of
from hopref.errors import DomainError, ShapeError
from hopref.models import modern
from hopref.theory.arguments import validated

__all__ = ["jacobian", "spectrum", "jacobian_spectrum"]


def jacobian(update, xi, /, *memory, **parameters):
    r"""Jacobian of an update with respect to the state.
    Source: vector-Jacobian products with the unit vectors as rows [GR-2, MH-6].

    .. math:: J_{kl} = \partial \xi^{new}_k / \partial \xi_l

    Parameters
    ----------
    update : an operation of `hopref` that has a gradient, such as ``performer.update``
    xi : (..., d) states
    memory, parameters : further operands and keyword arguments of the update

    Returns
    -------
    (..., d, d) matrices; symmetric for `modern.update` and `sparse.update`, not for the Performer

    Raises
    ------
    DomainError : ``update`` is no operation from states to states with a gradient

    >>> from hopref import modern, theory
    >>> theory.jacobian(modern.update, [0.0], [[1.0], [-1.0]], beta=2.0)
    array([[2.]])
    """
    pulled = gradient_of(update) if hasattr(update, "shapes") else None
    if pulled is None or update.shapes.partition("->")[2] != update.shapes.partition(",(")[0]:
        name = getattr(update, "name", update)
        raise DomainError("hopref.theory.jacobian: update must be an op from states to states that "
                          f"has a gradient; got {name}.")
    xi = np.asarray(xi, dtype=float)
    if xi.ndim == 0:
        raise ShapeError("hopref.theory.jacobian: xi must have shape (..., d); got ().")
    shape = (*xi.shape, xi.shape[-1])
    unit = np.broadcast_to(np.eye(xi.shape[-1]), shape)
    return pulled(unit, np.broadcast_to(xi[..., None, :], shape), *memory, **parameters)[0]


def spectrum(update, xi, /, *memory, **parameters):
    r"""Eigenvalues of the Jacobian of an update at a state, in order of decreasing magnitude.
    Source: the stability condition of a fixed point, rho(J) < 1 [GR-3, MH-6].

    .. math:: \det(J - \lambda I) = 0

    Parameters
    ----------
    update : an operation of `hopref` that has a gradient
    xi : (..., d) states
    memory, parameters : further operands and keyword arguments of the update

    Returns
    -------
    (..., d) complex numbers, whose imaginary part is 0 for updates with a symmetric Jacobian

    Raises
    ------
    DomainError : ``update`` is no operation from states to states with a gradient

    >>> from hopref import modern, theory
    >>> theory.spectrum(modern.update, [0.0], [[1.0], [-1.0]], beta=2.0)
    array([2.+0.j])
    """
    values = np.linalg.eigvals(jacobian(update, xi, *memory, **parameters)).astype(complex)
    order = np.argsort(-np.abs(values), axis=-1, kind="stable")
    return np.take_along_axis(values, order, axis=-1)


def jacobian_spectrum(xi, X, /, *, beta=1.0):
    r"""Eigenvalues of the Jacobian of `modern.update` at a state, in decreasing order.
    Source: Ramsauer et al. 2021, Appendix A [MH-6].

    .. math:: \lambda_k = \beta\, \sigma_k\big(\mathrm{diag}(\sqrt p)\,(X - 1 \bar x^T)\big)^2,
        \quad \bar x = X^T p

    Parameters
    ----------
    xi : (..., d) states
    X : (n, d) stored patterns, one a row
    beta : inverse temperature, >= 1e-300

    Returns
    -------
    (..., d) eigenvalues >= 0, computed from squared singular values so that small ones are
    accurate; `jacobian_bound` is an upper bound on the first

    >>> from hopref import theory
    >>> theory.jacobian_spectrum([0.0, 0.0], [[1.0, 0.0], [-1.0, 0.0]], beta=2.0)
    array([2., 0.])
    """
    xi, X = validated(modern.weights, "jacobian_spectrum", xi, X, beta=beta)
    p = modern.weights(xi, X, beta=beta)
    centred = np.sqrt(p)[..., None] * (X - (p @ X)[..., None, :])
    sizes = np.linalg.svd(centred, compute_uv=False)
    lacking = X.shape[1] - sizes.shape[-1]
    return beta * np.concatenate([sizes**2, np.zeros((*p.shape[:-1], lacking))], axis=-1)
