"""Comparison of paths in one run: interleaved calls, with the minimum time of each.

    python -m benchmarks.ratios [--quick] [--only PART_OF_A_NAME] [--compile]

Only ratios of minima taken in turn mean anything on a machine that others use too; milliseconds are
for orientation.  They are seconds of the processor: the clock stands while other programs run.
Threads are pinned to one before NumPy is imported.  "By hand" is plain NumPy in the dtype given,
the formula always works in float64.  Rows of a peer need its package.  A ratio above 1 means that
hopref is faster.  For few states the limit is the time in which the patterns are read once.
"""
# ruff: noqa: E402
import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import NamedTuple

os.environ |= dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")

import numpy as np

from benchmarks import growth, recurrences, scores
from hopref.dispatch.operation import load

REPEATS = 7
SHORTEST = 2e-3         # seconds of one timing; shorter calls are repeated


class Case(NamedTuple):
    """An operation with arguments; the functions prepare the same computation in NumPy and in
    torch, and what takes the least possible time."""
    name: str
    size: str
    args: tuple
    kwargs: dict
    by_hand: Callable
    in_torch: Callable | None = None
    limit: Callable | None = None


def retrieval(xi, X, beta):
    def run():
        z = beta * (xi @ X.T)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True) @ X
    return run


def retrieval_energy(xi, X, beta):
    def run():
        z = beta * (xi @ X.T)
        top = z.max(axis=1)
        lse = (top + np.log(np.exp(z - top[:, None]).sum(axis=1))) / beta
        square = (X * X).sum(axis=1).max()
        return -lse + (xi * xi).sum(axis=1) / 2 + np.log(len(X)) / beta + square / 2
    return run


def retrieval_in_torch(xi, X, beta):
    import torch
    queries, patterns = (torch.from_numpy(a)[None, None] for a in (xi, X))
    attend = torch.nn.functional.scaled_dot_product_attention
    return lambda: attend(queries, patterns, patterns, scale=float(beta))


def retrieval_gradient(g, xi, X, beta):
    def run():
        z = beta * (xi @ X.T)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        a = g @ X.T
        w = beta * p * (a - (p * a).sum(axis=1, keepdims=True))
        return w @ X, p.T @ g + w.T @ xi
    return run


def retrieval_gradient_in_torch(g, xi, X, beta):
    import torch
    attend = partial(torch.nn.functional.scaled_dot_product_attention, scale=float(beta))
    return backward(g[None, None], (xi[None, None], X[None, None]),
                    lambda xi, X: attend(xi, X, X))


def backward(g, operands, rule):
    """A function in torch and its gradients, which hopref computes together."""
    import torch
    g, *operands = map(torch.from_numpy, map(np.ascontiguousarray, (g, *operands)))
    for a in operands:
        a.requires_grad_()

    def run():
        with torch.enable_grad():
            return torch.autograd.grad(rule(*operands), operands, g)
    return run


def reading(xi, X, beta):
    entries = X.reshape(-1)
    return lambda: np.dot(entries, entries)


def attention(Q, K, V, *, mask=None, causal=False):
    seen = np.tri(Q.shape[-2], K.shape[-2], dtype=bool) if causal else mask

    def run():
        z = Q @ K.swapaxes(-1, -2) * Q.dtype.type(Q.shape[-1]**-0.5)
        if seen is not None:
            z = np.where(seen, z, -np.inf)
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        return p / p.sum(axis=-1, keepdims=True) @ V
    return run


def attention_in_torch(Q, K, V, *, mask=None, causal=False):
    import torch
    Q, K, V = (torch.from_numpy(a)[None] for a in (Q, K, V))
    mask = None if mask is None else torch.from_numpy(mask)[None]
    attend = torch.nn.functional.scaled_dot_product_attention
    return lambda: attend(Q, K, V, attn_mask=mask, is_causal=causal)


