"""Forward passes of Hopfield layers, with every option of the published ones; NumPy arrays.

They are made of the operations in `hopref.layers.association`.  What is the same for a whole batch
may be given without its leading axes: a mask (l, s), a bias (l, s) or (h, l, s).
"""
from typing import Any, NamedTuple

import numpy as np

from hopref.dispatch.domains import (
    choice,
    count,
    factors,
    finite,
    flag,
    nonnegative,
    positive,
    scores,
)
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import unchecked
from hopref.dynamics import retrieve
from hopref.errors import CallError, DomainError, DTypeError, ShapeError, naming
from hopref.layers import hflayers
from hopref.layers.association import associations, layer_norm, project, read_out
from hopref.layers.weights import BARE, Weights
from hopref.maps import default_scale
from hopref.models import modern

__all__ = ["Settled", "hopfield", "hopfield_pooling", "hopfield_layer", "settle"]

compat_rules = choice(hflayers=hflayers)


class Settled(NamedTuple):
    """Output (..., l, o), and how each state (..., h, l) ended, as in `dynamics.Retrieval`."""
    output: np.ndarray
    steps: np.ndarray
    reason: np.ndarray
    converged: np.ndarray


def hopfield(R, Y, P, weights=BARE, /, *, heads=None, beta=None, per_head=1.0, steps=1,
             mask=True, key_mask=True, bias=0.0, empty_row="zeros", connected=False, compat=None,
             tol=1e-4):
    r"""Output of a Hopfield layer.

    Source: Ramsauer et al. 2021, eq. (10); ml-jku/hopfield-layers [MH-13, HL-1, HL-2, HL-3].

    .. math:: Z = W_o\,\mathrm{concat}_h(A^{(h)} V^{(h)}) + b_o, \quad
        A^{(h)} = \mathrm{associations}(Q^{(h)}, K^{(h)})

    Parameters
    ----------
    R, Y, P : (..., l, d) state patterns, (..., s, e) stored patterns, (..., s, p) their projection
    weights : a `Weights`; heads : their number, needed only where no weight tells it
    beta : > 0, by default 1/sqrt(a), or 1 if nothing but softmax is left to do (all static, heads
        side by side, no norm_space); per_head : (h) factors of it, one a head
    steps : exactly so many associations; with ``compat`` at most so many, None for no limit
    mask : (..., l, s) True where a state may see a pattern; key_mask : (..., s) True where all may
    bias : (..., h, l, s) added to the scaled scores
    empty_row : as in `associations`
    connected : P goes through W_k, b_k first, and W_v (h, v, h a) takes the keys of all heads
    compat : "hflayers" for the layers as published, whatever ``empty_row`` says
    tol : with ``compat``, the change of an association matrix below which a head stops

    Notes
    -----
    The published layers differ, and ``compat="hflayers"`` with them: ``per_head`` factors are tiled
    over channels, so that every head has several; a head stops for the whole batch, at the largest
    Frobenius norm of the change of an association matrix in it; a state that sees nothing is NaN,
    and ends the iteration of its head everywhere; static patterns of several heads are handed out
    among batch and heads in the wrong order.

    >>> from hopref import layers
    >>> Y = [[1.0, 0.0], [-1.0, 0.0]]
    >>> layers.hopfield([[2.0, 0.0]], Y, Y, beta=50.0)
    array([[1., 0.]])
    """
    with naming("hopref.layers.hopfield"):
        rule = None if compat is None else compat_rules.validate("compat", compat)
        it = _admitted(R, Y, P, weights, heads, beta, per_head, mask, key_mask, bias, connected,
                       rule)
        if rule is None:
            A = associations(it.Q, it.K, beta=it.beta, per_head=it.per_head, steps=steps,
                             mask=it.mask, bias=it.bias, empty_row=empty_row)
        else:
            steps = steps if steps is None else count.validate("steps", steps)
            A = hflayers.associations(it.Q, it.K, beta=it.beta, per_head=it.per_head, steps=steps,
                                      tol=nonnegative.validate("tol", tol), mask=it.mask,
                                      bias=it.bias, static=weights.W_q is None)
        return _output(A, it.V, weights)


