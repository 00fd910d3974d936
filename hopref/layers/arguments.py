"""Validation of the arguments of forward passes."""
from typing import Any, NamedTuple

import numpy as np

from hopref.dispatch.domains import count, factors, finite, flag, positive, scores
from hopref.dispatch.namespace import namespace
from hopref.errors import CallError, DomainError, DTypeError, ShapeError
from hopref.layers.association import layer_norm, project
from hopref.layers.weights import Weights
from hopref.maps import default_scale

__all__ = ["Problem", "validated", "patterns", "matrix", "concatenated"]


class Problem(NamedTuple):
    """Patterns projected into the association spaces, and the options, validated."""
    Q: Any
    K: Any
    V: Any
    beta: float
    per_head: Any
    mask: Any
    bias: Any


def validated(R, Y, P, weights, heads, beta, per_head, mask, key_mask, bias, connected, rule):
    """The `Problem` of validated arguments."""
    if not isinstance(weights, Weights):
        raise CallError(f"weights must be a hopref.layers.Weights; got {type(weights).__name__}")
    connected = flag.validate("connected", connected)
    beta = beta if beta is None else positive.validate("beta", beta)
    per_head = 1.0 if np.ndim(per_head) == 0 and per_head == 1 else _real_numbers(
        "per_head", np.asarray(per_head), factors())
    h = _heads(weights, heads, per_head)
    static = _for_every_head if rule is None else rule.for_every_head
    R, Y, P = patterns("R", R), patterns("Y", Y), patterns("P", P)
    R, Y, P = (_normalised(x, n) for x, n in
               ((R, weights.norm_state), (Y, weights.norm_stored), (P, weights.norm_projection)))
    if connected and weights.W_k is not None:
        P = concatenated(project(P, weights.W_k, b=weights.b_k))
    Q, K, V = (static(x, h) if W is None else project(x, W, b=b) for x, W, b in
               ((R, weights.W_q, weights.b_q), (Y, weights.W_k, weights.b_k),
                (P, weights.W_v, weights.b_v)))
    Q, K = (_normalised(x, weights.norm_space) for x in (Q, K))
    unweighted = all(w is None for w in (*weights[:4], weights.norm_space)) and not connected
    if beta is None:
        beta = 1.0 if unweighted else default_scale(None, K)
    return Problem(Q, K, V, beta, per_head, _joint_mask(mask, key_mask, Q, K),
                   _full_bias(bias, Q, K))


def _heads(weights, heads, per_head):
    """The number of heads, on which all weights and arguments must agree."""
    found = {k: np.shape(w)[:1] for k, w in zip(Weights._fields[:4], weights, strict=False)
             if w is not None}
    found |= {} if isinstance(per_head, float) else {"per_head": per_head.shape}
    found |= {} if heads is None else {"heads": (count.validate("heads", heads),)}
    if len(set(found.values())) > 1 or () in found.values():
        raise ShapeError(f"h must be the same everywhere; got {found}")
    return next(iter(found.values()), (1,))[0]


def patterns(name, x):
    """Patterns in rows, as an array of finite numbers."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    if len(x.shape) < 2:
        raise ShapeError(f"{name} must hold patterns in rows, (..., rows, entries); "
                         f"got shape {tuple(x.shape)}")
    return _real_numbers(name, x) if isinstance(x, np.ndarray) else x


def _real_numbers(name, x, domain=finite):
    """An array of real numbers that all belong to the domain."""
    if x.dtype.kind not in "fiu":
        raise DTypeError(f"{name} must hold real numbers; got {x.dtype}")
    if not np.all(domain.holds(np, x)):
        raise DomainError(f"{name} must be {domain.description}; got other values")
    return x


def matrix(name, x):
    """An array with two axes."""
    x = patterns(name, x)
    if len(x.shape) != 2:
        raise ShapeError(f"{name} must have two axes; got shape {tuple(x.shape)}")
    return x


def _normalised(x, norm):
    """The layer norm of x, or x itself without a norm."""
    return x if norm is None else layer_norm(x, gain=norm.gain, shift=norm.shift, eps=norm.eps)


def _for_every_head(x, h):
    """Broadcast static patterns: they are the same for every head."""
    return namespace(x).broadcast_to(x[..., None, :, :], (*x.shape[:-2], h, *x.shape[-2:]))


def concatenated(x):
    """Concatenate the heads: (..., h, l, v) becomes (..., l, h v)."""
    xp = namespace(x)
    x = xp.moveaxis(x, -3, -2)
    return xp.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))


def _joint_mask(mask, key_mask, Q, K):
    """One mask (..., l, s) for both masks, or True."""
    if mask is True and key_mask is True:
        return True
    for name, m in (("mask", mask), ("key_mask", key_mask)):
        if np.asarray(m).dtype != bool:
            raise DTypeError(f"{name} must be boolean, True where a pattern may be seen; "
                             f"got {np.asarray(m).dtype}")
    both = np.asarray(mask) & np.asarray(key_mask)[..., None, :] if key_mask is not True else mask
    return _broadcast("mask", both, (*Q.shape[:-3], Q.shape[-2], K.shape[-2]))


def _full_bias(bias, Q, K):
    """The bias as (..., h, l, s), or a number."""
    if np.ndim(bias) == 0:
        return bias
    return _broadcast("bias", _real_numbers("bias", np.asarray(bias), scores()),
                      (*Q.shape[:-1], K.shape[-2]))


def _broadcast(name, a, shape):
    """The array broadcast to the shape; ShapeError where it cannot be."""
    try:
        return np.broadcast_to(a, shape)
    except ValueError:
        raise ShapeError(f"{name} must broadcast to {shape}; got {np.shape(a)}") from None
