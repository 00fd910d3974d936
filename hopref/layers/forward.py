"""Forward passes of Hopfield layers on NumPy arrays, with every option of the published layers.

They are composed of the operations in `hopref.layers.association`.  A mask or a bias that is the
same for the whole batch may be given without its leading axes: a mask (l, s), a bias (l, s) or
(h, l, s).
"""
from typing import Any, NamedTuple

import numpy as np

from hopref.dispatch.domains import choice, count, nonnegative
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import unchecked
from hopref.dynamics import retrieve
from hopref.errors import DomainError, naming
from hopref.layers import hflayers
from hopref.layers.arguments import concatenated, matrix, patterns, validated
from hopref.layers.association import associations, read_out
from hopref.layers.weights import NO_WEIGHTS, Weights
from hopref.models import modern

__all__ = ["Iteration", "hopfield", "hopfield_pooling", "hopfield_layer", "iterate"]

compat_rules = choice(hflayers=hflayers)


class Iteration(NamedTuple):
    """Result of `iterate`.

    Attributes
    ----------
    output : (..., l, o) array
    steps : (..., h, l) integers, the number of updates of each state in each head
    reason : (..., h, l) strings, why each iteration stopped, as in `dynamics.Retrieval`
    converged : (..., h, l) bool, whether each state converged
    """
    output: np.ndarray
    steps: np.ndarray
    reason: np.ndarray
    converged: np.ndarray


def hopfield(R: Any, Y: Any, P: Any, weights: Weights = NO_WEIGHTS, /, *, heads: int | None = None,
             beta: float | None = None, per_head: Any = 1.0, steps: int | None = 1,
             mask: Any = True, key_mask: Any = True, bias: Any = 0.0, empty_row: str = "zeros",
             connected: bool = False, compat: str | None = None, tol: float = 1e-4) -> Any:
    r"""Output of a Hopfield layer.

    Source: Ramsauer et al. 2021, eq. (10); ml-jku/hopfield-layers [MH-13, HL-1, HL-2, HL-3].

    .. math:: Z = W_o\,\mathrm{concat}_h(A^{(h)} V^{(h)}) + b_o, \quad
        A^{(h)} = \mathrm{associations}(Q^{(h)}, K^{(h)})

    Parameters
    ----------
    R : (..., l, d) array, state patterns
    Y : (..., s, e) array, stored patterns
    P : (..., s, p) array, pattern projection: the patterns that are read out
    weights : `Weights` of the layer
    heads : int >= 1, number of heads h; needed only where no weight determines it
    beta : float > 0, inverse temperature; None for 1/sqrt(a), or for 1 where the layer has no
        matrix, no norm_space and no connected projection
    per_head : (h,) array > 0, factors of beta, one for each head
    steps : int >= 1, number of associations; with ``compat`` the largest number, None for no limit
    mask : (..., l, s) bool, True where a stored pattern is visible to a state
    key_mask : (..., s) bool, True where a stored pattern is visible to all states
    bias : (..., h, l, s) array, added to the scaled scores
    empty_row : {"zeros", "nan", "raise"}, as in `associations`; ignored with ``compat``
    connected : bool, whether P is first projected by W_k and b_k; W_v (h, v, h a) then maps the
        concatenated keys of all heads
    compat : None, or "hflayers" to reproduce the published layers
    tol : float >= 0, with ``compat`` the change of the association matrix at which a head stops

    Returns
    -------
    (..., l, o) array, or (..., l, h v) where W_o is None

    Raises
    ------
    CallError : weights is not a `Weights`
    ShapeError : the shapes do not match, or the weights differ in their number of heads
    DTypeError : an array does not hold real numbers, or a mask is not boolean
    DomainError : a value is outside its range, or empty_row="raise" and a row is fully masked

    Notes
    -----
    With ``compat="hflayers"`` the result differs as that of the published layers does: ``per_head``
    factors are tiled over channels, so that every head has several; a head stops for the whole
    batch, at the largest Frobenius norm of the change of its association matrices; a state to which
    no pattern is visible becomes NaN and ends the iteration of its head in the whole batch; static
    patterns of several heads are distributed over batch and heads in the wrong order.

    >>> from hopref import layers
    >>> Y = [[1.0, 0.0], [-1.0, 0.0]]
    >>> layers.hopfield([[2.0, 0.0]], Y, Y, beta=50.0)
    array([[1., 0.]])
    """
    with naming("hopref.layers.hopfield"):
        rule = None if compat is None else compat_rules.validate("compat", compat)
        problem = validated(R, Y, P, weights, heads, beta, per_head, mask, key_mask, bias,
                             connected, rule)
        Q, K, V, beta, per_head, mask, bias = problem
        if rule is None:
            A = associations(Q, K, beta=beta, per_head=per_head, steps=steps, mask=mask, bias=bias,
                             empty_row=empty_row)
        else:
            steps = steps if steps is None else count.validate("steps", steps)
            A = hflayers.associations(Q, K, beta=beta, per_head=per_head, steps=steps,
                                      tol=nonnegative.validate("tol", tol), mask=mask, bias=bias,
                                      static=weights.W_q is None)
        return _output(A, V, weights)


