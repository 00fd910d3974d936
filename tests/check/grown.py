"""Functions of known growth in the length L of a sequence, for the tests of `scaling`."""
import numpy as np


def attention(Q, K, V):
    """Softmax attention by its matrix: quadratic."""
    z = Q @ K.T / np.sqrt(Q.shape[-1])
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e @ V / e.sum(axis=-1, keepdims=True)


def linear(Q, K, V):
    """Linear attention: linear."""
    q, k = np.maximum(Q, 0) + 1e-6, np.maximum(K, 0) + 1e-6
    return q @ (k.T @ V) / (q @ k.sum(axis=0))[:, None]


def hidden(Q, K, V):
    """Linear attention that forms an L x L array of booleans and drops it."""
    np.zeros((len(Q), len(K)), dtype=bool)
    return linear(Q, K, V)


def blocks(Q, K, V, size=64):
    """Softmax attention, a block of queries at a time: quadratic work, linear memory."""
    return np.concatenate([attention(Q[i:i + size], K, V) for i in range(0, len(Q), size)])


def window(Q, K, V, width=8):
    """Attention to the keys at most ``width`` before: linear."""
    shifts = [np.roll(K, s, axis=0) for s in range(width)]
    z = np.stack([np.sum(Q * k, axis=-1) for k in shifts], axis=-1)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    values = np.stack([np.roll(V, s, axis=0) for s in range(width)], axis=-2)
    return np.einsum("lw,lwv->lv", e / e.sum(axis=-1, keepdims=True), values)


def causal(Q, K, V):
    """Causal linear attention, a position at a time: linear."""
    S, out = np.zeros((K.shape[1], V.shape[1])), np.empty_like(V)
    for i in range(len(Q)):
        S += K[i][:, None] * V[i]
        out[i] = Q[i] @ S
    return out


def ordered(Q, K, V):
    """Values in the order of the first component: n log n, which is linear here."""
    return V[np.argsort(K[:, 0])] * Q


def first(Q, K, V):
    """The first 16 positions: constant."""
    return attention(Q[:16], K[:16], V[:16])


def power(Q, K, V):
    """Values, L^(3/2) times: between."""
    many = int(len(Q) ** 0.5)
    return np.repeat(V[:, :1], many, axis=1) @ np.ones((many, 1))


def cubic(Q, K, V):
    """The product of the matrix with itself: cubic work."""
    z = Q @ K.T
    return (z @ z) @ V


async def later(Q, K, V):
    """Not computed until it is awaited."""
    return Q


def heads(size, seed=0):
    """Queries, keys and values."""
    return tuple(np.random.default_rng([size, seed]).standard_normal((3, size, 16)))


EXPECTED = {        # function: classes of the memory and of the counted work
    attention: ("quadratic", "quadratic"),
    linear: ("linear", "linear"),
    hidden: ("quadratic", "quadratic"),
    blocks: ("linear", "quadratic"),
    window: ("linear", "linear"),
    causal: ("linear", "linear"),
    ordered: ("linear", "linear"),
    first: ("constant", "constant"),
    power: ("between", "between"),
    cubic: ("quadratic", "above quadratic"),
}
