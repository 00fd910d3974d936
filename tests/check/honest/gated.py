"""Gated linear attention: token by token, by its masked kernel, by chunks."""
import numpy as np

from hopref.check.engine.candidate import NotOffered
from tests.check.honest import T, honest


def arguments(r, Q, K, V, log_decay, log_gates, beta, scale, S):
    """The arguments in the format, the logs of the decays and the strengths in full size."""
    Q, K, V = map(r.given, (Q, K, V))
    gates = r(r.given(log_gates) + r.given(np.asarray(log_decay)[..., None]) + 0 * K)
    write = r.given(np.asarray(beta)[..., None]) + 0 * K[..., :1]
    S = r.given(S) + np.zeros((*K.shape[:-2], K.shape[-1], V.shape[-1]), K.dtype)
    return Q, K, V, gates, write, S, r(K.shape[-1] ** -0.5 if scale is None else scale)


@honest("gated.linear_attention")
def token_by_token(r):
    def attention(Q, K, V, *, log_decay=0.0, log_gates=0.0, beta=1.0, rule="linear", scale=None,
                  S=0.0):
        Q, K, V, gates, write, S, scale = arguments(r, Q, K, V, log_decay, log_gates, beta, scale,
                                                    S)
        results = [V[..., :0, :]]
        for t in range(V.shape[-2]):
            here = (..., slice(t, t + 1), slice(None))
            S = r(T(r(np.exp(gates[here]))) * S)
            error = V[here] if rule == "linear" else r(V[here] - r.mul(K[here], S))
            S = r(S + r(T(K[here]) * r(write[here] * error)))
            results.append(r.mul(r(Q[here] * scale), S))
        return np.concatenate(results, axis=-2), S
    return attention


def differences(r, gates):
    """e^(G_t - G_s) for s <= t, from sums of the logs; they are lost where a log is -inf."""
    if np.any(gates < -30):
        raise NotOffered("sums of logs of which the first are lost")
    G = r(np.cumsum(gates, axis=-2))
    past = np.tril(np.ones((G.shape[-2],) * 2, bool))[..., None]
    apart = r(G[..., :, None, :] - G[..., None, :, :])
    return G, np.where(past, r(np.exp(np.where(past, apart, 0))), 0)


@honest("gated.linear_attention")
def solved_at_once(r):
    """One chunk: the writes are the solution of a triangular system, the results two products."""
    def attention(Q, K, V, *, log_decay=0.0, log_gates=0.0, beta=1.0, rule="linear", scale=None,
                  S=0.0):
        if r.sums != "library" or V.shape[-2] == 0:
            raise NotOffered("sums in another order")
        Q, K, V, gates, write, S, scale = arguments(r, Q, K, V, log_decay, log_gates, beta, scale,
                                                    S)
        G, factors = differences(r, gates)
        e, last = r(np.exp(G)), factors[..., -1, :, :]
        A = r(np.einsum("...tc,...sc,...tsc->...ts", K, K, factors))
        B = r(np.einsum("...tc,...sc,...tsc->...ts", r(Q * scale), K, factors))
        U = r(write * V)
        if rule == "delta":
            U = r(write * r(V - r.mul(r(e * K), S)))
            for t in range(1, V.shape[-2]):
                known = r.mul(A[..., t:t + 1, :t], U[..., :t, :])
                U[..., t:t + 1, :] = r(U[..., t:t + 1, :] - r(write[..., t:t + 1, :] * known))
        O = r(r.mul(r(e * r(Q * scale)), S) + r.mul(B, U))
        return O, r(r(T(e[..., -1:, :]) * S) + r.mul(T(r(last * K)), U))
    return attention
