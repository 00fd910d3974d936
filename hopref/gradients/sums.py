"""Gradients of causal sums, by a forward and a backward pass that recompute the sums.

The forward pass computes the cotangents of the queries, the backward pass those of keys and values.
Each carries one matrix of the size of the state (z, S).
"""
import math
from functools import partial
from typing import Any, NamedTuple

from hopref.dispatch.namespace import namespace
from hopref.dispatch.overrides import overridable
from hopref.maps import dot, finite_or_zero, ratio, running_maximum, scan, strongest
from hopref.models.attention import joined_state, step, with_ones

__all__ = []


class Scaled(NamedTuple):
    """The scaled features phi e^a, the exponents a, and the cotangents d of the scaled features."""
    phi: Any
    a: Any
    d: Any


def transposed(x):
    return namespace(x).matrix_transpose(x)


def ratio_gradient(g, D, Z):
    """Cotangents of N and D in Z = N / D; 0 where |D| < 2^-1000 or the quotient overflows.

    An infinity would result in NaN in later sums, also for arguments that do not depend on it.
    """
    D = namespace(D).where(namespace(D).abs(D) < 2.0**-1000, 0.0, D)
    return finite_part(ratio(g, D, 0.0)), finite_part(-ratio(dot(g, Z)[..., None], D, 0.0))


def finite_part(x):
    """x, with 0 in place of infinities."""
    xp = namespace(x)
    return xp.where(xp.abs(x) == math.inf, 0.0, x)


def reversed_rows(rows):
    return namespace(rows).flip(rows, axis=-2)


def joined(z, S):
    return namespace(S).concat([z[..., None], S], axis=-1)


def causal_gradient(g, q, k, V, decay, zS, G, eps):
    """Cotangents of q, k, V and (D, N), the final state (z, S), the cotangent of the initial state.

    The state is (z, S)_i = decay_i (z, S)_(i-1) + k_i (1, v_i), and G is the cotangent of the final
    state.
    """
    xp, r, v = namespace(V), k.shape[-1], with_ones(V)
    qv, kv = xp.concat([q, v], axis=-1), xp.concat([k, v], axis=-1)
    forward, zS = scan(partial(query_step, eps=eps), zS, (k, decay, g, qv))
    dq, h = forward[..., :r], forward[..., r:]
    rows = reversed_rows(q), reversed_rows(decay), reversed_rows(h), reversed_rows(kv)
    backward, G = scan(key_step, G, rows)
    backward = reversed_rows(backward)
    return dq, backward[..., :r], backward[..., r + 1:], h, zS, G


def query_step(zS, k, decay, g, qv, *, eps):
    """The next state, and the cotangents of the query and of its (D, N)."""
    xp, r = namespace(k), k.shape[-1]
    zS, DN = step(decay[..., None] * zS, qv[..., :r], k, qv[..., r:])
    D = DN[..., :1] + eps
    dN, dD = ratio_gradient(g, D, ratio(DN[..., 1:], D, 0.0))
    h = xp.concat([dD, dN], axis=-1)
    return zS, xp.concat([(zS @ h[..., None])[..., 0], h], axis=-1)


def key_step(G, q, decay, h, kv):
    """The cotangent of the previous state, and those of the key and of (1, v)."""
    r = q.shape[-1]
    k, v = kv[..., :r], kv[..., r:]
    G = G + q[..., :, None] * h[..., None, :]
    dk, dv = (G @ v[..., None])[..., 0], (k[..., None, :] @ G)[..., 0, :]
    return decay[..., None] * G, namespace(k).concat([dk, dv], axis=-1)


def query_exponents(log_q, c):
    """Exponents of the factors of queries: the scale c minus the largest scaled log feature."""
    return c - finite_or_zero(namespace(c).max(log_q + c, axis=-1, keepdims=True))


def feature_level(log, log_slope):
    """The log of a feature, or of its slope where the slope is larger by more than e^300."""
    return namespace(log).where(log_slope > log + 300.0, log_slope, log)


