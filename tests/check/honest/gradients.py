"""Honest gradients and weights, in reverse mode as automatic differentiation computes them."""
import numpy as np

from tests.check.honest import T, honest, weights_of

__all__ = []


def as_rows(r, x):
    return r.given(x).reshape(-1, np.shape(x)[-1])


def total(r, x):
    """The sum of all entries, 0-d."""
    return r.add(x.reshape(-1))[0]


def softmax_back(r, p, a):
    return r(p * r(a - r.add(r(p * a))))


def update_back(r, g, xi, X, beta, scaled_states):
    """Reverse mode of softmax(beta (xi X^T)) X, or of softmax((beta xi) X^T) X."""
    x, g, X, beta = as_rows(r, xi), as_rows(r, g), r.given(X), r(beta)
    z = r.mul(r(x * beta) if scaled_states else x, X.T)
    p = weights_of(r, z if scaled_states else r(z * beta))
    ds = softmax_back(r, p, r.mul(g, X.T))
    if scaled_states:
        through = r.mul(ds, X)
        dxi, dkeys, dbeta = r(through * beta), r.mul(ds.T, r(x * beta)), r(through * x)
    else:
        dz, dbeta = r(ds * beta), r(ds * z)
        dxi, dkeys = r.mul(dz, X), r.mul(dz.T, x)
    return dxi.reshape(np.shape(xi)), r(r.mul(p.T, g) + dkeys), total(r, dbeta)


@honest("gradients.modern.update")
def reverse_mode_of_scaled_scores(r):
    def update(g, xi, X, *, beta=1.0):
        return update_back(r, g, xi, X, beta, scaled_states=False)
    return update


@honest("gradients.modern.update")
def reverse_mode_of_scaled_states(r):
    def update(g, xi, X, *, beta=1.0):
        return update_back(r, g, xi, X, beta, scaled_states=True)
    return update


@honest("gradients.modern.energy")
def reverse_mode_of_the_printed_energy(r):
    """Of -lse(beta z)/beta + |xi|^2/2 + log(n)/beta + M^2/2, term by term."""
    def energy(g, xi, X, *, beta=1.0):
        x, g, X, beta = as_rows(r, xi), r.given(g).reshape(-1, 1), r.given(X), r(beta)
        z = r.mul(x, X.T)
        s = r(z * beta)
        top, p, part = np.max(s, axis=-1, keepdims=True), weights_of(r, s), r(g / beta)
        lse = r(r(np.log(r.add(r(np.exp(r(s - top)))))) + top)
        ds = r(-part * p)
        dz = r(ds * beta)
        dbeta = [total(r, r(r(part * lse) / beta)), total(r, r(ds * z)),
                 -total(r, r(r(part * r(np.log(r(len(X))))) / beta))]
        longest = np.arange(len(X)) == np.argmax(r.add(r(X * X)))
        dX = r(np.where(longest[:, None], r(total(r, g) * X), 0) + r.mul(dz.T, x))
        return (r(r.mul(dz, X) + r(g * x)).reshape(np.shape(xi)), dX,
                r(r(dbeta[0] + dbeta[1]) + dbeta[2]))
    return energy


@honest("gradients.attention.softmax_attention")
def reverse_mode_of_attention(r):
    def attention(g, Q, K, V, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
        g, Q, K, V = map(r.given, (g, Q, K, V))
        scale = r(K.shape[-1] ** -0.5 if scale is None else scale)
        z = r.mul(Q, T(K))
        s = r(r(z * scale) + r.given(bias))
        shift = K.shape[-2] - Q.shape[-2] if align == "end" else 0
        seen = mask & np.tril(np.ones(s.shape[-2:], bool), shift) if causal else mask
        p = weights_of(r, np.where(seen, s, -np.inf))
        ds = softmax_back(r, p, r.mul(g, T(V)))
        dz = r(ds * scale)
        return r.mul(dz, K), r.mul(T(dz), Q), r.mul(T(p), g), ds, total(r, r(ds * z))
    return attention


@honest("attention.linear_attention")
def weights_first(r):
    def attention(phi_q, phi_k, V, *, eps=0.0):
        G = r.mul(r.given(phi_q), T(r.given(phi_k)))
        denominator = r(r.add(G) + r(eps))
        return r.mul(r(G / np.where(denominator == 0, 1, denominator)), r.given(V))
    return attention


@honest("attention.causal_linear_attention")
def masked_weights_first(r):
    def attention(phi_q, phi_k, V, *, eps=0.0):
        G = r(np.tril(r.mul(r.given(phi_q), T(r.given(phi_k)))))
        denominator = r(r.add(G) + r(eps))
        return r.mul(r(G / np.where(denominator == 0, 1, denominator)), r.given(V))
    return attention
