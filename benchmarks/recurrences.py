"""Gated linear attention by hand, in chunks of tokens: the fastest forms in NumPy and in torch."""
import numpy as np

__all__ = ["chunked", "chunked_in_torch", "recurrent_in_torch"]


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
    """One sequence with a decay for each token, or with one for each entry of its key; the latter
    are factors of queries and keys, which is correct while the product over a chunk is in range."""
    entries = log_gates is not None
    logs, scale = log_gates if entries else log_decay[:, None], K.shape[1] ** -0.5

    def products(x, k, e, G):
        return xp.tril((e * x) @ (k / e).T if entries else (x @ k.T) * xp.exp(xp.tril(G - G.T)))

    def run():
        S, Z = xp.zeros((K.shape[1], V.shape[1]), dtype=V.dtype), xp.empty_like(V)
        for t in range(0, len(V), chunk):
            q, k, U, g = (a[t:t + chunk] for a in (scale * Q, K, V, logs))
            G = xp.cumsum(g, axis=0)
            e = xp.exp(G)
            if rule == "delta":
                b = beta[t:t + chunk, None]
                U = solve(b * products(k, k, e, G), b * (U - (e * k) @ S))
            Z[t:t + chunk] = (e * q) @ S + products(q, k, e, G) @ U
            S = e[-1][:, None] * S + (xp.exp(G[-1] - G) * k).T @ U
        return Z
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