def attention_gradient(g, Q, K, V, *, causal=False, bias=0.0):
    scale, seen = Q.dtype.type(Q.shape[-1]**-0.5), np.tri(len(Q[0]), len(K[0]), dtype=bool)

    def run():
        z = scale * (Q @ K.swapaxes(-1, -2)) + Q.dtype.type(bias)
        z = np.where(seen, z, -np.inf) if causal else z
        p = np.exp(z - z.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        a = g @ V.swapaxes(-1, -2)
        w = p * (a - (p * a).sum(axis=-1, keepdims=True))
        return scale * w @ K, scale * w.swapaxes(-1, -2) @ Q, p.swapaxes(-1, -2) @ g, w
    return run


def attention_gradient_in_torch(g, Q, K, V, *, causal=False, bias=None):
    import torch
    attend = torch.nn.functional.scaled_dot_product_attention
    g, *operands = (a[None] for a in (g, Q, K, V))
    if bias is None:
        return backward(g, operands, partial(attend, is_causal=causal))
    return backward(g, (*operands, bias[None]), lambda *given: attend(*given[:3], given[3]))


def linear(phi_q, phi_k, V):
    def run():
        Z = phi_q @ (phi_k.T @ V)
        return Z / (phi_q @ phi_k.sum(axis=0))[:, None]
    return run


def linear_gradient(g, phi_q, phi_k, V):
    def run():
        S, z = phi_k.T @ V, phi_k.sum(axis=0)
        D = (phi_q @ z)[:, None]
        dN = g / D
        dD = -(dN * (phi_q @ S)).sum(axis=1, keepdims=True) / D
        dS, dz = phi_q.T @ dN, phi_q.T @ dD
        return dN @ S.T + dD * z, V @ dS.T + dz.T, phi_k @ dS, dS, dz
    return run


def linear_gradient_in_torch(g, phi_q, phi_k, V):
    return backward(g, (phi_q, phi_k, V),
                    lambda q, k, V: q @ (k.T @ V) / (q @ k.sum(dim=0))[:, None])


def causal(phi_q, phi_k, V, chunk=64):
    """The fastest NumPy form, in chunks; a column of ones computes z."""
    past = np.tri(chunk, dtype=V.dtype)

    def run():
        v1 = np.concatenate([V, np.ones_like(V[:, :1])], axis=1)
        S, Z = np.zeros((phi_k.shape[1], v1.shape[1]), V.dtype), np.empty_like(v1)
        for t in range(0, len(V), chunk):
            q, k, v = phi_q[t:t + chunk], phi_k[t:t + chunk], v1[t:t + chunk]
            Z[t:t + chunk] = q @ S + (q @ k.T * past[:len(q), :len(q)]) @ v
            S += k.T @ v
        return Z[:, :-1] / Z[:, -1:]
    return run


def log_linear(log_q, log_k, V):
    def run():
        c = log_k.max(axis=0)
        k, q = np.exp(log_k - c), log_q + c
        q -= q.max(axis=1, keepdims=True)
        np.exp(q, out=q)
        return q @ (k.T @ V) / (q @ k.sum(axis=0))[:, None]
    return run


def log_causal(log_q, log_k, V, chunk=64):
    """`causal`, with a running scale of each feature."""
    past = np.tri(chunk, dtype=V.dtype)

    def run():
        v1 = np.concatenate([V, np.ones_like(V[:, :1])], axis=1)
        S, Z = np.zeros((log_k.shape[1], v1.shape[1]), V.dtype), np.empty_like(v1)
        c = np.full(len(S), -np.inf, V.dtype)
        for t in range(0, len(V), chunk):
            q, k, v = log_q[t:t + chunk], log_k[t:t + chunk], v1[t:t + chunk]
            new = np.maximum(c, k.max(axis=0))
            S *= np.exp(c - new)[:, None]
            q, k, c = q + new, np.exp(k - new), new
            q = np.exp(q - q.max(axis=1, keepdims=True))
            Z[t:t + chunk] = q @ S + (q @ k.T * past[:len(q), :len(q)]) @ v
            S += k.T @ v
        return Z[:, :-1] / Z[:, -1:]
    return run


def positive_features(Q, K, omega, scale):
    """Exponents relative to the largest one; the lengths of the queries have no effect."""
    q, k = (scale * x @ omega.T for x in (Q, K))
    q -= q.max(axis=1, keepdims=True)
    k -= scale**2 * (K * K).sum(axis=1, keepdims=True) / 2
    k -= k.max()
    return np.exp(q, out=q), np.exp(k, out=k)


def performer(Q, K, V, omega, beta=None):
    scale = Q.dtype.type(beta**0.5 if beta else Q.shape[1]**-0.25)

    def run():
        q, k = positive_features(Q, K, omega, scale)
        return q @ (k.T @ V) / (q @ k.sum(axis=0))[:, None]
    return run


def generalized(Q, K, V, omega):
    scale, eps = Q.dtype.type(Q.shape[1]**-0.25), Q.dtype.type(1e-3)

    def run():
        q, k = (np.maximum(scale * x @ omega.T, 0) + eps for x in (Q, K))
        return q @ (k.T @ V) / (q @ k.sum(axis=0))[:, None]
    return run


def stabilized(Q, K, V, omega):
    scale, eps = Q.dtype.type(Q.shape[1]**-0.25), Q.dtype.type(1e-6)

    def features(x, axis):
        x = scale * x
        u = x @ omega.T
        u -= (x * x).sum(axis=1, keepdims=True) / 2 + u.max(axis=axis, keepdims=True)
        return np.exp(u, out=u) + eps

    def run():
        q, k = features(Q, 1), features(K, None)
        return q @ (k.T @ V) / (q @ k.sum(axis=0))[:, None]
    return run


def performer_retrieval(xi, X, omega, beta):
    return performer(xi, X, X, omega, beta)


def performer_gradient(g, Q, K, V, omega):
    scale = Q.dtype.type(Q.shape[1]**-0.25)

    def run():
        q, k = positive_features(Q, K, omega, scale)
        dq, dk, dV, *_ = linear_gradient(g, q, k, V)()
        dq *= q
        dk *= k
        dK = scale * dk @ omega - scale**2 * dk.sum(axis=1, keepdims=True) * K
        return scale * dq @ omega, dK, dV, scale * (dq.T @ Q + dk.T @ K)
    return run


def performer_gradient_in_torch(g, Q, K, V, omega):
    import torch
    scale = Q.shape[1]**-0.25

    def attend(Q, K, V, omega):
        u, k = scale * Q @ omega.T, scale * K @ omega.T
        k = k - scale**2 * (K * K).sum(dim=1, keepdim=True) / 2
        q, k = torch.exp(u - u.amax(dim=1, keepdim=True).detach()), torch.exp(k - k.max().detach())
        return q @ (k.T @ V) / (q @ k.sum(dim=0))[:, None]
    return backward(g, (Q, K, V, omega), attend)


def positive(x, omega):
    def run():
        u = x @ omega.T
        u -= (x * x).sum(axis=1, keepdims=True) / 2
        return np.exp(u, out=u) * x.dtype.type(len(omega)**-0.5)
    return run


def hyperbolic(x, omega):
    def run():
        u, half = x @ omega.T, (x * x).sum(axis=1, keepdims=True) / 2
        both = np.concatenate([u - half, -u - half], axis=1)
        return np.exp(both, out=both) * x.dtype.type((2 * len(omega))**-0.5)
    return run


def trigonometric(x, omega):
    def run():
        u, size = x @ omega.T, np.exp((x * x).sum(axis=1, keepdims=True) / 2)
        return np.concatenate([np.sin(u), np.cos(u)], axis=1) * (size / len(omega)**0.5)
    return run


def relu(x, omega):
    def run():
        u = x @ omega.T
        return np.maximum(u, 0, out=u) * x.dtype.type(len(omega)**-0.5)
    return run


def feature_gradient(rule, slopes, bend):
    """The gradient of features of this rule, h(x) f(omega x), with grad log h(x) = bend x.

    ``slopes`` gives the derivatives from the features.
    """
    def prepare(g, x, omega):
        forward, m = rule(x, omega), len(omega)

        def run():
            phi = forward()
            du = g * slopes(phi, m)
            du = du[:, :m] + du[:, m:] if du.shape[1] > m else du
            dx = du @ omega
            if bend:
                dx += bend * (g * phi).sum(axis=1, keepdims=True) * x
            return dx, du.T @ x
        return run
    return prepare


def features_in_torch(rule):
    """Features as a function of x and omega in torch, and their gradients."""
    import torch

    def features(x, omega):
        u, half = x @ omega.T, (x * x).sum(dim=1, keepdim=True) / 2
        terms = {"positive": lambda: [torch.exp(u - half)],
                 "hyperbolic": lambda: [torch.exp(u - half), torch.exp(-u - half)],
                 "trigonometric": lambda: [torch.exp(half) * f(u) for f in (torch.sin, torch.cos)],
                 "relu": lambda: [torch.relu(u)]}[rule]()
        count = 1 if rule == "trigonometric" else len(terms)
        return torch.cat(terms, dim=1) * (count * len(omega))**-0.5
    return features


def feature_gradient_in_torch(rule, g, x, omega):
    return backward(g, (x, omega), features_in_torch(rule))


FEATURE_GRADIENTS = {
    "positive": feature_gradient(positive, lambda phi, m: phi, -1),
    "hyperbolic": feature_gradient(hyperbolic, lambda phi, m: np.concatenate(
        [phi[:, :m], -phi[:, m:]], axis=1), -1),
    "trigonometric": feature_gradient(trigonometric, lambda phi, m: np.concatenate(
        [phi[:, m:], -phi[:, :m]], axis=1), 1),
    "relu": feature_gradient(relu, lambda phi, m: (phi > 0) * phi.dtype.type(m**-0.5), 0)}


def elu(x):
    return lambda: np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def sweep(xi, X, order):
    """W is formed before timing; a visit multiplies a row of W by all states."""
    return sweep_of_weights(xi, X.T @ X, order)


def sweep_of_weights(xi, W, order):
    def run():
        states = xi.copy()
        for site in order:
            h = states @ W[site]
            states[:, site] = np.where(h == 0, states[:, site], np.where(h > 0, 1, -1))
        return states
    return run


def dense_signs(xi, X, interaction):
    """The sums of all sites are a product with the patterns, because these are polar."""
    def run():
        m = xi @ X.T
        low, here, high = INTERACTIONS[interaction](m)
        h = (high - low) / 2 @ X + xi * (here - (high + low) / 2).sum(axis=1, keepdims=True)
        return np.where(h == 0, xi, np.sign(h))
    return run


def cubic(m):
    return (x * x * x for x in (m - 2, m, m + 2))


def exponential(m):
    """F(m - 2), F(m) and F(m + 2), up to a factor of each state."""
    e = np.exp(m - m.max(axis=1, keepdims=True))
    return e * m.dtype.type(np.exp(-2)), e, e * m.dtype.type(np.exp(2))


INTERACTIONS = {"polynomial": cubic, "exponential": exponential}


def dense_sweep(xi, X, order, interaction):
    """The overlaps are kept, and a visit takes two powers of each."""
    columns = np.ascontiguousarray(X.T)

    def run():
        states, m = xi.copy(), xi @ X.T
        for site in order:
            old, x = states[:, site], columns[site]
            p = old[:, None] * x
            low, here, high = INTERACTIONS[interaction](m)
            h = old * np.where(p > 0, here - low, here - high).sum(axis=1)
            new = np.where(h == 0, old, np.sign(h))
            m += (new - old)[:, None] * x
            states[:, site] = new
        return states
    return run


def graded_sweep(xi, W, order):
    def run():
        states = xi.copy()
        for site in order:
            states[:, site] = np.tanh(states @ W[site])
        return states
    return run


def signs(xi, W):
    def run():
        h = xi @ W.T
        return np.where(h == 0, xi, np.sign(h))
    return run


def willshaw(x, W):
    return lambda: np.where(x @ W.T >= x.sum(axis=1, keepdims=True), x.dtype.type(1), 0)


def signs_of_patterns(xi, X):
    """W is formed before timing."""
    return signs(xi, X.T @ X)


def projection(z):
    """The projection onto the simplex from sorted scores."""
    count = np.arange(1, z.shape[1] + 1, dtype=z.dtype)

    def run():
        falling = -np.sort(-z, axis=1)
        excess = np.cumsum(falling, axis=1) - 1
        last = np.count_nonzero(falling * count > excess, axis=1)[:, None] - 1
        tau = np.take_along_axis(excess, last, axis=1) / (last + 1).astype(z.dtype)
        return np.maximum(z - tau, 0)
    return run


def entmax_by_bisection(z, alpha, steps=50):
    """Entmax by bisection of the threshold in an interval of length 1."""
    def run():
        x = (alpha - 1) * z
        tau, width = x.max(axis=1, keepdims=True) - 1, z.dtype.type(1)
        for _ in range(steps):
            width = width / 2
            p = np.maximum(x - tau - width, 0) ** (1 / (alpha - 1))
            tau = np.where(p.sum(axis=1, keepdims=True) >= 1, tau + width, tau)
        p = np.maximum(x - tau, 0) ** (1 / (alpha - 1))
        return p / p.sum(axis=1, keepdims=True)
    return run


def sparse_map_gradient(g, z, alpha):
    return lambda: forward_and_cotangent(g, z, alpha)[1]


def forward_and_cotangent(g, z, alpha):
    """The weights, and the cotangent of their scores."""
    p = (projection(z) if alpha == 2 else entmax_by_bisection(z, alpha))()
    q = np.where(p > 0, p, 1) ** (2 - alpha) * (p > 0)
    return p, q * (g - (q * g).sum(axis=1, keepdims=True) / q.sum(axis=1, keepdims=True))


def sparse_map_gradient_in_torch(g, z, alpha):
    return backward(g, (z,), map_of_entmax(alpha))


def sparse_retrieval_gradient(g, xi, X, beta, alpha):
    def run():
        p, w = forward_and_cotangent(g @ X.T, beta * (xi @ X.T), alpha)
        return beta * w @ X, p.T @ g + beta * w.T @ xi
    return run


def sparse_retrieval_gradient_in_torch(g, xi, X, beta, alpha):
    rule = map_of_entmax(alpha)
    return backward(g, (xi, X), lambda xi, X: rule(float(beta) * (xi @ X.T)) @ X)


def map_of_entmax(alpha):
    """The map of the package entmax."""
    import entmax
    rule = {2: entmax.sparsemax, 1.5: entmax.entmax15}.get(alpha)
    return partial(rule or partial(entmax.entmax_bisect, alpha=float(alpha)), dim=-1)


def k_subsets_by_bisection(z, k, steps=50):
    def run():
        low, high = z.min(axis=1, keepdims=True) - 1, z.max(axis=1, keepdims=True)
        for _ in range(steps):
            tau = (low + high) / 2
            over = np.clip(z - tau, 0, 1).sum(axis=1, keepdims=True) > k
            low, high = np.where(over, tau, low), np.where(over, high, tau)
        return np.clip(z - low, 0, 1)
    return run


def largest_by_partition(z, k):
    def run():
        at = np.argpartition(z, -k, axis=1)[:, -k:]
        top = np.take_along_axis(z, at, 1)
        e = np.exp(top - top.max(axis=1, keepdims=True))
        p = np.zeros_like(z)
        np.put_along_axis(p, at, e / e.sum(axis=1, keepdims=True), 1)
        return p
    return run


def sparse_retrieval(xi, X, beta, alpha):
    def run():
        z = beta * (xi @ X.T)
        return (projection(z) if alpha == 2 else entmax_by_bisection(z, alpha))() @ X
    return run


def supported_retrieval(xi, X, support, beta):
    def run():
        z = np.where(support, beta * (xi @ X.T), -np.inf)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True) @ X
    return run