def hopfield_pooling(Y, P, states, weights=BARE, /, **how):
    r"""Output of a Hopfield layer whose states are its own: a summary of each set of patterns.

    Source: Ramsauer et al. 2021; ml-jku/hopfield-layers [HL-4].

    .. math:: Z = \mathrm{hopfield}(S, Y, P)

    ``states`` (q, d) serve the whole batch; everything else is as in `hopfield`.  The result
    (..., q, o) is not flattened.

    >>> from hopref import layers
    >>> Y = [[[1.0, 3.0], [3.0, 5.0]]]
    >>> layers.hopfield_pooling(Y, Y, [[0.0, 0.0]])
    array([[[2., 4.]]])
    """
    with naming("hopref.layers.hopfield_pooling"):
        states, lead = _matrix("states", states), _array("Y", Y).shape[:-2]
        return hopfield(np.broadcast_to(states, (*lead, *states.shape)), Y, P, weights, **how)


def hopfield_layer(R, lookup, targets=None, weights=BARE, /, **how):
    r"""Output of a Hopfield layer whose stored patterns are its own.

    Source: Ramsauer et al. 2021; ml-jku/hopfield-layers [HL-5].

    .. math:: Z = \mathrm{hopfield}(R, Y, P)

    ``lookup`` (s, e) are the stored patterns of the whole batch, ``targets`` (s, p) what is read
    out, by default the lookup; everything else is as in `hopfield`.

    >>> from hopref import layers
    >>> layers.hopfield_layer([[50.0]], [[1.0], [-1.0]], [[7.0], [8.0]])
    array([[7.]])
    """
    with naming("hopref.layers.hopfield_layer"):
        lookup, lead = _matrix("lookup", lookup), _array("R", R).shape[:-2]
        targets = lookup if targets is None else _matrix("targets", targets)
        Y, P = (np.broadcast_to(a, (*lead, *a.shape)) for a in (lookup, targets))
        return hopfield(R, Y, P, weights, **how)


def settle(R, Y, P, weights=BARE, /, *, heads=None, beta=None, per_head=1.0, mask=True,
           key_mask=True, connected=False, tol=1e-12, max_steps=1000):
    r"""Output of a Hopfield layer once its states have settled, each by itself.

    Source: Ramsauer et al. 2021, eqs. (3), (10) [MH-7, MH-13, HL-2].

    .. math:: Z = W_o\,\mathrm{concat}_h(\mathrm{softmax}(\beta_h Q^{(h)}_\infty K^{(h)T}) V^{(h)})
        + b_o

    ``tol`` and ``max_steps`` are those of `dynamics.retrieve`, which runs `modern.update` in every
    association space on the patterns that a state sees; the rest is as in `hopfield`.

    Returns
    -------
    Settled

    >>> from hopref import layers
    >>> Y = [[1.0, 0.0], [-1.0, 0.0]]
    >>> run = layers.settle([[0.1, 0.0]], Y, Y, beta=50.0)
    >>> run.output, run.converged
    (array([[1., 0.]]), array([[ True]]))
    """
    with naming("hopref.layers.settle"):
        it = _admitted(R, Y, P, weights, heads, beta, per_head, mask, key_mask, 0.0, connected,
                       None)
        shape = (*it.Q.shape[:-1], it.K.shape[-2])
        seen = np.broadcast_to(True if it.mask is True else it.mask[..., None, :, :], shape)
        if not np.all(np.any(seen, axis=-1)):
            raise DomainError("every state must see a stored pattern; got a fully masked row")
        A, ends = np.zeros(shape), np.empty(shape[:-1], object)
        how = {"tol": tol, "max_steps": max_steps}
        factors = np.broadcast_to(it.per_head, shape[-3:-2])
        for at in np.ndindex(shape[:-1]):
            K, own = it.K[at[:-1]][seen[at]], float(it.beta * factors[at[-2]])
            ends[at] = retrieve(modern.update, it.Q[at], K, beta=own, **how)
            A[at][seen[at]] = modern.weights(ends[at].states, K, beta=own)
        steps, reason, converged = (
            np.array([getattr(run, k) for run in ends.flat], dtype).reshape(ends.shape)
            for k, dtype in (("steps", int), ("reason", "<U11"), ("converged", bool)))
        return Settled(_output(A, it.V, weights), steps, reason, converged)


class Admitted(NamedTuple):
    """Patterns in the association spaces, and what governs their association, in full shape."""
    Q: Any
    K: Any
    V: Any
    beta: float
    per_head: Any
    mask: Any
    bias: Any