def log_causal_gradient(g, g_S, g_z, g_c, features, levels, V, S, z, c):
    """`causal_gradient` for features on a log scale, relative to the running maximum of levels.

    The results are the queries and the keys as `Scaled`, the cotangent of the largest log key at
    its index, and the cotangents of V, of the initial state (z, S) and of its scale.
    """
    xp, log_k = namespace(V), features[1]
    zS, first, start = initial_state(joined_state(log_k, V, S, z), c)
    scales, last = running_maximum(start, levels[1]), running_maximum(first, log_k)[..., -1, :]
    (q, a_q), (k, a_k), decay = running_features(features, levels, scales)
    G = in_running_units(joined(g_z, g_S), scales[..., -1, :], last)
    dq, dk, dV, h, zS_last, dzS = causal_gradient(g, q, k, V, decay, zS, G, 0.0)
    dzS = in_initial_units(dzS, first, start, lowest_scale(scales))
    logs = xp.concat([first[..., None, :], log_k], axis=-2)
    most = xp.matrix_transpose(strongest(transposed(logs))) & (logs > -math.inf)
    top = xp.where(most, (g_c - dot(G, zS_last))[..., None, :], 0.0)
    return (Scaled(q, a_q, dq), Scaled(k, a_k, dk), top[..., 1:, :], dV, dzS,
            dot(xp.where(zS == 0, 0.0, dzS), zS) + top[..., 0, :])


def initial_state(zS, c):
    """The state, its scale c in full size, and the scale of its sums: an empty state has none."""
    xp = namespace(zS)
    first = c + xp.zeros_like(zS[..., 0])
    zS = xp.where(first[..., None] > -math.inf, zS, 0.0)
    return zS, first, xp.where(xp.all(zS == 0, axis=-1), -math.inf, first)


def running_features(features, levels, scales):
    """Queries and keys relative to the scales, with their exponents, and the changes of the state.

    The scales are that before the first position, and that of each position.
    """
    xp, (log_q, log_k, sign_q, sign_k) = namespace(scales), features
    before, scale = scales[..., :-1, :], scales[..., 1:, :]
    a_q, a_k = query_exponents(levels[0], scale), -finite_or_zero(scale)
    q, k = sign_q * xp.exp(log_q + a_q), sign_k * xp.exp(log_k + a_k)
    return (q, a_q), (k, a_k), scale_change(before, a_k)


def in_running_units(G, own, last):
    """The cotangent of the final state in the units of its sums, from those of its scale."""
    to_final = scale_change(own, -finite_or_zero(last))             # in units of e^last
    return G * namespace(G).where(last > -math.inf, to_final, 0.0)[..., None]


def lowest_scale(scales):
    """The least finite scale of all positions."""
    xp = namespace(scales)
    return xp.min(xp.where(scales > -math.inf, scales, math.inf), axis=-2)


def in_initial_units(dzS, first, start, lowest):
    """The cotangent of the initial state in the units of its scale; of an empty one, the sums have
    that of the first features."""
    xp = namespace(dzS)
    known = (start == -math.inf) & (lowest < math.inf)
    return times_exp(dzS, xp.where(known, first - xp.where(known, lowest, 0.0), 0.0)[..., None])


def scale_change(c, a):
    """Factor e^(c + a) of a state whose scale changes from c to -a; 1 for an empty state.

    The factor is at most e^700, which only features of 0 can reach.
    """
    xp = namespace(c)
    return xp.where(c > -math.inf, xp.exp(xp.minimum(c + a, 700.0 + 0.0 * a)), 1.0)


@overridable
def times_exp(a, excess):
    """a e^excess, in factors up to e^700, of which only the last can overflow; 0 where a is 0."""
    xp, zero = namespace(a), namespace(excess).zeros_like(excess)
    more = xp.maximum(excess - 700.0, zero)
    grown = xp.where(a == 0, 1.0, a) * xp.exp(xp.minimum(excess, zero + 700.0))
    grown = grown * xp.exp(xp.minimum(more, zero + 700.0))
    return xp.where(a == 0, 0.0, grown * xp.exp(xp.maximum(more - 700.0, zero)))
