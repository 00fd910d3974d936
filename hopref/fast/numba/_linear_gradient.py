"""Vector-Jacobian product of linear attention, for one head.

One compiled function computes it: in a small head, operations of NumPy between the kernels would
take as long as these.
"""
import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._linear import in_range, key_sums, respond, response
from hopref.fast.numba._products import dot

__all__ = ["linear_gradient"]


@njit
def linear_gradient(g, q, k, V, S, z, eps, dq, dk, dV, dS, dz, deps):
    """Fill the gradients of attention to the keys and to a state S, z, which then includes them.

    Parameters
    ----------
    g, q, k, V, S, z : (L, v), (L, r), (N, r), (N, v), (r, v) and (r) arrays; g is the cotangent
    eps : what is added to the denominators
    dq, dk, dV, dS, dz, deps : arrays for the gradients, the last of one number

    Returns
    -------
    whether no product lost digits
    """
    (L, r), (N, v), real = q.shape, V.shape, V.dtype
    means, D, h = np.empty((L, v), real), np.empty(L, real), np.empty((L, v + 1), real)
    key_sums(k, V, S, z)
    if not in_range(respond(q, S, z, eps, 0.0, means, D), k, V, S, z):
        return False
    for i in range(L):
        _fill_cotangents(h[i], g[i], D[i], means[i])
    G, total = np.zeros((r, v + 1), real), np.zeros(r, real)
    key_sums(q, h, G, total)
    if not in_range(np.inf, q, h, G, total):
        return False
    with_ones, state, turned = (np.ones((N, v + 1), real), np.empty((v + 1, r), real),
                                np.empty((v + 1, r), real))
    for i in range(N):
        for c in range(v):
            with_ones[i, c] = V[i, c]
    for i in range(r):
        for c in range(v):
            dS[i, c], state[c, i], turned[c, i] = G[i, c], S[i, c], G[i, c]
        dz[i], state[v, i], turned[v, i] = G[i, v], z[i], G[i, v]
    deps[0] = 0
    for i in range(L):
        deps[0] += h[i, v]
    return response(h, state, dq) and response(with_ones, turned, dk) and response(k, dS, dV)


@njit
def _fill_cotangents(h, g, D, mean):
    """Fill h with the cotangents of the numerators and, last, of the denominator of a query.

    They are 0 instead of infinite, as in `hopref.gradients.sums.ratio_gradient`.
    """
    v = g.size
    if abs(D) < 2.0**-1000:
        for c in range(v + 1):
            h[c] = 0
        return
    for c in range(v):
        h[c] = g[c] / D
    h[v] = -dot(g, mean) / D
    if not dot(h, h) < np.inf:
        for c in range(v + 1):
            h[c] = 0 if abs(h[c]) == np.inf else h[c]
