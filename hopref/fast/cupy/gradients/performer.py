"""`hopref.gradients.performer` by the formulas in double precision, for blocks of positions.

The keys are passed three times, for their scales, for the state, and for their gradients, and the
queries once; of the causal form, which has a running scale, see `hopref.fast.cupy._decayed`.  No
array has the features of all positions.
"""
import math

import numpy as np

from hopref.fast.cupy._decayed import gradient_in_blocks, wide
from hopref.fast.cupy._features import width
from hopref.fast.cupy._linear import in_blocks
from hopref.fast.cupy._rows import in_double
from hopref.fast.cupy._tiles import exact_threshold
from hopref.gradients import attention as gradients
from hopref.gradients import performer
from hopref.maps import default_scale
from hopref.models.attention import key_state

__all__ = ["attention", "causal_attention", "update", "thresholded_update"]


def attention(g, Q, K, V, omega, /, *, features="positive", scale=None, mask=True,
              empty_row="zeros"):
    import cupy

    beta, (*lead, s, v), r = default_scale(scale, K), V.shape, width(features, omega)
    directions = cupy.astype(omega, np.float64)
    c, S, z = (cupy.full((*lead, *shape), value) for shape, value in (
        ((1, r), -math.inf), ((r, v), 0.0), ((r,), 0.0)))
    dQ, dK, dV = (cupy.empty(a.shape, dtype=a.dtype) for a in (Q, K, V))
    domega, dbeta = cupy.zeros_like(directions), cupy.zeros(())
    blocks = in_blocks(S, s, r + v)

    def seen(rows):
        return True if mask is True else mask[..., rows]

    def keys(rows):
        return performer.logs_and_slopes(features, wide(cupy, K, rows), directions, beta,
                                         seen(rows))
    for rows in blocks:
        here = cupy.max(performer.level_of(keys(rows)), axis=-2, keepdims=True)
        c = cupy.maximum(c, here)
    for rows in blocks:
        phi = performer.scaled_keys(keys(rows), c).phi
        S, z = key_state.formula(phi, wide(cupy, V, rows), S=S, z=z)
    dS, dz = cupy.zeros_like(S), cupy.zeros_like(z)
    for rows in in_blocks(S, Q.shape[-2], r + v):
        q, dZ = wide(cupy, Q, rows), wide(cupy, g, rows)
        queries = performer.scaled_queries(
            performer.logs_and_slopes(features, q, directions, beta), c)
        dq, *_, of_S, of_z, _ = gradients.linear_attention.formula(
            dZ, queries.phi, queries.phi[..., :0, :], dZ[..., :0, :], S=S, z=z)
        dQ[..., rows, :], of_omega, of_beta = performer.query_gradients(
            features, dq, queries, q, directions, beta)
        dS, dz, domega, dbeta = dS + of_S, dz + of_z, domega + of_omega, dbeta + of_beta
    for rows in blocks:
        k, scaled = wide(cupy, K, rows), performer.scaled_keys(keys(rows), c)
        dk, dV[..., rows, :], *_ = gradients.key_state.formula(
            dS, dz, scaled.phi, wide(cupy, V, rows), mask=seen(rows))
        dK[..., rows, :], of_omega, of_beta = performer.key_gradients(
            features, dk, scaled, k, directions, beta)
        domega, dbeta = domega + of_omega, dbeta + of_beta
    return dQ, dK, dV, *(cupy.astype(a, V.dtype, copy=False) for a in (domega, dbeta))


def causal_attention(g, g_S, g_z, g_c, Q, K, V, omega, /, *, features="positive", scale=None,
                     mask=True, S=0.0, z=0.0, c=float("-inf"), empty_row="zeros"):
    import cupy

    beta, directions = default_scale(scale, K), cupy.astype(omega, np.float64)
    dQ, dK, dV = (cupy.empty(a.shape, dtype=a.dtype) for a in (Q, K, V))
    domega, dbeta = cupy.zeros_like(directions), cupy.zeros(())

    def queries(rows):
        return performer.logs_and_slopes(features, wide(cupy, Q, rows), directions, beta)

    def keys(rows):
        seen = True if mask is True else mask[..., rows]
        return performer.logs_and_slopes(features, wide(cupy, K, rows), directions, beta, seen)

    def finish(rows, of_q, of_k, top, dv):
        nonlocal domega, dbeta
        (q_logs, q), (k_logs, k) = of_q, of_k
        dQ[..., rows, :], dK[..., rows, :], of_omega, of_beta = performer.operand_gradients(
            features, q.d, k.d + k_logs[0][1] * top, performer.Scaled(q.phi, q.a, q_logs[1]),
            performer.Scaled(k.phi, k.a, k_logs[1]), wide(cupy, Q, rows), wide(cupy, K, rows),
            directions, beta)
        dV[..., rows, :] = dv
        domega, dbeta = domega + of_omega, dbeta + of_beta
    g_S, g_z, g_c, S, z, c = in_double(cupy, g_S, g_z, g_c, S, z, c)
    dzS, dc = gradient_in_blocks(finish, queries, keys, performer.level_of, g, g_S, g_z, g_c, V, S,
                                 z, c, width(features, omega))
    return dQ, dK, dV, *(cupy.astype(a, V.dtype, copy=False) for a in (
        domega, dzS[..., 1:], dzS[..., 0], dc, dbeta))


def update(g, xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    dxi, dkeys, dX, domega, dbeta = _of_states(g, xi, X, X, omega, beta, features)
    return dxi, dkeys + dX, domega, dbeta


def thresholded_update(g, xi, X, omega, /, *, beta=1.0, theta=0.5, side="above",
                       features="positive", empty_row="zeros"):
    S, kept = side
    theta = exact_threshold(theta, xi.dtype, S)
    dxi, dkeys, dX, domega, dbeta = _of_states(g, S(xi, theta), S(X, theta), X, omega, beta,
                                               features)
    return kept(dxi, xi, theta), kept(dkeys, X, theta) + dX, domega, dbeta


def _of_states(g, xi, keys, X, omega, beta, features):
    """The gradients of states, keys, patterns as values, directions and beta."""
    import cupy

    g, states = (cupy.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1])) for a in (g, xi))
    dxi, *others = attention(g, states, keys, X, omega, features=features, scale=beta)
    return cupy.reshape(dxi, xi.shape), *others
