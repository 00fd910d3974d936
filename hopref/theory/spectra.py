"""The derivative of a retrieval step at a state: its matrix and its eigenvalues.

The functions take NumPy arrays.  A step is a contraction near a fixed point if all eigenvalues are
below 1 in absolute value; for the modern network it is then a strict minimum of the energy.
"""
import numpy as np

from hopref.dispatch.operation import gradient_of
from hopref.errors import DomainError, ShapeError
from hopref.models import modern
from hopref.theory.arguments import validated

__all__ = ["jacobian", "spectrum", "jacobian_spectrum"]


def jacobian(update, xi, /, *memory, **parameters):
    r"""Derivative with respect to the state of any update that has a gradient.
    Source: the rows are vector-Jacobian products with the unit vectors [GR-2, MH-6].

    .. math:: J_{kl} = \partial \xi^{new}_k / \partial \xi_l

    Parameters
    ----------
    update : an op of `hopref` such as ``performer.update``
    xi : (..., d) states; ``memory`` and ``parameters`` are passed on to the update

    Returns: (..., d, d); symmetric for `modern.update` and `sparse.update`, not for the Performer.

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
    r"""Eigenvalues of the derivative of an update at a state, the largest in size first.
    Source: the condition of a fixed point to attract, rho(J) < 1 [GR-3, MH-6].

    .. math:: \det(J - \lambda I) = 0

    Returns: (..., d) complex numbers; real ones for rules that come from an energy.

    >>> from hopref import modern, theory
    >>> theory.spectrum(modern.update, [0.0], [[1.0], [-1.0]], beta=2.0)
    array([2.+0.j])
    """
    values = np.linalg.eigvals(jacobian(update, xi, *memory, **parameters)).astype(complex)
    order = np.argsort(-np.abs(values), axis=-1, kind="stable")
    return np.take_along_axis(values, order, axis=-1)


def jacobian_spectrum(xi, X, /, *, beta=1.0):
    r"""Eigenvalues of the derivative of `modern.update` at a state, the largest first.
    Source: Ramsauer et al. 2021, Appendix A [MH-6].

    .. math:: \lambda_k = \beta\, \sigma_k\big(\mathrm{diag}(\sqrt p)\,(X - 1 \bar x^T)\big)^2,
        \quad \bar x = X^T p

    Returns: (..., d), none below 0: singular values are squared, so that small ones are right too.
    `jacobian_bound` bounds the first.

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
