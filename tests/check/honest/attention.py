"""Softmax and linear attention, and the random features of Performers."""
import numpy as np

from hopref.check.engine.candidate import NotOffered
from tests.check.honest import T, honest, powers_of_two, weights_of


def scores(r, Q, K, scale):
    """The product times the scale; in half precision, where it may overflow, of scaled queries."""
    scale = r(K.shape[-1] ** -0.5 if scale is None else scale)
    return r.mul(r(Q * scale), T(K)) if r.dtype == "float16" else r(r.mul(Q, T(K)) * scale)


@honest("attention.softmax_attention")
def textbook_attention(r):
    def attention(Q, K, V, *, scale=None, mask=True, bias=0.0, causal=False, align="end"):
        Q, K, V = map(r.given, (Q, K, V))
        s = scores(r, Q, K, scale)
        s = r(s + r.given(bias)) if np.ndim(bias) else s
        if causal:
            shift = K.shape[-2] - Q.shape[-2] if align == "end" else 0
            mask = mask & np.tril(np.ones(s.shape[-2:], bool), shift)
        return r.mul(weights_of(r, np.where(mask, s, -np.inf)), V)
    return attention


@honest("attention.softmax_attention")
def scaled_queries(r):
    """The queries times the scale, and powers of 2, as fused kernels compute them."""
    def attention(Q, K, V, *, scale=None, mask=True):
        Q, K, V = map(r.given, (Q, K, V))
        scale = K.shape[-1] ** -0.5 if scale is None else scale
        s = np.where(mask, r.mul(r(Q * r(scale)), T(K)), -np.inf)
        return r.mul(powers_of_two(r, s), V)
    return attention


@honest("attention.softmax_attention")
def divided_after_the_product(r):
    def attention(Q, K, V, *, scale=None, bias=0.0):
        Q, K, V = map(r.given, (Q, K, V))
        s = scores(r, Q, K, scale)
        s = r(s + r.given(bias)) if np.ndim(bias) else s
        top = np.max(s, axis=-1, keepdims=True)
        e = r(np.exp(r(s - np.where(np.isfinite(top), top, 0))))
        total = r.add(e)
        return r(r.mul(e, V) / np.where(total > 0, total, 1))
    return attention


@honest("attention.softmax_attention")
def one_query_at_a_time(r):
    def attention(Q, K, V, *, scale=None, mask=True):
        Q, K, V = map(r.given, (Q, K, V))
        mask = np.broadcast_to(mask, (*Q.shape[:-1], K.shape[-2]))
        y = [r.mul(weights_of(r, np.where(mask[..., i, None, :], scores(
            r, Q[..., i, None, :], K, scale), -np.inf)), V) for i in range(Q.shape[-2])]
        return np.concatenate(y, axis=-2)
    return attention


@honest("attention.softmax_logsumexp")
def maximum_and_logarithm(r):
    def logsumexp(Q, K, *, scale=None, mask=True, bias=0.0):
        s = scores(r, r.given(Q), r.given(K), scale)
        s = r(s + r.given(bias)) if np.ndim(bias) else s
        s = np.where(mask, s, -np.inf)
        top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
        shown = np.where(np.isfinite(top), top, 0)
        total = r.add(r(np.exp(r(s - shown))))
        return np.where(total > 0, r(shown + r(np.log(np.where(total > 0, total, 1)))),
                        -np.inf)[..., 0]
    return logsumexp


@honest("attention.softcapped_attention")
def capped_scores(r):
    def attention(Q, K, V, *, softcap, scale=None, mask=True, bias=0.0):
        Q, K, V, c = *map(r.given, (Q, K, V)), r(softcap)
        s = r(c * r(np.tanh(r(scores(r, Q, K, scale) / c))))
        s = r(s + r.given(bias)) if np.ndim(bias) else s
        return r.mul(weights_of(r, np.where(mask, s, -np.inf)), V)
    return attention


@honest("attention.linear_attention")
def keys_first(r):
    def attention(phi_q, phi_k, V, *, mask=True, eps=0.0):
        q, k, V = map(r.given, (phi_q, phi_k, V))
        k = k if mask is True else np.where(mask[..., None], k, 0)
        total = r.mul(q, r.add(T(k)))
        total = r(total + r(eps))
        return r(r.mul(q, r.mul(T(k), V)) / np.where(total == 0, 1, total))
    return attention