def listed_retrieval(xi, X, rows, columns, beta):
    """The pairs are sorted, and every state has some."""
    start = np.searchsorted(rows, np.arange(len(xi)))

    def run():
        near = X[columns]
        z = beta * np.einsum("ed,ed->e", xi[rows], near)
        e = np.exp(z - np.maximum.reduceat(z, start)[rows])
        return np.add.reduceat(e[:, None] * near, start) / np.add.reduceat(e, start)[:, None]
    return run


def linear_retrieval(xi, X):
    def run():
        q, k = elu(xi)(), elu(X)()
        return q @ (k.T @ X) / (q @ k.sum(axis=0))[:, None]
    return run


def window_retrieval(xi, X, width, beta, block=256):
    """Blocks of states, and the patterns of all their windows."""
    def of_block(i):
        low = max(0, i - width)
        q, near = xi[i:i + block], X[low:i + block + width]
        z = beta * (q @ near.T)
        apart = np.arange(len(near)) - np.arange(len(q))[:, None] + (low - i)
        z = np.where(abs(apart) <= width, z, -np.inf)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True) @ near
    return lambda: np.concatenate([of_block(i) for i in range(0, len(xi), block)])


def normalized(xi, X, beta, alpha):
    def run():
        y = sparse_retrieval(xi, X, beta, alpha)()
        return y / np.sqrt((y * y).sum(axis=1, keepdims=True))
    return run


