"""Laws of the Energy Transformer: its energy and flow as printed, permutations, the descent."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, integers, sampled
from hopref.check.laws import equal, law
from hopref.gradients import energy_transformer as gradients

__all__ = []


@composed
def blocks(draw, least=2):
    """Tokens of two components or more, heads, memories and all options."""
    n, d, h, a, m = (draw(integers(low, 3)) for low in (1, least, 1, 1, 1))
    return {"x": draw(arrays(n, d)), "W_q": draw(arrays(h, a, d)) / 4,
            "W_k": draw(arrays(h, a, d)) / 4, "X": draw(arrays(m, d)) / 4,
            "beta": draw(sampled([None, 0.25, 1.0])), "gain": draw(sampled([0.5, 1.0, 2.0])),
            "eps": draw(sampled([0.25, 1.0]))}


def tokens(x, gain, eps):
    """The normalised tokens and their widths s."""
    away = x - np.mean(x, axis=-1, keepdims=True)
    s = np.sqrt(np.mean(away * away, axis=-1, keepdims=True) + eps)
    return gain * away / s, s


def scores(y, W_q, W_k, beta):
    """beta q.k of all heads, (h, n, n), the queries and the keys, and beta."""
    Q, K = y @ np.swapaxes(W_q, -1, -2), y @ np.swapaxes(W_k, -1, -2)
    beta = beta if beta is not None else 1 / np.sqrt(np.longdouble(W_q.shape[1]))
    return beta * (Q @ np.swapaxes(K, -1, -2)), Q, K, beta


def rectified(y, X):
    return np.maximum(y @ X.T, 0.0)


def lse(z):
    top = np.max(z, axis=-1, keepdims=True)
    return top[..., 0] + np.log(np.sum(np.exp(z - top), axis=-1))


@law("energy_transformer.energy", id="ET-1, ET-2", over=blocks(),
     kills=("energy without 1/beta", "sum over the queries in place of the keys",
            "memories without their half", "memories not rectified", "gain ignored",
            "eps ignored", "beta ignored"))
def the_energy_is_that_of_attention_and_of_memories(f, x, W_q, W_k, X, beta, gain, eps):
    """E = -1/beta sum lse_j(beta q_i.k_j) - 1/2 sum max(0, x_mu.y_i)^2."""
    y, _ = tokens(x, gain, eps)
    z, _, _, scale = scores(y, W_q, W_k, beta)
    want = -np.sum(lse(z)) / scale - np.sum(rectified(y, X) ** 2) / 2
    yield equal(f(x, W_q, W_k, X, beta=beta, gain=gain, eps=eps), want)


@law("energy_transformer.flow", id="ET-1, ET-2", over=blocks(),
     kills=("the term of the queries alone", "memories left out", "memories not rectified",
            "gradient in the tokens themselves", "beta in the velocity", "gain ignored",
            "eps ignored"))
def the_velocity_is_minus_the_gradient_in_the_normalised_tokens(f, x, W_q, W_k, X, beta, gain, eps):
    """v = sum_h (A K) W_q + (A^T Q) W_k, and max(0, y X^T) X."""
    y, _ = tokens(x, gain, eps)
    z, Q, K, _ = scores(y, W_q, W_k, beta)
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    A = e / np.sum(e, axis=-1, keepdims=True)
    heads = (A @ K) @ W_q + (np.swapaxes(A, -1, -2) @ Q) @ W_k
    yield equal(f(x, W_q, W_k, X, beta=beta, gain=gain, eps=eps),
                np.sum(heads, axis=0) + rectified(y, X) @ X)


@law("energy_transformer.flow", "energy_transformer.energy", id="ET-4", over=blocks(),
     kills=("later tokens hidden",))
def the_order_of_tokens_is_irrelevant(f, x, W_q, W_k, X, **how):
    """E(P x) = E(x) and v(P x) = P v(x)."""
    E, v = f.energy_transformer.energy, f.energy_transformer.flow
    yield equal(E(x[::-1], W_q, W_k, X, **how), E(x, W_q, W_k, X, **how), "energy")
    yield equal(v(x[::-1], W_q, W_k, X, **how), v(x, W_q, W_k, X, **how)[::-1], "velocity")


@law("energy_transformer.flow", id="ET-3", over=blocks(),
     kills=("the term of the queries alone", "memories left out", "memories not rectified",
            "gradient in the tokens themselves", "beta in the velocity"))
def the_energy_falls_along_the_flow_at_a_known_rate(f, x, W_q, W_k, X, **how):
    """dE/dx.v = -sum_i gain/s (|v - mean v|^2 - (n.v)^2/d) <= 0 for n = (x - mean x)/s."""
    v = f(x, W_q, W_k, X, **how)
    dx = f.exact(gradients.energy, np.longdouble(1.0), x, W_q, W_k, X, **how)[0]
    y, s = tokens(x, 1.0, how["eps"])
    away = v - np.mean(v, axis=-1, keepdims=True)
    along = np.sum(y * v, axis=-1, keepdims=True)
    rate = how["gain"] / s * (np.sum(away * away, axis=-1, keepdims=True)
                              - along * along / x.shape[-1])
    yield equal(np.sum(dx * v), -np.sum(rate))