@honest("attention.linear_attention")
def queries_first(r):
    def attention(phi_q, phi_k, V, *, eps=0.0):
        A = r.mul(r.given(phi_q), T(r.given(phi_k)))
        total = r(r.add(A) + r(eps))
        return r(r.mul(A, r.given(V)) / np.where(total == 0, 1, total))
    return attention


@honest("attention.causal_linear_attention")
def masked_kernel(r):
    def attention(phi_q, phi_k, V, *, eps=0.0):
        A = r(np.tril(r.mul(r.given(phi_q), T(r.given(phi_k)))))
        total = r(r.add(A) + r(eps))
        return r(r.mul(A, r.given(V)) / np.where(total == 0, 1, total))
    return attention


@honest("attention.causal_linear_attention")
def recurrence(r):
    def attention(phi_q, phi_k, V):
        q, k, V = map(r.given, (phi_q, phi_k, V))
        S, z = r(np.zeros((*k.shape[:-2], k.shape[-1], V.shape[-1]))), r(0 * k[..., :1, :])
        rows = []
        for i in range(V.shape[-2]):
            key = k[..., i, None, :]
            S, z = r(S + r(T(key) * V[..., i, None, :])), r(z + key)
            total = r.mul(q[..., i, None, :], T(z))
            rows.append(r(r.mul(q[..., i, None, :], S) / np.where(total == 0, 1, total)))
        return np.concatenate(rows, axis=-2)
    return attention


@honest("features.positive")
def factors_apart(r):
    """exp(u) and exp(-h) multiplied, where both are in range."""
    def positive(x, omega, beta=1.0):
        x, omega = r.given(x)[..., None, :], r.given(omega)
        x = r(x * r(np.sqrt(r(beta))))
        u, half = r.mul(x, omega.T), r(r.add(r(x * x)) / 2)
        if np.max(np.abs(u), initial=0) > 6 or np.max(half, initial=0) > 6:
            raise NotOffered("large exponents")
        return r(r(r(np.exp(u)) * r(np.exp(-half))) / r(np.sqrt(r(len(omega)))))[..., 0, :]
    return positive


@honest("features.positive")
def exponent_whole(r):
    def positive(x, omega, beta=1.0):
        x, omega = r.given(x)[..., None, :], r.given(omega)
        x = r(x * r(np.sqrt(r(beta))))
        half = r(r.add(r(x * x)) / 2)
        return r(r(np.exp(r(r.mul(x, omega.T) - half))) / r(np.sqrt(r(len(omega)))))[..., 0, :]
    return positive


@honest("features.trigonometric")
def sines_and_cosines(r):
    def trigonometric(x, omega, beta=1.0):
        x, omega = r.given(x)[..., None, :], r.given(omega)
        x = r(x * r(np.sqrt(r(beta))))
        u, h = r.mul(x, omega.T), r(np.exp(r(r.add(r(x * x)) / 2)))
        h = r(h / r(np.sqrt(r(len(omega)))))
        return np.concatenate([r(h * r(np.sin(u))), r(h * r(np.cos(u)))], axis=-1)[..., 0, :]
    return trigonometric


@honest("performer.attention")
def favor_without_eps(r):
    def attention(Q, K, V, omega, *, scale=None, features="positive"):
        if features != "positive":
            raise NotOffered(features)
        Q, K, V, omega = map(r.given, (Q, K, V, omega))
        root = r(np.sqrt(r(K.shape[-1] ** -0.5 if scale is None else scale)))

        def phi(x, axes):
            x = r(x * root)
            u = r(r.mul(x, omega.T) - r(r.add(r(x * x)) / 2))
            return r(np.exp(r(u - np.max(u, axis=axes, keepdims=True, initial=-1e30))))
        q, k = phi(Q, (-1,)), phi(K, (-1, -2))
        total = r.mul(q, r.add(T(k)))
        return r(r.mul(q, r.mul(T(k), V)) / total)
    return attention