def layer_norm(xi, X, beta, alpha):
    def run():
        y = sparse_retrieval(xi, X, beta, alpha)()
        y -= y.mean(axis=1, keepdims=True)
        return y / np.sqrt((y * y).mean(axis=1, keepdims=True))
    return run


def cases(quick):
    """The cases, with small sizes if ``quick``."""
    for M, N, d in [(64, 2048, 64)] if quick else SIZES:
        args, how = growth.memory(N, M, d), {"beta": 0.125}
        yield Case("modern.update", f"M={M} N={N} d={d}", args, how, retrieval, retrieval_in_torch,
                   reading if M < 16 else None)
        if d == 64:
            yield Case("modern.energy", f"M={M} N={N} d=64", args, how, retrieval_energy)
        yield Case("gradients.modern.update", f"M={M} N={N} d={d}", (args[0][::-1], *args), how,
                   retrieval_gradient, retrieval_gradient_in_torch)
    L = 128 if quick else 1024
    heads, seen = tuple(np.stack([a] * 8) for a in growth.heads(L, 64)), np.empty((8, L, L), bool)
    window, random = seen.copy(), np.random.default_rng(0).random((8, L, L)) < 0.5
    window[:] = abs(np.arange(L)[:, None] - np.arange(L)) <= 64
    for structure, how in [("all", {}), ("causal", {"causal": True}),
                           ("window of 129", {"mask": window}), ("random mask", {"mask": random})]:
        yield Case("attention.softmax_attention", f"8 x {L} x 64 {structure}", heads, how,
                   attention, attention_in_torch)
    bias = np.random.default_rng(1).standard_normal((8, L, L))
    for structure, how in [("all", {}), ("causal", {"causal": True}), ("bias", {"bias": bias})]:
        yield Case("gradients.attention.softmax_attention", f"8 x {L} x 64 {structure}",
                   (heads[0][::-1], *heads), how, attention_gradient, attention_gradient_in_torch)
    for L in [512] if quick else [4096]:
        sequence = growth.features(L, 256, 64)
        yield Case("attention.linear_attention", f"L={L} r=256 v=64", sequence, {}, linear)
        yield Case("attention.causal_linear_attention", f"L={L} r=256 v=64", sequence, {}, causal)
        logs = growth.feature_logs(L, 256, 64)
        yield Case("attention.log_linear_attention", f"L={L} r=256 v=64", logs, {}, log_linear)
        yield Case("attention.log_causal_linear_attention", f"L={L} r=256 v=64", logs, {},
                   log_causal)
        yield Case("performer.attention", f"L={L} d=64 m=256",
                   growth.performer_heads(L, 64, 256), {}, performer)
        for by_hand in generalized, stabilized:
            yield Case(f"performer.{by_hand.__name__}_attention", f"L={L} d=64 m=256",
                       growth.performer_heads(L, 64, 256), {}, by_hand)
        yield Case("performer.update", f"M=64 N={L} d=64 m=256",
                   growth.performer_memory(L, 64, 64, 256), {"beta": 0.125}, performer_retrieval)
        yield Case("structured.random_feature_update", f"M=64 N={L} d=64 m=256",
                   growth.performer_memory(L, 64, 64, 256), {"beta": 0.125}, performer_retrieval)
        x, omega = growth.vectors(L, 64, 256)
        for by_hand in positive, hyperbolic, trigonometric, relu:
            yield Case(f"features.{by_hand.__name__}", f"L={L} d=64 m=256", (x / 2, omega), {},
                       by_hand)
        yield Case("features.deterministic.elu", f"L={L} d=256", growth.scores(256, L), {}, elu)
    for L, d, m in [(512, 64, 256)] if quick else [(4096, 64, 256), (777, 17, 100)]:
        yield from sequence_gradients(L, d, m)
    yield from structured_cases(quick)
    yield from recurrent_cases(quick)
    yield from score_cases(quick)
    for d in [512] if quick else [1024, 4096]:
        xi, X = growth.store(d, 64, d // 20)
        yield Case("classical.low_rank_asynchronous_update", f"M=64 N={d // 20} d={d}", (xi, X),
                   {"order": np.arange(d)}, sweep)
        yield Case("classical.low_rank_update", f"M=64 N={d // 20} d={d}", (xi, X), {},
                   signs_of_patterns)
        yield from dense_cases(d)
        for M in 1, 64:
            yield Case("classical.willshaw_update", f"M={M} d={d}", growth.binary_network(d, M), {},
                       willshaw)
        W = X.T @ X
        yield Case("classical.update", f"M=64 d={d}", (xi, W), {}, signs)
        yield Case("classical.asynchronous_update", f"M=64 d={d}", (xi, W),
                   {"order": np.arange(d)}, sweep_of_weights)
        yield Case("graded.asynchronous_update", f"M=64 d={d}", (xi, W / d),
                   {"order": np.arange(d)}, graded_sweep)
    for M, n in [(64, 1000)] if quick else [(64, 1000), (1, 100_000), (77, 777)]:
        z, size = growth.scores(n, M), f"{M} rows n={n}"
        yield Case("maps.sparsemax", size, z, {}, projection)
        for alpha in 1.5, 1.3, 3.0:
            yield Case("maps.entmax", f"{size} alpha={alpha}", z, {"alpha": alpha},
                       entmax_by_bisection)
        for alpha in 2.0, 1.5, 1.3:
            yield Case("gradients.maps.entmax", f"{size} alpha={alpha}", (z[0][:, ::-1], *z),
                       {"alpha": alpha}, sparse_map_gradient, sparse_map_gradient_in_torch)
        args = growth.memory(n, M, 64)
        for alpha in 2.0, 1.5:
            yield Case("sparse.update", f"M={M} N={n} d=64 alpha={alpha}", args,
                       {"beta": 0.125, "alpha": alpha}, sparse_retrieval)
            yield Case("gradients.sparse.update", f"M={M} N={n} d=64 alpha={alpha}",
                       (args[0][::-1], *args), {"beta": 0.125, "alpha": alpha},
                       sparse_retrieval_gradient, sparse_retrieval_gradient_in_torch)
        for by_hand in normalized, layer_norm:
            yield Case(f"sparse.{by_hand.__name__}_update", f"M={M} N={n} d=64 alpha=2", args,
                       {"beta": 0.125, "alpha": 2.0}, by_hand)
        yield Case("maps.k_subsets", f"{size} k=10", z, {"k": 10}, k_subsets_by_bisection)
        yield Case("maps.top_k", f"{size} k=10", z, {"k": 10}, largest_by_partition)


def sequence_gradients(L, d, m):
    """Gradients for L positions, d components and m features."""
    sequence, heads = growth.features(L, m, d), growth.performer_heads(L, d, m)
    yield Case("gradients.attention.linear_attention", f"L={L} r={m} v={d}",
               (sequence[2][::-1], *sequence), {}, linear_gradient, linear_gradient_in_torch)
    yield Case("gradients.performer.attention", f"L={L} d={d} m={m}", (heads[2][::-1], *heads), {},
               performer_gradient, performer_gradient_in_torch)
    x, omega = growth.vectors(L, d, m)
    for rule, by_hand in FEATURE_GRADIENTS.items():
        g = growth.scores(2 * m if rule in ("hyperbolic", "trigonometric") else m, L)
        yield Case(f"gradients.features.{rule}", f"L={L} d={d} m={m}", (*g, x / 2, omega), {},
                   by_hand, partial(feature_gradient_in_torch, rule))


def structured_cases(quick):
    how = {"beta": 0.125}
    for M, N, d in [(64, 2048, 64)] if quick else [(512, 4096, 64), (100, 777, 48)]:
        size = f"M={M} N={N} d={d}, a tenth"
        yield Case("structured.update", size, growth.supported(N, M, d), how, supported_retrieval)
        yield Case("structured.listed_update", size, growth.listed(N, M, d), how, listed_retrieval)
        yield Case("structured.linear_update", f"M={M} N={N} d={d}", growth.memory(N, M, d), {},
                   linear_retrieval)
    for L, d, width in [(512, 64, 32)] if quick else [(4096, 64, 64), (4000, 17, 10)]:
        yield Case("structured.window_update", f"L={L} d={d} width={width}",
                   growth.positions(L, d), {"width": width, **how}, window_retrieval)


def recurrent_cases(quick):
    for L, d in [(512, 64)] if quick else [(4096, 64), (2048, 128), (1000, 17)]:
        args, log_decay, log_gates, beta = growth.tokens(L, d)
        for gates, how in [("decay", {"log_decay": log_decay}), ("gates", {"log_gates": log_gates}),
                           ("delta", {"log_decay": log_decay, "beta": beta, "rule": "delta"})]:
            yield Case("gated.linear_attention", f"L={L} d=v={d} {gates}", args, how,
                       recurrences.chunked, recurrences.chunked_in_torch)
    for L, d in [(128, 64)] if quick else [(1024, 64), (777, 17)]:
        args, log_decay, _, beta = growth.tokens(L, d)
        *args, log_decay, beta = (np.stack([a] * 8) for a in (*args, log_decay, beta))
        args = args[2][:, ::-1], np.zeros((8, d, d)), *args
        for rule, how in ("linear", {}), ("delta", {"beta": beta, "rule": "delta"}):
            yield Case("gradients.gated.linear_attention", f"8 x {L} x {d} {rule}", args,
                       {"log_decay": log_decay, **how}, recurrences.chunked_gradient,
                       recurrences.chunked_gradient_in_torch)


def score_cases(quick):
    """Attention and retrieval by other functions of the scores than their softmax."""
    for L, d in [(128, 64)] if quick else [(1024, 64), (777, 17)]:
        heads, size = tuple(np.stack([a] * 8) for a in growth.heads(L, d)), f"8 x {L} x {d}"
        yield Case("attention.softmax_logsumexp", size, heads[:2], {}, scores.logsumexp,
                   scores.logsumexp_in_torch)
        yield Case("attention.softcapped_attention", size, heads, {"softcap": 20.0},
                   scores.softcapped, scores.softcapped_in_torch)
        yield Case("gradients.attention.softcapped_attention", size,
                   (heads[2][:, ::-1], *heads), {"softcap": 20.0}, scores.softcapped_gradient,
                   scores.softcapped_gradient_in_torch)
        yield Case("sinks.attention", size, (*heads, np.linspace(-1, 1, 8)), {}, scores.with_sinks,
                   scores.with_sinks_in_torch)
        yield Case("gradients.sinks.attention", size,
                   (heads[2][:, ::-1], *heads, np.linspace(-1, 1, 8)), {}, scores.sinks_gradient,
                   scores.sinks_gradient_in_torch)
        yield Case("sigmoid.attention", size, heads, {"offset": -float(np.log(L))}, scores.sigmoid,
                   scores.sigmoid_in_torch)
    for M, N in [(64, 2048)] if quick else [(512, 4096), (1, 4096)]:
        yield Case("sinks.update", f"M={M} N={N} d=64", growth.memory(N, M, 64),
                   {"beta": 0.125, "sink": 1.0}, scores.retrieval_with_sink,
                   scores.retrieval_with_sink_in_torch)
        yield Case("sigmoid.update", f"M={M} N={N} d=64", growth.memory(N, M, 64),
                   {"beta": 0.125, "offset": -8.0}, scores.retrieval_by_sigmoid,
                   scores.retrieval_by_sigmoid_in_torch)
        xi, omega = growth.memory(N, M, 64)
        yield Case("feature_memory.update", f"M={M} m={N} d=64", (xi, omega, omega[:, 0].copy()),
                   {"beta": 0.125}, scores.feature_step, scores.feature_step_in_torch)


def dense_cases(d):
    for M, N in (64, d // 20), (1, 777):
        for F, interaction in ("z^3", "polynomial"), ("e^z", "exponential"):
            size, args = f"M={M} N={N} d={d} {F}", growth.store(d, M, N)
            yield Case("dense.update", size, args, {"interaction": interaction}, dense_signs)
            yield Case("dense.asynchronous_update", size, args,
                       {"interaction": interaction, "order": np.arange(min(d, 512))}, dense_sweep)


SIZES = [(512, 4096, 64), (2048, 4096, 64), (64, 100_000, 64), (512, 4096, 17), (512, 4096, 48),
         (512, 4096, 100), (512, 777, 64), (100, 777, 48),
         (1, 4096, 64), (1, 1_000_000, 64), (4, 100_000, 64)]


def on_path(case, dtype, backend):
    args = growth.in_format(case.args, dtype)
    options = {k: in_precision(v, dtype) for k, v in case.kwargs.items()}
    return growth.prepared(case.name, *args, **options, backend=backend)


def in_precision(option, dtype):
    """An option, with this precision if it is an array of real numbers."""
    real = isinstance(option, np.ndarray) and option.dtype == np.float64
    return option.astype(dtype) if real else option


def prepared_by(prepare, case, dtype):
    """The computation of a case that ``prepare`` sets up; None if there is none."""
    if prepare is None:
        return None
    options = {k: dtype(v) if isinstance(v, float) else in_precision(v, dtype)
               for k, v in case.kwargs.items()}
    return prepare(*growth.in_format(case.args, dtype), **options)


def small_call(calls=1000):
    """Microseconds of a small update: validated, the formula alone, and NumPy."""
    rng = np.random.default_rng(0)
    xi, X = rng.standard_normal(8), rng.standard_normal((8, 8))
    update = load()["modern.update"]

    def plain():
        z = 0.5 * (X @ xi)
        e = np.exp(z - z.max())
        return e / e.sum() @ X

    def repeated(function):
        def run():
            for _ in range(calls):
                function()
        return run

    ways = [lambda: update(xi, X, beta=0.5), lambda: update.formula(xi, X, beta=0.5), plain]
    return [1e6 / calls * seconds for seconds in in_turn(map(repeated, ways), 5 * REPEATS)]


def in_turn(functions, repeats):
    """Minimum time of each function, called in turn; the first call compiles and is not counted."""
    functions = list(functions)
    best, calls = [float("inf")] * len(functions), [1] * len(functions)
    for turn in range(repeats + 2):
        for i, function in enumerate(functions):
            begin = thread_time()
            for _ in range(calls[i]):
                function()
            seconds = (thread_time() - begin) / calls[i]
            if turn == 1:
                calls[i] = max(1, round(SHORTEST / max(seconds, 1e-7)))
            elif turn:
                best[i] = min(best[i], seconds)
    return best


def compile_times():
    """Seconds of the first call of every kernel, with an empty cache and from the cache."""
    print("first call of a kernel (float32), s          cold  cached")
    for case in cases(quick=True):
        with tempfile.TemporaryDirectory() as cache:
            seconds = [first_call(case.name, case.size, cache) for _ in range(2)]
        print(f"{case.name:39} {case.size:26} {seconds[0]:6.2f}  {seconds[1]:6.2f}", flush=True)


# The checkout comes last in the path, so that the hopref that is installed is measured.
MAIN = f"import sys; sys.path.append({str(Path(__file__).parents[1])!r}); " \
       "from benchmarks.ratios import main; main()"


def first_call(name, size, cache):
    run = subprocess.run([sys.executable, "-c", MAIN, "--first", name, size],
                         capture_output=True, text=True, check=True,
                         env={**os.environ, "NUMBA_CACHE_DIR": cache})
    return float(run.stdout)


def timed_first_call(name, size):
    case = next(c for c in cases(quick=True) if (c.name, c.size) == (name, size))
    call = on_path(case, np.float32, "numba")
    begin = perf_counter()
    call()
    print(perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, for a look")
    parser.add_argument("--only", default="", metavar="NAME", help="ops whose names contain this")
    parser.add_argument("--compile", action="store_true", help="seconds of first calls instead")
    parser.add_argument("--first", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        timed_first_call(*options.first)
    elif options.compile:
        compile_times()
    else:
        table(options.quick, options.only)


def table(quick, only):
    torch = importlib.util.find_spec("torch") and __import__("torch")
    if torch:
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
    else:
        checked, formula, hand = small_call()
        print(f"modern.update, one state, N=8 d=8: validated {checked:.1f} us, "
              f"formula {formula:.1f} us (ratio {checked / formula:.2f}), "
              f"plain NumPy {hand:.1f} us (ratio {checked / hand:.2f})\n")
    peer = f"torch {torch.__version__}" if torch else "no torch"
    print(f"{f'NumPy {np.__version__}, {peer}':66} {'dtype':8} {'numba':>9}  {'by hand':>9} "
          f"{'ratio':>6}  {'formula':>9} {'ratio':>6}  {'torch':>8} {'ratio':>6}  {'of limit':>8}")
    for case in cases(quick):
        for dtype in (np.float32, np.float64) if only in case.name else ():
            print(row(case, dtype, torch), flush=True)


def row(case, dtype, torch):
    ways = {"numba": on_path(case, dtype, "numba"),
            "by hand": prepared_by(case.by_hand, case, dtype),
            "formula": on_path(case, np.float64, "formula"),
            "torch": prepared_by(case.in_torch if torch else None, case, dtype),
            "limit": prepared_by(case.limit, case, dtype)}
    ways = {name: way for name, way in ways.items() if way is not None}
    seconds = dict(zip(ways, in_turn(ways.values(), REPEATS)))
    fast = seconds["numba"]
    columns = [f"{1e3 * seconds[name]:6.2f} ms {seconds[name] / fast:6.2f}" if name in seconds
               else 16 * " " for name in ("by hand", "formula", "torch")]
    limit = f"{seconds['limit'] / fast:8.2f}" if "limit" in seconds else ""
    return (f"{case.name:39} {case.size:26} {dtype.__name__:8} {1e3 * fast:6.2f} ms  "
            f"{'  '.join(columns)}  {limit}").rstrip()


if __name__ == "__main__":
    main()