def hopfield_pooling(Y: Any, P: Any, states: Any, weights: Weights = NO_WEIGHTS, /,
                     **options: Any) -> Any:
    r"""Output of a Hopfield layer whose states are parameters: it summarises each set of patterns.

    Source: Ramsauer et al. 2021; ml-jku/hopfield-layers [HL-4].

    .. math:: Z = \mathrm{hopfield}(S, Y, P)

    Parameters
    ----------
    Y : (..., s, e) array, stored patterns
    P : (..., s, p) array, pattern projection: the patterns that are read out
    states : (q, d) array, the states, the same for the whole batch
    weights : `Weights` of the layer
    **options : keyword arguments of `hopfield`

    Returns
    -------
    (..., q, o) array, which is not flattened

    >>> from hopref import layers
    >>> Y = [[[1.0, 3.0], [3.0, 5.0]]]
    >>> layers.hopfield_pooling(Y, Y, [[0.0, 0.0]])
    array([[[2., 4.]]])
    """
    with naming("hopref.layers.hopfield_pooling"):
        states, lead = matrix("states", states), patterns("Y", Y).shape[:-2]
        return hopfield(np.broadcast_to(states, (*lead, *states.shape)), Y, P, weights, **options)


def hopfield_layer(R: Any, lookup: Any, targets: Any = None, weights: Weights = NO_WEIGHTS, /,
                   **options: Any) -> Any:
    r"""Output of a Hopfield layer whose stored patterns are parameters.

    Source: Ramsauer et al. 2021; ml-jku/hopfield-layers [HL-5].

    .. math:: Z = \mathrm{hopfield}(R, Y, P)

    Parameters
    ----------
    R : (..., l, d) array, state patterns
    lookup : (s, e) array, stored patterns, the same for the whole batch
    targets : (s, p) array, the patterns that are read out; None for ``lookup``
    weights : `Weights` of the layer
    **options : keyword arguments of `hopfield`

    Returns
    -------
    (..., l, o) array

    >>> from hopref import layers
    >>> layers.hopfield_layer([[50.0]], [[1.0], [-1.0]], [[7.0], [8.0]])
    array([[7.]])
    """
    with naming("hopref.layers.hopfield_layer"):
        lookup, lead = matrix("lookup", lookup), patterns("R", R).shape[:-2]
        targets = lookup if targets is None else matrix("targets", targets)
        Y, P = (np.broadcast_to(a, (*lead, *a.shape)) for a in (lookup, targets))
        return hopfield(R, Y, P, weights, **options)


def iterate(R: Any, Y: Any, P: Any, weights: Weights = NO_WEIGHTS, /, *, heads: int | None = None,
            beta: float | None = None, per_head: Any = 1.0, mask: Any = True, key_mask: Any = True,
            connected: bool = False, tol: float = 1e-12, max_steps: int = 1000) -> Iteration:
    r"""Output of a Hopfield layer after each state has been iterated to convergence separately.

    Source: Ramsauer et al. 2021, eqs. (3), (10) [MH-7, MH-13, HL-2].

    .. math:: Z = W_o\,\mathrm{concat}_h(\mathrm{softmax}(\beta_h Q^{(h)}_\infty K^{(h)T}) V^{(h)})
        + b_o

    Parameters
    ----------
    R : (..., l, d) array, state patterns
    Y : (..., s, e) array, stored patterns
    P : (..., s, p) array, pattern projection: the patterns that are read out
    weights : `Weights` of the layer
    heads, beta, per_head, mask, key_mask, connected : as in `hopfield`
    tol : float >= 0, relative change at which a state has converged, as in `dynamics.retrieve`
    max_steps : int >= 1, largest number of updates of a state

    Returns
    -------
    Iteration

    Raises
    ------
    DomainError : no stored pattern is visible to some state

    Notes
    -----
    `dynamics.retrieve` applies `modern.update` in the association space of each head, to the
    patterns that are visible to the state.  The further errors are those of `hopfield`.

    >>> from hopref import layers
    >>> Y = [[1.0, 0.0], [-1.0, 0.0]]
    >>> run = layers.iterate([[0.1, 0.0]], Y, Y, beta=50.0)
    >>> run.output, run.converged
    (array([[1., 0.]]), array([[ True]]))
    """
    with naming("hopref.layers.iterate"):
        problem = validated(R, Y, P, weights, heads, beta, per_head, mask, key_mask, 0.0,
                             connected, None)
        Q, K, V, beta, per_head, mask, _ = problem
        shape = (*Q.shape[:-1], K.shape[-2])
        visible = np.broadcast_to(True if mask is True else mask[..., None, :, :], shape)
        if not np.all(np.any(visible, axis=-1)):
            raise DomainError("every state must see a stored pattern; got a fully masked row")
        A, runs = np.zeros(shape), np.empty(shape[:-1], object)
        factors = np.broadcast_to(per_head, shape[-3:-2])
        for at in np.ndindex(shape[:-1]):
            keys, beta_h = K[at[:-1]][visible[at]], float(beta * factors[at[-2]])
            runs[at] = retrieve(modern.update, Q[at], keys, beta=beta_h, tol=tol,
                                max_steps=max_steps)
            A[at][visible[at]] = modern.weights(runs[at].states, keys, beta=beta_h)
        steps, reason, converged = (
            np.array([getattr(run, k) for run in runs.flat], dtype).reshape(runs.shape)
            for k, dtype in (("steps", int), ("reason", "<U11"), ("converged", bool)))
        return Iteration(_output(A, V, weights), steps, reason, converged)


def _output(A, V, weights):
    """The read-out of all heads, or their concatenated results without an output matrix."""
    if weights.W_o is None:
        with unchecked():
            return concatenated(A @ V)
    xp = namespace(A)
    policy = {} if xp.all(xp.isfinite(A)) else {"nonfinite": "propagate"}     # empty_row="nan"
    return read_out(A, V, weights.W_o, b=weights.b_o, **policy)


