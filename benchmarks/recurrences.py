"""Gated linear attention and its gradients by hand, in chunks of tokens: the fastest forms in NumPy
and in torch."""
import numpy as np

__all__ = ["chunked", "chunked_in_torch", "chunked_gradient",
           "chunked_gradient_in_torch", "recurrent_in_torch"]


def chunked(Q, K, V, **options):
    from scipy.linalg import solve_triangular

    def solve(A, B):
        return solve_triangular(A, B, lower=True, unit_diagonal=True, check_finite=False)
    return by_chunks(np, solve, Q, K, V, **options)


def chunked_in_torch(Q, K, V, **options):
    import torch

    def solve(A, B):
        return torch.linalg.solve_triangular(A, B, upper=False, unitriangular=True)
    given = {k: torch.from_numpy(x) if isinstance(x, np.ndarray) else x for k, x in options.items()}
    return by_chunks(torch, solve, *map(torch.from_numpy, (Q, K, V)), **given)


def by_chunks(xp, solve, Q, K, V, *, log_decay=None, log_gates=None, beta=None, rule="linear",
              chunk=64):
    """Sequences with a decay for each token, or with one for each entry of its key; the latter are
    factors of queries and keys, which is correct while the product over a chunk is in range."""
    entries = log_gates is not None
    logs, scale = log_gates if entries else log_decay[..., None], K.shape[-1] ** -0.5

    def turned(x):
        return x.swapaxes(-1, -2)

    def products(x, k, e, G):
        return xp.tril((e * x) @ turned(k / e) if entries else
                       (x @ turned(k)) * xp.exp(xp.tril(G - turned(G))))

    def run():
        S = xp.zeros((*K.shape[:-2], K.shape[-1], V.shape[-1]), dtype=V.dtype)
        Z = xp.empty_like(V)
        for t in range(0, V.shape[-2], chunk):
            q, k, U, g = (a[..., t:t + chunk, :] for a in (scale * Q, K, V, logs))
            G = xp.cumsum(g, axis=-2)
            e = xp.exp(G)
            if rule == "delta":
                b = beta[..., t:t + chunk, None]
                U = solve(b * products(k, k, e, G), b * (U - (e * k) @ S))
            Z[..., t:t + chunk, :] = (e * q) @ S + products(q, k, e, G) @ U
            S = turned(e[..., -1:, :]) * S + turned(xp.exp(G[..., -1:, :] - G) * k) @ U
        return Z
    return run


def chunked_gradient(g, g_S, Q, K, V, *, log_decay, beta=None, rule="linear", chunk=64):
    """Gradients of several sequences with a decay for each token; the final memory has none."""
    from scipy.linalg import solve_triangular
    scale, ones = Q.shape[-1] ** -0.5, np.ones_like(V[0, :, 0])
    below = np.tri(chunk, k=-1, dtype=V.dtype)

    def solve(A, B, **options):
        return solve_triangular(A, B, lower=True, unit_diagonal=True, check_finite=False, **options)

    def chunks(h):
        """The parts of one sequence, with the memories at their starts."""
        S, found = np.zeros((K.shape[-1], V.shape[-1]), V.dtype), []
        for t in range(0, V.shape[1], chunk):
            q, k, v, logs, asked = (a[h, t:t + chunk] for a in (Q, K, V, log_decay, g))
            b = (ones if beta is None else beta[h])[t:t + chunk, None]
            G = np.cumsum(logs)[:, None]
            M, e, f, W, U = np.exp(np.tril(G - G.T)), np.exp(G), np.exp(G[-1] - G), None, v
            if rule == "delta":
                W = k @ k.T * M * below[:len(k), :len(k)]
                U = solve(b * W, b * (v - (e * k) @ S))
            found.append((slice(t, t + chunk), scale * q, k, v, b, M, e, f, W, U, S, asked))
            S = e[-1] * S + (f * k).T @ U
        return found

    def of_sequence(h, dQ, dK, dV, dlog, dbeta):
        D = g_S[h]
        for rows, q, k, v, b, M, e, f, W, U, S, asked in reversed(chunks(h)):
            M = np.tril(M)
            P, T = q @ k.T * M, asked @ U.T
            dU, by_state, by_write = P.T @ asked + (f * k) @ D, e * (asked @ S.T), f * (U @ D.T)
            dq, dk, R = by_state + (T * M) @ k, by_write + (T * M).T @ q, T * P
            dG = R.sum(axis=1) - R.sum(axis=0) + (q * by_state - k * by_write).sum(axis=1)
            dG[-1] += (k * by_write).sum() + e[-1, 0] * (S * D).sum()
            D = e[-1] * D + (e * q).T @ asked
            if rule == "delta":
                dU = solve(b * W, dU, trans="T")
                A, by_state = -dU @ U.T * W, -b * e * (dU @ S.T)
                E = -b * (dU @ U.T) * M * below[:len(k), :len(k)]
                dbeta[rows] = (dU * (v - (e * k) @ S)).sum(axis=1) + A.sum(axis=1)
                A *= b
                dk += by_state + E @ k + E.T @ k
                dG += A.sum(axis=1) - A.sum(axis=0) + (k * by_state).sum(axis=1)
                dU *= b
                D = D - (e * k).T @ dU
            dQ[rows], dK[rows], dV[rows] = scale * dq, dk, dU
            dlog[rows] = np.cumsum(dG[::-1])[::-1]
        return D

    def run():
        found = [np.empty_like(a) for a in (Q, K, V, log_decay, log_decay)]
        return *found, np.stack([of_sequence(h, *(a[h] for a in found)) for h in range(len(V))])
    return run


def chunked_gradient_in_torch(g, g_S, *operands, **options):
    import torch
    given = {k: torch.from_numpy(x).requires_grad_() if isinstance(x, np.ndarray) else x
             for k, x in options.items()}
    g, *operands = (torch.from_numpy(np.ascontiguousarray(a)) for a in (g, *operands))
    leaves = [*(a.requires_grad_() for a in operands),
              *(x for x in given.values() if torch.is_tensor(x))]

    def solve(A, B):
        return torch.linalg.solve_triangular(A, B, upper=False, unitriangular=True)

    def run():
        with torch.enable_grad():
            return torch.autograd.grad(by_chunks(torch, solve, *operands, **given)(), leaves, g)
    return run


def recurrent_in_torch(Q, K, V, *, log_decay=None, log_gates=None, beta=None, rule="linear"):
    """The reference of flash-linear-attention, token by token, which computes in float32."""
    import torch
    from fla.ops.gated_delta_rule.naive import naive_recurrent_gated_delta_rule
    from fla.ops.gla.naive import naive_recurrent_gla
    from fla.ops.simple_gla.naive import naive_recurrent_simple_gla

    def heads(x):
        return torch.from_numpy(x)[None, :, None]
    q, k, v = map(heads, (Q, K, V))
    if rule == "delta":
        return lambda: naive_recurrent_gated_delta_rule(q, k, v, heads(beta), heads(log_decay))
    if log_gates is not None:
        return lambda: naive_recurrent_gla(q, k, v, heads(log_gates))
    return lambda: naive_recurrent_simple_gla(q, k, v, heads(log_decay))
