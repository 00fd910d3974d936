"""Causal sums and their gradients, recomputed in both directions.

One pass forwards gives the cotangents of the queries, one backwards those of keys and values; each
carries one matrix of the size of the state (z, S).
"""
import math
from functools import partial
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.dispatch.overrides import overridable
from hopref.maps import dot, finite_or_zero, ratio, scan, strongest
from hopref.models.attention import joined_state, step, with_ones

__all__ = []


class Scaled(NamedTuple):
    """Features times e^a, the exponents a, and the cotangents of these features."""
    phi: Any
    a: Any
    d: Any


def transposed(x):
    return namespace(x).matrix_transpose(x)


def through_ratio(g, D, Z):
    """Cotangents of N and D in Z = N / D; 0 where D is 0, or so small that they are not finite.

    An infinity would give NaN in later sums, also for arguments on which it does not depend.
    """
    D = namespace(D).where(namespace(D).abs(D) < 2.0**-1000, 0.0, D)
    return tamed(ratio(g, D, 0.0)), tamed(-ratio(dot(g, Z)[..., None], D, 0.0))


def tamed(x):
    """The array with infinities replaced by 0."""
    xp = namespace(x)
    return xp.where(xp.abs(x) == math.inf, 0.0, x)


def turned(rows):
    return namespace(rows).flip(rows, axis=-2)


def joined(z, S):
    return namespace(S).concat([z[..., None], S], axis=-1)


def in_both_directions(g, q, k, V, decay, zS, G, eps):
    """Cotangents of q, k, V, and of (D, N); the last state (z, S); the cotangent of the first.

    The state is (z, S)_i = decay_i (z, S)_(i-1) + k_i (1, v_i); G is the cotangent of the last.
    """
    xp, r, v = namespace(V), k.shape[-1], with_ones(V)
    qv, kv = xp.concat([q, v], axis=-1), xp.concat([k, v], axis=-1)
    there, zS = scan(partial(forwards, eps=eps), zS, (k, decay, g, qv))
    dq, h = there[..., :r], there[..., r:]
    rows = turned(q), turned(decay), turned(h), turned(kv)
    back, G = scan(backwards, G, rows)
    back = turned(back)
    return dq, back[..., :r], back[..., r + 1:], h, zS, G


def forwards(zS, k, decay, g, qv, *, eps):
    """The next state; the cotangents of the query and of its (D, N)."""
    xp, r = namespace(k), k.shape[-1]
    zS, DN = step(decay[..., None] * zS, qv[..., :r], k, qv[..., r:])
    D = DN[..., :1] + eps
    dN, dD = through_ratio(g, D, ratio(DN[..., 1:], D, 0.0))
    h = xp.concat([dD, dN], axis=-1)
    return zS, xp.concat([(zS @ h[..., None])[..., 0], h], axis=-1)


def backwards(G, q, decay, h, kv):
    """The cotangents of the previous state, of the key and of (1, v)."""
    r = q.shape[-1]
    k, v = kv[..., :r], kv[..., r:]
    G = G + q[..., :, None] * h[..., None, :]
    dk, dv = (G @ v[..., None])[..., 0], (k[..., None, :] @ G)[..., 0, :]
    return decay[..., None] * G, namespace(k).concat([dk, dv], axis=-1)


def units(log_q, c):
    """Exponents by which queries are multiplied: the scale c minus the largest feature."""
    return c - finite_or_zero(namespace(c).max(log_q + c, axis=-1, keepdims=True))


def highest(c, log_k):
    c = namespace(c).maximum(c, log_k)
    return c, c


def level(log, rising):
    """The log of a feature; of its slope where that is beyond comparison, as where it is 0."""
    return namespace(log).where(rising > log + 300.0, rising, log)


def on_a_log_scale(g, g_S, g_z, g_c, features, levels, V, S, z, c):
    """`in_both_directions` for features on a log scale, in units of the running maximum of levels.

    Queries and keys as `Scaled`; the cotangent of the largest log key, at its place; those of V,
    of the first state (z, S), of its scale.
    """
    xp, (log_q, log_k, sign_q, sign_k) = namespace(V), features
    zS, G = joined_state(log_k, V, S, z), joined(g_z, g_S)
    first = c + xp.zeros_like(zS[..., 0])
    zS = xp.where(first[..., None] > -math.inf, zS, 0.0)
    start = xp.where(xp.all(zS == 0, axis=-1), -math.inf, first)    # of nothing there is no scale
    scale, ours = scan(highest, start, (levels[1],))
    kept, last = scan(highest, first, (log_k,))
    before = xp.concat([start[..., None, :], scale], axis=-2)
    a_q, a_k = units(levels[0], scale), -finite_or_zero(scale)
    decay = from_nothing(before[..., :-1, :], a_k)
    passed_on = from_nothing(ours, -finite_or_zero(last))           # in units of e^last
    G = G * xp.where(last > -math.inf, passed_on, 0.0)[..., None]
    q, k = sign_q * xp.exp(log_q + a_q), sign_k * xp.exp(log_k + a_k)
    dq, dk, dV, h, zS_last, dzS = in_both_directions(g, q, k, V, decay, zS, G, 0.0)
    lowest = xp.min(xp.where(before > -math.inf, before, math.inf), axis=-2)
    known = (start == -math.inf) & (lowest < math.inf)
    dzS = grown(dzS, xp.where(known, first - xp.where(known, lowest, 0.0), 0.0)[..., None])
    logs = xp.concat([first[..., None, :], log_k], axis=-2)
    most = xp.matrix_transpose(strongest(transposed(logs))) & (logs > -math.inf)
    top = xp.where(most, (g_c - dot(G, zS_last))[..., None, :], 0.0)
    return (Scaled(q, a_q, dq), Scaled(k, a_k, dk), top[..., 1:, :], dV, dzS,
            dot(xp.where(zS == 0, 0.0, dzS), zS) + top[..., 0, :])


def from_nothing(c, a):
    """e^(c + a): how a state shrinks as its scale rises; 1 of one that is nothing yet.

    Where a feature that is 0 moves a state by more than e^700, by e^700.
    """
    xp = namespace(c)
    return xp.where(c > -math.inf, xp.exp(xp.minimum(c + a, 700.0 + 0.0 * a)), 1.0)


@overridable
def grown(a, excess):
    """a e^excess, and 0 where a = 0."""
    xp = namespace(a)
    return xp.where(a == 0, 0.0, xp.where(a == 0, 1.0, a) * xp.exp(excess))
