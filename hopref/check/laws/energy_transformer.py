"""Laws of the Energy Transformer: its energy and flow as printed, permutations, the descent."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, integers, masks, sampled
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
            "eps": draw(sampled([0.25, 1.0])),
            "mask": draw(sampled([True, draw(masks(n, n, seen=0.7))]))}


def tokens(x, gain, eps):
    """The normalised tokens and their widths s."""
    away = x - np.mean(x, axis=-1, keepdims=True)
    s = np.sqrt(np.mean(away * away, axis=-1, keepdims=True) + eps)
    return gain * away / s, s


def scores(y, W_q, W_k, beta, mask):
    """beta q.k of all heads, (h, n, n), -inf where hidden, the queries and the keys, and beta."""
    Q, K = y @ np.swapaxes(W_q, -1, -2), y @ np.swapaxes(W_k, -1, -2)
    beta = beta if beta is not None else 1 / np.sqrt(np.longdouble(W_q.shape[1]))
    return np.where(mask, beta * (Q @ np.swapaxes(K, -1, -2)), -np.inf), Q, K, beta


def rectified(y, X):
    return np.maximum(y @ X.T, 0.0)


def terms(z):
    """e^(z - max z), all 0 in rows where nothing is visible, and the max."""
    top = np.max(z, axis=-1, keepdims=True)
    top = np.where(top > -np.inf, top, 0.0)
    return np.exp(z - top), top


def lse(z):
    """ln sum e^z, and 0 in rows where nothing is visible."""
    e, top = terms(z)
    return top[..., 0] + np.log(np.maximum(np.sum(e, axis=-1), np.all(z == -np.inf, axis=-1)))


@law("energy_transformer.energy", id="ET-1, ET-2", over=blocks(),
     kills=("energy without 1/beta", "sum over the queries in place of the keys",
            "memories without their half", "memories not rectified", "gain ignored",
            "eps ignored", "beta ignored", "mask ignored", "hidden scores set to 0",
            "mask of the queries in place of the keys"))
def the_energy_is_that_of_attention_and_of_memories(f, x, W_q, W_k, X, beta, gain, eps, mask):
    """E = -1/beta sum lse_j(beta q_i.k_j) - 1/2 sum max(0, x_mu.y_i)^2."""
    y, _ = tokens(x, gain, eps)
    z, _, _, scale = scores(y, W_q, W_k, beta, mask)
    want = -np.sum(lse(z)) / scale - np.sum(rectified(y, X) ** 2) / 2
    yield equal(f(x, W_q, W_k, X, beta=beta, gain=gain, eps=eps, mask=mask), want)


@law("energy_transformer.flow", id="ET-1, ET-2", over=blocks(),
     kills=("the term of the queries alone", "memories left out", "memories not rectified",
            "gradient in the tokens themselves", "beta in the velocity", "gain ignored",
            "eps ignored", "mask ignored", "mask of the queries in place of the keys"))
def the_velocity_is_minus_the_gradient_in_the_normalised_tokens(f, x, W_q, W_k, X, beta, gain,
                                                                eps, mask):
    """v = sum_h (A K) W_q + (A^T Q) W_k, and max(0, y X^T) X."""
    y, _ = tokens(x, gain, eps)
    z, Q, K, _ = scores(y, W_q, W_k, beta, mask)
    e, _ = terms(z)
    A = e / np.maximum(np.sum(e, axis=-1, keepdims=True), np.all(e == 0, axis=-1, keepdims=True))
    heads = (A @ K) @ W_q + (np.swapaxes(A, -1, -2) @ Q) @ W_k
    yield equal(f(x, W_q, W_k, X, beta=beta, gain=gain, eps=eps, mask=mask),
                np.sum(heads, axis=0) + rectified(y, X) @ X)


@law("energy_transformer.flow", "energy_transformer.energy", id="ET-4", over=blocks(),
     kills=("later tokens hidden",))
def the_order_of_tokens_is_irrelevant(f, x, W_q, W_k, X, mask, **how):
    """E(P x) = E(x) and v(P x) = P v(x), with the mask P M P^T."""
    E, v = f.energy_transformer.energy, f.energy_transformer.flow
    turned = how | {"mask": mask if mask is True else mask[::-1, ::-1]}
    how = how | {"mask": mask}
    yield equal(E(x[::-1], W_q, W_k, X, **turned), E(x, W_q, W_k, X, **how), "energy")
    yield equal(v(x[::-1], W_q, W_k, X, **turned), v(x, W_q, W_k, X, **how)[::-1], "velocity")


@law("energy_transformer.flow", "energy_transformer.energy", id="ET-1", over=blocks(),
     kills=("mask ignored", "hidden scores set to 0"))
def padding_has_no_part_in_the_attention(f, x, W_q, W_k, X, mask, **how):
    """Tokens that neither see nor are seen have the energy and the velocity of memories alone, and
    the others those that they have without them."""
    n = len(x)
    real = np.arange(2 * n) < n
    seen = np.tile(np.broadcast_to(mask, (n, n)), (2, 2)) & real & real[:, None]
    both, none = np.concatenate([x, x[::-1] / 2]), np.zeros((n, n), bool)
    E, v = f.energy_transformer.energy, f.energy_transformer.flow
    alone = [g(both[n:], W_q, W_k, X, mask=none, **how) for g in (E, v)]
    yield equal(E(both, W_q, W_k, X, mask=seen, **how),
                E(x, W_q, W_k, X, mask=mask, **how) + alone[0], "energy")
    yield equal(v(both, W_q, W_k, X, mask=seen, **how),
                np.concatenate([v(x, W_q, W_k, X, mask=mask, **how), alone[1]]), "velocity")


@law("energy_transformer.flow", "energy_transformer.energy", id="ET-5", over=blocks(),
     kills=("memories without their half", "memories not rectified",
            "gradient in the tokens themselves"))
def memories_alone_lower_the_energy_by_an_exact_amount_at_every_step(f, x, W_q, W_k, X, **how):
    """W_q = 0: for x' = x + s v and a = y X^T, E(x) - E(x') = v.(y' - y)
    + sum (max(0, a') - max(0, a))^2/2 + max(0, a) max(0, -a') >= 0, for every step s."""
    E = f.energy_transformer.energy
    v = f.energy_transformer.flow(x, 0 * W_q, W_k, X, **how)
    for step in (0.125, 1.0, 32.0):
        new = f.machine(x + step * v)
        y, after = (tokens(t, how["gain"], how["eps"])[0] for t in (x, new))
        a, b, beyond = rectified(y, X), rectified(after, X), rectified(after, -X)
        gains = (b - a) ** 2 / 2 + a * beyond
        yield equal(E(x, 0 * W_q, W_k, X, **how) - E(new, 0 * W_q, W_k, X, **how),
                    np.sum(v * (after - y)) + np.sum(gains), f"step {step}")


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