def _admitted(R, Y, P, weights, heads, beta, per_head, mask, key_mask, bias, connected, rule):
    if not isinstance(weights, Weights):
        raise CallError(f"weights must be a hopref.layers.Weights; got {type(weights).__name__}")
    connected = flag.validate("connected", connected)
    beta = beta if beta is None else positive.validate("beta", beta)
    per_head = 1.0 if np.ndim(per_head) == 0 and per_head == 1 else _held(
        "per_head", np.asarray(per_head), factors())
    h = _heads(weights, heads, per_head)
    spread = _for_every_head if rule is None else rule.for_every_head
    R, Y, P = _array("R", R), _array("Y", Y), _array("P", P)
    R, Y, P = (_normed(x, n) for x, n in
               ((R, weights.norm_state), (Y, weights.norm_stored), (P, weights.norm_projection)))
    if connected and weights.W_k is not None:
        P = _side_by_side(project(P, weights.W_k, b=weights.b_k))
    Q, K, V = (spread(x, h) if W is None else project(x, W, b=b) for x, W, b in
               ((R, weights.W_q, weights.b_q), (Y, weights.W_k, weights.b_k),
                (P, weights.W_v, weights.b_v)))
    Q, K = (_normed(x, weights.norm_space) for x in (Q, K))
    bare = all(w is None for w in (*weights[:4], weights.norm_space)) and not connected
    if beta is None:
        beta = 1.0 if bare else default_scale(None, K)
    return Admitted(Q, K, V, beta, per_head, _seen(mask, key_mask, Q, K), _biases(bias, Q, K))


def _heads(weights, heads, per_head):
    """How many there are; all that tell must agree."""
    told = {k: np.shape(w)[:1] for k, w in zip(Weights._fields[:4], weights, strict=False)
            if w is not None}
    told |= {} if isinstance(per_head, float) else {"per_head": per_head.shape}
    told |= {} if heads is None else {"heads": (count.validate("heads", heads),)}
    if len(set(told.values())) > 1 or () in told.values():
        raise ShapeError(f"h must be the same everywhere; got {told}")
    return next(iter(told.values()), (1,))[0]


def _array(name, x):
    x = x if hasattr(x, "shape") else np.asarray(x)
    if len(x.shape) < 2:
        raise ShapeError(f"{name} must hold patterns in rows, (..., rows, entries); "
                         f"got shape {tuple(x.shape)}")
    return _held(name, x) if isinstance(x, np.ndarray) else x


def _held(name, x, domain=finite):
    """Real numbers that the domain holds."""
    if x.dtype.kind not in "fiu":
        raise DTypeError(f"{name} must hold real numbers; got {x.dtype}")
    if not np.all(domain.holds(np, x)):
        raise DomainError(f"{name} must be {domain.description}; got other values")
    return x


def _matrix(name, x):
    x = _array(name, x)
    if len(x.shape) != 2:
        raise ShapeError(f"{name} must have two axes; got shape {tuple(x.shape)}")
    return x


def _normed(x, norm):
    return x if norm is None else layer_norm(x, gain=norm.gain, shift=norm.shift, eps=norm.eps)


def _for_every_head(x, h):
    """A static pattern is the same for every head."""
    return namespace(x).broadcast_to(x[..., None, :, :], (*x.shape[:-2], h, *x.shape[-2:]))


def _side_by_side(x):
    """(..., h, l, v) as (..., l, h v)."""
    xp = namespace(x)
    x = xp.moveaxis(x, -3, -2)
    return xp.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))


def _seen(mask, key_mask, Q, K):
    """One mask (..., l, s) of both, or True."""
    if mask is True and key_mask is True:
        return True
    for name, m in (("mask", mask), ("key_mask", key_mask)):
        if np.asarray(m).dtype != bool:
            raise DTypeError(f"{name} must be boolean, True where a pattern may be seen; "
                             f"got {np.asarray(m).dtype}")
    both = np.asarray(mask) & np.asarray(key_mask)[..., None, :] if key_mask is not True else mask
    return _fitted("mask", both, (*Q.shape[:-3], Q.shape[-2], K.shape[-2]))


def _biases(bias, Q, K):
    """A bias (..., h, l, s), or 0."""
    if np.ndim(bias) == 0:
        return bias
    return _fitted("bias", _held("bias", np.asarray(bias), scores()),
                   (*Q.shape[:-1], K.shape[-2]))


def _fitted(name, a, shape):
    try:
        return np.broadcast_to(a, shape)
    except ValueError:
        raise ShapeError(f"{name} must fit {shape}; got {np.shape(a)}") from None


def _output(A, V, weights):
    """The read-out of all heads, or what they found side by side."""
    if weights.W_o is None:
        with unchecked():
            return _side_by_side(A @ V)
    xp = namespace(A)
    lost = {} if xp.all(xp.isfinite(A)) else {"nonfinite": "propagate"}     # rows of NaN, as asked
    return read_out(A, V, weights.W_o, b=weights.b_o, **lost)


